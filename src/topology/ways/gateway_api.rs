//! Routes of the Gateway API as ways in. Input: Gateways, ListenerSets, HTTPRoutes, GRPCRoutes, TLSRoutes, TCPRoutes; output: attachments and
//! exposures.
//!
//! kubernetes-sigs/gateway-api `apis/v1/{gateway,httproute,shared}_types.go`. A route attaches to a listener when its parentRef names it, the
//! listener admits its namespace and kind, and their host names meet.

mod backend;
mod gateway;
mod listener;
mod listener_set;

use std::collections::HashMap;
use std::sync::Arc;

use super::{Builder, hosts, items, port_of, text};
use crate::facts::Step;
use crate::facts::exposure::{Exposure, Front, GatewayRef, RouteAttachment, Way, join};
use crate::facts::workload::{Protocol, WorkloadId};
use crate::topology::Topology;
use crate::topology::mirrors::Mirror;
use crate::view::Member;
use crate::yaml::NodeRef;

use gateway::Parent;
use listener::{Admits, Listener};

const GROUP: &str = "gateway.networking.k8s.io";

/// What routes name as parents, by kind, namespace and name.
type Parents<'v> = HashMap<(&'v str, &'v str, &'v str), Parent<'v>>;

/// The AI gateway that makes HTTPRoutes of routes of its own (envoyproxy/ai-gateway `api/v1alpha1`).
const AI_GATEWAY: &str = "aigateway.envoyproxy.io";

/// Kinds of routes, and whether their `hostnames` count.
const ROUTES: [(&str, &str, bool); 6] = [
    (GROUP, "HTTPRoute", true),
    (GROUP, "GRPCRoute", true),
    (GROUP, "TLSRoute", true),
    (GROUP, "TCPRoute", false),
    (AI_GATEWAY, "AIGatewayRoute", false),
    (AI_GATEWAY, "MCPRoute", false),
];

pub(super) fn read(builder: &mut Builder<'_>) {
    let view = builder.view;
    let mut parents: Parents<'_> = HashMap::new();
    for member in view.of_kind(GROUP, "Gateway") {
        let place = (member.namespace.as_str(), member.resource.name.as_str());
        let gateway = Parent::gateway(builder, member);
        parents.insert(("Gateway", place.0, place.1), gateway);
    }
    listener_set::read(builder, &mut parents);
    for (group, kind, named) in ROUTES {
        for member in view.of_kind(group, kind) {
            route(builder, &parents, member, named);
        }
    }
}

fn route(builder: &mut Builder<'_>, parents: &Parents<'_>, member: &Member, named: bool) {
    let own = member.namespace.as_str();
    let object = member.resource.object();
    for node in items(object, &["spec", "parentRefs"]) {
        let Some(kind) = parent_kind(node) else {
            // A Service as parent is traffic inside the mesh.
            continue;
        };
        let namespace = match text(node, "namespace") {
            "" => own,
            other => other,
        };
        let name = text(node, "name");
        match parents.get(&(kind, namespace, name)) {
            Some(parent) => attach(builder, parent, member, node, named),
            None => unseen(builder, member, node, kind, (namespace, name)),
        }
    }
}

/// Copies that sidecars and waypoints send for a route whose parent is a Service (GEP-1294, GEP-1324).
pub(super) fn copies(builder: &mut Builder<'_>, mirrors: &[Mirror<'_>]) {
    for mirror in mirrors {
        if mirror.opener.resource.group() == GROUP {
            let targets = backend::copied_to(builder, mirror);
            builder.copy(mirror, &targets);
        }
    }
}

/// The kind of parent that a reference names, if it is one that leads in.
fn parent_kind(node: NodeRef<'_>) -> Option<&'static str> {
    let (group, kind) = (text(node, "group"), text(node, "kind"));
    if matches!(kind, "" | "Gateway") && matches!(group, "" | GROUP) {
        return Some("Gateway");
    }
    let group = if group.is_empty() { GROUP } else { group };
    listener_set::KINDS
        .iter()
        .find(|(g, k)| *g == group && *k == kind)
        .map(|(_, k)| *k)
}

/// A route whose parent is not in the view: it may lead in, and nothing more is known.
fn unseen(
    builder: &mut Builder<'_>,
    member: &Member,
    parent: NodeRef<'_>,
    kind: &str,
    (namespace, name): (&str, &str),
) {
    let gateway = GatewayRef {
        resource: None,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    };
    let reference = gateway.reference();
    let span = parent.get("name").unwrap_or(parent).span();
    let steps = vec![
        Step::decides(
            &member.resource,
            span,
            format!("the route names {kind} {reference}"),
        ),
        Step::assumed(
            "objects",
            format!(
                "{kind} {reference}, which is not in the view, takes the route and is reached from outside"
            ),
        ),
    ];
    builder.ways.routes.push(RouteAttachment {
        route: Arc::clone(&member.resource),
        namespace: member.namespace.clone(),
        gateway: gateway.clone(),
        attached: None,
        steps: steps.clone(),
    });
    let front = Front::Unseen(format!("the proxies of {kind} {reference}"));
    let way = Exposure {
        hosts: hostnames(member).into_iter().map(str::to_owned).collect(),
        steps,
        ..way(member, gateway, front)
    };
    backend::lead(builder, member, &way);
}

fn attach(
    builder: &mut Builder<'_>,
    parent: &Parent<'_>,
    member: &Member,
    node: NodeRef<'_>,
    named: bool,
) {
    let names: Vec<&str> = if named { hostnames(member) } else { Vec::new() };
    let holder = &parent.member.resource;
    let mut steps = Vec::new();
    let mut taken: Vec<Taken<'_>> = Vec::new();
    for listener in relevant(parent, node) {
        let which = format!("listener {} of {}", listener.name, parent.shown());
        match fits(builder, parent, listener, member, &names) {
            Ok((hosts, assumed)) => {
                let says = format!("{which} takes the route");
                steps.push(Step::decides(holder, listener.span, says));
                taken.push(Taken {
                    listener,
                    hosts,
                    sure: assumed.is_empty(),
                });
                steps.extend(assumed);
            }
            Err(why) => steps.push(Step::ignored(holder, listener.span, which, why)),
        }
    }
    if steps.is_empty() {
        let says = format!("no listener of {} is called so", parent.shown());
        let node = node.get("sectionName").unwrap_or(node);
        steps.push(Step::decides(&member.resource, node.span(), says));
    }
    let sure = taken.iter().any(|t| t.sure);
    builder.ways.routes.push(RouteAttachment {
        route: Arc::clone(&member.resource),
        namespace: member.namespace.clone(),
        gateway: parent.gateway.clone(),
        attached: (sure || taken.is_empty()).then_some(sure),
        steps: steps.clone(),
    });
    if parent.inside {
        return;
    }
    steps.retain(|s| !matches!(s.role, crate::facts::Role::Ignored(_)));
    steps.extend(parent.steps.iter().cloned());
    let own = member.resource.object().at(&["spec", "securityPolicy"]);
    let delegated = gateway::authenticated_by(builder, member)
        .or_else(|| own.map(|_| format!("what {} asks of callers", shown(member))))
        .or_else(|| parent.authenticated_by.clone())
        .unwrap_or_default();
    for Taken {
        listener, hosts, ..
    } in taken
    {
        let way = Exposure {
            outside_port: listener.port,
            hosts,
            tls: listener.tls,
            internal: parent.internal,
            delegated: delegated.clone(),
            steps: steps.clone(),
            ..way(member, parent.gateway.clone(), parent.front.clone())
        };
        backend::lead(builder, member, &way);
    }
}

/// A listener that takes a route.
struct Taken<'p> {
    listener: &'p Listener<'p>,
    /// The host names that both share.
    hosts: Vec<String>,
    /// Whether nothing had to be assumed.
    sure: bool,
}

/// The listeners of a parent that a reference means: `sectionName` and `port` narrow them.
fn relevant<'p>(
    parent: &'p Parent<'_>,
    node: NodeRef<'p>,
) -> impl Iterator<Item = &'p Listener<'p>> {
    let (section, port) = (text(node, "sectionName"), port_of(node.get("port")));
    parent.listeners.iter().filter(move |listener| {
        (section.is_empty() || section == listener.name) && (port == 0 || port == listener.port)
    })
}

/// The host names a listener and a route share, with what had to be assumed; or why the route is refused.
fn fits(
    builder: &Builder<'_>,
    parent: &Parent<'_>,
    listener: &Listener<'_>,
    member: &Member,
    names: &[&str],
) -> Result<(Vec<String>, Vec<Step>), String> {
    let kind = match member.resource.kind() {
        "AIGatewayRoute" | "MCPRoute" => "HTTPRoute",
        kind => kind,
    };
    if !listener.takes(kind) {
        return Err(format!("it takes no {kind}"));
    }
    let own = member.namespace.as_str();
    let mut assumed = Vec::new();
    let admits = listener.admits(builder.topology, parent.namespace(), own);
    for condition in [listener.served.clone(), admits] {
        match condition {
            Admits::Yes => {}
            Admits::No(why) => return Err(why),
            Admits::Unknown(step) => assumed.push(step),
        }
    }
    let listens: Vec<&str> = Some(listener.hostname)
        .filter(|h| !h.is_empty())
        .into_iter()
        .collect();
    match hosts::common(&listens, names) {
        Some(common) => Ok((common, assumed)),
        None => Err(format!(
            "its host name {} has nothing in common with those of the route",
            listener.hostname
        )),
    }
}

fn hostnames(member: &Member) -> Vec<&str> {
    items(member.resource.object(), &["spec", "hostnames"])
        .map(NodeRef::text)
        .collect()
}

fn way(member: &Member, gateway: GatewayRef, front: Front) -> Exposure {
    Exposure {
        way: Way::Route,
        opener: Arc::clone(&member.resource),
        namespace: member.namespace.clone(),
        gateway: Some(gateway),
        front,
        service: String::new(),
        workload: WorkloadId(0),
        port: 0,
        protocol: Protocol::Tcp,
        outside_port: 0,
        hosts: Vec::new(),
        paths: Vec::new(),
        nets: Vec::new(),
        tls: None,
        internal: false,
        delegated: String::new(),
        mirror: false,
        steps: Vec::new(),
    }
}

/// `Kind:namespace/name` of a member.
fn shown(member: &Member) -> String {
    let place = join(member.namespace.as_str(), &member.resource.name);
    format!("{} {place}", member.resource.kind())
}

/// Whether a label selector fits a namespace; `None` when its labels are not in the view. Every namespace carries its own name
/// (kubernetes.io/docs/reference/labels-annotations-taints, `kubernetes.io/metadata.name`).
fn selects(topology: &Topology, selector: NodeRef<'_>, namespace: &str) -> Option<bool> {
    let known = topology.namespaces.contains_key(namespace);
    let label = |name: &str| -> Option<Option<String>> {
        if name == "kubernetes.io/metadata.name" {
            return Some(Some(namespace.to_owned()));
        }
        let found = topology.namespace_label(namespace, name);
        known.then(|| found.map(|n| n.text().to_owned()))
    };
    let mut open = false;
    let pairs = selector
        .get("matchLabels")
        .into_iter()
        .flat_map(NodeRef::entries);
    for (key, value) in pairs {
        match label(&key.key_text()) {
            None => open = true,
            Some(found) if found.as_deref() == Some(value.text()) => {}
            Some(_) => return Some(false),
        }
    }
    for expression in items(selector, &["matchExpressions"]) {
        let Some(found) = label(text(expression, "key")) else {
            open = true;
            continue;
        };
        let listed = found
            .as_deref()
            .is_some_and(|f| items(expression, &["values"]).any(|v| v.text() == f));
        let holds = match text(expression, "operator") {
            "In" => listed,
            "NotIn" => !listed,
            "Exists" => found.is_some(),
            "DoesNotExist" => found.is_none(),
            _ => false,
        };
        if !holds {
            return Some(false);
        }
    }
    (!open).then_some(true)
}
