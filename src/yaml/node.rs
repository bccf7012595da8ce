//! Reading a `Tree`: handles that follow aliases and merge keys lazily. Input: a node index; output: values and spans.

use std::borrow::Cow;

use crate::source::{Span, to_usize};
use crate::yaml::scalar::{self, Scalar};
use crate::yaml::tree::{HAS_DUPLICATE, HAS_MERGE, Node, SECRET, Tree};

/// What a secret value reads as, everywhere: CEL, messages, reports, digests.
pub const REDACTED: &str = "[redacted]";

/// The kind of a node after Kubernetes' scalar resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `null`, `~` or an absent value.
    Null,
    /// A boolean.
    Bool,
    /// An integer that fits 64 bits, signed or unsigned.
    Int,
    /// A floating-point number, or an integer beyond 64 bits.
    Float,
    /// A string.
    Str,
    /// A sequence.
    Seq,
    /// A mapping.
    Map,
    /// `*anchor`; readers follow it.
    Alias,
}

/// How a node was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Style {
    /// Plain scalar, or block collection.
    Plain,
    /// `'…'`.
    SingleQuoted,
    /// `"…"`.
    DoubleQuoted,
    /// `|`.
    Literal,
    /// `>`.
    Folded,
    /// `[…]` or `{…}`.
    Flow,
    /// Written by no file: set by the program (a generated name, a default).
    Generated,
}

/// A cheap copyable handle on one node; accessors look through aliases.
#[derive(Clone, Copy)]
pub struct NodeRef<'t> {
    pub(super) tree: &'t Tree,
    pub(super) index: u32,
}

impl std::fmt::Debug for NodeRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NodeRef({} {:?})", self.index, self.kind())
    }
}

impl<'t> NodeRef<'t> {
    pub(crate) fn new(tree: &'t Tree, index: u32) -> Self {
        Self { tree, index }
    }

    /// The tree this node lives in.
    #[must_use]
    pub fn tree(self) -> &'t Tree {
        self.tree
    }

    /// Index in the tree, before following an alias.
    #[must_use]
    pub fn index(self) -> u32 {
        self.index
    }

    /// The node itself, or what its alias points at.
    #[must_use]
    pub fn resolved(self) -> Self {
        let mut index = self.index;
        // INVARIANT: an alias points backwards (parse.rs refuses others), so this ends.
        loop {
            let node = self.tree.raw(index);
            if node.kind != Kind::Alias || node.text >= index {
                return Self { index, ..self };
            }
            index = node.text;
        }
    }

    fn raw(self) -> &'t Node {
        self.tree.raw(self.resolved().index)
    }

    /// Kind after following an alias; never [`Kind::Alias`].
    #[must_use]
    pub fn kind(self) -> Kind {
        match self.raw().kind {
            Kind::Alias => Kind::Null,
            kind => kind,
        }
    }

    /// How the node (not its alias target) was written.
    #[must_use]
    pub fn style(self) -> Style {
        self.tree.raw(self.index).style
    }

    /// The bytes of this occurrence (of the `*alias` itself, where it is one).
    #[must_use]
    pub fn span(self) -> Span {
        self.tree.span_of(self.index)
    }

    /// Whether the value is `null`, `~` or absent.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// Whether the node is a mapping.
    #[must_use]
    pub fn is_map(self) -> bool {
        self.kind() == Kind::Map
    }

    /// Whether the node is a sequence.
    #[must_use]
    pub fn is_seq(self) -> bool {
        self.kind() == Kind::Seq
    }

    /// Whether the value is classified as secret.
    #[must_use]
    pub fn is_secret(self) -> bool {
        self.raw().flags & SECRET != 0
    }

    /// The resolved scalar with secrets replaced by [`REDACTED`]; `None` for collections.
    #[must_use]
    pub fn scalar(self) -> Option<Scalar<'t>> {
        let node = self.raw();
        if node.flags & SECRET != 0 {
            return Some(Scalar::Str(self.tree.rendition(self.resolved().index)));
        }
        scalar::of(node.kind, self.tree.text_of(node))
    }

    /// The string, when the value is one (a quoted or unresolvable plain scalar); secrets read as [`REDACTED`].
    #[must_use]
    pub fn as_str(self) -> Option<&'t str> {
        match self.scalar()? {
            Scalar::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The boolean, when the value is one.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        match self.scalar()? {
            Scalar::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The integer, when the value is one that fits `i64`.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        match self.scalar()? {
            Scalar::Int(value) => Some(value),
            _ => None,
        }
    }

    /// The scalar's text as written after unescaping, whatever its kind; secrets read as [`REDACTED`]; `""` for collections.
    #[must_use]
    pub fn text(self) -> &'t str {
        let node = self.raw();
        match node.kind {
            Kind::Seq | Kind::Map | Kind::Alias => "",
            _ if node.flags & SECRET != 0 => self.tree.rendition(self.resolved().index),
            _ => self.tree.text_of(node),
        }
    }

    /// The real text even of a secret. Only the classifier, the model-reference extractor and the kustomize hash may call it.
    #[must_use]
    pub fn secret_text(self) -> &'t str {
        let node = self.raw();
        match node.kind {
            Kind::Seq | Kind::Map | Kind::Alias => "",
            _ => self.tree.text_of(node),
        }
    }

    /// Key text as Kubernetes reads it: a boolean key is `"true"`/`"false"`, a number its JSON text.
    #[must_use]
    pub fn key_text(self) -> Cow<'t, str> {
        let node = self.raw();
        scalar::key_text(node.kind, self.tree.text_of(node))
    }

    /// Number of items or (before merging) entries; 0 for scalars.
    #[must_use]
    pub fn len(self) -> usize {
        let node = self.raw();
        match node.kind {
            Kind::Map if node.flags & (HAS_MERGE | HAS_DUPLICATE) != 0 => self.entries().count(),
            Kind::Seq | Kind::Map => to_usize(node.len),
            _ => 0,
        }
    }

    /// Whether a collection holds nothing; true for scalars.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The value as JSON (secrets redacted), as sigs.k8s.io/yaml converts it.
    #[must_use]
    pub fn to_json(self) -> serde_json::Value {
        match self.kind() {
            Kind::Seq => self.items().map(Self::to_json).collect(),
            Kind::Map => self
                .entries()
                .map(|(key, value)| (key.key_text().into_owned(), value.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            _ => self
                .scalar()
                .map_or(serde_json::Value::Null, Scalar::to_json),
        }
    }
}
