//! `Workload` and `Port`: what runs and where it listens. Input: pod-carrying objects and Services; output: the subjects of mesh facts.

use std::sync::Arc;

use crate::resource::Resource;
use crate::source::Span;
use crate::view::Namespace;
use crate::yaml::NodeRef;

/// Index of a [`Workload`] in its topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkloadId(pub u32);

/// Transport protocol of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP, the default.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Protocol {
    /// Reads a port's `protocol`; everything but the two others is TCP, as in Kubernetes.
    #[must_use]
    pub fn read(text: Option<&str>) -> Self {
        match text {
            Some("UDP") => Self::Udp,
            Some("SCTP") => Self::Sctp,
            _ => Self::Tcp,
        }
    }

    /// The word Kubernetes uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Sctp => "SCTP",
        }
    }
}

/// A Service port that leads to a workload port.
#[derive(Clone, Debug)]
pub struct ServicePort {
    /// The Service.
    pub service: Arc<Resource>,
    /// The Service's own port.
    pub port: u16,
    /// `name` of the Service port, possibly empty.
    pub name: String,
    /// `appProtocol`, when set.
    pub app_protocol: Option<String>,
    /// Protocol.
    pub protocol: Protocol,
    /// Bytes of the Service port's entry.
    pub span: Span,
}

/// A port a workload listens on, as the files tell: a container port, a Service's target, or both.
#[derive(Clone, Debug)]
pub struct Port {
    /// Container port.
    pub number: u16,
    /// Name of the container port, possibly empty.
    pub name: String,
    /// Protocol.
    pub protocol: Protocol,
    /// Bytes of `containerPort`; `None` when only a Service names the port.
    pub declared: Option<Span>,
    /// Service ports that lead here, in input order.
    pub services: Vec<ServicePort>,
}

/// One pod-carrying object.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Number in the topology.
    pub id: WorkloadId,
    /// The object that carries the pod template.
    pub resource: Arc<Resource>,
    /// Effective namespace.
    pub namespace: Namespace,
    /// `serviceAccountName`, else `default`.
    pub service_account: String,
    /// Whether the pod shares the node's network.
    pub host_network: bool,
    /// Ports in order of number and protocol.
    pub ports: Vec<Port>,
    /// Services that select the pods, in input order.
    pub services: Vec<Arc<Resource>>,
    /// Node index of the pod template (`metadata`, `spec`) in the object's tree.
    pub(crate) template: u32,
}

impl Workload {
    /// The pod template: `metadata` and `spec` of the pod.
    #[must_use]
    pub fn template(&self) -> NodeRef<'_> {
        self.resource.tree.node(self.template)
    }

    /// Labels of the pod template.
    #[must_use]
    pub fn labels(&self) -> Option<NodeRef<'_>> {
        self.template().at(&["metadata", "labels"])
    }

    /// One label of the pod template.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<NodeRef<'_>> {
        self.labels()?.get(name)
    }

    /// One annotation of the pod template.
    #[must_use]
    pub fn annotation(&self, name: &str) -> Option<NodeRef<'_>> {
        self.template().at(&["metadata", "annotations"])?.get(name)
    }

    /// Whether the pods are proxies themselves: a gateway or a waypoint, not an application with a proxy beside it.
    #[must_use]
    pub fn is_gateway(&self) -> bool {
        let mut containers = self
            .pod_spec()
            .and_then(|s| s.get("containers"))
            .into_iter()
            .flat_map(NodeRef::items);
        let only_proxy = containers
            .next()
            .and_then(|c| c.get("name"))
            .is_some_and(|n| n.text() == "istio-proxy")
            && containers.next().is_none();
        let injected = self
            .annotation("inject.istio.io/templates")
            .is_some_and(|t| t.text().contains("gateway"));
        only_proxy
            || injected
            || self
                .label("gateway.networking.k8s.io/gateway-name")
                .is_some()
    }

    /// The pod spec.
    #[must_use]
    pub fn pod_spec(&self) -> Option<NodeRef<'_>> {
        self.template().get("spec")
    }

    /// Name of the object.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.resource.name
    }

    /// `namespace/name`, the reference used in output; only the name in the unnamed namespace.
    #[must_use]
    pub fn reference(&self) -> String {
        match self.namespace.as_str() {
            "" => self.name().to_owned(),
            namespace => format!("{namespace}/{}", self.name()),
        }
    }

    /// The container port behind a port of one of its Services; the same number where none has it.
    #[must_use]
    pub fn behind(&self, service_port: u16) -> u16 {
        let leads_here = |p: &&Port| p.services.iter().any(|s| s.port == service_port);
        let port = self.ports.iter().find(leads_here);
        port.map_or(service_port, |p| p.number)
    }

    /// The port with this number, TCP before others.
    #[must_use]
    pub fn port(&self, number: u16) -> Option<&Port> {
        self.ports.iter().find(|p| p.number == number)
    }
}
