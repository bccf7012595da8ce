//! `Pods`: the pods of a view as numbers, so that sets of them are intervals. Input: workloads by namespace; output: numbers and names.
//!
//! Number 0, and every number beyond the last, stands for the pods of namespaces that the view does not name. Every namespace is one run of numbers; its first stands for pods of
//! that namespace that are not in the view.

use std::collections::BTreeSet;

use crate::facts::access::intervals::Intervals;
use crate::facts::workload::WorkloadId;

/// One pod, or the pods of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Name of the object; empty for pods that are not in the view.
    pub name: String,
    /// Service account; empty for pods that are not in the view.
    pub account: String,
    /// The workload; `None` for pods that are not in the view or that a controller makes of a Gateway.
    pub workload: Option<WorkloadId>,
}

/// The pods of one namespace: numbers `first` (unseen pods) to `last`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodNamespace {
    /// Name; empty for the unnamed namespace.
    pub name: String,
    /// Number of its unseen pods.
    pub first: u32,
    /// Its last number.
    pub last: u32,
}

/// All pods of a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pods {
    namespaces: Vec<PodNamespace>,
    pods: Vec<Pod>,
    by_workload: Vec<u32>,
}

/// The number of pods in namespaces that the view does not name.
pub const ELSEWHERE: u32 = 0;

impl Pods {
    /// Numbers the pods; `namespaces` sorted by name, with the pods of each.
    #[must_use]
    pub fn of(namespaces: Vec<(String, Vec<Pod>)>) -> Self {
        let unseen = || Pod {
            name: String::new(),
            account: String::new(),
            workload: None,
        };
        let mut all = Self {
            namespaces: Vec::new(),
            pods: vec![unseen()],
            by_workload: Vec::new(),
        };
        for (name, pods) in namespaces {
            let first = crate::source::to_u32(all.pods.len());
            all.pods.push(unseen());
            all.pods.extend(pods);
            let last = crate::source::to_u32(all.pods.len() - 1);
            all.namespaces.push(PodNamespace { name, first, last });
        }
        for (at, pod) in (0u32..).zip(&all.pods) {
            if let Some(id) = pod.workload {
                let place = crate::source::to_usize(id.0);
                if all.by_workload.len() <= place {
                    all.by_workload.resize(place + 1, ELSEWHERE);
                }
                if let Some(number) = all.by_workload.get_mut(place) {
                    *number = at;
                }
            }
        }
        all
    }

    /// The namespaces, sorted by name.
    #[must_use]
    pub fn namespaces(&self) -> &[PodNamespace] {
        &self.namespaces
    }

    /// A namespace by name.
    #[must_use]
    pub fn namespace(&self, name: &str) -> Option<&PodNamespace> {
        let at = self
            .namespaces
            .binary_search_by(|n| n.name.as_str().cmp(name));
        self.namespaces.get(at.ok()?)
    }

    /// The namespace of a number; `None` for [`ELSEWHERE`].
    #[must_use]
    pub fn namespace_of(&self, number: u32) -> Option<&PodNamespace> {
        let after = self.namespaces.partition_point(|n| n.first <= number);
        self.namespaces.get(after.checked_sub(1)?)
    }

    /// The pod with a number.
    #[must_use]
    pub fn pod(&self, number: u32) -> Option<&Pod> {
        self.pods.get(crate::source::to_usize(number))
    }

    /// The number of a workload's pods.
    #[must_use]
    pub fn number(&self, workload: WorkloadId) -> Option<u32> {
        self.by_workload
            .get(crate::source::to_usize(workload.0))
            .copied()
            .filter(|number| *number != ELSEWHERE)
    }

    /// The pod that a controller makes of the Gateway `namespace/name`.
    #[must_use]
    pub fn made(&self, reference: &str) -> Option<u32> {
        let (namespace, name) = reference.split_once('/').unwrap_or(("", reference));
        let namespace = self.namespace(namespace)?;
        (namespace.first..=namespace.last).find(|number| {
            self.pod(*number)
                .is_some_and(|pod| pod.workload.is_none() && pod.name == name)
        })
    }

    /// The highest number.
    #[must_use]
    pub fn last(&self) -> u32 {
        crate::source::to_u32(self.pods.len().saturating_sub(1))
    }

    /// The runs of a set, each within one namespace, with that namespace (`None` = elsewhere).
    pub fn runs<'s>(
        &'s self,
        set: &'s Intervals,
    ) -> impl Iterator<Item = (Option<&'s PodNamespace>, u32, u32)> {
        let last = self.last();
        let ranges = set.ranges().iter().filter_map(move |(low, high)| {
            let low = u32::try_from(*low).ok().filter(|low| *low <= last)?;
            Some((
                low,
                u32::try_from(*high).map_or(last, |high| high.min(last)),
            ))
        });
        ranges.flat_map(move |(low, high)| {
            let mut next = Some(low);
            std::iter::from_fn(move || {
                let at = next.filter(|at| *at <= high)?;
                let namespace = self.namespace_of(at);
                let end = namespace.map_or(ELSEWHERE, |n| n.last).min(high);
                next = end.checked_add(1);
                Some((namespace, at, end))
            })
        })
    }

    /// The members of a set in words (`ns:web`, `ns:*`, `pod:web/shop`), and what of the namespaces named is left out.
    #[must_use]
    pub fn words(&self, set: &Intervals) -> Words {
        let mut words = Words::default();
        let everywhere = set.contains(u128::from(ELSEWHERE));
        if everywhere {
            words.members.insert("ns:*".to_owned());
        }
        for (namespace, low, high) in self.runs(set) {
            let Some(namespace) = namespace else { continue };
            if low == namespace.first {
                if !everywhere {
                    words.members.insert(format!("ns:{}", namespace.name));
                }
            } else if !set.contains(u128::from(namespace.first)) {
                words.members.extend(self.named(namespace, low, high));
            }
        }
        words.namespaces = words.members.iter().any(|m| m.starts_with("ns:"));
        // Left out: what is missing of namespaces that are named as a whole.
        let named = if everywhere {
            Intervals::of(0, u128::from(self.last()))
        } else {
            let whole = self.runs(set).filter_map(|(namespace, low, _)| {
                let namespace = namespace.filter(|n| n.first == low)?;
                Some((u128::from(namespace.first), u128::from(namespace.last)))
            });
            Intervals::from_list(whole.collect())
        };
        let missing = named.subtract(set);
        for (namespace, low, high) in self.runs(&missing) {
            let Some(namespace) = namespace else { continue };
            if (low, high) == (namespace.first, namespace.last) {
                words.except.insert(format!("ns:{}", namespace.name));
            } else {
                words.except.extend(self.named(namespace, low, high));
            }
        }
        words
    }

    fn named<'s>(
        &'s self,
        namespace: &'s PodNamespace,
        low: u32,
        high: u32,
    ) -> impl Iterator<Item = String> + 's {
        (low..=high)
            .filter_map(|number| self.pod(number))
            .filter(|pod| !pod.name.is_empty())
            .map(|pod| match namespace.name.as_str() {
                "" => format!("pod:{}", pod.name),
                name => format!("pod:{name}/{}", pod.name),
            })
    }
}

/// A set of pods in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// `ns:web`, `ns:*`, `pod:web/shop`.
    pub members: BTreeSet<String>,
    /// What of the members is left out, in the same words.
    pub except: BTreeSet<String>,
    /// Whether a whole namespace is among the members.
    pub namespaces: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pods() -> Pods {
        let pod = |name: &str, id| Pod {
            name: name.to_owned(),
            account: "default".to_owned(),
            workload: Some(WorkloadId(id)),
        };
        // 0 elsewhere; 1 ai, 2 model, 3 batch; 4 web, 5 shop.
        Pods::of(vec![
            ("ai".into(), vec![pod("model", 0), pod("batch", 2)]),
            ("web".into(), vec![pod("shop", 1)]),
        ])
    }

    fn words(list: &[(u128, u128)]) -> (Vec<String>, Vec<String>) {
        let words = pods().words(&Intervals::from_list(list.to_vec()));
        (
            words.members.into_iter().collect(),
            words.except.into_iter().collect(),
        )
    }

    #[test]
    fn sets_read_as_namespaces_pods_and_what_is_left_out() {
        let none: [&str; 0] = [];
        assert_eq!(words(&[(0, u128::MAX)]), (vec!["ns:*".into()], vec![]));
        assert_eq!(words(&[(2, 2)]), (vec!["pod:ai/model".into()], vec![]));
        assert_eq!(
            words(&[(1, 3), (5, 5)]).0,
            ["ns:ai", "pod:web/shop"].map(str::to_owned)
        );
        assert_eq!(words(&[(1, 1), (3, 3)]).1, ["pod:ai/model"]);
        assert_eq!(words(&[(0, 3)]).1, ["ns:web"]);
        assert_eq!(words(&[]).0, none);
        assert_eq!(pods().number(WorkloadId(2)), Some(3));
        assert_eq!(pods().number(WorkloadId(9)), None);
    }
}
