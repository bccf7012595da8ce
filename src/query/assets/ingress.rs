//! Authentication that a route carries itself. Input: an Ingress or a route with filters; output: component U, and none when it carries none.
//!
//! Annotations: ingress-nginx `auth-url`, `auth-type`; AWS Load Balancer Controller `auth-type`; Kong Ingress Controller `konghq.com/plugins` with
//! `KongPlugin`; Traefik `traefik.ingress.kubernetes.io/router.middlewares` with `Middleware`. Gateway API: filters of type `ExtensionRef`.

use crate::asset::grade::{Component, TOP};
use crate::resource::Resource;
use crate::source::Span;
use crate::view::View;
use crate::yaml::NodeRef;

pub(super) fn user(route: &Resource, space: &str, view: &View) -> Option<Component> {
    match route.kind() {
        "Ingress" => route
            .annotations()
            .filter_map(|(key, value)| annotation(key.as_str()?, value, space, view))
            .max_by_key(|component| component.range),
        "HTTPRoute" | "GRPCRoute" => filters(route, space, view),
        _ => None,
    }
}

fn annotation(key: &str, value: NodeRef<'_>, space: &str, view: &View) -> Option<Component> {
    let span = Some(value.span());
    match key {
        "nginx.ingress.kubernetes.io/auth-url" => Some(Component::between(
            2,
            TOP,
            "an external authorizer decides",
            span,
        )),
        "nginx.ingress.kubernetes.io/auth-type" => {
            Some(Component::known(2, "shared passwords", span))
        }
        "alb.ingress.kubernetes.io/auth-type" if value.text() != "none" => {
            Some(Component::known(3, "OpenID Connect", span))
        }
        "konghq.com/plugins" => value
            .text()
            .split(',')
            .filter_map(|name| extension("KongPlugin", name.trim(), space, view, value.span()))
            .max_by_key(|component| component.range),
        "traefik.ingress.kubernetes.io/router.middlewares" => value
            .text()
            .split(',')
            .filter_map(|entry| {
                // `namespace-name@kubernetescrd`.
                let name = entry.trim().split('@').next()?;
                let name = name.strip_prefix(&format!("{space}-")).unwrap_or(name);
                extension("Middleware", name, space, view, value.span())
            })
            .max_by_key(|component| component.range),
        _ => None,
    }
}

/// Of several rules the weakest counts: one without a filter that authenticates lets everyone in.
fn filters(route: &Resource, space: &str, view: &View) -> Option<Component> {
    let rules = route.object().at(&["spec", "rules"]);
    let of_rule = |rule: NodeRef<'_>| {
        let filters = rule.get("filters").into_iter().flat_map(NodeRef::items);
        let extensions = filters.filter_map(|filter| filter.get("extensionRef"));
        extensions
            .filter_map(|reference| {
                let text = |name: &str| reference.get(name).and_then(NodeRef::as_str);
                extension(
                    text("kind").unwrap_or(""),
                    text("name").unwrap_or(""),
                    space,
                    view,
                    reference.span(),
                )
            })
            .max_by_key(|component| component.range)
    };
    let mut weakest: Option<Component> = None;
    for rule in rules.into_iter().flat_map(NodeRef::items) {
        let component = of_rule(rule)?;
        weakest = Some(match weakest {
            None => component,
            Some(known) => known.worse(component),
        });
    }
    weakest
}

/// What an object that extends a gateway demands; unknown for one that is not in the view, none when it is about something else.
fn extension(kind: &str, name: &str, space: &str, view: &View, span: Span) -> Option<Component> {
    let groups: &[&str] = match kind {
        "KongPlugin" => &["configuration.konghq.com"],
        "Middleware" => &["traefik.io", "traefik.containo.us"],
        // Filters of AI gateways and of others whose meaning we do not know.
        _ => return None,
    };
    let found = groups
        .iter()
        .flat_map(|group| view.of_kind(group, kind))
        .find(|m| m.resource.name == name && m.namespace.as_str() == space);
    let Some(found) = found else {
        let says = format!("{kind} {name} is not in the view");
        return Some(Component::between(0, TOP, says, Some(span)));
    };
    let object = found.resource.object();
    let span = Some(found.resource.name_span());
    match object.get("plugin").and_then(NodeRef::as_str) {
        Some("openid-connect") => return Some(Component::known(3, "OpenID Connect", span)),
        Some("jwt" | "oauth2" | "oauth2-introspection") => {
            return Some(Component::known(2, "any valid token will do", span));
        }
        Some("key-auth" | "basic-auth" | "hmac-auth" | "ldap-auth") => {
            return Some(Component::known(2, "shared keys", span));
        }
        _ => {}
    }
    let spec = object.get("spec")?;
    if spec.get("forwardAuth").is_some() {
        let says = "an external authorizer decides";
        return Some(Component::between(2, TOP, says, span));
    }
    let shared = ["basicAuth", "digestAuth"]
        .iter()
        .any(|field| spec.get(field).is_some());
    shared.then(|| Component::known(2, "shared passwords", span))
}
