//! What two networks carry, held against each other. Input: the networks before a port in two views; output: whether they are the same, and
//! whether somebody came or went.
//!
//! Pods are compared by namespace and name: their numbers are those of one view. Most edits leave all numbers as they are.

use std::collections::HashMap;

use crate::facts::access::network::Network;
use crate::facts::access::pods::ELSEWHERE;
use crate::facts::access::reach::Networks;

/// `None` carries everybody.
type Carries<'n> = Option<&'n Network>;

impl Networks {
    fn both(&self) -> [Carries<'_>; 2] {
        [self.plain.as_deref(), self.identified.as_deref()]
    }

    /// Whether both carry the same callers. Where pods are `numbered_alike`, equal sets are the same without a look at names.
    pub(super) fn is_same(&self, other: &Self, numbered_alike: bool) -> bool {
        let same = |a: Carries<'_>, b: Carries<'_>| match (a, b) {
            (None, None) => true,
            (Some(a), Some(b))
                if numbered_alike && (&a.callers, &a.doubtful) == (&b.callers, &b.doubtful) =>
            {
                true
            }
            (Some(a), Some(b)) => {
                (&a.callers.v4, &a.callers.v6) == (&b.callers.v4, &b.callers.v6)
                    && a.pods.words(&a.callers.pods) == b.pods.words(&b.callers.pods)
                    && a.pods.words(&a.doubtful) == b.pods.words(&b.doubtful)
            }
            (Some(one), None) | (None, Some(one)) => {
                one.callers.is_all() && one.doubtful.is_empty()
            }
        };
        let (own, others) = (self.both(), other.both());
        own.into_iter().zip(others).all(|(a, b)| same(a, b))
    }

    /// Whether somebody is carried who was not before, and whether somebody no longer is. Pods of one view only do not count: they are
    /// new or gone.
    pub(super) fn moved(&self, before: &Self) -> (bool, bool) {
        let pairs = || before.both().into_iter().zip(self.both());
        (
            pairs().any(|(was, is)| gained(was, is)),
            pairs().any(|(was, is)| gained(is, was)),
        )
    }
}

/// Whether `is` carries somebody whom `was` does not.
fn gained(was: Carries<'_>, is: Carries<'_>) -> bool {
    let Some(was) = was else { return false };
    let Some(is) = is else {
        return !was.callers.is_all();
    };
    let (b, h) = (&was.callers, &is.callers);
    if !h.v4.is_subset(&b.v4) || !h.v6.is_subset(&b.v6) {
        return true;
    }
    let of = |network: &Network, number: u32| network.callers.pods.contains(u128::from(number));
    if of(is, ELSEWHERE) && !of(was, ELSEWHERE) {
        return true;
    }
    // Pods that a namespace may hold besides, under an empty name.
    let mut carried: HashMap<(&str, &str), bool> = HashMap::new();
    for namespace in was.pods.namespaces() {
        for number in namespace.first..=namespace.last {
            if let Some(pod) = was.pods.pod(number) {
                let key = (namespace.name.as_str(), pod.name.as_str());
                *carried.entry(key).or_default() |= of(was, number);
            }
        }
    }
    is.pods.namespaces().iter().any(|namespace| {
        (namespace.first..=namespace.last)
            .filter(|number| of(is, *number))
            .filter_map(|number| is.pods.pod(number))
            .any(|pod| {
                let key = (namespace.name.as_str(), pod.name.as_str());
                carried.get(&key) == Some(&false)
            })
    })
}
