//! L3: folders that are applied. Input: a folder and how it is applied; output: its objects, built once a run, or what is not
//! known of them.

mod listing;
mod results;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use crate::kustomize::files::{KUSTOMIZATION_NAMES, is_in_or_below, join};
use crate::kustomize::{Applied, Build, Engine, Files, LoadedFiles, Options};
use crate::load::problem::InputProblem;
use crate::load::{Loaded, LoadedFile};
use crate::resource::Resource;
use crate::source::{Span, to_usize};
use crate::view::Opaque;
use crate::view::gitops::Unread;
use crate::view::gitops::argo::{self, Order, Repositories};
use crate::view::gitops::leaves::Leaves;
use crate::view::gitops::paths::Folders;

/// Why a folder with a chart gives no objects.
pub(super) const NOT_RENDERED: &str = "a Helm chart is not rendered";

/// How Flux builds.
const OF_FLUX: Options = Options {
    show_secrets: false,
    load_anywhere: true,
};

/// What applying a folder means.
#[derive(Clone, Debug, Default)]
pub(super) struct Built {
    /// Objects that were built.
    pub(super) resources: Vec<Arc<Resource>>,
    /// Files whose objects are applied as they stand.
    pub(super) raw: Vec<u32>,
    /// All files that have a part in it.
    pub(super) files: Vec<u32>,
    /// What is not known.
    pub(super) opaque: Vec<Opaque>,
    /// Folders of the kustomizations that were built.
    pub(super) overlays: Vec<String>,
}

/// The results of all builds.
#[derive(Debug, Default)]
pub(super) struct Results {
    pub(super) resources: Vec<Arc<Resource>>,
    pub(super) problems: Vec<InputProblem>,
    pub(super) unread: Vec<Unread>,
    pub(super) secrets: Vec<Span>,
}

/// Builds folders, each once.
pub(super) struct Units<'u> {
    pub(super) loaded: &'u Loaded,
    pub(super) files: &'u LoadedFiles<'u>,
    pub(super) folders: &'u Folders,
    pub(super) leaves: &'u Leaves,
    engine: &'u Engine<'u>,
    cache: BTreeMap<(String, Options), Arc<Built>>,
    results: Results,
    repositories: Repositories,
}

impl<'u> Units<'u> {
    pub(super) fn new(
        loaded: &'u Loaded,
        files: &'u LoadedFiles<'u>,
        folders: &'u Folders,
        leaves: &'u Leaves,
        engine: &'u Engine<'u>,
    ) -> Self {
        Self {
            loaded,
            files,
            folders,
            leaves,
            engine,
            cache: BTreeMap::new(),
            results: Results::default(),
            repositories: Repositories::default(),
        }
    }

    /// What all builds came to.
    pub(super) fn finish(self) -> Results {
        self.results
    }

    /// Builds several kustomizations on all cores, so that [`Units::kustomization`] finds them done.
    pub(super) fn build_all(&mut self, folders: impl IntoIterator<Item = String>) {
        let options = Options::default();
        let folders = folders.into_iter();
        let new = folders.filter(|folder| !self.cache.contains_key(&(folder.clone(), options)));
        let folders: Vec<String> = new.collect();
        // Files are numbered as they are asked for: all are asked for here, in order.
        for folder in &folders {
            self.engine.prepare(folder);
        }
        let engine = self.engine;
        let builds: Vec<Option<Build>> = folders
            .par_iter()
            .map(|folder| engine.build(folder, options))
            .collect();
        for (folder, build) in folders.into_iter().zip(builds) {
            let built = self.absorb(&folder, build, None);
            self.cache.insert((folder, options), Arc::new(built));
        }
    }

    /// The kustomization of a folder as it stands.
    pub(super) fn kustomization(&mut self, folder: &str) -> Arc<Built> {
        self.build(folder, Options::default())
    }

    /// The kustomization of a folder as Flux builds it.
    pub(super) fn by_flux(&mut self, folder: &str) -> Arc<Built> {
        self.build(folder, OF_FLUX)
    }

    fn build(&mut self, folder: &str, options: Options) -> Arc<Built> {
        let key = (folder.to_owned(), options);
        if let Some(known) = self.cache.get(&key) {
            return Arc::clone(known);
        }
        let build = self.engine.build(folder, options);
        let built = Arc::new(self.absorb(folder, build, None));
        self.cache.insert(key, Arc::clone(&built));
        built
    }

    /// A folder as Flux applies it.
    pub(super) fn flux(&mut self, folder: &str, applied: Applied) -> Arc<Built> {
        let has_own = self.has_kustomization(folder);
        if applied.adds_nothing() {
            return if has_own {
                self.by_flux(folder)
            } else {
                Arc::new(self.listing(folder))
            };
        }
        let applied = if has_own {
            applied
        } else {
            applied.listing(self.listed(folder))
        };
        let build = (self.engine).build_applied(folder, Some(&applied), OF_FLUX);
        Arc::new(self.absorb(folder, build, Some(&applied)))
    }

    /// Whether the folder has a kustomization, among the files of the run or beside them.
    pub(super) fn has_kustomization(&self, folder: &str) -> bool {
        let is_there = |name| self.files.yaml(&join(folder, name)).is_some();
        self.leaves.has(folder)
            || (!self.folders.exists(folder) && KUSTOMIZATION_NAMES.into_iter().any(is_there))
    }

    /// A loaded file by number.
    pub(super) fn file(&self, number: u32) -> Option<&'u LoadedFile> {
        self.loaded.files.get(to_usize(number))
    }

    /// The folder that names an object.
    pub(super) fn folder_of(resource: &Resource) -> &str {
        let path = resource.tree.source().path.as_str();
        path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// All objects of a build.
    pub(super) fn objects<'b>(
        &'b self,
        built: &'b Built,
    ) -> impl Iterator<Item = &'b Arc<Resource>> {
        let raw = built.raw.iter().filter_map(|&number| self.file(number));
        raw.flat_map(|file| self.loaded.resources_of(file))
            .chain(&built.resources)
    }

    /// A folder that begins a cluster, as Flux would apply it.
    pub(super) fn entry(&mut self, folder: &str) -> Built {
        if self.leaves.has(folder) {
            return Built::clone(&self.by_flux(folder));
        }
        self.listing(folder)
    }

    /// A folder where appliers stand that nothing else applies.
    pub(super) fn anchor(&mut self, folder: &str) -> Built {
        if self.leaves.has(folder) {
            return Built::clone(&self.kustomization(folder));
        }
        self.directly(folder)
    }

    /// Everything in or below some paths: the kustomizations that no other of these names, and the other files as they stand.
    pub(super) fn below(&mut self, paths: &[String]) -> Built {
        let is_in = |at: &str| paths.iter().any(|path| is_in_or_below(at, path));
        let leaves = self.leaves.leaves_among(is_in);
        self.build_all(leaves.iter().cloned());
        let mut built = Built::default();
        for folder in &leaves {
            built.append(&self.kustomization(folder));
        }
        let known: BTreeSet<u32> = built.files.iter().copied().collect();
        for (number, file) in (0u32..).zip(&self.loaded.files) {
            let path = file.source.path.as_str();
            if !known.contains(&number) && is_in(path) {
                built.files.push(number);
                if !self.leaves.is_kustomization(number) {
                    built.raw.push(number);
                }
            }
        }
        built
    }

    /// The folder that a path of an object in the folder `from` means; it may hold a kustomization beside the loaded files.
    pub(super) fn resolve(&self, path: &str, from: &str) -> Option<String> {
        let known = self.folders.resolve(path, from);
        known.or_else(|| {
            let mut candidates = self.folders.candidates(path, from);
            candidates.find(|folder| self.has_kustomization(folder))
        })
    }

    /// The folder that a source of Argo CD names.
    ///
    /// # Errors
    /// Why there is none, or none that is surely meant.
    pub(super) fn source(&self, order: &Order, from: &str) -> Result<String, String> {
        let Order {
            path, repository, ..
        } = order;
        let Some(folder) = self.resolve(path, from) else {
            return Err(format!("there is no folder `{path}` here"));
        };
        if self.repositories.is_elsewhere(repository, path, &folder) {
            return Err(format!("`{repository}` is another repository"));
        }
        Ok(folder)
    }

    /// Learns from all sources of Argo CD which address is that of this repository.
    pub(super) fn learn(&mut self, appliers: &[&Arc<Resource>]) {
        let appliers = appliers.iter().filter(|applier| argo::is_applier(applier));
        for applier in appliers {
            let from = Self::folder_of(applier);
            for order in argo::orders(applier, self.folders, from)
                .into_iter()
                .flatten()
            {
                if !order.repository.is_empty()
                    && let Some(folder) = self.resolve(&order.path, from)
                {
                    (self.repositories).note(&order.repository, &order.path, &folder);
                }
            }
        }
    }

    /// A folder as Argo CD applies it.
    ///
    /// # Errors
    /// Why that is not known.
    pub(super) fn argo(&mut self, order: &Order, from: &str) -> Result<Built, String> {
        let folder = self.source(order, from)?;
        if let Some(name) = self.overruling(&folder) {
            return Err(format!("`{name}` changes what is applied"));
        }
        if !order.is_directory && self.has_kustomization(&folder) {
            return match &order.refused {
                None => Ok(Built::clone(&self.kustomization(&folder))),
                Some(field) => Err(format!("{field} is not worked out")),
            };
        }
        let is_chart = self.files.number(&join(&folder, "Chart.yaml")).is_some();
        if !order.is_directory && is_chart {
            return Err(String::from(NOT_RENDERED));
        }
        if let Some(field) = &order.refused {
            return Err(format!("{field} is not worked out"));
        }
        if !order.include.is_empty() || !order.exclude.is_empty() {
            return self.matching(&folder, order);
        }
        if !order.recurse {
            return Ok(self.directly(&folder));
        }
        let mut built = Built::default();
        for folder in self.folders.below(&folder) {
            built.append(&self.directly(folder));
        }
        Ok(built)
    }

    /// The file in a folder that changes the sources of Applications which apply it.
    fn overruling(&self, folder: &str) -> Option<&'u str> {
        let files = self.folders.files(folder).iter();
        let mut paths = files.filter_map(|&number| Some(self.file(number)?.source.path.as_str()));
        paths.find_map(|path| {
            let name = path.rsplit('/').next()?;
            name.starts_with(".argocd-source").then_some(name)
        })
    }

    /// Leaves that take the given files in.
    pub(super) fn holders(&mut self, files: &BTreeSet<u32>) -> BTreeMap<u32, Vec<String>> {
        let mut holders: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        if files.is_empty() {
            return holders;
        }
        let leaves: Vec<String> = self.leaves.leaves().map(str::to_owned).collect();
        for leaf in leaves {
            let consumed = self.engine.consumed(&leaf);
            let numbers = consumed.iter().filter_map(|path| self.files.number(path));
            for number in numbers.filter(|number| files.contains(number)) {
                holders.entry(number).or_default().push(leaf.clone());
            }
        }
        holders
    }
}

impl Built {
    fn append(&mut self, other: &Self) {
        self.resources.extend(other.resources.iter().cloned());
        self.raw.extend(&other.raw);
        self.files.extend(&other.files);
        self.opaque.extend(other.opaque.iter().cloned());
        self.overlays.extend(other.overlays.iter().cloned());
    }
}
