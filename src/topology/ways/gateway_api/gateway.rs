//! What routes of the Gateway API name as their parent. Input: a Gateway and the policies on it; output: listeners, who serves it, how it is
//! reached.
//!
//! kubernetes-sigs/gateway-api `apis/v1/gateway_types.go`; istio/istio `pilot/pkg/config/kube/gateway/deploymentcontroller.go` (names of what
//! Istio makes of a Gateway).

use std::sync::Arc;

use super::listener::Listener;
use super::{GROUP, shown};
use crate::facts::Step;
use crate::facts::exposure::{Front, GatewayRef, join};
use crate::facts::workload::WorkloadId;
use crate::topology::ways::{Builder, items, services, text};
use crate::view::Member;
use crate::yaml::NodeRef;

/// Classes of gateways that stand inside the mesh or between clusters: nobody from outside calls them by a route.
const NO_WAY_IN: [&str; 3] = ["istio-waypoint", "istio-east-west", "istio-remote"];

/// Policies by which callers are authenticated at a gateway, with the fields that do so; no fields = the kind has no other purpose.
const AUTHENTICATORS: &[(&str, &str, &[&str])] = &[
    (
        "gateway.envoyproxy.io",
        "SecurityPolicy",
        &[
            "jwt",
            "oidc",
            "basicAuth",
            "apiKeyAuth",
            "extAuth",
            "authorization",
        ],
    ),
    ("kuadrant.io", "AuthPolicy", &[]),
    ("extensions.kuadrant.io", "OIDCPolicy", &[]),
    ("agentgateway.dev", "AgentgatewayPolicy", &["traffic"]),
];

/// What a route may name as its parent: a Gateway, or a ListenerSet with what it has of its Gateway.
pub(super) struct Parent<'v> {
    /// The object with the listeners.
    pub(super) member: &'v Member,
    /// Who serves them.
    pub(super) gateway: GatewayRef,
    pub(super) listeners: Vec<Listener<'v>>,
    pub(super) front: Front,
    /// Whether it is reached from inside the cluster only.
    pub(super) inside: bool,
    pub(super) internal: bool,
    pub(super) authenticated_by: Option<String>,
    pub(super) steps: Vec<Step>,
}

impl<'v> Parent<'v> {
    /// A Gateway.
    pub(super) fn gateway(builder: &Builder<'_>, member: &'v Member) -> Self {
        let object = member.resource.object();
        let class = object
            .at(&["spec", "gatewayClassName"])
            .map_or("", NodeRef::text);
        let reference = join(member.namespace.as_str(), &member.resource.name);
        let annotations = object.at(&["metadata", "annotations"]);
        let service_type = annotations.and_then(|a| a.get("networking.istio.io/service-type"));
        let mut steps = Vec::new();
        let inside =
            NO_WAY_IN.contains(&class) || service_type.is_some_and(|n| n.text() == "ClusterIP");
        let internal = services::internal(annotations)
            .or_else(|| services::internal(object.at(&["spec", "infrastructure", "annotations"])))
            .or_else(|| {
                let private = class.contains("rilb") || class.contains("internal");
                object.at(&["spec", "gatewayClassName"]).filter(|_| private)
            });
        if let Some(node) = internal {
            let says = format!("Gateway {reference} stays inside the private network");
            steps.push(Step::decides(&member.resource, node.span(), says));
        } else {
            steps.push(Step::default(
                "gateway-api.sigs.k8s.io/concepts/api-overview",
                format!("Gateway {reference} is reached from outside unless it says otherwise"),
            ));
        }
        Self {
            listeners: Listener::all(builder, member, Some(member)),
            gateway: GatewayRef {
                resource: Some(Arc::clone(&member.resource)),
                namespace: member.namespace.as_str().to_owned(),
                name: member.resource.name.clone(),
            },
            front: front(builder, member, class),
            inside,
            internal: internal.is_some(),
            authenticated_by: authenticated_by(builder, member),
            steps,
            member,
        }
    }

    pub(super) fn namespace(&self) -> &str {
        self.member.namespace.as_str()
    }

    /// `Kind namespace/name` of the object with the listeners.
    pub(super) fn shown(&self) -> String {
        shown(self.member)
    }
}

/// Whether a policy names an object by `targetRef` or `targetRefs`, which stand in one namespace.
pub(super) fn targets(policy: &Member, target: &Member) -> bool {
    let object = policy.resource.object();
    policy.namespace == target.namespace
        && items(object, &["spec", "targetRefs"])
            .chain(object.at(&["spec", "targetRef"]))
            .any(|t| {
                text(t, "kind") == target.resource.kind() && text(t, "name") == target.resource.name
            })
}

/// The policy of another product that authenticates callers at a Gateway or route, in words.
pub(super) fn authenticated_by(builder: &Builder<'_>, target: &Member) -> Option<String> {
    AUTHENTICATORS.iter().find_map(|(group, kind, fields)| {
        builder
            .view
            .of_kind(group, kind)
            .filter(|policy| targets(policy, target))
            .find(|policy| {
                let spec = policy.resource.object().get("spec");
                fields.is_empty() || fields.iter().any(|f| spec.and_then(|s| s.get(f)).is_some())
            })
            .map(|policy| format!("what {} asks of callers", shown(policy)))
    })
}

/// Who serves a Gateway: proxies that Istio makes of it, proxies of the view that it names by address, or somebody unseen.
fn front(builder: &Builder<'_>, member: &Member, class: &str) -> Front {
    let object = member.resource.object();
    let namespace = member.namespace.as_str();
    for address in items(object, &["spec", "addresses"]) {
        let mut labels = text(address, "value").split('.');
        if let (Some(service), Some(of)) = (labels.next(), labels.next()) {
            let proxies: Vec<WorkloadId> =
                builder.topology.behind(of, service).map(|w| w.id).collect();
            if !proxies.is_empty() {
                return Front::Workloads(proxies);
            }
        }
    }
    let made_by_istio = class == "istio"
        || builder.view.of_kind(GROUP, "GatewayClass").any(|c| {
            let controller = c.resource.object().at(&["spec", "controllerName"]);
            c.resource.name == class
                && controller.map(NodeRef::text) == Some("istio.io/gateway-controller")
        });
    if made_by_istio {
        return Front::Made {
            namespace: namespace.to_owned(),
            account: format!("{}-{class}", member.resource.name),
        };
    }
    let reference = join(namespace, &member.resource.name);
    Front::Unseen(format!("the proxies of Gateway {reference}"))
}
