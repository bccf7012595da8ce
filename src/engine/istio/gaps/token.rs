//! Tokens that are validated and never required, or required and never validated. Input: a RequestAuthentication or an AuthorizationPolicy and
//! the workloads it selects; output: gaps.
//!
//! `pilot/pkg/security/authn/policy_applier.go:convertToEnvoyJwtConfig`: a missing token passes.

use super::{Selected, all_outside, meshed, whole};
use crate::engine::istio::Istio;
use crate::engine::istio::policy::{Action, AuthorizationPolicy, Field, Rule};
use crate::facts::policy::{Effect, Gap, Gaps};
use crate::facts::record::WorkloadRecord;
use crate::facts::transport::Membership;
use crate::resource::Resource;
use crate::yaml::NodeRef;

/// The kind that validates tokens.
const KIND: &str = "RequestAuthentication";

impl Istio {
    /// Rules that let in by token where nothing validates any: they let nobody in.
    pub(super) fn unvalidated(
        &self,
        policy: &AuthorizationPolicy,
        record: &WorkloadRecord,
    ) -> Vec<Gap> {
        let namespace = record.workload.namespace.as_str();
        let validated = self.request_authentications.of_sidecar(&record.workload);
        let unread = self.completeness.unread_policy(namespace, KIND);
        if policy.action != Action::Allow
            || policy.dry_run
            || !validated.is_empty()
            || unread.is_some()
        {
            return Vec::new();
        }
        let root = &self.config.root_namespace;
        let mut assumptions = record.membership.assumptions().to_vec();
        if !(self.completeness.is_complete(namespace) && self.completeness.is_complete(root)) {
            assumptions.push(format!("no {KIND} applies in {namespace} or {root}"));
        }
        let reference = record.workload.reference();
        let asks = |(at, rule): (usize, &Rule)| {
            let from = rule.from.iter().flatten();
            let from = from.filter(|t| t.field == Field::RequestPrincipals && !t.negated);
            let when = rule.when.iter().flatten();
            let when = when.filter(|t| t.field.starts_with("request.auth.") && !t.negated);
            let span = from.map(|t| t.span).chain(when.map(|t| t.span)).next()?;
            let says = format!(
                "nothing validates tokens at {reference}, so no request has one that counts"
            );
            Some(Gap {
                rule: Some(at),
                subject: reference.clone(),
                assumptions: assumptions.clone(),
                ..whole("token-unvalidated", Effect::Nothing, vec![span], says)
            })
        };
        policy.rules.iter().enumerate().filter_map(asks).collect()
    }

    /// What a RequestAuthentication does not do at the workloads it selects.
    pub(crate) fn token_gaps(&self, resource: &Resource, selected: Selected<'_>) -> Vec<Gap> {
        let mut gaps = Gaps::default();
        let spec = resource.object().get("spec");
        let rules = spec.and_then(|s| s.get("jwtRules"));
        let targets = spec.and_then(|s| s.get("targetRefs").or_else(|| s.get("targetRef")));
        let span = rules.map_or_else(|| resource.name_span(), NodeRef::span);
        if targets.is_some() || rules.is_none_or(|r| r.items().next().is_none()) {
            return Vec::new();
        }
        for (record, membership) in meshed(selected) {
            let reference = record.workload.reference();
            let gap = |why, effect, says: String| Gap {
                subject: reference.clone(),
                assumptions: record.membership.assumptions().to_vec(),
                ..whole(why, effect, vec![span], says)
            };
            if membership == Membership::Ambient {
                let says = String::from("a ztunnel reads no token");
                gaps.push(gap("not-at-ztunnel", Effect::Nothing, says));
                continue;
            }
            let open = record
                .ports
                .iter()
                .any(|p| p.access.unrestricted && p.access.access.get().is_some());
            if !open {
                continue;
            }
            let says =
                format!("a request to {reference} without a token passes: no policy asks for one");
            let mut gap = gap("token-optional", Effect::Less, says);
            let namespace = record.workload.namespace.as_str();
            let root = &self.config.root_namespace;
            if !(self.completeness.is_complete(namespace) && self.completeness.is_complete(root)) {
                gap.assumptions.push(format!(
                    "no other AuthorizationPolicy applies in {namespace} or {root}"
                ));
            }
            gaps.push(gap);
        }
        if let Some(gap) = all_outside(selected, resource.name_span()) {
            gaps.push(gap);
        }
        gaps.into_vec()
    }
}
