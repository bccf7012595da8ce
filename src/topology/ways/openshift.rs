//! OpenShift's Route as a way in. Input: `route.openshift.io/Route`; output: exposures and attachments.
//!
//! openshift/api `route/v1/types.go`; openshift/router `pkg/router/template`: `endpointsForAlias` (which ports), `router.go` (which of the maps of
//! HAProxy a termination fills, and that cleartext beside TLS needs `Allow`), `pkg/router/controller/unique_host.go` (the oldest Route of a host).

use std::sync::Arc;

use super::{Builder, Target, age, items, text};
use crate::facts::Step;
use crate::facts::exposure::{EdgeTls, Exposure, Front, GatewayRef, RouteAttachment, Way, join};
use crate::facts::peers::addresses::Network;
use crate::facts::workload::{Protocol, WorkloadId};
use crate::view::Member;
use crate::yaml::NodeRef;

const GROUP: &str = "route.openshift.io";

/// Networks that callers must be in, separated by spaces.
const NETWORKS: [&str; 2] = [
    "haproxy.router.openshift.io/ip_allowlist",
    "haproxy.router.openshift.io/ip_whitelist",
];

pub(super) fn read(builder: &mut Builder<'_>) {
    let routes: Vec<&Member> = builder.view.of_kind(GROUP, "Route").collect();
    for member in &routes {
        route(builder, &routes, member);
    }
}

fn route(builder: &mut Builder<'_>, routes: &[&Member], member: &Member) {
    let resource = &member.resource;
    let Some(spec) = resource.object().get("spec") else {
        return;
    };
    let reference = join(member.namespace.as_str(), &resource.name);
    let says = format!("a router of the cluster serves Route {reference}");
    let served = Step::decides(resource, resource.name_span(), says);
    let doubts = doubts(routes, member, spec);
    let gateway = GatewayRef {
        resource: None,
        namespace: String::new(),
        name: String::new(),
    };
    builder.ways.routes.push(RouteAttachment {
        route: Arc::clone(resource),
        namespace: member.namespace.clone(),
        gateway: gateway.clone(),
        attached: doubts.is_empty().then_some(true),
        steps: [vec![served], doubts.clone()].concat(),
    });
    let (nets, annotations) = networks(resource.object());
    let way = Exposure {
        way: Way::Route,
        opener: Arc::clone(resource),
        namespace: member.namespace.clone(),
        gateway: Some(gateway),
        front: Front::Unseen(format!("the router of Route {reference}")),
        service: String::new(),
        workload: WorkloadId(0),
        port: 0,
        protocol: Protocol::Tcp,
        outside_port: 0,
        hosts: hosts(spec),
        paths: paths(spec),
        nets,
        tls: None,
        internal: false,
        delegated: String::new(),
        mirror: false,
        steps: Vec::new(),
    };
    let marks = annotations.into_iter().map(|(node, reads)| {
        let says = "where callers have to be, by annotation";
        if reads {
            return Step::decides(resource, node.span(), says);
        }
        let why = "the router cannot read it, and lets everybody in";
        Step::ignored(resource, node.span(), says, why)
    });
    let marks: Vec<Step> = marks.collect();
    for backend in spec
        .get("to")
        .into_iter()
        .chain(items(spec, &["alternateBackends"]))
    {
        // Missing is 100.
        if backend.get("weight").and_then(NodeRef::as_i64) == Some(0) {
            continue;
        }
        let service = text(backend, "name");
        let targets = targets(builder, member.namespace.as_str(), service, spec);
        let says = format!(
            "Route {reference} leads to Service {}",
            join(member.namespace.as_str(), service)
        );
        let mut steps = vec![Step::decides(resource, backend.span(), says)];
        steps.extend(marks.iter().chain(&doubts).cloned());
        for (tls, outside_port) in doors(spec) {
            let exposure = Exposure {
                service: join(member.namespace.as_str(), service),
                tls: Some(tls),
                outside_port,
                steps: steps.clone(),
                ..way.clone()
            };
            builder.lead(&exposure, &targets);
        }
    }
}

/// What callers meet, and at which port of the router: cleartext without `tls`, and beside a terminated TLS where
/// `insecureEdgeTerminationPolicy` is `Allow`.
fn doors(spec: NodeRef<'_>) -> Vec<(EdgeTls, u16)> {
    let Some(tls) = spec.get("tls").filter(|t| !t.is_null()) else {
        return vec![(EdgeTls::None, 80)];
    };
    match text(tls, "termination") {
        "" => vec![(EdgeTls::None, 80)],
        "passthrough" => vec![(EdgeTls::Passthrough, 443)],
        _ if text(tls, "insecureEdgeTerminationPolicy") == "Allow" => {
            vec![(EdgeTls::Simple, 443), (EdgeTls::None, 80)]
        }
        _ => vec![(EdgeTls::Simple, 443)],
    }
}

/// The container ports behind a Service that a Route means: all but those of UDP, or those whose Service port has the name, or whose own number is
/// the number, of `port.targetPort`.
fn targets(
    builder: &Builder<'_>,
    namespace: &str,
    service: &str,
    spec: NodeRef<'_>,
) -> Vec<Target> {
    let wanted = spec
        .at(&["port", "targetPort"])
        .filter(|n| !n.is_null())
        .map_or("", NodeRef::text);
    let mut found = Vec::new();
    for workload in builder.topology.behind(namespace, service) {
        for port in &workload.ports {
            let mut of_service = port.services.iter().filter(|s| s.service.name == service);
            let fits = of_service.any(|s| {
                wanted.is_empty() || s.name == wanted || port.number.to_string() == wanted
            });
            if fits && port.protocol == Protocol::Tcp {
                found.push((workload.id, port.number, port.protocol));
            }
        }
    }
    found
}

/// `host`, for its whole subdomain where `wildcardPolicy` says so. Without one OpenShift makes a name, which the files do not tell.
fn hosts(spec: NodeRef<'_>) -> Vec<String> {
    let host = text(spec, "host");
    let name = match host.split_once('.') {
        Some((_, rest)) if is_wildcard(spec) => format!("*.{rest}"),
        _ => host.to_owned(),
    };
    Some(name).filter(|n| !n.is_empty()).into_iter().collect()
}

fn is_wildcard(spec: NodeRef<'_>) -> bool {
    text(spec, "wildcardPolicy") == "Subdomain"
}

/// `path` is a prefix of whole segments.
fn paths(spec: NodeRef<'_>) -> Vec<String> {
    match text(spec, "path") {
        "" | "/" => Vec::new(),
        path => vec![format!("{path}*")],
    }
}

/// The annotation that says where callers have to be, with the networks; one that no router can read lets everybody in
/// (openshift/router `haproxy-config.template`: `firstMatch $cidrListPattern`, which takes the whole value or nothing).
fn networks(object: NodeRef<'_>) -> (Vec<String>, Vec<(NodeRef<'_>, bool)>) {
    let annotations = object.at(&["metadata", "annotations"]);
    let mut seen = Vec::new();
    for node in NETWORKS.iter().filter_map(|name| annotations?.get(name)) {
        let value = node.text();
        let parts: Vec<&str> = value.split_whitespace().collect();
        let reads = !parts.is_empty()
            && value.trim() == value
            && parts.iter().all(|part| Network::parse(part).is_some());
        seen.push((node, reads));
        if reads {
            return (parts.into_iter().map(str::to_owned).collect(), seen);
        }
    }
    (Vec::new(), seen)
}

/// What a router has to be, for the Route to be served.
fn doubts(routes: &[&Member], member: &Member, spec: NodeRef<'_>) -> Vec<Step> {
    let mut doubts = Vec::new();
    let reference = join(member.namespace.as_str(), &member.resource.name);
    if is_wildcard(spec) {
        let says = format!("a router that admits wildcards serves Route {reference}");
        doubts.push(Step::assumed("objects", says));
    }
    let rival = routes.iter().find(|other| excludes(other, member));
    if let Some(rival) = rival {
        let other = join(rival.namespace.as_str(), &rival.resource.name);
        let says = format!("Route {reference} is older than Route {other}, which has its host");
        doubts.push(Step::assumed("objects", says));
    }
    doubts
}

/// Whether a Route may keep another from its host: a host belongs to the namespace of its oldest Route, and there each path to the oldest. The
/// ages of both are not in the files, or speak for the other.
fn excludes(other: &Member, member: &Member) -> bool {
    let of = |m: &Member, field: &str| {
        let node = m.resource.object().at(&["spec", field]);
        node.map_or("", NodeRef::text).to_owned()
    };
    let host = of(member, "host");
    if other.resource.id == member.resource.id || host.is_empty() || of(other, "host") != host {
        return false;
    }
    let rivals = other.namespace != member.namespace || of(other, "path") == of(member, "path");
    let (mine, theirs) = (age(member), age(other));
    rivals && (mine.is_empty() || theirs.is_empty() || theirs < mine)
}
