//! L7: a posture diff as a pull-request comment. Input: `DiffReport`; output: GitHub-flavoured Markdown: what widened, a graph of new
//! callers and of data that leaves, and the rest folded. A comment takes 65,536 characters, so lists stop well before and say so.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::facts::change::{Change, ChangeKind, Direction, Side};
use crate::query::diff::DiffReport;

use super::{
    Group, Options, causes, counts, escaped, first_names, groups, notes, number, scope,
    sentence_of, step, telling,
};

/// Causes, lines of one, and steps of a proof that are printed.
const GROUPS: usize = 25;
const LINES: usize = 8;
const STEPS: usize = 4;
/// New callers in the graph.
const EDGES: usize = 15;
/// Characters before lists stop.
const LIMIT: usize = 55_000;

/// Writes the comment; the first line lets a bot find its own comment again.
pub(super) fn write(
    report: &DiffReport,
    _options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut page = String::from("<!-- meshgov diff -->\n");
    let done = body(report, &mut page);
    debug_assert!(done.is_ok(), "a String takes every text");
    out.write_all(page.as_bytes())
}

fn body(report: &DiffReport, page: &mut String) -> std::fmt::Result {
    writeln!(page, "### meshgov: {}\n", counts(report))?;
    let groups = groups(report);
    let mut printed = 0;
    for direction in [Direction::Widened, Direction::Changed, Direction::Narrowed] {
        let of: Vec<&Group<'_>> = groups.iter().filter(|g| first(g) == direction).collect();
        if of.is_empty() {
            continue;
        }
        let folded = direction == Direction::Narrowed;
        if folded {
            writeln!(page, "<details><summary>What narrowed</summary>\n")?;
        }
        for group in of {
            if printed >= GROUPS || page.len() > LIMIT {
                break;
            }
            printed += 1;
            one(report, group, page)?;
        }
        if folded {
            writeln!(page, "</details>\n")?;
        }
        if direction == Direction::Widened {
            graph(report, page)?;
        }
    }
    if groups.len() > printed {
        let more = number(groups.len() - printed);
        writeln!(
            page,
            "{more} further causes: run `meshgov diff` to see them.\n"
        )?;
    }
    let mut last = vec![scope(report)];
    last.extend(notes(report));
    let last: Vec<String> = last.iter().map(|line| escaped(line)).collect();
    writeln!(page, "<sub>{}</sub>", last.join("<br>"))
}

fn first(group: &Group<'_>) -> Direction {
    let directions = group.lines.iter().map(|line| line.change.direction);
    directions.min().unwrap_or(Direction::Changed)
}

fn one(report: &DiffReport, group: &Group<'_>, page: &mut String) -> std::fmt::Result {
    for line in group.lines.iter().take(LINES) {
        let change = line.change;
        let mark = match change.direction {
            Direction::Widened => "🔴",
            Direction::Changed => "🟡",
            Direction::Narrowed => "🟢",
        };
        let subject = line.subject();
        let sentence = escaped(&sentence_of(change, &subject));
        let bold = format!("**{}**", escaped(&subject));
        let sentence = sentence.replacen(&escaped(&subject), &bold, 1);
        writeln!(page, "- {mark} {sentence}")?;
        let (before, after) = (change.before.words(), change.after.words());
        let kind = change.kind.as_str();
        writeln!(page, "  - {kind}: {} → {}", code(before), code(after))?;
        if let Some(edges) = &change.edges
            && edges.added > 0
        {
            let names = first_names(&edges.first_added, edges.added, 5);
            writeln!(page, "  - new: {}", escaped(&names))?;
        }
    }
    if group.lines.len() > LINES {
        writeln!(
            page,
            "- … and {} more consequences",
            number(group.lines.len() - LINES)
        )?;
    }
    writeln!(page)?;
    for (says, places) in causes(report, group.cause) {
        let places: Vec<String> = places.iter().map(|p| code(p)).collect();
        writeln!(page, "  cause: {}, {}  ", places.join(", "), escaped(&says))?;
    }
    if let Some(line) = group.lines.first() {
        proofs(report, line.change, page)?;
    }
    writeln!(page)
}

/// Two proofs side by side, folded.
fn proofs(report: &DiffReport, change: &Change, page: &mut String) -> std::fmt::Result {
    let cell = |side, steps: Vec<&crate::facts::Step>| -> String {
        let lines: Vec<String> = steps
            .into_iter()
            .take(STEPS)
            .map(|s| escaped(&step(report, side, s)).replace('|', "\\|"))
            .collect();
        lines.join("<br>")
    };
    let (before, after) = telling(change);
    let (before, after) = (cell(Side::Base, before), cell(Side::Head, after));
    if before.is_empty() && after.is_empty() {
        return Ok(());
    }
    writeln!(page, "\n<details><summary>proof</summary>\n")?;
    writeln!(
        page,
        "| before | after |\n|---|---|\n| {before} | {after} |\n"
    )?;
    writeln!(page, "</details>\n")
}

/// New callers, and data that newly leaves the cluster, as a graph; what is left out is counted in its last node.
fn graph(report: &DiffReport, page: &mut String) -> std::fmt::Result {
    let mut edges: Vec<(String, String)> = Vec::new();
    // Data that leaves the cluster: dotted.
    let mut out: Vec<(String, String)> = Vec::new();
    let mut left = 0;
    for change in report
        .changes
        .iter()
        .filter(|c| c.direction == Direction::Widened)
    {
        let room = EDGES.saturating_sub(out.len());
        let ends = change.ends.iter().take(room);
        out.extend(ends.map(|end| (change.about.words(), end.clone())));
        let Some(found) = &change.edges else { continue };
        let subject = change.about.words();
        let room = EDGES.saturating_sub(edges.len());
        let of = found.first_added.iter().take(room);
        let kept = of.len();
        edges.extend(of.map(|name| match change.kind {
            ChangeKind::Reach => (subject.clone(), name.clone()),
            _ => (name.clone(), subject.clone()),
        }));
        left += found.added - kept;
    }
    if edges.is_empty() && out.is_empty() {
        return Ok(());
    }
    let mut nodes: Vec<&str> = Vec::new();
    for (from, to) in edges.iter().chain(&out) {
        for name in [from, to] {
            if !nodes.contains(&name.as_str()) {
                nodes.push(name);
            }
        }
    }
    let id = |name: &str| nodes.iter().position(|n| *n == name).unwrap_or(0);
    writeln!(page, "```mermaid\ngraph LR")?;
    for (at, name) in nodes.iter().enumerate() {
        writeln!(page, "  n{at}[\"{}\"]", label(name))?;
    }
    for (from, to) in &edges {
        writeln!(page, "  n{} ==> n{}", id(from), id(to))?;
    }
    for (from, to) in &out {
        writeln!(page, "  n{} -.-> n{}", id(from), id(to))?;
    }
    if left > 0 {
        writeln!(page, "  more[\"and {} more new callers\"]", number(left))?;
    }
    writeln!(page, "```\n")
}

/// A name inside a quoted label of mermaid.
fn label(name: &str) -> String {
    let kept = |c: char| c.is_ascii_alphanumeric() || "-_./: ()".contains(c);
    name.chars()
        .map(|c| if kept(c) { c } else { '_' })
        .collect()
}

/// A text as inline code; a back-tick inside cannot be escaped.
fn code(text: &str) -> String {
    format!("`{}`", super::one_line(text).replace('`', "'"))
}
