//! L4: what runs and how it is reached, resolved once before the engines. Input: a `View`; output: `Topology`.

mod listens;
pub mod mirrors;
pub mod ways;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::facts::selector::MatchLabels;
use crate::facts::workload::{Port, Protocol, ServicePort, Workload, WorkloadId};
use crate::pods;
use crate::resource::Resource;
use crate::source::to_u32;
use crate::view::{Member, View};
use crate::yaml::NodeRef;

/// Workloads of a view with their ports, and its Namespace objects.
#[derive(Debug, Default)]
pub struct Topology {
    /// Workloads in input order.
    pub workloads: Vec<Workload>,
    /// Namespace objects by name; of several the first.
    pub namespaces: BTreeMap<String, Arc<Resource>>,
    by_reference: HashMap<String, Vec<WorkloadId>>,
    by_service: HashMap<(String, String), Vec<WorkloadId>>,
}

impl Topology {
    /// Resolves workloads, their Services and ports.
    #[must_use]
    pub fn of(view: &View) -> Self {
        let services = ServiceIndex::of(view);
        let mut topology = Self::default();
        for member in view.of_kind("", "Namespace") {
            topology
                .namespaces
                .entry(member.resource.name.clone())
                .or_insert_with(|| Arc::clone(&member.resource));
        }
        for member in &view.members {
            let Some(template) = pods::template(&member.resource) else {
                continue;
            };
            let id = WorkloadId(to_u32(topology.workloads.len()));
            let workload = workload(id, member, template, &services);
            topology
                .by_reference
                .entry(workload.reference())
                .or_default()
                .push(id);
            for service in &workload.services {
                let key = (workload.namespace.as_str().to_owned(), service.name.clone());
                topology.by_service.entry(key).or_default().push(id);
            }
            topology.workloads.push(workload);
        }
        topology
    }

    /// The workload with this number.
    #[must_use]
    pub fn workload(&self, id: WorkloadId) -> Option<&Workload> {
        self.workloads.get(crate::source::to_usize(id.0))
    }

    /// Custom resources that carry pod templates which their controller completes. Their pods' labels and ports are not in the
    /// files, so they are no part of the topology; rules on containers judge them all the same.
    pub fn made_by_controllers<'v>(
        &self,
        view: &'v View,
    ) -> impl Iterator<Item = Workload> + use<'v> {
        let next = to_u32(self.workloads.len());
        view.members
            .iter()
            .filter(|member| pods::template(&member.resource).is_none())
            .filter_map(|member| {
                let templates = pods::templates(&member.resource);
                let first = templates.first()?;
                Some((
                    member,
                    first.spec.index(),
                    first.service_account().to_owned(),
                ))
            })
            .zip(next..)
            .map(|((member, template, service_account), id)| Workload {
                id: WorkloadId(id),
                resource: Arc::clone(&member.resource),
                namespace: member.namespace.clone(),
                service_account,
                host_network: false,
                ports: Vec::new(),
                services: Vec::new(),
                template,
            })
    }

    /// Workloads named `namespace/name` (or `name` in the unnamed namespace), whatever their kind.
    pub fn named(&self, reference: &str) -> impl Iterator<Item = &Workload> {
        self.by_reference
            .get(reference)
            .into_iter()
            .flatten()
            .filter_map(|&id| self.workload(id))
    }

    /// Workloads that a Service selects.
    pub fn behind(&self, namespace: &str, service: &str) -> impl Iterator<Item = &Workload> {
        self.by_service
            .get(&(namespace.to_owned(), service.to_owned()))
            .into_iter()
            .flatten()
            .filter_map(|&id| self.workload(id))
    }

    /// A label of a Namespace object.
    #[must_use]
    pub fn namespace_label(&self, namespace: &str, label: &str) -> Option<NodeRef<'_>> {
        self.namespaces
            .get(namespace)?
            .object()
            .at(&["metadata", "labels"])?
            .get(label)
    }
}

fn workload(
    id: WorkloadId,
    member: &Member,
    template: NodeRef<'_>,
    services: &ServiceIndex<'_>,
) -> Workload {
    let spec = template.get("spec");
    let service_account = spec
        .and_then(|s| {
            s.get("serviceAccountName")
                .or_else(|| s.get("serviceAccount"))
        })
        .map(NodeRef::text)
        .filter(|name| !name.is_empty())
        .unwrap_or("default");
    let mut workload = Workload {
        id,
        resource: Arc::clone(&member.resource),
        namespace: member.namespace.clone(),
        service_account: service_account.to_owned(),
        host_network: spec
            .and_then(|s| s.get("hostNetwork"))
            .and_then(NodeRef::as_bool)
            == Some(true),
        ports: container_ports(spec),
        services: Vec::new(),
        template: template.index(),
    };
    let mut ports = std::mem::take(&mut workload.ports);
    for service in services.of_workload(&workload) {
        add_service(&mut ports, service);
        workload.services.push(Arc::clone(service));
    }
    if ports.is_empty() {
        ports = listens::unless_told(spec);
    }
    ports.sort_by_key(|p| (p.number, p.protocol));
    workload.ports = ports;
    workload
}

fn port_number(node: Option<NodeRef<'_>>) -> Option<u16> {
    node.and_then(NodeRef::as_i64)
        .and_then(|n| u16::try_from(n).ok())
        .filter(|&n| n != 0)
}

fn container_ports(spec: Option<NodeRef<'_>>) -> Vec<Port> {
    let mut ports: Vec<Port> = Vec::new();
    let containers = ["containers", "initContainers"]
        .into_iter()
        .filter_map(|field| spec?.get(field))
        .flat_map(NodeRef::items);
    for entry in containers
        .filter_map(|c| c.get("ports"))
        .flat_map(NodeRef::items)
    {
        let Some(number) = port_number(entry.get("containerPort")) else {
            continue;
        };
        let protocol = Protocol::read(entry.get("protocol").and_then(NodeRef::as_str));
        if ports
            .iter()
            .any(|p| p.number == number && p.protocol == protocol)
        {
            continue;
        }
        ports.push(Port {
            number,
            name: entry.get("name").map_or("", NodeRef::text).to_owned(),
            protocol,
            declared: entry.get("containerPort").map(NodeRef::span),
            services: Vec::new(),
        });
    }
    ports
}

/// Adds the ports of a Service to those of a workload it selects. A named `targetPort` that no container declares leads nowhere
/// (Kubernetes: `pkg/api/v1/pod.FindPort`).
fn add_service(ports: &mut Vec<Port>, service: &Arc<Resource>) {
    let entries = service.object().at(&["spec", "ports"]);
    for entry in entries.into_iter().flat_map(NodeRef::items) {
        let Some(port) = port_number(entry.get("port")) else {
            continue;
        };
        let protocol = Protocol::read(entry.get("protocol").and_then(NodeRef::as_str));
        let target = match entry.get("targetPort").filter(|t| !t.is_null()) {
            None => Some(port),
            Some(node) if node.as_i64().is_some() => port_number(Some(node)),
            Some(node) => ports
                .iter()
                .find(|p| p.name == node.text() && p.protocol == protocol)
                .map(|p| p.number),
        };
        let Some(number) = target else { continue };
        let service_port = ServicePort {
            service: Arc::clone(service),
            port,
            name: entry.get("name").map_or("", NodeRef::text).to_owned(),
            app_protocol: entry
                .get("appProtocol")
                .filter(|n| !n.is_null())
                .map(|n| n.text().to_owned()),
            protocol,
            span: entry.span(),
        };
        match ports
            .iter_mut()
            .find(|p| p.number == number && p.protocol == protocol)
        {
            Some(known) => known.services.push(service_port),
            None => ports.push(Port {
                number,
                name: String::new(),
                protocol,
                declared: None,
                services: vec![service_port],
            }),
        }
    }
}

/// Services by namespace and one pair of their selector, so that a workload meets only those that can select it.
struct ServiceIndex<'v> {
    services: Vec<(&'v Member, MatchLabels)>,
    by_pair: HashMap<(&'v str, String, String), Vec<usize>>,
}

impl<'v> ServiceIndex<'v> {
    fn of(view: &'v View) -> Self {
        let mut index = Self {
            services: Vec::new(),
            by_pair: HashMap::new(),
        };
        for member in view.of_kind("", "Service") {
            let selector = MatchLabels::read(member.resource.object().at(&["spec", "selector"]));
            // A Service without selector selects no pod: its endpoints are written by somebody else.
            let Some((key, value)) = selector.pairs().next() else {
                continue;
            };
            index
                .by_pair
                .entry((member.namespace.as_str(), key.to_owned(), value.to_owned()))
                .or_default()
                .push(index.services.len());
            index.services.push((member, selector));
        }
        index
    }

    fn of_workload(&self, workload: &Workload) -> Vec<&'v Arc<Resource>> {
        let labels = workload.labels();
        let namespace = workload.namespace.as_str();
        let mut found: Vec<usize> = labels
            .into_iter()
            .flat_map(NodeRef::entries)
            .filter_map(|(key, value)| {
                let pair = (
                    namespace,
                    key.key_text().into_owned(),
                    value.text().to_owned(),
                );
                self.by_pair.get(&pair)
            })
            .flatten()
            .copied()
            .collect();
        found.sort_unstable();
        found
            .into_iter()
            .filter_map(|at| self.services.get(at))
            .filter(|(_, selector)| selector.matches(labels))
            .map(|(member, _)| &member.resource)
            .collect()
    }
}
