//! `difference` as expressions read it. Input: a `Change` between environments with its causes in words; output: record and subject.

use std::sync::Arc;

use super::strings;
use crate::cel::{Origin, Reasons, Record, RecordType, Value};
use crate::facts::change::{Cause, Change, Side, State};
use crate::facts::schema;
use crate::facts::subject::Subject;
use crate::resource::Resource;
use crate::source::Span;

/// `difference` with its facts; what it is about stands in production.
#[derive(Debug)]
pub struct DifferenceRecord {
    /// The fact: what was is the other environment's, what is to be is production's.
    pub change: Change,
    /// The application.
    pub application: String,
    /// The production environment.
    pub environment: String,
    /// The environments it differs from.
    pub others: Vec<String>,
    /// How production compares; `None` where nobody can tell.
    pub verdict: Option<&'static str>,
    /// What explains it, each with its place: `overlays/prod/mtls.yaml:7 (prod)`.
    pub causes: Vec<String>,
    /// Numbers of the reasons why a side is unknown; none when both are known.
    pub unknown: Reasons,
}

impl DifferenceRecord {
    fn state<'c>(&'c self, state: &'c State) -> Value<'c> {
        match state {
            State::Unknown(_) => Value::Unknown(self.unknown.clone()),
            State::Absent | State::Known(_) => Value::Str(state.words()),
        }
    }

    /// Where production says otherwise: the places of the other environment, then those of production, the deciding one last.
    fn places(&self) -> Vec<(Span, String)> {
        let of = |side| self.change.cause.iter().filter(move |c| c.side == side);
        let label = |cause: &Cause, name: &str| {
            // What both sides say needs no words, it stands there.
            let other = |c: &Cause| c.side != cause.side && c.says == cause.says;
            match self.change.cause.iter().any(other) {
                true => format!("{name} here"),
                false => format!("{name}: {}", cause.says),
            }
        };
        let there = self.others.join(", ");
        let mut places: Vec<(Span, String)> =
            of(Side::Base).map(|c| (c.span, label(c, &there))).collect();
        let mut own: Vec<(Span, String)> = of(Side::Head)
            .map(|c| (c.span, label(c, &self.environment)))
            .collect();
        if own.is_empty() {
            let span = self.change.about.resource.name_span();
            own.push((span, format!("{} here", self.environment)));
        }
        // The first place of production decides, the others belong to it.
        own.reverse();
        places.extend(own);
        places
    }
}

impl Record for DifferenceRecord {
    fn record_type(&self) -> &'static RecordType {
        &schema::DIFFERENCE
    }

    fn field(&self, index: usize) -> Value<'_> {
        let change = &self.change;
        match self.record_type().fields.get(index).map_or("", |f| f.name) {
            "kind" => Value::Str(change.kind.as_str()),
            "subject" => Value::text(change.about.words()),
            "asset" => Value::Bool(change.about.is_asset),
            "application" => Value::Str(&self.application),
            "environment" => Value::Str(&self.environment),
            "others" => strings(self.others.iter().map(String::as_str)),
            "verdict" => match self.verdict {
                Some(word) => Value::Str(word),
                None => Value::Unknown(self.unknown.clone()),
            },
            "here" => self.state(&change.after),
            "there" => self.state(&change.before),
            "cause" => strings(self.causes.iter().map(String::as_str)),
            "callersMore" => {
                let edges = change.edges.as_ref();
                let more = edges.map_or(0, |e| i64::try_from(e.added).unwrap_or(i64::MAX));
                Value::Int(more)
            }
            _ => Value::Null,
        }
    }

    fn origin(&self, _index: usize) -> Origin<'_> {
        self.own_origin()
    }

    fn own_origin(&self) -> Origin<'_> {
        Origin::Path(Arc::from(self.places()))
    }
}

/// One difference as a subject; variables `difference`, `object`.
#[derive(Debug)]
pub struct EnvironmentSubject(pub DifferenceRecord);

impl Subject for EnvironmentSubject {
    fn resource(&self) -> &Arc<Resource> {
        &self.0.change.about.resource
    }

    fn words(&self) -> String {
        let own = &self.0;
        let (kind, about) = (own.change.kind.as_str(), own.change.about.words());
        format!("{kind} of {about} in {}", own.environment)
    }

    fn value(&self, variable: usize) -> Value<'_> {
        match variable {
            0 => Value::Record(&self.0),
            1 => Value::Node(self.resource().object()),
            _ => Value::Null,
        }
    }

    fn span(&self) -> Span {
        let last = self.0.places().pop();
        last.map_or_else(|| self.resource().name_span(), |(span, _)| span)
    }
}
