//! L3: which kustomizations stand for themselves. Input: every kustomization of the tree; output: the leaves, and those that
//! nothing uses.

use std::collections::{BTreeMap, BTreeSet};

use crate::kustomize::files::KUSTOMIZATION_NAMES;
use crate::kustomize::{Engine, Names};
use crate::load::{FileOutcome, Loaded, LoadedFile, Skip};
use crate::view::gitops::Unread;

/// Folders with a kustomization, each with the number of its file.
///
/// A file of that name that holds an object of Flux is a manifest, and one that is a template is not analysed.
pub(super) fn folders(loaded: &Loaded) -> BTreeMap<String, u32> {
    (0u32..)
        .zip(&loaded.files)
        .filter(|(_, file)| is_kustomization(loaded, file))
        .map(|(number, file)| (file.folder().to_owned(), number))
        .collect()
}

fn is_kustomization(loaded: &Loaded, file: &LoadedFile) -> bool {
    let path = &file.source.path;
    let name = path
        .rsplit_once('/')
        .map_or(path.as_str(), |(_, name)| name);
    if !KUSTOMIZATION_NAMES.contains(&name) {
        return false;
    }
    let is_template = matches!(
        file.outcome,
        FileOutcome::Skipped {
            reason: Skip::Template,
            ..
        }
    );
    let is_manifest = (loaded.resources_of(file).iter())
        .any(|r| r.group() != "kustomize.config.k8s.io" && !r.name.is_empty());
    !is_template && !is_manifest
}

/// The kustomizations of a run.
#[derive(Debug)]
pub(super) struct Leaves {
    /// Number of each kustomization's file by folder.
    files: BTreeMap<String, u32>,
    numbers: BTreeSet<u32>,
    names: BTreeMap<String, Names>,
    leaves: BTreeSet<String>,
}

impl Leaves {
    pub(super) fn new(engine: &Engine<'_>, folders: BTreeMap<String, u32>) -> Self {
        let names: BTreeMap<String, Names> = folders
            .keys()
            .filter_map(|folder| Some((folder.clone(), engine.names(folder)?)))
            .collect();
        let leaves = tops(&names, |_| true);
        Self {
            numbers: folders.values().copied().collect(),
            files: folders,
            names,
            leaves,
        }
    }

    /// Folders that no other kustomization names, in order.
    pub(super) fn leaves(&self) -> impl Iterator<Item = &str> {
        self.leaves.iter().map(String::as_str)
    }

    /// The kustomizations among some folders that no other of these names.
    pub(super) fn leaves_among(&self, is_in: impl Fn(&str) -> bool) -> BTreeSet<String> {
        tops(&self.names, is_in)
    }

    /// Whether the folder has a kustomization.
    pub(super) fn has(&self, folder: &str) -> bool {
        self.files.contains_key(folder)
    }

    /// Whether this file is a kustomization.
    pub(super) fn is_kustomization(&self, file: u32) -> bool {
        self.numbers.contains(&file)
    }

    /// The number of a folder's kustomization.
    pub(super) fn file(&self, folder: &str) -> Option<u32> {
        self.files.get(folder).copied()
    }

    /// Folders of kustomizations that no view took in, with a word for the ledger: Components that nothing uses.
    pub(super) fn unused(&self, claimed: &BTreeSet<u32>) -> Vec<(String, Option<Unread>)> {
        let open = self
            .files
            .iter()
            .filter(|(_, file)| !claimed.contains(file));
        open.map(|(folder, _)| {
            let is_component = self.names.get(folder).is_some_and(|n| n.is_component);
            let unread = is_component.then(|| Unread {
                path: folder.clone(),
                reason: String::from("component that no kustomization uses"),
                is_lack: false,
            });
            (folder.clone(), unread)
        })
        .collect()
    }
}

/// Kustomizations that no other one among the given folders names. One of a ring is taken, so that the ring is reported.
fn tops(names: &BTreeMap<String, Names>, is_in: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let inside = || names.iter().filter(|(folder, _)| is_in(folder));
    let named: BTreeSet<&str> = inside()
        .flat_map(|(folder, names)| names.folders.iter().filter(move |f| *f != folder))
        .map(String::as_str)
        .collect();
    let mut tops: BTreeSet<String> = inside()
        .filter(|(folder, names)| !names.is_component && !named.contains(folder.as_str()))
        .map(|(folder, _)| folder.clone())
        .collect();
    let mut reached = BTreeSet::new();
    for top in &tops {
        reach(names, top, &mut reached);
    }
    for (folder, own) in inside().filter(|(_, own)| !own.is_component) {
        if !reached.contains(folder.as_str()) && !own.folders.is_empty() {
            tops.insert(folder.clone());
            reach(names, folder, &mut reached);
        }
    }
    tops
}

fn reach<'n>(names: &'n BTreeMap<String, Names>, top: &str, reached: &mut BTreeSet<&'n str>) {
    let mut queue: Vec<&str> = vec![top];
    while let Some(folder) = queue.pop() {
        if let Some((folder, names)) = names.get_key_value(folder)
            && reached.insert(folder)
        {
            queue.extend(names.folders.iter().map(String::as_str));
        }
    }
}
