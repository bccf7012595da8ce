//! L2: the files of a run as kustomizations see them. Input: what was loaded, and access to files beside it; output: parsed
//! files; those read on demand get the numbers that follow, in the order in which they are asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::discover::Beside;
use crate::kustomize::files::{Files, RawFile, YamlFile};
use crate::load::{self, FileOutcome, Loaded, LoadedFile, Skip};
use crate::source::{SourceFile, SourceId, Span, to_u32, to_usize};
use crate::yaml::decode::MAX_BYTES;
use crate::yaml::{self, decode};

/// [`Files`] over everything that was loaded. NOTE: numbers follow the order of requests, so ask from one thread.
#[derive(Debug)]
pub struct LoadedFiles<'l> {
    loaded: &'l Loaded,
    beside: &'l dyn Beside,
    /// Number of each loaded file by its printed path.
    numbers: HashMap<&'l str, u32>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    yaml: HashMap<String, Option<Arc<YamlFile>>>,
    raw: HashMap<String, Option<Arc<RawFile>>>,
    more: Vec<(LoadedFile, Vec<Span>)>,
    /// Numbers of the files in `more` by path.
    more_numbers: HashMap<String, u32>,
}

impl<'l> LoadedFiles<'l> {
    /// Files of `loaded`, others read through `beside`.
    #[must_use]
    pub fn new(loaded: &'l Loaded, beside: &'l dyn Beside) -> Self {
        let numbered = (0u32..).zip(&loaded.files);
        Self {
            loaded,
            beside,
            numbers: numbered
                .map(|(number, file)| (file.source.path.as_str(), number))
                .collect(),
            state: Mutex::default(),
        }
    }

    /// The number of the file with this printed path, when it was loaded or asked for.
    #[must_use]
    pub fn number(&self, path: &str) -> Option<u32> {
        let known = self.numbers.get(path).copied();
        known.or_else(|| self.lock().more_numbers.get(path).copied())
    }

    /// The loaded file with this printed path.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&'l LoadedFile> {
        let number = self.numbers.get(path)?;
        self.loaded.files.get(to_usize(*number))
    }

    /// The text with this number, when it was read on demand.
    #[must_use]
    pub fn source(&self, id: SourceId) -> Option<Arc<SourceFile>> {
        let at = to_usize(id.0).checked_sub(self.loaded.files.len())?;
        let state = self.lock();
        Some(Arc::clone(&state.more.get(at)?.0.source))
    }

    /// The files read on demand, with the secrets of each.
    #[must_use]
    pub fn into_more(self) -> Vec<(LoadedFile, Vec<Span>)> {
        self.state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .more
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a file beside the loaded ones and numbers it; `None` when there is none, or no text.
    fn demand(&self, state: &mut State, path: &str) -> Option<(u32, Arc<SourceFile>)> {
        if let Some(&number) = state.more_numbers.get(path) {
            let at = to_usize(number) - self.loaded.files.len();
            return Some((number, Arc::clone(&state.more.get(at)?.0.source)));
        }
        let bytes = self.beside.read(path).filter(|b| b.len() <= MAX_BYTES)?;
        let text = decode(bytes).ok()?;
        let number = to_u32(self.loaded.files.len() + state.more.len());
        let source = Arc::new(SourceFile::new(SourceId(number), path, text));
        state.more.push(load::load_part(&source));
        state.more_numbers.insert(path.to_owned(), number);
        Some((number, source))
    }

    fn read_yaml(&self, state: &mut State, path: &str) -> Option<YamlFile> {
        if let Some(file) = self.file(path) {
            let skipped = FileOutcome::Skipped {
                reason: Skip::Unreadable,
                span: None,
            };
            if file.outcome == skipped {
                return None;
            }
            return Some(if file.is_whole() {
                YamlFile {
                    tree: Arc::clone(&file.tree),
                    documents: file.documents.clone(),
                    errors: Vec::new(),
                }
            } else {
                yaml::parse(&file.source).into()
            });
        }
        let (number, source) = self.demand(state, path)?;
        let at = to_usize(number) - self.loaded.files.len();
        let (file, _) = state.more.get(at)?;
        Some(if file.is_whole() {
            YamlFile {
                tree: Arc::clone(&file.tree),
                documents: file.documents.clone(),
                errors: Vec::new(),
            }
        } else {
            yaml::parse(&source).into()
        })
    }

    fn read_raw(&self, state: &mut State, path: &str) -> Option<RawFile> {
        // The bytes count, not the decoded text: a byte order mark belongs to a generated value.
        let loaded = self.file(path);
        let bytes = self.beside.read(path);
        let bytes = bytes.or_else(|| Some(loaded?.source.text.clone().into_bytes()))?;
        let source = match loaded {
            Some(file) => Some(Arc::clone(&file.source)),
            None => self.demand(state, path).map(|(_, source)| source),
        };
        Some(RawFile {
            source: source.filter(|source| source.text.as_bytes() == bytes),
            bytes,
        })
    }
}

impl Files for LoadedFiles<'_> {
    fn yaml(&self, path: &str) -> Option<Arc<YamlFile>> {
        let mut state = self.lock();
        if let Some(known) = state.yaml.get(path) {
            return known.clone();
        }
        let read = self.read_yaml(&mut state, path).map(Arc::new);
        state.yaml.insert(path.to_owned(), read.clone());
        read
    }

    fn raw(&self, path: &str) -> Option<Arc<RawFile>> {
        let mut state = self.lock();
        if let Some(known) = state.raw.get(path) {
            return known.clone();
        }
        let read = self.read_raw(&mut state, path).map(Arc::new);
        state.raw.insert(path.to_owned(), read.clone());
        read
    }
}
