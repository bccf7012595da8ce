//! The pods that selectors choose from. Input: workloads, Namespaces, Gateways that proxies are made of; output: sets of numbered pods.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::facts::Assumptions;
use crate::facts::access::intervals::Intervals;
use crate::facts::access::pods::{ELSEWHERE, Pod, PodNamespace, Pods};
use crate::facts::label_selector::{LabelSelector, NAMESPACE_NAME};
use crate::topology::Topology;
use crate::view::View;
use crate::yaml::{Key, NodeRef};

/// The label that Istio gives to proxies it makes of a Gateway.
const GATEWAY_NAME: &str = "gateway.networking.k8s.io/gateway-name";

/// Pods, their labels, and what was selected already.
pub(super) struct Cluster<'v> {
    pub(super) pods: Arc<Pods>,
    topology: &'v Topology,
    assumed: &'v BTreeMap<String, BTreeMap<String, String>>,
    known: HashMap<String, Arc<Intervals>>,
}

/// Whose pods a selector chooses from.
#[derive(Clone, Copy)]
pub(super) enum Scope<'s> {
    /// One namespace.
    Own(&'s str),
    /// The namespaces with these labels.
    Selected(&'s LabelSelector),
}

impl<'v> Cluster<'v> {
    /// Numbers the pods of a view; `named` are namespaces that policies name.
    pub(super) fn of(
        view: &View,
        topology: &'v Topology,
        assume: &'v Assumptions,
        named: BTreeSet<String>,
    ) -> Self {
        let mut namespaces: BTreeMap<String, Vec<Pod>> =
            named.into_iter().map(|name| (name, Vec::new())).collect();
        for name in topology.namespaces.keys().chain(assume.namespaces.keys()) {
            namespaces.entry(name.clone()).or_default();
        }
        for workload in &topology.workloads {
            let pod = Pod {
                name: workload.name().to_owned(),
                account: workload.service_account.clone(),
                workload: Some(workload.id),
            };
            let namespace = workload.namespace.as_str().to_owned();
            namespaces.entry(namespace).or_default().push(pod);
        }
        for member in view.of_kind("gateway.networking.k8s.io", "Gateway") {
            let class = member.resource.object().at(&["spec", "gatewayClassName"]);
            let account = match class.map_or("", NodeRef::text) {
                "istio-waypoint" => member.resource.name.clone(),
                class if class.starts_with("istio") => {
                    format!("{}-{class}", member.resource.name)
                }
                _ => continue,
            };
            let pod = Pod {
                name: member.resource.name.clone(),
                account,
                workload: None,
            };
            let namespace = member.namespace.as_str().to_owned();
            namespaces.entry(namespace).or_default().push(pod);
        }
        Self {
            pods: Arc::new(Pods::of(namespaces.into_iter().collect())),
            topology,
            assumed: &assume.namespaces,
            known: HashMap::new(),
        }
    }

    /// The pods of a scope with these labels; `None` = whatever their labels. Pods in the network of their node appear under its address
    /// and are never selected.
    pub(super) fn select(
        &mut self,
        scope: Scope<'_>,
        labels: Option<&LabelSelector>,
    ) -> Arc<Intervals> {
        let of = match scope {
            Scope::Own(name) => format!("={name}"),
            Scope::Selected(selector) => selector.signature(),
        };
        let signature = format!(
            "{of}|{}",
            labels.map_or(String::new(), LabelSelector::signature)
        );
        if let Some(known) = self.known.get(&signature) {
            return Arc::clone(known);
        }
        let everything = LabelSelector::default();
        let labels = labels.unwrap_or(&everything);
        let mut runs = Vec::new();
        if let Scope::Selected(selector) = scope
            && selector.matches(|_| None)
            && labels.matches(|_| None)
        {
            let elsewhere = u128::from(ELSEWHERE);
            runs.push((elsewhere, elsewhere));
            runs.push((u128::from(self.pods.last()) + 1, u128::MAX));
        }
        for namespace in self.pods.namespaces() {
            let within = match scope {
                Scope::Own(name) => namespace.name == name,
                Scope::Selected(selector) => selector.matches(|key| self.label_of(namespace, key)),
            };
            if within {
                self.select_in(namespace, labels, &mut runs);
            }
        }
        let set = Arc::new(Intervals::from_list(runs));
        self.known.insert(signature, Arc::clone(&set));
        set
    }

    fn select_in(
        &self,
        namespace: &PodNamespace,
        labels: &LabelSelector,
        runs: &mut Vec<(u128, u128)>,
    ) {
        for number in namespace.first..=namespace.last {
            let Some(pod) = self.pods.pod(number) else {
                continue;
            };
            let workload = pod.workload.and_then(|id| self.topology.workload(id));
            let selected = match workload {
                Some(w) if w.host_network => false,
                Some(w) => {
                    let own = w.labels();
                    labels.is_everything()
                        || labels.matches(|key| own?.get_key(key).map(NodeRef::text))
                }
                None => labels.matches(|key| {
                    (key.name() == GATEWAY_NAME && !pod.name.is_empty()).then_some(&*pod.name)
                }),
            };
            if selected {
                runs.push((u128::from(number), u128::from(number)));
            }
        }
    }

    fn label_of<'c>(&'c self, namespace: &'c PodNamespace, key: &Key) -> Option<&'c str> {
        if key.name() == NAMESPACE_NAME {
            return Some(namespace.name.as_str()).filter(|name| !name.is_empty());
        }
        match self.topology.namespaces.get(&namespace.name) {
            Some(object) => object
                .object()
                .at(&["metadata", "labels"])?
                .get_key(key)
                .map(NodeRef::text),
            None => self
                .assumed
                .get(&namespace.name)?
                .get(key.name())
                .map(String::as_str),
        }
    }

    /// Namespaces with pods whose labels the files do not tell.
    pub(super) fn unlabelled(&self) -> Vec<String> {
        let unknown = |n: &&PodNamespace| {
            !self.topology.namespaces.contains_key(&n.name) && !self.assumed.contains_key(&n.name)
        };
        let inhabited = |n: &&PodNamespace| n.first < n.last;
        let namespaces = self.pods.namespaces().iter();
        namespaces
            .filter(unknown)
            .filter(inhabited)
            .map(|n| n.name.clone())
            .collect()
    }
}
