//! Istio's Gateway and VirtualService as ways in. Input: both kinds and the proxies that Gateways select; output: attachments and exposures.
//!
//! istio.io/docs/reference/config/networking/{gateway,virtual-service}; istio/istio `pilot/pkg/model/gateway.go:MergeGateways`,
//! `pilot/pkg/networking/core/gateway.go`. A Gateway's selector picks proxies of every namespace. AUTO_PASSTHROUGH servers lead to Services
//! by name for other clusters of the mesh; they are no way in for a route.

mod route;

use std::collections::HashMap;
use std::sync::Arc;

use super::services::{self, Outside};
use super::{Builder, hosts, items, port_of, text};
use crate::facts::Step;
use crate::facts::exposure::{EdgeTls, Exposure, Front, GatewayRef, RouteAttachment, Way, join};
use crate::facts::selector::MatchLabels;
use crate::facts::workload::{Protocol, WorkloadId};
use crate::source::Span;
use crate::topology::mirrors::Mirror;
use crate::view::Member;
use crate::yaml::NodeRef;

use route::Carries;

const GROUP: &str = "networking.istio.io";

/// A Gateway with what is known of its proxies.
struct Gateway<'v> {
    member: &'v Member,
    proxies: Vec<WorkloadId>,
    servers: Vec<Server<'v>>,
    inside: bool,
    internal: bool,
    steps: Vec<Step>,
}

/// Gateways by namespace and name.
type Gateways<'v> = HashMap<(&'v str, &'v str), Gateway<'v>>;

/// One entry of `servers`.
struct Server<'v> {
    port: u16,
    carries: Carries,
    tls: EdgeTls,
    hosts: Vec<&'v str>,
    span: Span,
}

pub(super) fn read(builder: &mut Builder<'_>) {
    let view = builder.view;
    let gateways: Gateways<'_> = view
        .of_kind(GROUP, "Gateway")
        .map(|member| {
            let place = (member.namespace.as_str(), member.resource.name.as_str());
            (place, gateway(builder, member))
        })
        .collect();
    let subsets = route::Subsets::of(view);
    for member in view.of_kind(GROUP, "VirtualService") {
        virtual_service(builder, &gateways, &subsets, member);
    }
}

/// Copies that sidecars and waypoints send.
pub(super) fn copies(builder: &mut Builder<'_>, mirrors: &[Mirror<'_>]) {
    let mut own = mirrors
        .iter()
        .filter(|m| {
            m.opener
                .resource
                .is("networking.istio.io", "VirtualService")
        })
        .peekable();
    if own.peek().is_none() {
        return;
    }
    let subsets = route::Subsets::of(builder.view);
    for mirror in own {
        let targets = route::copied_to(builder, &subsets, mirror);
        builder.copy(mirror, &targets);
    }
}

fn gateway<'v>(builder: &Builder<'_>, member: &'v Member) -> Gateway<'v> {
    let object = member.resource.object();
    let selector = MatchLabels::read(object.at(&["spec", "selector"]));
    let proxies: Vec<WorkloadId> = builder
        .topology
        .workloads
        .iter()
        .filter(|w| !selector.is_empty() && selector.matches(w.labels()))
        .map(|w| w.id)
        .collect();
    let reference = join(member.namespace.as_str(), &member.resource.name);
    let outside = services::outside_of(builder, &proxies);
    let (inside, internal, step) = match outside {
        Some(Outside::Public(step)) => (false, false, step),
        Some(Outside::Internal(step)) => (false, true, step),
        Some(Outside::Inside(step)) => (true, false, step),
        None => {
            let says = format!(
                "the proxies of Gateway {reference}, of which no Service is in the view, are reached from outside"
            );
            (false, false, Step::assumed("objects", says))
        }
    };
    Gateway {
        servers: items(object, &["spec", "servers"])
            .filter_map(server)
            .collect(),
        proxies,
        inside,
        internal,
        steps: vec![step],
        member,
    }
}

fn server(node: NodeRef<'_>) -> Option<Server<'_>> {
    let port = node.get("port")?;
    let protocol = text(port, "protocol").to_ascii_uppercase();
    let mode = node.at(&["tls", "mode"]).map_or("", NodeRef::text);
    let secured = match mode {
        "PASSTHROUGH" => EdgeTls::Passthrough,
        "MUTUAL" => EdgeTls::Mutual,
        "OPTIONAL_MUTUAL" => EdgeTls::Optional,
        "ISTIO_MUTUAL" => EdgeTls::Mesh,
        "AUTO_PASSTHROUGH" => return None,
        _ => EdgeTls::Simple,
    };
    let (carries, tls) = match protocol.as_str() {
        "HTTPS" | "TLS" if secured == EdgeTls::Passthrough => (Carries::Tls, secured),
        "HTTPS" => (Carries::Http, secured),
        "TLS" => (Carries::Tcp, secured),
        "HTTP" | "HTTP2" | "GRPC" | "GRPC-WEB" => (Carries::Http, EdgeTls::None),
        _ => (Carries::Tcp, EdgeTls::Raw),
    };
    // A server that only redirects to HTTPS passes nothing on.
    if node
        .at(&["tls", "httpsRedirect"])
        .and_then(NodeRef::as_bool)
        == Some(true)
    {
        return None;
    }
    Some(Server {
        port: port_of(port.get("number")),
        carries,
        tls,
        hosts: items(node, &["hosts"]).map(NodeRef::text).collect(),
        span: port.span(),
    })
}

fn virtual_service(
    builder: &mut Builder<'_>,
    gateways: &Gateways<'_>,
    subsets: &route::Subsets<'_>,
    member: &Member,
) {
    let own = member.namespace.as_str();
    let object = member.resource.object();
    for named in items(object, &["spec", "gateways"]) {
        if named.text() == "mesh" {
            continue;
        }
        let (namespace, name) = gateway_name(named.text(), own);
        match gateways.get(&(namespace, name)) {
            Some(gateway) => attach(builder, gateway, subsets, member, named),
            None => unseen(builder, subsets, member, named, (namespace, name)),
        }
    }
}

/// `namespace/name`, the bare name of the route's own namespace, or the older `name.namespace.svc.cluster.local`
/// (`pilot/pkg/model/virtualservice.go:resolveGatewayName`).
fn gateway_name<'t>(text: &'t str, own: &'t str) -> (&'t str, &'t str) {
    if let Some((namespace, name)) = text.split_once('/') {
        return (if namespace == "." { own } else { namespace }, name);
    }
    match text.split_once('.') {
        Some((name, rest)) => (rest.split('.').next().unwrap_or(rest), name),
        None => (own, text),
    }
}

fn unseen(
    builder: &mut Builder<'_>,
    subsets: &route::Subsets<'_>,
    member: &Member,
    named: NodeRef<'_>,
    (namespace, name): (&str, &str),
) {
    let gateway = GatewayRef {
        resource: None,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    };
    let reference = gateway.reference();
    let steps = vec![
        Step::decides(
            &member.resource,
            named.span(),
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
    let way = Exposure {
        front: Front::Unseen(format!("the proxies of Gateway {reference}")),
        hosts: route_hosts(member)
            .into_iter()
            .filter(|h| *h != "*")
            .map(str::to_owned)
            .collect(),
        steps,
        ..way(member, gateway)
    };
    for carries in [Carries::Http, Carries::Tls, Carries::Tcp] {
        let at = route::Place {
            named: named.text(),
            carries,
            port: 0,
        };
        route::lead(builder, subsets, member, &way, &at);
    }
}

fn attach(
    builder: &mut Builder<'_>,
    gateway: &Gateway<'_>,
    subsets: &route::Subsets<'_>,
    member: &Member,
    named: NodeRef<'_>,
) {
    let at = gateway.member.namespace.as_str();
    let reference = join(at, &gateway.member.resource.name);
    let holder = &gateway.member.resource;
    let hosts = route_hosts(member);
    let mut steps = Vec::new();
    let mut taken = Vec::new();
    let hidden = !visible(builder, gateway, member);
    for server in &gateway.servers {
        let says = |verb: &str| format!("port {} of Gateway {reference}{verb}", server.port);
        if hidden {
            let why = "exportTo keeps the route from the gateway's namespace";
            steps.push(Step::ignored(holder, server.span, says(""), why));
            continue;
        }
        match bound(&server.hosts, &hosts, at, member.namespace.as_str()) {
            Some(common) => {
                steps.push(Step::decides(holder, server.span, says(" takes the route")));
                taken.push((server, common));
            }
            None => {
                let why = "its hosts have nothing in common with those of the route";
                steps.push(Step::ignored(holder, server.span, says(""), why));
            }
        }
    }
    if steps.is_empty() {
        let says = format!("Gateway {reference} has no server that passes requests on");
        steps.push(Step::decides(holder, holder.name_span(), says));
    }
    let gateway_ref = GatewayRef {
        resource: Some(Arc::clone(holder)),
        namespace: at.to_owned(),
        name: holder.name.clone(),
    };
    builder.ways.routes.push(RouteAttachment {
        route: Arc::clone(&member.resource),
        namespace: member.namespace.clone(),
        gateway: gateway_ref.clone(),
        attached: Some(!taken.is_empty()),
        steps: steps.clone(),
    });
    if gateway.inside {
        return;
    }
    steps.retain(|s| !matches!(s.role, crate::facts::Role::Ignored(_)));
    steps.extend(gateway.steps.iter().cloned());
    let front = if gateway.proxies.is_empty() {
        Front::Unseen(format!("the proxies of Gateway {reference}"))
    } else {
        Front::Workloads(gateway.proxies.clone())
    };
    for (server, common) in taken {
        let way = Exposure {
            outside_port: server.port,
            hosts: common,
            tls: Some(server.tls),
            internal: gateway.internal,
            front: front.clone(),
            steps: steps.clone(),
            ..way(member, gateway_ref.clone())
        };
        let at = route::Place {
            named: named.text(),
            carries: server.carries,
            port: server.port,
        };
        route::lead(builder, subsets, member, &way, &at);
    }
}

/// The hosts that a server and a route share. A server's host may name the namespaces whose routes may use it: `ns/host`, `./host`, `*/host`.
fn bound(server: &[&str], route: &[&str], of_gateway: &str, of_route: &str) -> Option<Vec<String>> {
    let open: Vec<&str> = server
        .iter()
        .filter_map(|entry| match entry.split_once('/') {
            None => Some(*entry),
            Some(("*", host)) => Some(host),
            Some((".", host)) => (of_gateway == of_route).then_some(host),
            Some((namespace, host)) => (namespace == of_route).then_some(host),
        })
        .collect();
    if open.is_empty() {
        return None;
    }
    hosts::common(&open, route)
}

/// Whether the proxies see the route: `exportTo` is empty, `*`, names their namespace, or is `.` and they live beside the route.
fn visible(builder: &Builder<'_>, gateway: &Gateway<'_>, member: &Member) -> bool {
    let export: Vec<&str> = items(member.resource.object(), &["spec", "exportTo"])
        .map(NodeRef::text)
        .collect();
    if export.is_empty() || export.contains(&"*") {
        return true;
    }
    let own = member.namespace.as_str();
    let mut spaces: Vec<&str> = gateway
        .proxies
        .iter()
        .filter_map(|id| builder.topology.workload(*id))
        .map(|w| w.namespace.as_str())
        .collect();
    if spaces.is_empty() {
        spaces.push(gateway.member.namespace.as_str());
    }
    spaces.iter().any(|space| {
        export
            .iter()
            .any(|e| e == space || (*e == "." && *space == own))
    })
}

fn route_hosts(member: &Member) -> Vec<&str> {
    items(member.resource.object(), &["spec", "hosts"])
        .map(NodeRef::text)
        .collect()
}

fn way(member: &Member, gateway: GatewayRef) -> Exposure {
    Exposure {
        way: Way::Route,
        opener: Arc::clone(&member.resource),
        namespace: member.namespace.clone(),
        gateway: Some(gateway),
        front: Front::Nobody,
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
