//! Protected data on its way out. Input: the lineage graph and the labels of assets and namespaces; output: `Leak`s. Only labelled sources
//! start a flow.

use std::sync::Arc;

use crate::asset::governance;
use crate::asset::inventory::{Asset, Inventory};
use crate::asset::lineage::{Lineage, namespaces};
use crate::asset::link::Links;
use crate::facts::lineage::Edge;
use crate::resource::Resource;
use crate::source::Span;
use crate::view::View;

/// A way by which protected data can reach an external provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
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
}

/// The leaks of each asset, in the order of the inventory.
#[must_use]
pub fn leaks(view: &View, inventory: &Inventory, links: &[Links]) -> Vec<Vec<Leak>> {
    let namespaces = namespaces(view);
    let labelled = |asset: &Asset| {
        let namespace = namespaces.get(asset.namespace.as_str()).map(|n| n.as_ref());
        let node = governance::classification(&asset.resource, namespace)?;
        let classes = governance::protected(node.text());
        (!classes.is_empty()).then(|| (classes.join(", "), node.span()))
    };
    let sources: Vec<_> = inventory.assets.iter().map(labelled).collect();
    if sources.iter().all(Option::is_none) {
        return vec![Vec::new(); inventory.assets.len()];
    }
    let lineage = Lineage::of(view, inventory, links);
    let of_asset = |(at, source): (usize, Option<(String, Span)>)| {
        let (Some(asset), Some((classes, label))) = (inventory.assets.get(at), source) else {
            return Vec::new();
        };
        let namespace = namespaces.get(asset.namespace.as_str()).map(|n| n.as_ref());
        let source = Source {
            asset,
            namespace,
            classes,
            label,
        };
        source.leaks(&lineage, at)
    };
    sources.into_iter().enumerate().map(of_asset).collect()
}

struct Source<'a> {
    asset: &'a Asset,
    namespace: Option<&'a Resource>,
    classes: String,
    label: Span,
}

impl Source<'_> {
    fn leaks(&self, lineage: &Lineage, at: usize) -> Vec<Leak> {
        let Some(&node) = lineage.assets.get(at) else {
            return Vec::new();
        };
        let mut leaks: Vec<Leak> = Vec::new();
        for redacted in [false, true] {
            for way in lineage.graph.ways_out(node, redacted) {
                if let Some(leak) = self.leak(lineage, &way, redacted)
                    && !leaks
                        .iter()
                        .any(|l| l.provider == leak.provider && l.host == leak.host)
                {
                    leaks.push(leak);
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
        let approval = governance::approvals(&self.asset.resource, self.namespace)
            .into_iter()
            .find(|(what, _)| {
                what.eq_ignore_ascii_case(provider) || what.eq_ignore_ascii_case(host)
            });
        Some(Leak {
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
        })
    }
}
