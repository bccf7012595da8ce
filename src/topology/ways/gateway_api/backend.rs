//! Where a route leads: Services and InferencePools. Input: a route and the way in it is part of; output: exposures.

use super::{AI_GATEWAY, shown};
use crate::facts::Step;
use crate::facts::exposure::{Exposure, join};
use crate::facts::selector::MatchLabels;
use crate::facts::workload::Protocol;
use crate::topology::mirrors::{self, Mirror};
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
        let copy = Exposure {
            mirror: true,
            ..way.clone()
        };
        for target in mirrors::of_gateway_api(member, rule) {
            to_backend(builder, member, &copy, &paths, target.node);
        }
    }
    // MCPRoute has no rules; `/mcp` is its default path.
    for backend in items(object, &["spec", "backendRefs"]) {
        let path = object.at(&["spec", "path"]).map_or("/mcp", NodeRef::text);
        to_backend(builder, member, way, &[format!("{path}*")], backend);
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
        "" if member.resource.kind() == "AIGatewayRoute" => (AI_GATEWAY, "AIServiceBackend"),
        "" => ("", "Service"),
        kind => (text(backend, "group"), kind),
    };
    if !is_granted(builder, member, namespace, (group, kind, name)) {
        return;
    }
    let (targets, service) = match kind {
        "AIServiceBackend" => ai_service(builder, namespace, name),
        _ => targets(builder, kind, namespace, backend),
    };
    if targets.is_empty() {
        return;
    }
    let leads = if way.mirror {
        "copies requests"
    } else {
        "leads"
    };
    let says = format!(
        "{} {leads} to {kind} {}",
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

/// Where a mirror of the mesh leads.
pub(super) fn copied_to(builder: &Builder<'_>, mirror: &Mirror<'_>) -> Vec<Target> {
    let Some((namespace, name)) = mirror.to.service else {
        return Vec::new();
    };
    if !is_granted(builder, mirror.opener, namespace, ("", "Service", name)) {
        return Vec::new();
    }
    targets(builder, "Service", namespace, mirror.to.node).0
}

/// Whether a route may name an object of a namespace: its own, or by a ReferenceGrant.
fn is_granted(
    builder: &Builder<'_>,
    member: &Member,
    namespace: &str,
    to: (&str, &str, &str),
) -> bool {
    let own = member.namespace.as_str();
    namespace == own || grants::granted(builder.view, member.resource.kind(), own, namespace, to)
}

/// The container ports that a reference of a kind leads to, and the Service on the way.
fn targets(
    builder: &Builder<'_>,
    kind: &str,
    namespace: &str,
    reference: NodeRef<'_>,
) -> (Vec<Target>, String) {
    let name = text(reference, "name");
    match kind {
        "Service" => {
            let port = ServicePortRef::Number(port_of(reference.get("port")));
            (builder.behind(namespace, name, port), join(namespace, name))
        }
        "InferencePool" => (pool(builder, namespace, name), String::new()),
        "Backend" => endpoints(builder, namespace, name),
        _ => (Vec::new(), String::new()),
    }
}

/// What an AIServiceBackend of the AI gateway names.
fn ai_service(builder: &Builder<'_>, namespace: &str, name: &str) -> (Vec<Target>, String) {
    let found = builder
        .view
        .of_kind(AI_GATEWAY, "AIServiceBackend")
        .find(|m| m.resource.name == name && m.namespace.as_str() == namespace)
        .and_then(|m| m.resource.object().at(&["spec", "backendRef"]));
    let Some(reference) = found else {
        return (Vec::new(), String::new());
    };
    let kind = match text(reference, "kind") {
        "" => "Service",
        kind => kind,
    };
    let namespace = match text(reference, "namespace") {
        "" => namespace,
        other => other,
    };
    targets(builder, kind, namespace, reference)
}

/// The Services that a Backend of Envoy Gateway names by host.
fn endpoints(builder: &Builder<'_>, namespace: &str, name: &str) -> (Vec<Target>, String) {
    let member = builder
        .view
        .of_kind("gateway.envoyproxy.io", "Backend")
        .find(|m| m.resource.name == name && m.namespace.as_str() == namespace);
    let mut found = (Vec::new(), String::new());
    for endpoint in member
        .into_iter()
        .flat_map(|m| items(m.resource.object(), &["spec", "endpoints"]))
    {
        let Some(fqdn) = endpoint.get("fqdn") else {
            continue;
        };
        let mut labels = text(fqdn, "hostname").split('.');
        if let (Some(service), Some(of), Some("svc")) =
            (labels.next(), labels.next(), labels.next())
        {
            let port = ServicePortRef::Number(port_of(fqdn.get("port")));
            found.0.extend(builder.behind(of, service, port));
            found.1 = join(of, service);
        }
    }
    found
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
