//! L3: views of GitOps sources. Input: everything loaded; output: `Plan`s for what Flux, Argo CD and kustomizations apply, the
//! files they claim, and what could not be worked out.
//!
//! A kustomization that no other one names is a *leaf*, and a view. Where Flux Kustomizations or Argo CD Applications stand in
//! the tree, all that one cluster applies is one view instead, and the leaves that it reaches are parts of it.

mod argo;
mod entries;
mod flux;
mod follow;
mod leaves;
mod paths;
mod units;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::discover::{Beside, Root};
use crate::kustomize::{Engine, LoadedFiles};
use crate::load::problem::InputProblem;
use crate::load::{Loaded, LoadedFile};
use crate::resource::Resource;
use crate::source::Span;
use crate::view::build::{Plan, ViewSettings};
use crate::view::gitops::follow::Followed;
use crate::view::gitops::leaves::Leaves;
use crate::view::gitops::paths::Folders;
use crate::view::gitops::units::Units;

/// Something that is applied, and that nothing here can work out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unread {
    /// The file that names it, as printed.
    pub path: String,
    /// Why, as the ledger prints it: a kind of reason, a colon, the detail.
    pub reason: String,
    /// Whether a view lacks it, and tells so.
    pub is_lack: bool,
}

/// What the finders make of the GitOps sources of a run.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Views of the configuration, then the others.
    pub(crate) plans: Vec<Plan>,
    /// Files that belong to one of them, by number.
    pub(crate) claimed: BTreeSet<u32>,
    /// Claimed files whose objects are applied as they stand.
    pub(crate) raw: BTreeSet<u32>,
    /// Objects that were built; their numbers follow those loaded.
    pub(crate) resources: Vec<Arc<Resource>>,
    /// Files read on demand; their numbers follow those loaded.
    pub(crate) more: Vec<(LoadedFile, Vec<Span>)>,
    /// Kustomizations that cannot be built.
    pub(crate) problems: Vec<InputProblem>,
    /// What is not analysed, sorted.
    pub(crate) unread: Vec<Unread>,
    /// Secret bytes of what was built.
    pub(crate) secrets: Vec<Span>,
}

/// Finds the views that the configuration and the tree declare; none of it is a plain folder.
pub(crate) fn find(
    loaded: &Loaded,
    roots: &[Root],
    beside: &dyn Beside,
    settings: &ViewSettings,
) -> Found {
    let appliers: Vec<&Arc<Resource>> = (loaded.resources.iter())
        .filter(|resource| flux::is_applier(resource) || argo::is_applier(resource))
        .collect();
    let kustomizations = leaves::folders(loaded);
    if appliers.is_empty() && kustomizations.is_empty() && settings.named.is_empty() {
        return Found::default();
    }
    let files = LoadedFiles::new(loaded, beside);
    let engine = Engine::new(&files);
    let leaves = Leaves::new(&engine, kustomizations);
    let folders = Folders::new(loaded);
    let mut units = Units::new(loaded, &files, &folders, &leaves, &engine);
    units.learn(&appliers);
    let mut found = Found::default();
    for (name, paths) in &settings.named {
        let followed = follow::declared(&mut units, paths);
        found.add(followed, name.clone(), Some("config"));
    }
    for entry in entries::find(&mut units, &appliers, &found.claimed) {
        let name = name(entry.folder.as_str(), roots, "cluster");
        let clusters = follow::cluster(&mut units, &entry);
        for (cluster, followed) in clusters {
            let name = match cluster {
                None => name.clone(),
                Some(cluster) => format!("{name}@{cluster}"),
            };
            found.add(followed, name, None);
        }
    }
    let is_open = |leaf: &&str| {
        leaves
            .file(leaf)
            .is_none_or(|file| !found.claimed.contains(&file))
    };
    let open: Vec<&str> = leaves.leaves().filter(is_open).collect();
    units.build_all(open.iter().map(|leaf| (*leaf).to_owned()));
    for leaf in open {
        let mut followed = Followed::default();
        followed.add(&units.kustomization(leaf), None);
        found.add(followed, name(leaf, roots, "."), Some("kustomization"));
    }
    for (folder, unread) in leaves.unused(&found.claimed) {
        found.claimed.extend(leaves.file(&folder));
        if unread.is_some() {
            // What a Component names is a part of it, as of any kustomization.
            let parts = engine.consumed(&folder);
            let parts = parts.iter().filter_map(|path| files.number(path));
            found.claimed.extend(parts);
        }
        found.unread.extend(unread);
    }
    let built = units.finish();
    found.resources = built.resources;
    found.problems = built.problems;
    found.secrets = built.secrets;
    found.unread.extend(built.unread);
    found.unread.sort();
    found.unread.dedup();
    drop(engine);
    found.more = files.into_more();
    found
}

/// The name of a view: its folder as seen from the path of the command line that holds it, so that it is short, and the same
/// for another copy of the tree; `of_root` stands for that path itself.
pub(crate) fn name(folder: &str, roots: &[Root], of_root: &str) -> String {
    let mut folders = roots.iter().filter(|root| root.is_folder);
    let root = match (folders.next(), folders.next()) {
        (Some(root), None) if root.shown != "." => root.shown.as_str(),
        _ => "",
    };
    if folder == root || folder.is_empty() {
        return of_root.to_owned();
    }
    let inside = folder.strip_prefix(root);
    let inside = inside.and_then(|rest| rest.strip_prefix('/'));
    inside.unwrap_or(folder).to_owned()
}

impl Found {
    /// Adds a view; `found_by` when it is not to be told from the parts.
    fn add(&mut self, followed: Followed, name: String, found_by: Option<&'static str>) {
        let ways: Vec<&str> = followed.ways.iter().copied().collect();
        let found_by = found_by.map_or_else(|| ways.join(" and "), str::to_owned);
        self.claimed.extend(followed.files.iter().copied());
        for part in &followed.parts {
            self.raw.extend(&part.files);
        }
        self.unread.extend(followed.unread);
        self.plans.push(Plan {
            name,
            found_by,
            files: followed.files.into_iter().collect(),
            parts: followed.parts,
            opaque: followed.opaque,
            is_declared: true,
            overlays: followed.overlays.len(),
            is_plain: false,
        });
    }
}
