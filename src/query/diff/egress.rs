//! Ways out. Input: a workload of both sides; output: the change of where it may call outside the view.
//!
//! A pod that leaves or joins the mesh is not asked: its membership says it all.

use crate::drift::lattice::by_width;
use crate::facts::Fact;
use crate::facts::change::{ChangeKind, Direction};
use crate::facts::egress::{Egress, EgressMode};
use crate::query::diff::facts::Facts;
use crate::query::diff::{Compared, words};

impl Compared<'_, '_> {
    /// Compares the ways out of a workload.
    pub(super) fn egress(&mut self, b: usize, h: usize) {
        let of = |facts: &Facts<'_>, at: usize| {
            let (workload, its) = (facts.workload(at)?, facts.workloads.get(at)?);
            let membership = its.membership.get().copied()?;
            let istio = &facts.analysis.istio;
            Some((membership, istio.egress(workload, &its.membership)))
        };
        let (Some((was, before)), Some((is, after))) = (of(self.base, b), of(self.head, h)) else {
            return;
        };
        let direction = match (&before.value, &after.value) {
            _ if was != is => return,
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
        let state = |fact: &Fact<Egress>| words::state(fact, egress);
        self.push(
            ChangeKind::Egress,
            ((b, None), (h, None)),
            (state(&before), state(&after)),
            direction,
            (&before.steps, &after.steps),
        );
    }
}

/// `None` where the same can be called: what is declared besides makes no difference where everything passes.
fn direction(before: &Egress, after: &Egress) -> Option<Direction> {
    if before.mode == after.mode {
        if before.mode != EgressMode::Restricted || before.to == after.to {
            return None;
        }
        return Some(
            match (
                before.to.is_subset(&after.to),
                after.to.is_subset(&before.to),
            ) {
                (true, _) => Direction::Widened,
                (_, true) => Direction::Narrowed,
                _ => Direction::Changed,
            },
        );
    }
    Some(by_width(&before.mode, &after.mode))
}

/// `anywhere`, `nowhere`, `api.example.com, *.example.org`.
fn egress(egress: &Egress) -> String {
    match egress.mode {
        EgressMode::Open => "anywhere".to_owned(),
        EgressMode::None => "nowhere".to_owned(),
        EgressMode::Restricted => {
            let hosts: Vec<&str> = egress.to.iter().map(String::as_str).collect();
            hosts.join(", ")
        }
    }
}
