//! Waypoints: which one stands before a Service. Input: labels and Gateways; output: `Waypoint`.
//!
//! istio/istio `pilot/pkg/serviceregistry/ambient/waypoints.go:fetchWaypointForTarget,GetUseWaypoint`. A label that names a missing
//! waypoint gives none: traffic goes straight to the destination.

use std::sync::Arc;

use crate::engine::istio::policy::TargetRef;
use crate::facts::Step;
use crate::facts::peers::Identity;
use crate::resource::{Resource, ResourceId};
use crate::source::Span;
use crate::topology::Topology;
use crate::view::View;
use crate::yaml::NodeRef;

pub(crate) const USE: &str = "istio.io/use-waypoint";
const USE_NAMESPACE: &str = "istio.io/use-waypoint-namespace";
const FOR: &str = "istio.io/waypoint-for";
/// The class whose Gateways are waypoints; policies of root may target all of them by it.
const CLASS: &str = "istio-waypoint";

/// A waypoint as declared by a Gateway.
#[derive(Clone, Debug)]
struct Declared {
    resource: Arc<Resource>,
    namespace: String,
    services: bool,
}

/// The waypoint of one Service.
#[derive(Clone, Debug)]
pub(crate) struct Waypoint {
    /// Namespace of the Gateway, hence of the proxy.
    pub(crate) namespace: String,
    /// Name of the Gateway, hence of its service account.
    pub(crate) name: String,
    service: String,
    service_id: ResourceId,
    service_namespace: String,
    pub(crate) step: Step,
}

/// The Gateways of a view that can be waypoints.
#[derive(Debug, Default)]
pub(crate) struct Waypoints {
    root: String,
    declared: Vec<Declared>,
}

impl Waypoints {
    /// Reads the Gateways of a view.
    pub(crate) fn of(view: &View, root: &str) -> Self {
        let declared = view
            .of_kind("gateway.networking.k8s.io", "Gateway")
            .map(|member| {
                let object = member.resource.object();
                let traffic = object
                    .at(&["metadata", "labels"])
                    .and_then(|l| l.get(FOR))
                    .map_or("service", NodeRef::text);
                Declared {
                    resource: Arc::clone(&member.resource),
                    namespace: member.namespace.as_str().to_owned(),
                    services: matches!(traffic, "service" | "all"),
                }
            });
        Self {
            root: root.to_owned(),
            declared: declared.collect(),
        }
    }

    /// The waypoint of a Service: its own label, else the label of its namespace; the first label that is there decides.
    pub(crate) fn of_service(
        &self,
        topology: &Topology,
        service: &Arc<Resource>,
        namespace: &str,
    ) -> Option<Waypoint> {
        let own = service.object().at(&["metadata", "labels"]);
        let of_namespace = topology
            .namespaces
            .get(namespace)
            .and_then(|n| Some((n, n.object().at(&["metadata", "labels"])?)));
        let places = [own.map(|l| (service, l)), of_namespace];
        let (holder, labels) = places
            .into_iter()
            .flatten()
            .find(|(_, labels)| labels.get(USE).is_some())?;
        let wish = labels.get(USE)?;
        let at = labels.get(USE_NAMESPACE).map_or(namespace, NodeRef::text);
        let found = self
            .declared
            .iter()
            .find(|d| d.resource.name == wish.text() && d.namespace == at)
            .filter(|_| wish.text() != "none")?;
        found.services.then(|| Waypoint {
            namespace: at.to_owned(),
            name: found.resource.name.clone(),
            service: service.name.clone(),
            service_id: service.id,
            service_namespace: namespace.to_owned(),
            step: step(holder, wish.span(), at, &found.resource.name),
        })
    }

    /// Whether a policy of `namespace` with these targets is enforced by a waypoint for its Service.
    pub(crate) fn attaches(
        &self,
        waypoint: &Waypoint,
        namespace: &str,
        targets: &[TargetRef],
    ) -> bool {
        targets.iter().any(
            |target| match (target.group.as_str(), target.kind.as_str()) {
                ("" | "core", "Service") => {
                    target.name == waypoint.service && namespace == waypoint.service_namespace
                }
                (_, "GatewayClass") => namespace == self.root && target.name == CLASS,
                ("gateway.networking.k8s.io", "Gateway") => {
                    target.name == waypoint.name && namespace == waypoint.namespace
                }
                _ => false,
            },
        )
    }
}

fn step(holder: &Resource, span: Span, namespace: &str, name: &str) -> Step {
    let says = format!("traffic to the Service goes through waypoint {namespace}/{name}");
    Step::decides(holder, span, says)
}

impl Waypoint {
    /// `namespace/name`.
    pub(crate) fn reference(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// The Service it stands before.
    pub(crate) fn service_id(&self) -> ResourceId {
        self.service_id
    }

    /// What the destination's ztunnel sees as caller.
    pub(crate) fn identity(&self, trust_domain: &str) -> Identity {
        Identity {
            trust_domain: trust_domain.to_owned(),
            namespace: self.namespace.clone(),
            account: self.name.clone(),
        }
    }
}
