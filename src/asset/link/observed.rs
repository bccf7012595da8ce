//! What sets the access log of traffic to assets. Input: a `View` and the links so far; output: Telemetry and EnvoyProxy objects, each at the
//! first asset it concerns.
//!
//! Istio `Telemetry` (`telemetry.istio.io/v1`): of a namespace, or of pods by selector. Envoy Gateway `EnvoyProxy` v1alpha1: named by
//! `Gateway.spec.infrastructure.parametersRef` in its namespace or by `GatewayClass.spec.parametersRef`.

use std::collections::HashMap;
use std::sync::Arc;

use crate::asset::inventory::Inventory;
use crate::asset::link::Links;
use crate::facts::selector::MatchLabels;
use crate::pods;
use crate::resource::Resource;
use crate::view::View;
use crate::yaml::NodeRef;

pub(super) fn add(view: &View, inventory: &Inventory, links: &mut [Links]) {
    telemetry(view, inventory, links);
    proxies(view, links);
}

fn telemetry(view: &View, inventory: &Inventory, links: &mut [Links]) {
    for member in view.of_kind("telemetry.istio.io", "Telemetry") {
        let spec = member.resource.object().get("spec");
        let selector = spec.and_then(|s| s.at(&["selector", "matchLabels"]));
        let selector = MatchLabels::read(selector);
        if spec.is_some_and(|s| s.get("targetRefs").is_some()) {
            continue;
        }
        let concerned = inventory
            .assets
            .iter()
            .zip(links.iter_mut())
            .find(|(asset, _)| {
                let templates = pods::templates(&asset.resource);
                asset.namespace.as_str() == member.namespace.as_str()
                    && asset.class.is_called()
                    && (selector.is_empty() || templates.iter().any(|t| selector.matches(t.labels)))
            });
        if let Some((_, links)) = concerned {
            links.telemetry.push(Arc::clone(&member.resource));
        }
    }
}

fn proxies(view: &View, links: &mut [Links]) {
    let mut proxies: HashMap<(&str, &str), &Arc<Resource>> = HashMap::new();
    for member in view.of_kind("gateway.envoyproxy.io", "EnvoyProxy") {
        let place = (member.namespace.as_str(), member.resource.name.as_str());
        proxies.entry(place).or_insert(&member.resource);
    }
    if proxies.is_empty() {
        return;
    }
    let classes: HashMap<&str, &Arc<Resource>> = view
        .of_kind("gateway.networking.k8s.io", "GatewayClass")
        .map(|m| (m.resource.name.as_str(), &m.resource))
        .collect();
    let mut seen = Vec::new();
    for links in links {
        for gateway in links.gateways.clone() {
            let object = gateway.object();
            let own = gateway.namespace.clone().unwrap_or_default();
            let by_gateway = object.at(&["spec", "infrastructure", "parametersRef"]);
            let class = object
                .at(&["spec", "gatewayClassName"])
                .and_then(NodeRef::as_str);
            let by_class = class
                .and_then(|name| classes.get(name))
                .and_then(|class| class.object().at(&["spec", "parametersRef"]));
            for reference in by_gateway.into_iter().chain(by_class) {
                let text = |name: &str| reference.get(name).and_then(NodeRef::as_str);
                let space = text("namespace").unwrap_or(&own);
                let Some(proxy) = proxies.get(&(space, text("name").unwrap_or(""))) else {
                    continue;
                };
                if text("kind") == Some("EnvoyProxy") && !seen.contains(&proxy.id) {
                    seen.push(proxy.id);
                    links.telemetry.push(Arc::clone(proxy));
                }
            }
        }
    }
}
