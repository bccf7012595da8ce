//! L7: `markdown`: a page for a job summary or a pull request. Input: `Outcome`; output: GitHub-flavoured Markdown under 1 MiB.
//!
//! `$GITHUB_STEP_SUMMARY` takes 1 MiB a step and drops the whole text past it, so findings stop well before.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::explain;
use crate::finding::{Finding, Outcome};

use super::{
    Options, SEVERITIES, Summary, first_paragraph, not_evaluated_by_reason, number, one_line,
    opaque, opaque_names, place, plural, selected, truncated, understood,
};

/// Rows of the table of findings, and bytes it may take.
const ROWS: usize = 500;
const TABLE_BYTES: usize = 400_000;
/// Rules explained under the table.
const RULES: usize = 100;
/// Entries of one list of the ledger, and bytes of one entry.
const LISTED: usize = 100;
const CELL_BYTES: usize = 1_000;

/// Writes the page.
pub(super) fn write(outcome: &Outcome, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut page = String::from("## meshgov\n\n");
    let summary = Summary::of(outcome);
    page.push_str(&escaped(&understood(outcome)));
    page.push_str("\n\n");
    let findings: Vec<&Finding> = selected(outcome, options).collect();
    let done = counts(outcome, &summary, &mut page)
        .and_then(|()| table(outcome, &findings, &mut page))
        .and_then(|()| rules(&findings, &mut page))
        .and_then(|()| ledger(outcome, &mut page));
    debug_assert!(done.is_ok(), "a String takes every text");
    out.write_all(page.as_bytes())?;
    out.flush()
}

fn counts(outcome: &Outcome, summary: &Summary, page: &mut String) -> std::fmt::Result {
    writeln!(page, "**{}**\n", escaped(&summary.counts()))?;
    if summary.total > 0 {
        let names = SEVERITIES.iter().map(|s| s.as_str());
        writeln!(page, "| {} |", names.collect::<Vec<_>>().join(" | "))?;
        writeln!(page, "|{}", "---:|".repeat(SEVERITIES.len()))?;
        let counts = summary.by_severity.iter().map(|(_, n)| number(*n));
        writeln!(page, "| {} |\n", counts.collect::<Vec<_>>().join(" | "))?;
    }
    let gate = summary.gate(outcome.gate);
    writeln!(page, "{}", escaped(&gate).replace("--", "\\-\\-"))
}

fn table(outcome: &Outcome, findings: &[&Finding], page: &mut String) -> std::fmt::Result {
    if findings.is_empty() {
        return Ok(());
    }
    writeln!(
        page,
        "\n| severity | rule | finding | place |\n|---|---|---|---|"
    )?;
    let limit = page.len() + TABLE_BYTES;
    let mut rows = 0;
    for finding in findings.iter().take(ROWS) {
        if page.len() > limit {
            break;
        }
        rows += 1;
        let at = place(&outcome.sources, finding.span);
        let mut message = escaped(&finding.message);
        if let Some(suppressed) = &finding.suppressed {
            write!(
                message,
                " (ignored by {}: {})",
                suppressed.by,
                escaped(&suppressed.reason)
            )?;
        }
        writeln!(
            page,
            "| {} | {} | {message} | {}:{}:{} |",
            finding.severity.as_str(),
            explain::rule_title(&finding.rule),
            escaped(at.path),
            at.start.line,
            at.start.column
        )?;
    }
    if findings.len() > rows {
        let more = plural(findings.len() - rows, "more finding");
        writeln!(page, "\n{more}: run `meshgov check` to see them.")?;
    }
    Ok(())
}

/// Why and how to fix, once for each rule that fired, folded.
fn rules(findings: &[&Finding], page: &mut String) -> std::fmt::Result {
    let mut seen: Vec<&str> = Vec::new();
    for finding in findings {
        let rule = &finding.rule;
        if seen.contains(&rule.id.as_str()) {
            continue;
        }
        seen.push(&rule.id);
        if seen.len() > RULES {
            continue;
        }
        let title = explain::rule_title(rule);
        let summary = escaped(&rule.summary);
        writeln!(page, "\n<details><summary>{title}: {summary}</summary>\n")?;
        for (name, text) in [("Why", &rule.why), ("Fix", &rule.fix)] {
            let text = first_paragraph(text);
            if !text.is_empty() {
                writeln!(page, "**{name}**: {}\n", truncated(&text, CELL_BYTES))?;
            }
        }
        if let Some(url) = explain::rule_url(rule) {
            writeln!(page, "[All about {}]({})\n", rule.id, url)?;
        }
        writeln!(page, "</details>")?;
    }
    if seen.len() > RULES {
        writeln!(page, "\n{}.", plural(seen.len() - RULES, "more rule"))?;
    }
    Ok(())
}

fn ledger(outcome: &Outcome, page: &mut String) -> std::fmt::Result {
    writeln!(
        page,
        "\nRead: {} in {}, {}, {}.",
        plural(outcome.objects, "object"),
        plural(outcome.files, "file"),
        plural(outcome.views.len(), "view"),
        plural(outcome.rules.len(), "rule")
    )?;
    let files = outcome
        .not_analysed
        .iter()
        .map(|entry| format!("{} ({})", escaped(&entry.path), escaped(&entry.reason)));
    let count = plural(outcome.not_analysed.len(), "file");
    folded(&format!("Not analysed: {count}"), files, page)?;
    for (title, heading) in [
        ("not rendered", "Not rendered"),
        ("not built", "Not built"),
        ("not followed", "Not followed"),
    ] {
        let names = opaque_names(outcome, title);
        let names = names.iter().map(|name| escaped(name));
        let count = opaque(outcome, title);
        folded(&format!("{heading}: {count}"), names, page)?;
    }
    let reasons = not_evaluated_by_reason(outcome)
        .into_iter()
        .map(|(reason, count, rules)| {
            let rules = rules.into_iter().collect::<Vec<_>>().join(", ");
            format!("{}: {} ({rules})", escaped(reason), number(count))
        });
    let count = plural(outcome.not_evaluated.len(), "judgement");
    folded(&format!("Not decided: {count}"), reasons, page)?;
    let mut assumptions: Vec<&str> = outcome
        .views
        .iter()
        .flat_map(|v| v.assumptions.iter().map(String::as_str))
        .collect();
    assumptions.sort_unstable();
    assumptions.dedup();
    let count = plural(assumptions.len(), "assumption");
    let lines = assumptions.into_iter().map(escaped);
    folded(&format!("Assumed: {count}"), lines, page)
}

/// A folded list; nothing when it is empty.
fn folded(title: &str, lines: impl Iterator<Item = String>, page: &mut String) -> std::fmt::Result {
    let mut count = 0;
    for line in lines {
        if count == 0 {
            writeln!(page, "\n<details><summary>{title}</summary>\n")?;
        }
        if count < LISTED {
            writeln!(page, "- {}", truncated(&line, CELL_BYTES))?;
        }
        count += 1;
    }
    if count > LISTED {
        writeln!(page, "- and {} more", number(count - LISTED))?;
    }
    if count > 0 {
        writeln!(page, "\n</details>")?;
    }
    Ok(())
}

/// Text of a manifest inside Markdown: one line that starts no mark-up, no HTML, no mention, no table cell.
pub(super) fn escaped(text: &str) -> String {
    let text = one_line(text);
    let text = truncated(&text, CELL_BYTES);
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '@' => out.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}
