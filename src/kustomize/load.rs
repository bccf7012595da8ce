//! L2: the files of a build. Input: a folder and access to files; output: every kustomization it reaches with what each
//! names, every refusal, every missing file. Each kustomization is read once per `Engine`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use crate::kustomize::Names;
use crate::kustomize::applied::Applied;
use crate::kustomize::decode::Text;
use crate::kustomize::error::{ErrorKind, KustomizeError, Refusal};
use crate::kustomize::files::{
    Files, KUSTOMIZATION_NAMES, RawFile, YamlFile, is_in_or_below, is_remote, join,
};
use crate::kustomize::generate::file_entry;
use crate::kustomize::layer::{Layer, Patch, PatchContent};
use crate::source::{SourceFile, Span, to_u32};

/// Kustomizations nested deeper than this are an error.
const MAX_DEPTH: usize = 100;

/// What an entry of `resources` or `components` leads to.
#[derive(Debug)]
pub(crate) enum Reached {
    /// The text of the entry; the file of objects.
    File(String, Arc<YamlFile>),
    /// The text of the entry, the folder with a kustomization, the place of the entry.
    Folder(String, String, Span),
}

/// One kustomization with the files that it names.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) folder: String,
    /// Which of the three names the kustomization has.
    pub(crate) file_name: String,
    pub(crate) source: Arc<SourceFile>,
    pub(crate) layer: Layer,
    pub(crate) resources: Vec<Reached>,
    pub(crate) components: Vec<Reached>,
    /// Patch files by the text of their entry.
    pub(crate) patches: BTreeMap<String, Arc<YamlFile>>,
    /// Generator files by the text of their entry.
    pub(crate) raw: BTreeMap<String, Arc<RawFile>>,
    pub(crate) refusals: Vec<Refusal>,
    pub(crate) errors: Vec<KustomizeError>,
    /// Paths of the files, the kustomization's own first.
    pub(crate) consumed: Vec<String>,
}

/// The kustomization of a folder: nothing there, one, or one that cannot be read (with its path).
type Found = Option<Result<Arc<Loaded>, (String, KustomizeError)>>;

/// Reads kustomizations, each once.
pub(crate) struct Loader<'f> {
    files: &'f dyn Files,
    cache: Mutex<HashMap<String, Found>>,
}

/// Everything that a leaf reaches.
#[derive(Debug, Default)]
pub(crate) struct Closure {
    pub(crate) layers: BTreeMap<String, Arc<Loaded>>,
    pub(crate) refusals: Vec<Refusal>,
    idle: Vec<Refusal>,
    pub(crate) errors: Vec<KustomizeError>,
    pub(crate) consumed: BTreeSet<String>,
}

impl Closure {
    /// Values of the literals of all Secrets that are generated: no message may show one.
    pub(crate) fn literals(&self) -> Vec<Span> {
        let of_layer = |loaded: &Arc<Loaded>| -> Vec<Span> {
            let literals = loaded.layer.secrets.iter().flat_map(|args| &args.literals);
            let value = |literal: &Text| {
                let key = loaded.source.slice(literal.span).find('=');
                let start = literal.span.start + key.map_or(0, |at| to_u32(at + 1));
                Span {
                    start,
                    ..literal.span
                }
            };
            literals.map(value).collect()
        };
        let mut spans: Vec<Span> = self.layers.values().flat_map(of_layer).collect();
        spans.sort_unstable();
        spans
    }

    /// The namespace that the kustomization in `folder` gives its objects. Transformers of the user may give another.
    pub(crate) fn namespace(&self, folder: &str) -> Option<String> {
        let is_transformed =
            |r: &Refusal| matches!(r.field.as_str(), "transformers" | "configurations");
        let namespace = self.layers.get(folder)?.layer.namespace.as_ref()?;
        let is_last_word = !self.refusals.iter().any(is_transformed);
        is_last_word.then(|| namespace.text.clone())
    }
}

impl<'f> Loader<'f> {
    pub(crate) fn new(files: &'f dyn Files) -> Self {
        Self {
            files,
            cache: Mutex::default(),
        }
    }

    /// Collects what the kustomization in `folder` reaches; `None` when there is none.
    pub(crate) fn closure(&self, folder: &str, applied: Option<&Applied>) -> Option<Closure> {
        let mut closure = Closure::default();
        let found = match applied {
            Some(applied) => self.read(folder, Some(applied)),
            None => self.load(folder),
        }?;
        self.visit(found, &mut Vec::new(), &mut closure);
        if !closure.refusals.is_empty() {
            closure.refusals.append(&mut closure.idle);
        }
        Some(closure)
    }

    /// What the kustomization in `folder` names directly.
    pub(crate) fn names(&self, folder: &str) -> Option<Names> {
        let Ok(loaded) = self.load(folder)? else {
            return Some(Names::default());
        };
        let reached = loaded.resources.iter().chain(&loaded.components);
        let folders = reached.filter_map(|reached| match reached {
            Reached::Folder(_, folder, _) => Some(folder.clone()),
            Reached::File(..) => None,
        });
        Some(Names {
            is_component: loaded.layer.is_component,
            folders: folders.collect(),
        })
    }

    fn visit(
        &self,
        found: Result<Arc<Loaded>, (String, KustomizeError)>,
        above: &mut Vec<String>,
        closure: &mut Closure,
    ) {
        let loaded = match found {
            Ok(loaded) => loaded,
            Err((path, error)) => {
                if closure.consumed.insert(path) {
                    closure.errors.push(error);
                }
                return;
            }
        };
        let first_visit = !closure.layers.contains_key(&loaded.folder);
        if first_visit {
            closure.refusals.extend(loaded.refusals.iter().cloned());
            closure.idle.extend(loaded.layer.idle.iter().cloned());
            closure.errors.extend(loaded.errors.iter().cloned());
            closure.consumed.extend(loaded.consumed.iter().cloned());
            (closure.layers).insert(loaded.folder.clone(), Arc::clone(&loaded));
        }
        above.push(loaded.folder.clone());
        for reached in loaded.resources.iter().chain(&loaded.components) {
            let Reached::Folder(entry, folder, span) = reached else {
                continue;
            };
            // NOTE: a base may not be a folder that contains one on the way to it (fileloader.go, errIfArgEqualOrHigher).
            let is_cycle = above.iter().any(|a| is_in_or_below(a, folder));
            if is_cycle || above.len() > MAX_DEPTH {
                let error = KustomizeError::new(*span, ErrorKind::Cycle(entry.clone()));
                if !closure.errors.contains(&error) {
                    closure.errors.push(error);
                }
                continue;
            }
            if closure.layers.contains_key(folder) {
                continue;
            }
            if let Some(found) = self.load(folder) {
                self.visit(found, above, closure);
            }
        }
        above.pop();
    }

    fn load(&self, folder: &str) -> Found {
        let lock = || self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = lock().get(folder) {
            return found.clone();
        }
        let found = self.read(folder, None);
        lock().insert(folder.to_owned(), found.clone());
        found
    }

    fn read(&self, folder: &str, applied: Option<&Applied>) -> Found {
        let mut candidates: Vec<(String, Arc<YamlFile>)> = KUSTOMIZATION_NAMES
            .iter()
            .map(|name| join(folder, name))
            .filter_map(|path| Some((path.clone(), self.files.yaml(&path)?)))
            .collect();
        let many = candidates.len() > 1;
        let Some((path, parsed)) = candidates.drain(..).next() else {
            let applied = applied?;
            let source = Arc::clone(&applied.source);
            let layer = applied.listing_layer();
            return Some(Ok(self.look_up(folder, source, "", layer, Some(applied))));
        };
        let source = Arc::clone(parsed.tree.source());
        if many {
            let span = crate::kustomize::node::start_of(source.id);
            let kind = ErrorKind::ManyKustomizations(folder.to_owned());
            return Some(Err((path, KustomizeError::new(span, kind))));
        }
        let layer = match Layer::read(folder, &parsed) {
            Ok(layer) => layer,
            Err(error) => return Some(Err((path, error))),
        };
        Some(Ok(self.look_up(folder, source, &path, layer, applied)))
    }

    /// Looks up the files that a kustomization names; `path` is its own, empty when it has none.
    fn look_up(
        &self,
        folder: &str,
        source: Arc<SourceFile>,
        path: &str,
        mut layer: Layer,
        applied: Option<&Applied>,
    ) -> Arc<Loaded> {
        if let Some(applied) = applied {
            applied.merge_into(&mut layer);
        }
        let own = Some(path.to_owned()).filter(|path| !path.is_empty());
        let mut loading = Loading {
            files: self.files,
            loaded: Loaded {
                folder: folder.to_owned(),
                file_name: path.rsplit('/').next().unwrap_or(path).to_owned(),
                source,
                refusals: layer.refusals.clone(),
                layer: Layer::default(),
                resources: Vec::new(),
                components: Vec::new(),
                patches: BTreeMap::new(),
                raw: BTreeMap::new(),
                errors: Vec::new(),
                consumed: own.into_iter().collect(),
            },
        };
        loading.entries(&layer);
        loading.patch_files(&layer);
        loading.generator_files(&layer);
        loading.unused_files(&layer);
        loading.loaded.layer = layer;
        Arc::new(loading.loaded)
    }
}

/// A kustomization whose files are being looked up.
struct Loading<'f> {
    files: &'f dyn Files,
    loaded: Loaded,
}

impl Loading<'_> {
    fn entries(&mut self, layer: &Layer) {
        for entry in &layer.resources {
            if let Some(reached) = self.resource(entry) {
                self.loaded.resources.push(reached);
            }
        }
        for entry in &layer.components {
            if let Some(reached) = self.folder(entry) {
                self.loaded.components.push(reached);
            }
        }
    }

    fn fail(&mut self, span: Span, kind: ErrorKind) {
        self.loaded.errors.push(KustomizeError::new(span, kind));
    }

    fn resource(&mut self, entry: &Text) -> Option<Reached> {
        let path = join(&self.loaded.folder, &entry.text);
        if let Some(parsed) = self.files.yaml(&path) {
            if !is_in_or_below(&path, &self.loaded.folder) {
                self.fail(entry.span, ErrorKind::Outside(entry.text.clone()));
            }
            self.loaded.consumed.push(path);
            return Some(Reached::File(entry.text.clone(), parsed));
        }
        self.folder(entry)
    }

    fn folder(&mut self, entry: &Text) -> Option<Reached> {
        if is_remote(&entry.text) {
            self.remote(entry);
            return None;
        }
        if entry.text.starts_with('/') {
            self.fail(entry.span, ErrorKind::Absolute(entry.text.clone()));
            return None;
        }
        let folder = join(&self.loaded.folder, &entry.text);
        let exists = KUSTOMIZATION_NAMES
            .iter()
            .any(|name| self.files.yaml(&join(&folder, name)).is_some());
        if !exists || entry.text.is_empty() {
            self.fail(entry.span, ErrorKind::MissingFile(entry.text.clone()));
            return None;
        }
        Some(Reached::Folder(entry.text.clone(), folder, entry.span))
    }

    fn remote(&mut self, entry: &Text) {
        self.loaded.refusals.push(Refusal {
            field: "remote base".to_owned(),
            span: entry.span,
            folder: self.loaded.folder.clone(),
        });
    }

    /// The path of a file, which should lie in the kustomization's folder.
    fn path_of(&mut self, entry: &Text, text: &str) -> Option<String> {
        if is_remote(text) {
            self.remote(entry);
            return None;
        }
        let path = join(&self.loaded.folder, text);
        if !is_in_or_below(&path, &self.loaded.folder) {
            self.fail(entry.span, ErrorKind::Outside(text.to_owned()));
        }
        Some(path)
    }

    fn patch_files(&mut self, layer: &Layer) {
        let all: [&[Patch]; 3] = [&layer.strategic, &layer.patches, &layer.json_patches];
        for patch in all.into_iter().flatten() {
            let PatchContent::Path(entry) = &patch.content else {
                continue;
            };
            let Some(path) = self.path_of(entry, &entry.text) else {
                continue;
            };
            match self.files.yaml(&path) {
                Some(parsed) => {
                    self.loaded.patches.insert(entry.text.clone(), parsed);
                    self.loaded.consumed.push(path);
                }
                None => self.fail(entry.span, ErrorKind::MissingFile(entry.text.clone())),
            }
        }
    }

    fn unused_files(&mut self, layer: &Layer) {
        for text in &layer.unused {
            let path = join(&self.loaded.folder, text);
            let is_inside = is_in_or_below(&path, &self.loaded.folder);
            if is_inside && self.files.yaml(&path).is_some() {
                self.loaded.consumed.push(path);
            }
        }
    }

    fn generator_files(&mut self, layer: &Layer) {
        for args in layer.config_maps.iter().chain(&layer.secrets) {
            let files = args.files.iter().map(|entry| {
                let path = file_entry(&entry.text).map(|(_, path)| path);
                (entry, path.unwrap_or_default())
            });
            let envs = args.envs.iter().map(|entry| (entry, entry.text.as_str()));
            // A malformed entry is reported when the object is generated.
            for (entry, text) in files.chain(envs).filter(|(_, text)| !text.is_empty()) {
                let Some(path) = self.path_of(entry, text) else {
                    continue;
                };
                match self.files.raw(&path) {
                    Some(raw) => {
                        self.loaded.raw.insert(text.to_owned(), raw);
                        self.loaded.consumed.push(path);
                    }
                    None => self.fail(entry.span, ErrorKind::MissingSource(text.to_owned())),
                }
            }
        }
    }
}
