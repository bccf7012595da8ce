//! L7: the proof of an answer. Input: `AccessReport`; output: for each port every step with its place, and what was not counted and why.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::facts::{Role, Step, UnknownReason};
use crate::query::access::{AccessReport, PortEntry, ViewAccess};
use crate::source::Sources;

use super::{Options, and_more, at, copied, one_line, way_in, who};

/// Writes the proof of every port of the report.
pub(super) fn write(
    report: &AccessReport,
    _options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut text = String::new();
    let mut none = true;
    for view in &report.views {
        for entry in &view.ports {
            none = false;
            port(&mut text, &report.sources, view, entry);
        }
        egress(&mut text, &report.sources, view);
        routes(&mut text, &report.sources, view);
    }
    if none {
        text.push_str("No port fits.\n");
    }
    out.write_all(text.as_bytes())
}

fn port(text: &mut String, sources: &Sources, view: &ViewAccess, entry: &PortEntry) {
    let _ = writeln!(
        text,
        "{} {} port {} · view {}",
        entry.workload.kind,
        one_line(&entry.workload.reference()),
        entry.port.number,
        one_line(&view.name)
    );
    let membership = entry.membership.get().map_or("?", |m| m.as_str());
    let _ = writeln!(text, "  membership: {membership}");
    let mut told: Vec<&Step> = Vec::new();
    section(text, sources, &entry.membership.steps, &mut told);
    missing(text, sources, entry.membership.value.as_ref().err());

    let mode = entry.transport.get().map_or("?", |t| t.mode.as_str());
    let why = entry.transport.get().map_or("", |t| t.mode.why());
    let _ = match why {
        "" => writeln!(text, "  transport: {mode}"),
        why => writeln!(text, "  transport: {mode}, {why}"),
    };
    section(text, sources, &entry.transport.steps, &mut told);
    missing(text, sources, entry.transport.value.as_ref().err());

    let _ = writeln!(text, "  access: {}", who(&entry.access));
    section(text, sources, &entry.admitted_by, &mut told);
    section(text, sources, &entry.access.steps, &mut told);
    if entry.access.get().is_some()
        && !entry
            .access
            .steps
            .iter()
            .any(|s| s.role == Role::Decides && s.says.contains("Policy"))
        && entry.membership.get().is_some_and(|m| m.as_str() != "none")
    {
        text.push_str("    no policy restricts callers\n");
    }
    missing(text, sources, entry.access.value.as_ref().err());
    if entry.paths.len() > 1 {
        let paths: Vec<String> = entry
            .paths
            .iter()
            .map(|(via, level)| format!("{via}: {}", level.as_str()))
            .collect();
        let _ = writeln!(text, "    by way: {}", and_more(paths.iter(), 6));
    }

    for (way, access) in &entry.exposures {
        let _ = writeln!(
            text,
            "  from outside by {}: {}",
            one_line(&way_in(way)),
            who(access)
        );
        if !way.hosts.is_empty() {
            let _ = writeln!(text, "    hosts {}", and_more(way.hosts.iter(), 6));
        }
        if !way.paths.is_empty() {
            let _ = writeln!(text, "    paths {}", and_more(way.paths.iter(), 6));
        }
        section(text, sources, &access.steps, &mut told.clone());
        missing(text, sources, access.value.as_ref().err());
    }
    for copies in &entry.copies {
        let _ = writeln!(text, "  copies {}", one_line(&copied(copies)));
        section(text, sources, &copies.steps, &mut told.clone());
    }
    text.push('\n');
}

/// Steps by what they did: those that decide, then what was not counted, then what is taken for granted. What was told before is left out.
fn section<'s>(text: &mut String, sources: &Sources, steps: &'s [Step], told: &mut Vec<&'s Step>) {
    let new: Vec<&Step> = steps.iter().filter(|s| !told.contains(s)).collect();
    for step in &new {
        match &step.role {
            Role::Decides => line(text, sources, &step.says, step),
            Role::Default(source) => {
                let says = format!("{} (default: {source})", step.says);
                line(text, sources, &says, step);
            }
            Role::Ignored(_) | Role::Assumed(_) => {}
        }
    }
    for step in &new {
        if let Role::Ignored(why) = &step.role {
            let says = format!("not counted: {}: {why}", step.says);
            line(text, sources, &says, step);
        }
    }
    for step in &new {
        if let Role::Assumed(key) = &step.role {
            let says = format!("assumed ({key}): {}", step.says);
            line(text, sources, &says, step);
        }
    }
    told.extend(new);
}

fn line(text: &mut String, sources: &Sources, says: &str, step: &Step) {
    let _ = writeln!(text, "    {}", one_line(says));
    if let Some(span) = step.span() {
        let _ = writeln!(text, "      {}", at(sources, span));
    }
}

fn missing(text: &mut String, sources: &Sources, reasons: Option<&Vec<UnknownReason>>) {
    for reason in reasons.into_iter().flatten() {
        let _ = writeln!(text, "    not known: {}", one_line(&reason.missing));
        if let Some(span) = reason.span {
            let _ = writeln!(text, "      {}", at(sources, span));
        }
    }
}

fn egress(text: &mut String, sources: &Sources, view: &ViewAccess) {
    for entry in &view.egress {
        let selected = view.ports.iter().any(|p| p.workload == entry.workload);
        if !selected {
            continue;
        }
        let reference = entry.workload.reference();
        let reference = one_line(&reference);
        let _ = match entry.egress.get() {
            None => writeln!(text, "out of {reference}: ?"),
            Some(egress) => {
                let places: Vec<&String> = egress.to.iter().chain(&egress.nets).collect();
                let mode = egress.mode.as_str();
                match places.as_slice() {
                    [] => writeln!(text, "out of {reference}: {mode}"),
                    _ => writeln!(
                        text,
                        "out of {reference}: {mode}, {}",
                        and_more(places.into_iter(), 8)
                    ),
                }
            }
        };
        // Of a workload outside the mesh there is nothing to prove but that, which its ports have proved.
        let told = view.ports.iter().find(|p| p.workload == entry.workload);
        let mut told = told.map_or_else(Vec::new, |p| p.membership.steps.iter().collect());
        section(text, sources, &entry.egress.steps, &mut told);
        missing(text, sources, entry.egress.value.as_ref().err());
    }
}

/// Routes that no listener takes, with the reason of each.
fn routes(text: &mut String, sources: &Sources, view: &ViewAccess) {
    for entry in &view.routes {
        let route = &entry.attachment;
        if route.attached == Some(false) {
            let gateway = route.gateway.reference();
            let _ = writeln!(
                text,
                "{} leads nobody in: gateway {} does not take it",
                one_line(&route.reference()),
                one_line(&gateway)
            );
            section(text, sources, &route.steps, &mut Vec::new());
        }
    }
}
