//! Membership, transport and access. Input: two views in comparison; output: their changes, and the ports as pairs for what follows.

use std::collections::BTreeMap;

use crate::drift::cause::Question;
use crate::drift::{lattice, live};
use crate::engine::istio::Reach;
use crate::facts::access::Level;
use crate::facts::change::{About, Cause, Change, ChangeKind, Direction, Side, State, Where};
use crate::facts::transport::Transport;
use crate::facts::workload::Workload;
use crate::facts::{Fact, Step};
use crate::query::diff::facts::{At, Facts, PortFacts};
use crate::query::diff::{Compared, words};
use crate::resource::ResourceId;

/// A port on both sides, or on one.
#[derive(Clone, Copy, Debug)]
pub(super) struct PortPair {
    pub(super) base: Option<At>,
    pub(super) head: Option<At>,
    /// Whether who is let in is the same, as far as its own rules say.
    pub(super) same_rules: bool,
    /// Position of its access change.
    pub(super) change: Option<usize>,
}

impl Compared<'_, '_> {
    /// Compares the workloads and their ports.
    pub(super) fn ports(&mut self) -> Vec<PortPair> {
        let mut ports = Vec::new();
        for (b, h) in self.pairs.both.clone() {
            self.membership(b, h);
            self.egress(b, h);
            for (base, head) in self.paired_ports(b, h) {
                let pair = match (base, head) {
                    (Some(base), Some(head)) => self.port(base, head),
                    _ => self.one_sided(base, head),
                };
                ports.push(pair);
            }
        }
        for at in self.pairs.removed.clone() {
            let count = self.base.workloads.get(at).map_or(0, |w| w.ports.len());
            for port in 0..count {
                ports.push(self.one_sided(Some((at, port)), None));
            }
        }
        for at in self.pairs.added.clone() {
            let count = self.head.workloads.get(at).map_or(0, |w| w.ports.len());
            for port in 0..count {
                ports.push(self.one_sided(None, Some((at, port))));
            }
        }
        self.totals.ports += ports.len();
        ports
    }

    /// Ports by number and protocol.
    fn paired_ports(&self, b: usize, h: usize) -> Vec<(Option<At>, Option<At>)> {
        let mut all: BTreeMap<_, (Option<At>, Option<At>)> = BTreeMap::new();
        let base = self.base.workload(b).map_or(&[][..], |w| &w.ports);
        let head = self.head.workload(h).map_or(&[][..], |w| &w.ports);
        for (at, port) in base.iter().enumerate() {
            all.entry((port.number, port.protocol)).or_default().0 = Some((b, at));
        }
        for (at, port) in head.iter().enumerate() {
            all.entry((port.number, port.protocol)).or_default().1 = Some((h, at));
        }
        // A proxy that stands beside the application in the cluster only is no port of the application.
        let is_own = |facts: &Facts<'_>, at: Option<At>| {
            at.and_then(|at| facts.port(at))
                .is_none_or(|(w, port, _)| !live::is_of_proxy(&w.resource, port.number))
        };
        let kept = all.into_values().filter(|(base, head)| {
            base.is_some() && head.is_some()
                || (is_own(self.base, *base) && is_own(self.head, *head))
        });
        kept.collect()
    }

    /// What a change is about; `is_asset` is filled in later.
    pub(super) fn about(&self, side: Side, at: usize, port: Option<usize>) -> Option<About> {
        let workload = self.side(side).workload(at)?;
        let port = port.and_then(|p| workload.ports.get(p));
        Some(About {
            resource: workload.resource.clone(),
            side,
            namespace: workload.namespace.as_str().to_owned(),
            port: port.map(|p| Where {
                number: p.number,
                protocol: p.protocol.as_str(),
            }),
            is_asset: self.side(side).assets.contains(&workload.resource.id),
        })
    }

    fn membership(&mut self, b: usize, h: usize) {
        let (Some(before), Some(after)) = (self.base.workloads.get(b), self.head.workloads.get(h))
        else {
            return;
        };
        let (before, after) = (&before.membership, &after.membership);
        let direction = match (&before.value, &after.value) {
            (Ok(before), Ok(after)) if before == after => return,
            (Ok(before), Ok(after)) => lattice::membership(*before, *after),
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
        let word = |fact| {
            words::state(fact, |m: &crate::facts::transport::Membership| {
                m.as_str().to_owned()
            })
        };
        let states = (word(before), word(after));
        self.push(
            ChangeKind::Membership,
            ((b, None), (h, None)),
            states,
            direction,
            (&before.steps, &after.steps),
        );
    }

    fn port(&mut self, base: At, head: At) -> PortPair {
        let mut pair = PortPair {
            base: Some(base),
            head: Some(head),
            same_rules: true,
            change: None,
        };
        let (Some((_, _, before)), Some((_, _, after))) =
            (self.base.port(base), self.head.port(head))
        else {
            return pair;
        };
        let at = ((base.0, Some(base.1)), (head.0, Some(head.1)));
        self.ways(base, head);
        self.transport(at, &before.transport, &after.transport);
        let direction = match (&before.reach.value, &after.reach.value) {
            (Ok(before), Ok(after)) if before.is_same(after, self.numbered_alike) => return pair,
            (Ok(before), Ok(after)) => {
                pair.same_rules = false;
                let network = after.moved_by_network(before);
                let (was, is) = (words::admitted(before), words::admitted(after));
                match lattice::access(&was, &is, network) {
                    Some(direction) => direction,
                    None => return pair,
                }
            }
            (Err(_), Err(_)) => {
                self.totals.undecided += 1;
                return pair;
            }
            _ if self.lacks => {
                self.totals.undecided += 1;
                return pair;
            }
            _ => {
                pair.same_rules = false;
                Direction::Changed
            }
        };
        let word = |fact| words::state(fact, |r: &Reach| words::access(&r.access()));
        let (was, mut is) = (word(&before.reach), word(&after.reach));
        if let (State::Known(before), State::Known(after)) = (&was, &mut is)
            && before == after
        {
            after.push_str(", with other conditions");
        }
        let proofs = (proof(&before.reach), proof(&after.reach));
        pair.change = self.push(
            ChangeKind::Access,
            at,
            (was, is),
            direction,
            (&proofs.0, &proofs.1),
        );
        pair
    }

    fn transport(&mut self, at: Sides, before: &Fact<Transport>, after: &Fact<Transport>) {
        let direction = match (&before.value, &after.value) {
            (Ok(before), Ok(after)) if before == after => return,
            (Ok(before), Ok(after)) => lattice::transport(before, after),
            (Err(_), Err(_)) => return,
            _ if self.lacks => return,
            _ => Direction::Changed,
        };
        let states = (
            words::state(before, words::transport),
            words::state(after, words::transport),
        );
        self.push(
            ChangeKind::Transport,
            at,
            states,
            direction,
            (&before.steps, &after.steps),
        );
    }

    /// A port that came or went.
    fn one_sided(&mut self, base: Option<At>, head: Option<At>) -> PortPair {
        let mut pair = PortPair {
            base,
            head,
            same_rules: false,
            change: None,
        };
        let side = if head.is_some() {
            Side::Head
        } else {
            Side::Base
        };
        let Some((at, (workload, port, facts))) = head
            .or(base)
            .and_then(|at| Some((at, self.side(side).port(at)?)))
        else {
            return pair;
        };
        let state = self.one_state(facts);
        let open = self.is_open(facts);
        let Some(about) = self.about(side, at.0, Some(at.1)) else {
            return pair;
        };
        let (states, direction) = match side {
            Side::Base if open => ((state, State::Absent), Direction::Narrowed),
            Side::Base => ((state, State::Absent), Direction::Changed),
            Side::Head if open => ((State::Absent, state), Direction::Widened),
            Side::Head => ((State::Absent, state), Direction::Changed),
        };
        let mut steps = proof(&facts.reach);
        let alone = match side {
            Side::Base => self.pairs.removed.contains(&at.0),
            Side::Head => self.pairs.added.contains(&at.0),
        };
        let cause = if alone {
            let gone = if side == Side::Base { "gone" } else { "new" };
            vec![Cause {
                side,
                span: workload.resource.name_span(),
                says: format!(
                    "{} {} is {gone}",
                    workload.resource.kind(),
                    workload.reference()
                ),
            }]
        } else {
            let lead = port.services.iter().map(|s| {
                let says = format!("Service {} leads to port {}", s.service.name, port.number);
                Step::decides(&s.service, s.span, says)
            });
            let lead: Vec<Step> = lead.collect();
            let (none, id) = (Vec::new(), [workload.resource.id]);
            let (b, h) = match side {
                Side::Base => (&lead, &none),
                Side::Head => (&none, &lead),
            };
            let (before, after) = match side {
                Side::Base => (&id[..], &[][..]),
                Side::Head => (&[][..], &id[..]),
            };
            self.explain(&Question {
                base: b,
                head: h,
                base_objects: before,
                head_objects: after,
                namespaces: &[workload.namespace.as_str()],
            })
        };
        steps.truncate(MAX_PROOF);
        let mut change = self.change(ChangeKind::Access, about, states, direction);
        change.cause = cause;
        match side {
            Side::Base => change.base_proof = steps,
            Side::Head => change.head_proof = steps,
        }
        pair.change = Some(self.changes.len());
        self.changes.push(change);
        pair
    }

    /// Access and transport of a port that has no counterpart.
    fn one_state(&self, facts: &PortFacts) -> State {
        match (&facts.reach.value, &facts.transport.value) {
            (Ok(reach), Ok(transport)) => State::Known(format!(
                "{}; {}",
                words::access(&reach.access()),
                words::transport(transport)
            )),
            (Err(reasons), _) | (_, Err(reasons)) => State::Unknown(reasons.clone()),
        }
    }

    /// Whether a port that has no counterpart lets in more than named callers, in views where a mesh could narrow it.
    fn is_open(&self, facts: &PortFacts) -> bool {
        let meshed = [self.base, self.head]
            .iter()
            .any(|f| f.analysis.istio.evidence.is_some());
        let (Some(reach), Some(transport)) = (facts.reach.get(), facts.transport.get()) else {
            return false;
        };
        meshed && (reach.access().level >= Level::Mesh || transport.mode.accepts_plaintext())
    }

    /// Adds a change of a workload or port that both sides have, with its cause; returns its position.
    pub(super) fn push(
        &mut self,
        kind: ChangeKind,
        at: Sides,
        states: (State, State),
        direction: Direction,
        (before, after): (&[Step], &[Step]),
    ) -> Option<usize> {
        let ((b, _), (h, port)) = at;
        let about = self.about(Side::Head, h, port)?;
        let (was, is) = (self.base.workload(b)?, self.head.workload(h)?);
        let member =
            |facts: &Facts<'_>, at: usize| facts.workloads.get(at).map(|w| w.membership.clone());
        let (left, right) = (member(self.base, b)?, member(self.head, h)?);
        let (mut base, mut head) = (before.to_vec(), after.to_vec());
        if left.value != right.value {
            base.extend(left.steps);
            head.extend(right.steps);
        }
        let other_services = leads(was) != leads(is);
        let mut change: Change = self.change(kind, about, states, direction);
        change.cause = self.explain(&Question {
            base: &base,
            head: &head,
            base_objects: &rests_on(self.base, was, other_services),
            head_objects: &rests_on(self.head, is, other_services),
            namespaces: &[is.namespace.as_str()],
        });
        change.base_proof = before.iter().take(MAX_PROOF).cloned().collect();
        change.head_proof = after.iter().take(MAX_PROOF).cloned().collect();
        self.changes.push(change);
        Some(self.changes.len() - 1)
    }
}

/// The proof of who is let in; that no policy has a say is a step too.
pub(super) fn proof(reach: &Fact<Reach>) -> Vec<Step> {
    let mut steps = Vec::new();
    if reach.get().is_some_and(|r| r.proxied && !r.restricted) {
        steps.push(Step::default(
            "istio.io/docs/reference/config/security/authorization-policy",
            "no AuthorizationPolicy applies, so that every request is let in",
        ));
    }
    steps.extend(reach.steps.iter().cloned());
    steps
}

/// Steps of a proof that a change keeps.
pub(super) const MAX_PROOF: usize = 12;

/// Workload and port on each side.
pub(super) type Sides = ((usize, Option<usize>), (usize, Option<usize>));

/// What Services say of a workload's ports; where they say the same, no edit of theirs explains anything.
fn leads(workload: &Workload) -> Vec<(u16, &str, u16, &str, Option<&str>)> {
    let ports = workload.ports.iter();
    ports
        .flat_map(|p| p.services.iter().map(move |s| (p, s)))
        .map(|(p, s)| {
            let app = s.app_protocol.as_deref();
            (
                p.number,
                s.service.name.as_str(),
                s.port,
                s.name.as_str(),
                app,
            )
        })
        .collect()
}

/// Objects besides the proof: the workload, its Services when they count, its Namespace.
pub(super) fn rests_on(
    facts: &Facts<'_>,
    workload: &Workload,
    with_services: bool,
) -> Vec<ResourceId> {
    let namespace = facts
        .analysis
        .topology
        .namespaces
        .get(workload.namespace.as_str());
    let services = workload.services.iter().filter(|_| with_services);
    std::iter::once(workload.resource.id)
        .chain(services.map(|s| s.id))
        .chain(namespace.map(|n| n.id))
        .collect()
}
