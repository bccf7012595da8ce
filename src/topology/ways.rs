//! L4: ways into the cluster, resolved once: Services of node or load balancer, ports of nodes, routes of gateways, Ingress, OpenShift. Input: a `View` and
//! its `Topology`; output: `Ways`.

mod gateway_api;
mod grants;
mod hosts;
mod ingress;
mod istio;
mod openshift;
mod services;

use std::collections::HashMap;
use std::sync::Arc;

use crate::facts::Step;
use crate::facts::exposure::{Copies, EdgeTls, Exposure, RouteAttachment, Way, join};
use crate::facts::workload::{Protocol, WorkloadId};
use crate::resource::ResourceId;
use crate::topology::Topology;
use crate::topology::mirrors::{self, Mirror};
use crate::view::{Member, View};
use crate::yaml::NodeRef;

/// Ways into the cluster of one view.
#[derive(Debug, Default)]
pub struct Ways {
    /// Ways that end at a workload's port, in the order of workload, port and opener.
    pub exposures: Vec<Exposure>,
    /// Routes with every gateway they name, in input order.
    pub routes: Vec<RouteAttachment>,
    /// Copies of requests between workloads, in the order of workload, port and route.
    pub copies: Vec<Copies>,
}

impl Ways {
    /// Reads the ways of a view.
    #[must_use]
    pub fn of(view: &View, topology: &Topology) -> Self {
        let mut builder = Builder {
            view,
            topology,
            ways: Self::default(),
            known: HashMap::new(),
        };
        services::read(&mut builder);
        ingress::read(&mut builder);
        openshift::read(&mut builder);
        gateway_api::read(&mut builder);
        istio::read(&mut builder);
        let mut mirrors = mirrors::of(view);
        mirrors.retain(|mirror| mirror.in_mesh);
        istio::copies(&mut builder, &mirrors);
        gateway_api::copies(&mut builder, &mirrors);
        let mut ways = builder.ways;
        ways.copies
            .sort_by_key(|c| (c.workload, c.port, c.opener.id));
        ways.exposures.sort_by_key(|e| {
            (
                e.workload,
                e.port,
                e.way,
                e.opener.id,
                e.outside_port,
                e.mirror,
            )
        });
        ways
    }

    /// Copies of requests that end at a port.
    pub fn copies_to(
        &self,
        workload: WorkloadId,
        port: u16,
        protocol: Protocol,
    ) -> impl Iterator<Item = &Copies> {
        let first = self
            .copies
            .partition_point(|c| (c.workload, c.port) < (workload, port));
        self.copies
            .iter()
            .skip(first)
            .take_while(move |c| c.workload == workload && c.port == port)
            .filter(move |c| c.protocol == protocol)
    }

    /// The ways that end at a port.
    pub fn to(
        &self,
        workload: WorkloadId,
        port: u16,
        protocol: Protocol,
    ) -> impl Iterator<Item = &Exposure> {
        let first = self
            .exposures
            .partition_point(|e| (e.workload, e.port) < (workload, port));
        self.exposures
            .iter()
            .skip(first)
            .take_while(move |e| e.workload == workload && e.port == port)
            .filter(move |e| e.protocol == protocol)
    }
}

/// What makes two ways one: only hosts and paths differ.
type Key = (
    WorkloadId,
    u16,
    Way,
    ResourceId,
    String,
    u16,
    Option<EdgeTls>,
    String,
    bool,
);

/// Which port of a Service is meant.
#[derive(Clone, Copy)]
enum ServicePortRef<'t> {
    Number(u16),
    Name(&'t str),
    /// The only one there is.
    Only,
}

/// A container port that something leads to.
type Target = (WorkloadId, u16, Protocol);

struct Builder<'v> {
    view: &'v View,
    topology: &'v Topology,
    ways: Ways,
    known: HashMap<Key, usize>,
}

impl Builder<'_> {
    /// The container ports behind a Service port.
    fn behind(&self, namespace: &str, service: &str, port: ServicePortRef<'_>) -> Vec<Target> {
        let mut found = Vec::new();
        for workload in self.topology.behind(namespace, service) {
            for target in &workload.ports {
                let fits = target.services.iter().any(|s| {
                    s.service.name == service
                        && match port {
                            ServicePortRef::Number(number) => s.port == number,
                            ServicePortRef::Name(name) => s.name == name,
                            ServicePortRef::Only => true,
                        }
                });
                if fits {
                    found.push((workload.id, target.number, target.protocol));
                }
            }
        }
        found
    }

    /// Adds copies to each target, once for each route.
    fn copy(&mut self, mirror: &Mirror<'_>, targets: &[Target]) {
        let opener = &mirror.opener.resource;
        let of: Vec<String> = mirror.of.iter().map(|(n, s)| join(n, s)).collect();
        let (namespace, name) = mirror.to.service.unwrap_or_default();
        let service = join(namespace, name);
        for &(workload, port, protocol) in targets {
            let known = self.ways.copies.iter_mut().find(|c| {
                c.opener.id == opener.id
                    && (c.workload, c.port, c.protocol) == (workload, port, protocol)
            });
            if let Some(known) = known {
                known.of.extend(of.iter().cloned());
                known.of.sort();
                known.of.dedup();
                continue;
            }
            let own = join(mirror.opener.namespace.as_str(), &opener.name);
            let kind = opener.kind();
            let says = format!("{kind} {own} copies requests to Service {service}");
            let sent = "the proxy that routes a request sends its copy, under its own identity";
            self.ways.copies.push(Copies {
                opener: Arc::clone(opener),
                namespace: mirror.opener.namespace.clone(),
                of: of.clone(),
                service: service.clone(),
                workload,
                port,
                protocol,
                steps: vec![
                    Step::decides(opener, mirror.to.span, says),
                    Step::default("envoyproxy.io, request_mirror_policies", sent),
                ],
            });
        }
    }

    /// Adds a way to each target; ways that differ in hosts and paths only become one.
    fn lead(&mut self, way: &Exposure, targets: &[Target]) {
        for &(workload, port, protocol) in targets {
            let key = (
                workload,
                port,
                way.way,
                way.opener.id,
                way.gateway(),
                way.outside_port,
                way.tls,
                way.delegated.clone(),
                way.mirror,
            );
            if let Some(known) = self.known.get(&key) {
                if let Some(known) = self.ways.exposures.get_mut(*known) {
                    widen(&mut known.hosts, &way.hosts);
                    widen(&mut known.paths, &way.paths);
                }
                continue;
            }
            self.known.insert(key, self.ways.exposures.len());
            self.ways.exposures.push(Exposure {
                workload,
                port,
                protocol,
                ..way.clone()
            });
        }
    }
}

/// Joins two lists of which the empty one means everything.
fn widen(known: &mut Vec<String>, more: &[String]) {
    if known.is_empty() || more.is_empty() {
        known.clear();
        return;
    }
    known.extend(more.iter().cloned());
    known.sort();
    known.dedup();
}

/// The items of a list below a node.
fn items<'t>(node: NodeRef<'t>, path: &[&str]) -> impl Iterator<Item = NodeRef<'t>> + use<'t> {
    node.at(path).into_iter().flat_map(NodeRef::items)
}

/// A field as text; empty when it is missing or null.
fn text<'t>(node: NodeRef<'t>, name: &str) -> &'t str {
    node.get(name)
        .filter(|n| !n.is_null())
        .map_or("", NodeRef::text)
}

/// A port number; 0 when there is none.
fn port_of(node: Option<NodeRef<'_>>) -> u16 {
    node.and_then(NodeRef::as_i64)
        .and_then(|n| u16::try_from(n).ok())
        .unwrap_or(0)
}

/// When an object was made; empty where the files do not say.
fn age(member: &Member) -> &str {
    let stamp = member
        .resource
        .object()
        .at(&["metadata", "creationTimestamp"]);
    stamp.filter(|t| !t.is_null()).map_or("", NodeRef::text)
}
