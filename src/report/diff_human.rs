//! L7: a posture diff for a terminal. Input: `DiffReport`; output: changes under the edit that caused them, proofs before and after.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::facts::change::{Change, Side};
use crate::query::diff::DiffReport;

use super::{
    Group, Options, causes, counts, first_names, groups, notes, number, one_line, scope,
    sentence_of, step, telling,
};

/// Groups, lines of one, and steps of a proof that are printed without `--all`.
const GROUPS: usize = 20;
const LINES: usize = 6;
const STEPS: usize = 3;

/// Writes the report.
pub(super) fn write(report: &DiffReport, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut text = String::new();
    let groups = groups(report);
    let shown = if options.all { groups.len() } else { GROUPS };
    let done = groups
        .iter()
        .take(shown)
        .try_for_each(|group| one(report, group, options, &mut text));
    debug_assert!(done.is_ok(), "a String takes every text");
    if groups.len() > shown {
        text.push_str(&format!(
            "… and {} further causes; --all prints them\n\n",
            number(groups.len() - shown)
        ));
    }
    text.push_str(&format!("{}; {}\n", counts(report), scope(report)));
    for note in notes(report) {
        text.push_str(&format!("{note}\n"));
    }
    out.write_all(text.as_bytes())
}

fn one(
    report: &DiffReport,
    group: &Group<'_>,
    options: &Options,
    text: &mut String,
) -> std::fmt::Result {
    let lines = if options.all {
        group.lines.len()
    } else {
        LINES
    };
    for line in group.lines.iter().take(lines) {
        let change = line.change;
        let sentence = sentence_of(change, &line.subject());
        writeln!(text, "{}: {sentence}", change.direction.as_str())?;
        let (kind, before, after) = (
            change.kind.as_str(),
            change.before.words(),
            change.after.words(),
        );
        writeln!(text, "  {kind}: {} → {}", one_line(before), one_line(after))?;
        if let Some(edges) = &change.edges {
            if edges.added > 0 {
                writeln!(
                    text,
                    "  new: {}",
                    first_names(&edges.first_added, edges.added, 5)
                )?;
            }
            if edges.removed > 0 {
                writeln!(
                    text,
                    "  gone: {}",
                    first_names(&edges.first_removed, edges.removed, 5)
                )?;
            }
        }
    }
    if group.lines.len() > lines {
        let more = number(group.lines.len() - lines);
        writeln!(text, "… and {more} more consequences; --all prints them")?;
    }
    if group.cause.is_empty() {
        writeln!(text, "  cause: not found among the objects that were read")?;
    }
    for (says, places) in causes(report, group.cause) {
        writeln!(text, "  cause: {}, {}", places.join(", "), one_line(&says))?;
    }
    if let Some(first) = group.lines.first() {
        proofs(report, first.change, options, text)?;
    }
    writeln!(text)
}

fn proofs(
    report: &DiffReport,
    change: &Change,
    options: &Options,
    text: &mut String,
) -> std::fmt::Result {
    let (before, after) = if options.all {
        (
            change.base_proof.iter().collect(),
            change.head_proof.iter().collect(),
        )
    } else {
        telling(change)
    };
    for (word, side, steps) in [("before", Side::Base, before), ("after", Side::Head, after)] {
        let shown = if options.all { steps.len() } else { STEPS };
        for (at, one) in steps.into_iter().take(shown).enumerate() {
            let word = if at == 0 { word } else { "" };
            writeln!(text, "  {word:<6} | {}", step(report, side, one))?;
        }
    }
    Ok(())
}
