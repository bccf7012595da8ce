//! Copies of requests. Input: a `View` and the drawing of its assets; output: edges from who gets a request to who gets its copy.
//!
//! What is sent to a Service is sent to the mirror too (`topology::mirrors`), so the data that the one sees reaches the other. Drawn where an asset
//! is at either end; a mirror outside the cluster is drawn where it is a model provider.

use crate::asset::inventory::Inventory;
use crate::asset::lineage::address::Addresses;
use crate::asset::lineage::{Drawing, Lineage, workloads};
use crate::asset::provider;
use crate::facts::lineage::Edge;
use crate::facts::selector::MatchLabels;
use crate::pods;
use crate::topology::mirrors::{self, Mirror, Place};
use crate::view::{Member, View};

pub(super) fn draw<'v>(
    view: &'v View,
    inventory: &Inventory,
    addresses: &Addresses<'v>,
    lineage: &mut Lineage,
) {
    for mirror in mirrors::of(view) {
        let says = format!(
            "gets requests that {} {} copies",
            mirror.opener.resource.kind(),
            mirror.opener.resource.name
        );
        let to = mirror.to.service.map(|to| addresses.behind(to));
        let to: Vec<usize> = nodes(lineage, to.unwrap_or_default());
        let mut senders = Vec::new();
        for place in &mirror.of {
            let any = !to.is_empty();
            senders.extend(ends(view, inventory, addresses, lineage, (*place, any)));
        }
        let mut drawing = Drawing {
            lineage,
            inventory,
            addresses,
            from: 0,
            space: mirror.opener.namespace.as_str(),
            stated: mirror.opener.resource.id,
        };
        for from in senders {
            drawing.from = from;
            for &to in &to {
                drawing.edge(from, to, says.clone(), mirror.to.span);
            }
            if to.is_empty() {
                elsewhere(view, &mut drawing, &mirror, &says);
            }
        }
    }
}

/// A mirror that is no asset: a model provider, or a workload, with what it sends on in turn.
fn elsewhere(view: &View, drawing: &mut Drawing<'_, '_>, mirror: &Mirror<'_>, says: &str) {
    if let Some(provider) = provider::of_host(mirror.to.name) {
        let host = mirror.to.name;
        drawing.provider(provider.name, host, says.to_owned(), mirror.to.span);
        return;
    }
    let from = drawing.from;
    for member in mirror
        .to
        .service
        .into_iter()
        .flat_map(|to| selected(view, to))
    {
        let to = node_of(drawing.inventory, drawing.lineage, member);
        drawing.lineage.graph.edge(Edge {
            from,
            to,
            says: says.to_owned(),
            span: mirror.to.span,
            stated: mirror.opener.resource.id,
        });
        drawing.from = to;
        drawing.texts(&member.resource);
        drawing.from = from;
    }
}

/// The assets behind a Service; where there are none, and any will do, the workloads.
fn ends(
    view: &View,
    inventory: &Inventory,
    addresses: &Addresses<'_>,
    lineage: &mut Lineage,
    (place, any): (Place<'_>, bool),
) -> Vec<usize> {
    let assets = nodes(lineage, addresses.behind(place));
    if !assets.is_empty() || !any {
        return assets;
    }
    selected(view, place)
        .map(|member| node_of(inventory, lineage, member))
        .collect()
}

/// The node of an asset, or of a workload.
fn node_of(inventory: &Inventory, lineage: &mut Lineage, member: &Member) -> usize {
    let mut assets = inventory.assets.iter();
    let asset = assets.position(|a| a.resource.id == member.resource.id);
    match asset.and_then(|at| lineage.assets.get(at)) {
        Some(&node) => node,
        None => workloads::node(lineage, member),
    }
}

fn nodes(lineage: &Lineage, assets: &[usize]) -> Vec<usize> {
    assets
        .iter()
        .filter_map(|&at| lineage.assets.get(at).copied())
        .collect()
}

/// Members whose pods a Service selects.
fn selected<'v>(
    view: &'v View,
    (namespace, name): Place<'_>,
) -> impl Iterator<Item = &'v Member> + use<'v> {
    let service = view
        .of_kind("", "Service")
        .find(|m| m.resource.name == name && m.namespace.as_str() == namespace);
    let labels = service.and_then(|s| s.resource.object().at(&["spec", "selector"]));
    let selector = MatchLabels::read(labels);
    let space = service.map(|s| &s.namespace);
    view.members.iter().filter(move |member| {
        Some(&member.namespace) == space
            && !selector.is_empty()
            && pods::template(&member.resource)
                .is_some_and(|template| selector.matches(template.at(&["metadata", "labels"])))
    })
}
