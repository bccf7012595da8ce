//! Routes: which objects send requests from a gateway to a Service, pool or backend. Input: a `View`; output: routes by what they lead to.

use std::collections::HashMap;
use std::sync::Arc;

use crate::asset::class::Class;
use crate::asset::inventory::Asset;
use crate::asset::link::Place;
use crate::resource::Resource;
use crate::topology::mirrors;
use crate::view::View;
use crate::yaml::NodeRef;

const GATEWAY_API: &str = "gateway.networking.k8s.io";

/// Kinds of routes.
const ROUTES: &[(&str, &str)] = &[
    (GATEWAY_API, "HTTPRoute"),
    (GATEWAY_API, "GRPCRoute"),
    ("networking.k8s.io", "Ingress"),
    ("networking.istio.io", "VirtualService"),
    ("route.openshift.io", "Route"),
    ("aigateway.envoyproxy.io", "AIGatewayRoute"),
];

/// What controllers append to the name of an object when they make Services of it: KServe, KubeRay, vLLM production stack.
const MADE_SERVICES: &[&str] = &[
    "",
    "-predictor",
    "-predictor-default",
    "-transformer",
    "-kserve-workload-svc",
    "-serve-svc",
    "-head-svc",
    "-router-service",
];

/// Routes by the kind, namespace and name of what they lead to.
pub(super) struct Routes<'v> {
    to: HashMap<(&'static str, Place), Vec<&'v Arc<Resource>>>,
}

/// A reference to a backend.
pub(super) struct BackendRef<'t> {
    pub(super) kind: &'t str,
    pub(super) namespace: Option<&'t str>,
    pub(super) name: &'t str,
}

impl<'v> Routes<'v> {
    pub(super) fn of(view: &'v View) -> Self {
        let mut to: HashMap<_, Vec<_>> = HashMap::new();
        for (group, kind) in ROUTES {
            for member in view.of_kind(group, kind) {
                let own = member.namespace.as_str();
                for reference in backend_refs(&member.resource) {
                    let kind = match reference.kind {
                        "Service" => "Service",
                        "InferencePool" => "InferencePool",
                        _ => continue,
                    };
                    let space = reference.namespace.unwrap_or(own).to_owned();
                    let routes: &mut Vec<&Arc<Resource>> = to
                        .entry((kind, (space, reference.name.to_owned())))
                        .or_default();
                    if routes.last().is_none_or(|r| r.id != member.resource.id) {
                        routes.push(&member.resource);
                    }
                }
            }
        }
        // Who gets copies of requests from outside is reached from there too, though nobody sees an answer.
        for mirror in mirrors::of(view) {
            let (Some((space, name)), true) =
                (mirror.to.service, leads_in(&mirror.opener.resource))
            else {
                continue;
            };
            let key = ("Service", (space.to_owned(), name.to_owned()));
            let routes: &mut Vec<&Arc<Resource>> = to.entry(key).or_default();
            let route = &mirror.opener.resource;
            if routes.iter().all(|known| known.id != route.id) {
                routes.push(route);
            }
        }
        Self { to }
    }

    /// Routes that lead to an asset, directly or by one of its Services.
    pub(super) fn to(&self, asset: &Asset, services: &[Arc<Resource>]) -> Vec<Arc<Resource>> {
        let space = asset.namespace.as_str();
        let name = &asset.resource.name;
        let mut found: Vec<Arc<Resource>> = Vec::new();
        let mut look = |kind: &'static str, name: String| {
            let routes = self.to.get(&(kind, (space.to_owned(), name)));
            for route in routes.into_iter().flatten() {
                if !found.iter().any(|known| known.id == route.id) {
                    found.push(Arc::clone(route));
                }
            }
        };
        if asset.resource.kind() == "InferencePool" {
            look("InferencePool", name.clone());
        }
        for service in services {
            look("Service", service.name.clone());
        }
        made_services(asset).for_each(|name| look("Service", name));
        found.sort_by_key(|route| route.id);
        found
    }
}

/// Names of the Services that the controller of an asset may make of it.
pub(super) fn made_services(asset: &Asset) -> impl Iterator<Item = String> + use<> {
    let makes = asset.is_certain() && matches!(asset.class, Class::ModelServer | Class::Rag);
    let name = asset.resource.name.clone();
    MADE_SERVICES
        .iter()
        .filter(move |_| makes)
        .map(move |suffix| format!("{name}{suffix}"))
}

fn items<'t>(node: NodeRef<'t>, path: &[&str]) -> impl Iterator<Item = NodeRef<'t>> + use<'t> {
    node.at(path).into_iter().flat_map(NodeRef::items)
}

/// What an object sends requests to.
pub(super) fn backend_refs(resource: &Resource) -> Vec<BackendRef<'_>> {
    let Some(spec) = resource.object().get("spec") else {
        return Vec::new();
    };
    match resource.kind() {
        "Ingress" => ingress(spec),
        "VirtualService" => virtual_service(spec),
        "Route" => openshift(spec),
        "AIServiceBackend" => spec
            .get("backendRef")
            .and_then(|r| reference(r, "Backend"))
            .into_iter()
            .collect(),
        "AIGatewayRoute" => items(spec, &["rules"])
            .flat_map(|rule| items(rule, &["backendRefs"]))
            .filter_map(|r| reference(r, "AIServiceBackend"))
            .collect(),
        _ => items(spec, &["rules"])
            .flat_map(|rule| items(rule, &["backendRefs"]))
            .filter_map(|r| reference(r, "Service"))
            .collect(),
    }
}

fn reference<'t>(node: NodeRef<'t>, default_kind: &'static str) -> Option<BackendRef<'t>> {
    let text = |name: &str| node.get(name).and_then(NodeRef::as_str);
    Some(BackendRef {
        kind: text("kind").unwrap_or(default_kind),
        namespace: text("namespace"),
        name: text("name")?,
    })
}

fn service(name: &str) -> BackendRef<'_> {
    BackendRef {
        kind: "Service",
        namespace: None,
        name,
    }
}

/// `networking.k8s.io/v1` and the older form with `serviceName`.
fn ingress(spec: NodeRef<'_>) -> Vec<BackendRef<'_>> {
    let paths = items(spec, &["rules"]).flat_map(|rule| items(rule, &["http", "paths"]));
    let backends = paths.filter_map(|path| path.get("backend"));
    backends
        .chain(spec.get("defaultBackend"))
        .filter_map(|backend| {
            backend
                .at(&["service", "name"])
                .or_else(|| backend.get("serviceName"))
                .and_then(NodeRef::as_str)
        })
        .map(service)
        .collect()
}

/// `to` and `alternateBackends`; weight 0 sends nothing.
fn openshift(spec: NodeRef<'_>) -> Vec<BackendRef<'_>> {
    spec.get("to")
        .into_iter()
        .chain(items(spec, &["alternateBackends"]))
        .filter(|backend| backend.get("weight").and_then(NodeRef::as_i64) != Some(0))
        .filter_map(|backend| backend.get("name")?.as_str())
        .map(service)
        .collect()
}

/// Whether a route has a gateway, beside what it says to the mesh.
fn leads_in(route: &Resource) -> bool {
    let object = route.object();
    let by_gateway = items(object, &["spec", "gateways"]).any(|g| g.as_str() != Some("mesh"));
    let is_service = |p: NodeRef<'_>| p.get("kind").map(NodeRef::text) == Some("Service");
    by_gateway || items(object, &["spec", "parentRefs"]).any(|p| !is_service(p))
}

/// Only VirtualServices of a gateway; those of the mesh alone lead nobody in.
fn virtual_service(spec: NodeRef<'_>) -> Vec<BackendRef<'_>> {
    let from_outside = items(spec, &["gateways"]).any(|gateway| gateway.as_str() != Some("mesh"));
    if !from_outside {
        return Vec::new();
    }
    items(spec, &["http"])
        .flat_map(|rule| items(rule, &["route"]))
        .filter_map(|route| route.at(&["destination", "host"])?.as_str())
        .map(|host| {
            let mut labels = host.split('.');
            BackendRef {
                kind: "Service",
                name: labels.next().unwrap_or(host),
                namespace: labels.next(),
            }
        })
        .collect()
}

/// What a route names as its parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    /// Namespace and name of the Gateway; of a ListenerSet the one it hangs on, none when the set is not in the view.
    pub gateway: Option<Place>,
    /// Kind, namespace and name of the ListenerSet between.
    pub set: Option<(&'static str, Place)>,
}

/// Kinds of sets of listeners (Gateway API GEP-1713), whose `parentRef` names their Gateway.
const SETS: [(&str, &str); 2] = [
    (GATEWAY_API, "ListenerSet"),
    ("gateway.networking.x-k8s.io", "XListenerSet"),
];

/// The parents that a route names, with their Gateways.
pub(super) fn parents(route: &Resource, own: &str, view: &View) -> Vec<Parent> {
    let object = route.object();
    ["parentRefs", "targetRefs"]
        .iter()
        .filter(|_| {
            ROUTES.iter().any(|(_, kind)| *kind == route.kind()) || route.kind() == "MCPRoute"
        })
        .flat_map(|field| items(object, &["spec", field]))
        .filter_map(|parent| {
            let place = place_of(parent, own)?;
            let kind = parent.get("kind").map_or("Gateway", NodeRef::text);
            if kind == "Gateway" {
                return Some(Parent {
                    gateway: Some(place),
                    set: None,
                });
            }
            let (group, kind) = SETS.iter().find(|(_, k)| *k == kind)?;
            let found = view
                .of_kind(group, kind)
                .find(|m| m.namespace.as_str() == place.0 && m.resource.name == place.1);
            let gateway = found.and_then(|m| {
                let parent = m.resource.object().at(&["spec", "parentRef"])?;
                place_of(parent, m.namespace.as_str())
            });
            Some(Parent {
                gateway,
                set: Some((kind, place)),
            })
        })
        .collect()
}

fn place_of(reference: NodeRef<'_>, own: &str) -> Option<Place> {
    let text = |name: &str| reference.get(name).and_then(NodeRef::as_str);
    Some((
        text("namespace").unwrap_or(own).to_owned(),
        text("name")?.to_owned(),
    ))
}
