//! `TrafficRule`: what every network layer says, in one form. Input: policies as engines read them; output: who gets through, tier by tier.
//!
//! Precedence: Admin tier by first match (`Pass` leaves the decision to the next), then the union of what NetworkPolicies admit for pods that any of
//! them selects, else the Baseline tier, else everyone (sigs.k8s.io/network-policy-api, `apis/v1alpha1/adminnetworkpolicy_types.go`).

use std::sync::Arc;

use crate::facts::access::callers::Callers;
use crate::facts::access::intervals::Intervals;
use crate::facts::workload::Protocol;
use crate::facts::{Step, UnknownReason};
use crate::resource::Resource;
use crate::source::Span;

/// Which layer a policy belongs to, in the order of decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layer {
    /// Decides first: AdminNetworkPolicy, ClusterNetworkPolicy of tier Admin.
    Admin,
    /// NetworkPolicy.
    Network,
    /// Decides for pods that no NetworkPolicy selects.
    Baseline,
}

/// Which side of a connection a policy looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// Connections to its pods.
    Ingress,
    /// Connections from its pods.
    Egress,
}

/// What a rule does with what it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// Lets it through.
    Allow,
    /// Leaves it to the next layer.
    Pass,
    /// Refuses it.
    Deny,
}

/// Ports that a rule matches, on the pod that is called.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ports {
    /// Numbers of one protocol, both ends included.
    Range(Protocol, u16, u16),
    /// Container ports of this name; of one protocol or of any.
    Named(String, Option<Protocol>),
}

/// A port as it is called: protocol, number and the names its container gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    /// Protocol.
    pub protocol: Protocol,
    /// Number.
    pub number: u16,
    /// Names of container ports with this number and protocol.
    pub names: Vec<String>,
}

/// One rule.
#[derive(Clone, Debug)]
pub struct TrafficRule {
    /// What it does.
    pub effect: Effect,
    /// Who stands at the other end.
    pub peers: Arc<Callers>,
    /// Ports; empty = all.
    pub ports: Vec<Ports>,
    /// Bytes of the rule.
    pub span: Span,
    /// Why its peers cannot be known; they are then more than `peers`.
    pub unknown: Option<UnknownReason>,
    /// Parts that match nothing in the view, and why.
    pub dead: Vec<(Span, String)>,
}

/// What one object says of one direction.
#[derive(Clone, Debug)]
pub struct TrafficPolicy {
    /// The object.
    pub resource: Arc<Resource>,
    /// `NetworkPolicy ai/default-deny`.
    pub title: String,
    /// Bytes that the proof points at.
    pub span: Span,
    /// Its layer.
    pub layer: Layer,
    /// Its direction.
    pub direction: Direction,
    /// Lower decides first within a layer.
    pub priority: i64,
    /// Pods it selects.
    pub subject: Arc<Intervals>,
    /// Rules in order.
    pub rules: Vec<TrafficRule>,
    /// Why the whole policy cannot be read.
    pub unknown: Option<UnknownReason>,
}

impl TrafficRule {
    /// Whether the rule is about a port.
    #[must_use]
    pub fn covers(&self, called: &Called) -> bool {
        self.ports.is_empty() || self.ports.iter().any(|p| p.covers(called))
    }
}

impl Ports {
    /// Whether a port is among them.
    #[must_use]
    pub fn covers(&self, called: &Called) -> bool {
        match self {
            Self::Range(protocol, low, high) => {
                *protocol == called.protocol && (*low..=*high).contains(&called.number)
            }
            Self::Named(name, protocol) => {
                protocol.is_none_or(|p| p == called.protocol) && called.names.contains(name)
            }
        }
    }
}

/// What the policies of one layer decide by first match; the three sets do not overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tier {
    /// Let through for good.
    pub allow: Callers,
    /// Left to the next layer.
    pub pass: Callers,
    /// Refused for good.
    pub deny: Callers,
}

impl Tier {
    /// Puts a policy's rule behind what is decided already.
    pub fn then(&mut self, effect: Effect, callers: &Callers) {
        let decided = self.allow.union(&self.pass).union(&self.deny);
        let new = callers.subtract(&decided);
        let set = match effect {
            Effect::Allow => &mut self.allow,
            Effect::Pass => &mut self.pass,
            Effect::Deny => &mut self.deny,
        };
        *set = set.union(&new);
    }

    /// Two policies of equal priority: their order is not defined, so the more open answer counts.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        let allow = self.allow.union(&other.allow);
        let pass = self.pass.union(&other.pass).subtract(&allow);
        let deny = self.deny.union(&other.deny);
        let deny = deny.subtract(&allow).subtract(&pass);
        Self { allow, pass, deny }
    }

    /// Puts a whole tier of lower rank behind what is decided already.
    pub fn behind(&mut self, lower: &Self) {
        let decided = self.allow.union(&self.pass).union(&self.deny);
        self.allow = self.allow.union(&lower.allow.subtract(&decided));
        self.pass = self.pass.union(&lower.pass.subtract(&decided));
        self.deny = self.deny.union(&lower.deny.subtract(&decided));
    }
}

/// The layers together: `selected` are callers whose connections NetworkPolicies decide, `admitted` those they let through.
#[must_use]
pub fn decide(admin: &Tier, selected: &Callers, admitted: &Callers, baseline: &Tier) -> Callers {
    let open = Callers::all().subtract(&admin.allow).subtract(&admin.deny);
    let by_network = open.intersect(selected).intersect(admitted);
    let by_baseline = open.subtract(selected).subtract(&baseline.deny);
    admin.allow.union(&by_network).union(&by_baseline)
}

/// Who gets through, with the proof.
#[derive(Clone, Debug)]
pub struct Through {
    /// Who.
    pub callers: Callers,
    /// Whether any policy has a say.
    pub restricted: bool,
    /// The policies that count and those that do not.
    pub steps: Vec<Step>,
    /// What is missing to be sure.
    pub unknown: Vec<UnknownReason>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pods(low: u128, high: u128) -> Callers {
        Callers::pods(Intervals::of(low, high))
    }

    #[test]
    fn the_truth_table_of_the_layers() {
        // domain: Admin Deny and Allow are final; Pass goes to NetworkPolicy; Baseline counts for unselected pods only.
        let (q, all) = (pods(5, 5), Callers::all());
        let tier = |effect| {
            let mut tier = Tier::default();
            tier.then(effect, &pods(5, 5));
            tier
        };
        let none = Tier::default();
        let table = [
            (tier(Effect::Deny), &all, &all, &none, false),
            (tier(Effect::Allow), &all, &Callers::none(), &none, true),
            (tier(Effect::Pass), &all, &all, &tier(Effect::Deny), true),
            (tier(Effect::Pass), &all, &Callers::none(), &none, false),
            (
                tier(Effect::Pass),
                &Callers::none(),
                &Callers::none(),
                &tier(Effect::Deny),
                false,
            ),
            (
                none.clone(),
                &Callers::none(),
                &Callers::none(),
                &tier(Effect::Allow),
                true,
            ),
        ];
        for (at, (admin, selected, admitted, baseline, expected)) in table.iter().enumerate() {
            let got = decide(admin, selected, admitted, baseline);
            assert_eq!(!got.intersect(&q).is_empty(), *expected, "row {at}");
        }
    }

    #[test]
    fn the_first_match_counts_and_equal_rank_answers_the_more_open() {
        let mut tier = Tier::default();
        tier.then(Effect::Pass, &pods(1, 3));
        tier.then(Effect::Allow, &pods(2, 5));
        tier.then(Effect::Deny, &pods(0, 9));
        assert_eq!(tier.pass, pods(1, 3));
        assert_eq!(tier.allow, pods(4, 5));
        assert_eq!(tier.deny, pods(0, 0).union(&pods(6, 9)));
        let (mut a, mut b) = (Tier::default(), Tier::default());
        a.then(Effect::Deny, &pods(0, 9));
        b.then(Effect::Allow, &pods(3, 4));
        assert_eq!(a.or(&b).allow, pods(3, 4));
        assert_eq!(a.or(&b), b.or(&a));
    }
}
