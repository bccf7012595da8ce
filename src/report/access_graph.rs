//! L7: who may call what, as a picture. Input: `AccessReport`; output: Graphviz or Mermaid text.
//!
//! Without calls asked for it draws what policies say: members of sets, `anyone`, ways in; never all pairs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Write};

use crate::facts::access::{By, Level};
use crate::query::access::{AccessReport, PortEntry, ViewAccess};

use super::{Options, one_line};

/// Two nodes and the words between them.
type Line = (String, String, String);

/// Writes Graphviz.
pub(super) fn dot(
    report: &AccessReport,
    _options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    let quoted = |t: &str| {
        let text = one_line(t).replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{text}\"")
    };
    let mut text = String::from("digraph access {\n  rankdir=LR;\n  node [shape=box];\n");
    for (from, to, label) in lines(report) {
        let _ = match label.as_str() {
            "" => writeln!(text, "  {} -> {};", quoted(&from), quoted(&to)),
            label => writeln!(
                text,
                "  {} -> {} [label={}];",
                quoted(&from),
                quoted(&to),
                quoted(label)
            ),
        };
    }
    text.push_str("}\n");
    out.write_all(text.as_bytes())
}

/// Writes a Mermaid flowchart.
pub(super) fn mermaid(
    report: &AccessReport,
    _options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    let lines = lines(report);
    let names: BTreeSet<&String> = lines.iter().flat_map(|(a, b, _)| [a, b]).collect();
    let numbers: BTreeMap<&String, usize> = names.into_iter().zip(0..).collect();
    let quoted = |t: &str| one_line(t).replace('"', "#quot;");
    let mut text = String::from("flowchart LR\n");
    for (name, number) in &numbers {
        let _ = writeln!(text, "  n{number}[\"{}\"]", quoted(name));
    }
    for (from, to, label) in &lines {
        let (Some(from), Some(to)) = (numbers.get(from), numbers.get(to)) else {
            continue;
        };
        let _ = match label.as_str() {
            "" => writeln!(text, "  n{from} --> n{to}"),
            label => writeln!(text, "  n{from} -->|\"{}\"| n{to}", quoted(label)),
        };
    }
    out.write_all(text.as_bytes())
}

fn lines(report: &AccessReport) -> BTreeSet<Line> {
    let several = report.views.len() > 1;
    let mut lines = BTreeSet::new();
    for view in &report.views {
        let prefix = |name: String| {
            if several {
                format!("{}: {name}", view.name)
            } else {
                name
            }
        };
        for (from, to, label) in of_view(view) {
            lines.insert((prefix(from), prefix(to), label));
        }
    }
    lines
}

fn of_view(view: &ViewAccess) -> Vec<Line> {
    let mut lines = Vec::new();
    let calls = view
        .edges
        .iter()
        .flatten()
        .chain(view.reach.iter().flatten().map(|r| &r.last))
        .filter(|e| e.edge.verdict.is_open());
    for call in calls {
        let label = match call.edge.verdict.as_str() {
            "allow" => String::new(),
            other => other.to_owned(),
        };
        let to = format!("{}:{}", call.to.reference(), call.port);
        lines.push((call.from.reference(), to, label));
    }
    if view.edges.is_some() || view.reach.is_some() {
        return lines;
    }
    for port in &view.ports {
        let to = format!("{}:{}", port.workload.reference(), port.port.number);
        for (from, label) in callers(port) {
            lines.push((from, to.clone(), label));
        }
        for (way, access) in &port.exposures {
            let level = access.get().map_or("unknown", |a| a.level.as_str());
            if level != Level::Nobody.as_str() {
                let opener = way.opened_by();
                lines.push(("outside".to_owned(), opener.clone(), String::new()));
                lines.push((opener, to.clone(), level.to_owned()));
            }
        }
    }
    lines
}

/// Who may call a port, as nodes.
fn callers(port: &PortEntry) -> Vec<(String, String)> {
    let Some(access) = port.access.get() else {
        return vec![("?".to_owned(), "unknown".to_owned())];
    };
    let how = if access.by.contains(&By::Jwt) {
        "token"
    } else {
        ""
    };
    match access.level {
        Level::Nobody => Vec::new(),
        Level::Anyone => vec![("anyone".to_owned(), String::new())],
        Level::Mesh if access.set.is_empty() => {
            let whom = if how.is_empty() {
                "any mesh identity"
            } else {
                "anyone with a token"
            };
            vec![(whom.to_owned(), String::new())]
        }
        _ => access
            .set
            .iter()
            .map(|m| (m.clone(), how.to_owned()))
            .collect(),
    }
}
