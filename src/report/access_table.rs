//! L7: who may call what, as a table. Input: `AccessReport`; output: text of at most 80 columns, as far as names allow.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use crate::facts::egress::EgressMode;
use crate::query::access::{AccessReport, EdgeEntry, PortEntry, ViewAccess};

use super::{
    Options, and_more, answer, copied, lacks, number, one_line, plural, way_in, who, wrapped,
};

/// Width of the table.
const WIDTH: usize = 80;
/// Widths of name, port and transport; who may call gets the rest.
const NAME: usize = 28;
const PORT: usize = 5;
const TRANSPORT: usize = 10;
const WHO: usize = WIDTH - NAME - PORT - TRANSPORT - 3;
/// Lines of things taken for granted that are printed.
const ASSUMED: usize = 4;

/// Writes the table.
pub(super) fn write(
    report: &AccessReport,
    _options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut text = String::new();
    for view in &report.views {
        header(&mut text, view);
        if let Some(reach) = &view.reach {
            reached(&mut text, report, reach);
            continue;
        }
        match (&report.selection.from, &view.edges) {
            (Some(from), Some(edges)) => calls(&mut text, from, edges),
            (_, edges) => {
                ports(&mut text, report, &view.ports);
                if let Some(edges) = edges {
                    callers(&mut text, edges);
                }
                made(&mut text, view);
                idle_routes(&mut text, view);
                egress(&mut text, view);
            }
        }
    }
    if report.selection.from.is_none() && report.selection.reach.is_none() {
        footer(&mut text, report);
    }
    out.write_all(text.as_bytes())
}

fn header(text: &mut String, view: &ViewAccess) {
    let mesh = if view.mesh.is_empty() {
        "no mesh"
    } else {
        &view.mesh
    };
    let (all, meshed) = view.workloads;
    let _ = write!(
        text,
        "{} · {mesh} · {}",
        one_line(&view.name),
        plural(all, "workload")
    );
    if !view.mesh.is_empty() {
        let _ = write!(text, ", {} meshed", number(meshed));
    }
    for lack in lacks(view.opaque.iter()) {
        let _ = write!(text, " · {}", one_line(&lack));
    }
    text.push_str("\n\n");
}

fn row(text: &mut String, [name, port, transport, who]: [&str; 4]) {
    let line = format!("{name:<NAME$} {port:>PORT$} {transport:<TRANSPORT$} {who}");
    let _ = writeln!(text, "{}", line.trim_end());
}

fn ports(text: &mut String, report: &AccessReport, ports: &[PortEntry]) {
    if ports.is_empty() {
        let asked = &report.selection;
        let all = asked.to.is_none() && asked.namespaces.is_empty() && asked.levels.is_empty();
        text.push_str(match all {
            true => "No workload has a port here.\n\n",
            false => "No port fits.\n\n",
        });
        return;
    }
    row(text, ["WORKLOAD", "PORT", "TRANSPORT", "WHO MAY CALL"]);
    let mut names: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for entry in ports {
        let kinds = names.entry(entry.workload.reference()).or_default();
        if !kinds.contains(&entry.workload.kind.as_str()) {
            kinds.push(&entry.workload.kind);
        }
    }
    let mut last = None;
    for entry in ports {
        let reference = entry.workload.reference();
        let several = names.get(&reference).is_some_and(|kinds| kinds.len() > 1);
        let name = if several {
            format!("{}:{reference}", entry.workload.kind)
        } else {
            reference
        };
        let name = one_line(&name).into_owned();
        let again = last.as_ref() == Some(&entry.workload);
        last = Some(entry.workload.clone());
        port(text, if again { "" } else { &name }, entry);
    }
    text.push('\n');
}

fn port(text: &mut String, name: &str, entry: &PortEntry) {
    let mut name = name;
    if name.chars().count() > NAME {
        // A long name stands on a line of its own, whole: it is what people search for.
        let _ = writeln!(text, "{name}");
        name = "";
    }
    let number = entry.port.number.to_string();
    let transport = entry.transport.get().map_or("?", |t| t.mode.as_str());
    let mut lines = wrapped(&who(&entry.access), WHO).into_iter();
    let first = lines.next().unwrap_or_default();
    row(text, [name, &number, transport, &first]);
    for line in lines {
        row(text, ["", "", "", &line]);
    }
    let mut told: Vec<String> = Vec::new();
    for (way, access) in &entry.exposures {
        let words = format!("{}: {}", way_in(way), who(access));
        if told.contains(&words) {
            continue;
        }
        told.push(words.clone());
        let mut indent = "  from outside: ";
        for line in wrapped(&words, WIDTH - indent.len()) {
            let _ = writeln!(text, "{indent}{line}");
            indent = "                ";
        }
    }
    for copies in &entry.copies {
        let mut indent = "  copies: ";
        for line in wrapped(&copied(copies), WIDTH - indent.len()) {
            let _ = writeln!(text, "{indent}{line}");
            indent = "          ";
        }
    }
}

/// The callers of a port, those that get through first; the others are counted.
fn callers(text: &mut String, edges: &[EdgeEntry]) {
    if edges.is_empty() {
        return;
    }
    let (open, shut): (Vec<_>, Vec<_>) = edges.iter().partition(|e| e.edge.verdict.is_open());
    let _ = writeln!(text, "Calls between the workloads of the view:");
    for entry in &open {
        let from = one_line(&entry.from.reference()).into_owned();
        let to = one_line(&entry.to.reference()).into_owned();
        let words = format!("{from} → {to}:{} {}", entry.port, answer(&entry.edge));
        indented(text, &words);
    }
    let _ = writeln!(text, "  {} refused\n", plural(shut.len(), "call"));
}

fn indented(text: &mut String, words: &str) {
    let mut indent = "  ";
    for line in wrapped(words, WIDTH - 6) {
        let _ = writeln!(text, "{indent}{line}");
        indent = "      ";
    }
}

/// What one workload may call.
fn calls(text: &mut String, from: &str, edges: &[EdgeEntry]) {
    let (open, shut): (Vec<_>, Vec<_>) = edges.iter().partition(|e| e.edge.verdict.is_open());
    let _ = writeln!(text, "{} may call", one_line(from));
    if open.is_empty() {
        text.push_str("  nothing of the view\n");
    }
    for entry in &open {
        let to = one_line(&entry.to.reference()).into_owned();
        indented(
            text,
            &format!("{to}:{} {}", entry.port, answer(&entry.edge)),
        );
    }
    if !shut.is_empty() {
        let names = shut
            .iter()
            .map(|e| format!("{}:{}", e.to.reference(), e.port));
        let names: Vec<String> = names.collect();
        indented(text, &format!("refused by {}", and_more(names.iter(), 6)));
    }
    text.push('\n');
}

fn reached(text: &mut String, report: &AccessReport, reach: &[crate::query::access::ReachEntry]) {
    let start = report.selection.reach.as_deref().unwrap_or_default();
    let _ = writeln!(text, "With the identity of {} one gets to", one_line(start));
    if reach.is_empty() {
        text.push_str("  nothing of the view\n\n");
        return;
    }
    let mut calls = 0;
    for entry in reach {
        if entry.calls != calls {
            calls = entry.calls;
            let _ = match calls {
                1 => writeln!(text, "  by a call of its own"),
                n => writeln!(
                    text,
                    "  in {n} calls, if what it calls passes on what it is told"
                ),
            };
        }
        let to = one_line(&entry.last.to.reference()).into_owned();
        let through = match calls {
            1 => String::new(),
            _ => format!(" through {}", one_line(&entry.last.from.reference())),
        };
        let words = format!(
            "{to}:{}{through} {}",
            entry.last.port,
            answer(&entry.last.edge)
        );
        let mut indent = "    ";
        for line in wrapped(&words, WIDTH - 8) {
            let _ = writeln!(text, "{indent}{line}");
            indent = "        ";
        }
    }
    text.push('\n');
}

/// Objects about which nothing can be said, because their controllers make the pods.
fn made(text: &mut String, view: &ViewAccess) {
    if view.made.is_empty() {
        return;
    }
    let words = format!(
        "Their controllers make the pods, so nothing is known of their ports: {}.",
        and_more(view.made.iter(), 5)
    );
    for line in wrapped(&words, WIDTH) {
        let _ = writeln!(text, "{line}");
    }
    text.push('\n');
}

/// Routes that lead nobody in, because no listener takes them.
fn idle_routes(text: &mut String, view: &ViewAccess) {
    let idle: Vec<String> = view
        .routes
        .iter()
        .filter(|r| r.attachment.attached == Some(false))
        .map(|r| {
            let route = &r.attachment;
            format!("{} at {}", route.reference(), route.gateway.reference())
        })
        .collect();
    if !idle.is_empty() {
        let words = format!(
            "No gateway takes {}; --why tells.",
            and_more(idle.iter(), 5)
        );
        for line in wrapped(&words, WIDTH) {
            let _ = writeln!(text, "{line}");
        }
        text.push('\n');
    }
}

fn egress(text: &mut String, view: &ViewAccess) {
    let of = |mode: EgressMode| {
        let fits = view.egress.iter();
        fits.filter(move |e| e.egress.get().is_some_and(|e| e.mode == mode))
            .count()
    };
    let (open, some, none) = (
        of(EgressMode::Open),
        of(EgressMode::Restricted),
        of(EgressMode::None),
    );
    let mut known = view.egress.iter().filter_map(|e| e.egress.get());
    let limited = known.any(|e| !e.nets.is_empty());
    if some + none > 0 {
        let _ = writeln!(
            text,
            "Out of the view: {} to anywhere, {} to listed hosts{}, {} nowhere.\n",
            plural(open, "workload"),
            number(some),
            if limited { " or networks" } else { "" },
            number(none)
        );
    }
}

fn footer(text: &mut String, report: &AccessReport) {
    let ports: Vec<&PortEntry> = report.views.iter().flat_map(|v| &v.ports).collect();
    let share = |known: usize| (known * 100).checked_div(ports.len());
    let transport = ports.iter().filter(|p| p.transport.get().is_some()).count();
    let access = ports.iter().filter(|p| p.access.get().is_some()).count();
    let _ = write!(
        text,
        "{} in {}",
        plural(ports.len(), "port"),
        plural(report.views.len(), "view")
    );
    if let (Some(transport), Some(access)) = (share(transport), share(access)) {
        let _ = write!(
            text,
            " · decided: transport {transport} %, access {access} %"
        );
    }
    text.push('\n');
    let mut assumed: BTreeMap<String, usize> = BTreeMap::new();
    for entry in &ports {
        for says in entry.assumed() {
            *assumed.entry(says).or_default() += 1;
        }
    }
    let mut assumed: Vec<(String, usize)> = assumed.into_iter().collect();
    assumed.sort_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
    for (says, _) in assumed.iter().take(ASSUMED) {
        let mut indent = "assumed: ";
        for line in wrapped(&one_line(says), WIDTH - 9) {
            let _ = writeln!(text, "{indent}{line}");
            indent = "         ";
        }
    }
    if assumed.len() > ASSUMED {
        let _ = writeln!(
            text,
            "         and {} more; `meshgov assume` lists them with what settles them",
            number(assumed.len() - ASSUMED)
        );
    }
}
