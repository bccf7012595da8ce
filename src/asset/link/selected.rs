//! Policies that select the pods of assets by label. Input: a `View` and its inventory; output: AuthorizationPolicies and NetworkPolicies,
//! each at the first asset it selects, so that a policy for a whole namespace is reported once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::asset::inventory::Inventory;
use crate::asset::link::Links;
use crate::facts::selector::MatchLabels;
use crate::pods;
use crate::resource::Resource;
use crate::view::View;
use crate::yaml::NodeRef;

pub(super) fn add(view: &View, inventory: &Inventory, links: &mut [Links]) {
    let authorizations =
        Selecting::of(view, "security.istio.io", "AuthorizationPolicy", "selector");
    let network = Selecting::of(view, "networking.k8s.io", "NetworkPolicy", "podSelector");
    if authorizations.is_empty() && network.is_empty() {
        return;
    }
    let mut seen = HashSet::new();
    for (asset, links) in inventory.assets.iter().zip(links) {
        let space = asset.namespace.as_str();
        for template in pods::templates(&asset.resource) {
            for policy in network.to(space, template.labels) {
                once(&mut seen, policy, &mut links.network_policies);
            }
            for policy in authorizations.to(space, template.labels) {
                if asset.class.is_called() {
                    once(&mut seen, policy, &mut links.authorizations);
                }
            }
        }
        for policy in links.policies.clone() {
            if policy.kind() == "AuthorizationPolicy" {
                once(&mut seen, &policy, &mut links.authorizations);
            }
        }
    }
}

/// Adds a policy that no asset has yet.
fn once(
    seen: &mut HashSet<crate::resource::ResourceId>,
    policy: &Arc<Resource>,
    list: &mut Vec<Arc<Resource>>,
) {
    if seen.insert(policy.id) {
        list.push(Arc::clone(policy));
    }
}

/// Policies by namespace with their selectors.
struct Selecting<'v>(HashMap<&'v str, Vec<(MatchLabels, &'v Arc<Resource>)>>);

impl<'v> Selecting<'v> {
    fn of(view: &'v View, group: &str, kind: &str, field: &str) -> Self {
        let mut found: HashMap<&str, Vec<_>> = HashMap::new();
        for member in view.of_kind(group, kind) {
            let spec = member.resource.object().get("spec");
            let selector = spec.and_then(|s| s.get(field));
            // A target is no selector, and expressions are not read: what they select is not known here.
            let other = |name: &str| spec.is_some_and(|s| s.get(name).is_some());
            let expressions = selector.and_then(|s| s.get("matchExpressions"));
            if other("targetRef")
                || other("targetRefs")
                || expressions.is_some_and(|e| !e.is_empty())
            {
                continue;
            }
            let labels = MatchLabels::read(selector.and_then(|s| s.get("matchLabels")));
            found
                .entry(member.namespace.as_str())
                .or_default()
                .push((labels, &member.resource));
        }
        Self(found)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn to<'s>(
        &'s self,
        namespace: &str,
        labels: Option<NodeRef<'s>>,
    ) -> impl Iterator<Item = &'v Arc<Resource>> + use<'s, 'v> {
        let policies = self.0.get(namespace).into_iter().flatten();
        policies
            .filter(move |(selector, _)| selector.matches(labels))
            .map(|(_, policy)| *policy)
    }
}
