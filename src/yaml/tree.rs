//! The arena: nodes in pre-order, 28 bytes each; map children alternate key and value. Input: builder calls; output: `Tree`.

use std::sync::Arc;

use crate::source::{SourceFile, SourceId, Span, to_u32, to_usize};
use crate::yaml::node::{Kind, NodeRef, Style};

/// Flag: the map holds a `<<` merge key.
pub(crate) const HAS_MERGE: u8 = 1;
/// Flag: the map holds the same key twice (the last one wins).
pub(crate) const HAS_DUPLICATE: u8 = 1 << 1;
/// Flag: a scalar at a secret-classified path or with a credential's shape; readers see a placeholder.
pub(crate) const SECRET: u8 = 1 << 2;
/// Flag: a key that is a merge key (`<<`).
pub(crate) const MERGE_KEY: u8 = 1 << 3;
/// Top bit of [`Node::len`]: the scalar text lies in the side buffer, not in the source.
const OWNED: u32 = 1 << 31;

/// One arena entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    /// What the node is after scalar resolution.
    pub(crate) kind: Kind,
    /// How it was written.
    pub(crate) style: Style,
    /// Bit set of the flags above.
    pub(crate) flags: u8,
    /// Byte range in the source.
    pub(crate) start: u32,
    /// One past the last byte.
    pub(crate) end: u32,
    /// Scalar: offset of the text. Alias: index of the anchored node.
    pub(crate) text: u32,
    /// Scalar: byte length of the text, top bit = owned. Collection: number of entries.
    pub(crate) len: u32,
    /// Index one past this subtree.
    pub(crate) skip: u32,
    /// Map keys: [`crate::yaml::key::key_hash`] of the key as Kubernetes reads it; 0 for other nodes.
    pub(crate) hash: u32,
}

const _: () = assert!(size_of::<Node>() == 28, "memory of a run: 28 bytes a node");

/// A forest of located nodes: the documents of one file, or one rendered object whose values come from several files.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The text that borrowed scalars index and the source of every node without an own entry in `origins`.
    pub(crate) source: Arc<SourceFile>,
    pub(crate) nodes: Vec<Node>,
    /// Text of scalars that differ from their source bytes (escapes, folding, generated values).
    pub(crate) side: String,
    /// Per node source; empty when every node is from `source`.
    pub(crate) origins: Vec<SourceId>,
    /// What readers see of a secret scalar that holds more than the secret (`--api-key=[redacted]`), by node index.
    pub(crate) renditions: std::collections::BTreeMap<u32, Box<str>>,
    has_secrets: bool,
}

impl Tree {
    /// An empty tree over `source`.
    #[must_use]
    pub fn new(source: Arc<SourceFile>) -> Self {
        Self {
            source,
            nodes: Vec::new(),
            side: String::new(),
            origins: Vec::new(),
            renditions: std::collections::BTreeMap::new(),
            has_secrets: false,
        }
    }

    /// The file this tree was parsed from, or the file that names a rendered object.
    #[must_use]
    pub fn source(&self) -> &Arc<SourceFile> {
        &self.source
    }

    /// Number of nodes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether the tree holds no node.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Whether nodes may come from other files than [`Tree::source`].
    #[must_use]
    pub fn is_mixed(&self) -> bool {
        !self.origins.is_empty()
    }

    /// A handle on the node with this index; an index out of range reads as an absent null.
    #[must_use]
    pub fn node(&self, index: u32) -> NodeRef<'_> {
        NodeRef::new(self, index)
    }

    /// Marks a scalar as secret: [`NodeRef::as_str`] then gives the placeholder and reports mask its bytes.
    pub fn mark_secret(&mut self, index: u32) {
        if let Some(node) = self.nodes.get_mut(to_usize(index)) {
            node.flags |= SECRET;
            self.has_secrets = true;
        }
    }

    /// [`Tree::mark_secret`] for a scalar of which readers may see a part: they get `rendition` instead of the text.
    pub fn mark_secret_as(&mut self, index: u32, rendition: &str) {
        self.mark_secret(index);
        self.renditions.insert(index, rendition.into());
    }

    /// Takes every mark of [`Tree::mark_secret`] away, for output that the user asked for in clear.
    pub(crate) fn show_secrets(&mut self) {
        for node in &mut self.nodes {
            node.flags &= !SECRET;
        }
        self.renditions.clear();
        self.has_secrets = false;
    }

    /// Whether any scalar is marked as secret.
    #[must_use]
    pub fn has_secrets(&self) -> bool {
        self.has_secrets
    }

    /// What readers see of a secret scalar.
    pub(crate) fn rendition(&self, index: u32) -> &str {
        self.renditions
            .get(&index)
            .map_or(crate::yaml::node::REDACTED, |text| text)
    }

    pub(crate) fn raw(&self, index: u32) -> &Node {
        const ABSENT: Node = Node {
            kind: Kind::Null,
            style: Style::Plain,
            flags: 0,
            start: 0,
            end: 0,
            text: 0,
            len: 0,
            skip: u32::MAX,
            hash: 0,
        };
        self.nodes.get(to_usize(index)).unwrap_or(&ABSENT)
    }

    pub(crate) fn text_of(&self, node: &Node) -> &str {
        let start = to_usize(node.text);
        let (buffer, len) = if node.len & OWNED == 0 {
            (self.source.text.as_str(), to_usize(node.len))
        } else {
            (self.side.as_str(), to_usize(node.len & !OWNED))
        };
        buffer.get(start..start + len).unwrap_or("")
    }

    pub(crate) fn span_of(&self, index: u32) -> Span {
        let node = self.raw(index);
        Span {
            source: self
                .origins
                .get(to_usize(index))
                .copied()
                .unwrap_or(self.source.id),
            start: node.start,
            end: node.end,
        }
    }

    /// The same tree with other texts for some strings, by node index; places stay as they are.
    #[must_use]
    pub fn with_texts(&self, texts: &[(u32, String)]) -> Self {
        let mut tree = self.clone();
        for (index, text) in texts {
            let (at, len) = tree.own(text);
            if let Some(node) = tree.nodes.get_mut(to_usize(*index)) {
                node.text = at;
                node.len = len;
            }
        }
        tree
    }

    /// Copies a text into the side buffer; returns the pair for [`Node::text`] and [`Node::len`].
    pub(crate) fn own(&mut self, text: &str) -> (u32, u32) {
        let at = to_u32(self.side.len());
        self.side.push_str(text);
        (at, to_u32(text.len()) | OWNED)
    }
}
