//! Limits of tokens and requests. Input: policies of one route; output: component B of each.
//!
//! Fields: Envoy Gateway `BackendTrafficPolicy.spec.rateLimit`; Envoy AI Gateway `QuotaPolicy` v1alpha1; Kuadrant `TokenRateLimitPolicy` v1alpha1,
//! `RateLimitPolicy` v1 (`limits.*.counters[].expression`).

use std::sync::Arc;

use crate::asset::grade::Component;
use crate::resource::Resource;
use crate::view::View;
use crate::yaml::NodeRef;

/// Header by which Envoy AI Gateway tells models apart.
const MODEL_HEADER: &str = "x-ai-eg-model";

/// Headers that a gateway fills from a checked token, in lower case: callers cannot choose them.
pub(super) fn verified_headers(policies: &[&Arc<Resource>]) -> Vec<String> {
    let providers = policies
        .iter()
        .filter(|policy| policy.kind() == "SecurityPolicy")
        .filter_map(|policy| policy.object().at(&["spec", "jwt", "providers"]))
        .flat_map(NodeRef::items);
    providers
        .filter_map(|provider| provider.get("claimToHeaders"))
        .flat_map(NodeRef::items)
        .filter_map(|claim| Some(claim.get("header")?.as_str()?.to_ascii_lowercase()))
        .collect()
}

/// What a policy limits; `None` when it limits nothing.
pub(super) fn limit(policy: &Arc<Resource>, verified: &[String]) -> Option<Component> {
    let spec = policy.object().get("spec")?;
    match policy.kind() {
        "BackendTrafficPolicy" => {
            let limit = spec.get("rateLimit").filter(|n| !n.is_empty())?;
            let mut headers = Vec::new();
            collect(limit, &mut headers);
            Some(by_headers(limit, &headers, verified))
        }
        "QuotaPolicy" => {
            let mut headers = Vec::new();
            collect(spec, &mut headers);
            Some(by_headers(spec, &headers, verified))
        }
        "TokenRateLimitPolicy" | "RateLimitPolicy" => {
            let mut counters = Vec::new();
            expressions(spec, &mut counters);
            Some(by_counters(spec, &counters))
        }
        "PlanPolicy" => {
            let says = "plans limit";
            Some(Component::between(1, 4, says, Some(spec.span())))
        }
        _ => None,
    }
}

/// Why a limit of tokens counts nothing at a route: it adds up a key that the route writes for no request (Envoy AI Gateway
/// `AIGatewayRoute.spec.llmRequestCosts[].metadataKey`, `GatewayConfig.spec.globalLLMRequestCosts`). `None` when a rule counts.
pub(super) fn counts_nothing(
    policy: &Arc<Resource>,
    route: &Resource,
    view: &View,
) -> Option<Component> {
    if policy.kind() != "BackendTrafficPolicy" || route.kind() != "AIGatewayRoute" {
        return None;
    }
    let configs = view.of_kind("aigateway.envoyproxy.io", "GatewayConfig");
    let costs = configs
        .map(|config| {
            config
                .resource
                .object()
                .at(&["spec", "globalLLMRequestCosts"])
        })
        .chain([route.object().at(&["spec", "llmRequestCosts"])])
        .flatten()
        .flat_map(NodeRef::items);
    let written: Vec<&str> = costs
        .filter_map(|cost| cost.get("metadataKey")?.as_str())
        .collect();
    let rules = policy
        .object()
        .at(&["spec", "rateLimit", "global", "rules"]);
    let mut rules = rules.into_iter().flat_map(NodeRef::items).peekable();
    let mut unwritten = None;
    rules.peek()?;
    for rule in rules {
        let metadata = rule.at(&["cost", "response", "metadata"])?;
        let key = metadata.get("key")?;
        let own = metadata.get("namespace").map(NodeRef::text) == Some("io.envoy.ai_gateway");
        if !own || written.contains(&key.text()) {
            return None;
        }
        unwritten = Some(key);
    }
    let key = unwritten?;
    let says = format!(
        "the limit counts nothing: the route writes no cost {}",
        key.text()
    );
    Some(Component::known(0, says, Some(key.span())))
}

/// A header that selects clients: name in lower case, and whether each value has a budget of its own.
type Header = (String, bool);

/// Depth is that of the document, which the parser caps.
fn collect(node: NodeRef<'_>, headers: &mut Vec<Header>) {
    if node.is_map() {
        if let Some(name) = node.get("name").and_then(NodeRef::as_str) {
            let distinct = node.get("type").and_then(NodeRef::as_str) == Some("Distinct");
            headers.push((name.to_ascii_lowercase(), distinct));
        }
        node.entries()
            .for_each(|(_, value)| collect(value, headers));
    } else {
        node.items().for_each(|item| collect(item, headers));
    }
}

fn by_headers(limit: NodeRef<'_>, headers: &[Header], verified: &[String]) -> Component {
    let span = Some(limit.span());
    let by_model = headers.iter().any(|(name, _)| name == MODEL_HEADER);
    let mut keys = headers
        .iter()
        .filter(|(name, distinct)| *distinct && name != MODEL_HEADER)
        .peekable();
    if keys.peek().is_none() {
        return Component::known(1, "one budget for all callers", span);
    }
    match (keys.all(|(name, _)| verified.contains(name)), by_model) {
        (false, _) => Component::known(
            2,
            "one budget for each value of a header that callers choose",
            span,
        ),
        (true, false) => Component::known(3, "one budget for each verified identity", span),
        (true, true) => {
            Component::known(4, "one budget for each verified identity and model", span)
        }
    }
}

/// Depth is that of the document, which the parser caps.
fn expressions(node: NodeRef<'_>, found: &mut Vec<String>) {
    if node.is_map() {
        for (key, value) in node.entries() {
            if key.as_str() == Some("counters") {
                let counters = value.items();
                found.extend(counters.filter_map(|c| Some(c.get("expression")?.text().to_owned())));
            } else {
                expressions(value, found);
            }
        }
    } else {
        node.items().for_each(|item| expressions(item, found));
    }
}

fn by_counters(spec: NodeRef<'_>, counters: &[String]) -> Component {
    let span = Some(spec.span());
    let by_identity = |counter: &&String| counter.starts_with("auth.identity");
    if counters.is_empty() {
        return Component::known(1, "one budget for all callers", span);
    }
    if counters.iter().any(|c| by_identity(&c)) {
        let by_model = counters.iter().any(|c| c.contains("model"));
        let value = 3 + u8::from(by_model);
        return Component::known(value, "one budget for each verified identity", span);
    }
    Component::known(2, "one budget for each value that callers choose", span)
}
