//! RequestAuthentication: whose tokens count. Input: the objects of a view; output: the issuers validated at an enforcement point.
//!
//! istio/istio `pilot/pkg/security/authn/policy_applier.go:convertToEnvoyJwtConfig`: a missing token passes, an invalid one does not.

use std::collections::BTreeMap;

use crate::engine::istio::policy::{TargetRef, targets, targets_gateway};
use crate::facts::exposure::GatewayRef;
use crate::facts::selector::MatchLabels;
use crate::facts::workload::Workload;
use crate::view::View;
use crate::yaml::NodeRef;

#[derive(Debug)]
struct RequestAuthentication {
    namespace: String,
    selector: MatchLabels,
    targets: Vec<TargetRef>,
    issuers: Vec<String>,
}

/// The RequestAuthentications of a view by namespace.
#[derive(Debug, Default)]
pub(crate) struct RequestAuthentications {
    root: String,
    by_namespace: BTreeMap<String, Vec<RequestAuthentication>>,
}

impl RequestAuthentications {
    /// Reads the objects of a view.
    pub(crate) fn of(view: &View, root: &str) -> Self {
        let mut all = Self {
            root: root.to_owned(),
            ..Self::default()
        };
        for member in view.effective_of_kind("security.istio.io", "RequestAuthentication") {
            let spec = member.resource.object().get("spec");
            let rules = spec.and_then(|s| s.get("jwtRules"));
            let issuers = rules.into_iter().flat_map(NodeRef::items);
            let issuer =
                |rule: NodeRef<'_>| rule.get("issuer").map_or("", NodeRef::text).to_owned();
            let namespace = member.namespace.as_str().to_owned();
            let labels = spec.and_then(|s| s.at(&["selector", "matchLabels"]));
            all.by_namespace
                .entry(namespace.clone())
                .or_default()
                .push(RequestAuthentication {
                    namespace,
                    selector: MatchLabels::read(labels),
                    targets: targets(spec),
                    issuers: issuers.map(issuer).collect(),
                });
        }
        all
    }

    /// Issuers validated by a sidecar: selection as for AuthorizationPolicies.
    pub(crate) fn of_sidecar(&self, workload: &Workload) -> Vec<String> {
        let own = workload.namespace.as_str();
        let labels = workload.labels();
        let mut namespaces = vec![own];
        if own != self.root {
            namespaces.push(&self.root);
        }
        namespaces
            .into_iter()
            .filter_map(|n| self.by_namespace.get(n))
            .flatten()
            .filter(|r| r.targets.is_empty() && r.selector.matches(labels))
            .flat_map(|r| r.issuers.iter().cloned())
            .collect()
    }

    /// Issuers validated at a gateway's proxies: selection as for AuthorizationPolicies.
    pub(crate) fn of_gateway(
        &self,
        namespace: &str,
        fits: impl Fn(&MatchLabels) -> bool,
        gateway: &GatewayRef,
    ) -> Vec<String> {
        let mut namespaces = vec![namespace];
        if namespace != self.root {
            namespaces.push(&self.root);
        }
        let near = namespaces
            .into_iter()
            .filter_map(|n| self.by_namespace.get(n))
            .flatten()
            .filter(|r| r.targets.is_empty() && fits(&r.selector));
        let targeting = self
            .by_namespace
            .get(&gateway.namespace)
            .into_iter()
            .flatten()
            .filter(|r| targets_gateway(&r.targets, &gateway.name));
        near.chain(targeting)
            .flat_map(|r| r.issuers.iter().cloned())
            .collect()
    }

    /// Issuers validated by a waypoint.
    pub(crate) fn of_waypoint(&self, attached: impl Fn(&str, &[TargetRef]) -> bool) -> Vec<String> {
        self.by_namespace
            .values()
            .flatten()
            .filter(|r| attached(&r.namespace, &r.targets))
            .flat_map(|r| r.issuers.iter().cloned())
            .collect()
    }
}
