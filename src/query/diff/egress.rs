//! Ways out of the cluster. Input: a workload of both sides; output: the change of where it may call outside, mesh and network together.
//!
//! What gets out passes both layers: hosts that the mesh lets pass, addresses and ports that the network does. A pod that leaves or joins
//! the mesh is asked about the network only: its membership says the rest.

use std::collections::BTreeSet;

use crate::drift::cause::Question;
use crate::drift::lattice::by_width;
use crate::facts::Fact;
use crate::facts::access::outward::{Outward, Width};
use crate::facts::change::{Cause, ChangeKind, Direction, Side, State};
use crate::facts::egress::{Egress, EgressMode};
use crate::facts::workload::Workload;
use crate::query::diff::Compared;
use crate::query::diff::facts::{Facts, WorkloadFacts};
use crate::query::diff::ports::MAX_PROOF;

impl Compared<'_, '_> {
    /// Compares the ways out of a workload.
    pub(super) fn egress(&mut self, b: usize, h: usize) {
        let Some(ways) = self.ways_out(b, h) else {
            return;
        };
        let direction = match (&ways.before.value, &ways.after.value) {
            (Ok(before), Ok(after)) => match direction(before, after) {
                Some(direction) => direction,
                None => return,
            },
            (Err(_), Err(_)) => {
                self.totals.undecided += 1;
                return;
            }
            _ if self.lacks => {
                self.totals.undecided += 1;
                return;
            }
            _ => Direction::Changed,
        };
        let state = |fact: &Fact<WayOut>| match &fact.value {
            Ok(way) => State::Known(way.words()),
            Err(reasons) => State::Unknown(reasons.clone()),
        };
        let (before, mut after) = (state(&ways.before), state(&ways.after));
        if let (State::Known(before), State::Known(after)) = (&before, &mut after)
            && before == after
        {
            after.push_str(", with other networks");
        }
        self.way_out((b, h), (before, after), direction, &ways);
    }

    /// Adds the change. Its membership explains nothing that the mesh did not do.
    fn way_out(
        &mut self,
        (b, h): (usize, usize),
        states: (State, State),
        direction: Direction,
        ways: &Ways,
    ) {
        let (Some(was), Some(is)) = (self.base.workload(b), self.head.workload(h)) else {
            return;
        };
        let Some(about) = self.about(Side::Head, h, None) else {
            return;
        };
        let mut change = self.change(ChangeKind::Egress, about, states, direction);
        let (base, head) = (&ways.before.steps, &ways.after.steps);
        change.cause = self.explain(&Question {
            base,
            head,
            base_objects: &[was.resource.id],
            head_objects: &[is.resource.id],
            namespaces: &[is.namespace.as_str()],
        });
        keep_outward(&mut change.cause);
        change.base_proof = base.iter().take(MAX_PROOF).cloned().collect();
        change.head_proof = head.iter().take(MAX_PROOF).cloned().collect();
        self.changes.push(change);
    }

    /// The ways out of a workload on both sides; `None` where they are the same at first sight.
    fn ways_out(&self, b: usize, h: usize) -> Option<Ways> {
        let (was, is) = (self.base.workload(b)?, self.head.workload(h)?);
        let (its_past, its_own) = (self.base.workloads.get(b)?, self.head.workloads.get(h)?);
        let moved = its_past.membership.value != its_own.membership.value;
        let mesh = |facts: &Facts<'_>, workload: &Workload, its: &WorkloadFacts| {
            facts.analysis.istio.egress(workload, &its.membership)
        };
        let (before, after) = (mesh(self.base, was, its_past), mesh(self.head, is, its_own));
        let (past, present) = (&self.base.analysis.network, &self.head.analysis.network);
        let same_network = past.says_the_same_outward(was, present, is);
        let same_mesh = match (&before.value, &after.value) {
            (Ok(before), Ok(after)) => before == after,
            _ => false,
        };
        if same_network && (same_mesh || moved || its_own.membership.value.is_err()) {
            return None;
        }
        let (past, present) = (past.outward(was), present.outward(is));
        // A layer that says the same explains nothing.
        let same_network = same_network || past.get().is_some() && past.value == present.value;
        let kept = (!same_mesh && !moved, !same_network);
        Some(Ways {
            before: both(before, past, kept),
            after: both(after, present, kept),
        })
    }
}

struct Ways {
    before: Fact<WayOut>,
    after: Fact<WayOut>,
}

/// What may be called outside the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
enum WayOut {
    /// Nothing.
    Nowhere,
    /// These hosts (`None` = any) at these addresses.
    To(Option<BTreeSet<String>>, Outward),
}

/// Mesh and network together; `kept` tells which of them the proof is about.
fn both(mesh: Fact<Egress>, network: Fact<Outward>, kept: (bool, bool)) -> Fact<WayOut> {
    let value = match (mesh.value, network.value) {
        (Ok(mesh), _) if mesh.mode == EgressMode::None => Ok(WayOut::Nowhere),
        (_, Ok(network)) if network.is_nowhere() => Ok(WayOut::Nowhere),
        (Ok(mesh), Ok(network)) => Ok(WayOut::To(
            (mesh.mode == EgressMode::Restricted).then_some(mesh.to),
            network,
        )),
        (Err(reasons), Ok(_)) | (Ok(_), Err(reasons)) => Err(reasons),
        (Err(mut reasons), Err(more)) => {
            reasons.extend(more);
            Err(reasons)
        }
    };
    let mut steps = Vec::new();
    if kept.0 {
        steps.extend(mesh.steps);
    }
    if kept.1 {
        steps.extend(network.steps);
    }
    Fact { value, steps }
}

/// `None` where the same can be called: what is declared besides makes no difference where everything passes.
fn direction(before: &WayOut, after: &WayOut) -> Option<Direction> {
    let (gained, lost) = (!after.is_within(before), !before.is_within(after));
    match (gained, lost) {
        (false, false) => None,
        (true, false) => Some(Direction::Widened),
        (false, true) => Some(Direction::Narrowed),
        (true, true) => Some(by_width(&before.width(), &after.width())),
    }
}

impl WayOut {
    fn is_within(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nowhere, _) => true,
            (Self::To(..), Self::Nowhere) => false,
            (Self::To(hosts, network), Self::To(its_hosts, its_network)) => {
                are_within(hosts.as_ref(), its_hosts.as_ref()) && network.is_subset(its_network)
            }
        }
    }

    /// For ways of which each leads where the other does not.
    fn width(&self) -> (Width, bool) {
        match self {
            Self::Nowhere => (Width::Nowhere, false),
            Self::To(hosts, network) => match hosts {
                Some(_) => (network.width().min(Width::Some), false),
                None => (network.width(), true),
            },
        }
    }

    /// `anywhere`, `nowhere`, `api.example.com, *.example.org`, `10.0.0.0/8 on port 5432`, `api.example.com within 203.0.113.0/24`.
    fn words(&self) -> String {
        match self {
            Self::Nowhere => "nowhere".to_owned(),
            Self::To(None, network) => network.words(),
            Self::To(Some(hosts), network) => {
                let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
                let hosts = hosts.join(", ");
                if network.is_anywhere() {
                    hosts
                } else {
                    format!("{hosts} within {}", network.words())
                }
            }
        }
    }
}

/// Whether every host is among the others or below a wildcard of theirs; `None` = any host.
fn are_within(hosts: Option<&BTreeSet<String>>, others: Option<&BTreeSet<String>>) -> bool {
    let Some(others) = others else { return true };
    let covers = |other: &String, host: &String| {
        other == host
            || other
                .strip_prefix('*')
                .is_some_and(|end| host.ends_with(end))
    };
    hosts.is_some_and(|hosts| {
        hosts
            .iter()
            .all(|host| others.iter().any(|other| covers(other, host)))
    })
}

/// Of the edits of what the proof rests on, those that can limit calls: neither rules for incoming calls nor ports and accounts of the pods.
fn keep_outward(causes: &mut Vec<Cause>) {
    let limits = |cause: &Cause| {
        let says = &cause.says;
        !says.starts_with("spec.ingress")
            && !["containers[", "initContainers[", "serviceAccount"]
                .iter()
                .any(|field| says.starts_with("spec.") && says.contains(field))
    };
    if causes.iter().any(limits) {
        causes.retain(limits);
    }
}
