//! Copies of requests. Input: a `View` and the drawing of its assets; output: edges from who gets a request to who gets its copy.
//!
//! What is sent to a Service is sent to the mirror too (`topology::mirrors`), so the data that the one sees reaches the other. Drawn where an asset
//! is at either end; a mirror outside the cluster is drawn where it is a model provider.

use rustc_hash::FxHashMap;

use crate::asset::inventory::Inventory;
use crate::asset::lineage::address::Addresses;
use crate::asset::lineage::{Drawing, Lineage, workloads};
use crate::asset::provider;
use crate::facts::lineage::Edge;
use crate::resource::ResourceId;
use crate::topology::Topology;
use crate::topology::mirrors::{self, Mirror, Place};
use crate::view::{Member, View};

pub(super) fn draw<'v>(
    view: &'v View,
    inventory: &Inventory,
    addresses: &Addresses<'v>,
    lineage: &mut Lineage,
) {
    let mirrors = mirrors::of(view);
    if mirrors.is_empty() {
        return;
    }
    let workloads = Workloads::of(view, inventory);
    for mirror in mirrors {
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
            senders.extend(workloads.ends(addresses, lineage, (*place, any)));
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
                elsewhere(&workloads, &mut drawing, &mirror, &says);
            }
        }
    }
}

/// A mirror that is no asset: a model provider, or a workload, with what it sends on in turn.
fn elsewhere(
    workloads: &Workloads<'_>,
    drawing: &mut Drawing<'_, '_>,
    mirror: &Mirror<'_>,
    says: &str,
) {
    if let Some(provider) = provider::of_host(mirror.to.name) {
        let host = mirror.to.name;
        drawing.provider(provider.name, host, says.to_owned(), mirror.to.span);
        return;
    }
    let from = drawing.from;
    let behind = mirror.to.service.into_iter();
    for member in behind.flat_map(|to| workloads.behind(to)) {
        let to = workloads.node(drawing.lineage, member);
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

/// The workloads of a view behind its Services, and which of them are assets.
struct Workloads<'v> {
    topology: Topology,
    members: FxHashMap<ResourceId, &'v Member>,
    assets: FxHashMap<ResourceId, usize>,
}

impl<'v> Workloads<'v> {
    fn of(view: &'v View, inventory: &Inventory) -> Self {
        let members = view.members.iter().map(|m| (m.resource.id, m));
        let assets = inventory.assets.iter().enumerate();
        Self {
            topology: Topology::of(view),
            members: members.collect(),
            assets: assets.map(|(at, a)| (a.resource.id, at)).collect(),
        }
    }

    /// Members whose pods a Service selects.
    fn behind(&self, (namespace, name): Place<'_>) -> impl Iterator<Item = &'v Member> {
        let workloads = self.topology.behind(namespace, name);
        workloads.filter_map(|w| self.members.get(&w.resource.id).copied())
    }

    /// The assets behind a Service; where there are none, and any will do, the workloads.
    fn ends(
        &self,
        addresses: &Addresses<'_>,
        lineage: &mut Lineage,
        (place, any): (Place<'_>, bool),
    ) -> Vec<usize> {
        let assets = nodes(lineage, addresses.behind(place));
        if !assets.is_empty() || !any {
            return assets;
        }
        self.behind(place)
            .map(|member| self.node(lineage, member))
            .collect()
    }

    /// The node of an asset, or of a workload.
    fn node(&self, lineage: &mut Lineage, member: &Member) -> usize {
        let asset = self.assets.get(&member.resource.id);
        match asset.and_then(|at| lineage.assets.get(*at)) {
            Some(&node) => node,
            None => workloads::node(lineage, member),
        }
    }
}

fn nodes(lineage: &Lineage, assets: &[usize]) -> Vec<usize> {
    assets
        .iter()
        .filter_map(|&at| lineage.assets.get(at).copied())
        .collect()
}
