//! L3: where clusters begin. Input: every Flux Kustomization and Argo CD Application of the tree; output: `Entry`s: the folders
//! that nothing else applies, those of one cluster together.
//!
//! `flux bootstrap` makes a Kustomization that applies the folder it stands in; where it is missing, that folder is taken.
//! Two entries are never joined when both name the same applier differently: that is what two environments look like.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::kustomize::files::{is_in_or_below, parent};
use crate::resource::Resource;
use crate::view::gitops::argo;
use crate::view::gitops::flux::{self, Known, key};
use crate::view::gitops::paths::upwards;
use crate::view::gitops::units::Units;

/// A folder name whose sub-folders are clusters.
const HOLDERS: [&str; 5] = ["clusters", "cluster", "environments", "envs", "fleets"];

/// Where one cluster begins.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// The folder that it is named after.
    pub(super) folder: String,
    /// Folders with appliers, in order.
    pub(super) anchors: BTreeSet<String>,
    /// Whether all of the folder belongs to the cluster, as Flux would apply it.
    pub(super) is_whole: bool,
    /// The applier that applies the folder it stands in.
    pub(super) applies_itself: Option<Arc<Resource>>,
}

/// An applier with where it stands and what it applies.
struct Placed {
    resource: Arc<Resource>,
    anchor: String,
    /// The folders that it applies.
    targets: Vec<String>,
}

/// Finds the entries of the tree, `claimed` files left out.
pub(super) fn find(
    units: &mut Units<'_>,
    appliers: &[&Arc<Resource>],
    claimed: &BTreeSet<u32>,
) -> Vec<Entry> {
    let placed = place(units, appliers, claimed);
    let mut by_target: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for applier in &placed {
        for target in &applier.targets {
            by_target.entry(target).or_default().insert(&applier.anchor);
        }
    }
    // A folder that another one's applier applies is no beginning.
    let is_applied = |anchor: &str| {
        let others = upwards(anchor).filter_map(|at| by_target.get(at)).flatten();
        others.copied().any(|from| !is_in_or_below(from, anchor))
    };
    let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
    for applier in &placed {
        if is_applied(&applier.anchor) {
            continue;
        }
        let folder = cluster_folder(&applier.anchor);
        let entry = entries.entry(folder.clone()).or_default();
        entry.folder = folder;
        entry.anchors.insert(applier.anchor.clone());
        let is_flux = flux::is_applier(&applier.resource);
        entry.is_whole |= is_flux && !entry.folder.is_empty();
        if is_flux && applier.targets.contains(&entry.folder) {
            entry.applies_itself = Some(Arc::clone(&applier.resource));
        }
    }
    join(entries, &placed)
}

/// Where each applier stands: the leaf that takes its file in, the folder that it applies when it stands therein, or its own.
fn place(
    units: &mut Units<'_>,
    appliers: &[&Arc<Resource>],
    claimed: &BTreeSet<u32>,
) -> Vec<Placed> {
    let known: Known = (units.loaded.resources.iter())
        .filter(|r| flux::is_source(r) || r.kind() == "ArtifactGenerator")
        .map(|r| {
            (
                key(r.kind(), r.namespace.as_deref().unwrap_or(""), &r.name),
                Arc::clone(r),
            )
        })
        .collect();
    let files: BTreeSet<u32> = appliers
        .iter()
        .map(|applier| applier.tree.source().id.0)
        .filter(|file| !claimed.contains(file))
        .collect();
    let holders = units.holders(&files);
    let mut placed = Vec::new();
    for applier in appliers {
        let file = applier.tree.source().id.0;
        if !files.contains(&file) {
            continue;
        }
        let own = Units::folder_of(applier).to_owned();
        let targets: Vec<String> = if flux::is_applier(applier) {
            let order = flux::order(applier, &known);
            order
                .ok()
                .and_then(|order| units.resolve(&order.path, &own))
                .into_iter()
                .collect()
        } else {
            let orders = argo::orders(applier, units.folders, &own);
            let orders = orders.into_iter().flatten();
            orders
                .filter_map(|order| units.source(&order, &own).ok())
                .collect()
        };
        let within = targets.iter().find(|target| is_in_or_below(&own, target));
        let anchors = match (within, holders.get(&file)) {
            (Some(target), _) => vec![target.clone()],
            (None, Some(leaves)) => leaves.clone(),
            (None, None) => vec![own],
        };
        placed.extend(anchors.into_iter().map(|anchor| Placed {
            resource: Arc::clone(applier),
            anchor,
            targets: targets.clone(),
        }));
    }
    placed
}

/// `clusters/prod/infra` → `clusters/prod`.
fn cluster_folder(anchor: &str) -> String {
    let parts: Vec<&str> = anchor.split('/').collect();
    let holder = parts.iter().position(|part| HOLDERS.contains(part));
    match holder {
        Some(at) if at + 1 < parts.len() => parts.get(..at + 2).unwrap_or(&parts).join("/"),
        _ => anchor.to_owned(),
    }
}

/// Takes entries below another one into it, unless the two say different things of one applier.
fn join(mut entries: BTreeMap<String, Entry>, placed: &[Placed]) -> Vec<Entry> {
    let mut of_anchor: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
    for applier in placed {
        let resource = &applier.resource;
        let name = (resource.kind(), resource.name.as_str());
        of_anchor.entry(&applier.anchor).or_default().insert(name);
    }
    let clash = |a: &Entry, b: &Entry| {
        let names = |entry: &Entry| -> BTreeSet<(&str, &str)> {
            let anchors = entry.anchors.iter();
            let names = anchors.filter_map(|anchor| of_anchor.get(anchor.as_str()));
            names.flatten().copied().collect()
        };
        !names(a).is_disjoint(&names(b))
    };
    let folders: Vec<String> = entries.keys().rev().cloned().collect();
    for folder in folders {
        let upper = upwards(parent(&folder))
            .filter(|at| !at.is_empty())
            .find(|at| entries.contains_key(*at))
            .map(str::to_owned);
        let Some(upper) = upper else { continue };
        let Some(lower) = entries.remove(&folder) else {
            continue;
        };
        match entries.get_mut(&upper) {
            Some(entry) if !clash(entry, &lower) => {
                entry.anchors.extend(lower.anchors);
                entry.is_whole |= lower.is_whole;
            }
            _ => {
                entries.insert(folder, lower);
            }
        }
    }
    entries.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::cluster_folder;

    #[test]
    fn folders_of_one_cluster_are_one() {
        for (anchor, folder) in [
            ("clusters/prod/infra/x", "clusters/prod"),
            ("clusters/prod", "clusters/prod"),
            ("clusters", "clusters"),
            ("kubernetes/clusters/a/b", "kubernetes/clusters/a"),
            ("argocd/apps", "argocd/apps"),
            ("", ""),
        ] {
            assert_eq!(cluster_folder(anchor), folder);
        }
    }
}
