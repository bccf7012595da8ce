//! L5: policies with what they really do. Input: an `Analysis` and the facts of its workloads; output: the subjects of kind `policy`.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::cel::Reasons;
use crate::engine::{Action, Analysis, Network, gaps};
use crate::facts::UnknownReason;
use crate::facts::exposure::join;
use crate::facts::record::policy::{PolicyRecord, PolicySubject};
use crate::facts::record::{ReasonNumbers, WorkloadRecord};
use crate::facts::selector::MatchLabels;
use crate::facts::subject::Subject;
use crate::pods;
use crate::resource::ResourceId;
use crate::view::{Member, View};
use crate::yaml::NodeRef;

/// Group and kind of the objects that are policies here.
const KINDS: [(&str, &str); 7] = [
    ("security.istio.io", "AuthorizationPolicy"),
    ("security.istio.io", "PeerAuthentication"),
    ("security.istio.io", "RequestAuthentication"),
    ("networking.istio.io", "DestinationRule"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("policy.networking.k8s.io", "AdminNetworkPolicy"),
    ("policy.networking.k8s.io", "ClusterNetworkPolicy"),
];

impl Analysis<'_> {
    /// The policies of the view, in its order; nothing is computed where there are none.
    pub(crate) fn policies(
        &self,
        records: &[Arc<WorkloadRecord>],
        clients: &gaps::Clients,
        numbers: &mut ReasonNumbers,
    ) -> Vec<Box<dyn Subject>> {
        let mut members: Vec<&Member> = KINDS
            .iter()
            .flat_map(|(group, kind)| self.view.effective_of_kind(group, kind))
            .collect();
        if members.is_empty() {
            return Vec::new();
        }
        members.sort_by_key(|m| m.resource.id);
        let scene = Scene {
            analysis: self,
            records,
            clients,
            index: Index::of(records),
            network: Network::of(self.view, &self.topology, records),
            made: Made::of(self.view),
            istio: OfIstio::of(self),
            only_ambient: OnceCell::new(),
        };
        members
            .into_iter()
            .map(|member| -> Box<dyn Subject> {
                Box::new(PolicySubject(scene.record(member, numbers)))
            })
            .collect()
    }
}

fn union(all: impl Iterator<Item = Reasons>) -> Option<Reasons> {
    all.reduce(|all, more| all.merge(&more))
}

/// Workloads by namespace and by label.
struct Index<'s> {
    all: Vec<usize>,
    by_namespace: HashMap<&'s str, Vec<usize>>,
    by_pair: HashMap<(String, String), Vec<usize>>,
}

impl<'s> Index<'s> {
    fn of(records: &'s [Arc<WorkloadRecord>]) -> Self {
        let mut index = Self {
            all: (0..records.len()).collect(),
            by_namespace: HashMap::new(),
            by_pair: HashMap::new(),
        };
        for (at, record) in records.iter().enumerate() {
            let namespace = record.workload.namespace.as_str();
            index.by_namespace.entry(namespace).or_default().push(at);
            let labels = record.workload.labels().into_iter();
            for (key, value) in labels.flat_map(NodeRef::entries) {
                let pair = (key.key_text().into_owned(), value.text().to_owned());
                index.by_pair.entry(pair).or_default().push(at);
            }
        }
        index
    }

    /// Candidates of a selector: those of a namespace, or of the pair that the selector begins with.
    fn candidates(&self, namespace: Option<&str>, selector: &MatchLabels) -> &[usize] {
        let of_namespace =
            namespace.map(|n| self.by_namespace.get(n).map_or(&[][..], Vec::as_slice));
        if let Some(found) = of_namespace {
            return found;
        }
        match selector.pairs().next() {
            Some((key, value)) => self
                .by_pair
                .get(&(key.to_owned(), value.to_owned()))
                .map_or(&[], Vec::as_slice),
            None => &self.all,
        }
    }
}

/// Objects whose controllers make pods, one for each namespace. The labels of these pods are in no file.
struct Made<'s>(BTreeMap<&'s str, &'s Member>);

impl<'s> Made<'s> {
    fn of(view: &'s View) -> Self {
        let made = view.members.iter().filter(|member| {
            pods::carries_pods(&member.resource) && pods::template(&member.resource).is_none()
        });
        let named = |member: &'s Member| (member.resource.kind(), member.resource.name.as_str());
        let mut first: BTreeMap<&str, &Member> = BTreeMap::new();
        for member in made {
            let known = first.entry(member.namespace.as_str()).or_insert(member);
            // Whatever the order of the files.
            if named(member) < named(known) {
                *known = member;
            }
        }
        Self(first)
    }

    /// Why a policy may select more pods than the view shows.
    fn unknown(&self, policy: &PolicyRecord) -> Option<UnknownReason> {
        let found = match policy.everywhere {
            true => self.0.values().next(),
            false => self.0.get(policy.namespace.as_str()),
        };
        found.map(|member| UnknownReason {
            missing: format!(
                "the pods of {} {} are made by its controller",
                member.resource.kind(),
                join(member.namespace.as_str(), &member.resource.name)
            ),
            span: Some(member.resource.name_span()),
        })
    }
}

/// Everything that policies are looked at with.
struct Scene<'s, 'v> {
    analysis: &'s Analysis<'v>,
    records: &'s [Arc<WorkloadRecord>],
    clients: &'s gaps::Clients,
    index: Index<'s>,
    network: Network<'s>,
    made: Made<'s>,
    istio: OfIstio<'s>,
    only_ambient: OnceCell<bool>,
}

impl Scene<'_, '_> {
    fn record(&self, member: &Member, numbers: &mut ReasonNumbers) -> PolicyRecord {
        let mut record = PolicyRecord::new(&member.resource, &member.namespace);
        let mut missing: Option<UnknownReason> = None;
        match member.resource.kind() {
            "AuthorizationPolicy" => self.authorization(&mut record, &mut missing),
            "PeerAuthentication" => self.peer(&mut record, &mut missing),
            "RequestAuthentication" => self.token(&mut record),
            "DestinationRule" => self.destination(&mut record),
            "NetworkPolicy" => {
                record.workloads = self.network.selected(member);
                record.gaps = self.network.gaps(member, &record.workloads);
            }
            _ => {
                record.everywhere = true;
                record.workloads = self.network.subject(&member.resource);
                record.gaps = self.network.admin_gaps(member, &record.workloads);
            }
        }
        // Objects that name no namespace may be applied to several.
        let own = record.namespace.as_str();
        let own = !own.is_empty() && self.index.by_namespace.contains_key(own);
        record.namespace_shown = own || (record.everywhere && !self.records.is_empty());
        if member.resource.kind() != "DestinationRule" {
            self.may_select_more(&mut record, &mut missing);
        }
        self.in_doubt(&mut record, &mut missing);
        let own = missing.map(|reason| Reasons::one(numbers.of(&reason)));
        record.open = union(self.unknown(&record).cloned().chain(own));
        record
    }

    /// Takes back what rests on there being nothing else, where something else may be: another policy that lets pods ask for names, pods of
    /// a controller that are in the mesh.
    fn in_doubt(&self, record: &mut PolicyRecord, missing: &mut Option<UnknownReason>) {
        for why in ["no-names", "unmeshed"] {
            if !record.gaps.iter().any(|gap| gap.why == why) {
                continue;
            }
            let doubt = match why {
                "unmeshed" => self.made.unknown(record),
                _ => {
                    let completeness = &self.analysis.istio.completeness;
                    let namespace = record.namespace.as_str();
                    completeness
                        .unread(namespace, Some("NetworkPolicy"))
                        .cloned()
                }
            };
            if let Some(reason) = doubt {
                record.gaps.retain(|gap| gap.why != why);
                missing.get_or_insert(reason);
            }
        }
    }

    /// What is not known of the workloads that a policy of the mesh is read with.
    fn unknown<'r>(&'r self, record: &'r PolicyRecord) -> impl Iterator<Item = &'r Reasons> {
        let of_mesh = record.resource.group_kind.group.ends_with("istio.io");
        // A rule for calls is read with its clients and its servers.
        let namespaces = match self.istio.destination.get(&record.resource.id) {
            Some(rule) => vec![rule.namespace.as_str(), rule.host_namespace()],
            None => Vec::new(),
        };
        let others = namespaces
            .into_iter()
            .filter_map(|n| self.index.by_namespace.get(n))
            .flatten()
            .filter_map(|at| self.records.get(*at));
        record
            .workloads
            .iter()
            .chain(others)
            .filter(move |_| of_mesh)
            .filter_map(|r| r.membership.reasons())
    }

    /// What could not be read may hold workloads. A policy that selects nothing rests on the view holding all of them.
    fn may_select_more(&self, record: &mut PolicyRecord, missing: &mut Option<UnknownReason>) {
        let namespace = record.namespace.as_str();
        let completeness = &self.analysis.istio.completeness;
        if !record.workloads.is_empty() {
            return;
        }
        if let Some(reason) = completeness.unread(namespace, None) {
            missing.get_or_insert_with(|| reason.clone());
        } else if let Some(reason) = self.made.unknown(record) {
            missing.get_or_insert(reason);
        } else if !completeness.is_declared(namespace) {
            let place = match namespace {
                "" => String::from("the namespace of this policy"),
                name => format!("namespace {name}"),
            };
            record.assumptions = vec![format!("all workloads of {place} are in the view")];
        }
    }

    fn select(
        &self,
        namespace: &str,
        selector: &MatchLabels,
        everywhere: bool,
    ) -> Vec<Arc<WorkloadRecord>> {
        self.index
            .candidates((!everywhere).then_some(namespace), selector)
            .iter()
            .filter_map(|at| self.records.get(*at))
            .filter(|r| selector.matches(r.workload.labels()))
            .map(Arc::clone)
            .collect()
    }

    fn authorization(&self, record: &mut PolicyRecord, missing: &mut Option<UnknownReason>) {
        let analysis = self.analysis;
        let Some(policy) = self.istio.authorization.get(&record.resource.id) else {
            return;
        };
        record.everywhere = policy.namespace == analysis.istio.config.root_namespace;
        record.action = match policy.action {
            Action::Allow => "allow",
            Action::Deny => "deny",
            Action::Custom => "custom",
            Action::Audit => "audit",
        };
        record.workloads = if policy.targets.is_empty() {
            self.select(&policy.namespace, &policy.selector, record.everywhere)
        } else {
            self.targeted(policy)
        };
        record.gaps =
            analysis
                .istio
                .authorization_gaps(&analysis.topology, policy, &record.workloads);
        record.sources = gaps::sources(policy, &record.workloads);
        missing.clone_from(&policy.unknown);
    }

    /// Workloads behind the Services that a policy targets.
    fn targeted(&self, policy: &gaps::AuthorizationPolicy) -> Vec<Arc<WorkloadRecord>> {
        let topology = &self.analysis.topology;
        let services = policy.targets.iter().filter(|t| t.kind == "Service");
        services
            .flat_map(|t| topology.behind(&policy.namespace, &t.name))
            .filter_map(|w| self.records.get(crate::source::to_usize(w.id.0)))
            .map(Arc::clone)
            .collect()
    }

    fn peer(&self, record: &mut PolicyRecord, missing: &mut Option<UnknownReason>) {
        let istio = &self.analysis.istio;
        let Some(policy) = self.istio.peer.get(&record.resource.id) else {
            return;
        };
        record.everywhere = policy.namespace == istio.config.root_namespace;
        // Unlike an AuthorizationPolicy's, a selector in the root namespace reaches no other namespace.
        let wide = record.everywhere && policy.selector.is_empty();
        record.workloads = self.select(&policy.namespace, &policy.selector, wide);
        record.gaps = istio.peer_gaps(policy, &record.workloads);
        missing.clone_from(&policy.unknown);
    }

    fn token(&self, record: &mut PolicyRecord) {
        let istio = &self.analysis.istio;
        let namespace = record.namespace.as_str().to_owned();
        record.everywhere = namespace == istio.config.root_namespace;
        let labels = record
            .resource
            .object()
            .at(&["spec", "selector", "matchLabels"]);
        let selector = MatchLabels::read(labels);
        record.workloads = self.select(&namespace, &selector, record.everywhere);
        record.gaps = istio.token_gaps(&record.resource, &record.workloads);
    }

    fn destination(&self, record: &mut PolicyRecord) {
        let analysis = self.analysis;
        let istio = &analysis.istio;
        let Some(rule) = self.istio.destination.get(&record.resource.id) else {
            return;
        };
        record.everywhere = rule.namespace == istio.config.root_namespace;
        record.calls = istio.calls_of(&analysis.topology, self.clients, rule);
        let only_ambient = || istio.has_only_ambient(&analysis.topology);
        if *self.only_ambient.get_or_init(only_ambient) {
            record.gaps = gaps::unread(rule).into_iter().collect();
        }
    }
}

/// What the Istio engine read, by object.
struct OfIstio<'s> {
    authorization: BTreeMap<ResourceId, &'s gaps::AuthorizationPolicy>,
    peer: BTreeMap<ResourceId, &'s gaps::PeerAuthentication>,
    destination: BTreeMap<ResourceId, &'s gaps::DestinationRule>,
}

impl<'s> OfIstio<'s> {
    fn of(analysis: &'s Analysis<'_>) -> Self {
        let istio = &analysis.istio;
        Self {
            authorization: istio.policies.all().map(|p| (p.resource.id, p)).collect(),
            peer: istio
                .peer_authentications
                .all()
                .map(|p| (p.resource.id, p))
                .collect(),
            destination: istio
                .destination_rules
                .all()
                .map(|r| (r.resource.id, r))
                .collect(),
        }
    }
}
