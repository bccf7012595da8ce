//! Routes of the Gateway API as ways in. Input: Gateways, HTTPRoutes, GRPCRoutes, TLSRoutes, TCPRoutes; output: attachments and exposures.
//!
//! kubernetes-sigs/gateway-api `apis/v1/{gateway,httproute,shared}_types.go`. A route attaches to a listener when its parentRef names it, the
//! listener admits its namespace and kind, and their host names meet.

mod backend;
mod gateway;

use std::collections::HashMap;
use std::sync::Arc;

use super::{Builder, hosts, items, port_of, text};
use crate::facts::Step;
use crate::facts::exposure::{Exposure, Front, GatewayRef, RouteAttachment, Way, join};
use crate::facts::workload::{Protocol, WorkloadId};
use crate::view::Member;
use crate::yaml::NodeRef;

use gateway::{Admits, Gateway, Listener};

const GROUP: &str = "gateway.networking.k8s.io";

/// Gateways by namespace and name.
type Gateways<'v> = HashMap<(&'v str, &'v str), Gateway<'v>>;

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
    let gateways: Gateways<'_> = view
        .of_kind(GROUP, "Gateway")
        .map(|member| {
            let place = (member.namespace.as_str(), member.resource.name.as_str());
            (place, Gateway::read(builder, member))
        })
        .collect();
    for (group, kind, named) in ROUTES {
        for member in view.of_kind(group, kind) {
            route(builder, &gateways, member, named);
        }
    }
}

fn route(builder: &mut Builder<'_>, gateways: &Gateways<'_>, member: &Member, named: bool) {
    let own = member.namespace.as_str();
    let object = member.resource.object();
    for parent in items(object, &["spec", "parentRefs"]) {
        let of_gateway = matches!(text(parent, "kind"), "" | "Gateway")
            && matches!(text(parent, "group"), "" | GROUP);
        if !of_gateway {
            // A Service as parent is traffic inside the mesh.
            continue;
        }
        let namespace = match text(parent, "namespace") {
            "" => own,
            other => other,
        };
        let name = text(parent, "name");
        match gateways.get(&(namespace, name)) {
            Some(gateway) => attach(builder, gateway, member, parent, named),
            None => unseen(builder, member, parent, namespace, name),
        }
    }
}

/// A route whose Gateway is not in the view: it may lead in, and nothing more is known.
fn unseen(
    builder: &mut Builder<'_>,
    member: &Member,
    parent: NodeRef<'_>,
    namespace: &str,
    name: &str,
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
            format!("the route names Gateway {reference}"),
        ),
        Step::assumed(
            "objects",
            format!(
                "Gateway {reference}, which is not in the view, takes the route and is reached from outside"
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
    let front = Front::Unseen(format!("the proxies of Gateway {reference}"));
    let way = Exposure {
        hosts: hostnames(member).into_iter().map(str::to_owned).collect(),
        steps,
        ..way(member, gateway, front)
    };
    backend::lead(builder, member, &way);
}

fn attach(
    builder: &mut Builder<'_>,
    gateway: &Gateway<'_>,
    member: &Member,
    parent: NodeRef<'_>,
    named: bool,
) {
    let names: Vec<&str> = if named { hostnames(member) } else { Vec::new() };
    let mut steps = Vec::new();
    let mut taken: Vec<(&Listener<'_>, Vec<String>)> = Vec::new();
    let (section, port) = (text(parent, "sectionName"), port_of(parent.get("port")));
    for listener in &gateway.listeners {
        let meant = (section.is_empty() || section == listener.name)
            && (port == 0 || port == listener.port);
        if !meant {
            continue;
        }
        match fits(builder, gateway, listener, member, &names) {
            Ok((hosts, assumed)) => {
                steps.push(Step::decides(
                    gateway.resource(),
                    listener.span,
                    format!(
                        "listener {} of Gateway {} takes the route",
                        listener.name,
                        gateway.reference()
                    ),
                ));
                steps.extend(assumed);
                taken.push((listener, hosts));
            }
            Err(why) => steps.push(Step::ignored(
                gateway.resource(),
                listener.span,
                format!(
                    "listener {} of Gateway {}",
                    listener.name,
                    gateway.reference()
                ),
                why,
            )),
        }
    }
    if steps.is_empty() {
        let says = format!(
            "no listener of Gateway {} is called so",
            gateway.reference()
        );
        let node = parent.get("sectionName").unwrap_or(parent);
        steps.push(Step::decides(&member.resource, node.span(), says));
    }
    builder.ways.routes.push(RouteAttachment {
        route: Arc::clone(&member.resource),
        namespace: member.namespace.clone(),
        gateway: gateway.as_ref(),
        attached: Some(!taken.is_empty()),
        steps: steps.clone(),
    });
    if gateway.inside {
        return;
    }
    steps.retain(|s| !matches!(s.role, crate::facts::Role::Ignored(_)));
    steps.extend(gateway.steps.iter().cloned());
    let own = member.resource.object().at(&["spec", "securityPolicy"]);
    let delegated = gateway::authenticated_by(builder, member)
        .or_else(|| own.map(|_| format!("what {} asks of callers", shown(member))))
        .or_else(|| gateway.authenticated_by.clone())
        .unwrap_or_default();
    for (listener, hosts) in taken {
        let way = Exposure {
            outside_port: listener.port,
            hosts,
            tls: Some(listener.tls),
            internal: gateway.internal,
            delegated: delegated.clone(),
            steps: steps.clone(),
            ..way(member, gateway.as_ref(), gateway.front.clone())
        };
        backend::lead(builder, member, &way);
    }
}

/// The host names a listener and a route share, with what had to be assumed; or why the route is refused.
fn fits(
    builder: &Builder<'_>,
    gateway: &Gateway<'_>,
    listener: &Listener<'_>,
    member: &Member,
    names: &[&str],
) -> Result<(Vec<String>, Option<Step>), String> {
    let kind = match member.resource.kind() {
        "AIGatewayRoute" | "MCPRoute" => "HTTPRoute",
        kind => kind,
    };
    if !listener.takes(kind) {
        return Err(format!("it takes no {kind}"));
    }
    let own = member.namespace.as_str();
    let assumed = match listener.admits(builder.topology, gateway.namespace(), own) {
        Admits::Yes => None,
        Admits::No(why) => return Err(why),
        Admits::Unknown => Some(Step::assumed(
            "namespaces",
            format!(
                "namespace {own}, which has no Namespace object here, has the labels that the listener asks for"
            ),
        )),
    };
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
        steps: Vec::new(),
    }
}

/// `Kind:namespace/name` of a member.
fn shown(member: &Member) -> String {
    let place = join(member.namespace.as_str(), &member.resource.name);
    format!("{} {place}", member.resource.kind())
}
