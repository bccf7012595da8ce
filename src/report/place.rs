//! L7: where findings stand, as people and programs read it. Input: spans; output: paths, lines and columns.

use crate::facts::{Confidence, Severity};
use crate::finding::{Finding, Outcome};
use crate::source::{Position, Sources, Span};

use super::Options;

/// A span as a reader finds it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// Path as in [`crate::source::SourceFile`].
    pub(super) path: &'a str,
    /// 1-based, columns in Unicode scalar values.
    pub(super) start: Position,
    /// One past the last character.
    pub(super) end: Position,
}

const ORIGIN: Position = Position { line: 1, column: 1 };

/// The place of a span; a span of no source of the run stands at the start of `.`, so that it is not lost.
pub(super) fn place(sources: &Sources, span: Span) -> Place<'_> {
    match sources.get(span.source) {
        Some(file) => Place {
            path: &file.path,
            start: file.position(span.start),
            end: file.position(span.end),
        },
        None => Place {
            path: ".",
            start: ORIGIN,
            end: ORIGIN,
        },
    }
}

/// The findings to list, in their order: silenced ones only on request, and then after the others.
pub(super) fn selected<'a>(
    outcome: &'a Outcome,
    options: &Options,
) -> impl Iterator<Item = &'a Finding> {
    let silenced = options
        .suppressed
        .then(|| outcome.findings.iter().filter(|f| f.suppressed.is_some()));
    outcome
        .findings
        .iter()
        .filter(|f| f.suppressed.is_none())
        .chain(silenced.into_iter().flatten())
}

/// The word of SARIF and of annotations for how loud a finding is; what rests on assumption is a note.
pub(super) fn level(severity: Severity, confidence: Confidence) -> &'static str {
    match severity {
        _ if confidence == Confidence::Low => "note",
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Note => "note",
    }
}
