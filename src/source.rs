//! L0: texts and byte positions. Input: a path and its decoded text; output: `SourceFile`, `Span`, line and column.

use std::sync::{Arc, OnceLock};

/// Index of a [`SourceFile`] in its [`Sources`]; files are numbered in discovery order, so it sorts like the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u32);

/// A half-open range of UTF-8 bytes in one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The source whose text the offsets index.
    pub source: SourceId,
    /// First byte, 0-based.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// Whether the span covers no byte (an absent value).
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether `other` lies wholly inside this span.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.source == other.source && self.start <= other.start && other.end <= self.end
    }
}

/// A place a person reads: 1-based line, 1-based column in Unicode scalar values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// 1-based line; CR, LF and CRLF each end one line.
    pub line: u32,
    /// 1-based column, counted in Unicode scalar values.
    pub column: u32,
}

/// One input text with the path that findings print.
#[derive(Debug)]
pub struct SourceFile {
    /// Its number in [`Sources`].
    pub id: SourceId,
    /// Path relative to the git top level or the working directory, with `/` separators.
    pub path: String,
    /// The decoded text without byte order mark; offsets in spans index this text.
    pub text: String,
    lines: OnceLock<Vec<u32>>,
}

impl SourceFile {
    /// Wraps a decoded text.
    #[must_use]
    pub fn new(id: SourceId, path: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            id,
            path: path.into(),
            text: text.into(),
            lines: OnceLock::new(),
        }
    }

    /// The text under a span of this source; empty when the span does not fit the text.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        self.text
            .get(to_usize(span.start)..to_usize(span.end))
            .unwrap_or("")
    }

    /// Byte offsets at which lines start; built on first use.
    #[must_use]
    pub fn line_starts(&self) -> &[u32] {
        self.lines.get_or_init(|| line_starts(&self.text))
    }

    /// 1-based line and column (Unicode scalar values) of a byte offset; offsets past the end give the end.
    #[must_use]
    pub fn position(&self, offset: u32) -> Position {
        let (line, before) = self.line_prefix(offset);
        Position {
            line,
            column: to_u32(before.chars().count()).saturating_add(1),
        }
    }

    /// 1-based line and column in UTF-16 code units, as SARIF wants them.
    #[must_use]
    pub fn position_utf16(&self, offset: u32) -> Position {
        let (line, before) = self.line_prefix(offset);
        Position {
            line,
            column: to_u32(before.encode_utf16().count()).saturating_add(1),
        }
    }

    fn line_prefix(&self, offset: u32) -> (u32, &str) {
        let starts = self.line_starts();
        let line = starts.partition_point(|&s| s <= offset).max(1);
        let start = starts.get(line - 1).copied().unwrap_or(0);
        let mut end = to_usize(offset).min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = self.text.get(to_usize(start)..end).unwrap_or("");
        (to_u32(line), before)
    }
}

fn line_starts(text: &str) -> Vec<u32> {
    let bytes = text.as_bytes();
    let mut starts = vec![0];
    for at in memchr::memchr2_iter(b'\n', b'\r', bytes) {
        if bytes.get(at) == Some(&b'\r') && bytes.get(at + 1) == Some(&b'\n') {
            continue;
        }
        starts.push(to_u32(at + 1));
    }
    starts
}

/// All sources of a run, by number.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Arc<SourceFile>>,
}

impl Sources {
    /// Collects files whose ids are their positions in `files`.
    #[must_use]
    pub fn new(files: Vec<Arc<SourceFile>>) -> Self {
        debug_assert!(files.iter().enumerate().all(|(i, f)| f.id.0 == to_u32(i)));
        Self { files }
    }

    /// Adds a text under the next free number and returns it.
    pub fn add(&mut self, path: impl Into<String>, text: impl Into<String>) -> Arc<SourceFile> {
        let file = Arc::new(SourceFile::new(
            SourceId(to_u32(self.files.len())),
            path,
            text,
        ));
        self.files.push(Arc::clone(&file));
        file
    }

    /// The file with this number.
    #[must_use]
    pub fn get(&self, id: SourceId) -> Option<&Arc<SourceFile>> {
        self.files.get(to_usize(id.0))
    }

    /// All files in number order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<SourceFile>> {
        self.files.iter()
    }
}

/// Widens an offset; `usize` has at least 32 bits on every supported target.
#[must_use]
#[expect(
    clippy::as_conversions,
    reason = "u32 to usize is lossless on supported targets"
)]
pub const fn to_usize(n: u32) -> usize {
    n as usize
}

/// Narrows a length; inputs are capped at 256 MiB, so saturation is never reached by offsets.
#[must_use]
pub fn to_u32(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, offset: u32) -> (u32, u32, u32) {
        let file = SourceFile::new(SourceId(0), "a.yaml", text);
        let chars = file.position(offset);
        let utf16 = file.position_utf16(offset);
        assert_eq!(chars.line, utf16.line);
        (chars.line, chars.column, utf16.column)
    }

    #[test]
    fn positions_count_lines_of_every_line_end_and_columns_in_both_units() {
        assert_eq!(at("a\nb", 2), (2, 1, 1));
        assert_eq!(at("a\r\nb", 3), (2, 1, 1));
        assert_eq!(at("a\rb", 2), (2, 1, 1));
        assert_eq!(at("k: 😀x", 7), (1, 5, 6));
        assert_eq!(at("", 0), (1, 1, 1));
        assert_eq!(at("ab", 99), (1, 3, 3));
    }
}
