//! L3: folders that are applied. Input: a folder and how it is applied; output: its objects, built once a run, or what is not
//! known of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use globset::GlobBuilder;
use rayon::prelude::*;

use crate::kustomize::files::{KUSTOMIZATION_NAMES, is_in_or_below, join};
use crate::kustomize::{
    Applied, Build, Engine, ErrorKind, Files, KustomizeError, LoadedFiles, Options, Outcome,
    Refusal,
};
use crate::load::problem::{InputProblem, ProblemKind};
use crate::load::{FileOutcome, Loaded, LoadedFile, Skip};
use crate::resource::{Resource, ResourceId};
use crate::source::{SourceFile, Span, to_u32, to_usize};
use crate::view::Opaque;
use crate::view::gitops::Unread;
use crate::view::gitops::argo::Order;
use crate::view::gitops::leaves::Leaves;
use crate::view::gitops::paths::Folders;

/// Why a folder with a chart gives no objects.
pub(super) const NOT_RENDERED: &str = "a Helm chart is not rendered";

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
    cache: BTreeMap<String, Arc<Built>>,
    results: Results,
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
        }
    }

    /// What all builds came to.
    pub(super) fn finish(self) -> Results {
        self.results
    }

    /// Builds several kustomizations on all cores, so that [`Units::kustomization`] finds them done.
    pub(super) fn build_all(&mut self, folders: impl IntoIterator<Item = String>) {
        let is_new = |folder: &String| !self.cache.contains_key(folder);
        let folders: Vec<String> = folders.into_iter().filter(is_new).collect();
        // Files are numbered as they are asked for: all are asked for here, in order.
        for folder in &folders {
            self.engine.prepare(folder);
        }
        let engine = self.engine;
        let builds: Vec<Option<Build>> = folders
            .par_iter()
            .map(|folder| engine.build(folder, Options::default()))
            .collect();
        for (folder, build) in folders.into_iter().zip(builds) {
            let built = self.absorb(&folder, build, None);
            self.cache.insert(folder, Arc::new(built));
        }
    }

    /// The kustomization of a folder as it stands.
    pub(super) fn kustomization(&mut self, folder: &str) -> Arc<Built> {
        if let Some(known) = self.cache.get(folder) {
            return Arc::clone(known);
        }
        let build = self.engine.build(folder, Options::default());
        let built = Arc::new(self.absorb(folder, build, None));
        self.cache.insert(folder.to_owned(), Arc::clone(&built));
        built
    }

    /// A folder as Flux applies it.
    pub(super) fn flux(&mut self, folder: &str, applied: Applied) -> Arc<Built> {
        let has_own = self.has_kustomization(folder);
        if applied.adds_nothing() {
            return if has_own {
                self.kustomization(folder)
            } else {
                Arc::new(self.listing(folder))
            };
        }
        let applied = if has_own {
            applied
        } else {
            applied.listing(self.listed(folder))
        };
        let build = (self.engine).build_applied(folder, Some(&applied), Options::default());
        Arc::new(self.absorb(folder, build, Some(&applied)))
    }

    /// Whether the folder has a kustomization, among the files of the run or beside them.
    pub(super) fn has_kustomization(&self, folder: &str) -> bool {
        let is_there = |name| self.files.yaml(&join(folder, name)).is_some();
        self.leaves.has(folder)
            || (!self.folders.exists(folder) && KUSTOMIZATION_NAMES.into_iter().any(is_there))
    }

    /// The manifests that Flux lists where there is no kustomization, as paths relative to the folder
    /// (fluxcd/pkg kustomize v1.18, `scanManifests`). Flux fails on other YAML; it is left out here.
    fn listed(&self, folder: &str) -> Vec<String> {
        let (raw, inner) = self.scan(folder);
        let prefix = if folder.is_empty() {
            0
        } else {
            folder.len() + 1
        };
        let paths = raw.iter().filter_map(|&number| self.file(number));
        let paths = paths
            .filter(|file| !self.loaded.resources_of(file).is_empty() || !file.broken.is_empty())
            .map(|file| file.source.path.as_str());
        let mut all: Vec<&str> = paths.chain(inner.iter().map(String::as_str)).collect();
        all.sort_unstable();
        all.iter()
            .filter_map(|path| path.get(prefix..))
            .map(str::to_owned)
            .collect()
    }

    /// The same as objects: manifests as they stand, kustomizations below built.
    fn listing(&mut self, folder: &str) -> Built {
        let (raw, inner) = self.scan(folder);
        let mut built = Built {
            files: raw.clone(),
            raw,
            ..Built::default()
        };
        for folder in inner {
            built.append(&self.kustomization(&folder));
        }
        built
    }

    /// Manifests in and below a folder, and the kustomizations on the way, which are not looked into.
    fn scan(&self, folder: &str) -> (Vec<u32>, Vec<String>) {
        let (mut raw, mut inner): (Vec<u32>, Vec<String>) = (Vec::new(), Vec::new());
        for at in self.folders.below(folder) {
            let is_inside = |of: &String| {
                at.strip_prefix(of.as_str())
                    .is_some_and(|rest| rest.starts_with('/'))
            };
            if inner.last().is_some_and(is_inside) {
                continue;
            }
            if at != folder && self.leaves.has(at) {
                inner.push(at.to_owned());
                continue;
            }
            let is_yaml = |number: &&u32| {
                let path = self.file(**number).map_or("", |f| f.source.path.as_str());
                [".yaml", ".yml"].iter().any(|end| path.ends_with(end))
            };
            raw.extend(self.folders.files(at).iter().filter(is_yaml));
        }
        (raw, inner)
    }

    /// Files directly in a folder, as they stand.
    pub(super) fn directly(&self, folder: &str) -> Built {
        let raw = self.folders.files(folder).to_vec();
        Built {
            files: raw.clone(),
            raw,
            ..Built::default()
        }
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
            return Built::clone(&self.kustomization(folder));
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

    /// A folder as Argo CD applies it.
    ///
    /// # Errors
    /// Why that is not known.
    pub(super) fn argo(&mut self, order: &Order, from: &str) -> Result<Built, String> {
        let Some(folder) = self.resolve(&order.path, from) else {
            return Err(format!("there is no folder `{}` here", order.path));
        };
        if self.has_kustomization(&folder) {
            return match &order.refused {
                None => Ok(Built::clone(&self.kustomization(&folder))),
                Some(field) => Err(format!("{field} is not worked out")),
            };
        }
        if self.files.number(&join(&folder, "Chart.yaml")).is_some() {
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

    /// The files of a folder that the patterns of a directory source name (argo-cd v2.14, `pathutil` and `findManifests`).
    fn matching(&self, folder: &str, order: &Order) -> Result<Built, String> {
        let glob = |pattern: &str| {
            let glob = GlobBuilder::new(pattern).literal_separator(false).build();
            let glob = glob.map_err(|_| format!("`{pattern}` is no pattern"))?;
            Ok::<_, String>(glob.compile_matcher())
        };
        let include = glob(if order.include.is_empty() {
            "*"
        } else {
            &order.include
        })?;
        let exclude = (!order.exclude.is_empty()).then(|| glob(&order.exclude));
        let exclude = exclude.transpose()?;
        let mut built = Built::default();
        for at in self.folders.below(folder) {
            if at != folder && !order.recurse {
                continue;
            }
            for &number in self.folders.files(at) {
                let path = self.file(number).map_or("", |f| f.source.path.as_str());
                let path = path
                    .strip_prefix(folder)
                    .unwrap_or(path)
                    .trim_start_matches('/');
                let is_out = exclude.as_ref().is_some_and(|glob| glob.is_match(path));
                if include.is_match(path) && !is_out {
                    built.raw.push(number);
                    built.files.push(number);
                }
            }
        }
        Ok(built)
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

    /// Reports a value of the wrong type in an object that applies something; returns what stands for it.
    pub(super) fn misfit(&mut self, applier: &Resource, error: KustomizeError) -> Opaque {
        let span = Some(error.span);
        self.broken("", None, error);
        Opaque {
            namespace: None,
            what: format!("{} {}", applier.kind(), applier.name),
            span,
            opens: true,
        }
    }

    /// The path of the file that holds a place.
    pub(super) fn path(&self, span: Span) -> String {
        self.source(span)
            .map_or_else(String::new, |source| source.path.clone())
    }

    fn absorb(&mut self, folder: &str, build: Option<Build>, applied: Option<&Applied>) -> Built {
        let mut built = Built::default();
        let Some(build) = build else {
            return built;
        };
        let numbers = build.consumed.iter();
        built.files = numbers.filter_map(|path| self.files.number(path)).collect();
        built.files.extend(self.leaves.file(folder));
        self.results.secrets.extend(build.secrets);
        let namespace = build.namespace;
        match build.outcome {
            Outcome::Rendered(trees) => {
                built.overlays.push(folder.to_owned());
                for tree in trees {
                    let number = self.loaded.resources.len() + self.results.resources.len();
                    let resource = Resource::new(ResourceId(to_u32(number)), &tree, 0);
                    if let Some(resource) = resource.map(Arc::new) {
                        self.results.resources.push(Arc::clone(&resource));
                        built.resources.push(resource);
                    }
                }
            }
            Outcome::Refused(refusals) => {
                let span = refusals.first().map(|refusal| refusal.span);
                for refusal in &refusals {
                    let reason = self.refusal(refusal);
                    self.unread(folder, applied, reason);
                }
                built.opaque.push(opaque(folder, namespace, span));
            }
            Outcome::Broken(errors) => {
                let span = errors.first().map(|error| error.span);
                for error in errors {
                    self.broken(folder, applied, error);
                }
                built.opaque.push(opaque(folder, namespace, span));
            }
        }
        built
    }

    fn unread(&mut self, folder: &str, applied: Option<&Applied>, reason: String) {
        let own = self.leaves.file(folder).and_then(|file| self.file(file));
        let path = own.or_else(|| self.file(applied?.source().id.0));
        self.results.unread.push(Unread {
            path: path.map_or_else(|| folder.to_owned(), |file| file.source.path.clone()),
            reason,
        });
    }

    fn refusal(&self, refusal: &Refusal) -> String {
        let place = self.place(refusal.span);
        match refusal.field.as_str() {
            "remote base" => {
                let source = self.source(refusal.span);
                let address =
                    source.map_or_else(String::new, |source| source.slice(refusal.span).to_owned());
                format!("remote base of a kustomization: `{address}` at {place}")
            }
            field => {
                format!("kustomization with a field that is not worked out: `{field}` at {place}")
            }
        }
    }

    fn broken(&mut self, folder: &str, applied: Option<&Applied>, error: KustomizeError) {
        let file = self.file(error.span.source.0);
        let is_template = matches!(
            file.map(|file| &file.outcome),
            Some(FileOutcome::Skipped {
                reason: Skip::Template,
                ..
            })
        );
        if is_template {
            let place = self.place(error.span);
            let reason = format!("kustomization of a template: {place}");
            return self.unread(folder, applied, reason);
        }
        if self.is_known(&error) {
            return;
        }
        let problem = InputProblem {
            kind: ProblemKind::Kustomization,
            span: error.span,
            message: format!("this kustomization cannot be built: {}", error.kind),
            help: error
                .help()
                .unwrap_or("correct it; until then nothing of it is checked")
                .to_owned(),
            related: Vec::new(),
            resource: None,
            is_sure: true,
        };
        // A base is seen from many leaves.
        if !self.results.problems.contains(&problem) {
            self.results.problems.push(problem);
        }
    }

    /// Whether loading has reported the same already: a document that cannot be read, a field given twice.
    fn is_known(&self, error: &KustomizeError) -> bool {
        let kind = match error.kind {
            ErrorKind::Unreadable(_) => ProblemKind::Unparsable,
            ErrorKind::KeyTwice(_) => ProblemKind::DuplicateKey,
            _ => return false,
        };
        let mut known = self.loaded.problems.iter();
        known.any(|problem| problem.kind == kind && problem.span.source == error.span.source)
    }

    fn source(&self, span: Span) -> Option<Arc<SourceFile>> {
        match self.file(span.source.0) {
            Some(file) => Some(Arc::clone(&file.source)),
            None => self.files.source(span.source),
        }
    }

    /// `base/kustomization.yaml:5:1`.
    pub(super) fn place(&self, span: Span) -> String {
        self.source(span).map_or_else(String::new, |source| {
            let at = source.position(span.start);
            format!("{}:{}:{}", source.path, at.line, at.column)
        })
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

/// What stands for a kustomization that was not built.
fn opaque(folder: &str, namespace: Option<String>, span: Option<Span>) -> Opaque {
    let folder = if folder.is_empty() { "." } else { folder };
    Opaque {
        namespace,
        what: format!("kustomization {folder}"),
        span,
        opens: true,
    }
}
