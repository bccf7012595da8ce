//! L2: marking a tree. Input: the tree of a file before it is shared, its objects and comments; output: secret flags, public
//! renditions of scalars that hold a credential beside other text, and the spans reports mask.

mod rendered;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use aho_corasick::AhoCorasick;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::secret::name::{self, NameKind};
use crate::secret::{Class, judge, text, token, value};
use crate::source::{SourceFile, Span, to_u32};
use crate::yaml::node::{Kind, NodeRef, REDACTED};
use crate::yaml::{Key, Tree};

pub(crate) use rendered::mark_rendered;

/// Marks the secret scalars of a tree; returns the spans of all secret bytes of the file, sorted.
///
/// `secrets` are the roots of core `Secret` objects.
pub(crate) fn mark(tree: &mut Tree, secrets: &[u32], comments: &[Span]) -> Vec<Span> {
    let mut marks = Marks::default();
    // As many field names as a file usually has.
    marks.names.reserve(56);
    for &root in secrets {
        marks.secret_object(tree.node(root));
    }
    marks.scan(tree);
    let source = tree.source().clone();
    marks.tokens(tree, &source);
    for &comment in comments {
        let ranges = text::credentials(source.slice(comment));
        marks
            .spans
            .extend(ranges.iter().map(|r| within(comment, r)));
    }
    marks.repeats(tree, &source);
    for (&index, public) in &marks.nodes {
        match public {
            None => tree.mark_secret(index),
            Some(rendition) => tree.mark_secret_as(index, rendition),
        }
    }
    marks.spans.sort_unstable();
    marks.spans.dedup();
    marks.spans
}

/// Spans to mask in a document that could not be parsed.
pub(crate) fn broken_spans(source: &SourceFile, document: &Range<usize>) -> Vec<Span> {
    let body = source.text.get(document.clone()).unwrap_or("");
    let is_secret = body
        .lines()
        .any(|line| line.contains("kind") && line.contains("Secret"));
    let ranges = if is_secret {
        text::values_by_line(body)
    } else {
        text::credentials(body)
    };
    let whole = Span {
        source: source.id,
        start: to_u32(document.start),
        end: to_u32(document.end),
    };
    ranges.iter().map(|range| within(whole, range)).collect()
}

fn within(span: Span, range: &Range<usize>) -> Span {
    Span {
        start: span.start + to_u32(range.start),
        end: span.start + to_u32(range.end),
        ..span
    }
}

#[derive(Default)]
struct Marks {
    /// Node → what readers see instead of its text; `None` = [`REDACTED`] alone.
    nodes: BTreeMap<u32, Option<String>>,
    spans: Vec<Span>,
    /// Scalars looked into.
    seen: FxHashSet<u32>,
    /// What a field name announces, by key hash.
    names: FxHashMap<u32, Option<NameKind>>,
}

impl Marks {
    fn whole(&mut self, node: NodeRef<'_>) {
        let node = node.resolved();
        if !node.is_map() && !node.is_seq() && !node.is_null() {
            self.nodes.insert(node.index(), None);
            self.spans.push(node.span());
        }
    }

    /// Everything in a Secret that is neither reference nor clearly a placeholder, base64 looked through. What Kubernetes
    /// drops (a key written twice) or refuses (a list) is as secret as the rest.
    fn secret_object(&mut self, object: NodeRef<'_>) {
        for field in ["data", "stringData"] {
            let is_data = field == "data";
            let effective = object.get(field).into_iter();
            for (_, node) in effective.flat_map(NodeRef::entries) {
                self.secret_value(node, is_data);
            }
            for (_, node) in object
                .raw_entries()
                .filter(|(key, _)| key.key_text() == field)
            {
                let tree = node.tree();
                for index in node.index()..tree.raw(node.index()).skip {
                    if tree.raw(index).hash == 0 {
                        self.secret_value(tree.node(index), is_data);
                    }
                }
            }
        }
        let applied = "kubectl.kubernetes.io/last-applied-configuration";
        if let Some(copy) = object.at(&["metadata", "annotations", applied]) {
            self.whole(copy);
        }
    }

    fn secret_value(&mut self, node: NodeRef<'_>, is_data: bool) {
        let written = node.secret_text();
        let plain = is_data.then(|| decoded(written)).flatten();
        let plain = plain.as_deref().unwrap_or(written);
        if value::reference(written).is_none()
            && value::reference(plain).is_none()
            && !value::is_clear_placeholder(plain)
        {
            self.whole(node);
        }
    }

    /// One pass over the arena: fields with telling names, name/value pairs, flags.
    fn scan(&mut self, tree: &Tree) {
        let (name_key, value_key) = (Key::new("name"), Key::new("value"));
        for index in 0..to_u32(tree.len()) {
            let node = tree.node(index);
            let raw = tree.raw(index);
            match raw.kind {
                Kind::Map => self.pair(node, &name_key, &value_key),
                Kind::Seq => self.flags(node),
                Kind::Alias | Kind::Null => {}
                _ if raw.hash != 0 => self.field(tree, index),
                _ => {}
            }
        }
    }

    fn pair(&mut self, map: NodeRef<'_>, name_key: &Key, value_key: &Key) {
        if let Some(value) = map.get_key(value_key)
            && let Some(name) = map.get_key(name_key)
            && let Some(kind) = name::kind(name.secret_text())
            && !value.is_map()
            && judge(kind, value.secret_text()) == Class::Literal
        {
            self.whole(value);
        }
    }

    fn field(&mut self, tree: &Tree, key: u32) {
        let raw = tree.raw(key);
        let key = tree.node(key);
        let kind = *self
            .names
            .entry(raw.hash)
            .or_insert_with(|| name::field_kind(&key.key_text()));
        let Some(kind) = kind else { return };
        let value = tree.node(raw.skip);
        if value.is_map() {
            return self.inline(value);
        }
        let text = value.secret_text();
        let is_prose = kind != NameKind::Password && text.contains(char::is_whitespace);
        if !is_prose && judge(kind, text) == Class::Literal {
            self.whole(value);
        }
    }

    /// `apiKey: {inline: …}`: a source of a credential that holds it itself. It stands where a name or a path cannot, so
    /// any text counts, as for a password.
    fn inline(&mut self, source: NodeRef<'_>) {
        for field in ["inline", "inlineString", "value"] {
            if let Some(value) = source.get(field)
                && judge(NameKind::Password, value.secret_text()) == Class::Literal
            {
                self.whole(value);
            }
        }
    }

    /// `["--api-key", "value"]`.
    fn flags(&mut self, seq: NodeRef<'_>) {
        let mut announced = None;
        for item in seq.items() {
            let text = item.secret_text();
            if let Some(kind) = announced
                && !text.starts_with('-')
                && judge(kind, text) == Class::Literal
            {
                self.whole(item);
            }
            announced = (text.starts_with('-') && !text.contains(['=', ' ']))
                .then(|| name::kind(text))
                .flatten();
        }
    }

    /// Tokens by shape anywhere in the file, and assignments inside scalars.
    fn tokens(&mut self, tree: &Tree, source: &SourceFile) {
        for (token, is_real) in token::look_alikes(&source.text) {
            let span = Span {
                source: source.id,
                start: to_u32(token.range.start),
                end: to_u32(token.range.end),
            };
            self.spans.push(span);
            if is_real {
                self.inside(tree, span);
            }
        }
        for at in text::hints(&source.text) {
            let start = to_u32(at);
            self.inside(
                tree,
                Span {
                    source: source.id,
                    start,
                    end: start + 1,
                },
            );
        }
    }

    /// Looks for credentials in the scalar that covers `span`, unless it is a key or known already.
    fn inside(&mut self, tree: &Tree, span: Span) {
        let Some(index) = scalar_at(tree, span) else {
            return;
        };
        if tree.raw(index).hash != 0 || self.nodes.contains_key(&index) || !self.seen.insert(index)
        {
            return;
        }
        let node = tree.node(index);
        let ranges = text::credentials(node.secret_text());
        if !ranges.is_empty() {
            self.partial(node, &ranges);
        }
    }

    /// The same machine-made text anywhere else in the file, where neither name nor shape gives it away: in a comment, in
    /// an address.
    fn repeats(&mut self, tree: &Tree, source: &SourceFile) {
        let known: BTreeSet<&str> = self
            .spans
            .iter()
            .map(|&span| source.slice(span).trim_matches(['"', '\'', ' ']))
            .filter(|text| value::is_machine_made(text))
            .collect();
        // Patterns without number or length limit build in linear time and space.
        let Some(known) = (!known.is_empty())
            .then(|| AhoCorasick::new(&known).ok())
            .flatten()
        else {
            return;
        };
        for found in known.find_iter(&source.text) {
            let span = Span {
                source: source.id,
                start: to_u32(found.start()),
                end: to_u32(found.end()),
            };
            self.spans.push(span);
            let Some(index) = scalar_at(tree, span) else {
                continue;
            };
            if tree.raw(index).hash == 0 && !self.nodes.contains_key(&index) {
                let node = tree.node(index);
                let ranges: Vec<_> = known
                    .find_iter(node.secret_text())
                    .map(|found| found.range())
                    .collect();
                if !ranges.is_empty() {
                    self.partial(node, &ranges);
                }
            }
        }
    }

    fn partial(&mut self, node: NodeRef<'_>, ranges: &[Range<usize>]) {
        let node = node.resolved();
        let text = node.secret_text();
        let is_whole = ranges.iter().any(|r| r.start == 0 && r.end == text.len());
        if ranges.is_empty() || is_whole {
            return self.whole(node);
        }
        let (mut public, mut at) = (String::new(), 0);
        for range in ranges {
            public.push_str(text.get(at..range.start).unwrap_or(""));
            public.push_str(REDACTED);
            at = range.end;
        }
        public.push_str(text.get(at..).unwrap_or(""));
        if self.nodes.get(&node.index()) == Some(&None) {
            return;
        }
        self.nodes.insert(node.index(), Some(public));
        let span = node.span();
        let written = node.tree().source().slice(span);
        for range in ranges {
            let secret = text.get(range.clone()).unwrap_or("");
            let mut places = written.match_indices(secret).peekable();
            if places.peek().is_none() {
                // Escaped or folded: the bytes differ from the value.
                self.spans.push(span);
            }
            self.spans
                .extend(places.map(|(at, _)| within(span, &(at..at + secret.len()))));
        }
    }
}

/// The scalar node that covers the first byte of a span.
fn scalar_at(tree: &Tree, span: Span) -> Option<u32> {
    let starts_before = tree.nodes.partition_point(|node| node.start <= span.start);
    (0..starts_before)
        .rev()
        .take(64)
        .find(|&at| {
            tree.nodes.get(at).is_some_and(|node| {
                !matches!(node.kind, Kind::Map | Kind::Seq | Kind::Alias) && span.start < node.end
            })
        })
        .map(to_u32)
}

fn decoded(text: &str) -> Option<String> {
    use base64::Engine as _;
    let compact: String = text.split_whitespace().collect();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(compact)
        .ok()?;
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceId;

    /// The texts of a file that reports mask.
    fn masked(text: &str) -> Vec<String> {
        let file = std::sync::Arc::new(SourceFile::new(SourceId(0), "a.yaml", text));
        let mut parsed = crate::yaml::parse(&file);
        let spans = mark(&mut parsed.tree, &[], &parsed.comments);
        spans.iter().map(|s| file.slice(*s).to_owned()).collect()
    }

    #[test]
    fn a_known_secret_is_masked_wherever_it_stands_again() {
        let text =
            "password: cAnArY7q2Zx9vB4 # was cAnArY7q2Zx9vB4?\nnote: see cAnArY7q2Zx9vB4 there\n";
        assert_eq!(masked(text), ["cAnArY7q2Zx9vB4"; 3]);
        // An ordinary word is somebody's password, and a word all the same.
        assert_eq!(
            masked("password: production\nstage: production\n"),
            ["production"]
        );
    }

    #[test]
    fn a_credential_written_into_its_source_is_masked() {
        assert_eq!(
            masked("apiKey:\n  inline: hunter2-secret\n"),
            ["hunter2-secret"]
        );
        assert_eq!(masked("clientSecret: {inlineString: abcd}\n"), ["abcd"]);
        assert_eq!(masked("password: {value: abcd}\n"), ["abcd"]);
        for text in [
            "apiKey: {inline: \"${GITHUB_KEY}\"}",
            "apiKey: {secretRef: {name: tools, key: value}}",
            "clientSecret: {value: {from: x}}",
            "cache: {inline: hunter2-secret}",
        ] {
            assert_eq!(masked(text), Vec::<String>::new(), "{text}");
        }
    }
}
