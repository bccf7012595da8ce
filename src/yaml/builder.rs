//! Building a `Tree` node by node: used by the parser and by renderers that compose objects from several files.
//! Input: start/end/scalar calls in document order; output: a `Tree`.

use std::sync::Arc;

use crate::source::{SourceFile, Span, to_u32, to_usize};
use crate::yaml::key::key_hash;
use crate::yaml::keys::{KeySet, OpenKeys};
use crate::yaml::node::{Kind, NodeRef, Style};
use crate::yaml::tree::{HAS_DUPLICATE, HAS_MERGE, MERGE_KEY, Node, Tree};

/// Source bytes a node takes on average in manifests; only a guess for the first allocation.
const BYTES_PER_NODE: usize = 14;
/// First allocation at most, in nodes: a huge file of few nodes must not reserve gigabytes.
const MAX_RESERVED: usize = 1 << 18;

/// An open collection.
#[derive(Debug)]
struct Open {
    index: u32,
    is_map: bool,
    key_next: bool,
    keys: KeySet,
}

/// A state to return to, so that a broken document leaves nothing behind.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mark {
    nodes: usize,
    side: usize,
    duplicates: usize,
}

/// Appends nodes in pre-order. Map children alternate key and value.
#[derive(Debug)]
pub struct TreeBuilder {
    tree: Tree,
    open: Vec<Open>,
    open_keys: OpenKeys,
    /// Earlier and later key node of each duplicate.
    duplicates: Vec<(u32, u32)>,
    /// Whether nodes may come from other sources than the tree's own.
    mixed: bool,
}

impl TreeBuilder {
    /// A builder for the nodes of one file.
    #[must_use]
    pub fn new(source: Arc<SourceFile>) -> Self {
        let reserved = (source.text.len() / BYTES_PER_NODE + 8).min(MAX_RESERVED);
        let mut builder = Self::mixed(source);
        builder.tree.nodes.reserve(reserved);
        builder.mixed = false;
        builder
    }

    /// A builder for an object composed from several files; `source` names the object in reports.
    #[must_use]
    pub fn mixed(source: Arc<SourceFile>) -> Self {
        Self {
            tree: Tree::new(source),
            open: Vec::new(),
            open_keys: Vec::new(),
            duplicates: Vec::new(),
            mixed: true,
        }
    }

    /// Index that the next node will get.
    #[must_use]
    pub fn next_index(&self) -> u32 {
        to_u32(self.tree.nodes.len())
    }

    /// Number of open collections.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// Whether the next node is a mapping key.
    pub(crate) fn key_next(&self) -> bool {
        self.open.last().is_some_and(|open| open.key_next)
    }

    /// Whether the innermost open collection is a mapping.
    pub(crate) fn in_map(&self) -> bool {
        self.open.last().is_some_and(|open| open.is_map)
    }

    /// Opens a map or sequence at `span` (its end is set by [`TreeBuilder::end`]).
    pub fn start(&mut self, kind: Kind, style: Style, span: Span) -> u32 {
        let index = self.push(kind, style, span, (0, 0), false);
        let is_map = kind == Kind::Map;
        self.open.push(Open {
            index,
            is_map,
            key_next: is_map,
            keys: KeySet::new(&self.open_keys),
        });
        index
    }

    /// Closes the innermost open collection; `end` extends its span when larger.
    pub fn end(&mut self, end: u32) {
        let Some(open) = self.open.pop() else {
            return;
        };
        open.keys.close(&mut self.open_keys);
        let skip = to_u32(self.tree.nodes.len());
        if let Some(node) = self.tree.nodes.get_mut(to_usize(open.index)) {
            node.skip = skip;
            node.end = node.end.max(end);
        }
    }

    /// Appends a scalar of an already resolved kind; `text` is its value after unescaping. Text inside the tree's own
    /// source is not copied.
    pub fn scalar(&mut self, kind: Kind, style: Style, span: Span, text: &str) -> u32 {
        let merge = style == Style::Plain && text == "<<";
        self.scalar_or_merge(kind, style, span, text, merge)
    }

    /// [`TreeBuilder::scalar`] that is told whether a key is a merge key (`!!str <<` is none, `!!merge "<<"` is one).
    pub(crate) fn scalar_or_merge(
        &mut self,
        kind: Kind,
        style: Style,
        span: Span,
        text: &str,
        merge: bool,
    ) -> u32 {
        let stored = self.store(text);
        self.push(kind, style, span, stored, merge)
    }

    /// Appends an alias to an earlier node.
    pub fn alias(&mut self, target: u32, span: Span) -> u32 {
        self.push(Kind::Alias, Style::Plain, span, (target, 0), false)
    }

    /// Copies a whole subtree of another tree, aliases and merge keys resolved, every node keeping its own span.
    pub fn copy(&mut self, node: NodeRef<'_>) {
        let span = node.span();
        match node.kind() {
            kind @ (Kind::Map | Kind::Seq) => {
                self.start(kind, node.style(), span);
                if kind == Kind::Map {
                    for (key, value) in node.entries() {
                        self.copy(key);
                        self.copy(value);
                    }
                } else {
                    for item in node.items() {
                        self.copy(item);
                    }
                }
                self.end(span.end);
            }
            kind => {
                let index = self.scalar(kind, node.style(), span, node.secret_text());
                if node.is_secret() {
                    self.tree.mark_secret_as(index, node.text());
                }
            }
        }
    }

    /// The finished tree; open collections are closed.
    #[must_use]
    pub fn finish(mut self) -> Tree {
        while !self.open.is_empty() {
            self.end(0);
        }
        let nodes = &mut self.tree.nodes;
        if nodes.capacity() - nodes.len() > nodes.len() / 8 {
            nodes.shrink_to_fit();
        }
        self.tree.side.shrink_to_fit();
        self.tree
    }

    /// The tree so far.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Node indexes of equal keys of one mapping, the overridden one first, in the order of the later ones.
    pub(crate) fn duplicates(&self) -> &[(u32, u32)] {
        &self.duplicates
    }

    /// The present state; no collection may be open.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            nodes: self.tree.nodes.len(),
            side: self.tree.side.len(),
            duplicates: self.duplicates.len(),
        }
    }

    /// Returns to `mark`, dropping every node since.
    pub(crate) fn roll_back(&mut self, mark: Mark) {
        self.tree.nodes.truncate(mark.nodes);
        if self.mixed {
            self.tree.origins.truncate(mark.nodes);
        }
        self.tree.side.truncate(mark.side);
        self.duplicates.truncate(mark.duplicates);
        self.open.clear();
        self.open_keys.clear();
    }

    fn store(&mut self, text: &str) -> (u32, u32) {
        let base = self.tree.source.text.as_ptr().addr();
        let at = text.as_ptr().addr().wrapping_sub(base);
        if !text.is_empty() && at < self.tree.source.text.len() {
            (to_u32(at), to_u32(text.len()))
        } else {
            self.tree.own(text)
        }
    }

    #[inline]
    fn push(
        &mut self,
        kind: Kind,
        style: Style,
        span: Span,
        (text, len): (u32, u32),
        merge: bool,
    ) -> u32 {
        let index = to_u32(self.tree.nodes.len());
        self.tree.nodes.push(Node {
            kind,
            style,
            flags: 0,
            start: span.start,
            end: span.end,
            text,
            len,
            skip: index + 1,
            hash: 0,
        });
        if self.mixed {
            self.tree.origins.push(span.source);
        }
        let Some(parent) = self.open.last_mut() else {
            return index;
        };
        let is_key = parent.key_next;
        if parent.is_map {
            parent.key_next = !is_key;
        }
        let mut flags = 0;
        if is_key && merge {
            self.set_key(index, key_hash("<<"), MERGE_KEY);
            flags = HAS_MERGE;
        } else if is_key {
            let key = NodeRef::new(&self.tree, index).key_text();
            let hash = key_hash(&key);
            self.set_key(index, hash, 0);
            if let Some(parent) = self.open.last_mut()
                && let Some(earlier) = parent.keys.insert(&mut self.open_keys, &self.tree, index)
            {
                self.duplicates.push((earlier, index));
                flags = HAS_DUPLICATE;
            }
        }
        if let Some(parent) = self.open.last()
            && (is_key || !parent.is_map)
            && let Some(node) = self.tree.nodes.get_mut(to_usize(parent.index))
        {
            node.len += 1;
            node.flags |= flags;
        }
        index
    }

    fn set_key(&mut self, index: u32, hash: u32, flags: u8) {
        if let Some(node) = self.tree.nodes.get_mut(to_usize(index)) {
            node.hash = hash;
            node.flags |= flags;
        }
    }
}
