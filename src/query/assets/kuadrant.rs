//! Kuadrant's AuthPolicy. Input: its `spec`; output: component U.
//!
//! Fields: kuadrant-operator `doc/reference/authpolicy.md` (v1): methods under `rules.authentication`, of which one suffices; all of
//! `rules.authorization` must hold. `defaults` and `overrides` hold the same.

use crate::asset::grade::{Component, TOP};
use crate::yaml::NodeRef;

pub(super) fn user(spec: NodeRef<'_>) -> Component {
    let rules = ["overrides", "defaults"]
        .iter()
        .find_map(|holder| spec.at(&[holder, "rules"]))
        .or_else(|| spec.get("rules"));
    let span = Some(rules.unwrap_or(spec).span());
    let part = |name: &str| rules.and_then(|r| r.get(name)).filter(|n| !n.is_empty());
    let Some(methods) = part("authentication") else {
        return Component::between(0, TOP, "the AuthPolicy names no authentication", span);
    };
    let weakest = methods
        .entries()
        .map(|(_, method)| method_value(method))
        .min();
    let (low, high) = weakest.unwrap_or((0, TOP));
    let by_claims = part("authorization").map(claims_decide);
    match by_claims {
        _ if high < 2 => Component::between(low, high, "callers without a token are let in", span),
        Some(true) => Component::known(4, "claims of the token decide", span),
        Some(false) => Component::between(low, TOP, "an authorization service decides", span),
        None => Component::between(low, high, "a valid token is required", span),
    }
}

fn method_value(method: NodeRef<'_>) -> (u8, u8) {
    let has = |name: &str| method.get(name).is_some();
    if has("anonymous") {
        return (1, 1);
    }
    if has("jwt") || has("apiKey") || has("oauth2Introspection") {
        return (2, 2);
    }
    if has("kubernetesTokenReview") || has("x509") {
        return (3, 3);
    }
    (0, TOP)
}

/// Whether every rule compares values of the identity, so that no other service has a say.
fn claims_decide(authorization: NodeRef<'_>) -> bool {
    authorization.entries().all(|(_, rule)| {
        let mut patterns = rule
            .at(&["patternMatching", "patterns"])
            .into_iter()
            .flat_map(NodeRef::items)
            .peekable();
        patterns.peek().is_some()
            && patterns.all(|pattern| {
                let text = |name: &str| pattern.get(name).and_then(NodeRef::as_str).unwrap_or("");
                text("predicate").contains("auth.identity.")
                    || text("selector").starts_with("auth.identity.")
            })
    })
}
