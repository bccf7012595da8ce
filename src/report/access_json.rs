//! L7: who may call what, for programs. Input: `AccessReport`; output: the contract of architecture.md §7, version 1.

use std::io::{self, BufWriter, Write};

use serde::Serialize;
use serde_json::{Value, json};

use crate::facts::access::{Access, By};
use crate::facts::exposure::{Copies, Exposure};
use crate::facts::{Fact, Role, Step, UnknownReason};
use crate::query::access::{
    AccessReport, EdgeEntry, EgressEntry, PortEntry, RouteEntry, WorkloadRef,
};
use crate::source::{Sources, Span};

use super::{Options, place, write_json};

/// Where lines stop to break: one port a line.
const DEPTH: usize = 2;

#[derive(Serialize)]
struct Document {
    version: u32,
    tool: Value,
    views: Vec<Value>,
    ports: Vec<Value>,
    egress: Vec<Value>,
    routes: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    edges: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reach: Option<Vec<Value>>,
}

/// Writes one JSON document.
pub(super) fn write(
    report: &AccessReport,
    _options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    let sources = &report.sources;
    let asked = report.views.iter().any(|v| v.edges.is_some());
    let reach = report.views.iter().any(|v| v.reach.is_some());
    let mut document = Document {
        version: 1,
        tool: json!({"name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION")}),
        views: Vec::new(),
        ports: Vec::new(),
        egress: Vec::new(),
        routes: Vec::new(),
        edges: asked.then(Vec::new),
        reach: reach.then(Vec::new),
    };
    for view in &report.views {
        let name = &view.name;
        document.views.push(json!({
            "name": name, "mesh": view.mesh, "workloads": view.workloads.0, "meshed": view.workloads.1,
            "madeByControllers": view.made,
        }));
        let ports = view.ports.iter().map(|p| port(sources, name, p));
        document.ports.extend(ports);
        let egress = view.egress.iter().map(|e| egress(sources, name, e));
        document.egress.extend(egress);
        let routes = view.routes.iter().map(|r| route(sources, name, r));
        document.routes.extend(routes);
        if let (Some(all), Some(edges)) = (&mut document.edges, &view.edges) {
            all.extend(edges.iter().map(|e| edge(name, e)));
        }
        if let (Some(all), Some(reach)) = (&mut document.reach, &view.reach) {
            all.extend(reach.iter().map(|entry| {
                let mut value = edge(name, &entry.last);
                set(&mut value, "calls", json!(entry.calls));
                value
            }));
        }
    }
    write_json(&mut out, &document, DEPTH)?;
    out.flush()
}

fn port(sources: &Sources, view: &str, entry: &PortEntry) -> Value {
    json!({
        "workload": workload(&entry.workload),
        "view": view,
        "port": entry.port.number,
        "protocol": entry.port.protocol.as_str(),
        "serviceAccount": entry.service_account,
        "membership": entry.membership.get().map_or("unknown", |m| m.as_str()),
        "transport": transport(sources, entry),
        "access": access_of_port(sources, entry),
        "exposures": entry.exposures.iter().map(|(way, who)| exposure(sources, way, who)).collect::<Vec<_>>(),
        "copies": entry.copies.iter().map(|c| copies(sources, c)).collect::<Vec<_>>(),
        "assumed": entry.assumed(),
    })
}

fn access_of_port(sources: &Sources, entry: &PortEntry) -> Value {
    let paths = entry.paths.iter();
    let alternatives = entry.alternatives.iter();
    let mut value = access(&entry.access);
    set(
        &mut value,
        "paths",
        paths
            .map(|(via, level)| json!({"via": via, "level": level.as_str()}))
            .collect(),
    );
    set(
        &mut value,
        "alternatives",
        alternatives.map(|l| json!(l.as_str())).collect(),
    );
    set(&mut value, "because", because(sources, &entry.access.steps));
    value
}

fn workload(workload: &WorkloadRef) -> Value {
    json!({"kind": workload.kind, "namespace": workload.namespace, "name": workload.name})
}

fn transport(sources: &Sources, entry: &PortEntry) -> Value {
    let fact = &entry.transport;
    let known = fact.get();
    let alternatives = known.map_or_else(Vec::new, |t| {
        t.alternatives.iter().map(|m| m.as_str()).collect()
    });
    let mut value = json!({
        "mode": known.map_or("unknown", |t| t.mode.as_str()),
        "why": known.map_or("", |t| t.mode.why()),
        "alternatives": alternatives,
        "decidedBy": fact.steps.first().map_or("", |s| s.says.as_str()),
        "because": because(sources, &fact.steps),
    });
    unknown(&mut value, fact.value.as_ref().err());
    value
}

fn access(fact: &Fact<Access>) -> Value {
    let mut value = match fact.get() {
        Some(a) => json!({
            "level": a.level.as_str(),
            "by": a.by.iter().map(|b| By::as_str(*b)).collect::<Vec<_>>(),
            "set": a.set, "except": a.except, "nets": a.nets, "requests": a.requests,
            "delegated": a.delegated, "proxied": a.proxied,
        }),
        None => json!({
            "level": "unknown", "by": [], "set": [], "except": [], "nets": [], "requests": [],
            "delegated": null, "proxied": null,
        }),
    };
    unknown(&mut value, fact.value.as_ref().err());
    value
}

fn unknown(value: &mut Value, reasons: Option<&Vec<UnknownReason>>) {
    if let Some(reasons) = reasons {
        set(
            value,
            "unknown",
            reasons.iter().map(|r| json!(r.missing)).collect(),
        );
    }
}

fn exposure(sources: &Sources, way: &Exposure, who: &Fact<Access>) -> Value {
    let mut access = access(who);
    set(&mut access, "because", because(sources, &who.steps));
    json!({
        "way": way.way.as_str(),
        "openedBy": way.opened_by(),
        "gateway": way.gateway(),
        "service": way.service,
        "port": way.outside_port,
        "hosts": way.hosts,
        "paths": way.paths,
        "tls": way.tls.map_or("unknown", |t| t.as_str()),
        "internal": way.internal,
        "mirror": way.mirror,
        "access": access,
    })
}

fn copies(sources: &Sources, copies: &Copies) -> Value {
    json!({
        "of": copies.of,
        "openedBy": copies.opened_by(),
        "service": copies.service,
        "because": because(sources, &copies.steps),
    })
}

fn egress(sources: &Sources, view: &str, entry: &EgressEntry) -> Value {
    let known = entry.egress.get();
    let mut value = json!({
        "workload": workload(&entry.workload),
        "view": view,
        "mode": known.map_or("unknown", |e| e.mode.as_str()),
        "to": known.map_or_else(Vec::new, |e| e.to.iter().collect()),
        "nets": known.map_or_else(Vec::new, |e| e.nets.iter().collect()),
        "because": because(sources, &entry.egress.steps),
    });
    unknown(&mut value, entry.egress.value.as_ref().err());
    value
}

fn route(sources: &Sources, view: &str, entry: &RouteEntry) -> Value {
    let route = &entry.attachment;
    json!({
        "route": route.reference(),
        "view": view,
        "gateway": route.gateway.reference(),
        "attached": route.attached,
        "access": entry.access.as_ref().map(|a| a.level.as_str()),
        "because": because(sources, &route.steps),
    })
}

fn edge(view: &str, entry: &EdgeEntry) -> Value {
    json!({
        "from": workload(&entry.from),
        "to": workload(&entry.to),
        "view": view,
        "port": entry.port,
        "answer": entry.edge.verdict.as_str(),
        "requests": entry.edge.requests,
        "via": entry.edge.via,
    })
}

/// Adds a field to an object.
fn set(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(map) = object {
        map.insert(name.to_owned(), value);
    }
}

/// Every step with its role and place; `null` where it stands in no file.
fn because(sources: &Sources, steps: &[Step]) -> Value {
    steps
        .iter()
        .map(|step| {
            let (role, why) = match &step.role {
                Role::Decides => ("decides", ""),
                Role::Ignored(why) => ("ignored", why.as_str()),
                Role::Assumed(key) => ("assumed", key.as_str()),
                Role::Default(source) => ("default", source.as_str()),
            };
            json!({"role": role, "says": step.says, "why": why, "at": step.span().map(|s| at(sources, s))})
        })
        .collect()
}

fn at(sources: &Sources, span: Span) -> Value {
    let place = place(sources, span);
    json!({"path": place.path, "line": place.start.line, "column": place.start.column})
}
