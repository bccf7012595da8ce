//! Callers whom their own network policies let out otherwise. Input: callers of a port that came or went; output: what those policies say,
//! as proof and cause.

use crate::drift::cause::{self, Question};
use crate::engine::network_policy;
use crate::facts::change::Edges;
use crate::facts::{Role, Step};
use crate::query::diff::Compared;
use crate::query::diff::facts::{At, Facts};
use crate::query::diff::ports::rests_on;

impl Compared<'_, '_> {
    /// Adds to an access change what policies of the callers themselves say, where that differs: it explains who came and went.
    pub(super) fn at_callers(
        &mut self,
        change: usize,
        pair: (Option<At>, Option<At>),
        callers: &[(Option<usize>, Option<usize>)],
    ) {
        let (Some(b), Some(h)) = pair else {
            return;
        };
        let (base, head) = self.let_out(callers, pair);
        let (Some(known), Some(was), Some(is)) = (
            self.changes.get(change),
            self.base.workload(b.0),
            self.head.workload(h.0),
        ) else {
            return;
        };
        if base.is_empty() && head.is_empty() {
            return;
        }
        let objects = (
            rests_on(self.base, was, true),
            rests_on(self.head, is, true),
        );
        let own = cause::within(
            &self.objects,
            &Question {
                base: &known.base_proof,
                head: &known.head_proof,
                base_objects: &objects.0,
                head_objects: &objects.1,
                namespaces: &[],
            },
        );
        let member = |facts: &Facts<'_>, at: usize| {
            let its = facts.workloads.get(at);
            its.map(|w| w.membership.value.clone())
        };
        let is_its_own = !own.is_empty() || member(self.base, b.0) != member(self.head, h.0);
        let theirs = cause::within(
            &self.objects,
            &Question {
                base: &base,
                head: &head,
                ..Question::default()
            },
        );
        let Some(known) = self.changes.get_mut(change).filter(|_| !theirs.is_empty()) else {
            return;
        };
        if !is_its_own {
            known.cause.clear();
        }
        for cause in theirs {
            if !known.cause.contains(&cause) {
                known.cause.push(cause);
            }
        }
        known.base_proof.extend(base);
        known.head_proof.extend(head);
    }

    /// What policies of callers say of calls to a port, on both sides, where they do not say the same: callers that came or went are let
    /// out otherwise.
    pub(super) fn let_out(
        &self,
        callers: &[(Option<usize>, Option<usize>)],
        (base, head): (Option<At>, Option<At>),
    ) -> (Vec<Step>, Vec<Step>) {
        let steps = |facts: &Facts<'_>, caller: Option<usize>, port: Option<At>| -> Vec<Step> {
            let found = caller.and_then(|at| facts.workload(at));
            let Some((caller, (server, port, _))) = found.zip(port.and_then(|at| facts.port(at)))
            else {
                return Vec::new();
            };
            let called = network_policy::called(Some(server), port.protocol, port.number);
            let steps = facts.analysis.network.leaves(caller, server, &called).steps;
            let counts = |step: &Step| matches!(step.role, Role::Decides | Role::Default(_));
            steps.into_iter().filter(counts).collect()
        };
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for &(b, h) in callers.iter().take(Edges::SHOWN) {
            let (was, is) = (steps(self.base, b, base), steps(self.head, h, head));
            if !was.iter().map(|s| &s.says).eq(is.iter().map(|s| &s.says)) {
                before.extend(
                    was.into_iter()
                        .filter(|step| !before.contains(step))
                        .collect::<Vec<_>>(),
                );
                after.extend(
                    is.into_iter()
                        .filter(|step| !after.contains(step))
                        .collect::<Vec<_>>(),
                );
            }
        }
        (before, after)
    }
}
