//! L4: rules that copy requests. Input: a `View`; output: `Mirror`s, each with what is copied, where to, and who copies.
//!
//! istio.io/docs/reference/config/networking/virtual-service (`mirror`, `mirrors`, `mirrorPercentage`; 0 switches a mirror off, missing is 100:
//! istio/istio `pilot/pkg/networking/core/route/route.go:MirrorPercent`), kubernetes-sigs/gateway-api `apis/v1/httproute_types.go`
//! (`RequestMirror`, `percent`, `fraction`). The proxy that routes a request sends the copy as well, under its own identity, and throws the answer
//! away; a redirect or a direct response is not copied.

use crate::source::Span;
use crate::view::{Member, View};
use crate::yaml::NodeRef;

const ISTIO: &str = "networking.istio.io";
const GATEWAY_API: &str = "gateway.networking.k8s.io";

/// Namespace and name.
pub type Place<'v> = (&'v str, &'v str);

/// Where copies go.
#[derive(Clone, Copy, Debug)]
pub struct Target<'v> {
    /// The reference itself: a destination of Istio, or a backend of the Gateway API.
    pub node: NodeRef<'v>,
    /// The Service, when it is one.
    pub service: Option<Place<'v>>,
    /// Host or name as written.
    pub name: &'v str,
    /// Bytes of the name.
    pub span: Span,
}

/// One rule that copies requests.
#[derive(Clone, Debug)]
pub struct Mirror<'v> {
    /// The route.
    pub opener: &'v Member,
    /// Services that get the requests themselves.
    pub of: Vec<Place<'v>>,
    /// Who gets the copies.
    pub to: Target<'v>,
    /// Whether proxies of the mesh copy what workloads send, beside what gateways do.
    pub in_mesh: bool,
}

/// All of a view, in the order of kinds and objects.
#[must_use]
pub fn of(view: &View) -> Vec<Mirror<'_>> {
    let mut found = Vec::new();
    for opener in view.of_kind(ISTIO, "VirtualService") {
        let object = opener.resource.object();
        for rule in items(object, &["spec", "http"]) {
            let in_mesh = is_of_mesh(object, rule);
            of_rule(opener, rule, in_mesh, &mut found);
            if let Some(delegate) = rule.get("delegate").filter(|_| in_mesh) {
                of_delegate(view, opener, delegate, &mut found);
            }
        }
    }
    for kind in ["HTTPRoute", "GRPCRoute"] {
        for opener in view.of_kind(GATEWAY_API, kind) {
            let object = opener.resource.object();
            let is_service = |p: NodeRef<'_>| text(p, "kind") == "Service";
            let in_mesh = items(object, &["spec", "parentRefs"]).any(is_service);
            for rule in items(object, &["spec", "rules"]) {
                for to in of_gateway_api(opener, rule) {
                    found.push(Mirror {
                        opener,
                        of: backends(opener, rule),
                        to,
                        in_mesh,
                    });
                }
            }
        }
    }
    found
}

/// The rules of the VirtualService to which a rule of the mesh hands over.
fn of_delegate<'v>(
    view: &'v View,
    opener: &Member,
    delegate: NodeRef<'v>,
    found: &mut Vec<Mirror<'v>>,
) {
    let namespace = match text(delegate, "namespace") {
        "" => opener.namespace.as_str(),
        other => other,
    };
    let name = text(delegate, "name");
    let delegate = view
        .of_kind(ISTIO, "VirtualService")
        .find(|m| m.resource.name == name && m.namespace.as_str() == namespace);
    if let Some(delegate) = delegate {
        for rule in items(delegate.resource.object(), &["spec", "http"]) {
            of_rule(delegate, rule, true, found);
        }
    }
}

fn of_rule<'v>(opener: &'v Member, rule: NodeRef<'v>, in_mesh: bool, found: &mut Vec<Mirror<'v>>) {
    let own = opener.namespace.as_str();
    let routed = items(rule, &["route"])
        .filter(|route| route.get("weight").and_then(NodeRef::as_i64) != Some(0))
        .filter_map(|route| resolve(text(route.get("destination")?, "host"), own));
    let of: Vec<Place<'_>> = routed.collect();
    found.extend(of_virtual_service(own, rule).into_iter().map(|to| Mirror {
        opener,
        of: of.clone(),
        to,
        in_mesh,
    }));
}

/// Whether sidecars and waypoints follow a rule: `gateways` is empty or names `mesh`, of the VirtualService and of one of the rule's matches. A
/// VirtualService without hosts is a delegate, which speaks where another hands over to it.
fn is_of_mesh(object: NodeRef<'_>, rule: NodeRef<'_>) -> bool {
    let names_mesh = |node: NodeRef<'_>| {
        let mut gateways = items(node, &["gateways"]).peekable();
        gateways.peek().is_none() || gateways.any(|g| g.text() == "mesh")
    };
    let mut matches = items(rule, &["match"]).peekable();
    items(object, &["spec", "hosts"]).next().is_some()
        && object.get("spec").is_some_and(names_mesh)
        && (matches.peek().is_none() || matches.any(names_mesh))
}

/// Destinations to which a rule of a VirtualService in namespace `own` copies.
pub(super) fn of_virtual_service<'t>(own: &'t str, rule: NodeRef<'t>) -> Vec<Target<'t>> {
    if items(rule, &["route"]).next().is_none() {
        return Vec::new();
    }
    let of_one = rule.get("mirror").filter(|_| {
        let share = rule
            .at(&["mirrorPercentage", "value"])
            .or_else(|| rule.get("mirrorPercent"))
            .or_else(|| rule.get("mirror_percent"));
        share.is_none_or(is_some_share)
    });
    let of_many = items(rule, &["mirrors"])
        .filter(|m| m.at(&["percentage", "value"]).is_none_or(is_some_share))
        .filter_map(|m| m.get("destination"));
    of_one
        .into_iter()
        .chain(of_many)
        .filter(|destination| !text(*destination, "host").is_empty())
        .map(|node| Target {
            service: resolve(text(node, "host"), own),
            name: text(node, "host"),
            span: node.get("host").unwrap_or(node).span(),
            node,
        })
        .collect()
}

/// Backends to which a rule of a route copies.
pub(super) fn of_gateway_api<'t>(opener: &'t Member, rule: NodeRef<'t>) -> Vec<Target<'t>> {
    // Without a backend there is no request to copy.
    if !items(rule, &["backendRefs"]).any(|b| is_some_share_of(b, "weight")) {
        return Vec::new();
    }
    items(rule, &["filters"])
        .filter(|filter| text(*filter, "type") == "RequestMirror")
        .filter_map(|filter| filter.get("requestMirror"))
        .filter(|mirror| is_some_share_of(*mirror, "percent"))
        .filter(|mirror| {
            mirror
                .at(&["fraction", "numerator"])
                .is_none_or(is_some_share)
        })
        .filter_map(|mirror| mirror.get("backendRef"))
        .map(|node| Target {
            service: place(opener, node),
            name: text(node, "name"),
            span: node.get("name").unwrap_or(node).span(),
            node,
        })
        .collect()
}

fn backends<'v>(opener: &'v Member, rule: NodeRef<'v>) -> Vec<Place<'v>> {
    items(rule, &["backendRefs"])
        .filter(|backend| is_some_share_of(*backend, "weight"))
        .filter_map(|backend| place(opener, backend))
        .collect()
}

/// The Service that a reference names.
fn place<'t>(opener: &'t Member, reference: NodeRef<'t>) -> Option<Place<'t>> {
    let namespace = match text(reference, "namespace") {
        "" => opener.namespace.as_str(),
        other => other,
    };
    let is_service = matches!(text(reference, "kind"), "" | "Service");
    is_service.then_some((namespace, text(reference, "name")))
}

/// Service and namespace of a host; a name with a dot that is no full name of the cluster is looked up as it stands and finds no Service
/// (istio/istio `pkg/config/host:ResolveShortnameToFQDN`).
pub(super) fn resolve<'t>(host: &'t str, own: &'t str) -> Option<Place<'t>> {
    if !host.contains('.') {
        return Some((own, host)).filter(|_| !host.is_empty());
    }
    let mut labels = host.split('.');
    let (service, namespace) = (labels.next()?, labels.next()?);
    (labels.next() == Some("svc")).then_some((namespace, service))
}

fn is_some_share_of(node: NodeRef<'_>, field: &str) -> bool {
    node.get(field).is_none_or(is_some_share)
}

/// Whether a weight or a percentage is more than nothing; null counts as missing.
fn is_some_share(node: NodeRef<'_>) -> bool {
    node.text().parse::<f64>().map_or(true, |share| share > 0.0)
}

fn items<'t>(node: NodeRef<'t>, path: &[&str]) -> impl Iterator<Item = NodeRef<'t>> + use<'t> {
    node.at(path).into_iter().flat_map(NodeRef::items)
}

fn text<'t>(node: NodeRef<'t>, name: &str) -> &'t str {
    node.get(name)
        .filter(|n| !n.is_null())
        .map_or("", NodeRef::text)
}
