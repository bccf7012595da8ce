//! `Exposure`: one way into the cluster. Input: Services, routes, gateways and pods as `topology` reads them; output: what rules and
//! `meshgov access` say of it.

use std::sync::Arc;

use crate::facts::Step;
use crate::facts::workload::{Protocol, WorkloadId};
use crate::resource::Resource;
use crate::view::Namespace;

/// What opens the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Way {
    /// A route of a gateway, or an Ingress.
    Route,
    /// A Service of type LoadBalancer.
    LoadBalancer,
    /// A Service of type NodePort.
    NodePort,
    /// A Service with `externalIPs`.
    ExternalIp,
    /// A container's `hostPort`.
    HostPort,
    /// A pod in the node's network.
    HostNetwork,
}

impl Way {
    /// The word used in facts and output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::LoadBalancer => "load-balancer",
            Self::NodePort => "node-port",
            Self::ExternalIp => "external-ip",
            Self::HostPort => "host-port",
            Self::HostNetwork => "host-network",
        }
    }
}

/// What a caller from outside meets on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EdgeTls {
    /// Nothing looks at the bytes between the caller and the port.
    Raw,
    /// The gateway takes plaintext.
    None,
    /// The gateway has a certificate.
    Simple,
    /// The gateway asks for a client certificate and takes callers without one.
    Optional,
    /// The gateway insists on a client certificate of a CA of the owner.
    Mutual,
    /// The gateway insists on a certificate of the mesh.
    Mesh,
    /// The gateway passes the caller's TLS on to the port.
    Passthrough,
}

impl EdgeTls {
    /// The word used in facts and output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::None => "none",
            Self::Simple => "simple",
            Self::Optional => "optional",
            Self::Mutual => "mutual",
            Self::Mesh => "mesh",
            Self::Passthrough => "passthrough",
        }
    }
}

/// Who passes the traffic on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Front {
    /// Nobody: the bytes arrive as they were sent.
    Nobody,
    /// Proxies that are workloads of the view.
    Workloads(Vec<WorkloadId>),
    /// Proxies that Istio makes for a Gateway, with their service account.
    Made {
        /// Namespace of Gateway and proxies.
        namespace: String,
        /// Service account of the proxies.
        account: String,
    },
    /// Proxies of which the files say nothing; the text names them: `the controller of Ingress web/shop`.
    Unseen(String),
}

/// The gateway of a route.
#[derive(Clone, Debug)]
pub struct GatewayRef {
    /// The object, when the view holds it.
    pub resource: Option<Arc<Resource>>,
    /// Its namespace.
    pub namespace: String,
    /// Its name; of an Ingress the class, possibly empty.
    pub name: String,
}

impl GatewayRef {
    /// `namespace/name`, or the name alone where nothing names the namespace.
    #[must_use]
    pub fn reference(&self) -> String {
        join(&self.namespace, &self.name)
    }
}

/// One way into the cluster that ends at a workload's port.
#[derive(Clone, Debug)]
pub struct Exposure {
    /// What opens it.
    pub way: Way,
    /// The object that opens it: the route, the Service, the workload itself.
    pub opener: Arc<Resource>,
    /// Namespace of that object.
    pub namespace: Namespace,
    /// The gateway of a route.
    pub gateway: Option<GatewayRef>,
    /// Who passes the traffic on.
    pub front: Front,
    /// The Service on the way, `namespace/name`; empty where none is.
    pub service: String,
    /// The workload it ends at.
    pub workload: WorkloadId,
    /// The container port it ends at.
    pub port: u16,
    /// Protocol of that port.
    pub protocol: Protocol,
    /// The port that callers see; 0 when the files do not say.
    pub outside_port: u16,
    /// Host names callers use; empty = any.
    pub hosts: Vec<String>,
    /// Paths that lead here, `/v1/*` for a prefix; empty = any.
    pub paths: Vec<String>,
    /// Networks that callers must be in; empty = any.
    pub nets: Vec<String>,
    /// What callers meet on the wire; `None` = the gateway is not in the view.
    pub tls: Option<EdgeTls>,
    /// Whether it is meant for the private network only: a load balancer annotated as internal.
    pub internal: bool,
    /// Whether something the files cannot show authenticates callers on the way, in words; empty = nothing is seen.
    pub delegated: String,
    /// Whether only copies of requests arrive by it, whose answers nobody gets.
    pub mirror: bool,
    /// The proof.
    pub steps: Vec<Step>,
}

impl Exposure {
    /// `Kind:namespace/name` of what opens it.
    #[must_use]
    pub fn opened_by(&self) -> String {
        let place = join(self.namespace.as_str(), &self.opener.name);
        format!("{}:{place}", self.opener.kind())
    }

    /// `namespace/name` of the gateway; of an Ingress its class; empty without one.
    #[must_use]
    pub fn gateway(&self) -> String {
        self.gateway
            .as_ref()
            .map_or_else(String::new, GatewayRef::reference)
    }
}

/// Copies of what workloads send to Services, which end at a port of another workload. The proxy that routes the request sends the copy as well, so
/// that it arrives with the identity of that proxy: the caller's sidecar, or the waypoint before the Service.
#[derive(Clone, Debug)]
pub struct Copies {
    /// The route that asks for them.
    pub opener: Arc<Resource>,
    /// Its namespace.
    pub namespace: Namespace,
    /// Services whose requests are copied, `namespace/name`.
    pub of: Vec<String>,
    /// The Service that gets them, `namespace/name`.
    pub service: String,
    /// The workload they end at.
    pub workload: WorkloadId,
    /// The container port they end at.
    pub port: u16,
    /// Protocol of that port.
    pub protocol: Protocol,
    /// The proof.
    pub steps: Vec<Step>,
}

impl Copies {
    /// `Kind:namespace/name` of the route.
    #[must_use]
    pub fn opened_by(&self) -> String {
        let place = join(self.namespace.as_str(), &self.opener.name);
        format!("{}:{place}", self.opener.kind())
    }
}

/// A route and one gateway it names.
#[derive(Clone, Debug)]
pub struct RouteAttachment {
    /// The route.
    pub route: Arc<Resource>,
    /// Its namespace.
    pub namespace: Namespace,
    /// The gateway it names.
    pub gateway: GatewayRef,
    /// `None` = it cannot be known: the gateway is not in the view.
    pub attached: Option<bool>,
    /// Why, with places.
    pub steps: Vec<Step>,
}

impl RouteAttachment {
    /// `Kind:namespace/name` of the route.
    #[must_use]
    pub fn reference(&self) -> String {
        let place = join(self.namespace.as_str(), &self.route.name);
        format!("{}:{place}", self.route.kind())
    }
}

/// `namespace/name`; only the name in the unnamed namespace.
#[must_use]
pub fn join(namespace: &str, name: &str) -> String {
    match namespace {
        "" => name.to_owned(),
        namespace => format!("{namespace}/{name}"),
    }
}
