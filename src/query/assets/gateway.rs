//! What stands before a model at a gateway. Input: the links of an asset; output: components W, U, O, B.
//!
//! Fields: Envoy Gateway `SecurityPolicy`, `ClientTrafficPolicy`, `BackendTrafficPolicy` v1alpha1; Envoy AI Gateway `AIGatewayRoute`,
//! `MCPRoute`. Kuadrant's and the limits have files of their own.

use std::sync::Arc;

use crate::asset::grade::{Component, TOP};
use crate::asset::link::{self, Links, Parent};
use crate::asset::{Asset, Class};
use crate::resource::Resource;
use crate::view::View;
use crate::yaml::NodeRef;

use super::{budget, ingress, kuadrant};

/// Whether the asset is reached through gateways only, by its nature.
pub(super) fn is_gateway(asset: &Asset) -> bool {
    asset.is_certain() && matches!(asset.class, Class::LlmGateway | Class::McpGateway)
}

const UNSEEN: &str = "no Gateway of the view takes its routes";

/// What callers must prove of their workload: only a client certificate counts.
pub(super) fn workload(links: &Links) -> Component {
    let certificate = links.policies.iter().find_map(|policy| {
        let node = policy.object().at(&["spec", "tls", "clientValidation"])?;
        (policy.kind() == "ClientTrafficPolicy").then_some(node)
    });
    match certificate {
        Some(node) => Component::between(
            1,
            TOP,
            "the gateway asks for a client certificate",
            Some(node.span()),
        ),
        None if links.gateway_missing || links.gateways.is_empty() => {
            Component::between(0, TOP, UNSEEN, None)
        }
        None => Component::known(0, "the gateway asks for no client certificate", None),
    }
}

/// What callers must prove of their user on the weakest of the routes in.
pub(super) fn user(asset: &Asset, links: &Links, view: &View) -> Component {
    weakest(asset, links, view, |route, policies| {
        // Several policies on one route: every one must be passed, so the strongest counts.
        let space = route
            .namespace
            .as_deref()
            .unwrap_or(asset.namespace.as_str());
        let own = own_security(route).or_else(|| ingress::user(route, space, view));
        strongest(
            own.into_iter()
                .chain(policies.iter().filter_map(|p| of_policy(p))),
        )
        .ok_or("no policy on route or gateway authenticates users")
    })
}

/// The worst of the routes to an asset, each with the policies that hold for it; what is missing there is 0, or unknown when a Gateway of
/// the route is not in the view.
fn weakest(
    asset: &Asset,
    links: &Links,
    view: &View,
    read: impl Fn(&Resource, &[&Arc<Resource>]) -> Result<Component, &'static str>,
) -> Component {
    let own = [Arc::clone(&asset.resource)];
    let routes = if links.routes.is_empty() {
        &own[..]
    } else {
        links.routes.as_slice()
    };
    let space = asset.namespace.as_str();
    let of_route = |route: &Arc<Resource>| {
        let parents = link::parents_of(route, space, view);
        let seen = |parent: &Parent| {
            let Some((space, name)) = &parent.gateway else {
                return false;
            };
            let lies_there =
                |g: &Arc<Resource>| g.namespace.as_ref().is_none_or(|own| own == space);
            links
                .gateways
                .iter()
                .any(|g| g.name == *name && lies_there(g))
        };
        let policies: Vec<&Arc<Resource>> = links
            .policies
            .iter()
            .filter(|policy| holds_for(policy, route, &parents))
            .collect();
        read(route, &policies).unwrap_or_else(|says| {
            if parents.iter().all(seen) && !(parents.is_empty() && is_bare(asset, links)) {
                Component::known(0, says, Some(route.name_span()))
            } else {
                Component::between(0, TOP, UNSEEN, None)
            }
        })
    };
    routes
        .iter()
        .map(of_route)
        .reduce(Component::worse)
        .unwrap_or_default()
}

/// Whether nothing in the view says by which gateway the asset is reached.
fn is_bare(asset: &Asset, links: &Links) -> bool {
    is_gateway(asset) && links.gateways.is_empty() && links.routes.is_empty()
}

/// Whether a policy's target is a route, one of its Gateways or the ListenerSet between. The controller of an AIGatewayRoute makes an HTTPRoute of its name.
fn holds_for(policy: &Resource, route: &Resource, parents: &[Parent]) -> bool {
    let spec = policy.object().get("spec");
    let many = spec.and_then(|s| s.get("targetRefs"));
    let one = spec.and_then(|s| s.get("targetRef"));
    many.into_iter()
        .flat_map(NodeRef::items)
        .chain(one)
        .any(|target| {
            let text = |name: &str| target.get(name).and_then(NodeRef::as_str).unwrap_or("");
            let name = text("name");
            match text("kind") {
                "Gateway" => parents
                    .iter()
                    .filter_map(|p| p.gateway.as_ref())
                    .any(|(_, gateway)| gateway == name),
                "ListenerSet" | "XListenerSet" => parents
                    .iter()
                    .filter_map(|p| p.set.as_ref())
                    .any(|(kind, (_, set))| *kind == text("kind") && set == name),
                "HTTPRoute" if route.kind() == "AIGatewayRoute" => route.name == name,
                kind => kind == route.kind() && route.name == name,
            }
        })
}

fn strongest(components: impl Iterator<Item = Component>) -> Option<Component> {
    components.max_by_key(|component| component.range)
}

/// `MCPRoute` carries its own policy.
fn own_security(route: &Resource) -> Option<Component> {
    let policy = route.object().at(&["spec", "securityPolicy"])?;
    let node = |name: &str| policy.get(name).filter(|n| !n.is_empty());
    if let Some(oauth) = node("oauth") {
        let fixed = !oauth.get("audiences").is_none_or(NodeRef::is_empty);
        let claims = node("authorization").is_some();
        let value = if claims { 4 } else { 2 + u8::from(fixed) };
        return Some(Component::known(value, "OAuth", Some(oauth.span())));
    }
    if let Some(keys) = node("apiKeyAuth") {
        return Some(Component::known(2, "API keys", Some(keys.span())));
    }
    node("extAuth").map(|check| delegated(check))
}

fn delegated(node: NodeRef<'_>) -> Component {
    Component::between(2, TOP, "an external authorizer decides", Some(node.span()))
}

fn of_policy(policy: &Arc<Resource>) -> Option<Component> {
    let spec = policy.object().get("spec")?;
    let node = |name: &str| spec.get(name).filter(|n| !n.is_empty());
    match policy.kind() {
        "SecurityPolicy" => {
            if let Some(jwt) = node("jwt") {
                return Some(of_jwt(jwt, spec));
            }
            if let Some(oidc) = node("oidc") {
                return Some(Component::known(3, "OpenID Connect", Some(oidc.span())));
            }
            if let Some(keys) = node("apiKeyAuth").or_else(|| node("basicAuth")) {
                return Some(Component::known(2, "shared keys", Some(keys.span())));
            }
            node("extAuth").map(delegated)
        }
        "AuthPolicy" => Some(kuadrant::user(spec)),
        "OIDCPolicy" => Some(Component::known(3, "OpenID Connect", Some(spec.span()))),
        _ => None,
    }
}

fn of_jwt(jwt: NodeRef<'_>, spec: NodeRef<'_>) -> Component {
    let span = Some(jwt.span());
    if jwt.get("optional").and_then(NodeRef::as_bool) == Some(true) {
        return Component::known(1, "a token is optional", span);
    }
    let claims = spec
        .at(&["authorization", "rules"])
        .into_iter()
        .flat_map(NodeRef::items)
        .any(|rule| rule.at(&["principal", "jwt"]).is_some());
    let providers: Vec<_> = jwt
        .get("providers")
        .into_iter()
        .flat_map(NodeRef::items)
        .collect();
    let fixed = providers
        .iter()
        .all(|p| p.get("issuer").is_some() && !p.get("audiences").is_none_or(NodeRef::is_empty));
    match (claims, fixed) {
        (true, _) => Component::known(4, "claims of the token decide", span),
        (false, true) => Component::known(3, "issuer and audience are fixed", span),
        (false, false) => Component::known(2, "any valid token will do", span),
    }
}

/// What a route lets callers do.
pub(super) fn operation(asset: &Asset) -> Component {
    let object = asset.resource.object();
    let rules: Vec<NodeRef<'_>> = object
        .at(&["spec", "rules"])
        .into_iter()
        .flat_map(NodeRef::items)
        .collect();
    match asset.resource.kind() {
        "AIGatewayRoute" => match rules.iter().find(|rule| !names_model(**rule)) {
            Some(rule) => Component::known(1, "a rule takes every model", Some(rule.span())),
            None => Component::known(3, "every rule names its model", None),
        },
        "MCPRoute" => {
            let open = object
                .at(&["spec", "backendRefs"])
                .into_iter()
                .flat_map(NodeRef::items)
                .find(|backend| backend.get("toolSelector").is_none());
            match open {
                Some(backend) => {
                    Component::known(1, "every tool of a server is offered", Some(backend.span()))
                }
                None => Component::known(3, "tools are listed", None),
            }
        }
        kind => Component::between(0, 3, format!("{kind} itself admits no requests"), None),
    }
}

fn names_model(rule: NodeRef<'_>) -> bool {
    let matches: Vec<_> = rule
        .get("matches")
        .into_iter()
        .flat_map(NodeRef::items)
        .collect();
    let exact = |header: NodeRef<'_>| {
        let text = |name: &str| header.get(name).and_then(NodeRef::as_str).unwrap_or("");
        let open = text("type") == "RegularExpression" && text("value").contains(".*");
        text("name").eq_ignore_ascii_case("x-ai-eg-model") && !open
    };
    !matches.is_empty()
        && matches.iter().all(|m| {
            let headers = m.get("headers").into_iter().flat_map(NodeRef::items);
            headers.into_iter().any(exact)
        })
}

/// The budget at a gateway: the weakest of the routes in.
pub(super) fn budget(asset: &Asset, links: &Links, view: &View) -> Component {
    weakest(asset, links, view, |route, policies| {
        let verified = budget::verified_headers(policies);
        let limit = |policy: &&Arc<Resource>| {
            budget::counts_nothing(policy, route, view).or_else(|| budget::limit(policy, &verified))
        };
        strongest(policies.iter().filter_map(limit)).ok_or("no policy limits tokens or requests")
    })
}

/// The budget of pods: what is limited at a gateway is limited only when nobody else may call.
pub(super) fn budget_behind(
    asset: &Asset,
    links: &Links,
    view: &View,
    only_gateways: Option<bool>,
) -> Component {
    let at_gateway = budget(asset, links, view);
    let limited = at_gateway.range.is_some_and(|(_, high)| high > 0);
    match only_gateways {
        _ if !limited || links.routes.is_empty() => {
            Component::known(0, "nothing limits tokens or requests", None)
        }
        Some(true) => at_gateway,
        Some(false) => Component::known(0, "callers beside the gateway have no limit", None),
        None => {
            let high = at_gateway.range.map_or(TOP, |(_, high)| high);
            let says = "there is a limit at the gateway; whether it can be passed by is not known";
            let mut open = Component::between(0, high, says, None);
            open.because.extend(at_gateway.because);
            open
        }
    }
}
