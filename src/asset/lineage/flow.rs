//! Protected data on its way out. Input: the lineage graph and the labels of assets and namespaces; output: `Leak`s. Only labelled sources
//! start a flow.

use std::collections::HashMap;
use std::sync::Arc;

use crate::asset::governance;
use crate::asset::inventory::Inventory;
use crate::asset::lineage::{Lineage, held, namespaces};
use crate::asset::link::Links;
use crate::facts::lineage::{Edge, NodeKind};
use crate::pods;
use crate::resource::{Resource, ResourceId};
use crate::source::Span;
use crate::view::View;

/// A way by which protected data can reach an external provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    /// Words for where the data comes from, `claim ml/records`; empty when the asset itself is labelled.
    pub source: String,
    /// The protected classes, joined by `, `.
    pub classification: String,
    /// Name of the provider.
    pub provider: String,
    /// Host of the provider; empty when only the provider is named.
    pub host: String,
    /// Number of hops from the source; 1 when the source calls the provider itself.
    pub hops: usize,
    /// Whether every way passes something that redacts.
    pub redacted: bool,
    /// Whether an annotation approves it.
    pub approved: bool,
    /// Last day of the approval; empty = no end.
    pub until: String,
    /// The way in words: `ml/triage, then llm-gateway ai/litellm, then openai (api.openai.com)`.
    pub way: String,
    /// Label, then each hop, with its words.
    pub steps: Arc<[(Span, String)]>,
    /// The object that the data comes from, and its Namespace: the label and the approval stand there.
    pub labelled: Arc<[ResourceId]>,
    /// Sender and receiver of each hop, in the graph that it was found in.
    pub hops_between: Arc<[(usize, usize)]>,
}

/// The leaks of each asset, in the order of the inventory. What a labelled claim or another workload sends stands at the first asset on its
/// way, unless that leaks the same itself.
#[must_use]
pub fn leaks(view: &View, inventory: &Inventory, links: &[Links]) -> Vec<Vec<Leak>> {
    if is_anything_protected(view, inventory, &namespaces(view)) {
        leaks_in(&Lineage::of(view, inventory, links), view, inventory)
    } else {
        vec![Vec::new(); inventory.assets.len()]
    }
}

/// The same in a graph that is drawn already.
#[must_use]
pub fn leaks_in(lineage: &Lineage, view: &View, inventory: &Inventory) -> Vec<Vec<Leak>> {
    let mut leaks = vec![Vec::new(); inventory.assets.len()];
    let namespaces = namespaces(view);
    if !is_anything_protected(view, inventory, &namespaces) {
        return leaks;
    }
    let namespace = |space: &str| namespaces.get(space).map(|n| n.as_ref());
    let own = inventory.assets.iter().zip(&lineage.assets).enumerate();
    for (at, (asset, &node)) in own {
        let source = Source::of(&asset.resource, namespace(asset.namespace.as_str()), node);
        if let (Some(source), Some(list)) = (source, leaks.get_mut(at)) {
            *list = source
                .leaks(lineage)
                .into_iter()
                .map(|(leak, _)| leak)
                .collect();
        }
    }
    let workloads = lineage
        .workloads
        .iter()
        .filter_map(|(resource, space, node)| Source::of(resource, namespace(space), *node));
    let claims = view
        .of_kind("", "PersistentVolumeClaim")
        .filter_map(|member| {
            let name = held::claim_name(member.namespace.as_str(), &member.resource.name);
            let node = lineage.graph.find(NodeKind::Store, &name)?;
            Source::of(&member.resource, None, node)
        });
    let at_node: HashMap<usize, usize> = (0..)
        .zip(&lineage.assets)
        .map(|(at, &node)| (node, at))
        .collect();
    for source in workloads.chain(claims) {
        for (mut leak, stops) in source.leaks(lineage) {
            let first = stops.iter().find_map(|node| at_node.get(node));
            let Some(list) = first.and_then(|&at| leaks.get_mut(at)) else {
                continue;
            };
            let same = |known: &Leak| {
                known.provider == leak.provider
                    && known.host == leak.host
                    && known.classification == leak.classification
            };
            if !list.iter().any(same) {
                leak.source = lineage
                    .graph
                    .nodes
                    .get(source.node)
                    .map_or_else(String::new, |n| n.words.clone());
                list.push(leak);
            }
        }
    }
    leaks
}

/// A cheap look before the graph is drawn: without a label nothing flows.
fn is_anything_protected(
    view: &View,
    inventory: &Inventory,
    namespaces: &HashMap<&str, &Arc<Resource>>,
) -> bool {
    if inventory.assets.is_empty() {
        return false;
    }
    let labelled = |resource: &Resource| protected_by(resource, None).is_some();
    let runs = |resource: &Resource| {
        pods::carries_pods(resource)
            || resource.group() == "argoproj.io"
            || resource.kind() == "PersistentVolumeClaim"
    };
    namespaces.values().any(|namespace| labelled(namespace))
        || inventory
            .assets
            .iter()
            .any(|asset| labelled(&asset.resource))
        || view
            .members
            .iter()
            .any(|member| runs(&member.resource) && labelled(&member.resource))
}

/// The protected classes that labels state, joined, with the label.
fn protected_by(own: &Resource, namespace: Option<&Resource>) -> Option<(String, Span)> {
    let node = governance::classification(own, namespace)?;
    let classes = governance::protected(node.text());
    (!classes.is_empty()).then(|| (classes.join(", "), node.span()))
}

struct Source<'a> {
    resource: &'a Resource,
    namespace: Option<&'a Resource>,
    node: usize,
    classes: String,
    label: Span,
}

impl<'a> Source<'a> {
    fn of(resource: &'a Resource, namespace: Option<&'a Resource>, node: usize) -> Option<Self> {
        let (classes, label) = protected_by(resource, namespace)?;
        Some(Self {
            resource,
            namespace,
            node,
            classes,
            label,
        })
    }

    /// Each leak with the nodes on its way.
    fn leaks(&self, lineage: &Lineage) -> Vec<(Leak, Vec<usize>)> {
        let mut leaks: Vec<(Leak, Vec<usize>)> = Vec::new();
        for redacted in [false, true] {
            for way in lineage.graph.ways_out(self.node, redacted) {
                if let Some(leak) = self.leak(lineage, &way, redacted)
                    && !leaks
                        .iter()
                        .any(|(l, _)| l.provider == leak.provider && l.host == leak.host)
                {
                    leaks.push((leak, way.iter().map(|edge| edge.to).collect()));
                }
            }
        }
        leaks
    }

    fn leak(&self, lineage: &Lineage, way: &[&Edge], redacted: bool) -> Option<Leak> {
        let end = lineage.graph.nodes.get(way.last()?.to)?;
        let (provider, host) = end.name.split_once('/')?;
        let words = |at: usize| lineage.graph.nodes.get(at).map_or("", |n| n.words.as_str());
        let mut steps = vec![(self.label, format!("classified as {}", self.classes))];
        for edge in way {
            let says = format!("{} {}", words(edge.from), edge.says);
            steps.push((edge.span, says));
        }
        let stops: Vec<&str> = way.iter().map(|edge| words(edge.to)).collect();
        let approval = governance::approvals(self.resource, self.namespace)
            .into_iter()
            .find(|(what, _)| {
                what.eq_ignore_ascii_case(provider) || what.eq_ignore_ascii_case(host)
            });
        Some(Leak {
            source: String::new(),
            classification: self.classes.clone(),
            provider: provider.to_owned(),
            host: host.to_owned(),
            hops: way.len(),
            redacted,
            approved: approval.is_some(),
            until: approval
                .and_then(|(_, until)| until)
                .unwrap_or("")
                .to_owned(),
            way: stops.join(", then "),
            steps: Arc::from(steps),
            labelled: std::iter::once(self.resource)
                .chain(self.namespace)
                .map(|resource| resource.id)
                .collect(),
            hops_between: way.iter().map(|edge| (edge.from, edge.to)).collect(),
        })
    }
}
