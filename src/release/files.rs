//! L3: files of the run by path. Input: everything loaded; output: the file that a path in a manifest means.

use rustc_hash::FxHashMap;

use crate::kustomize::files::join;
use crate::load::{Loaded, LoadedFile};
use crate::source::to_usize;

/// The files of a run.
#[derive(Debug)]
pub struct Files<'l> {
    loaded: &'l Loaded,
    by_path: FxHashMap<&'l str, usize>,
    /// Paths under their last part.
    by_name: FxHashMap<&'l str, Vec<usize>>,
}

impl<'l> Files<'l> {
    /// Indexes the files.
    #[must_use]
    pub fn of(loaded: &'l Loaded) -> Self {
        let mut by_path = FxHashMap::default();
        let mut by_name: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
        for (at, file) in loaded.files.iter().enumerate() {
            let path = file.source.path.as_str();
            by_path.insert(path, at);
            let name = path.rsplit('/').next().unwrap_or(path);
            by_name.entry(name).or_default().push(at);
        }
        Self {
            loaded,
            by_path,
            by_name,
        }
    }

    /// The file with this number.
    pub(crate) fn numbered(&self, number: u32) -> Option<&'l LoadedFile> {
        self.loaded.files.get(to_usize(number))
    }

    /// The file at exactly this printed path.
    pub(crate) fn exact(&self, path: &str) -> Option<&'l LoadedFile> {
        self.loaded.files.get(*self.by_path.get(path)?)
    }

    /// The file that a path from the top of a repository means. Where the tree of the run is a part of a bigger one, or
    /// holds several, the only file whose path ends so.
    pub(crate) fn at_top(&self, path: &str) -> Option<&'l LoadedFile> {
        let path = join("", path.trim_start_matches('/'));
        if let Some(file) = self.exact(&path) {
            return Some(file);
        }
        let name = path.rsplit('/').next().unwrap_or(&path);
        let end = format!("/{path}");
        let mut fitting = self
            .by_name
            .get(name)?
            .iter()
            .filter_map(|&at| self.loaded.files.get(at))
            .filter(|file| file.source.path.ends_with(&end));
        fitting.next().filter(|_| fitting.next().is_none())
    }

    /// The file that a path means from the folder of another.
    pub(crate) fn beside(&self, folder: &str, path: &str) -> Option<&'l LoadedFile> {
        self.exact(&join(folder, path))
    }

    /// Whether a folder at or above this file's holds a chart.
    pub(crate) fn is_in_chart(&self, path: &str) -> bool {
        let mut folder = path;
        while let Some((above, _)) = folder.rsplit_once('/') {
            if self
                .by_path
                .contains_key(format!("{above}/Chart.yaml").as_str())
            {
                return true;
            }
            folder = above;
        }
        self.by_path.contains_key("Chart.yaml")
    }

    /// Whether a file of the run lies below a folder.
    pub(crate) fn is_folder(&self, folder: &str) -> bool {
        let start = format!("{folder}/");
        self.by_path.keys().any(|path| path.starts_with(&start))
    }
}
