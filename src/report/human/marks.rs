//! L7: places to draw. Input: spans of one file; output: marks on lines, grouped into what is drawn together.

use std::borrow::Cow;
use std::ops::Range;

use crate::source::{SourceFile, Span, to_u32, to_usize};

/// Lines shown before and after a mark.
pub(super) const CONTEXT: usize = 1;

/// A place to draw.
#[derive(Debug)]
pub(super) struct Mark<'a> {
    /// Where, all marks of a snippet in one file.
    pub(super) span: Span,
    /// Under the caret; may be empty.
    pub(super) label: &'a str,
    /// Whether the header of the snippet names this place.
    pub(super) primary: bool,
}

/// A mark on its line.
pub(super) struct Placed<'a> {
    pub(super) line: usize,
    /// In the file; ends on the same line.
    pub(super) bytes: Range<usize>,
    pub(super) label: Cow<'a, str>,
    pub(super) primary: bool,
}

/// Marks whose lines of context touch, each such group in line order; the group of the primary mark leads.
/// Equal places become one mark; places that overlap otherwise are drawn apart, for one row of carets holds no two.
pub(super) fn clusters<'a>(file: &SourceFile, marks: &[Mark<'a>]) -> Vec<Vec<Placed<'a>>> {
    let mut placed: Vec<Placed<'_>> = marks.iter().map(|m| placed(file, m)).collect();
    placed.sort_by_key(|p| (p.line, !p.primary));
    let (mut all, mut apart): (Vec<Vec<Placed<'_>>>, Vec<Vec<Placed<'_>>>) = (vec![], vec![]);
    for mark in placed {
        let near = all.last_mut().filter(|near| {
            let last = near.last();
            last.is_some_and(|l| mark.line - l.line <= 2 * CONTEXT + 1)
        });
        let Some(near) = near else {
            all.push(vec![mark]);
            continue;
        };
        match near.iter_mut().find(|p| p.overlaps(&mark)) {
            Some(same) if same.bytes == mark.bytes => same.also(mark.label),
            Some(_) => apart.push(vec![mark]),
            None => near.push(mark),
        }
    }
    all.sort_by_key(|near| !near.iter().any(|p| p.primary));
    all.append(&mut apart);
    all
}

impl<'a> Placed<'a> {
    fn overlaps(&self, other: &Self) -> bool {
        let (a, b) = (&self.bytes, &other.bytes);
        a == b || (a.start < b.end && b.start < a.end)
    }

    /// Adds a label to the one already there.
    fn also(&mut self, label: Cow<'a, str>) {
        if self.label.is_empty() {
            self.label = label;
        } else if !label.is_empty() && self.label != label {
            self.label = Cow::Owned(format!("{}; {label}", self.label));
        }
    }
}

/// Where a mark begins; a mark of several lines is drawn on its first one.
fn placed<'a>(file: &SourceFile, mark: &Mark<'a>) -> Placed<'a> {
    let start = to_usize(mark.span.start).min(file.text.len());
    let line = to_usize(file.position(to_u32(start)).line).saturating_sub(1);
    let content = content(file, line);
    let start = start.min(content.end);
    let end = to_usize(mark.span.end).clamp(start, content.end);
    Placed {
        line,
        bytes: start..end,
        label: Cow::Borrowed(mark.label),
        primary: mark.primary,
    }
}

/// The last line that a reader sees: what follows the last line end is none.
pub(super) fn last_line(file: &SourceFile) -> usize {
    let last = file.line_starts().len().saturating_sub(1);
    if content(file, last).is_empty() {
        last.saturating_sub(1)
    } else {
        last
    }
}

/// The bytes of a line without its line end and trailing space.
pub(super) fn content(file: &SourceFile, line: usize) -> Range<usize> {
    let starts = file.line_starts();
    let start = starts.get(line).map_or(file.text.len(), |&s| to_usize(s));
    let end = starts
        .get(line + 1)
        .map_or(file.text.len(), |&s| to_usize(s));
    let text = file.text.get(start..end).unwrap_or("");
    start..start + text.trim_end_matches(['\n', '\r']).len()
}
