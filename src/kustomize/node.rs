//! L2: the mutable located tree that transformers work on. Input: nodes of parsed files; output: `Tree`s whose values
//! come from several sources.
//!
//! Scalars are resolved as kustomize reads them (goyaml.v3: only `true` and `false` are booleans), not as
//! sigs.k8s.io/yaml does: `yes` in a base leaves kustomize as the string `"yes"` (sigs.k8s.io/yaml v1.4.0, goyaml.v3/resolve.go).

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use crate::kustomize::decode::Text;
use crate::kustomize::shared;
use crate::source::{SourceFile, SourceId, Span, to_usize};
use crate::yaml::{Kind, NodeRef, REDACTED, Style, Tree, TreeBuilder};

/// A value with the place that set it.
#[derive(Clone, Debug)]
pub(crate) struct Node<'a> {
    pub(crate) span: Span,
    pub(crate) style: Style,
    /// Whether kustomize holds the scalar in a quoted or block style. A value that replaces it takes the style over, so
    /// that a number put over a quoted text becomes text (kyaml v0.18.1, yaml/fns.go, FieldSetter).
    pub(crate) quoted: bool,
    /// What readers see instead of a secret text.
    pub(crate) secret: Option<Cow<'a, str>>,
    /// See [`crate::kustomize::shared`]; 0 for a value of its own.
    pub(crate) shared: u32,
    pub(crate) value: Value<'a>,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    /// Kind (never a collection or alias) and text after unescaping.
    Scalar(Kind, Cow<'a, str>),
    /// Items in order.
    Seq(Vec<Node<'a>>),
    /// Entries in order.
    Map(Vec<Entry<'a>>),
}

/// One field of a map.
#[derive(Clone, Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) key: Key<'a>,
    pub(crate) value: Node<'a>,
}

/// A field name with its place.
#[derive(Clone, Debug)]
pub(crate) struct Key<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) kind: Kind,
    pub(crate) style: Style,
    pub(crate) span: Span,
}

impl<'a> Key<'a> {
    /// A field name taken over as a kustomization has it.
    pub(crate) fn verbatim(text: &'a Text) -> Self {
        Self {
            style: text.style,
            ..Self::new(text.text.as_str(), text.span)
        }
    }

    /// A plain field name set from `span`.
    pub(crate) fn new(text: impl Into<Cow<'a, str>>, span: Span) -> Self {
        Self {
            text: text.into(),
            kind: Kind::Str,
            style: Style::Generated,
            span,
        }
    }
}

impl<'a> Node<'a> {
    /// A string set from `span`.
    pub(crate) fn string(text: impl Into<Cow<'a, str>>, span: Span) -> Self {
        Self::scalar(Kind::Str, text, span)
    }

    /// A string taken over as a kustomization has it.
    pub(crate) fn verbatim(text: &'a Text) -> Self {
        Self {
            style: text.style,
            ..Self::string(text.text.as_str(), text.span)
        }
    }

    /// A plain scalar of a known kind set from `span`.
    pub(crate) fn scalar(kind: Kind, text: impl Into<Cow<'a, str>>, span: Span) -> Self {
        Self::of(Value::Scalar(kind, text.into()), span)
    }

    /// An empty map set from `span`.
    pub(crate) fn map(span: Span) -> Self {
        Self::of(Value::Map(Vec::new()), span)
    }

    /// A node written by no file but caused by `span`.
    pub(crate) fn of(value: Value<'a>, span: Span) -> Self {
        Self {
            span,
            style: Style::Generated,
            quoted: false,
            secret: None,
            shared: 0,
            value,
        }
    }

    /// Copies a document, aliases and merge keys resolved. Texts are borrowed. NOTE: kustomize reads a list, that is a
    /// JSON patch, with sigs.k8s.io/yaml and everything else with goyaml.v3.
    pub(crate) fn read(node: NodeRef<'a>) -> Self {
        Self::read_as(node, !node.is_seq())
    }

    /// [`Node::read`]; `v3` is whether goyaml.v3 resolves the scalars, else sigs.k8s.io/yaml does, as in Helm.
    pub(crate) fn read_as(node: NodeRef<'a>, v3: bool) -> Self {
        let style = node.style();
        let value = match node.kind() {
            Kind::Map => Value::Map(read_entries(node, v3)),
            Kind::Seq => Value::Seq(node.items().map(|n| Self::read_as(n, v3)).collect()),
            kind => {
                let text = block_text(node, style);
                let kind = if v3 { kustomize_kind(kind, text) } else { kind };
                Value::Scalar(kind, Cow::Borrowed(text))
            }
        };
        Self {
            span: node.span(),
            style,
            quoted: matches!(
                style,
                Style::SingleQuoted | Style::DoubleQuoted | Style::Literal | Style::Folded
            ),
            secret: node.is_secret().then(|| Cow::Borrowed(node.text())),
            shared: 0,
            value,
        }
    }

    /// Whether the value is `null`, `~` or absent.
    pub(crate) fn is_null(&self) -> bool {
        matches!(self.value, Value::Scalar(Kind::Null, _))
    }

    /// Whether the value is a map.
    pub(crate) fn is_map(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    /// Whether the value is a map without entries.
    pub(crate) fn is_empty_map(&self) -> bool {
        matches!(&self.value, Value::Map(entries) if entries.is_empty())
    }

    /// Text of a scalar; `""` for collections, as kyaml's `Value` is.
    pub(crate) fn text(&self) -> &str {
        match &self.value {
            Value::Scalar(_, text) => text,
            _ => "",
        }
    }

    /// Word for messages: `a map`, `a list`, `a scalar`.
    pub(crate) fn shape(&self) -> &'static str {
        match self.value {
            Value::Scalar(..) => "a scalar",
            Value::Seq(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// Entries of a map; none for other values.
    pub(crate) fn entries(&self) -> &[Entry<'a>] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Items of a list; none for other values.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.value {
            Value::Seq(items) => items,
            _ => &[],
        }
    }

    /// Items of a list, to change.
    pub(crate) fn items_mut(&mut self) -> &mut [Self] {
        match &mut self.value {
            Value::Seq(items) => items,
            _ => &mut [],
        }
    }

    /// The value of a field.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        self.entries()
            .iter()
            .find(|e| e.key.text == name)
            .map(|e| &e.value)
    }

    /// The value of a field, to change.
    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Self> {
        match &mut self.value {
            Value::Map(entries) => entries
                .iter_mut()
                .find(|e| e.key.text == name)
                .map(|e| &mut e.value),
            _ => None,
        }
    }

    /// The value at a path of fields.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, name| node.get(name))
    }

    /// Removes a field and returns its value.
    pub(crate) fn remove(&mut self, name: &str) -> Option<Self> {
        match &mut self.value {
            Value::Map(entries) => {
                let at = entries.iter().position(|e| e.key.text == name)?;
                Some(entries.remove(at).value)
            }
            _ => None,
        }
    }

    /// Sets a field of a map: an existing one hands its style on, a missing one is appended. Nothing happens to other values.
    pub(crate) fn set(&mut self, key: Key<'a>, value: Self) {
        let Value::Map(entries) = &mut self.value else {
            return;
        };
        if let Some(entry) = entries.iter_mut().find(|e| e.key.text == key.text) {
            entry.value.replace_by(value);
        } else {
            entries.push(Entry { key, value });
        }
    }

    /// The field of a map, created as an empty map when missing or null.
    pub(crate) fn map_at(&mut self, name: &'static str, span: Span) -> Option<&mut Self> {
        if self.get(name).is_none_or(Node::is_null) {
            self.remove(name);
            self.set(Key::new(name, span), Node::map(span));
        }
        self.get_mut(name)
    }

    /// Puts `new` here as kyaml's FieldSetter does: the old style stays, so a number over a quoted text becomes text.
    pub(crate) fn replace_by(&mut self, mut new: Self) {
        if let (Value::Scalar(..), Value::Scalar(kind, _)) = (&self.value, &mut new.value) {
            if self.quoted && *kind != Kind::Null {
                *kind = Kind::Str;
            }
            new.quoted = self.quoted;
        }
        new.shared = shared::written(self.shared);
        *self = new;
    }

    /// A scalar's node for `text` whose kind kustomize would resolve anew (a name that it computed).
    pub(crate) fn resolved(text: String, span: Span) -> Self {
        let kind = plain_kind(&text);
        Self::scalar(kind, text, span)
    }

    /// The same value without borrowed texts.
    pub(crate) fn into_owned(self) -> Node<'static> {
        let value = match self.value {
            Value::Scalar(kind, text) => Value::Scalar(kind, Cow::Owned(text.into_owned())),
            Value::Seq(items) => Value::Seq(items.into_iter().map(Node::into_owned).collect()),
            Value::Map(entries) => Value::Map(
                entries
                    .into_iter()
                    .map(|e| Entry {
                        key: Key {
                            text: Cow::Owned(e.key.text.into_owned()),
                            kind: e.key.kind,
                            style: e.key.style,
                            span: e.key.span,
                        },
                        value: e.value.into_owned(),
                    })
                    .collect(),
            ),
        };
        Node {
            span: self.span,
            style: self.style,
            quoted: self.quoted,
            secret: self.secret.map(|text| Cow::Owned(text.into_owned())),
            shared: 0,
            value,
        }
    }

    /// Moves every span through `place`, which maps a place in a nested text to the file that holds it.
    pub(crate) fn relocate(&mut self, place: &impl Fn(Span) -> Span) {
        self.span = place(self.span);
        match &mut self.value {
            Value::Scalar(..) => {}
            Value::Seq(items) => items.iter_mut().for_each(|n| n.relocate(place)),
            Value::Map(entries) => {
                for entry in entries {
                    entry.key.span = place(entry.key.span);
                    entry.value.relocate(place);
                }
            }
        }
    }

    /// Number of nodes, or `None` when nested deeper than `depth`.
    pub(crate) fn size(&self, depth: usize) -> Option<usize> {
        let left = depth.checked_sub(1)?;
        let mut sum: usize = 1;
        for item in self.items() {
            sum += item.size(left)?;
        }
        for entry in self.entries() {
            sum += entry.value.size(left)?;
        }
        Some(sum)
    }

    /// Whether two values are equal as JSON.
    pub(crate) fn same_value(&self, other: &Self) -> bool {
        match (&self.value, &other.value) {
            (Value::Scalar(a, x), Value::Scalar(b, y)) => same_scalar((*a, x), (*b, y)),
            (Value::Seq(a), Value::Seq(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x.same_value(y))
            }
            (Value::Map(a), Value::Map(b)) => {
                a.len() == b.len()
                    && a.iter().all(|e| {
                        other
                            .get(&e.key.text)
                            .is_some_and(|v| e.value.same_value(v))
                    })
            }
            _ => false,
        }
    }

    /// The finished object as a tree of its own, its secrets marked; `source` names it in reports.
    pub(crate) fn to_tree(&self, source: Arc<SourceFile>) -> Tree {
        let mut builder = TreeBuilder::mixed(source);
        let mut secrets = Vec::new();
        self.build(&mut builder, &mut secrets);
        let mut tree = builder.finish();
        for (index, rendition) in secrets {
            if rendition == REDACTED {
                tree.mark_secret(index);
            } else {
                tree.mark_secret_as(index, &rendition);
            }
        }
        tree
    }

    fn build(&self, builder: &mut TreeBuilder, secrets: &mut Vec<(u32, String)>) {
        match &self.value {
            Value::Scalar(kind, text) => {
                let index = builder.scalar(*kind, self.style, self.span, text);
                if let Some(rendition) = &self.secret {
                    secrets.push((index, rendition.clone().into_owned()));
                }
            }
            Value::Seq(items) => {
                builder.start(Kind::Seq, self.style, self.span);
                items.iter().for_each(|n| n.build(builder, secrets));
                builder.end(self.span.end);
            }
            Value::Map(entries) => {
                builder.start(Kind::Map, self.style, self.span);
                for entry in entries {
                    let key = &entry.key;
                    builder.scalar(Kind::Str, key.style, key.span, &key.text);
                    entry.value.build(builder, secrets);
                }
                builder.end(self.span.end);
            }
        }
    }
}

/// Entries in order, those of merge keys behind the map's own; a field that is given twice stays twice.
fn read_entries<'a>(node: NodeRef<'a>, v3: bool) -> Vec<Entry<'a>> {
    let mut entries: Vec<Entry<'a>> = Vec::new();
    let mut merges = Vec::new();
    for (key, value) in node.raw_entries() {
        if key.style() == Style::Plain && key.secret_text() == "<<" {
            merges.push(value);
            continue;
        }
        let text = key.secret_text();
        entries.push(Entry {
            key: Key {
                text: Cow::Borrowed(text),
                kind: kustomize_kind(key.kind(), text),
                style: key.style(),
                span: key.span(),
            },
            value: Node::read_as(value, v3),
        });
    }
    if merges.is_empty() {
        return entries;
    }
    let mut seen: HashSet<Cow<'a, str>> = entries.iter().map(|e| e.key.text.clone()).collect();
    for merge in merges {
        let single = merge.is_map().then_some(merge);
        for map in single.into_iter().chain(merge.items()) {
            for entry in read_entries(map, v3) {
                if seen.insert(entry.key.text.clone()) {
                    entries.push(entry);
                }
            }
        }
    }
    entries
}

/// NOTE: a block scalar that ends with the file, whose last line has no line break, has none in go-yaml either;
/// granit-parser 2.2 adds one.
fn block_text<'a>(node: NodeRef<'a>, style: Style) -> &'a str {
    let text = node.secret_text();
    if !matches!(style, Style::Literal | Style::Folded) {
        return text;
    }
    let file = &node.tree().source().text;
    let at_end = to_usize(node.span().end) >= file.len() && !file.ends_with(['\n', '\r']);
    text.strip_suffix('\n').filter(|_| at_end).unwrap_or(text)
}

fn same_scalar((a, x): (Kind, &str), (b, y): (Kind, &str)) -> bool {
    let number = |kind| matches!(kind, Kind::Int | Kind::Float);
    match (a, b) {
        (Kind::Null, Kind::Null) => true,
        (Kind::Bool, Kind::Bool) => x.eq_ignore_ascii_case(y),
        _ if number(a) && number(b) => x == y || x.parse::<f64>().ok() == y.parse::<f64>().ok(),
        _ => a == b && x == y,
    }
}

/// The kind kustomize gives a scalar that our reader resolved as sigs.k8s.io/yaml does.
fn kustomize_kind(kind: Kind, text: &str) -> Kind {
    match kind {
        Kind::Bool if !matches!(text.to_ascii_lowercase().as_str(), "true" | "false") => Kind::Str,
        kind => kind,
    }
}

/// The kind of an untagged plain scalar in goyaml.v3, as far as computed names and image references can meet it.
pub(crate) fn plain_kind(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => Kind::Bool,
        _ if text.parse::<i64>().is_ok() => Kind::Int,
        _ if text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'))
            && text.parse::<f64>().is_ok() =>
        {
            Kind::Float
        }
        _ => Kind::Str,
    }
}

/// Whether goyaml.v3 puts quotes round a text: it would not read back as a string, there or in YAML 1.1.
pub(crate) fn needs_quotes(text: &str) -> bool {
    let old_bool = |t: &str| matches!(t, "y" | "n" | "yes" | "no" | "on" | "off");
    let sexagesimal = |t: &str| {
        let digits = |p: &str| !p.is_empty() && p.chars().all(|c| c.is_ascii_digit() || c == '_');
        t.contains(':')
            && t.trim_start_matches(['+', '-'])
                .split([':', '.'])
                .all(digits)
    };
    plain_kind(text) != Kind::Str || old_bool(&text.to_ascii_lowercase()) || sexagesimal(text)
}

/// A span of no bytes at the start of a source.
pub(crate) const fn start_of(source: SourceId) -> Span {
    Span {
        source,
        start: 0,
        end: 0,
    }
}
