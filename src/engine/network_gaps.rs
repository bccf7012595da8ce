//! What network policies really do. Input: NetworkPolicy objects and the workloads they select; output: gaps. `admin` has those of the
//! administrator's policies, `names` whether pods may still ask for names.
//!
//! kubernetes.io/docs/concepts/services-networking/network-policies; kubernetes-sigs/network-policy-api `apis/v1alpha1`, `apis/v1alpha2`.
//! Ports are those of pods: policies apply after Services are resolved.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::facts::label_selector::{LabelSelector, NAMESPACE_NAME};
use crate::facts::policy::{Effect, Gap, Gaps};
use crate::facts::record::WorkloadRecord;
use crate::facts::workload::Protocol;
use crate::resource::Resource;
use crate::source::Span;
use crate::topology::Topology;
use crate::view::{Member, View};
use crate::yaml::NodeRef;

mod admin;
mod names;

/// Workloads of a view by namespace, and the network policies it holds.
pub(crate) struct Network<'n> {
    topology: &'n Topology,
    by_namespace: BTreeMap<&'n str, Vec<&'n Arc<WorkloadRecord>>>,
    /// Names of all namespaces with an object or a workload, sorted.
    names: Vec<&'n str>,
    policies: BTreeMap<&'n str, Vec<&'n Member>>,
    admin: Vec<&'n Member>,
}

impl<'n> Network<'n> {
    pub(crate) fn of(
        view: &'n View,
        topology: &'n Topology,
        records: &'n [Arc<WorkloadRecord>],
    ) -> Self {
        let mut by_namespace: BTreeMap<&str, Vec<&Arc<WorkloadRecord>>> = BTreeMap::new();
        for record in records {
            let namespace = record.workload.namespace.as_str();
            by_namespace.entry(namespace).or_default().push(record);
        }
        let group = "policy.networking.k8s.io";
        let admin = ["AdminNetworkPolicy", "ClusterNetworkPolicy"];
        let mut policies: BTreeMap<&str, Vec<&Member>> = BTreeMap::new();
        for member in view.effective_of_kind("networking.k8s.io", "NetworkPolicy") {
            let namespace = member.namespace.as_str();
            policies.entry(namespace).or_default().push(member);
        }
        let mut names: Vec<&str> = topology.namespaces.keys().map(String::as_str).collect();
        names.extend(by_namespace.keys());
        names.sort_unstable();
        names.dedup();
        Self {
            topology,
            names,
            by_namespace,
            policies,
            admin: admin
                .into_iter()
                .flat_map(|k| view.effective_of_kind(group, k))
                .collect(),
        }
    }

    fn in_namespace(&self, namespace: &str) -> &[&'n Arc<WorkloadRecord>] {
        self.by_namespace.get(namespace).map_or(&[], Vec::as_slice)
    }

    fn pods(&self, namespace: &str, selector: &LabelSelector) -> Vec<Arc<WorkloadRecord>> {
        self.in_namespace(namespace)
            .iter()
            .filter(|r| is_selected(selector, r))
            .map(|r| Arc::clone(r))
            .collect()
    }

    /// Namespaces that a selector matches, among those with an object or a workload in the view.
    fn namespaces(&self, selector: &LabelSelector) -> Vec<&'n str> {
        let mut names = self.names.clone();
        names.retain(|name| {
            let object = self.topology.namespaces.get(*name).map(|n| n.object());
            let own = object.and_then(|o| o.at(&["metadata", "labels"]));
            selector.matches(|key| match key.name() {
                NAMESPACE_NAME => Some(*name),
                _ => own?.get_key(key).map(NodeRef::text),
            })
        });
        names
    }

    /// Workloads that a NetworkPolicy selects; none when its selector cannot be read.
    pub(crate) fn selected(&self, member: &Member) -> Vec<Arc<WorkloadRecord>> {
        let selector = member.resource.object().at(&["spec", "podSelector"]);
        let selector = read(selector);
        selector.map_or_else(Vec::new, |s| self.pods(member.namespace.as_str(), &s))
    }

    /// Workloads that an AdminNetworkPolicy or ClusterNetworkPolicy is about.
    pub(crate) fn subject(&self, resource: &Resource) -> Vec<Arc<WorkloadRecord>> {
        let subject = resource.object().at(&["spec", "subject"]);
        let namespaces = subject.and_then(|s| s.get("namespaces"));
        let pods = subject.and_then(|s| s.get("pods"));
        let of_pods = pods.and_then(|p| p.get("namespaceSelector"));
        let Some(selector) = namespaces.or(of_pods) else {
            return Vec::new();
        };
        let pod_selector = read(pods.and_then(|p| p.get("podSelector")));
        let (Some(selector), Some(pod_selector)) = (read(Some(selector)), pod_selector) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for namespace in self.namespaces(&selector) {
            found.extend(self.pods(namespace, &pod_selector));
        }
        found.retain(|r| !r.workload.host_network);
        found
    }

    /// Gaps of a NetworkPolicy.
    pub(crate) fn gaps(&self, member: &Member, selected: &[Arc<WorkloadRecord>]) -> Vec<Gap> {
        let mut gaps = Gaps::default();
        let Some(spec) = member.resource.object().get("spec") else {
            return Vec::new();
        };
        let namespace = member.namespace.as_str();
        let rules = |list: &str| {
            let list = spec.get(list).into_iter();
            list.flat_map(NodeRef::items).enumerate()
        };
        for (at, rule) in rules("ingress") {
            for entry in rule.get("ports").into_iter().flat_map(NodeRef::items) {
                gaps_of_port(at, entry, selected, &mut gaps);
            }
            self.peers(at, rule.get("from"), namespace, &mut gaps);
        }
        let ingress = rules("ingress").count();
        for (at, rule) in rules("egress") {
            self.peers(ingress + at, rule.get("to"), namespace, &mut gaps);
        }
        if let Some(gap) = self.no_names(member, selected) {
            gaps.push(gap);
        }
        gaps.into_vec()
    }

    /// Peers that match no pod of the view, and lists that say OR where AND is probable.
    fn peers(&self, at: usize, list: Option<NodeRef<'_>>, namespace: &str, gaps: &mut Gaps) {
        let items: Vec<NodeRef<'_>> = list.into_iter().flat_map(NodeRef::items).collect();
        for item in &items {
            let of_namespaces = item.get("namespaceSelector");
            let Some(node) = item.get("podSelector") else {
                continue;
            };
            let Some(pods) = read(Some(node)).filter(|s| !s.is_everything()) else {
                continue;
            };
            let searched: Vec<&str> = match of_namespaces {
                Some(selector) => {
                    read(Some(selector)).map_or_else(Vec::new, |s| self.namespaces(&s))
                }
                None => vec![namespace],
            };
            // Objects that name no namespace may be applied to several.
            let any = |name: &&str| !name.is_empty() && !self.in_namespace(name).is_empty();
            let found = |name: &&str| !self.pods(name, &pods).is_empty();
            if !searched.iter().any(any) || searched.iter().any(found) {
                continue;
            }
            let holds = |s: &NodeRef<'_>| {
                read(Some(*s)).is_some_and(|s| self.namespaces(&s).iter().any(found))
            };
            let stray = items
                .iter()
                .filter(|_| of_namespaces.is_none())
                .filter(|i| i.get("podSelector").is_none())
                .filter_map(|i| i.get("namespaceSelector"))
                .find(holds);
            match stray {
                Some(selector) => gaps.push(stray_dash(at, node, selector, namespace)),
                None => gaps.push(missing(at, node, &searched)),
            }
        }
    }
}

/// A selector, everything where there is none; `None` when it cannot be read.
fn read(node: Option<NodeRef<'_>>) -> Option<LabelSelector> {
    node.map_or(Some(LabelSelector::default()), |n| {
        LabelSelector::read(n).ok()
    })
}

fn is_selected(selector: &LabelSelector, record: &WorkloadRecord) -> bool {
    let labels = record.workload.labels();
    selector.is_everything() || selector.matches(|key| labels?.get_key(key).map(NodeRef::text))
}

/// A name that no selected pod declares, a number that is a Service's port only.
fn gaps_of_port(at: usize, entry: NodeRef<'_>, selected: &[Arc<WorkloadRecord>], gaps: &mut Gaps) {
    let Some(node) = entry.get("port") else {
        return;
    };
    let protocol = Protocol::read(entry.get("protocol").and_then(NodeRef::as_str));
    let ports = || {
        let all = selected
            .iter()
            .flat_map(|r| r.ports.iter().map(move |p| (r, p)));
        all.filter(|(_, p)| p.port.protocol == protocol)
    };
    let Some(first) = selected.first() else {
        return;
    };
    let Some(number) = node.as_i64().and_then(|n| u16::try_from(n).ok()) else {
        if !ports().any(|(_, p)| p.port.name == node.text()) {
            let words = first.workload.reference();
            let says = format!("no port of {words} is named `{}`", node.text());
            gaps.push(gap(
                "port-name-missing",
                Effect::Nothing,
                at,
                node.span(),
                words,
                says,
            ));
        }
        return;
    };
    let until = entry.get("endPort").and_then(NodeRef::as_i64);
    if until.is_some() || ports().any(|(_, p)| p.port.number == number) {
        return;
    }
    if let Some((record, port)) =
        ports().find(|(_, p)| p.port.services.iter().any(|s| s.port == number))
    {
        let words = record.workload.reference();
        let says = format!(
            "{number} is the port of a Service; the pods of {words} listen on {}",
            port.port.number
        );
        gaps.push(gap(
            "service-port",
            Effect::Nothing,
            at,
            node.span(),
            words,
            says,
        ));
    }
}

fn gap(
    why: &'static str,
    effect: Effect,
    rule: usize,
    span: Span,
    subject: String,
    says: String,
) -> Gap {
    Gap {
        why,
        effect,
        rule: Some(rule),
        subject,
        says,
        spans: vec![span],
        assumptions: Vec::new(),
    }
}

fn namespace_words(name: &str) -> String {
    match name {
        "" => String::from("the policy's namespace"),
        _ => format!("namespace {name}"),
    }
}

fn stray_dash(at: usize, pods: NodeRef<'_>, namespaces: NodeRef<'_>, own: &str) -> Gap {
    let says = format!(
        "no pod of {} has these labels, pods of the namespaces beside it have: as two items each of them lets in all it matches",
        namespace_words(own)
    );
    let mut found = gap(
        "stray-dash",
        Effect::More,
        at,
        pods.span(),
        own.to_owned(),
        says,
    );
    found.spans.push(namespaces.span());
    found
}

fn missing(at: usize, pods: NodeRef<'_>, searched: &[&str]) -> Gap {
    let says = match searched {
        [one] => format!("no pod of {} has these labels", namespace_words(one)),
        _ => String::from("no pod of the namespaces it matches has these labels"),
    };
    let words = searched.first().map_or("", |n| *n).to_owned();
    let mut found = gap(
        "peer-missing",
        Effect::Nothing,
        at,
        pods.span(),
        words,
        says,
    );
    let all: Vec<String> = searched.iter().map(|n| namespace_words(n)).collect();
    found.assumptions = vec![format!("all pods of {} are in the view", all.join(", "))];
    found
}
