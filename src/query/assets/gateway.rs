//! What stands before a model at a gateway. Input: the links of an asset; output: components W, U, O, B.
//!
//! Fields: Envoy Gateway `SecurityPolicy`, `ClientTrafficPolicy`, `BackendTrafficPolicy` v1alpha1; Envoy AI Gateway `AIGatewayRoute`,
//! `MCPRoute`, `QuotaPolicy`; Kuadrant `AuthPolicy` v1, `TokenRateLimitPolicy` v1alpha1.

use std::sync::Arc;

use crate::asset::grade::{Component, TOP};
use crate::asset::link::Links;
use crate::asset::{Asset, Class};
use crate::resource::Resource;
use crate::yaml::NodeRef;

/// Whether the asset is reached through gateways only, by its nature.
pub(super) fn is_gateway(asset: &Asset) -> bool {
    asset.is_certain() && matches!(asset.class, Class::LlmGateway | Class::McpGateway)
}

const UNSEEN: &str = "its Gateway is not in the view";

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

/// What callers must prove of their user.
pub(super) fn user(asset: &Asset, links: &Links) -> Component {
    let mut best: Option<Component> = own_security(asset);
    for policy in &links.policies {
        let found = of_policy(policy);
        // Several policies on one target: every one must be passed, so the strongest counts.
        let better = |new: &Component| best.as_ref().is_none_or(|known| known.range < new.range);
        if let Some(found) = found.filter(better) {
            best = Some(found);
        }
    }
    match best {
        Some(component) => component,
        None if links.gateway_missing || links.gateways.is_empty() => {
            Component::between(0, TOP, UNSEEN, None)
        }
        None => Component::known(0, "no policy on route or gateway authenticates users", None),
    }
}

/// `MCPRoute` carries its own policy.
fn own_security(asset: &Asset) -> Option<Component> {
    let policy = asset.resource.object().at(&["spec", "securityPolicy"])?;
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
        "AuthPolicy" => Some(delegated(spec)),
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

/// Kinds that limit tokens or requests.
fn limit(policy: &Arc<Resource>) -> Option<Component> {
    let spec = policy.object().get("spec")?;
    let span = Some(spec.span());
    match policy.kind() {
        "BackendTrafficPolicy" => {
            let limit = spec.get("rateLimit").filter(|n| !n.is_empty())?;
            let keyed = any_distinct_header(limit);
            Some(if keyed {
                Component::between(
                    2,
                    4,
                    "one budget for each value of a header",
                    Some(limit.span()),
                )
            } else {
                Component::known(1, "one budget for all callers", Some(limit.span()))
            })
        }
        "QuotaPolicy" | "TokenRateLimitPolicy" | "RateLimitPolicy" | "PlanPolicy" => Some(
            Component::between(1, 4, format!("{} limits", policy.kind()), span),
        ),
        _ => None,
    }
}

/// Depth is that of the document, which the parser caps.
fn any_distinct_header(node: NodeRef<'_>) -> bool {
    if node.is_map() {
        node.get("type").and_then(NodeRef::as_str) == Some("Distinct")
            || node.entries().any(|(_, value)| any_distinct_header(value))
    } else {
        node.items().any(any_distinct_header)
    }
}

/// The budget at a gateway.
pub(super) fn budget(links: &Links) -> Component {
    let limits = links.policies.iter().filter_map(limit);
    match limits.max_by_key(|limit| limit.range) {
        Some(limit) => limit,
        None if links.gateway_missing || links.gateways.is_empty() => {
            Component::between(0, TOP, UNSEEN, None)
        }
        None => Component::known(0, "no policy limits tokens or requests", None),
    }
}

/// The budget of pods: those behind a gateway with a limit may be reached past it.
pub(super) fn budget_behind(links: &Links) -> Component {
    let limits = links.policies.iter().filter_map(limit);
    match limits.max_by_key(|limit| limit.range) {
        Some(limit) => {
            let high = limit.range.map_or(TOP, |(_, high)| high);
            let mut open = Component::between(
                0,
                high,
                "there is a limit at the gateway; whether it can be passed by is not known",
                None,
            );
            open.because.extend(limit.because);
            open
        }
        None => Component::known(0, "nothing limits tokens or requests", None),
    }
}
