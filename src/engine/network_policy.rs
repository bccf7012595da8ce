//! The network policy engine: NetworkPolicy, AdminNetworkPolicy, BaselineAdminNetworkPolicy, ClusterNetworkPolicy. Input: a `View` and its
//! `Topology`; output: whom the network carries to and from pods, with proof.
//!
//! Sets are symbolic: a selector is one set of numbered pods, whoever asks; nothing is worked out for pairs of pods.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::facts::access::intervals::Intervals;
use crate::facts::access::pods::Pods;
use crate::facts::access::traffic::{Called, Direction, Layer, TrafficPolicy};
use crate::facts::label_selector::LabelSelector;
use crate::facts::workload::{Protocol, Workload};
use crate::facts::{Assumptions, Fact, Step, UnknownReason};
use crate::pods;
use crate::topology::Topology;
use crate::view::{Opaque, View};
use crate::yaml::NodeRef;

mod admin;
mod cluster;
mod egress;
mod layers;
mod outward;
mod read;

use cluster::Cluster;
use egress::Leaving;

/// API groups and kinds, with how they are read; `None` = NetworkPolicy.
const KINDS: [(&str, &str, Option<admin::Dialect>); 4] = [
    ("networking.k8s.io", "NetworkPolicy", None),
    (
        "policy.networking.k8s.io",
        "AdminNetworkPolicy",
        Some(admin::Dialect::Alpha1(Layer::Admin)),
    ),
    (
        "policy.networking.k8s.io",
        "BaselineAdminNetworkPolicy",
        Some(admin::Dialect::Alpha1(Layer::Baseline)),
    ),
    (
        "policy.networking.k8s.io",
        "ClusterNetworkPolicy",
        Some(admin::Dialect::Alpha2),
    ),
];

/// Something of the view that could not be read.
#[derive(Debug)]
struct Unread {
    reason: UnknownReason,
    /// The namespace that it may belong to; `None` = any.
    namespace: Option<String>,
    broken: bool,
    /// Whether its text says that it is a policy.
    stated: bool,
}

/// The network policies of one view.
#[derive(Debug)]
pub struct NetworkPolicies {
    pods: Arc<Pods>,
    policies: Vec<TrafficPolicy>,
    /// Of each pod, the NetworkPolicies that select it, by direction.
    ingress: Vec<Vec<u32>>,
    egress: Vec<Vec<u32>>,
    /// Policies of the other layers, by layer and priority.
    ranked: Vec<u32>,
    leaving: Leaving,
    doubtful: Intervals,
    doubt: Option<UnknownReason>,
    /// What `assume.cni.enforcesNetworkPolicy` says.
    enforced: Option<bool>,
    /// What could not be read and may hold policies.
    opaque: Vec<Unread>,
    /// Namespaces whose objects are all in the view, says the user.
    complete: BTreeSet<String>,
    /// Namespaces whose labels the files do not tell, where a policy asks for labels.
    unlabelled: Vec<String>,
}

impl NetworkPolicies {
    /// Reads the policies of a view.
    #[must_use]
    pub fn of(view: &View, topology: &Topology, assume: &Assumptions) -> Self {
        let mut named = BTreeSet::new();
        let mut reads_labels = false;
        let objects: Vec<_> = KINDS
            .iter()
            .flat_map(|(group, kind, dialect)| {
                let members = view.effective_of_kind(group, kind);
                let members = members.into_iter();
                members.map(move |member| (member, *dialect))
            })
            .collect();
        for (member, _) in &objects {
            mentioned(member.resource.object(), &mut named, &mut reads_labels);
        }
        let mut cluster = Cluster::of(view, topology, assume, named);
        let mut policies = Vec::new();
        for (member, dialect) in objects {
            policies.extend(match dialect {
                None => read::network_policy(member, &mut cluster),
                Some(dialect) => admin::policy(member, dialect, &mut cluster),
            });
        }
        let may_hold = |o: &&Opaque| o.opens && KINDS.iter().any(|(_, kind, _)| o.may_hold(kind));
        let opaque = view.opaque.iter().filter(may_hold).map(|o| Unread {
            reason: UnknownReason {
                missing: o.missing(),
                span: o.span,
            },
            namespace: o.namespace.clone(),
            broken: o.is_broken(),
            stated: KINDS
                .iter()
                .any(|(_, kind, _)| o.what.ends_with(&format!(" {kind}"))),
        });
        let mut all = Self {
            leaving: Leaving::default(),
            doubtful: Intervals::none(),
            doubt: None,
            ingress: Vec::new(),
            egress: Vec::new(),
            ranked: Vec::new(),
            enforced: assume.cni_enforces_network_policy,
            // Where there is no policy, nothing but the text of a broken one tells that policies are in use.
            opaque: opaque
                .filter(|o| o.stated || !policies.is_empty())
                .collect(),
            complete: assume.complete.clone(),
            unlabelled: if reads_labels {
                cluster.unlabelled()
            } else {
                Vec::new()
            },
            pods: Arc::clone(&cluster.pods),
            policies,
        };
        all.index();
        all
    }

    /// Finds out which policies each pod meets.
    fn index(&mut self) {
        let count = crate::source::to_usize(self.pods.last()) + 1;
        self.ingress = vec![Vec::new(); count];
        self.egress = vec![Vec::new(); count];
        for (at, policy) in (0u32..).zip(&self.policies) {
            if policy.layer != Layer::Network {
                self.ranked.push(at);
                continue;
            }
            let lists = match policy.direction {
                Direction::Ingress => &mut self.ingress,
                Direction::Egress => &mut self.egress,
            };
            for (_, low, high) in self.pods.runs(&policy.subject) {
                for number in low..=high {
                    if let Some(list) = lists.get_mut(crate::source::to_usize(number)) {
                        list.push(at);
                    }
                }
            }
        }
        let policies = &self.policies;
        let rank = |at: &u32| {
            let policy = policies.get(crate::source::to_usize(*at));
            policy.map(|p| (p.layer, p.priority))
        };
        self.ranked.sort_by_key(rank);
        self.leaving = Leaving::of(&self.policies, &self.pods);
        if self.enforced == Some(false) {
            return;
        }
        for policy in self
            .policies
            .iter()
            .filter(|p| p.direction == Direction::Egress)
        {
            if let Some(reason) = &policy.unknown {
                self.doubtful = self.doubtful.union(&policy.subject);
                self.doubt.get_or_insert_with(|| reason.clone());
            }
        }
    }

    /// Numbers and names of the pods.
    #[must_use]
    pub fn pods(&self) -> &Arc<Pods> {
        &self.pods
    }

    /// Every policy in one form, in the order of the view.
    #[must_use]
    pub fn policies(&self) -> &[TrafficPolicy] {
        &self.policies
    }

    /// Whether there is nothing that restricts anyone.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.policies.is_empty() && self.opaque.is_empty()
    }

    /// Pods whose own policies cannot be read.
    #[must_use]
    pub fn doubtful(&self) -> &Intervals {
        &self.doubtful
    }

    /// Why the first of those policies cannot be read.
    #[must_use]
    pub fn doubt(&self) -> Option<&UnknownReason> {
        self.doubt.as_ref()
    }

    /// Why it cannot be known where pods of a workload may call: a policy that selects them cannot be read, or something unread may hold one.
    #[must_use]
    pub fn doubt_of_leaving(&self, client: &Workload) -> Option<&UnknownReason> {
        let pod = self.pods.number(client.id)?;
        if self.enforced == Some(false) {
            return None;
        }
        let mut meeting = self.meeting(Direction::Egress, pod);
        let flawed = meeting.find_map(|p| p.unknown.as_ref());
        flawed.or_else(|| self.unread(pod))
    }

    /// Whether a pod of `client` may send to a port of `server` at all, by the policies on the client's side.
    #[must_use]
    pub fn leaves(&self, client: &Workload, server: &Workload, called: &Called) -> Fact<bool> {
        let numbers = (self.pods.number(client.id), self.pods.number(server.id));
        let (Some(from), Some(to)) = numbers else {
            return Fact::known(true, Vec::new());
        };
        let through = self.through(Direction::Egress, from, called);
        match self.doubt_of_leaving(client) {
            Some(reason) => Fact::unknown(reason.clone(), through.steps),
            None => Fact::known(through.callers.pods.contains(u128::from(to)), through.steps),
        }
    }

    /// What could not be read and may hold policies for a pod.
    fn unread(&self, pod: u32) -> Option<&UnknownReason> {
        Some(&self.unread_of(pod).next()?.reason)
    }

    /// The policy that could not be read and may select a pod.
    fn unread_policy(&self, pod: u32) -> Option<&UnknownReason> {
        let stated = self.unread_of(pod).find(|unread| unread.stated)?;
        (self.enforced != Some(false)).then_some(&stated.reason)
    }

    fn unread_of(&self, pod: u32) -> impl Iterator<Item = &Unread> {
        let namespace = self.pods.namespace_of(pod).map(|n| n.name.as_str());
        // Who calls a namespace complete says that all its objects are in the view, not what a document says that cannot be read.
        let complete = namespace.is_some_and(|n| self.complete.contains(n));
        self.opaque.iter().filter(move |unread| {
            let here = match (unread.namespace.as_deref(), namespace) {
                (Some(of), Some(namespace)) => of == namespace,
                _ => true,
            };
            here && (unread.broken || !complete)
        })
    }

    /// The policies that select a pod, of all layers in the order of decision.
    fn meeting(&self, direction: Direction, pod: u32) -> impl Iterator<Item = &TrafficPolicy> {
        let lists = match direction {
            Direction::Ingress => &self.ingress,
            Direction::Egress => &self.egress,
        };
        let own = lists.get(crate::source::to_usize(pod));
        let of_layer = move |layer: Layer| {
            let ranked = self.ranked.iter().filter_map(|at| self.at(*at));
            ranked.filter(move |p| {
                p.layer == layer && p.direction == direction && p.subject.contains(u128::from(pod))
            })
        };
        let own = own.into_iter().flatten().filter_map(|at| self.at(*at));
        of_layer(Layer::Admin)
            .chain(own)
            .chain(of_layer(Layer::Baseline))
    }

    fn at(&self, at: u32) -> Option<&TrafficPolicy> {
        self.policies.get(crate::source::to_usize(at))
    }

    /// The step that names what is taken for granted wherever a policy counts.
    fn enforcement(&self) -> Step {
        let says = match self.enforced {
            Some(false) => "the network plugin does not enforce network policies",
            _ => "the network plugin enforces network policies",
        };
        Step::assumed("cni.enforcesNetworkPolicy", says)
    }
}

/// A port of a workload as it is called, with the names that its containers give it.
#[must_use]
pub fn called(workload: Option<&Workload>, protocol: Protocol, number: u16) -> Called {
    let mut names = Vec::new();
    let templates = workload.and_then(|w| pods::templates(&w.resource).into_iter().next());
    for port in templates.iter().flat_map(pods::PodTemplate::ports) {
        let same = port.number == number && Protocol::read(Some(port.protocol)) == protocol;
        if same && !port.name.is_empty() {
            names.push(port.name.to_owned());
        }
    }
    Called {
        protocol,
        number,
        names,
    }
}

/// Collects the namespaces that selectors of a policy name, and whether selectors of namespaces look at other labels.
fn mentioned(node: NodeRef<'_>, named: &mut BTreeSet<String>, reads_labels: &mut bool) {
    for field in ["namespaceSelector", "namespaces"] {
        if let Some(selector) = node.get(field).filter(|n| n.is_map())
            && let Ok(selector) = LabelSelector::read(selector)
        {
            named.extend(selector.names().map(str::to_owned));
            *reads_labels |= selector.reads_labels();
        }
    }
    if node.is_map() {
        for (_, value) in node.entries() {
            mentioned(value, named, reads_labels);
        }
    } else {
        for item in node.items() {
            mentioned(item, named, reads_labels);
        }
    }
}
