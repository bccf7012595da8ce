//! L2: marking an object that was built from several files. Input: its tree, which carries the marks of its files; output:
//! further marks, for what only the whole shows, and the spans of every secret byte of it.

use super::Marks;
use crate::secret::text;
use crate::source::{Span, to_u32};
use crate::yaml::{Kind, NodeRef, REDACTED, Style, Tree};

/// Marks the secret scalars of a rendered object whose root is node 0; returns the places of all secret values, unsorted.
///
/// A value's name and the value itself may come from different files (a JSON patch of one `value`, a generator's entry), so
/// the marks of the files are not enough.
pub(crate) fn mark_rendered(tree: &mut Tree) -> Vec<Span> {
    let mut marks = Marks::default();
    let root = tree.node(0);
    let text = |name| root.get(name).and_then(NodeRef::as_str);
    if text("kind") == Some("Secret") && text("apiVersion") == Some("v1") {
        marks.secret_object(root);
    }
    marks.scan(tree);
    for index in 0..to_u32(tree.len()) {
        let node = tree.node(index);
        if is_new_text(tree, index) && !marks.nodes.contains_key(&index) {
            let text = node.secret_text();
            let ranges = text::credentials(text);
            if !ranges.is_empty() {
                marks.nodes.insert(index, public(text, &ranges));
            }
        }
    }
    for (&index, public) in &marks.nodes {
        // What the files say is kept: it may hide more.
        if tree.node(index).is_secret() {
            continue;
        }
        match public {
            None => tree.mark_secret(index),
            Some(rendition) => tree.mark_secret_as(index, rendition),
        }
    }
    (0..to_u32(tree.len()))
        .map(|index| tree.node(index))
        .filter(|node| node.is_secret() && !node.span().is_empty())
        .map(NodeRef::span)
        .collect()
}

/// Whether a scalar was written by no file as it stands; others were looked into when their file was read.
fn is_new_text(tree: &Tree, index: u32) -> bool {
    let raw = tree.raw(index);
    raw.style == Style::Generated
        && raw.hash == 0
        && !matches!(raw.kind, Kind::Map | Kind::Seq | Kind::Alias | Kind::Null)
}

/// The text with the ranges taken out; `None` when nothing would be left.
fn public(text: &str, ranges: &[std::ops::Range<usize>]) -> Option<String> {
    let (mut public, mut at) = (String::new(), 0);
    for range in ranges {
        if range.start == 0 && range.end == text.len() {
            return None;
        }
        public.push_str(text.get(at..range.start).unwrap_or(""));
        public.push_str(REDACTED);
        at = range.end;
    }
    public.push_str(text.get(at..).unwrap_or(""));
    Some(public)
}
