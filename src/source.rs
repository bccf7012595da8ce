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
    columns: OnceLock<Vec<Units>>,
}

/// Lengths of a prefix of a text.
#[derive(Clone, Copy, Debug, Default)]
struct Units {
    scalars: u32,
    utf16: u32,
}

impl Units {
    fn of(text: &str) -> Self {
        let wide = text.bytes().filter(|&b| b >= 0xF0).count();
        let scalars = text.chars().count();
        Self {
            scalars: to_u32(scalars),
            utf16: to_u32(scalars + wide),
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            scalars: self.scalars.saturating_add(other.scalars),
            utf16: self.utf16.saturating_add(other.utf16),
        }
    }
}

/// Bytes between two checkpoints of [`SourceFile::columns`]; shorter prefixes of a line are counted directly.
const STRIDE: usize = 4096;

impl SourceFile {
    /// Wraps a decoded text.
    #[must_use]
    pub fn new(id: SourceId, path: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            id,
            path: path.into(),
            text: text.into(),
            lines: OnceLock::new(),
            columns: OnceLock::new(),
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
            column: before.scalars.saturating_add(1),
        }
    }

    /// 1-based line and column in UTF-16 code units, as SARIF wants them.
    #[must_use]
    pub fn position_utf16(&self, offset: u32) -> Position {
        let (line, before) = self.line_prefix(offset);
        Position {
            line,
            column: before.utf16.saturating_add(1),
        }
    }

    fn line_prefix(&self, offset: u32) -> (u32, Units) {
        let starts = self.line_starts();
        let line = starts.partition_point(|&s| s <= offset).max(1);
        let start = to_usize(starts.get(line - 1).copied().unwrap_or(0));
        let end = self.boundary(to_usize(offset));
        let before = if end.saturating_sub(start) <= STRIDE {
            Units::of(self.text.get(start..end).unwrap_or(""))
        } else {
            let (start, end) = (self.units_before(start), self.units_before(end));
            Units {
                scalars: end.scalars.saturating_sub(start.scalars),
                utf16: end.utf16.saturating_sub(start.utf16),
            }
        };
        (to_u32(line), before)
    }

    fn boundary(&self, offset: usize) -> usize {
        let mut at = offset.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    /// Units before a character boundary. Checkpoints keep this constant in long lines: a minified JSON file
    /// of 10 MB is one line, and every finding in it asks for a column.
    fn units_before(&self, offset: usize) -> Units {
        let checkpoints = self.columns.get_or_init(|| {
            let mut all = vec![Units::default()];
            let (mut sum, mut from) = (Units::default(), 0);
            while from < self.text.len() {
                let to = self.boundary(all.len() * STRIDE);
                sum = sum.plus(Units::of(self.text.get(from..to).unwrap_or("")));
                all.push(sum);
                from = to;
            }
            all
        });
        let at = offset / STRIDE;
        let rest = self.text.get(self.boundary(at * STRIDE)..offset);
        let sum = checkpoints.get(at).copied().unwrap_or_default();
        sum.plus(Units::of(rest.unwrap_or("")))
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

    #[test]
    fn columns_of_a_long_line_equal_a_plain_count() {
        let text = format!("first\n{}", "a😀é".repeat(5_000));
        let file = SourceFile::new(SourceId(0), "a.json", text.clone());
        for offset in [6, 7, 4095, 4096, 4097, 8191, 8192, 20_000, 35_005, 35_006] {
            let offset = (0..=offset)
                .rev()
                .find(|&o| text.is_char_boundary(o))
                .unwrap();
            let before = &text[6..offset];
            let at = to_u32(offset);
            assert_eq!(
                file.position(at).column,
                to_u32(before.chars().count()) + 1,
                "{offset}"
            );
            assert_eq!(
                file.position_utf16(at).column,
                to_u32(before.encode_utf16().count()) + 1,
                "{offset}"
            );
        }
    }
}
