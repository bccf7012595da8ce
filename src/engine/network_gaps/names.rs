//! Whether pods may ask for names. Input: a NetworkPolicy that isolates egress and the pods it selects; output: a gap where neither it nor
//! another policy of these pods lets port 53 out.
//!
//! Policies add up: kubernetes.io/docs/concepts/services-networking/network-policies, "the two sorts of pod isolation".

use std::sync::Arc;

use super::{Network, gap, is_selected, read};
use crate::facts::policy::{Effect, Gap};
use crate::facts::record::WorkloadRecord;
use crate::view::Member;
use crate::yaml::NodeRef;

/// Names that charts give to the ports of a DNS server.
const NAMES: [&str; 3] = ["dns", "dns-udp", "dns-tcp"];
/// The ports of DNS servers: of the Service, and of the pods of some clusters.
const PORTS: [i64; 2] = [53, 5353];

impl Network<'_> {
    /// The gap of a policy that lists where pods may go, and no port of a DNS server among it.
    pub(super) fn no_names(
        &self,
        member: &Member,
        selected: &[Arc<WorkloadRecord>],
    ) -> Option<Gap> {
        let spec = member.resource.object().get("spec")?;
        let egress = spec.get("egress").filter(|e| !e.is_empty())?;
        if !isolates_egress(spec) || lets_ask(spec) {
            return None;
        }
        let near = self.policies.get(member.namespace.as_str());
        let others: Vec<NodeRef<'_>> = near
            .into_iter()
            .flatten()
            .filter_map(|m| m.resource.object().get("spec"))
            .filter(|spec| lets_ask(*spec))
            .collect();
        let is_helped = |record: &WorkloadRecord| {
            let selects = |spec: &NodeRef<'_>| {
                read(spec.get("podSelector")).is_none_or(|s| is_selected(&s, record))
            };
            others.iter().any(selects)
        };
        // Pods that are not in the view may be selected by any of them.
        let helped = match selected {
            [] => !others.is_empty(),
            pods => pods.iter().all(|record| is_helped(record)),
        };
        (!helped).then(|| {
            let says = String::from("no policy of its pods allows port 53");
            let mut found = gap(
                "no-names",
                Effect::Less,
                0,
                egress.span(),
                String::new(),
                says,
            );
            found.rule = None;
            found
        })
    }
}

/// Without `policyTypes` a policy isolates egress when it has rules for it.
fn isolates_egress(spec: NodeRef<'_>) -> bool {
    let types = spec.get("policyTypes").filter(|t| !t.is_empty());
    types.is_none_or(|t| t.items().any(|i| i.text() == "Egress"))
}

/// Whether some rule lets a port of a DNS server out, wherever to.
fn lets_ask(spec: NodeRef<'_>) -> bool {
    let rules = spec.get("egress").into_iter().flat_map(NodeRef::items);
    let mut ports = rules.map(|rule| rule.get("ports").filter(|p| !p.is_empty()));
    ports.any(|ports| ports.is_none_or(|ports| ports.items().any(is_dns)))
}

fn is_dns(entry: NodeRef<'_>) -> bool {
    let Some(port) = entry.get("port") else {
        return true;
    };
    let Some(first) = port.as_i64() else {
        return NAMES.contains(&port.text());
    };
    let last = entry.get("endPort").and_then(NodeRef::as_i64);
    let range = first..=last.unwrap_or(first);
    PORTS.iter().any(|dns| range.contains(dns))
}
