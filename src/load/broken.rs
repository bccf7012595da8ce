//! L2: documents that could not be read. Input: a text and its parse errors; output: INPUT001/INPUT004 data, the namespaces
//! such documents may fill, or the reason why the whole file is none of our business.

use crate::load::Skip;
use crate::load::problem::{InputProblem, ProblemKind};
use crate::source::{SourceFile, Span, to_usize};
use crate::yaml::{ParseError, ParseErrorKind, Parsed};

/// The namespace that an unread document would fill, as far as its text tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fills {
    /// It cannot be told.
    Any,
    /// It names none: cluster scope, or what applies it decides.
    Unset,
    /// This one.
    Named(String),
}

/// A document that was not read.
#[derive(Clone, Debug)]
pub struct BrokenDocument {
    /// Where reading stopped.
    pub span: Span,
    /// Bytes of the whole document.
    pub range: std::ops::Range<usize>,
    /// For the ledger: `broken document` or `broken Deployment`.
    pub what: String,
    /// The namespace it opens.
    pub fills: Fills,
}

/// Why a file that does not parse is not analysed at all; `None` when its broken document deserves a finding.
///
/// A template yields no object even where some of its documents parse: they are not what will be applied.
pub(crate) fn whole_file(source: &SourceFile, error: &ParseError, named: bool) -> Option<Skip> {
    let text = source.text.as_bytes();
    let has = |needle: &str| memchr::memmem::find(text, needle.as_bytes()).is_some();
    if has("{{") || has("{%") {
        return Some(Skip::Template);
    }
    if !named && !has("apiVersion") {
        let at = source.position(error.span.start);
        return Some(Skip::NotYaml(format!(
            "line {}, column {}: {}",
            at.line, at.column, error.kind
        )));
    }
    None
}

/// INPUT001 and INPUT004 data of every document that could not be read.
pub(crate) fn problems(source: &SourceFile, parsed: &Parsed) -> Vec<InputProblem> {
    parsed
        .errors
        .iter()
        .map(|error| {
            let (kind, help) = match error.kind {
                ParseErrorKind::TooDeep(_) | ParseErrorKind::TooManyNodes(_) => {
                    (ProblemKind::TooLarge, "split the document")
                }
                _ => (
                    ProblemKind::Unparsable,
                    "correct the syntax; until then nothing in this document is checked",
                ),
            };
            InputProblem {
                kind,
                span: visible(source, error.span),
                message: format!("this document cannot be read: {}", error.kind),
                help: help.to_owned(),
                related: Vec::new(),
                resource: None,
                is_sure: true,
            }
        })
        .collect()
}

/// Widens an empty span to the character it stands at, so that a caret has something to point at.
fn visible(source: &SourceFile, span: Span) -> Span {
    if !span.is_empty() {
        return span;
    }
    let width = source
        .text
        .get(to_usize(span.start)..)
        .and_then(|rest| rest.chars().next())
        .filter(|c| !c.is_control())
        .map_or(0, char::len_utf8);
    Span {
        end: span.start + crate::source::to_u32(width),
        ..span
    }
}

/// What the unread documents would fill.
pub(crate) fn documents(source: &SourceFile, parsed: &Parsed) -> Vec<BrokenDocument> {
    parsed
        .errors
        .iter()
        .map(|error| {
            let range = around(&source.text, to_usize(error.span.start));
            let (kind, fills) = guess(source.text.get(range.clone()).unwrap_or(""));
            BrokenDocument {
                span: error.span,
                range,
                what: kind.map_or_else(
                    || "broken document".to_owned(),
                    |kind| format!("broken {kind}"),
                ),
                fills,
            }
        })
        .collect()
}

/// The namespaces that the documents of a template would fill, as far as its text tells; none when it can hold no object.
#[must_use]
pub fn template_fills(text: &str) -> std::collections::BTreeSet<Fills> {
    let mut fills = std::collections::BTreeSet::new();
    let mut at = 0;
    while at < text.len() {
        let range = around(text, at);
        let document = text.get(range.clone()).unwrap_or("");
        if document.contains("apiVersion") {
            fills.insert(guess(document).1);
        }
        at = range.end + 3;
    }
    fills
}

/// The text of the document around an offset: from one `---` line to the next.
fn around(text: &str, offset: usize) -> std::ops::Range<usize> {
    let is_marker = |line: &str| {
        line.strip_prefix("---")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
    };
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        if is_marker(line) {
            if at > offset {
                return start..at;
            }
            start = at + 3;
        }
        at += line.len();
    }
    start..text.len()
}

/// Kind and namespace by the look of the lines; anything unusual opens every namespace.
fn guess(text: &str) -> (Option<String>, Fills) {
    let field = |line: &str, name: &str| {
        let rest = line.strip_prefix(name)?.strip_prefix(':')?;
        let value = rest.split(" #").next().unwrap_or("").trim();
        Some(value.trim_matches(['"', '\'']).to_owned())
    };
    let kind = text.lines().find_map(|line| field(line, "kind"));
    let plain = |value: &str| {
        !value.is_empty()
            && value
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
    };
    let kind = kind.filter(|kind| plain(kind));
    let mut metadata = text
        .lines()
        .skip_while(|line| line.trim_end() != "metadata:")
        .skip(1)
        .take_while(|line| line.is_empty() || line.starts_with([' ', '#', '\t']))
        .peekable();
    let is_list = kind.as_deref().is_some_and(|kind| kind.ends_with("List"));
    if kind.is_none() || is_list || metadata.peek().is_none() {
        return (kind, Fills::Any);
    }
    let wanted = if kind.as_deref() == Some("Namespace") {
        "name"
    } else {
        "namespace"
    };
    let fields: Vec<&str> = metadata.filter(|line| !line.trim().is_empty()).collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let depth = fields.iter().map(|line| indent(line)).min().unwrap_or(0);
    let value = fields
        .iter()
        .filter(|line| indent(line) == depth)
        .find_map(|line| field(line.trim_start(), wanted));
    let fills = match value {
        None => Fills::Unset,
        Some(value) if plain(&value) => Fills::Named(value),
        Some(_) => Fills::Any,
    };
    (kind, fills)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_document_fills_the_namespace_that_its_text_names() {
        let named = "kind: Deployment\nmetadata:\n  labels:\n    namespace: no\n  namespace: 'ml' # x\nspec: [\n";
        assert_eq!(
            guess(named),
            (Some("Deployment".into()), Fills::Named("ml".into()))
        );
        let unset = "kind: Deployment\nmetadata:\n  name: a\nspec: [\n";
        assert_eq!(guess(unset).1, Fills::Unset);
        let own = "kind: Namespace\nmetadata:\n  name: ml\n  labels: [\n";
        assert_eq!(guess(own).1, Fills::Named("ml".into()));
        let variable = "kind: Deployment\nmetadata:\n  namespace: ${NS}\nspec: [\n";
        assert_eq!(guess(variable).1, Fills::Any);
        assert_eq!(guess("a: [\n"), (None, Fills::Any));
        assert_eq!(
            guess("kind: List\nmetadata:\n  name: x\nitems: [\n").1,
            Fills::Any
        );
    }

    #[test]
    fn the_text_of_a_document_ends_at_the_next_marker() {
        let text = "a: 1\n---\nb: 2\n--- # c\nd: 3\n";
        assert_eq!(&text[around(text, 2)], "a: 1\n");
        assert_eq!(&text[around(text, 9)], "\nb: 2\n");
        assert_eq!(&text[around(text, 25)], " # c\nd: 3\n");
    }
}
