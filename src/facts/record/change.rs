//! `change` as expressions read it. Input: a `Change` with its causes in words; output: record and subject.

use std::sync::Arc;

use super::strings;
use crate::cel::{Origin, Reasons, Record, RecordType, Value};
use crate::facts::change::{Change, ChangeKind, Side, State};
use crate::facts::schema;
use crate::facts::subject::Subject;
use crate::resource::Resource;
use crate::source::Span;

/// `change` with its facts; what it is about stands in the head.
#[derive(Debug)]
pub struct ChangeRecord {
    /// The change.
    pub change: Change,
    /// What explains it, each with its place: `mesh/llm.yaml:10 (base)`.
    pub causes: Vec<String>,
    /// Numbers of the reasons why a side is unknown; none when both are known.
    pub unknown: Reasons,
}

impl ChangeRecord {
    fn state<'c>(&'c self, state: &'c State) -> Value<'c> {
        match state {
            State::Unknown(_) => Value::Unknown(self.unknown.clone()),
            State::Absent | State::Known(_) => Value::Str(state.words()),
        }
    }

    fn count(&self, of: fn(&crate::facts::change::Edges) -> usize) -> Value<'_> {
        Value::Int(self.change.edges.as_ref().map_or(0, |e| to_i64(of(e))))
    }

    /// Places of the head that explain the change.
    fn spans(&self) -> Vec<Span> {
        let causes = self.change.cause.iter();
        causes
            .filter(|c| c.side == Side::Head)
            .map(|c| c.span)
            .collect()
    }
}

impl Record for ChangeRecord {
    fn record_type(&self) -> &'static RecordType {
        &schema::CHANGE
    }

    fn field(&self, index: usize) -> Value<'_> {
        let change = &self.change;
        match self.record_type().fields.get(index).map_or("", |f| f.name) {
            "kind" => Value::Str(change.kind.as_str()),
            "subject" => Value::text(change.about.words()),
            "asset" => Value::Bool(change.about.is_asset),
            "before" => self.state(&change.before),
            "after" => self.state(&change.after),
            "direction" if change.is_undecided() => Value::Unknown(self.unknown.clone()),
            "direction" => Value::Str(change.direction.as_str()),
            "cause" => strings(self.causes.iter().map(String::as_str)),
            "callersBefore" => self.count(|e| e.before),
            "callersAdded" => self.count(|e| e.added),
            "callersRemoved" => self.count(|e| e.removed),
            "callersAnonymous" => self.count(|e| e.anonymous),
            "breaks" => {
                Value::Bool(change.kind == ChangeKind::Client && change.after.words() == "broken")
            }
            "clients" => Value::Int(to_i64(change.clients)),
            _ => Value::Null,
        }
    }

    fn origin(&self, _index: usize) -> Origin<'_> {
        self.own_origin()
    }

    fn own_origin(&self) -> Origin<'_> {
        let spans = self.spans();
        if spans.is_empty() {
            return Origin::Spans(Arc::from([self.change.about.resource.name_span()]));
        }
        Origin::Spans(Arc::from(spans))
    }
}

fn to_i64(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// One change as a subject; variables `change`, `object`.
#[derive(Debug)]
pub struct ChangeSubject(pub ChangeRecord);

impl Subject for ChangeSubject {
    fn resource(&self) -> &Arc<Resource> {
        &self.0.change.about.resource
    }

    fn words(&self) -> String {
        let change = &self.0.change;
        format!("{} of {}", change.kind.as_str(), change.about.words())
    }

    fn value(&self, variable: usize) -> Value<'_> {
        match variable {
            0 => Value::Record(&self.0),
            1 => Value::Node(self.resource().object()),
            _ => Value::Null,
        }
    }

    fn span(&self) -> Span {
        let first = self.0.spans().into_iter().next();
        first.unwrap_or_else(|| self.resource().name_span())
    }
}
