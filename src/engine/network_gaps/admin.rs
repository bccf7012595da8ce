//! What the administrator's network policies really do. Input: AdminNetworkPolicy and ClusterNetworkPolicy objects and the workloads they are
//! about; output: gaps.
//!
//! kubernetes-sigs/network-policy-api `apis/v1alpha1`, `apis/v1alpha2`.

use std::sync::Arc;

use super::{Network, gap, is_selected, read};
use crate::facts::policy::{Effect, Gap, Gaps};
use crate::facts::record::WorkloadRecord;
use crate::view::Member;
use crate::yaml::NodeRef;

impl Network<'_> {
    /// Gaps of an AdminNetworkPolicy or a ClusterNetworkPolicy.
    pub(crate) fn admin_gaps(&self, member: &Member, selected: &[Arc<WorkloadRecord>]) -> Vec<Gap> {
        let mut gaps = Gaps::default();
        let Some(spec) = member.resource.object().get("spec") else {
            return Vec::new();
        };
        if spec.get("tier").is_some_and(|t| t.text() == "Baseline") {
            return Vec::new();
        }
        for (at, rule) in spec
            .get("ingress")
            .into_iter()
            .flat_map(NodeRef::items)
            .enumerate()
        {
            let Some(action) = rule
                .get("action")
                .filter(|a| matches!(a.text(), "Allow" | "Accept"))
            else {
                continue;
            };
            let everyone = rule
                .get("from")
                .into_iter()
                .flat_map(NodeRef::items)
                .any(is_everyone);
            let restricted = selected.iter().find(|r| self.is_restricted(r));
            if let Some(record) = restricted.filter(|_| everyone) {
                let words = record.workload.reference();
                let ports = rule.get("ports").or_else(|| rule.get("protocols"));
                let about = match ports.is_some_and(|p| !p.is_empty()) {
                    true => " about the ports it lists",
                    false => "",
                };
                let says =
                    format!("NetworkPolicies that restrict {words} are not asked any more{about}");
                gaps.push(gap(
                    "overrules",
                    Effect::More,
                    at,
                    action.span(),
                    words,
                    says,
                ));
            }
        }
        let overlaps = |other: &Member| {
            let others = self.subject(&other.resource);
            let is = |r: &Arc<WorkloadRecord>| others.iter().any(|o| Arc::ptr_eq(o, r));
            selected
                .iter()
                .find(|r| is(r))
                .map(|r| r.workload.reference())
        };
        let text = |m: &Member, name: &str| {
            let node = m.resource.object().at(&["spec", name]);
            node.map_or("", NodeRef::text).to_owned()
        };
        for other in &self.admin {
            let later = other.resource.id < member.resource.id;
            let same = |name: &str| text(other, name) == text(member, name);
            if !later || !same("priority") || !same("tier") || actions(other) == actions(member) {
                continue;
            }
            if let (Some(words), Some(span)) = (overlaps(other), spec.get("priority")) {
                let says = format!(
                    "{} has the same priority and another action for {words}: which counts is undefined",
                    other.resource.name
                );
                let mut tied = gap("tied", Effect::Less, 0, span.span(), words, says);
                tied.rule = None;
                gaps.push(tied);
            }
        }
        gaps.into_vec()
    }

    /// Whether some NetworkPolicy isolates a workload for ingress.
    fn is_restricted(&self, record: &Arc<WorkloadRecord>) -> bool {
        let namespace = record.workload.namespace.as_str();
        let near = self.policies.get(namespace).into_iter().flatten();
        near.filter_map(|m| m.resource.object().get("spec"))
            .any(|spec| {
                let types = spec.get("policyTypes").filter(|t| !t.is_empty());
                let ingress = types.is_none_or(|t| t.items().any(|i| i.text() == "Ingress"));
                ingress && read(spec.get("podSelector")).is_some_and(|s| is_selected(&s, record))
            })
    }
}

/// The actions of a policy in order.
fn actions(member: &Member) -> Vec<String> {
    let spec = member.resource.object().get("spec");
    ["ingress", "egress"]
        .into_iter()
        .filter_map(|list| spec?.get(list))
        .flat_map(NodeRef::items)
        .map(|r| r.get("action").map_or("", NodeRef::text).to_owned())
        .collect()
}

/// Whether a peer of an admin policy is every pod.
fn is_everyone(peer: NodeRef<'_>) -> bool {
    let namespaces = peer.get("namespaces").filter(|n| n.is_map());
    let pods = peer.get("pods").filter(|n| n.is_map());
    let all = |node: Option<NodeRef<'_>>| read(node).is_some_and(|s| s.is_everything());
    namespaces.is_some_and(|n| all(Some(n)))
        || pods.is_some_and(|p| all(p.get("namespaceSelector")) && all(p.get("podSelector")))
}
