//! Where the network lets pods call outside the cluster. Input: a workload and the policies that select its pods; output: addresses by port
//! with what decided, and whether two views say the same.

use std::collections::BTreeSet;

use super::NetworkPolicies;
use crate::facts::access::outward::{Outward, places};
use crate::facts::access::traffic::{Direction, Effect, Layer, Ports, TrafficPolicy, TrafficRule};
use crate::facts::workload::{Protocol, Workload};
use crate::facts::{Fact, Step};

/// Where NetworkPolicy's default is documented.
const SOURCE: &str = "kubernetes.io/docs/concepts/services-networking/network-policies";

impl NetworkPolicies {
    /// The addresses outside the cluster that pods of a workload may call, by port.
    #[must_use]
    pub fn outward(&self, client: &Workload) -> Fact<Outward> {
        let Some(pod) = self.pods.number(client.id) else {
            return Fact::known(Outward::anywhere(), Vec::new());
        };
        if self.meeting(Direction::Egress, pod).next().is_none() {
            let says = "no network policy limits where the pods may call";
            let steps = vec![Step::default(SOURCE, says)];
            return match self.unread_policy(pod) {
                Some(reason) => Fact::unknown(reason.clone(), steps),
                None => Fact::known(Outward::anywhere(), steps),
            };
        }
        if self.enforced == Some(false) {
            return Fact::known(Outward::anywhere(), vec![self.enforcement()]);
        }
        let rules = || self.meeting(Direction::Egress, pod).flat_map(|p| &p.rules);
        let mut cuts = BTreeSet::new();
        for ports in rules().flat_map(|r| &r.ports) {
            if let Ports::Range(protocol, low, high) = ports {
                cuts.insert((*protocol, *low));
                cuts.extend(high.checked_add(1).map(|after| (*protocol, after)));
            }
        }
        let outward = Outward::of(&cuts, |protocol: Protocol, port| {
            let called = super::called(None, protocol, port);
            self.decided(Direction::Egress, pod, &called)
        });
        let mut steps = self.steps_out(pod);
        steps.push(self.enforcement());
        let flawed = self
            .meeting(Direction::Egress, pod)
            .filter_map(|p| p.unknown.as_ref());
        let unseen = rules().filter_map(|r| r.unknown.as_ref());
        let unknown: Vec<_> = flawed
            .chain(unseen)
            .chain(self.unread(pod))
            .cloned()
            .collect();
        if unknown.is_empty() {
            return Fact::known(outward, steps);
        }
        Fact {
            value: Err(unknown),
            steps,
        }
    }

    /// What each policy contributes, in the order of decision.
    fn steps_out(&self, pod: u32) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut meeting = self.meeting(Direction::Egress, pod);
        let selected = meeting.any(|p| p.layer == Layer::Network);
        for policy in self.meeting(Direction::Egress, pod) {
            let title = &policy.title;
            if policy.unknown.is_some() {
                let says = format!("{title} cannot be read");
                steps.push(Step::decides(&policy.resource, policy.span, says));
                continue;
            }
            if selected && policy.layer == Layer::Baseline {
                let why = "a NetworkPolicy selects the pods, so the baseline does not count";
                steps.push(Step::ignored(&policy.resource, policy.span, title, why));
                continue;
            }
            let outside = policy.rules.iter().filter(|r| r.peers.has_outside());
            let before = steps.len();
            steps.extend(outside.map(|rule| {
                let says = format!("{title} {}", words(rule));
                Step::decides(&policy.resource, rule.span, says)
            }));
            if steps.len() == before && policy.layer == Layer::Network {
                let says = format!("{title} selects the pods and names nothing outside");
                steps.push(Step::decides(&policy.resource, policy.span, says));
            }
        }
        steps
    }

    /// Whether policies say the same of what pods may call outside, here and in another view. A quick look: `false` only means that both
    /// have to be worked out.
    #[must_use]
    pub fn says_the_same_outward(&self, client: &Workload, other: &Self, its: &Workload) -> bool {
        let numbers = (self.pods.number(client.id), other.pods.number(its.id));
        let (Some(ours), Some(theirs)) = numbers else {
            return false;
        };
        let free = |of: &Self, pod| {
            of.meeting(Direction::Egress, pod).next().is_none() && of.unread_policy(pod).is_none()
        };
        if free(self, ours) && free(other, theirs) {
            return true;
        }
        let unread = |of: &Self, pod| of.unread(pod).is_some();
        if self.enforced != other.enforced || unread(self, ours) || unread(other, theirs) {
            return false;
        }
        let mut ours = self.meeting(Direction::Egress, ours);
        let mut theirs = other.meeting(Direction::Egress, theirs);
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (Some(a), Some(b)) if is_alike(a, b) => {}
                _ => return false,
            }
        }
    }
}

/// Whether two policies say the same of addresses outside.
fn is_alike(a: &TrafficPolicy, b: &TrafficPolicy) -> bool {
    fn outside(policy: &TrafficPolicy) -> impl Iterator<Item = &TrafficRule> {
        policy.rules.iter().filter(|r| r.peers.has_outside())
    }
    let known =
        |p: &TrafficPolicy| p.unknown.is_none() && p.rules.iter().all(|r| r.unknown.is_none());
    let same = |(a, b): (&TrafficRule, &TrafficRule)| {
        a.effect == b.effect
            && a.ports == b.ports
            && (&a.peers.v4, &a.peers.v6) == (&b.peers.v4, &b.peers.v6)
    };
    (a.layer, a.priority) == (b.layer, b.priority)
        && known(a)
        && known(b)
        && outside(a).count() == outside(b).count()
        && outside(a).zip(outside(b)).all(same)
}

/// `lets the pods call 203.0.113.0/24 on port 443`.
fn words(rule: &TrafficRule) -> String {
    let places = places(&rule.peers);
    let verb = match rule.effect {
        Effect::Allow => "lets the pods call",
        Effect::Deny => "keeps the pods from",
        Effect::Pass => "leaves to the next layer:",
    };
    let ports: Vec<String> = rule.ports.iter().map(port).collect();
    match ports.len() {
        0 => format!("{verb} {places}"),
        1 => format!("{verb} {places} on port {}", ports.concat()),
        _ => format!("{verb} {places} on ports {}", ports.join(", ")),
    }
}

fn port(ports: &Ports) -> String {
    match ports {
        Ports::Range(Protocol::Tcp, low, high) if low == high => low.to_string(),
        Ports::Range(Protocol::Tcp, low, high) => format!("{low}-{high}"),
        Ports::Range(protocol, low, high) if low == high => {
            format!("{low}/{}", protocol.as_str())
        }
        Ports::Range(protocol, low, high) => format!("{low}-{high}/{}", protocol.as_str()),
        Ports::Named(name, _) => name.clone(),
    }
}
