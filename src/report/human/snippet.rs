//! L7: source under a finding. Input: marks in one file; output: the lines around them, drawn by miette.
//!
//! miette reads its text through [`Window`]: only the lines near the marks, with long lines cut around what is marked,
//! secrets named and unprintable characters replaced. Every other line is one byte long, so that offsets stay cheap
//! and line numbers true. (miette's own `NamedSource` counts from byte 0 for every label: 700 times slower on big files.)

use std::fmt;
use std::ops::Range;

use miette::{Diagnostic, GraphicalReportHandler, LabeledSpan, MietteError, MietteSpanContents};
use miette::{SourceCode, SourceSpan, SpanContents};

use crate::report::{REDACTED, Redactor, is_unprintable, one_line, truncated};
use crate::source::{SourceFile, to_u32, to_usize};

use super::marks::{CONTEXT, Mark, Placed, clusters, content, last_line};

/// Lines longer than this are cut; in bytes.
const MAX_LINE: usize = 160;
/// What stays before the mark of a line that is cut; in bytes.
const LEAD: usize = 60;
const MAX_LABEL: usize = 120;

/// Draws the marked lines of a file with one line of context, those around the primary mark first.
pub(super) fn draw(
    handler: &GraphicalReportHandler,
    file: &SourceFile,
    redactor: &Redactor,
    marks: &[Mark<'_>],
    out: &mut String,
) -> fmt::Result {
    if file.text.is_empty() {
        // A file that could not be read has a name and no source.
        out.push_str("   in ");
        out.push_str(&one_line(&file.path));
        out.push('\n');
        return Ok(());
    }
    let mut drawn = String::new();
    for near in clusters(file, marks) {
        drawn.clear();
        let window = Window::new(file, redactor, &near);
        handler.render_report(&mut drawn, &Snippet(window))?;
        // The first line is miette's title; ours is already there.
        let body = drawn.split_once('\n').map_or("", |(_, body)| body);
        for line in body.lines() {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    Ok(())
}

/// Graphical handler with one line of context, as the snippets need it.
pub(super) fn handler(theme: miette::GraphicalTheme) -> GraphicalReportHandler {
    GraphicalReportHandler::new_themed(theme)
        .with_context_lines(CONTEXT)
        .tab_width(4)
        .with_wrap_lines(false)
        .without_cause_chain()
}

#[derive(Debug)]
struct Snippet(Window);

impl fmt::Display for Snippet {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Snippet {}

impl Diagnostic for Snippet {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.0)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(
            self.0.labels.iter().map(|(label, _)| label.clone()),
        ))
    }
}

/// One line of the window.
#[derive(Debug)]
struct Line {
    /// 0-based.
    number: usize,
    /// Offset for miette: one byte for each line left out, the text of the others.
    at: usize,
    /// Its text in the window, line end included.
    text: Range<usize>,
}

#[derive(Debug)]
struct Window {
    path: String,
    text: String,
    /// Ascending.
    lines: Vec<Line>,
    /// With the true 0-based column of each.
    labels: Vec<(LabeledSpan, usize)>,
}

impl Window {
    fn new(file: &SourceFile, redactor: &Redactor, placed: &[Placed<'_>]) -> Self {
        let last = last_line(file);
        let mut numbers: Vec<usize> = placed
            .iter()
            .flat_map(|p| p.line.saturating_sub(CONTEXT)..=(p.line + CONTEXT).min(last.max(p.line)))
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut window = Self {
            path: one_line(&file.path).into_owned(),
            text: String::new(),
            lines: Vec::with_capacity(numbers.len()),
            labels: Vec::with_capacity(placed.len()),
        };
        for (before, number) in numbers.into_iter().enumerate() {
            let here: Vec<&Placed<'_>> = placed.iter().filter(|p| p.line == number).collect();
            let shown = shown(file, redactor, number, here.first().map(|p| p.bytes.start));
            let from = window.text.len();
            let at = number - before + from;
            for mark in here {
                let column = file.position(to_u32(mark.bytes.start)).column;
                let column = to_usize(column).saturating_sub(1);
                window.labels.push((label(mark, &shown, at), column));
            }
            window.text.push_str(&shown.text);
            window.text.push('\n');
            window.lines.push(Line {
                number,
                at,
                text: from..window.text.len(),
            });
        }
        window
    }

    /// Index of the line that an offset stands on.
    fn line_at(&self, offset: usize) -> usize {
        let after = self.lines.partition_point(|l| l.at <= offset);
        after.saturating_sub(1)
    }
}

fn label(mark: &Placed<'_>, shown: &Shown, at: usize) -> LabeledSpan {
    let start = shown.start(mark.bytes.start);
    let end = if mark.bytes.is_empty() {
        start
    } else {
        shown.end(mark.bytes.end).max(start)
    };
    let text =
        (!mark.label.is_empty()).then(|| truncated(&one_line(&mark.label), MAX_LABEL).into_owned());
    let span = SourceSpan::new((at + start).into(), end - start);
    if mark.primary {
        LabeledSpan::new_primary_with_span(text, span)
    } else {
        LabeledSpan::new_with_span(text, span)
    }
}

impl SourceCode for Window {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let first = self.line_at(span.offset());
        let last = self.line_at(span.offset() + span.len());
        let lines = self
            .lines
            .get(first.saturating_sub(before)..(last + after + 1).min(self.lines.len()))
            .ok_or(MietteError::OutOfBounds)?;
        // Context must be next to the mark: further lines of the window belong to other marks.
        let number = |at: usize| self.lines.get(at).map_or(0, |l| l.number);
        let near = number(first).saturating_sub(before)..=number(last) + after;
        let mut lines = lines.iter().filter(|l| near.contains(&l.number));
        let head = lines.next().ok_or(MietteError::OutOfBounds)?;
        let tail = lines.next_back().unwrap_or(head);
        let data = self
            .text
            .get(head.text.start..tail.text.end)
            .ok_or(MietteError::OutOfBounds)?;
        let column = self
            .labels
            .iter()
            .find(|(label, _)| label.inner() == span)
            .filter(|_| before == 0)
            .map_or(0, |(_, column)| *column);
        Ok(Box::new(MietteSpanContents::new_named(
            self.path.clone(),
            data.as_bytes(),
            (head.at, data.len()).into(),
            head.number,
            column,
            tail.number - head.number + 1,
        )))
    }
}

/// A line as it is printed, with where its bytes went.
struct Shown {
    text: String,
    pieces: Vec<Piece>,
}

struct Piece {
    /// In the file.
    from: Range<usize>,
    /// In [`Shown::text`].
    to: Range<usize>,
    /// Copied byte by byte; otherwise replaced as a whole.
    verbatim: bool,
}

impl Shown {
    fn push(&mut self, from: Range<usize>, text: &str, verbatim: bool) {
        let start = self.text.len();
        self.text.push_str(text);
        self.pieces.push(Piece {
            from,
            to: start..self.text.len(),
            verbatim,
        });
    }

    fn start(&self, offset: usize) -> usize {
        let after = self.pieces.partition_point(|p| p.from.start <= offset);
        match after.checked_sub(1).and_then(|at| self.pieces.get(at)) {
            Some(p) if p.verbatim => (p.to.start + offset - p.from.start).min(p.to.end),
            Some(p) if offset < p.from.end => p.to.start,
            Some(p) => p.to.end,
            None => 0,
        }
    }

    fn end(&self, offset: usize) -> usize {
        let after = self.pieces.partition_point(|p| p.from.start < offset);
        match after.checked_sub(1).and_then(|at| self.pieces.get(at)) {
            Some(p) if p.verbatim => (p.to.start + offset - p.from.start).min(p.to.end),
            Some(p) => p.to.end,
            None => 0,
        }
    }
}

/// A line cut around `focus`, with secrets named and unprintable characters replaced.
fn shown(file: &SourceFile, redactor: &Redactor, line: usize, focus: Option<usize>) -> Shown {
    let whole = content(file, line);
    let part = part(file, whole.clone(), focus.unwrap_or(whole.start));
    let mut shown = Shown {
        text: String::with_capacity(MAX_LINE),
        pieces: Vec::new(),
    };
    if part.start > whole.start {
        shown.push(whole.start..part.start, "…", false);
    }
    let mut at = part.start;
    for secret in redactor.within(file.id, part.clone()) {
        plain(&mut shown, file, at..secret.start);
        shown.push(secret.clone(), REDACTED, false);
        at = secret.end;
    }
    plain(&mut shown, file, at..part.end);
    if part.end < whole.end {
        shown.push(part.end..whole.end, "…", false);
    }
    shown
}

/// What of a line is printed.
fn part(file: &SourceFile, line: Range<usize>, focus: usize) -> Range<usize> {
    if line.len() <= MAX_LINE {
        return line;
    }
    let boundary = |mut at: usize| {
        while !file.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = if focus - line.start <= LEAD {
        line.start
    } else {
        boundary(focus - LEAD)
    };
    start..boundary((start + MAX_LINE).min(line.end))
}

fn plain(shown: &mut Shown, file: &SourceFile, bytes: Range<usize>) {
    let text = file.text.get(bytes.clone()).unwrap_or("");
    let mut from = 0;
    for (at, c) in text.char_indices() {
        if c == '\t' || !is_unprintable(c) {
            continue;
        }
        let end = at + c.len_utf8();
        let start = bytes.start;
        shown.push(
            start + from..start + at,
            text.get(from..at).unwrap_or(""),
            true,
        );
        shown.push(start + at..start + end, "\u{fffd}", false);
        from = end;
    }
    shown.push(
        bytes.start + from..bytes.end,
        text.get(from..).unwrap_or(""),
        true,
    );
}
