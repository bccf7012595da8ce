//! L6: where a finding points. Input: `at:` paths, blame and values; output: spans of the smallest node that decides.

use crate::cel::{Bindings, Environment, Origin, Value};
use crate::source::Span;
use crate::yaml::{NodeRef, Style};

/// A parsed `at:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    /// Number of the variable it starts from.
    root: usize,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Field(String),
    Index(usize),
}

/// A place with what to say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) span: Span,
    pub(crate) label: String,
    /// Further places with their words, in order of the proof.
    pub(crate) related: Vec<(Span, String)>,
}

impl Place {
    pub(crate) fn new(span: Span) -> Self {
        Self {
            span,
            label: String::new(),
            related: Vec::new(),
        }
    }

    fn missing(span: Span, field: &str) -> Self {
        Self {
            label: format!("`{field}` is not set"),
            ..Self::new(span)
        }
    }
}

impl Path {
    /// Reads a path. Its first name is a variable, else a field of `item` (under `each`), else of `object`.
    pub(crate) fn parse(text: &str, environment: &Environment, each: bool) -> Option<Self> {
        let mut steps = steps(text)?;
        let Some(Step::Field(first)) = steps.first().cloned() else {
            return None;
        };
        if first == "variables"
            && let Some(Step::Field(name)) = steps.get(1)
            && let Some(root) = environment.variable(&format!("variables.{name}"))
        {
            steps.drain(..2);
            return Some(Self { root, steps });
        }
        // A report shows the side that is judged: what the old object held is looked for in the new one.
        let first = match first.as_str() {
            "oldObject" => String::from("object"),
            _ => first,
        };
        if let Some(root) = environment.variable(&first) {
            steps.remove(0);
            return Some(Self { root, steps });
        }
        let root = environment.variable(if each { "item" } else { "object" })?;
        Some(Self { root, steps })
    }

    /// Number of the variable it starts from.
    pub(crate) fn root(&self) -> usize {
        self.root
    }

    /// The place the path leads to: the field, or the key of the deepest ancestor that exists.
    pub(crate) fn resolve(&self, bindings: &Bindings<'_>) -> Option<Place> {
        let mut value = bindings.get(self.root)?.clone();
        let mut key = None;
        for (at, step) in self.steps.iter().enumerate() {
            let value_here = match &value {
                Value::Node(_) | Value::Record(_) => value.clone(),
                other => other.lifted(),
            };
            value = match (value_here, step) {
                (Value::Node(node), step) => match child(node, step) {
                    Some((child_key, child)) => {
                        key = child_key;
                        Value::Node(child)
                    }
                    None => return Some(Place::missing(span_of(node, key), &self.rest(at))),
                },
                (Value::Record(record), Step::Field(name)) => {
                    let index = record.record_type().position(name)?;
                    if at + 1 == self.steps.len() {
                        return of_origin(&record.origin(index));
                    }
                    record.field(index)
                }
                (Value::List(list), Step::Index(index)) => list.items().get(*index)?.clone(),
                (Value::Map(map), Step::Field(name)) => map
                    .entries()
                    .iter()
                    .find(|(k, _)| k.to_value().as_str() == Some(name.as_str()))
                    .map(|(_, v)| v.clone())?,
                _ => return None,
            };
        }
        match &value {
            Value::Node(node) => Some(Place::new(span_of(*node, key))),
            Value::Record(record) => of_origin(&record.own_origin()),
            Value::Field(record, index) => of_origin(&record.origin(usize::from(*index))),
            _ => None,
        }
    }

    /// The part of the path that is missing, as written.
    fn rest(&self, from: usize) -> String {
        let names = self.steps.iter().skip(from).map(|step| match step {
            Step::Field(name) => name.clone(),
            Step::Index(index) => index.to_string(),
        });
        names.collect::<Vec<_>>().join(".")
    }
}

/// The place of an origin.
pub(crate) fn of_origin(origin: &Origin<'_>) -> Option<Place> {
    match origin {
        Origin::None => None,
        Origin::Node(node) => Some(Place::new(span_of(*node, key_of(*node)))),
        Origin::Missing { ancestor, field } => {
            Some(Place::missing(span_of_ancestor(*ancestor), field))
        }
        Origin::Spans(spans) => {
            let (first, rest) = spans.split_first()?;
            let too = |span: &Span| (*span, String::from("decided here too"));
            Some(Place {
                related: rest.iter().map(too).collect(),
                ..Place::new(*first)
            })
        }
        Origin::Path(steps) => {
            let ((span, label), before) = steps.split_last()?;
            Some(Place {
                span: *span,
                label: label.clone(),
                related: before.to_vec(),
            })
        }
    }
}

/// What an element judged under `each` is shown by.
pub(crate) fn origin_of_item<'v>(value: &Value<'v>) -> Origin<'v> {
    match value {
        Value::Node(node) => Origin::Node(*node),
        Value::Record(record) => record.own_origin(),
        Value::Field(record, index) => record.origin(usize::from(*index)),
        _ => Origin::None,
    }
}

/// A missing field is shown at the key of the map that should hold it.
fn span_of_ancestor(ancestor: NodeRef<'_>) -> Span {
    span_of(ancestor, key_of(ancestor))
}

/// The smallest bytes that name a node: a scalar itself; the key of a collection, its first key or item without one; a flow
/// collection on its own is shown whole.
fn span_of<'t>(node: NodeRef<'t>, key: Option<NodeRef<'t>>) -> Span {
    let is_collection = node.is_map() || node.is_seq();
    if !is_collection {
        return match key {
            Some(key) if node.span().is_empty() => key.span(),
            _ => node.span(),
        };
    }
    if let Some(key) = key {
        return key.span();
    }
    if node.style() == Style::Flow {
        return node.span();
    }
    let first = node
        .raw_entries()
        .next()
        .map(|(key, _)| key)
        .or_else(|| node.items().next());
    first.map_or(node.span(), |f| f.span())
}

/// The key under which a node stands: a scalar key is the entry before its value in the arena, and only keys have a hash.
fn key_of(node: NodeRef<'_>) -> Option<NodeRef<'_>> {
    let before = node.index().checked_sub(1)?;
    (node.tree().raw(before).hash != 0).then(|| node.tree().node(before))
}

fn child<'t>(node: NodeRef<'t>, step: &Step) -> Option<(Option<NodeRef<'t>>, NodeRef<'t>)> {
    match step {
        Step::Field(name) => node.entry(name).map(|(key, value)| (Some(key), value)),
        Step::Index(index) => node.item(*index).map(|item| (None, item)),
    }
}

/// `a.b[0]["c/d"]` → steps.
fn steps(text: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (step, after) = match inner.strip_prefix(['"', '\'']) {
                Some(quoted) => {
                    let quote = inner.chars().next()?;
                    let (name, after) = quoted.split_once(quote)?;
                    (Step::Field(name.to_owned()), after.strip_prefix(']')?)
                }
                None => {
                    let (index, after) = inner.split_once(']')?;
                    (Step::Index(index.parse().ok()?), after)
                }
            };
            steps.push(step);
            rest = after;
        } else {
            let name = if steps.is_empty() {
                rest
            } else {
                rest.strip_prefix('.')?
            };
            let name = name.strip_prefix('?').unwrap_or(name);
            let end = name.find(['.', '[']).unwrap_or(name.len());
            let (field, after) = name.split_at(end);
            let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            if field.is_empty() || !field.chars().all(is_plain) {
                return None;
            }
            steps.push(Step::Field(field.to_owned()));
            rest = after;
        }
    }
    (!steps.is_empty()).then_some(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_or_refused() {
        let field = |name: &str| Step::Field(name.to_owned());
        assert_eq!(steps("spec.mtls"), Some(vec![field("spec"), field("mtls")]));
        assert_eq!(
            steps("a[0][\"x/y\"].c-d"),
            Some(vec![field("a"), Step::Index(0), field("x/y"), field("c-d")])
        );
        for bad in ["", "a..b", "a[", "a[x]", "a + b", "has(a)", "a.b()"] {
            assert_eq!(steps(bad), None, "{bad}");
        }
    }
}
