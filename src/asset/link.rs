//! What stands around an asset. Input: a `View` and its `Inventory`; output: for each asset the Services, routes, gateways, policies and
//! backends that concern it, and what its identity may do. Nothing is read when there is no asset.

mod grant;
mod observed;
mod route;
mod selected;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::asset::inventory::{Asset, Inventory};
use crate::facts::selector::MatchLabels;
use crate::pods;
use crate::resource::Resource;
use crate::view::{Member, View};
use crate::yaml::NodeRef;

pub use grant::Grant;
pub use route::Parent;

/// Objects that concern one asset, each list in the order of the view.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// Service account of its pods, `default` when none is named; empty for objects without pods.
    pub service_account: String,
    /// Services that select its pods.
    pub services: Vec<Arc<Resource>>,
    /// Routes that lead to it: HTTPRoute, GRPCRoute, Ingress, VirtualService, OpenShift Route, AIGatewayRoute.
    pub routes: Vec<Arc<Resource>>,
    /// Gateways that it, or a route to it, attaches to.
    pub gateways: Vec<Arc<Resource>>,
    /// Gateways among them to which no earlier asset attaches.
    pub first_gateways: Vec<Arc<Resource>>,
    /// Whether a gateway that is named is not in the view.
    pub gateway_missing: bool,
    /// Policies whose target is the asset, a route to it, or their gateway.
    pub policies: Vec<Arc<Resource>>,
    /// Backends it sends requests to.
    pub backends: Vec<Arc<Resource>>,
    /// Powers of its service account over the cluster.
    pub grants: Vec<Grant>,
    /// AuthorizationPolicies that select its pods, among others; each stands at the first called asset only.
    pub authorizations: Vec<Arc<Resource>>,
    /// NetworkPolicies that select its pods, among others; each stands at the first asset only.
    pub network_policies: Vec<Arc<Resource>>,
    /// What sets the access log of its traffic: Telemetry, EnvoyProxy; each stands at the first asset only.
    pub telemetry: Vec<Arc<Resource>>,
}

/// What a route names as parents; `own` is the namespace of a route that states none.
#[must_use]
pub fn parents_of(route: &Resource, own: &str, view: &View) -> Vec<Parent> {
    route::parents(route, route.namespace.as_deref().unwrap_or(own), view)
}

/// Names of the Services that the controller of an asset may make of it.
pub(super) fn made_services(asset: &Asset) -> impl Iterator<Item = String> + use<> {
    route::made_services(asset)
}

/// The links of each asset, in the order of the inventory.
#[must_use]
pub fn links(view: &View, inventory: &Inventory) -> Vec<Links> {
    if inventory.assets.is_empty() {
        return Vec::new();
    }
    let index = Index::of(view);
    let mut links: Vec<Links> = inventory.assets.iter().map(|a| index.links(a)).collect();
    let mut seen = HashSet::new();
    for links in &mut links {
        let first = links.gateways.iter().filter(|g| seen.insert(g.id));
        links.first_gateways = first.map(Arc::clone).collect();
    }
    selected::add(view, inventory, &mut links);
    observed::add(view, inventory, &mut links);
    links
}

/// Namespace and name.
pub(super) type Place = (String, String);

/// A namespace, kind and name.
type Target = (String, String, String);

/// Services with their selectors.
type Selecting<'v> = Vec<(&'v Member, MatchLabels)>;

struct Index<'v> {
    view: &'v View,
    /// Services by namespace and one pair of their selector.
    services: HashMap<(String, String, String), Selecting<'v>>,
    routes: route::Routes<'v>,
    gateways: HashMap<Place, &'v Arc<Resource>>,
    policies: HashMap<Target, Vec<&'v Arc<Resource>>>,
    backends: HashMap<Target, &'v Arc<Resource>>,
    grants: grant::Grants,
}

/// Groups whose objects attach to others by `targetRef` or `targetRefs`.
const POLICY_GROUPS: &[&str] = &[
    "agentgateway.dev",
    "aigateway.envoyproxy.io",
    "extensions.kuadrant.io",
    "gateway.envoyproxy.io",
    "gateway.kgateway.dev",
    "gateway.networking.k8s.io",
    "kuadrant.io",
    "security.istio.io",
];

impl<'v> Index<'v> {
    fn of(view: &'v View) -> Self {
        let mut index = Self {
            view,
            services: HashMap::new(),
            routes: route::Routes::of(view),
            gateways: HashMap::new(),
            policies: HashMap::new(),
            backends: HashMap::new(),
            grants: grant::Grants::of(view),
        };
        for member in view.of_kind("", "Service") {
            let selector = MatchLabels::read(member.resource.object().at(&["spec", "selector"]));
            let Some((key, value)) = selector.pairs().next() else {
                continue;
            };
            let place = (namespace(member), key.to_owned(), value.to_owned());
            index
                .services
                .entry(place)
                .or_default()
                .push((member, selector));
        }
        for member in view.of_kind("gateway.networking.k8s.io", "Gateway") {
            let place = (namespace(member), member.resource.name.clone());
            index.gateways.entry(place).or_insert(&member.resource);
        }
        for (group, kind) in [
            ("gateway.envoyproxy.io", "Backend"),
            ("aigateway.envoyproxy.io", "AIServiceBackend"),
        ] {
            for member in view.of_kind(group, kind) {
                let target = (
                    namespace(member),
                    kind.to_owned(),
                    member.resource.name.clone(),
                );
                index.backends.entry(target).or_insert(&member.resource);
            }
        }
        let policies = view
            .kinds()
            .filter(|kind| POLICY_GROUPS.contains(&kind.group.as_str()))
            .flat_map(|kind| view.of_kind(&kind.group, &kind.kind));
        for member in policies {
            for target in targets(member) {
                index
                    .policies
                    .entry(target)
                    .or_default()
                    .push(&member.resource);
            }
        }
        index
    }

    fn links(&self, asset: &Asset) -> Links {
        let mut links = Links::default();
        let own = asset.namespace.as_str();
        self.pods(asset, &mut links);
        links.routes = self.routes.to(asset, &links.services);
        let mut targets: Vec<Target> =
            vec![target(own, asset.resource.kind(), &asset.resource.name)];
        if asset.resource.kind() == "AIGatewayRoute" {
            // The controller makes an HTTPRoute of the same name, to which policies attach.
            targets.push(target(own, "HTTPRoute", &asset.resource.name));
        }
        let routes = links.routes.clone();
        for (route, space) in routes
            .iter()
            .map(|r| (r, r.namespace.clone().unwrap_or_else(|| own.to_owned())))
            .chain([(&asset.resource, own.to_owned())])
        {
            targets.push(target(&space, route.kind(), &route.name));
            for parent in route::parents(route, &space, self.view) {
                self.parent(&parent, &space, &mut links, &mut targets);
            }
        }
        self.backends(asset, own, &mut links, &mut targets);
        targets.sort();
        targets.dedup();
        for policy in targets
            .iter()
            .filter_map(|t| self.policies.get(t))
            .flatten()
        {
            add(&mut links.policies, policy);
        }
        links.policies.sort_by_key(|p| p.id);
        links.gateways.sort_by_key(|p| p.id);
        links
    }

    /// Services that select the pods, their account, and what it may do.
    fn pods(&self, asset: &Asset, links: &mut Links) {
        let templates = pods::templates(&asset.resource);
        for template in &templates {
            if links.service_account.is_empty() {
                template
                    .service_account()
                    .clone_into(&mut links.service_account);
            }
            for (key, value) in template.labels.into_iter().flat_map(NodeRef::entries) {
                let pair = (
                    asset.namespace.as_str().to_owned(),
                    key.key_text().into_owned(),
                    value.text().to_owned(),
                );
                for (member, selector) in self.services.get(&pair).into_iter().flatten() {
                    if selector.matches(template.labels) {
                        add(&mut links.services, &member.resource);
                    }
                }
            }
        }
        links.services.sort_by_key(|s| s.id);
        if !links.service_account.is_empty() {
            links.grants = self
                .grants
                .of_account(asset.namespace.as_str(), &links.service_account);
        }
    }

    /// The Gateway of a route's parent, and what policies may name to mean the route.
    fn parent(&self, parent: &Parent, space: &str, links: &mut Links, targets: &mut Vec<Target>) {
        if let Some((kind, (at, name))) = &parent.set {
            targets.push(target(at, kind, name));
        }
        let Some((at, name)) = &parent.gateway else {
            links.gateway_missing = true;
            return;
        };
        targets.push(target(at, "Gateway", name));
        let Some(gateway) = self.gateways.get(&(at.clone(), name.clone())) else {
            links.gateway_missing = true;
            return;
        };
        let admitted = match &parent.set {
            Some((_, (of_set, _))) => admits_set(gateway, at == of_set),
            None => at == space || admits_others(gateway),
        };
        if admitted {
            add(&mut links.gateways, gateway);
        }
    }

    fn backends(&self, asset: &Asset, own: &str, links: &mut Links, targets: &mut Vec<Target>) {
        let mut ask = vec![Arc::clone(&asset.resource)];
        while let Some(from) = ask.pop() {
            for reference in route::backend_refs(&from) {
                let key = target(
                    reference.namespace.unwrap_or(own),
                    reference.kind,
                    reference.name,
                );
                let Some(found) = self.backends.get(&key) else {
                    continue;
                };
                if links.backends.iter().any(|b| b.id == found.id) {
                    continue;
                }
                targets.push(key);
                links.backends.push(Arc::clone(found));
                ask.push(Arc::clone(found));
            }
        }
        links.backends.sort_by_key(|b| b.id);
    }
}

/// Whether a listener takes routes of other namespaces: `allowedRoutes.namespaces.from` is `Same` unless it says otherwise (Gateway API
/// `gateway_types.go`). A selector may admit them.
fn admits_others(gateway: &Resource) -> bool {
    let listeners = gateway.object().at(&["spec", "listeners"]);
    listeners
        .into_iter()
        .flat_map(NodeRef::items)
        .any(|listener| {
            let from = listener.at(&["allowedRoutes", "namespaces", "from"]);
            from.is_some_and(|from| from.text() != "Same")
        })
}

/// Whether a Gateway serves listeners of a ListenerSet: `allowedListeners.namespaces.from` is `None` unless it says otherwise. A selector may
/// admit them.
fn admits_set(gateway: &Resource, same_namespace: bool) -> bool {
    let from = gateway
        .object()
        .at(&["spec", "allowedListeners", "namespaces", "from"]);
    match from.map_or("None", NodeRef::text) {
        "All" | "Selector" => true,
        "Same" => same_namespace,
        _ => false,
    }
}

fn add(list: &mut Vec<Arc<Resource>>, resource: &Arc<Resource>) {
    if !list.iter().any(|known| known.id == resource.id) {
        list.push(Arc::clone(resource));
    }
}

fn namespace(member: &Member) -> String {
    member.namespace.as_str().to_owned()
}

fn target(namespace: &str, kind: &str, name: &str) -> Target {
    (namespace.to_owned(), kind.to_owned(), name.to_owned())
}

/// What a policy names in `spec.targetRef` and `spec.targetRefs`.
fn targets(member: &Member) -> Vec<Target> {
    let Some(spec) = member.resource.object().get("spec") else {
        return Vec::new();
    };
    let many = spec.get("targetRefs").into_iter().flat_map(NodeRef::items);
    many.chain(spec.get("targetRef"))
        .filter_map(|reference| {
            let text = |name: &str| reference.get(name).and_then(NodeRef::as_str);
            let own = member.namespace.as_str();
            Some(target(
                text("namespace").unwrap_or(own),
                text("kind")?,
                text("name")?,
            ))
        })
        .collect()
}
