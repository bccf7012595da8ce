//! Why a flow came or went. Input: an edge that one side has; output: the edit that made it, or that nobody can tell, or that it is no news.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::drift::cause::{named, push_edit};
use crate::drift::edit::{self, Edit};
use crate::drift::statement::{Counterpart, Statement};
use crate::facts::UnknownReason;
use crate::facts::change::{Cause, Side};
use crate::facts::lineage::{Edge, NodeKind};
use crate::facts::selector::is_placeholder;
use crate::query::assets::OfView;
use crate::query::diff::Compared;
use crate::query::diff::flow::{Actor, Flow};
use crate::resource::Resource;
use crate::source::Span;
use crate::view::Member;
use crate::yaml::NodeRef;

/// What is known of why an edge is there on one side only.
pub(super) enum Told {
    /// It was not, or is no longer, for these reasons.
    Cause(Vec<Cause>),
    /// The other side has a value there that cannot be known.
    Unknown(UnknownReason, Vec<Cause>),
    /// Nothing that either side says about it differs.
    NoNews,
}

/// An object that only one side has.
pub(super) fn one_sided(side: Side, member: &Member, span: Span) -> Cause {
    let word = match side {
        Side::Base => "gone",
        Side::Head => "new",
    };
    Cause {
        side,
        span,
        says: format!("{} is {word}", named(member)),
    }
}

impl Compared<'_, '_> {
    /// Why only one side has an edge of an actor that both sides have.
    pub(super) fn told(
        &self,
        side: Side,
        (own, other): (&Actor<'_>, Option<&Actor<'_>>),
        flow: &Flow,
        edge: &Edge,
    ) -> Told {
        let (b, h) = self.objects.both(side, edge.stated);
        let (here, there) = match side {
            Side::Base => (b, h),
            Side::Head => (h, b),
        };
        let Some(here) = here else {
            return Told::NoNews;
        };
        let Some(there) = there else {
            return Told::Cause(vec![one_sided(side, here, edge.span)]);
        };
        let statement = Statement::find(here.resource.object(), edge.span);
        let Some(statement) = statement else {
            return self.around(side, (own, other), flow, edge);
        };
        match statement.counterpart(there.resource.object()) {
            Counterpart::Same => self.around(side, (own, other), flow, edge),
            Counterpart::Other(node) => {
                let cause = replaced(side, &statement, edge.span, node);
                match unknown(node) {
                    Some(reason) => Told::Unknown(reason, cause),
                    None => Told::Cause(cause),
                }
            }
            Counterpart::Gone(item) => {
                let word = if side == Side::Base { "gone" } else { "new" };
                let says = match statement.shown() {
                    Some(value) => format!("{}: {value} is {word}", statement.field()),
                    None => format!("{} is {word}", statement.field()),
                };
                let span = edge.span;
                let cause = vec![Cause { side, span, says }];
                match item.and_then(|item| item.get("valueFrom")) {
                    Some(taken) => Told::Unknown(taken_from(taken), cause),
                    None => Told::Cause(cause),
                }
            }
        }
    }

    /// An edge whose own words are on both sides: what makes them an edge differs.
    fn around(
        &self,
        side: Side,
        (own, other): (&Actor<'_>, Option<&Actor<'_>>),
        (kind, name, _): &Flow,
        edge: &Edge,
    ) -> Told {
        let mut causes = Vec::new();
        let mut with_edits = |resource: &Resource, fits: &dyn Fn(&Edit) -> bool| {
            if let (Some(base), Some(head)) = self.objects.both(side, resource.id) {
                let edits = edit::edits(base.resource.object(), head.resource.object());
                edits
                    .iter()
                    .filter(|e| fits(e))
                    .for_each(|e| push_edit(&mut causes, e, &self.objects));
            }
        };
        let below =
            |edit: &Edit, fields: &[&str]| edit.path.iter().any(|p| fields.contains(&p.as_str()));
        if *kind == NodeKind::Store {
            with_edits(&own.resource, &|e| below(e, &["volumes", "volumeMounts"]));
        }
        if edge.stated != own.resource.id {
            with_edits(&own.resource, &|e| below(e, &["env", "envFrom", "volumes"]));
        }
        let target = |actor: &Actor<'_>| {
            let at = actor.drawn.names.iter().position(|n| n == name)?;
            Some(actor.drawn.asset_at(at)?.links.clone())
        };
        let mut both_have_it = *kind != NodeKind::Asset;
        if let (NodeKind::Asset, Some(other)) = (kind, other)
            && let (Some(mine), Some(theirs)) = (target(own), target(other))
        {
            both_have_it = true;
            self.lists(side, (&mine.services, &theirs.services), &mut causes);
        }
        fn link<'a>(actor: &Actor<'a>) -> Option<&'a OfView> {
            actor.drawn.assets.get(actor.asset?)
        }
        let links = (link(own), other.and_then(link));
        if let (Some(mine), Some(theirs)) = links
            && causes.is_empty()
        {
            let lists = [
                (&mine.links.backends, &theirs.links.backends),
                (&mine.links.routes, &theirs.links.routes),
            ];
            for (mine, theirs) in lists {
                self.lists(side, (mine, theirs), &mut causes);
            }
        }
        // A workload whose words are the same is only newly in the graph, and so is what only now counts as an asset.
        let stood = matches!(links, (Some(_), Some(_))) && both_have_it;
        if causes.is_empty() && !stood {
            return Told::NoNews;
        }
        Told::Cause(causes)
    }

    /// Objects of one kind around an asset that came, went or were edited, seen from `side`.
    fn lists(
        &self,
        side: Side,
        (mine, theirs): (&[Arc<Resource>], &[Arc<Resource>]),
        causes: &mut Vec<Cause>,
    ) {
        let other = match side {
            Side::Base => Side::Head,
            Side::Head => Side::Base,
        };
        let mut seen = BTreeSet::new();
        for (side, list) in [(side, mine), (other, theirs)] {
            for resource in list {
                let both = self.objects.both(side, resource.id);
                let (Some(id), Some(member)) =
                    (both.0.or(both.1).map(|m| m.resource.id), both.1.or(both.0))
                else {
                    continue;
                };
                if !seen.insert(id) {
                    continue;
                }
                match both {
                    (Some(base), Some(head)) => {
                        edit::edits(base.resource.object(), head.resource.object())
                            .iter()
                            .filter(|e| e.is_below(&["spec"]))
                            .for_each(|e| push_edit(causes, e, &self.objects));
                    }
                    _ => causes.push(one_sided(side, member, member.resource.name_span())),
                }
            }
        }
    }
}

/// A value that stands in the place of another, with both places.
fn replaced(side: Side, statement: &Statement<'_>, span: Span, there: NodeRef<'_>) -> Vec<Cause> {
    let (mine, theirs) = (statement.shown(), edit::shown(there.resolved()));
    let field = statement.field();
    let (base, head) = match side {
        Side::Base => ((span, mine), (there.span(), theirs)),
        Side::Head => ((there.span(), theirs), (span, mine)),
    };
    let says = match (base.1, head.1) {
        (Some(before), Some(after)) => format!("{field}: {before} → {after}"),
        _ => field,
    };
    [(Side::Base, base.0), (Side::Head, head.0)]
        .into_iter()
        .map(|(side, span)| Cause {
            side,
            span,
            says: says.clone(),
        })
        .collect()
}

/// Why a value cannot be known: something fills it in later.
fn unknown(node: NodeRef<'_>) -> Option<UnknownReason> {
    let text = node.as_str()?;
    (is_placeholder(text) && !text.contains('\n')).then(|| UnknownReason {
        missing: format!("the value of `{text}`"),
        span: Some(node.span()),
    })
}

/// Why a variable cannot be known: `the value of Secret llm, key url`.
fn taken_from(value_from: NodeRef<'_>) -> UnknownReason {
    let kinds = [("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")];
    let reference = kinds
        .into_iter()
        .find_map(|(field, kind)| Some((kind, value_from.get(field)?)));
    let text =
        |node: NodeRef<'_>, field: &str| node.get(field).map_or("", NodeRef::text).to_owned();
    let missing = match reference {
        Some((kind, node)) => {
            format!("key {} of {kind} {}", text(node, "key"), text(node, "name"))
        }
        None => "a value that is only known in the cluster".to_owned(),
    };
    UnknownReason {
        missing,
        span: Some(value_from.span()),
    }
}
