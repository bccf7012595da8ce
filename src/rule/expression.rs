//! L5: an expression of a rule file and where its characters stand. Input: a YAML scalar; output: text, and for any range
//! of it the bytes in the file, through quotes, escapes, folds and indentation.

use std::sync::Arc;

use crate::rule::file::RuleFile;
use crate::shape::Problem;
use crate::source::{Span, to_u32, to_usize};
use crate::yaml::{NodeRef, Style};

/// A CEL expression as written in a rule file.
#[derive(Clone, Debug)]
pub struct Expression {
    /// The text after YAML's unescaping.
    pub text: String,
    pub(crate) file: Arc<RuleFile>,
    node: u32,
}

impl Expression {
    /// The expression at a scalar node of the first document.
    #[must_use]
    pub fn new(file: &Arc<RuleFile>, node: NodeRef<'_>) -> Self {
        Self {
            text: node.text().to_owned(),
            file: Arc::clone(file),
            node: node.index(),
        }
    }

    /// Bytes in the rule file of a byte range of the text.
    #[must_use]
    pub fn locate(&self, start: usize, end: usize) -> Span {
        let node = self.file.node(self.node);
        let span = node.span();
        let map = offsets(&self.file.source.text, span, node.style(), &self.text);
        let at = |offset: usize| map.get(offset).copied().unwrap_or(span.end);
        let from = at(start);
        Span {
            source: span.source,
            start: from,
            end: at(end).max(from),
        }
    }

    /// A problem at a byte range of the text.
    #[must_use]
    pub fn problem(&self, start: usize, end: usize, message: impl Into<String>) -> Problem {
        self.file.problem(self.locate(start, end), message)
    }

    /// A problem of the whole expression.
    #[must_use]
    pub fn problem_here(&self, message: impl Into<String>) -> Problem {
        self.problem(0, self.text.len(), message)
    }
}

/// For each byte of `text` (and one past it) the byte in `source` that it was read from.
fn offsets(source: &str, span: Span, style: Style, text: &str) -> Vec<u32> {
    let mut at = to_usize(span.start);
    let end = to_usize(span.end).min(source.len());
    match style {
        Style::SingleQuoted | Style::DoubleQuoted => at += 1,
        // The span of a block scalar begins at its header, `|` or `>-  # comment`.
        Style::Literal | Style::Folded => {
            let header = source.get(at..end).and_then(|s| s.find('\n'));
            at += header.map_or(0, |line_end| line_end + 1);
        }
        Style::Plain | Style::Flow | Style::Generated => {}
    }
    let mut map = Vec::with_capacity(text.len() + 1);
    for wanted in text.chars() {
        at = skip_layout(source, at, end, wanted, style);
        map.extend(std::iter::repeat_n(to_u32(at), wanted.len_utf8()));
        at += written_len(source.get(at..end).unwrap_or(""), wanted, style);
    }
    map.push(to_u32(at.min(end)));
    map
}

/// Skips line breaks and indentation that YAML removed before `wanted`.
fn skip_layout(source: &str, mut at: usize, end: usize, wanted: char, style: Style) -> usize {
    let rest = source.get(at..end).unwrap_or("");
    let escaped =
        style == Style::DoubleQuoted && rest.starts_with('\\') && !rest.starts_with("\\\n");
    if rest.starts_with(wanted) || escaped || (wanted == ' ' && rest.starts_with(['\n', '\r'])) {
        return at;
    }
    for c in rest.chars() {
        if c == wanted || !(c.is_ascii_whitespace() || c == '\\') {
            break;
        }
        at += c.len_utf8();
    }
    at
}

/// Number of source bytes that wrote the character at the start of `rest`.
fn written_len(rest: &str, wanted: char, style: Style) -> usize {
    match style {
        Style::SingleQuoted if rest.starts_with("''") => 2,
        Style::DoubleQuoted if rest.starts_with('\\') => match rest.as_bytes().get(1) {
            Some(b'x') => 4,
            Some(b'u') => 6,
            Some(b'U') => 10,
            _ => 2,
        },
        // A fold: the break and the indentation after it read as one space.
        _ if wanted == ' ' && rest.starts_with(['\n', '\r']) => {
            rest.len() - rest.trim_start_matches(['\n', '\r', ' ', '\t']).len()
        }
        _ => rest.chars().next().map_or(0, char::len_utf8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The source text under the first occurrence of `part` in the expression.
    fn found(yaml: &str, part: &str) -> String {
        let file = Arc::new(RuleFile::parse("X001-a.yaml", yaml).unwrap());
        let node = file.head().get("e").unwrap();
        let expression = Expression::new(&file, node);
        let start = expression.text.find(part).unwrap();
        let span = expression.locate(start, start + part.len());
        file.source.slice(span).to_owned()
    }

    #[test]
    fn ranges_are_found_in_every_style() {
        assert_eq!(found("e: a.b == c\n", "b == c"), "b == c");
        assert_eq!(found("e: 'a == ''x'' && tail'\n", "tail"), "tail");
        assert_eq!(found("e: \"a == \\\"x\\\" && tail\"\n", "tail"), "tail");
        assert_eq!(found("e: |\n  a &&\n    tail == 1\n", "tail"), "tail");
        assert_eq!(
            found("e: >-\n  a &&\n  tail == 1\nf: 1\n", "tail == 1"),
            "tail == 1"
        );
        assert_eq!(found("e: a &&\n  b &&\n  tail\n", "tail"), "tail");
        assert_eq!(found("e: \"é == \\u00e9 && tail\"\n", "tail"), "tail");
    }

    #[test]
    fn a_quote_is_found_with_its_escape() {
        assert_eq!(found("e: 'a == ''x'' && b'\n", "'x'"), "''x''");
        assert_eq!(found("e: \"a == \\\"x\\\"\"\n", "\"x\""), "\\\"x\\\"");
    }
}
