//! L7: missing facts. Input: `AssumeReport`; output: a list for people with the YAML to paste, or JSON.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::{Map, Value, json};

use crate::query::assume::{AssumeReport, Decided, Gap, Proposal};

use super::{Options, at, lacks, one_line, place, plural, wrapped, write_json};

/// Width of the list.
const WIDTH: usize = 80;
/// Width of the column with counts.
const COUNT: usize = 7;
/// What stands for the namespace of objects that name none.
const UNNAMED: &str = "default";
/// Where lines of JSON stop to break.
const DEPTH: usize = 2;

/// Writes the list.
pub(super) fn human(
    report: &AssumeReport,
    _options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut text = String::new();
    if report.gaps.is_empty() {
        let _ = match report.before.ports {
            0 => writeln!(text, "No workload has a port here, so nothing is asked."),
            ports => writeln!(
                text,
                "Nothing is missing: every answer about {} follows from the files.",
                plural(ports, "port")
            ),
        };
        for lack in lacks(report.opaque.iter()) {
            let _ = writeln!(text, "{lack}");
        }
        return out.write_all(text.as_bytes());
    }
    let (unknown, assumed): (Vec<&Gap>, Vec<&Gap>) = report.gaps.iter().partition(|g| g.unknown);
    group(&mut text, report, "Unknown until somebody says", &unknown);
    group(
        &mut text,
        report,
        "Taken for granted until somebody says",
        &assumed,
    );
    let paste = yaml(report);
    let adds = report.gaps.iter().any(|gap| !gap.proposal.is_empty());
    if adds && !paste.is_empty() {
        let _ = writeln!(
            text,
            "If that is so, put it into meshgov.yaml (labels as the namespaces really have them):\n"
        );
        text.push_str(&paste);
        text.push('\n');
    }
    let _ = writeln!(
        text,
        "decided: {}{}",
        shares(report.before),
        if report.before == report.after {
            String::new()
        } else {
            format!(" · with it: {}", shares(report.after))
        }
    );
    out.write_all(text.as_bytes())
}

fn group(text: &mut String, report: &AssumeReport, title: &str, gaps: &[&Gap]) {
    if gaps.is_empty() {
        return;
    }
    let _ = writeln!(text, "{title}\n");
    let _ = writeln!(text, "{:>COUNT$}  missing fact", "answers");
    for gap in gaps {
        let mut count = gap.answers.to_string();
        for line in wrapped(&one_line(&gap.missing), WIDTH - COUNT - 2) {
            let _ = writeln!(text, "{count:>COUNT$}  {line}");
            count.clear();
        }
        if let Some(span) = gap.span {
            let _ = writeln!(text, "{:>COUNT$}  {}", "", at(&report.sources, span));
        }
        let settled = if gap.proposal.is_empty() {
            "no assumption settles it: it must be in the files".to_owned()
        } else {
            format!("settled by {}", keys(&gap.proposal))
        };
        for line in wrapped(&settled, WIDTH - COUNT - 2) {
            let _ = writeln!(text, "{:>COUNT$}  {line}", "");
        }
    }
    text.push('\n');
}

fn keys(proposal: &Proposal) -> String {
    let mut parts = Vec::new();
    if !proposal.complete.is_empty() {
        parts.push(format!(
            "complete: [{}]",
            names(&proposal.complete).join(", ")
        ));
    }
    if !proposal.namespaces.is_empty() {
        parts.push(format!(
            "namespaces: {}",
            names(&proposal.namespaces).join(", ")
        ));
    }
    parts.join(" and ")
}

fn names<'n>(set: impl IntoIterator<Item = &'n String>) -> Vec<String> {
    let named = |name: &String| match name.as_str() {
        "" => UNNAMED.to_owned(),
        name => name.to_owned(),
    };
    let mut all: Vec<String> = set.into_iter().map(named).collect();
    all.sort();
    all.dedup();
    all
}

fn shares(decided: Decided) -> String {
    let share = |known: usize| (known * 100).checked_div(decided.ports).unwrap_or(100);
    format!(
        "transport {} %, access {} %",
        share(decided.transport),
        share(decided.access)
    )
}

/// The `assume:` section with everything proposed and what was assumed before; empty when nothing is.
#[must_use]
pub fn yaml(report: &AssumeReport) -> String {
    let Value::Object(section) = section(report) else {
        return String::new();
    };
    if section.is_empty() {
        return String::new();
    }
    let mut text = String::from("assume:\n");
    for (key, value) in &section {
        match value {
            Value::Object(map) => {
                let _ = writeln!(text, "  {key}:");
                for (name, value) in map {
                    let _ = writeln!(text, "    {name}: {}", flow(value));
                }
            }
            other => {
                let _ = writeln!(text, "  {key}: {}", flow(other));
            }
        }
    }
    text
}

/// A value in flow style; names of namespaces and labels need no quotes, other texts get them.
fn flow(value: &Value) -> String {
    let plain = |t: &str| {
        let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '/' | '_');
        let word = t.starts_with(|c: char| c.is_ascii_alphabetic()) && t.chars().all(safe);
        let bool_like = matches!(
            t.to_ascii_lowercase().as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
        if word && !bool_like {
            t.to_owned()
        } else {
            format!("'{}'", t.replace('\'', "''"))
        }
    };
    match value {
        Value::String(text) => plain(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => {
            let items: Vec<String> = map
                .iter()
                .map(|(key, value)| format!("{}: {}", plain(key), flow(value)))
                .collect();
            format!("{{{}}}", items.join(", "))
        }
        other => other.to_string(),
    }
}

fn section(report: &AssumeReport) -> Value {
    let mut section = Map::new();
    if report.unnamed {
        section.insert("defaultNamespace".to_owned(), json!(UNNAMED));
    }
    let proposal = &report.proposal;
    if !proposal.complete.is_empty() {
        section.insert("complete".to_owned(), json!(names(&proposal.complete)));
    }
    let all = names(proposal.namespaces.iter().chain(report.labels.keys()));
    if !all.is_empty() {
        let labels = |name: &String| match report.labels.get(name) {
            Some(labels) => json!({"labels": labels}),
            None => json!({"labels": {}}),
        };
        let map: Map<String, Value> = all.iter().map(|n| (n.clone(), labels(n))).collect();
        section.insert("namespaces".to_owned(), Value::Object(map));
    }
    Value::Object(section)
}

/// Writes one JSON document.
pub(super) fn json(
    report: &AssumeReport,
    _options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    let gaps: Vec<Value> = report
        .gaps
        .iter()
        .map(|gap| {
            let at = gap.span.map(|span| {
                let place = place(&report.sources, span);
                json!({"path": place.path, "line": place.start.line, "column": place.start.column})
            });
            json!({
                "missing": gap.missing,
                "kind": if gap.unknown { "unknown" } else { "assumed" },
                "answers": gap.answers,
                "settledBy": {"complete": names(&gap.proposal.complete), "namespaces": names(&gap.proposal.namespaces)},
                "at": at,
            })
        })
        .collect();
    let decided =
        |d: Decided| json!({"ports": d.ports, "transport": d.transport, "access": d.access});
    let document = json!({
        "version": 1,
        "missing": gaps,
        "assume": section(report),
        "decided": {"before": decided(report.before), "after": decided(report.after)},
    });
    let mut out = out;
    write_json(&mut out, &document, DEPTH)
}
