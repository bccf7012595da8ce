//! What differs between two versions of an object. Input: two located trees; output: `Edit`s: field paths with their place on each side.
//!
//! Order of keys, style and comments are no edits; lists of named items pair by name, other lists as bags.

use crate::facts::change::Side;
use crate::source::Span;
use crate::yaml::NodeRef;

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Field names from the object down; list items by name or `[]`.
    pub path: Vec<String>,
    /// Where it was, when it was there.
    pub base: Option<Span>,
    /// Where it is, when it is there.
    pub head: Option<Span>,
    /// Scalar before, as it may be printed.
    pub before: Option<String>,
    /// Scalar after, as it may be printed.
    pub after: Option<String>,
}

impl Edit {
    /// `spec.mtls.mode`.
    #[must_use]
    pub fn field(&self) -> String {
        let mut text = String::new();
        for part in &self.path {
            if !text.is_empty() && !part.starts_with('[') {
                text.push('.');
            }
            text.push_str(part);
        }
        text
    }

    /// Whether the path begins with these fields.
    #[must_use]
    pub fn is_below(&self, fields: &[&str]) -> bool {
        self.path.len() >= fields.len() && self.path.iter().zip(fields).all(|(a, b)| a == b)
    }
}

/// Every field that differs, in the order of the head, removed ones after their neighbours.
#[must_use]
pub fn edits(base: NodeRef<'_>, head: NodeRef<'_>) -> Vec<Edit> {
    let mut found = Vec::new();
    compare(base, head, &mut Vec::new(), &mut found);
    found
}

/// Whether two nodes say the same.
#[must_use]
pub fn same(base: NodeRef<'_>, head: NodeRef<'_>) -> bool {
    let (base, head) = (base.resolved(), head.resolved());
    if base.is_map() && head.is_map() {
        return base.len() == head.len()
            && base.entries().all(|(key, value)| {
                head.get(&key.key_text())
                    .is_some_and(|other| same(value, other))
            });
    }
    if base.is_seq() && head.is_seq() {
        return base.len() == head.len() && bags(base, head) == (Vec::new(), Vec::new());
    }
    base.is_map() == head.is_map()
        && base.is_seq() == head.is_seq()
        && base.is_null() == head.is_null()
        && base.secret_text() == head.secret_text()
}

/// Positions of the items of each list that the other has no equal of.
fn bags(base: NodeRef<'_>, head: NodeRef<'_>) -> (Vec<usize>, Vec<usize>) {
    let mut left: Vec<Option<NodeRef<'_>>> = head.items().map(Some).collect();
    let mut gone = Vec::new();
    for (at, item) in base.items().enumerate() {
        // Most lists keep their order, so the same position is tried first.
        let equal = |other: &Option<NodeRef<'_>>| other.is_some_and(|o| same(item, o));
        let found = if left.get(at).is_some_and(&equal) {
            Some(at)
        } else {
            left.iter().position(equal)
        };
        match found.and_then(|at| left.get_mut(at)) {
            Some(taken) => *taken = None,
            None => gone.push(at),
        }
    }
    let new = left.iter().enumerate().filter(|(_, item)| item.is_some());
    (gone, new.map(|(at, _)| at).collect())
}

fn compare(base: NodeRef<'_>, head: NodeRef<'_>, path: &mut Vec<String>, found: &mut Vec<Edit>) {
    let (b, h) = (base.resolved(), head.resolved());
    if b.is_map() && h.is_map() {
        let by_key = path.last().is_some_and(|p| is_keyed(p));
        if b.is_empty() != h.is_empty() && !by_key {
            // `- {}` in place of a rule says more than each of its fields that are gone.
            let braces = |node: NodeRef<'_>| node.is_empty().then(|| "{}".to_owned());
            found.push(Edit {
                path: path.clone(),
                base: Some(base.span()),
                head: Some(head.span()),
                before: braces(b),
                after: braces(h),
            });
            return;
        }
        for (key, value) in h.entries() {
            let name = key.key_text().into_owned();
            let other = b.get(&name);
            path.push(name);
            match other {
                Some(other) => compare(other, value, path, found),
                None => one_sided(value, Side::Head, key.span(), path, found),
            }
            path.pop();
        }
        for (key, value) in b.entries() {
            let name = key.key_text().into_owned();
            if h.get(&name).is_none() {
                path.push(name);
                one_sided(value, Side::Base, key.span(), path, found);
                path.pop();
            }
        }
    } else if b.is_seq() && h.is_seq() {
        lists(b, h, path, found);
    } else if !same(b, h) {
        found.push(Edit {
            path: path.clone(),
            base: Some(base.span()),
            head: Some(head.span()),
            before: shown(b),
            after: shown(h),
        });
    }
}

fn lists(base: NodeRef<'_>, head: NodeRef<'_>, path: &mut Vec<String>, found: &mut Vec<Edit>) {
    let (mut gone, mut new) = bags(base, head);
    // Items that kept their name, or are the only ones left on their side, are the same item edited.
    let name = |node: Option<NodeRef<'_>>| {
        node.and_then(|n| n.get("name"))
            .map(|n| n.text().to_owned())
            .filter(|n| !n.is_empty())
    };
    let mut pairs = Vec::new();
    gone.retain(|&b| {
        let wanted = name(base.item(b));
        let partner = new.iter().position(|&h| {
            let maps = [base.item(b), head.item(h)]
                .iter()
                .all(|n| n.is_some_and(|n| n.is_map()));
            maps && if wanted.is_some() {
                name(head.item(h)) == wanted
            } else {
                b == h
            }
        });
        match partner {
            Some(at) => {
                pairs.push((b, new.remove(at)));
                false
            }
            None => true,
        }
    });
    for (b, h) in pairs {
        if let (Some(before), Some(after)) = (base.item(b), head.item(h)) {
            path.push(format!(
                "[{}]",
                name(Some(after)).unwrap_or_else(|| h.to_string())
            ));
            compare(before, after, path, found);
            path.pop();
        }
    }
    for h in new {
        if let Some(node) = head.item(h) {
            path.push(format!(
                "[{}]",
                name(Some(node)).unwrap_or_else(|| h.to_string())
            ));
            found.push(added(path, node.span(), node));
            path.pop();
        }
    }
    for b in gone {
        if let Some(node) = base.item(b) {
            path.push(format!(
                "[{}]",
                name(Some(node)).unwrap_or_else(|| b.to_string())
            ));
            found.push(removed(path, node.span(), node));
            path.pop();
        }
    }
}

/// Maps whose keys mean something each by itself.
fn is_keyed(field: &str) -> bool {
    matches!(field, "labels" | "annotations" | "matchLabels")
}

/// A field that only one side has; of labels and annotations every key.
fn one_sided(
    node: NodeRef<'_>,
    side: Side,
    span: Span,
    path: &mut Vec<String>,
    found: &mut Vec<Edit>,
) {
    let one = match side {
        Side::Base => removed,
        Side::Head => added,
    };
    let map = node.resolved();
    if !map.is_map() || !path.last().is_some_and(|p| is_keyed(p)) {
        found.push(one(path, span, node));
        return;
    }
    for (key, value) in map.entries() {
        path.push(key.key_text().into_owned());
        found.push(one(path, key.span(), value));
        path.pop();
    }
}

fn added(path: &[String], span: Span, node: NodeRef<'_>) -> Edit {
    Edit {
        path: path.to_vec(),
        base: None,
        head: Some(span),
        before: None,
        after: shown(node.resolved()),
    }
}

fn removed(path: &[String], span: Span, node: NodeRef<'_>) -> Edit {
    Edit {
        path: path.to_vec(),
        base: Some(span),
        head: None,
        before: shown(node.resolved()),
        after: None,
    }
}

/// Characters of a value that are printed.
const SHOWN: usize = 60;

/// A scalar as it may be printed: secrets show a placeholder, long and many-lined ones nothing.
pub(crate) fn shown(node: NodeRef<'_>) -> Option<String> {
    if node.is_map() || node.is_seq() {
        return None;
    }
    let text = if node.is_null() { "null" } else { node.text() };
    (text.chars().count() <= SHOWN && !text.contains('\n')).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::source::{SourceFile, SourceId};
    use crate::yaml;

    fn fields(base: &str, head: &str) -> Vec<String> {
        let parse = |text: &str| yaml::parse(&Arc::new(SourceFile::new(SourceId(0), "a", text)));
        let (b, h) = (parse(base), parse(head));
        let root = |p: &yaml::Parsed| p.documents[0].root;
        let line = |text: &str, span: Option<Span>| {
            let file = SourceFile::new(SourceId(0), "a", text);
            span.map_or_else(
                || "-".to_owned(),
                |s| file.position(s.start).line.to_string(),
            )
        };
        edits(b.tree.node(root(&b)), h.tree.node(root(&h)))
            .iter()
            .map(|e| {
                format!(
                    "{} {} {}",
                    e.field(),
                    line(base, e.base),
                    line(head, e.head)
                )
            })
            .collect()
    }

    #[test]
    fn order_style_and_comments_are_no_edits() {
        let base = "a: 1\nb: [x, 'y']\nc: {d: e}\n";
        let head = "# note\nc:\n  d: \"e\"\nb:\n- y\n- x\na: 1\n";
        assert_eq!(fields(base, head), [] as [&str; 0]);
    }

    #[test]
    fn edits_have_a_place_on_each_side() {
        assert_eq!(fields("a:\n  b: 1\n", "a:\n\n  b: 2\n"), ["a.b 2 3"]);
        assert_eq!(fields("a: 1\nb: 2\n", "a: 1\n"), ["b 2 -"]);
        assert_eq!(fields("a: 1\n", "a: 1\nb: 2\n"), ["b - 2"]);
    }

    #[test]
    fn what_becomes_empty_is_told_from_what_is_gone() {
        let base = "rules:\n- from:\n  - a: b\n  to: c\n";
        assert_eq!(fields(base, "rules:\n\n- {}\n"), ["rules[0] 2 3"]);
        assert_eq!(
            fields("a: 1\nlabels:\n  b: c\n", "a: 1\n"),
            ["labels.b 3 -"]
        );
        assert_eq!(
            fields("labels:\n  b: c\n", "labels: {}\n"),
            ["labels.b 2 -"]
        );
    }

    #[test]
    fn items_pair_by_name_or_place() {
        let base = "l:\n- name: a\n  v: 1\n- name: b\n  v: 2\n";
        let head = "l:\n- name: b\n  v: 3\n- name: a\n  v: 1\n";
        assert_eq!(fields(base, head), ["l[b].v 5 3"]);
        assert_eq!(
            fields("l: [a, b]\n", "l:\n- b\n- c\n"),
            ["l[1] - 3", "l[0] 1 -"]
        );
    }
}
