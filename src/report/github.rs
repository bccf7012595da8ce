//! L7: `github`: annotations on the lines of a pull request. Input: `Outcome`; output: workflow commands, ten at most.
//!
//! <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>: a step shows ten annotations
//! of each level, so nine findings and one that counts the rest are sure to be seen.

use std::io::{self, BufWriter, Write};

use crate::finding::{Finding, Outcome};

use super::{Options, level, one_line, place, plural, selected, unseen};

const SHOWN: usize = 10;

/// Writes workflow commands for the first findings and a count of the others.
pub(super) fn write(outcome: &Outcome, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    let findings: Vec<&Finding> = selected(outcome, options)
        .filter(|f| f.suppressed.is_none())
        .collect();
    let shown = if findings.len() > SHOWN {
        SHOWN - 1
    } else {
        findings.len()
    };
    for finding in findings.iter().take(shown) {
        annotation(outcome, finding, &mut out)?;
    }
    if findings.len() > shown {
        let more = plural(findings.len() - shown, "more finding");
        writeln!(
            out,
            "::notice title=meshgov::{more}: run `meshgov check` to see them"
        )?;
    }
    if let Some(unseen) = unseen(outcome) {
        writeln!(out, "::warning title=meshgov::{}", data(&one_line(&unseen)))?;
    }
    out.flush()
}

fn annotation(outcome: &Outcome, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let at = place(&outcome.sources, finding.span);
    let command = match level(finding.severity, finding.confidence) {
        "note" => "notice",
        other => other,
    };
    write!(
        out,
        "::{command} file={},line={},endLine={}",
        property(at.path),
        at.start.line,
        at.end.line
    )?;
    // The runner refuses columns on an annotation of several lines, and an empty range.
    if at.start.line == at.end.line {
        let end = at.end.column.max(at.start.column.saturating_add(1));
        write!(out, ",col={},endColumn={end}", at.start.column)?;
    }
    let title = format!("{} ({})", finding.rule.slug, finding.rule.id);
    let message = one_line(&finding.message);
    writeln!(out, ",title={}::{}", property(&title), data(&message))
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
