//! Where a route leads: Services and InferencePools. Input: a route and the way in it is part of; output: exposures.

use super::shown;
use crate::facts::Step;
use crate::facts::exposure::{Exposure, join};
use crate::facts::selector::MatchLabels;
use crate::facts::workload::Protocol;
use crate::topology::ways::{Builder, ServicePortRef, Target, grants, items, port_of, text};
use crate::view::Member;
use crate::yaml::NodeRef;

/// Groups that have served InferencePool.
const POOLS: [&str; 2] = [
    "inference.networking.k8s.io",
    "inference.networking.x-k8s.io",
];

/// Adds a way to everything a route leads to.
pub(super) fn lead(builder: &mut Builder<'_>, member: &Member, way: &Exposure) {
    let object = member.resource.object();
    for rule in items(object, &["spec", "rules"]) {
        let paths = paths(rule);
        for backend in items(rule, &["backendRefs"]) {
            if backend.get("weight").and_then(NodeRef::as_i64) == Some(0) {
                continue;
            }
            to_backend(builder, member, way, &paths, backend);
        }
    }
}

fn to_backend(
    builder: &mut Builder<'_>,
    member: &Member,
    way: &Exposure,
    paths: &[String],
    backend: NodeRef<'_>,
) {
    let own = member.namespace.as_str();
    let name = text(backend, "name");
    let namespace = match text(backend, "namespace") {
        "" => own,
        other => other,
    };
    let (group, kind) = match text(backend, "kind") {
        "" => ("", "Service"),
        kind => (text(backend, "group"), kind),
    };
    let granted = namespace == own
        || grants::granted(
            builder.view,
            member.resource.kind(),
            own,
            namespace,
            (group, kind, name),
        );
    if !granted {
        return;
    }
    let (targets, service) = match kind {
        "Service" => {
            let port = ServicePortRef::Number(port_of(backend.get("port")));
            (builder.behind(namespace, name, port), join(namespace, name))
        }
        "InferencePool" => (pool(builder, namespace, name), String::new()),
        _ => return,
    };
    let says = format!(
        "{} leads to {kind} {}",
        shown(member),
        join(namespace, name)
    );
    let span = backend.get("name").unwrap_or(backend).span();
    let mut steps = vec![Step::decides(&member.resource, span, says)];
    steps.extend(way.steps.iter().cloned());
    let way = Exposure {
        service,
        paths: paths.to_vec(),
        steps,
        ..way.clone()
    };
    builder.lead(&way, &targets);
}

/// The container ports of an InferencePool: `targetPorts` of the pods it selects.
fn pool(builder: &Builder<'_>, namespace: &str, name: &str) -> Vec<Target> {
    let member = POOLS
        .iter()
        .flat_map(|group| builder.view.of_kind(group, "InferencePool"))
        .find(|m| m.resource.name == name && m.namespace.as_str() == namespace);
    let Some(spec) = member.and_then(|m| m.resource.object().get("spec")) else {
        return Vec::new();
    };
    let selector = spec.get("selector");
    let labels = selector.and_then(|s| s.get("matchLabels")).or(selector);
    let selector = MatchLabels::read(labels);
    let ports = items(spec, &["targetPorts"])
        .map(|p| port_of(p.get("number")))
        .chain(spec.get("targetPortNumber").map(|n| port_of(Some(n))));
    let ports: Vec<u16> = ports.filter(|&p| p > 0).collect();
    if selector.is_empty() {
        return Vec::new();
    }
    builder
        .topology
        .workloads
        .iter()
        .filter(|w| w.namespace.as_str() == namespace && selector.matches(w.labels()))
        .flat_map(|w| ports.iter().map(|&p| (w.id, p, Protocol::Tcp)))
        .collect()
}

/// Paths of a rule's matches, `/v1*` for a prefix; empty = every path.
fn paths(rule: NodeRef<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for matched in items(rule, &["matches"]) {
        let path = match (matched.get("path"), matched.get("method")) {
            (Some(path), _) => {
                let value = text(path, "value");
                match text(path, "type") {
                    "Exact" => value.to_owned(),
                    "RegularExpression" => format!("~{value}"),
                    _ if matches!(value, "" | "/") => return Vec::new(),
                    _ => format!("{value}*"),
                }
            }
            (None, Some(method)) if method.is_map() => {
                let (service, name) = (text(method, "service"), text(method, "method"));
                let or_star = |t: &str| if t.is_empty() { "*" } else { t }.to_owned();
                format!("/{}/{}", or_star(service), or_star(name))
            }
            _ => return Vec::new(),
        };
        found.push(path);
    }
    found
}
