//! L3: folders of a run. Input: the loaded files; output: what stands in a folder, and which folder a path of a GitOps object
//! means.

use std::collections::{BTreeMap, BTreeSet};

use crate::kustomize::files::{is_in_or_below, join, parent};
use crate::load::Loaded;

/// The folders of a run with their files.
#[derive(Debug)]
pub(super) struct Folders {
    /// Files by number, in order, for every folder that holds some.
    files: BTreeMap<String, Vec<u32>>,
    /// Every folder, those included that hold folders only.
    all: BTreeSet<String>,
}

impl Folders {
    pub(super) fn new(loaded: &Loaded) -> Self {
        let mut files: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        let mut all = BTreeSet::new();
        for (number, file) in (0u32..).zip(&loaded.files) {
            let folder = file.folder();
            if let Some(known) = files.get_mut(folder) {
                known.push(number);
                continue;
            }
            files.insert(folder.to_owned(), vec![number]);
            let mut at = folder;
            while all.insert(at.to_owned()) && !at.is_empty() {
                at = parent(at);
            }
        }
        Self { files, all }
    }

    /// Whether files stand in or below the folder.
    pub(super) fn exists(&self, folder: &str) -> bool {
        self.all.contains(folder)
    }

    /// The files directly in a folder.
    pub(super) fn files(&self, folder: &str) -> &[u32] {
        self.files.get(folder).map_or(&[], Vec::as_slice)
    }

    /// Folders that stand in or below `folder`, in order.
    pub(super) fn below<'f>(&'f self, folder: &'f str) -> impl Iterator<Item = &'f str> {
        let prefix = match folder {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        let own = self.all.get(folder).map(String::as_str);
        let first = prefix.clone();
        let inner = (self.all.range(first..))
            .map(String::as_str)
            .skip_while(|at| at.is_empty())
            .take_while(move |at| at.starts_with(&prefix));
        own.into_iter().chain(inner)
    }

    /// The highest folder on the way down to `from` below which some folder, by its path from there, is wanted.
    pub(super) fn top(&self, from: &str, is_wanted: impl Fn(&str) -> bool) -> String {
        let tops = tops(from);
        let has_wanted = |top: &&&str| {
            let mut below = self.below(top);
            below.any(|folder| {
                let path = folder.strip_prefix(**top);
                path.is_some_and(|path| is_wanted(path.trim_start_matches('/')))
            })
        };
        tops.iter()
            .find(has_wanted)
            .copied()
            .unwrap_or("")
            .to_owned()
    }

    /// The folder that `path` means for an object that stands in the folder `from`: GitOps tools count from the top of the
    /// repository, which is the working directory, its git top level, or the highest folder on the way down to the object
    /// that has such a path (a repository inside another folder).
    pub(super) fn resolve(&self, path: &str, from: &str) -> Option<String> {
        self.candidates(path, from)
            .find(|folder| self.exists(folder))
    }

    /// The folders that `path` may mean, the likeliest first.
    pub(super) fn candidates(&self, path: &str, from: &str) -> impl Iterator<Item = String> {
        let path = path.trim_start_matches('/').to_owned();
        let tops: Vec<String> = tops(from).into_iter().map(str::to_owned).collect();
        tops.into_iter().filter_map(move |top| {
            let folder = join(&top, &path);
            is_in_or_below(&folder, &top).then_some(folder)
        })
    }
}

/// A folder and those above it.
pub(super) fn upwards(from: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(from), |at| Some(parent(at)).filter(|_| !at.is_empty()))
}

/// A folder and those above it, the highest first.
fn tops(from: &str) -> Vec<&str> {
    let mut tops: Vec<&str> = upwards(from).collect();
    tops.reverse();
    tops
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::load_text;
    use crate::source::{SourceFile, SourceId};

    fn folders(paths: &[&str]) -> Folders {
        let mut loaded = Loaded::default();
        for (number, path) in (0u32..).zip(paths) {
            let source = std::sync::Arc::new(SourceFile::new(SourceId(number), *path, "a: 1\n"));
            loaded.files.append(&mut load_text(&source).files);
        }
        Folders::new(&loaded)
    }

    #[test]
    fn folders_are_found_by_prefix() {
        let folders = folders(&["a/b/x.yaml", "a/b-c/y.yaml", "a/b/d/z.yaml", "top.yaml"]);
        assert_eq!(folders.below("a/b").collect::<Vec<_>>(), ["a/b", "a/b/d"]);
        assert_eq!(
            folders.below("").collect::<Vec<_>>(),
            ["", "a", "a/b", "a/b-c", "a/b/d"]
        );
        assert_eq!(folders.files("a/b"), [0]);
        assert!(folders.exists("a") && !folders.exists("b"));
    }

    #[test]
    fn a_path_counts_from_the_highest_folder_that_has_it() {
        let folders = folders(&[
            "r/clusters/p/k.yaml",
            "r/apps/x.yaml",
            "r/clusters/apps/y.yaml",
        ]);
        let resolve = |path| folders.resolve(path, "r/clusters/p");
        assert_eq!(resolve("./apps").as_deref(), Some("r/apps"));
        assert_eq!(resolve("clusters/p").as_deref(), Some("r/clusters/p"));
        assert_eq!(resolve("./nowhere"), None);
        assert_eq!(resolve("../apps"), None);
    }
}
