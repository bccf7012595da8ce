//! `Network`: who gets to a port by network policy, and what that leaves of a mesh's admission. Input: callers by the policies on both ends;
//! output: parts of access, narrowed.
//!
//! Layers meet in the space of pods: an identity is held by the pods with its service account. A policy of the network proves an address, never
//! an identity, so that what it narrows is narrowed *by network*.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use crate::facts::access::callers::Callers;
use crate::facts::access::intervals::Intervals;
use crate::facts::access::pods::{ELSEWHERE, PodNamespace, Pods};
use crate::facts::pattern::Pattern;
use crate::facts::peers::addresses::Network as Block;
use crate::facts::peers::identity::IdentityPattern;
use crate::facts::peers::{Address, Atom, Cube, Identity};
use crate::facts::workload::WorkloadId;

/// Who gets to a port by network policy: egress of the caller and ingress of the port together.
#[derive(Clone, Debug)]
pub struct Network {
    /// Numbers and names of pods.
    pub pods: Arc<Pods>,
    /// Who gets through. Shared: the same policies let the same callers out to many ports.
    pub callers: Arc<Callers>,
    /// Pods that the port's side lets through and of whose own policies some cannot be read.
    pub doubtful: Intervals,
}

/// Who makes a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sender {
    /// Not said: any pod with the identity of the request, or anyone at all without one.
    #[default]
    Unsaid,
    /// A pod of this workload.
    Workload(WorkloadId),
    /// An address outside of pods, that of the request.
    Outside,
}

impl Network {
    /// Whether every address and every pod of namespaces that nobody names gets through: only named pods are kept out.
    #[must_use]
    pub fn is_wide(&self) -> bool {
        self.callers.has_every_address() && self.callers.pods.contains(u128::from(ELSEWHERE))
    }

    /// Whether a call gets as far as the pod.
    #[must_use]
    pub fn carries(&self, sender: Sender, identity: Option<&Identity>, source: IpAddr) -> bool {
        match (sender, identity) {
            (Sender::Workload(id), _) => self.admits_workload(id),
            (Sender::Outside, _) => self.admits_address(source),
            (Sender::Unsaid, Some(identity)) => self.admits_identity(identity),
            (Sender::Unsaid, None) => !self.callers.pods.is_empty() || self.admits_address(source),
        }
    }

    /// The same when policies that cannot be read let out all they may.
    #[must_use]
    pub fn at_most(&self) -> Self {
        let doubtful = Callers::pods(self.doubtful.clone());
        Self {
            pods: Arc::clone(&self.pods),
            callers: Arc::new(self.callers.union(&doubtful)),
            doubtful: Intervals::none(),
        }
    }

    /// Whether it cannot be known that pods of a workload get through.
    #[must_use]
    pub fn is_doubtful(&self, workload: WorkloadId) -> bool {
        let number = self.pods.number(workload);
        number.is_some_and(|n| self.doubtful.contains(u128::from(n)))
    }

    /// Whether pods of a workload get through.
    #[must_use]
    pub fn admits_workload(&self, workload: WorkloadId) -> bool {
        let number = self.pods.number(workload);
        number.is_some_and(|n| self.callers.pods.contains(u128::from(n)))
    }

    /// Whether the proxy gets through that a controller makes in a namespace under an account.
    #[must_use]
    pub fn admits_made(&self, namespace: &str, account: &str) -> bool {
        let Some(namespace) = self.pods.namespace(namespace) else {
            return self.callers.pods.contains(u128::from(ELSEWHERE));
        };
        let made = (namespace.first..=namespace.last).find(|number| {
            let pod = self.pods.pod(*number);
            pod.is_some_and(|p| p.workload.is_none() && p.account == account)
        });
        let number = made.unwrap_or(namespace.first);
        self.callers.pods.contains(u128::from(number))
    }

    /// The same for addresses outside of pods alone.
    #[must_use]
    pub fn outside(&self) -> Self {
        Self {
            pods: Arc::clone(&self.pods),
            callers: Arc::new(self.callers.intersect(&Callers::outside())),
            doubtful: Intervals::none(),
        }
    }

    /// The same when nobody gets through.
    #[must_use]
    pub fn nobody(&self) -> Self {
        Self {
            pods: Arc::clone(&self.pods),
            callers: Arc::new(Callers::none()),
            doubtful: Intervals::none(),
        }
    }

    fn admits_address(&self, address: IpAddr) -> bool {
        match address {
            // No address was said.
            IpAddr::V4(v4) if v4.is_unspecified() => self.callers.has_outside(),
            IpAddr::V4(v4) => self.callers.v4.contains(u128::from(u32::from(v4))),
            IpAddr::V6(v6) => self.callers.v6.contains(u128::from(v6)),
        }
    }

    /// Whether some pod that may hold an identity gets through.
    fn admits_identity(&self, identity: &Identity) -> bool {
        let inside = |number: u32| self.callers.pods.contains(u128::from(number));
        let Some(namespace) = self.pods.namespace(&identity.namespace) else {
            return inside(ELSEWHERE);
        };
        inside(namespace.first)
            || (namespace.first..=namespace.last).any(|number| {
                let pod = self.pods.pod(number);
                pod.is_some_and(|p| p.account == identity.account) && inside(number)
            })
    }

    /// The members that an identity of `patterns` in a let-through pod can be; `None` when every such pod is let through.
    pub(super) fn holders(
        &self,
        patterns: &[IdentityPattern],
        refused: &[&IdentityPattern],
    ) -> Option<Holders> {
        let window = self.window(patterns);
        let missing = window.subtract(&self.callers.pods);
        let concerned = self.runs_of(&missing, patterns, refused);
        let unseen = |p: &&IdentityPattern| match p.namespace.exact() {
            Some(name) => self.pods.namespace(name).is_none(),
            None => true,
        };
        let through_elsewhere = self.callers.pods.contains(u128::from(ELSEWHERE));
        let elsewhere = !through_elsewhere && patterns.iter().any(|p| unseen(&p));
        if concerned.members.is_empty() && !elsewhere {
            return None;
        }
        // Namespaces and accounts that the view does not hold stay as the mesh's policy names them.
        let rest: Vec<&IdentityPattern> = patterns
            .iter()
            .filter(|p| through_elsewhere && unseen(p))
            .collect();
        if rest.iter().any(|p| p.namespace.exact().is_none()) {
            return Some(Holders {
                except: concerned.members,
                unlimited: true,
                ..Holders::default()
            });
        }
        let through = window.intersect(&self.callers.pods);
        let mut holders = self.runs_of(&through, patterns, refused);
        if through_elsewhere {
            holders.except = concerned.members;
            holders
                .members
                .extend(rest.iter().filter_map(|p| super::member(p)));
        }
        Some(holders)
    }

    /// Whether no pod of the one namespace that a pattern names gets through.
    pub(super) fn shuts_out(&self, pattern: &IdentityPattern) -> bool {
        let named = pattern
            .namespace
            .exact()
            .and_then(|n| self.pods.namespace(n));
        let patterns = std::slice::from_ref(pattern);
        let through = || self.window(patterns).intersect(&self.callers.pods);
        named.is_some() && self.runs_of(&through(), patterns, &[]).members.is_empty()
    }

    /// Where pods with such identities can be: in the namespaces that the patterns name, else anywhere.
    fn window(&self, patterns: &[IdentityPattern]) -> Intervals {
        let names: Option<BTreeSet<&str>> = patterns.iter().map(|p| p.namespace.exact()).collect();
        let Some(names) = names else {
            return Callers::all().pods;
        };
        let namespaces = names.into_iter().filter_map(|n| self.pods.namespace(n));
        let runs = namespaces.map(|n| (u128::from(n.first), u128::from(n.last)));
        Intervals::from_list(runs.collect())
    }

    fn runs_of(
        &self,
        set: &Intervals,
        patterns: &[IdentityPattern],
        refused: &[&IdentityPattern],
    ) -> Holders {
        let mut holders = Holders::default();
        for (namespace, low, high) in self.pods.runs(set) {
            let Some(namespace) = namespace else { continue };
            let fitting: Vec<&IdentityPattern> = patterns
                .iter()
                .filter(|p| p.namespace.matches(&namespace.name))
                .collect();
            if !fitting.is_empty() {
                self.run(namespace, (low, high), &fitting, refused, &mut holders);
            }
        }
        holders
    }

    fn run(
        &self,
        namespace: &PodNamespace,
        (low, high): (u32, u32),
        fitting: &[&IdentityPattern],
        refused: &[&IdentityPattern],
        holders: &mut Holders,
    ) {
        let name = &namespace.name;
        let account = |account: &str| match name.as_str() {
            "" => format!("sa:{account}"),
            _ => format!("sa:{name}/{account}"),
        };
        if low == namespace.first {
            // Pods that are not in the view may run under any account of the namespace.
            let here = |p: &&IdentityPattern| IdentityPattern {
                namespace: Pattern::Exact(name.clone()),
                ..(*p).clone()
            };
            let kept_out =
                |p: &&&IdentityPattern| refused.iter().any(|r| super::within(&here(p), r));
            for pattern in fitting.iter().filter(|p| !kept_out(p)) {
                match pattern.account.exact() {
                    Some(exact) => drop(holders.members.insert(account(exact))),
                    None => {
                        holders.namespaces = true;
                        holders.members.insert(format!("ns:{name}"));
                    }
                }
            }
            return;
        }
        let pods = (low..=high).filter_map(|number| self.pods.pod(number));
        // Many pods run under few accounts.
        let accounts: BTreeSet<&str> = pods.map(|pod| pod.account.as_str()).collect();
        for own in accounts {
            let holds = |p: &&IdentityPattern| p.namespace.matches(name) && p.account.matches(own);
            if fitting.iter().any(&holds) && !refused.iter().any(holds) {
                holders.members.insert(account(own));
            }
        }
    }

    /// The addresses that get through, within those that a condition of the mesh names.
    pub(super) fn outside_of(&self, cube: &Cube) -> Callers {
        let mut outside = Callers {
            pods: Intervals::none(),
            ..(*self.callers).clone()
        };
        for literal in &cube.literals {
            let Atom::Address(Address::Source, blocks) = literal.atom.as_ref() else {
                continue;
            };
            let named: Vec<Block> = blocks.clone();
            let named = Callers::networks(&named);
            outside = if literal.positive {
                outside.intersect(&named)
            } else {
                outside.subtract(&named)
            };
        }
        outside
    }
}

/// Holders of identities, as members of an access.
#[derive(Debug, Default)]
pub(super) struct Holders {
    pub(super) members: BTreeSet<String>,
    pub(super) except: BTreeSet<String>,
    /// Whether a whole namespace is among the members.
    pub(super) namespaces: bool,
    /// Whether pods of namespaces that nobody names are among them, so that only the exceptions narrow.
    pub(super) unlimited: bool,
}
