//! Whom the policies on the callers' side let out to one port. Input: egress policies, turned round; output: a set of callers.
//!
//! Asked from the port that is called, so that no pair of pods is looked at: a rule is found by the pods it leads to, and gives the pods it is for.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use super::NetworkPolicies;
use crate::facts::Step;
use crate::facts::access::callers::Callers;
use crate::facts::access::intervals::Intervals;
use crate::facts::access::pods::Pods;
use crate::facts::access::traffic::{
    Called, Direction, Layer, Ports, Through, Tier, TrafficPolicy, decide,
};
use crate::facts::workload::{Protocol, Workload};
use crate::source::{to_u32, to_usize};

/// Numbers that a rule may lead to and still be listed at each pod.
const NARROW: u32 = 64;

/// NetworkPolicies that limit where pods may call, by destination.
#[derive(Debug, Default)]
pub(super) struct Leaving {
    /// Pods that some NetworkPolicy limits.
    selected: Callers,
    /// All other pods: they call whom they like, as far as NetworkPolicies go.
    free: Intervals,
    /// Rules of equal peers and ports, as one.
    groups: Vec<Group>,
    /// Of each pod, the groups that lead to it and to few others.
    narrow: Vec<Vec<u32>>,
    /// Groups that lead to many pods.
    broad: Vec<u32>,
    /// Whether any policy of any layer looks at calls from pods.
    any: bool,
    /// Whether any policy of another layer does.
    ranked: bool,
    /// Callers by the groups that let them out to a port: most ports share theirs with many others.
    known: Mutex<HashMap<Vec<u32>, Arc<Callers>>>,
}

#[derive(Debug)]
struct Group {
    peers: Arc<Callers>,
    ports: Vec<Ports>,
    subjects: Callers,
}

impl Leaving {
    pub(super) fn of(policies: &[TrafficPolicy], pods: &Pods) -> Self {
        let mut leaving = Self {
            narrow: vec![Vec::new(); to_usize(pods.last()) + 1],
            ..Self::default()
        };
        let mut selected = Vec::new();
        let mut subjects: Vec<Vec<(u128, u128)>> = Vec::new();
        let mut known: HashMap<(&Callers, &[Ports]), usize> = HashMap::new();
        for policy in policies.iter().filter(|p| p.direction == Direction::Egress) {
            leaving.any = true;
            if policy.layer != Layer::Network {
                leaving.ranked = true;
                continue;
            }
            selected.extend_from_slice(policy.subject.ranges());
            for rule in &policy.rules {
                let at = *known
                    .entry((rule.peers.as_ref(), rule.ports.as_slice()))
                    .or_insert_with(|| {
                        leaving.groups.push(Group {
                            peers: Arc::clone(&rule.peers),
                            ports: rule.ports.clone(),
                            subjects: Callers::none(),
                        });
                        subjects.push(Vec::new());
                        subjects.len() - 1
                    });
                if let Some(list) = subjects.get_mut(at) {
                    list.extend_from_slice(policy.subject.ranges());
                }
            }
        }
        for (group, list) in leaving.groups.iter_mut().zip(subjects) {
            group.subjects = Callers::pods(Intervals::from_list(list));
        }
        leaving.selected = Callers::pods(Intervals::from_list(selected));
        leaving.free = Callers::all().pods.subtract(&leaving.selected.pods);
        leaving.list(pods);
        leaving
    }

    /// The groups that lead to a port of a pod, ascending.
    fn leading_to(&self, to: u32, called: &Called) -> Vec<u32> {
        let own = self.narrow.get(to_usize(to)).into_iter().flatten();
        let leads = |at: &&u32| {
            self.groups.get(to_usize(**at)).is_some_and(|group| {
                let covers = group.ports.is_empty() || group.ports.iter().any(|p| p.covers(called));
                covers && group.peers.pods.contains(u128::from(to))
            })
        };
        let mut found: Vec<u32> = own.chain(&self.broad).filter(leads).copied().collect();
        found.sort_unstable();
        found
    }

    /// Whom these groups let out.
    fn admitted(&self, groups: &[u32]) -> Callers {
        let groups = groups
            .iter()
            .filter_map(|at| self.groups.get(to_usize(*at)));
        let subjects = groups.flat_map(|g| g.subjects.pods.ranges()).copied();
        Callers::pods(Intervals::from_list(subjects.collect()))
    }

    /// Whom these groups let out, beside those whom no NetworkPolicy keeps in.
    fn out(&self, groups: &[u32]) -> Callers {
        Callers {
            pods: self.free.union(&self.admitted(groups).pods),
            ..Callers::outside()
        }
    }

    /// The same between two other layers.
    fn out_between(&self, groups: &[u32], admin: &Tier, baseline: &Tier) -> Callers {
        let admitted = self.admitted(groups);
        Callers {
            pods: decide(admin, &self.selected, &admitted, baseline).pods,
            ..Callers::outside()
        }
    }

    fn with_known<T>(&self, of: impl FnOnce(&mut HashMap<Vec<u32>, Arc<Callers>>) -> T) -> T {
        // A thread that panicked while it held the lock has left whole entries.
        of(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn list(&mut self, pods: &Pods) {
        for (at, group) in self.groups.iter().enumerate() {
            let at = to_u32(at);
            let mut broad = false;
            for (_, low, high) in pods.runs(&group.peers.pods) {
                broad |= high - low >= NARROW;
            }
            if broad {
                self.broad.push(at);
                continue;
            }
            for (_, low, high) in pods.runs(&group.peers.pods) {
                for number in low..=high {
                    if let Some(list) = self.narrow.get_mut(to_usize(number)) {
                        list.push(at);
                    }
                }
            }
        }
    }
}

impl NetworkPolicies {
    /// The pods whose own policies let them call a port of this pod; `None` when no policy limits calls from pods. Addresses outside have no policy.
    #[must_use]
    pub fn let_out(&self, to: u32, called: &Called) -> Option<Arc<Callers>> {
        if !self.leaving.any || self.enforced == Some(false) {
            return None;
        }
        let groups = self.leaving.leading_to(to, called);
        if self.leaving.ranked {
            let admin = self.tier_out(Layer::Admin, to, called);
            let baseline = self.tier_out(Layer::Baseline, to, called);
            let out = self.leaving.out_between(&groups, &admin, &baseline);
            return Some(Arc::new(out));
        }
        let known = |known: &mut HashMap<Vec<u32>, Arc<Callers>>| known.get(&groups).cloned();
        if let Some(out) = self.leaving.with_known(known) {
            return Some(out);
        }
        let out = Arc::new(self.leaving.out(&groups));
        self.leaving
            .with_known(|known| known.insert(groups, Arc::clone(&out)));
        Some(out)
    }

    /// What a layer decides of callers of a pod, by their own policies.
    fn tier_out(&self, layer: Layer, to: u32, called: &Called) -> Tier {
        let mut done = Tier::default();
        let mut current = (None, Tier::default());
        for policy in self.ranked.iter().filter_map(|at| self.at(*at)) {
            if policy.layer != layer || policy.direction != Direction::Egress {
                continue;
            }
            let subject = Callers::pods((*policy.subject).clone());
            let mut own = Tier::default();
            for rule in &policy.rules {
                if rule.covers(called) && rule.peers.pods.contains(u128::from(to)) {
                    own.then(rule.effect, &subject);
                }
            }
            if current.0 == Some(policy.priority) {
                current.1 = current.1.or(&own);
            } else {
                done.behind(&current.1);
                current = (Some(policy.priority), own);
            }
        }
        done.behind(&current.1);
        done
    }

    /// Where pods of a workload may call outside of pods, on a port.
    #[must_use]
    pub fn outside(&self, client: &Workload, called: &Called) -> Through {
        let pod = self.pods.number(client.id).unwrap_or_default();
        self.through(Direction::Egress, pod, called)
    }

    /// Where pods of a workload may call outside of pods, on whatever port; `None` when no policy looks at their calls.
    #[must_use]
    pub fn anywhere(&self, client: &Workload) -> Option<Through> {
        let pod = self.pods.number(client.id)?;
        let meeting = || self.meeting(Direction::Egress, pod);
        if self.enforced == Some(false) || meeting().next().is_none() {
            return None;
        }
        let rules = || meeting().flat_map(|p| &p.rules);
        // Between two cuts every port has the same answer.
        let cuts = rules().flat_map(|r| &r.ports).filter_map(|p| match p {
            Ports::Range(protocol, low, high) => Some((*protocol, *low, high.checked_add(1))),
            Ports::Named(..) => None,
        });
        let mut places = BTreeSet::from([(Protocol::Tcp, 1), (Protocol::Udp, 1)]);
        for (protocol, low, after) in cuts {
            places.extend(
                [Some(low), after]
                    .into_iter()
                    .flatten()
                    .map(|n| (protocol, n)),
            );
        }
        let mut callers = Callers::none();
        for (protocol, number) in places {
            let called = super::called(None, protocol, number);
            callers = callers.union(&self.decided(Direction::Egress, pod, &called));
        }
        let says = |p: &TrafficPolicy| format!("{} says where the pods may call", p.title);
        let mut steps: Vec<Step> = meeting()
            .map(|p| Step::decides(&p.resource, p.span, says(p)))
            .collect();
        steps.push(self.enforcement());
        let flawed = meeting().filter_map(|p| p.unknown.as_ref());
        let unseen = rules().filter_map(|r| r.unknown.as_ref());
        Some(Through {
            callers: callers.intersect(&Callers::outside()),
            restricted: true,
            steps,
            unknown: flawed
                .chain(unseen)
                .chain(self.unread(pod))
                .cloned()
                .collect(),
        })
    }
}
