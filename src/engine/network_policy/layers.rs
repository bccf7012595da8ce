//! Layers of policies over one pod. Input: the policies that select it, a port; output: `Through`, who gets through and why.

use super::NetworkPolicies;
use crate::facts::access::callers::Callers;
use crate::facts::access::traffic::{
    Called, Direction, Effect, Layer, Through, Tier, TrafficPolicy, TrafficRule, decide,
};
use crate::facts::{Role, Step};

/// Where NetworkPolicy's default is documented.
const SOURCE: &str = "kubernetes.io/docs/concepts/services-networking/network-policies";

impl NetworkPolicies {
    /// Who gets to a pod (`Ingress`), or whom a pod gets to (`Egress`), on a port. For addresses outside of pods give no names to the port.
    #[must_use]
    pub fn through(&self, direction: Direction, pod: u32, called: &Called) -> Through {
        let mut through = Through {
            callers: Callers::all(),
            restricted: false,
            steps: Vec::new(),
            unknown: Vec::new(),
        };
        if self.is_empty() {
            return through;
        }
        if self.meeting(direction, pod).next().is_none() {
            let side = match direction {
                Direction::Ingress => "to",
                Direction::Egress => "from",
            };
            let says =
                format!("no network policy selects the pods: connections {side} them are open");
            through.steps.push(Step::default(SOURCE, says));
            through.unknown.extend(self.unread_policy(pod).cloned());
            return through;
        }
        if self.enforced == Some(false) {
            through.steps.push(self.enforcement());
            let ignored = self
                .meeting(direction, pod)
                .map(|p| Step::ignored(&p.resource, p.span, &p.title, "nothing enforces it"));
            through.steps.extend(ignored);
            return through;
        }
        through.callers = self.decided(direction, pod, called);
        through.restricted = true;
        let mut meeting = self.meeting(direction, pod);
        let selected = meeting.any(|p| p.layer == Layer::Network);
        for policy in self.meeting(direction, pod) {
            let replaced = selected && policy.layer == Layer::Baseline;
            explain(policy, called, replaced, &mut through);
        }
        if let Some(reason) = self.unread(pod) {
            through.unknown.push(reason.clone());
        }
        if !self.unlabelled.is_empty() {
            let says = format!(
                "{} without Namespace object carry no labels that policies ask for",
                few(&self.unlabelled, "namespaces")
            );
            through.steps.push(Step::assumed("namespaces", says));
        }
        through.steps.push(self.enforcement());
        through
    }

    /// Whom the policies that meet a pod let through on a port, layer by layer.
    pub(super) fn decided(&self, direction: Direction, pod: u32, called: &Called) -> Callers {
        let mut admin = Ranked::default();
        let mut baseline = Ranked::default();
        let mut admitted = Callers::none();
        let mut selected = Callers::none();
        for policy in self.meeting(direction, pod) {
            match policy.layer {
                Layer::Admin => admin.add(policy, called),
                Layer::Baseline => baseline.add(policy, called),
                Layer::Network => {
                    selected = Callers::all();
                    for rule in policy.rules.iter().filter(|r| r.covers(called)) {
                        admitted = admitted.union(&rule.peers);
                    }
                }
            }
        }
        decide(&admin.tier(), &selected, &admitted, &baseline.tier())
    }
}

/// Policies of one layer, put one behind the other by priority.
#[derive(Default)]
struct Ranked {
    done: Tier,
    current: Tier,
    priority: Option<i64>,
}

impl Ranked {
    fn add(&mut self, policy: &TrafficPolicy, called: &Called) {
        let mut own = Tier::default();
        for rule in policy.rules.iter().filter(|r| r.covers(called)) {
            own.then(rule.effect, &rule.peers);
        }
        if self.priority == Some(policy.priority) {
            self.current = self.current.or(&own);
        } else {
            self.done.behind(&self.current);
            self.current = own;
            self.priority = Some(policy.priority);
        }
    }

    fn tier(mut self) -> Tier {
        self.done.behind(&self.current);
        self.done
    }
}

/// Adds what a policy contributes, and what of it has no effect.
fn explain(policy: &TrafficPolicy, called: &Called, replaced: bool, through: &mut Through) {
    let title = &policy.title;
    if let Some(reason) = &policy.unknown {
        through.unknown.push(reason.clone());
        let says = format!("{title} cannot be read");
        through
            .steps
            .push(Step::decides(&policy.resource, policy.span, says));
        return;
    }
    if replaced {
        let why = "a NetworkPolicy selects the pods, so the baseline does not count";
        let step = Step::ignored(&policy.resource, policy.span, title, why);
        through.steps.push(step);
        return;
    }
    let port = format!("{} {}", called.protocol.as_str(), called.number);
    let mut covering = 0;
    for rule in &policy.rules {
        for (span, why) in &rule.dead {
            let role = Role::Ignored(why.clone());
            let says = format!("a peer of {title}");
            through
                .steps
                .push(Step::at(&policy.resource, *span, role, says));
        }
        if !rule.covers(called) {
            let says = format!("a rule of {title}");
            let why = format!("it is not about port {port}");
            through
                .steps
                .push(Step::ignored(&policy.resource, rule.span, says, why));
            continue;
        }
        covering += 1;
        through.unknown.extend(rule.unknown.clone());
        let says = format!("{title} {} on port {port}", words(policy, rule));
        through
            .steps
            .push(Step::decides(&policy.resource, rule.span, says));
    }
    if covering == 0 && policy.layer == Layer::Network {
        let says = match policy.direction {
            Direction::Ingress => {
                format!("{title} selects the pods and admits nobody on port {port}")
            }
            Direction::Egress => {
                format!("{title} selects the pods and lets them call nobody on port {port}")
            }
        };
        through
            .steps
            .push(Step::decides(&policy.resource, policy.span, says));
    }
}

/// `admits the pods and networks of its peers`, by effect and direction.
fn words(policy: &TrafficPolicy, rule: &TrafficRule) -> &'static str {
    let everyone = rule.peers.is_all();
    match (policy.direction, rule.effect, everyone) {
        (Direction::Ingress, Effect::Allow, true) => "admits everyone",
        (Direction::Ingress, Effect::Allow, false) => "admits its peers",
        (Direction::Egress, Effect::Allow, true) => "lets the pods call everyone",
        (Direction::Egress, Effect::Allow, false) => "lets the pods call its peers",
        (Direction::Ingress, Effect::Deny, _) => "refuses its peers",
        (Direction::Egress, Effect::Deny, _) => "keeps the pods from its peers",
        (_, Effect::Pass, _) => "leaves its peers to the next layer",
    }
}

/// `namespaces a, b and 3 more`.
fn few(names: &[String], what: &str) -> String {
    const SHOWN: usize = 3;
    let first: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    let more = match names.len().checked_sub(SHOWN) {
        Some(rest) if rest > 0 => format!(" and {rest} more"),
        _ => String::new(),
    };
    format!("{what} {}{more}", first.join(", "))
}
