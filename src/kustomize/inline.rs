//! L2: YAML inside a string of a kustomization. Input: the string's node; output: its documents, every span in the file.

use std::sync::Arc;

use crate::kustomize::error::{ErrorKind, KustomizeError};
use crate::kustomize::node::Node;
use crate::source::{SourceFile, SourceId, Span, to_u32, to_usize};
use crate::yaml::{self, NodeRef, Style};

/// Parses the text of a string value.
///
/// # Errors
/// The text is no YAML: the user's fault, placed in the file that holds the string.
pub(crate) fn documents(holder: NodeRef<'_>) -> Result<Vec<Node<'static>>, KustomizeError> {
    let text = holder.secret_text();
    let map = LineMap::new(holder, text);
    let inner = Arc::new(SourceFile::new(SourceId(u32::MAX), "", text));
    let parsed = yaml::parse(&inner);
    if let Some(error) = parsed.errors.first() {
        return Err(KustomizeError::new(
            map.place(error.span),
            ErrorKind::Unreadable(error.kind.to_string()),
        ));
    }
    Ok(parsed
        .documents
        .iter()
        .map(|document| {
            let mut node = Node::read(parsed.tree.node(document.root)).into_owned();
            node.relocate(&|span| map.place(span));
            node
        })
        .collect())
}

/// Where each line of a string's value starts in the file: block scalars are indented there.
struct LineMap {
    whole: Span,
    /// Offset in the value, offset in the file; ascending. Empty when the value is not written line by line.
    lines: Vec<(u32, u32)>,
}

impl LineMap {
    fn new(holder: NodeRef<'_>, text: &str) -> Self {
        let whole = holder.span();
        let file = holder.tree().source();
        let raw = file.slice(whole);
        let lines = match holder.style() {
            Style::Literal => block_lines(raw, text),
            Style::DoubleQuoted => escaped_runs(raw),
            _ => raw
                .find(text)
                .filter(|_| !text.is_empty())
                .map(|at| vec![(0, to_u32(at))])
                .unwrap_or_default(),
        };
        let lines = lines
            .into_iter()
            .map(|(value, at)| (value, whole.start + at))
            .collect();
        Self { whole, lines }
    }

    fn place(&self, span: Span) -> Span {
        match (self.offset(span.start), self.offset(span.end)) {
            (Some(start), Some(end)) => Span {
                source: self.whole.source,
                start,
                end: end.max(start).min(self.whole.end.max(start)),
            },
            _ => self.whole,
        }
    }

    fn offset(&self, at: u32) -> Option<u32> {
        let line = self.lines.partition_point(|(value, _)| *value <= at);
        let (value, file) = self.lines.get(line.checked_sub(1)?)?;
        Some(file + (at - value))
    }
}

/// Pairs each line of a literal block's value with its place in the raw block.
fn block_lines(raw: &str, text: &str) -> Vec<(u32, u32)> {
    let mut pairs = Vec::new();
    let mut raw_at = 0;
    let mut raw_lines = raw.split_inclusive('\n').map(|line| {
        let at = raw_at;
        raw_at += line.len();
        (at, line)
    });
    // The span of a block may begin at its `|` header or at its first line.
    let mut value_at = 0;
    let header = raw.starts_with('|') || raw.starts_with('>');
    if header {
        raw_lines.next();
    }
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        let Some((at, raw_line)) = raw_lines.next() else {
            return Vec::new();
        };
        let body = raw_line.trim_end_matches(['\n', '\r']);
        if !body.ends_with(content) {
            return Vec::new();
        }
        pairs.push((to_u32(value_at), to_u32(at + body.len() - content.len())));
        value_at += line.len();
    }
    pairs
}

/// Pairs the runs between the escapes of a double-quoted text with their places; none when the text is folded.
fn escaped_runs(raw: &str) -> Vec<(u32, u32)> {
    let mut pairs = vec![(0, 1)];
    let mut value_at = 0;
    let mut chars = raw.char_indices().skip(1);
    while let Some((_, c)) = chars.next() {
        match c {
            '\n' | '\r' => return Vec::new(),
            '\\' => {
                let Some((at, kind)) = chars.next() else {
                    break;
                };
                let digits = match kind {
                    'x' => 2,
                    'u' => 4,
                    'U' => 8,
                    _ => 0,
                };
                let end = at + kind.len_utf8() + digits;
                let code = raw
                    .get(at + 1..end)
                    .and_then(|hex| u32::from_str_radix(hex, 16).ok());
                value_at += match (digits, kind) {
                    (0, 'N' | '_') => 2,
                    (0, 'L' | 'P') => 3,
                    (0, _) => 1,
                    _ => code.and_then(char::from_u32).map_or(1, char::len_utf8),
                };
                pairs.push((to_u32(value_at), to_u32(end)));
                if digits > 0 {
                    chars.nth(digits - 1);
                }
            }
            c => value_at += c.len_utf8(),
        }
    }
    pairs
}

/// The place of a part of a scalar's text, when the scalar stands in the file as it reads; else the whole scalar.
pub(crate) fn part_of(whole: Span, text: &str, start: usize, end: usize) -> Span {
    let quote = match to_usize(whole.end - whole.start).checked_sub(text.len()) {
        Some(0) => 0,
        Some(2) => 1,
        _ => return whole,
    };
    Span {
        source: whole.source,
        start: whole.start + quote + to_u32(start),
        end: whole.start + quote + to_u32(end),
    }
}
