//! L2: files of a folder tree on disk, read on demand. Input: a root folder; output: parsed files, numbered as they are
//! asked for, each read once.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::kustomize::files::{Files, RawFile, YamlFile};
use crate::source::Sources;
use crate::yaml;

/// [`Files`] below a root folder. NOTE: numbers follow the order of requests, so ask from one thread.
#[derive(Debug)]
pub struct DiskFiles {
    root: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    sources: Sources,
    texts: HashMap<String, Option<Arc<RawFile>>>,
    parsed: HashMap<String, Option<Arc<YamlFile>>>,
}

impl DiskFiles {
    /// Files below `root`; the first file read gets the number after those of `sources`.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>, sources: Sources) -> Self {
        let state = State {
            sources,
            ..State::default()
        };
        Self {
            root: root.into(),
            state: Mutex::new(state),
        }
    }

    /// The sources given at first and every text file read since.
    #[must_use]
    pub fn sources(&self) -> Sources {
        self.lock().sources.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn raw(&mut self, root: &std::path::Path, path: &str) -> Option<Arc<RawFile>> {
        if let Some(known) = self.texts.get(path) {
            return known.clone();
        }
        let raw = std::fs::read(root.join(path)).ok().map(|bytes| {
            let source = std::str::from_utf8(&bytes)
                .ok()
                .filter(|text| !text.starts_with('\u{feff}'))
                .map(|text| self.sources.add(path, text));
            Arc::new(RawFile { bytes, source })
        });
        self.texts.insert(path.to_owned(), raw.clone());
        raw
    }

    fn yaml(&mut self, root: &std::path::Path, path: &str) -> Option<Arc<YamlFile>> {
        if let Some(known) = self.parsed.get(path) {
            return known.clone();
        }
        let parsed = self.raw(root, path).map(|raw| {
            let source = match &raw.source {
                Some(source) => Arc::clone(source),
                None => {
                    let text = String::from_utf8_lossy(&raw.bytes);
                    let text = text.trim_start_matches('\u{feff}').to_owned();
                    self.sources.add(path, text)
                }
            };
            Arc::new(yaml::parse(&source).into())
        });
        self.parsed.insert(path.to_owned(), parsed.clone());
        parsed
    }
}

impl Files for DiskFiles {
    fn yaml(&self, path: &str) -> Option<Arc<YamlFile>> {
        self.lock().yaml(&self.root, path)
    }

    fn raw(&self, path: &str) -> Option<Arc<RawFile>> {
        self.lock().raw(&self.root, path)
    }
}
