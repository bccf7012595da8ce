//! L1: the manifests below a folder. Input: a folder; output: its YAML and JSON files that `.gitignore` does not exclude.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use super::display::{git_top, io_words};
use super::links::{Fence, Target};
use super::{EntryProblem, Origin};

/// Entries below `folder`. Folders reached by links come last and each real folder is read once.
#[must_use]
pub fn folder(folder: &Path, fence: &Fence) -> Vec<(PathBuf, Origin)> {
    let mut found = Vec::new();
    let mut seen: BTreeSet<PathBuf> = BTreeSet::new();
    let mut queue = vec![folder.to_owned()];
    while let Some(next) = queue.pop() {
        let mut linked = walk(&next, fence, &mut found);
        linked.sort();
        for (path, real) in linked.into_iter().rev() {
            // A folder inside one already reached by a link is there already.
            if seen.iter().any(|known| real.starts_with(known)) {
                continue;
            }
            seen.insert(real);
            queue.push(path);
        }
    }
    found
}

/// Walks without following links; returns the linked folders to read as well, with their real paths.
fn walk(
    folder: &Path,
    fence: &Fence,
    found: &mut Vec<(PathBuf, Origin)>,
) -> Vec<(PathBuf, PathBuf)> {
    // NOTE: no global gitignore and no `.git/info/exclude`: they differ between machines. Parents' `.gitignore` files count
    // only inside a repository, so that a stray file in `/tmp` does not.
    let entries = WalkBuilder::new(folder)
        .standard_filters(false)
        .git_ignore(true)
        .require_git(false)
        .parents(git_top(folder).is_some())
        .filter_entry(|entry| entry.file_name() != ".git")
        .build();
    let mut linked = Vec::new();
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                found.extend(unreadable(folder, &error));
                continue;
            }
        };
        let path = entry.path();
        let Some(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_file() {
            if is_manifest(path) {
                found.push((path.to_owned(), Origin::File(path.to_owned())));
            }
        } else if kind.is_symlink() && path != folder {
            match fence.follow(path) {
                Target::File if is_manifest(path) => {
                    found.push((path.to_owned(), Origin::File(path.to_owned())));
                }
                Target::Folder(real) => linked.push((path.to_owned(), real)),
                Target::Problem(problem) if concerns(path, &problem) => {
                    found.push((path.to_owned(), Origin::Nothing(problem)));
                }
                _ => {}
            }
        }
    }
    linked
}

/// Whether a bad link is worth a word: it is named like a manifest, or like a folder (it has no ending).
fn concerns(path: &Path, problem: &EntryProblem) -> bool {
    is_manifest(path)
        || (path.extension().is_none() && !matches!(problem, EntryProblem::Unreadable(_)))
}

/// Whether a file is read without being named.
pub(super) fn is_manifest(path: &Path) -> bool {
    path.extension()
        .and_then(|ending| ending.to_str())
        .is_some_and(|ending| {
            ["yaml", "yml", "json"]
                .iter()
                .any(|known| ending.eq_ignore_ascii_case(known))
        })
}

fn unreadable(folder: &Path, error: &ignore::Error) -> Option<(PathBuf, Origin)> {
    let words = error.io_error().map_or_else(String::new, io_words);
    // A `.gitignore` with a malformed pattern comes as a partial error without an I/O error: the rest of it holds.
    error.io_error()?;
    let path = path_of(error).unwrap_or_else(|| folder.to_owned());
    Some((path, Origin::Nothing(EntryProblem::Unreadable(words))))
}

fn path_of(error: &ignore::Error) -> Option<PathBuf> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path.clone()),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            path_of(err)
        }
        _ => None,
    }
}
