//! Workloads that are no assets. Input: a `View` and the drawing of its assets; output: nodes for those that call an asset, share a claim
//! with one, or write what one loads. Others have no place in the graph.

use std::collections::HashSet;
use std::sync::Arc;

use crate::asset::inventory::Inventory;
use crate::asset::lineage::address::Addresses;
use crate::asset::lineage::held::{self, Held};
use crate::asset::lineage::{Drawing, Lineage};
use crate::facts::exposure::join;
use crate::facts::lineage::{Node, NodeKind};
use crate::pods;
use crate::resource::{Resource, ResourceId};
use crate::view::{Member, View};
use crate::yaml::NodeRef;

pub(super) fn draw<'v>(
    view: &'v View,
    inventory: &Inventory,
    addresses: &Addresses<'v>,
    lineage: &mut Lineage,
) {
    let assets: HashSet<ResourceId> = inventory.assets.iter().map(|a| a.resource.id).collect();
    let runs = |member: &&Member| {
        let resource = &member.resource;
        let is_workflow = resource.group() == "argoproj.io" && resource.kind().contains("Workflow");
        (is_workflow || pods::carries_pods(resource)) && !resource.is_assumed()
    };
    for member in view.members.iter().filter(runs) {
        let resource = &member.resource;
        if assets.contains(&resource.id) {
            continue;
        }
        let space = member.namespace.as_str();
        let mut shared = held::of(resource, space);
        shared.retain(|held| has_node(lineage, held));
        let configs = addresses.configs_of(resource, space);
        let calls = std::iter::once(resource)
            .chain(configs.iter().copied())
            .any(|resource| calls_asset(resource, addresses, space));
        if shared.is_empty() && !calls {
            continue;
        }
        let from = node(lineage, member);
        let mut drawing = Drawing {
            lineage,
            inventory,
            addresses,
            from,
            stated: resource.id,
            space,
        };
        drawing.texts(resource);
        for config in configs {
            drawing.texts(config);
        }
        for held in shared {
            drawing.held(held);
        }
    }
}

/// The node of a workload, which is added when it is new.
pub(super) fn node(lineage: &mut Lineage, member: &Member) -> usize {
    let (resource, space) = (&member.resource, member.namespace.as_str());
    let reference = join(space, &resource.name);
    let name = format!("{}:{reference}", resource.kind());
    if let Some(known) = lineage.graph.find(NodeKind::Workload, &name) {
        return known;
    }
    let node = lineage.graph.node(Node {
        kind: NodeKind::Workload,
        name,
        words: format!("{} {reference}", resource.kind()),
        redacts: false,
    });
    let workload = (Arc::clone(resource), space.to_owned(), node);
    lineage.workloads.push(workload);
    node
}

/// Whether an asset reads or writes the same.
fn has_node(lineage: &Lineage, held: &Held) -> bool {
    lineage.graph.find(held.kind, &held.name).is_some()
}

/// Whether a text of the object names the address of an asset.
fn calls_asset(resource: &Resource, addresses: &Addresses<'_>, space: &str) -> bool {
    let spec = ["spec", "data"].map(|field| resource.object().get(field));
    spec.into_iter()
        .flatten()
        .any(|node| calls(node, addresses, space))
}

/// Depth is that of the document, which the parser caps.
fn calls(node: NodeRef<'_>, addresses: &Addresses<'_>, space: &str) -> bool {
    if node.is_map() {
        let taken = addresses.value_of(node, space);
        taken.is_some_and(|(_, value)| calls(value, addresses, space))
            || node
                .entries()
                .any(|(_, value)| calls(value, addresses, space))
    } else if node.is_seq() {
        node.items().any(|item| calls(item, addresses, space))
    } else {
        node.as_str().is_some_and(|text| {
            let mut found = addresses.in_text(text, space).into_iter();
            found.any(|(_, assets)| !assets.is_empty())
        })
    }
}
