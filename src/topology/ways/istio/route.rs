//! Where a VirtualService leads. Input: its rules for one gateway; output: exposures.
//!
//! istio.io/docs/reference/config/networking/virtual-service: `match[].gateways` limits a rule to gateways; `delegate` continues in another
//! VirtualService; a short host belongs to the route's own namespace.

use std::collections::HashMap;

use super::GROUP;
use crate::facts::Step;
use crate::facts::exposure::{Exposure, join};
use crate::facts::selector::MatchLabels;
use crate::topology::mirrors::{self, Mirror};
use crate::topology::ways::{Builder, ServicePortRef, Target, items, port_of, text};
use crate::view::{Member, View};
use crate::yaml::NodeRef;

/// What a server carries, hence which rules of a route count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Carries {
    Http,
    Tls,
    Tcp,
}

/// From where a route is looked at: one port of a gateway, by the gateway's name in the route.
pub(super) struct Place<'t> {
    pub(super) named: &'t str,
    pub(super) carries: Carries,
    pub(super) port: u16,
}

/// Labels of subsets, by namespace and name of the Service, then by the name of the subset; of several rules the first.
pub(super) struct Subsets<'v> {
    by_service: HashMap<(&'v str, &'v str, &'v str), MatchLabels>,
}

impl<'v> Subsets<'v> {
    pub(super) fn of(view: &'v View) -> Self {
        let mut by_service = HashMap::new();
        for rule in view.of_kind(GROUP, "DestinationRule") {
            let object = rule.resource.object();
            let host = object.at(&["spec", "host"]).map_or("", NodeRef::text);
            let place = mirrors::resolve(host, rule.namespace.as_str());
            let Some((namespace, service)) = place else {
                continue;
            };
            for subset in items(object, &["spec", "subsets"]) {
                by_service
                    .entry((namespace, service, text(subset, "name")))
                    .or_insert_with(|| MatchLabels::read(subset.get("labels")));
            }
        }
        Self { by_service }
    }
}

/// Adds a way to everything a route leads to from one gateway.
pub(super) fn lead(
    builder: &mut Builder<'_>,
    subsets: &Subsets<'_>,
    member: &Member,
    way: &Exposure,
    place: &Place<'_>,
) {
    let field = match place.carries {
        Carries::Http => "http",
        Carries::Tls => "tls",
        Carries::Tcp => "tcp",
    };
    for rule in items(member.resource.object(), &["spec", field]) {
        let Some(paths) = paths(rule, place.named) else {
            continue;
        };
        let way = Exposure {
            paths,
            ..way.clone()
        };
        if let Some(delegate) = rule.get("delegate") {
            delegated(builder, subsets, member, &way, (delegate, place));
        }
        routes(builder, subsets, member, &way, (rule, place));
    }
}

/// The rules of the VirtualService that a rule hands over to; a delegate delegates no further.
fn delegated(
    builder: &mut Builder<'_>,
    subsets: &Subsets<'_>,
    member: &Member,
    way: &Exposure,
    (delegate, place): (NodeRef<'_>, &Place<'_>),
) {
    let namespace = match text(delegate, "namespace") {
        "" => member.namespace.as_str(),
        other => other,
    };
    let name = text(delegate, "name");
    let found = builder
        .view
        .of_kind(GROUP, "VirtualService")
        .find(|m| m.resource.name == name && m.namespace.as_str() == namespace);
    let Some(found) = found else {
        return;
    };
    let says = format!(
        "the rule goes on in VirtualService {}",
        join(namespace, name)
    );
    let mut steps = way.steps.clone();
    steps.push(Step::decides(&member.resource, delegate.span(), says));
    let way = Exposure {
        steps,
        ..way.clone()
    };
    for rule in items(found.resource.object(), &["spec", "http"]) {
        routes(builder, subsets, found, &way, (rule, place));
    }
}

fn routes(
    builder: &mut Builder<'_>,
    subsets: &Subsets<'_>,
    member: &Member,
    way: &Exposure,
    (rule, place): (NodeRef<'_>, &Place<'_>),
) {
    for route in items(rule, &["route"]) {
        if route.get("weight").and_then(NodeRef::as_i64) == Some(0) {
            continue;
        }
        if let Some(destination) = route.get("destination") {
            to_destination(builder, subsets, member, way, (destination, place));
        }
    }
    if place.carries != Carries::Http {
        return;
    }
    let copy = Exposure {
        mirror: true,
        ..way.clone()
    };
    for target in mirrors::of_virtual_service(member.namespace.as_str(), rule) {
        to_destination(builder, subsets, member, &copy, (target.node, place));
    }
}

fn to_destination(
    builder: &mut Builder<'_>,
    subsets: &Subsets<'_>,
    member: &Member,
    way: &Exposure,
    (destination, place): (NodeRef<'_>, &Place<'_>),
) {
    let host = text(destination, "host");
    let Some((namespace, service)) = mirrors::resolve(host, member.namespace.as_str()) else {
        return;
    };
    let port = port_of(destination.at(&["port", "number"]));
    let targets = targets(builder, namespace, service, port, place.port);
    let subset = subsets
        .by_service
        .get(&(namespace, service, text(destination, "subset")));
    let targets = of_subset(builder, targets, subset);
    let reference = join(namespace, service);
    let own = join(member.namespace.as_str(), &member.resource.name);
    let leads = if way.mirror {
        "copies requests"
    } else {
        "leads"
    };
    let says = format!("VirtualService {own} {leads} to Service {reference}");
    let span = destination.get("host").unwrap_or(destination).span();
    let mut steps = vec![Step::decides(&member.resource, span, says)];
    steps.extend(way.steps.iter().cloned());
    let way = Exposure {
        service: reference,
        steps,
        ..way.clone()
    };
    builder.lead(&way, &targets);
}

/// The ports of a Service, each once.
fn ports_of(builder: &Builder<'_>, namespace: &str, service: &str) -> Vec<u16> {
    let mut ports: Vec<u16> = builder
        .topology
        .behind(namespace, service)
        .flat_map(|w| &w.ports)
        .flat_map(|p| &p.services)
        .filter(|s| s.service.name == service)
        .map(|s| s.port)
        .collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// Where a mirror of the mesh leads. Without a port, and of several, the one that the caller called is meant.
pub(super) fn copied_to(
    builder: &Builder<'_>,
    subsets: &Subsets<'_>,
    mirror: &Mirror<'_>,
) -> Vec<Target> {
    let Some((namespace, service)) = mirror.to.service else {
        return Vec::new();
    };
    let destination = mirror.to.node;
    let port = port_of(destination.at(&["port", "number"]));
    let called = mirror
        .of
        .iter()
        .flat_map(|(n, s)| ports_of(builder, n, s))
        .chain([0]);
    let mut found: Vec<Target> = called
        .flat_map(|called| targets(builder, namespace, service, port, called))
        .collect();
    found.sort_unstable();
    found.dedup();
    let subset = subsets
        .by_service
        .get(&(namespace, service, text(destination, "subset")));
    of_subset(builder, found, subset)
}

/// Without a port the Service's only one is meant, else the one with the gateway's number
/// (istio/istio `pilot/pkg/networking/core/route/route.go:GetDestinationCluster`).
fn targets(
    builder: &Builder<'_>,
    namespace: &str,
    service: &str,
    port: u16,
    server_port: u16,
) -> Vec<Target> {
    if port > 0 {
        return builder.behind(namespace, service, ServicePortRef::Number(port));
    }
    if ports_of(builder, namespace, service).len() <= 1 {
        builder.behind(namespace, service, ServicePortRef::Only)
    } else {
        builder.behind(namespace, service, ServicePortRef::Number(server_port))
    }
}

/// Only pods with the labels of the subset, where a DestinationRule of the view defines it.
fn of_subset(
    builder: &Builder<'_>,
    targets: Vec<Target>,
    subset: Option<&MatchLabels>,
) -> Vec<Target> {
    let Some(labels) = subset else {
        return targets;
    };
    targets
        .into_iter()
        .filter(|(id, ..)| {
            let workload = builder.topology.workload(*id);
            workload.is_some_and(|w| labels.matches(w.labels()))
        })
        .collect()
}

/// Paths that a rule matches from this gateway, `/v1*` for a prefix; empty = every path; `None` = the rule is for other gateways.
fn paths(rule: NodeRef<'_>, named: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut any = false;
    let mut matched = false;
    for condition in items(rule, &["match"]) {
        matched = true;
        let mut gateways = items(condition, &["gateways"]).peekable();
        if gateways.peek().is_some() && !gateways.any(|g| g.text() == named) {
            continue;
        }
        any = true;
        match condition.get("uri") {
            Some(uri) if !text(uri, "exact").is_empty() => {
                found.push(text(uri, "exact").to_owned())
            }
            Some(uri) if !text(uri, "regex").is_empty() => {
                found.push(format!("~{}", text(uri, "regex")));
            }
            Some(uri) if !matches!(text(uri, "prefix"), "" | "/") => {
                found.push(format!("{}*", text(uri, "prefix")));
            }
            _ => return Some(Vec::new()),
        }
    }
    (any || !matched).then_some(found)
}
