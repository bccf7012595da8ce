//! Reading a `Tree`: handles that follow aliases and merge keys lazily. Input: a node index; output: values and spans.

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

/// A field name with its hash, prepared once for repeated look-ups.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    hash: u32,
    name: Box<str>,
}

impl Key {
    /// Prepares a field name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            hash: key_hash(name),
            name: name.into(),
        }
    }

    /// The field name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// 32-bit FNV-1a of a key; never 0, so that 0 means "not a key".
#[must_use]
pub const fn key_hash(name: &str) -> u32 {
    let bytes = name.as_bytes();
    let mut hash: u32 = 0x811c_9dc5;
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        #[expect(clippy::as_conversions, reason = "u8 to u32 is lossless")]
        let byte = *first as u32;
        hash = (hash ^ byte).wrapping_mul(0x0100_0193);
        rest = tail;
    }
    if hash == 0 { 1 } else { hash }
}

/// A cheap copyable handle on one node; accessors look through aliases.
#[derive(Clone, Copy)]
pub struct NodeRef<'t> {
    tree: &'t Tree,
    index: u32,
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
            return Some(Scalar::Str(REDACTED));
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
            _ if node.flags & SECRET != 0 => REDACTED,
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
    pub fn key_text(self) -> std::borrow::Cow<'t, str> {
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

    /// The value of a field: own keys first (the last of duplicates), then merged ones. `None` for a non-map or missing key.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Self> {
        self.entry_hashed(key_hash(name), name)
            .map(|(_, value)| value)
    }

    /// [`NodeRef::get`] with a prepared key.
    #[must_use]
    pub fn get_key(self, key: &Key) -> Option<Self> {
        self.entry_hashed(key.hash, &key.name)
            .map(|(_, value)| value)
    }

    /// Key node and value of a field.
    #[must_use]
    pub fn entry(self, name: &str) -> Option<(Self, Self)> {
        self.entry_hashed(key_hash(name), name)
    }

    /// [`NodeRef::entry`] with a prepared key.
    #[must_use]
    pub fn entry_key(self, key: &Key) -> Option<(Self, Self)> {
        self.entry_hashed(key.hash, &key.name)
    }

    /// The value at a path of field names.
    #[must_use]
    pub fn at(self, path: &[&str]) -> Option<Self> {
        path.iter().try_fold(self, |node, name| node.get(name))
    }

    fn entry_hashed(self, hash: u32, name: &str) -> Option<(Self, Self)> {
        let map = self.resolved();
        let node = self.tree.raw(map.index);
        if node.kind != Kind::Map {
            return None;
        }
        let mut found = None;
        let mut index = map.index + 1;
        while index < node.skip {
            let key = self.tree.raw(index);
            let value = key.skip;
            if key.hash == hash && Self::new(self.tree, index).key_text() == name {
                found = Some((Self::new(self.tree, index), Self::new(self.tree, value)));
                if node.flags & HAS_DUPLICATE == 0 {
                    return found;
                }
            }
            index = self.tree.raw(value).skip;
        }
        if found.is_none() && node.flags & HAS_MERGE != 0 {
            return map
                .merged_maps()
                .find_map(|merged| merged.entry_hashed(hash, name));
        }
        found
    }

    /// Maps named by `<<`, in order of precedence (earlier wins).
    fn merged_maps(self) -> impl Iterator<Item = Self> {
        let merge = key_hash("<<");
        RawEntries::new(self)
            .filter(move |(key, _)| is_merge_key(*key, merge))
            .flat_map(|(_, value)| {
                let single = value.is_map().then_some(value);
                single.into_iter().chain(value.items())
            })
            .filter(|node| node.is_map())
    }

    /// Entries as Kubernetes sees them: duplicates resolved (last wins), merge keys applied; source order. Empty for non-maps.
    pub fn entries(self) -> Box<dyn Iterator<Item = (Self, Self)> + 't> {
        let map = self.resolved();
        let node = self.tree.raw(map.index);
        if node.kind != Kind::Map {
            return Box::new(std::iter::empty());
        }
        if node.flags & (HAS_MERGE | HAS_DUPLICATE) == 0 {
            return Box::new(RawEntries::new(map));
        }
        Box::new(map.effective_entries().into_iter())
    }

    fn effective_entries(self) -> Vec<(Self, Self)> {
        let merge = key_hash("<<");
        let mut seen = std::collections::HashMap::new();
        let mut entries: Vec<(Self, Self)> = Vec::new();
        for (key, value) in RawEntries::new(self) {
            if is_merge_key(key, merge) {
                continue;
            }
            if let Some(at) = seen.insert(key.key_text(), entries.len()) {
                if let Some(slot) = entries.get_mut(at) {
                    *slot = (key, value);
                }
                seen.insert(key.key_text(), at);
            } else {
                entries.push((key, value));
            }
        }
        for merged in self.merged_maps() {
            for (key, value) in merged.entries() {
                if !seen.contains_key(&key.key_text()) {
                    seen.insert(key.key_text(), entries.len());
                    entries.push((key, value));
                }
            }
        }
        entries
    }

    /// Entries exactly as written: duplicates kept, `<<` a plain key. Empty for non-maps.
    pub fn raw_entries(self) -> impl Iterator<Item = (Self, Self)> + 't {
        RawEntries::new(self.resolved())
    }

    /// Items of a sequence; empty for other kinds.
    pub fn items(self) -> Items<'t> {
        let seq = self.resolved();
        let node = self.tree.raw(seq.index);
        let end = if node.kind == Kind::Seq { node.skip } else { 0 };
        Items {
            tree: self.tree,
            index: seq.index + 1,
            end,
        }
    }

    /// Item of a sequence by 0-based position.
    #[must_use]
    pub fn item(self, position: usize) -> Option<Self> {
        self.items().nth(position)
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

fn is_merge_key(key: NodeRef<'_>, merge_hash: u32) -> bool {
    let node = key.tree.raw(key.index);
    node.hash == merge_hash && node.style == Style::Plain && key.tree.text_of(node) == "<<"
}

struct RawEntries<'t> {
    tree: &'t Tree,
    index: u32,
    end: u32,
}

impl<'t> RawEntries<'t> {
    fn new(map: NodeRef<'t>) -> Self {
        let node = map.tree.raw(map.index);
        Self {
            tree: map.tree,
            index: map.index + 1,
            end: if node.kind == Kind::Map { node.skip } else { 0 },
        }
    }
}

impl<'t> Iterator for RawEntries<'t> {
    type Item = (NodeRef<'t>, NodeRef<'t>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.index >= self.end {
            return None;
        }
        let key = NodeRef::new(self.tree, self.index);
        let value = NodeRef::new(self.tree, self.tree.raw(self.index).skip);
        self.index = self.tree.raw(value.index).skip;
        Some((key, value))
    }
}

/// Iterator over the items of a sequence.
#[derive(Clone)]
pub struct Items<'t> {
    tree: &'t Tree,
    index: u32,
    end: u32,
}

impl<'t> Iterator for Items<'t> {
    type Item = NodeRef<'t>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.index >= self.end {
            return None;
        }
        let item = NodeRef::new(self.tree, self.index);
        self.index = self.tree.raw(self.index).skip;
        Some(item)
    }
}
