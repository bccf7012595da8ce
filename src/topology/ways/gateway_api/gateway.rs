//! A Gateway of the Gateway API as read. Input: the object and the policies on it; output: listeners, who serves it, how it is reached.
//!
//! kubernetes-sigs/gateway-api `apis/v1/gateway_types.go`; istio/istio `pilot/pkg/config/kube/gateway/deploymentcontroller.go` (names of what
//! Istio makes of a Gateway).

use std::sync::Arc;

use super::{GROUP, shown};
use crate::facts::Step;
use crate::facts::exposure::{EdgeTls, Front, GatewayRef, join};
use crate::facts::workload::WorkloadId;
use crate::resource::Resource;
use crate::source::Span;
use crate::topology::Topology;
use crate::topology::ways::{Builder, items, port_of, services, text};
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

/// A Gateway.
pub(super) struct Gateway<'v> {
    member: &'v Member,
    pub(super) listeners: Vec<Listener<'v>>,
    pub(super) front: Front,
    /// Whether it is reached from inside the cluster only.
    pub(super) inside: bool,
    pub(super) internal: bool,
    pub(super) authenticated_by: Option<String>,
    pub(super) steps: Vec<Step>,
}

/// A listener.
pub(super) struct Listener<'v> {
    pub(super) name: &'v str,
    protocol: &'v str,
    pub(super) port: u16,
    pub(super) hostname: &'v str,
    pub(super) tls: EdgeTls,
    allowed: Option<NodeRef<'v>>,
    pub(super) span: Span,
}

/// Whether a listener admits routes of a namespace.
pub(super) enum Admits {
    Yes,
    No(String),
    /// It depends on labels of a namespace that is not in the view.
    Unknown,
}

impl<'v> Gateway<'v> {
    pub(super) fn read(builder: &Builder<'_>, member: &'v Member) -> Self {
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
        let listeners = items(object, &["spec", "listeners"]).map(|node| {
            let protocol = text(node, "protocol");
            let port = port_of(node.get("port"));
            Listener {
                name: text(node, "name"),
                protocol,
                port,
                hostname: text(node, "hostname"),
                tls: tls(builder, member, node, protocol, port),
                allowed: node.get("allowedRoutes"),
                span: node.get("name").unwrap_or(node).span(),
            }
        });
        Self {
            listeners: listeners.collect(),
            front: front(builder, member, class),
            inside,
            internal: internal.is_some(),
            authenticated_by: authenticated_by(builder, member),
            steps,
            member,
        }
    }

    pub(super) fn resource(&self) -> &Arc<Resource> {
        &self.member.resource
    }

    pub(super) fn name(&self) -> &str {
        &self.member.resource.name
    }

    pub(super) fn namespace(&self) -> &str {
        self.member.namespace.as_str()
    }

    pub(super) fn reference(&self) -> String {
        join(self.namespace(), self.name())
    }

    pub(super) fn as_ref(&self) -> GatewayRef {
        GatewayRef {
            resource: Some(Arc::clone(&self.member.resource)),
            namespace: self.namespace().to_owned(),
            name: self.name().to_owned(),
        }
    }
}

impl Listener<'_> {
    /// Whether routes of a kind may attach: `allowedRoutes.kinds`, else what the protocol carries.
    pub(super) fn takes(&self, kind: &str) -> bool {
        let mut kinds = self
            .allowed
            .into_iter()
            .flat_map(|a| items(a, &["kinds"]))
            .peekable();
        if kinds.peek().is_some() {
            return kinds
                .any(|k| text(k, "kind") == kind && matches!(text(k, "group"), "" | GROUP));
        }
        match self.protocol {
            "HTTP" | "HTTPS" => matches!(kind, "HTTPRoute" | "GRPCRoute"),
            "TLS" if self.tls == EdgeTls::Passthrough => kind == "TLSRoute",
            "TLS" => matches!(kind, "TLSRoute" | "TCPRoute"),
            "TCP" => kind == "TCPRoute",
            "UDP" => kind == "UDPRoute",
            _ => false,
        }
    }

    /// Whether routes of a namespace may attach: `allowedRoutes.namespaces`, by default those of the Gateway's own.
    pub(super) fn admits(&self, topology: &Topology, own: &str, of_route: &str) -> Admits {
        let namespaces = self.allowed.and_then(|a| a.get("namespaces"));
        let from = namespaces.map_or("", |n| text(n, "from"));
        match from {
            "All" => Admits::Yes,
            "None" => Admits::No("it takes no route".to_owned()),
            "Selector" => {
                let selector = namespaces.and_then(|n| n.get("selector"));
                match selector.map_or(Some(true), |s| selects(topology, s, of_route)) {
                    Some(true) => Admits::Yes,
                    Some(false) => Admits::No(format!(
                        "its selector does not fit the labels of namespace {of_route}"
                    )),
                    None => Admits::Unknown,
                }
            }
            _ if own == of_route => Admits::Yes,
            _ => Admits::No(format!("it takes routes of namespace {own} only")),
        }
    }
}

/// Whether a label selector fits a namespace; `None` when its labels are not in the view. Every namespace carries its own name
/// (kubernetes.io/docs/reference/labels-annotations-taints, `kubernetes.io/metadata.name`).
fn selects(topology: &Topology, selector: NodeRef<'_>, namespace: &str) -> Option<bool> {
    let known = topology.namespaces.contains_key(namespace);
    let label = |name: &str| -> Option<Option<String>> {
        if name == "kubernetes.io/metadata.name" {
            return Some(Some(namespace.to_owned()));
        }
        let found = topology.namespace_label(namespace, name);
        known.then(|| found.map(|n| n.text().to_owned()))
    };
    let mut open = false;
    let pairs = selector
        .get("matchLabels")
        .into_iter()
        .flat_map(NodeRef::entries);
    for (key, value) in pairs {
        match label(&key.key_text()) {
            None => open = true,
            Some(found) if found.as_deref() == Some(value.text()) => {}
            Some(_) => return Some(false),
        }
    }
    for expression in items(selector, &["matchExpressions"]) {
        let Some(found) = label(text(expression, "key")) else {
            open = true;
            continue;
        };
        let listed = found
            .as_deref()
            .is_some_and(|f| items(expression, &["values"]).any(|v| v.text() == f));
        let holds = match text(expression, "operator") {
            "In" => listed,
            "NotIn" => !listed,
            "Exists" => found.is_some(),
            "DoesNotExist" => found.is_none(),
            _ => false,
        };
        if !holds {
            return Some(false);
        }
    }
    (!open).then_some(true)
}

fn tls(
    builder: &Builder<'_>,
    gateway: &Member,
    listener: NodeRef<'_>,
    protocol: &str,
    port: u16,
) -> EdgeTls {
    let passthrough = listener.at(&["tls", "mode"]).map(NodeRef::text) == Some("Passthrough");
    match protocol {
        "HTTP" => EdgeTls::None,
        "HTTPS" | "TLS" if passthrough => EdgeTls::Passthrough,
        "HTTPS" | "TLS" => client_certificate(builder, gateway, listener, port),
        _ => EdgeTls::Raw,
    }
}

/// Client certificates: `spec.tls.frontend` (v1.4), the older `frontendValidation` of a listener, Istio's option, ClientTrafficPolicy of
/// Envoy Gateway.
fn client_certificate(
    builder: &Builder<'_>,
    gateway: &Member,
    listener: NodeRef<'_>,
    port: u16,
) -> EdgeTls {
    let object = gateway.resource.object();
    let per_port = items(object, &["spec", "tls", "frontend", "perPort"])
        .find(|p| port_of(p.get("port")) == port)
        .and_then(|p| p.at(&["tls", "validation"]));
    let frontend = per_port
        .or_else(|| object.at(&["spec", "tls", "frontend", "default", "validation"]))
        .or_else(|| listener.at(&["tls", "frontendValidation"]));
    if let Some(validation) = frontend {
        let optional = text(validation, "mode") == "AllowInsecureFallback";
        return if optional {
            EdgeTls::Optional
        } else {
            EdgeTls::Mutual
        };
    }
    let option = listener.at(&["tls", "options"]);
    match option.map_or("", |o| text(o, "gateway.istio.io/tls-terminate-mode")) {
        "MUTUAL" => return EdgeTls::Mutual,
        "OPTIONAL_MUTUAL" => return EdgeTls::Optional,
        "ISTIO_MUTUAL" => return EdgeTls::Mesh,
        _ => {}
    }
    let of_policy = builder
        .view
        .of_kind("gateway.envoyproxy.io", "ClientTrafficPolicy")
        .filter(|policy| targets(policy, gateway))
        .find_map(|policy| {
            policy
                .resource
                .object()
                .at(&["spec", "tls", "clientValidation"])
        });
    match of_policy {
        None => EdgeTls::Simple,
        Some(v) if v.get("optional").and_then(NodeRef::as_bool) == Some(true) => EdgeTls::Optional,
        Some(_) => EdgeTls::Mutual,
    }
}

/// Whether a policy names an object by `targetRef` or `targetRefs`, which stand in one namespace.
fn targets(policy: &Member, target: &Member) -> bool {
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
