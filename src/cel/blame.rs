//! Why an outcome is false, and what each step yielded. Input: the reads of a second, watched evaluation; output: the
//! origin to point at, or the steps of a trace.

use std::sync::Arc;

use crate::cel::evaluate::Evaluated;
use crate::cel::value::{Origin, Value};
use crate::source::Span;
use crate::yaml::{Key, Kind, NodeRef, Style};

/// What a watched evaluation remembers.
pub(crate) struct Watch<'a> {
    /// The last read that can be blamed.
    last: Origin<'a>,
    /// Values by the parser's number of the step, in order of evaluation; only when tracing.
    seen: Option<Vec<(u32, String)>>,
}

impl<'a> Watch<'a> {
    pub(crate) fn for_blame() -> Self {
        Self {
            last: Origin::None,
            seen: None,
        }
    }

    pub(crate) fn for_trace() -> Self {
        Self {
            last: Origin::None,
            seen: Some(Vec::new()),
        }
    }

    /// A read of a value that has an origin replaces the last one.
    pub(crate) fn read(&mut self, value: &Value<'a>) {
        let origin = match value {
            Value::Node(node) => Origin::Node(*node),
            Value::Record(record) => record.own_origin(),
            Value::Field(record, index) => {
                Self::or_else(record.origin(usize::from(*index)), || record.own_origin())
            }
            _ => return,
        };
        self.set(origin);
    }

    pub(crate) fn set(&mut self, origin: Origin<'a>) {
        if !matches!(origin, Origin::None) {
            self.last = origin;
        }
    }

    pub(crate) fn or_else(origin: Origin<'a>, other: impl FnOnce() -> Origin<'a>) -> Origin<'a> {
        match origin {
            Origin::None => other(),
            origin => origin,
        }
    }

    /// Longest trace; an evaluation may take a million steps.
    const MAX_SEEN: usize = 10_000;

    pub(crate) fn saw(&mut self, place: u32, value: &Evaluated<'a>) {
        let Some(seen) = &mut self.seen else {
            return;
        };
        if seen.len() < Self::MAX_SEEN {
            let text = match value {
                Ok(value) => value.to_display(),
                Err(fault) => format!("error: {}", fault.message("it")),
            };
            seen.push((place, text));
        }
    }

    pub(crate) fn into_blame(self) -> Blame<'a> {
        Blame { origin: self.last }
    }

    pub(crate) fn into_seen(self) -> Vec<(u32, String)> {
        self.seen.unwrap_or_default()
    }
}

/// What made an outcome false: the last read of the branch that decided.
#[derive(Clone, Debug)]
pub struct Blame<'a> {
    /// The value's origin; [`Origin::None`] when nothing was read.
    pub origin: Origin<'a>,
}

impl<'a> Blame<'a> {
    /// The bytes to point at: a scalar or flow collection as it stands, a block collection by its key, a missing field
    /// by the key of its deepest existing ancestor (a list item by its first key). `None` when nothing was read.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        match &self.origin {
            Origin::None => None,
            Origin::Node(node) => Some(place_of(*node)),
            Origin::Missing { ancestor, .. } => Some(key_of(*ancestor)),
            Origin::Spans(spans) => spans.first().copied(),
            Origin::Path(steps) => steps.last().map(|(span, _)| *span),
        }
    }

    /// Further places of a fact.
    #[must_use]
    pub fn related(&self) -> &[Span] {
        match &self.origin {
            Origin::Spans(spans) => spans.get(1..).unwrap_or(&[]),
            _ => &[],
        }
    }
}

impl<'a> Origin<'a> {
    /// The origin of a field path below a node, as rules name it in `at`: the node, or what is missing first.
    #[must_use]
    pub fn at(node: NodeRef<'a>, path: &[Key]) -> Self {
        let mut node = node;
        for key in path {
            match node.get_key(key) {
                Some(child) => node = child,
                None => {
                    return Self::Missing {
                        ancestor: node,
                        field: Arc::from(key.name()),
                    };
                }
            }
        }
        Self::Node(node)
    }
}

fn place_of(node: NodeRef<'_>) -> Span {
    match node.kind() {
        Kind::Map | Kind::Seq if node.style() != Style::Flow => key_of(node),
        _ if node.span().is_empty() => key_of(node),
        _ => node.span(),
    }
}

/// The key a node is the value of; for a list item or document, its first key; else the node itself.
fn key_of(node: NodeRef<'_>) -> Span {
    let tree = node.tree();
    let index = node.index();
    // A key stands directly before its value in the arena, and only keys have a hash.
    if let Some(before) = index.checked_sub(1)
        && tree.raw(before).hash != 0
    {
        return tree.span_of(before);
    }
    let span = node.span();
    if node.style() == Style::Flow {
        return span;
    }
    node.raw_entries()
        .next()
        .map_or(span, |(key, _)| key.span())
}
