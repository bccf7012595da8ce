//! L7: environments for a terminal. Input: `EnvironmentReport`; output: where production is weaker, under the place that makes it so, with
//! both proofs; then what is stronger, what is meant, and what exists in one environment only.

use std::io::{self, Write};

use crate::query::environments::EnvironmentReport;

use super::{
    Alike, alike, explained, line, more_callers, only, proved, reasons, remarks, sums,
    understood_as,
};
use crate::report::{Options, number, one_line, telling};

/// Groups, lines of one, and steps of a proof that are printed without `--all`.
const GROUPS: usize = 20;
const LINES: usize = 6;
const STEPS: usize = 3;

/// Writes the report.
pub(in crate::report) fn write(
    report: &EnvironmentReport,
    options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    if report.applications.is_empty() {
        out.write_all(NONE.as_bytes())?;
    }
    let list = |limit: usize, all: usize| if options.all { all } else { limit };
    for application in &report.applications {
        writeln!(out, "{}", understood_as(application))?;
    }
    if !report.applications.is_empty() {
        writeln!(out)?;
    }
    let groups = alike(report);
    let shown = list(GROUPS, groups.len());
    for group in groups.iter().take(shown) {
        one(report, group, options, out)?;
    }
    if groups.len() > shown {
        let more = number(groups.len() - shown);
        writeln!(out, "… and {more} further causes; --all prints them\n")?;
    }
    for line in only(&report.only, report.applications.len()) {
        writeln!(out, "{line}")?;
    }
    if report.applications.iter().any(|a| a.is_compared()) {
        writeln!(out, "{}", sums(report))?;
    }
    for line in remarks(report) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// What is said where nothing is found.
const NONE: &str = "no environments found: no two views differ in the name of an environment only (`overlays/prod`, `overlays/staging`)\n  help: declare them under `environments:` in meshgov.yaml\n";

fn one(
    report: &EnvironmentReport,
    group: &Alike<'_>,
    options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    let application = match report.applications.len() {
        0 | 1 => String::new(),
        _ => format!("{}: ", one_line(&group.first.application)),
    };
    writeln!(out, "{application}{}", group.title())?;
    let lines = if options.all { group.all.len() } else { LINES };
    for difference in group.all.iter().take(lines) {
        writeln!(out, "  {}", line(difference))?;
        for reason in reasons(difference) {
            writeln!(out, "    not known: {}", one_line(&reason))?;
        }
        if let Some(more) = more_callers(difference) {
            writeln!(out, "    {more}")?;
        }
    }
    if group.all.len() > lines {
        let more = number(group.all.len() - lines);
        writeln!(
            out,
            "  … and {more} more of the same cause; --all prints them"
        )?;
    }
    if let Some(reason) = group.reason() {
        writeln!(out, "  reason: {reason}")?;
    }
    let causes = explained(report, group.first);
    if causes.is_empty() {
        writeln!(out, "  cause: not found among the objects that were read")?;
    }
    for (places, says) in causes {
        writeln!(out, "  cause: {}, {}", places.join(", "), one_line(&says))?;
    }
    if group.first.intended.is_none() || options.all {
        proofs(report, group, options, out)?;
    }
    writeln!(out)
}

/// Both proofs, without what they share.
fn proofs(
    report: &EnvironmentReport,
    group: &Alike<'_>,
    options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    let change = &group.first.change;
    let (there, here) = if options.all {
        (
            change.base_proof.iter().collect(),
            change.head_proof.iter().collect(),
        )
    } else {
        telling(change)
    };
    let other = group.first.others.first().map_or("", String::as_str);
    let own = group.first.environment.as_str();
    let width = own.chars().count().max(other.chars().count());
    for (name, steps) in [(own, here), (other, there)] {
        let shown = if options.all { steps.len() } else { STEPS };
        for (at, step) in steps.into_iter().take(shown).enumerate() {
            let name = if at == 0 { name } else { "" };
            writeln!(out, "  {name:<width$} | {}", proved(report, step))?;
        }
    }
    Ok(())
}
