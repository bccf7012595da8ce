//! Building a `Tree` node by node: used by the parser and by renderers that compose objects from several files.
//! Input: start/end/scalar calls in document order; output: a `Tree`.

use std::sync::Arc;

use crate::source::{SourceFile, Span, to_u32, to_usize};
use crate::yaml::node::{Kind, NodeRef, Style, key_hash};
use crate::yaml::scalar;
use crate::yaml::tree::{HAS_DUPLICATE, HAS_MERGE, Node, Tree};

/// Appends nodes in pre-order. Map children alternate key and value.
#[derive(Debug)]
pub struct TreeBuilder {
    tree: Tree,
    /// Open collections: node index, whether a map, whether a key comes next.
    open: Vec<(u32, bool, bool)>,
    /// Whether nodes may come from other sources than the tree's own.
    mixed: bool,
}

impl TreeBuilder {
    /// A builder for the nodes of one file.
    #[must_use]
    pub fn new(source: Arc<SourceFile>) -> Self {
        let nodes = Vec::with_capacity(source.text.len() / 14 + 8);
        let mut tree = Tree::new(source);
        tree.nodes = nodes;
        Self {
            tree,
            open: Vec::new(),
            mixed: false,
        }
    }

    /// A builder for an object composed from several files; `source` names the object in reports.
    #[must_use]
    pub fn mixed(source: Arc<SourceFile>) -> Self {
        let mut builder = Self::new(source);
        builder.mixed = true;
        builder
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

    /// Opens a map or sequence at `span` (its end is set by [`TreeBuilder::end`]).
    pub fn start(&mut self, kind: Kind, style: Style, span: Span) -> u32 {
        let index = self.push(kind, style, span, (0, 0));
        self.open
            .push((index, kind == Kind::Map, kind == Kind::Map));
        index
    }

    /// Closes the innermost open collection; `end` extends its span when larger.
    pub fn end(&mut self, end: u32) {
        let Some((index, is_map, _)) = self.open.pop() else {
            return;
        };
        let skip = to_u32(self.tree.nodes.len());
        let flags = if is_map {
            self.map_flags(index, skip)
        } else {
            0
        };
        if let Some(node) = self.tree.nodes.get_mut(to_usize(index)) {
            node.skip = skip;
            node.end = node.end.max(end);
            node.flags |= flags;
        }
    }

    fn map_flags(&self, map: u32, skip: u32) -> u8 {
        let mut flags = 0;
        let mut hashes: Vec<(u32, u32)> = Vec::new();
        let mut index = map + 1;
        while index < skip {
            let key = self.tree.raw(index);
            if key.hash == key_hash("<<") && key.style == Style::Plain {
                flags |= HAS_MERGE;
            } else {
                hashes.push((key.hash, index));
            }
            index = self.tree.raw(key.skip).skip;
        }
        hashes.sort_unstable();
        let same = |a: u32, b: u32| {
            NodeRef::new(&self.tree, a).key_text() == NodeRef::new(&self.tree, b).key_text()
        };
        if hashes
            .windows(2)
            .any(|w| matches!(w, [(h, a), (g, b)] if h == g && same(*a, *b)))
        {
            flags |= HAS_DUPLICATE;
        }
        flags
    }

    /// Appends a scalar of an already resolved kind; `text` is its value after unescaping. Text inside the tree's own
    /// source is not copied.
    pub fn scalar(&mut self, kind: Kind, style: Style, span: Span, text: &str) -> u32 {
        let stored = self.store(text);
        self.push(kind, style, span, stored)
    }

    /// Appends an alias to an earlier node.
    pub fn alias(&mut self, target: u32, span: Span) -> u32 {
        self.push(Kind::Alias, Style::Plain, span, (target, 0))
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
                    self.tree.mark_secret(index);
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
        self.tree
    }

    /// The tree so far.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.tree
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

    fn push(&mut self, kind: Kind, style: Style, span: Span, (text, len): (u32, u32)) -> u32 {
        let index = to_u32(self.tree.nodes.len());
        let mut is_key = false;
        if let Some((parent, is_map, key_next)) = self.open.last_mut() {
            if *is_map {
                is_key = *key_next;
                *key_next = !*key_next;
            }
            if (!*is_map || is_key)
                && let Some(parent) = self.tree.nodes.get_mut(to_usize(*parent))
            {
                parent.len += 1;
            }
        }
        let mut node = Node {
            kind,
            style,
            flags: 0,
            start: span.start,
            end: span.end,
            text,
            len,
            skip: index + 1,
            hash: 0,
        };
        if is_key && kind != Kind::Alias {
            node.hash = key_hash(&scalar::key_text(kind, self.tree.text_of(&node)));
        }
        self.tree.nodes.push(node);
        if self.mixed {
            self.tree.origins.push(span.source);
        }
        index
    }
}
