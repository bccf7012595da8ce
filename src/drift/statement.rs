//! Where a field of one side stands on the other. Input: an object of both sides and the bytes of a node; output: the node's path, and what
//! stands there.

use crate::drift::edit::{same, shown};
use crate::source::Span;
use crate::yaml::NodeRef;

/// A step from an object down to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Key(String),
    /// Position, and name where the item has one.
    Item(usize, Option<String>),
}

/// A node with the way to it.
#[derive(Clone, Debug)]
pub struct Statement<'t> {
    path: Vec<Part>,
    node: NodeRef<'t>,
}

/// What the other side has in the place of a node.
#[derive(Clone, Copy, Debug)]
pub enum Counterpart<'t> {
    /// The same.
    Same,
    /// Something else.
    Other(NodeRef<'t>),
    /// Nothing; with what is left of the nearest list item that it belonged to.
    Gone(Option<NodeRef<'t>>),
}

impl<'t> Statement<'t> {
    /// Finds the node with these bytes.
    #[must_use]
    pub fn find(object: NodeRef<'t>, span: Span) -> Option<Self> {
        let mut path = Vec::new();
        let node = find(object, span, &mut path)?;
        Some(Self { path, node })
    }

    /// `spec.containers[web].env[LLM_URL].value`.
    #[must_use]
    pub fn field(&self) -> String {
        let mut text = String::new();
        for part in &self.path {
            match part {
                Part::Key(key) if text.is_empty() => text.push_str(key),
                Part::Key(key) => text.push_str(&format!(".{key}")),
                Part::Item(_, Some(name)) => text.push_str(&format!("[{name}]")),
                Part::Item(at, None) => text.push_str(&format!("[{at}]")),
            }
        }
        text
    }

    /// The value as it may be printed.
    #[must_use]
    pub fn shown(&self) -> Option<String> {
        shown(self.node.resolved())
    }

    /// What stands in the same place of another version of the object.
    #[must_use]
    pub fn counterpart<'o>(&self, other: NodeRef<'o>) -> Counterpart<'o> {
        let mut at = other;
        let mut item = None;
        for part in &self.path {
            let next = match part {
                Part::Key(key) => at.get(key),
                Part::Item(_, Some(name)) => {
                    at.items().find(|i| name_of(*i).as_ref() == Some(name))
                }
                Part::Item(position, None) => self.unnamed(at, *position),
            };
            let Some(next) = next else {
                return Counterpart::Gone(item);
            };
            if matches!(part, Part::Item(..)) {
                item = Some(next);
            }
            at = next;
        }
        if same(self.node, at) {
            Counterpart::Same
        } else {
            Counterpart::Other(at)
        }
    }

    /// Lists are bags: the equal item counts, wherever it stands, else the one in the same place.
    fn unnamed<'o>(&self, list: NodeRef<'o>, position: usize) -> Option<NodeRef<'o>> {
        let equal = list.items().find(|item| same(self.node, *item));
        equal.or_else(|| list.item(position))
    }
}

fn name_of(item: NodeRef<'_>) -> Option<String> {
    let name = item.get("name")?.text().to_owned();
    (!name.is_empty()).then_some(name)
}

/// Depth is that of the document, which the parser caps.
fn find<'t>(node: NodeRef<'t>, span: Span, path: &mut Vec<Part>) -> Option<NodeRef<'t>> {
    if node.span() == span {
        return Some(node);
    }
    if node.is_map() {
        for (key, value) in node.entries() {
            path.push(Part::Key(key.key_text().into_owned()));
            if let Some(found) = find(value, span, path) {
                return Some(found);
            }
            path.pop();
        }
    } else {
        for (at, item) in node.items().enumerate() {
            path.push(Part::Item(at, name_of(item)));
            if let Some(found) = find(item, span, path) {
                return Some(found);
            }
            path.pop();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::source::{SourceFile, SourceId};
    use crate::yaml;

    fn parse(text: &str) -> yaml::Parsed {
        yaml::parse(&Arc::new(SourceFile::new(SourceId(0), "a", text)))
    }

    /// Field and counterpart of the text `value` of the base.
    fn of(base: &str, value: &str, head: &str) -> String {
        let (b, h) = (parse(base), parse(head));
        let root = |p: &yaml::Parsed| p.documents[0].root;
        let start = u32::try_from(base.find(value).unwrap()).unwrap();
        let span = Span {
            source: SourceId(0),
            start,
            end: start + u32::try_from(value.len()).unwrap(),
        };
        let found = Statement::find(b.tree.node(root(&b)), span).unwrap();
        let other = match found.counterpart(h.tree.node(root(&h))) {
            Counterpart::Same => "same".to_owned(),
            Counterpart::Other(node) => node.text().to_owned(),
            Counterpart::Gone(item) => format!("gone {}", item.map_or(0, NodeRef::len)),
        };
        format!("{} {other}", found.field())
    }

    #[test]
    fn named_items_are_found_wherever_they_stand() {
        let base = "env:\n- name: A\n  value: one\n- name: B\n  value: two\n";
        let head = "env:\n- {name: B, value: other}\n- {name: A, value: one}\n";
        assert_eq!(of(base, "one", head), "env[A].value same");
        assert_eq!(of(base, "two", head), "env[B].value other");
        let from = "env:\n- {name: B, valueFrom: {secretKeyRef: {name: s}}}\n";
        assert_eq!(of(base, "two", from), "env[B].value gone 2");
        assert_eq!(of(base, "one", from), "env[A].value gone 0");
    }

    #[test]
    fn other_items_count_wherever_they_stand() {
        let base = "args: [serve, '--to=x']\n".replace('\'', "");
        assert_eq!(
            of(&base, "--to=x", "args: [--to=x, serve]\n"),
            "args[1] same"
        );
        assert_eq!(
            of(&base, "--to=x", "args: [serve, --to=y]\n"),
            "args[1] --to=y"
        );
        assert_eq!(of(&base, "--to=x", "args: [serve]\n"), "args[1] gone 0");
    }
}
