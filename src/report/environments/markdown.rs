//! L7: environments as a comment or a page. Input: `EnvironmentReport`; output: GitHub-flavoured Markdown, what is weaker first and the rest
//! folded.

use std::io::{self, Write};

use crate::query::environments::{EnvironmentReport, Verdict};

use super::{
    Alike, alike, explained, line, listed, more_callers, only, proved, reasons, remarks, sums,
    understood_as,
};
use crate::report::{Options, escaped, number, telling};

/// Groups, lines of one, and steps of a proof that are printed.
const GROUPS: usize = 25;
const LINES: usize = 8;
const STEPS: usize = 4;

/// Writes the page; the first line lets a bot find its own comment again.
pub(in crate::report) fn write(
    report: &EnvironmentReport,
    _options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "<!-- meshgov environments -->")?;
    let title = match report.applications.is_empty() {
        true => String::from("no environments found"),
        false => sums(report),
    };
    writeln!(out, "### meshgov: {}\n", escaped(&title))?;
    for application in &report.applications {
        writeln!(out, "{}  ", escaped(&understood_as(application)))?;
    }
    writeln!(out)?;
    let (open, folded): (Vec<_>, Vec<_>) = alike(report).into_iter().partition(|group| {
        group.first.intended.is_none() && group.first.verdict != Verdict::Stronger
    });
    for group in open.iter().take(GROUPS) {
        one(report, group, out)?;
    }
    if open.len() > GROUPS {
        let more = number(open.len() - GROUPS);
        writeln!(
            out,
            "{more} further causes: run `meshgov environments` to see them.\n"
        )?;
    }
    if !folded.is_empty() {
        writeln!(
            out,
            "<details><summary>What is stronger or intended</summary>\n"
        )?;
        for group in folded.iter().take(GROUPS) {
            one(report, group, out)?;
        }
        if folded.len() > GROUPS {
            writeln!(out, "… and {} more\n", number(folded.len() - GROUPS))?;
        }
        writeln!(out, "</details>\n")?;
    }
    let mut last = only(&report.only, report.applications.len());
    last.extend(remarks(report));
    let last: Vec<String> = last.iter().map(|line| escaped(line)).collect();
    if !last.is_empty() {
        writeln!(out, "<sub>{}</sub>", last.join("<br>"))?;
    }
    Ok(())
}

fn one(report: &EnvironmentReport, group: &Alike<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mark = match (group.first.verdict, &group.first.intended) {
        (_, Some(_)) => "⚪",
        (Verdict::Weaker, _) => "🔴",
        (Verdict::Unknown | Verdict::Different, _) => "🟡",
        (Verdict::Stronger, _) => "🟢",
    };
    writeln!(out, "- {mark} {}", escaped(&group.title()))?;
    for difference in group.all.iter().take(LINES) {
        writeln!(out, "  - {}", escaped(&line(difference)))?;
        for reason in reasons(difference) {
            writeln!(out, "    - not known: {}", escaped(&reason))?;
        }
        if let Some(more) = more_callers(difference) {
            writeln!(out, "    - {}", escaped(&more))?;
        }
    }
    if group.all.len() > LINES {
        writeln!(
            out,
            "  - … and {} more of the same cause",
            number(group.all.len() - LINES)
        )?;
    }
    if let Some(reason) = group.reason() {
        writeln!(out, "  - reason: {}", escaped(&reason))?;
    }
    writeln!(out)?;
    for (places, says) in explained(report, group.first) {
        writeln!(
            out,
            "  cause: {}, {}  ",
            escaped(&places.join(", ")),
            escaped(&says)
        )?;
    }
    let (there, here) = telling(&group.first.change);
    if group.first.intended.is_none() && !(there.is_empty() && here.is_empty()) {
        let cell = |steps: Vec<&crate::facts::Step>| {
            let lines = steps.into_iter().take(STEPS);
            let lines: Vec<String> = lines.map(|s| escaped(&proved(report, s))).collect();
            lines.join("<br>")
        };
        writeln!(out, "\n<details><summary>proof</summary>\n")?;
        let (own, others) = (&group.first.environment, listed(&group.first.others));
        writeln!(
            out,
            "| {} | {} |\n|---|---|",
            escaped(own),
            escaped(&others)
        )?;
        writeln!(out, "| {} | {} |\n\n</details>", cell(here), cell(there))?;
    }
    writeln!(out)
}
