//! A listener of a Gateway or a ListenerSet. Input: its entry; output: what it speaks, and which routes it takes.
//!
//! kubernetes-sigs/gateway-api `apis/v1/{gateway,listenerset}_types.go`: both kinds have listeners of one shape.

use super::{GROUP, selects};
use crate::facts::Step;
use crate::facts::exposure::EdgeTls;
use crate::source::Span;
use crate::topology::Topology;
use crate::topology::ways::{Builder, items, port_of, text};
use crate::view::Member;
use crate::yaml::NodeRef;

use super::gateway::targets;

/// A listener.
pub(super) struct Listener<'v> {
    pub(super) name: &'v str,
    pub(super) protocol: &'v str,
    pub(super) port: u16,
    pub(super) hostname: &'v str,
    /// `None` = its Gateway, which says whether clients need a certificate, is not in the view.
    pub(super) tls: Option<EdgeTls>,
    allowed: Option<NodeRef<'v>>,
    pub(super) span: Span,
    /// Whether the Gateway serves it beside its other listeners.
    pub(super) served: Admits,
}

/// Whether something is let in.
#[derive(Clone)]
pub(super) enum Admits {
    Yes,
    /// No, and why.
    No(String),
    /// It depends on what is not in the view; the step says what is taken for granted.
    Unknown(Step),
}

impl<'v> Listener<'v> {
    /// The listeners of an object; `gateway` is who serves them, `None` when it is not in the view.
    pub(super) fn all(
        builder: &Builder<'_>,
        holder: &'v Member,
        gateway: Option<&Member>,
    ) -> Vec<Self> {
        items(holder.resource.object(), &["spec", "listeners"])
            .map(|node| Self::read(builder, holder, gateway, node))
            .collect()
    }

    fn read(
        builder: &Builder<'_>,
        holder: &Member,
        gateway: Option<&Member>,
        node: NodeRef<'v>,
    ) -> Self {
        let protocol = text(node, "protocol");
        // XListenerSet may leave the port out (istio/istio `gateway_collection.go:detectListenerPortNumber`, and kgateway alike).
        let port = match (port_of(node.get("port")), protocol) {
            (0, "HTTP") => 80,
            (0, "HTTPS") => 443,
            (port, _) => port,
        };
        Self {
            name: text(node, "name"),
            protocol,
            port,
            hostname: text(node, "hostname"),
            tls: tls(builder, (holder, gateway), node, protocol, port),
            allowed: node.get("allowedRoutes"),
            span: node.get("name").unwrap_or(node).span(),
            served: Admits::Yes,
        }
    }

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
            "TLS" if self.tls == Some(EdgeTls::Passthrough) => kind == "TLSRoute",
            "TLS" => matches!(kind, "TLSRoute" | "TCPRoute"),
            "TCP" => kind == "TCPRoute",
            "UDP" => kind == "UDPRoute",
            _ => false,
        }
    }

    /// Whether routes of a namespace may attach: `allowedRoutes.namespaces`, by default those of the holder's own.
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
                    None => Admits::labelled(of_route, "the listener"),
                }
            }
            _ if own == of_route => Admits::Yes,
            _ => Admits::No(format!("it takes routes of namespace {own} only")),
        }
    }
}

impl Admits {
    /// It hangs on the labels of a namespace without Namespace object.
    pub(super) fn labelled(namespace: &str, who: &str) -> Self {
        Self::Unknown(Step::assumed(
            "namespaces",
            format!(
                "namespace {namespace}, which has no Namespace object here, has the labels that {who} asks for"
            ),
        ))
    }
}

fn tls(
    builder: &Builder<'_>,
    holders: (&Member, Option<&Member>),
    listener: NodeRef<'_>,
    protocol: &str,
    port: u16,
) -> Option<EdgeTls> {
    let passthrough = listener.at(&["tls", "mode"]).map(NodeRef::text) == Some("Passthrough");
    match protocol {
        "HTTP" => Some(EdgeTls::None),
        "HTTPS" | "TLS" if passthrough => Some(EdgeTls::Passthrough),
        "HTTPS" | "TLS" => client_certificate(builder, holders, listener, port),
        _ => Some(EdgeTls::Raw),
    }
}

/// Client certificates: `spec.tls.frontend` of the Gateway (v1.4, which holds for its ListenerSets), the older `frontendValidation` of a
/// listener, Istio's option, ClientTrafficPolicy of Envoy Gateway.
fn client_certificate(
    builder: &Builder<'_>,
    (holder, gateway): (&Member, Option<&Member>),
    listener: NodeRef<'_>,
    port: u16,
) -> Option<EdgeTls> {
    let frontend = gateway.map(|g| g.resource.object()).and_then(|object| {
        items(object, &["spec", "tls", "frontend", "perPort"])
            .find(|p| port_of(p.get("port")) == port)
            .and_then(|p| p.at(&["tls", "validation"]))
            .or_else(|| object.at(&["spec", "tls", "frontend", "default", "validation"]))
    });
    let frontend = frontend.or_else(|| listener.at(&["tls", "frontendValidation"]));
    if let Some(validation) = frontend {
        let optional = text(validation, "mode") == "AllowInsecureFallback";
        return Some(if optional {
            EdgeTls::Optional
        } else {
            EdgeTls::Mutual
        });
    }
    let option = listener.at(&["tls", "options"]);
    match option.map_or("", |o| text(o, "gateway.istio.io/tls-terminate-mode")) {
        "MUTUAL" => return Some(EdgeTls::Mutual),
        "OPTIONAL_MUTUAL" => return Some(EdgeTls::Optional),
        "ISTIO_MUTUAL" => return Some(EdgeTls::Mesh),
        _ => {}
    }
    let of_policy = builder
        .view
        .of_kind("gateway.envoyproxy.io", "ClientTrafficPolicy")
        .filter(|policy| targets(policy, holder) || gateway.is_some_and(|g| targets(policy, g)))
        .find_map(|policy| {
            policy
                .resource
                .object()
                .at(&["spec", "tls", "clientValidation"])
        });
    match of_policy {
        None => gateway.map(|_| EdgeTls::Simple),
        Some(v) if v.get("optional").and_then(NodeRef::as_bool) == Some(true) => {
            Some(EdgeTls::Optional)
        }
        Some(_) => Some(EdgeTls::Mutual),
    }
}
