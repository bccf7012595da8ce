//! L1: where symbolic links may lead. Input: a link found in a folder; output: whether to follow it.
//!
//! A link is followed when its target stays in the repository (outside one: in the working directory or a named folder). A
//! tool that prints lines of its input into pull requests must not be led to `/etc` or a kubeconfig by a committed link.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::EntryProblem;
use super::display::{Base, git_top, io_words};

/// The folders that links may lead into.
#[derive(Debug)]
pub struct Fence {
    inside: BTreeSet<PathBuf>,
    roots: BTreeSet<PathBuf>,
}

/// What a link leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Target {
    /// A regular file.
    File,
    /// A folder that no walk reaches otherwise: its real path.
    Folder(PathBuf),
    /// Something read elsewhere or not readable as text (a device, a folder within a named folder).
    Elsewhere,
    /// Nothing that may be followed.
    Problem(EntryProblem),
}

impl Fence {
    /// The fence around the base and the named folders.
    #[must_use]
    pub fn new(base: &Base, folders: &[&Path]) -> Self {
        let real = |path: &Path| std::fs::canonicalize(path).ok();
        let roots: BTreeSet<PathBuf> = folders.iter().filter_map(|path| real(path)).collect();
        let mut inside = roots.clone();
        inside.extend(real(base.folder()));
        inside.extend(folders.iter().filter_map(|path| real(&git_top(path)?)));
        Self { inside, roots }
    }

    /// Looks where the link at `path` leads.
    #[must_use]
    pub fn follow(&self, path: &Path) -> Target {
        let written = std::fs::read_link(path)
            .map(|target| target.to_string_lossy().replace('\\', "/"))
            .unwrap_or_default();
        let real = match std::fs::canonicalize(path) {
            Ok(real) => real,
            Err(error) => {
                return Target::Problem(match error.kind() {
                    std::io::ErrorKind::NotFound => EntryProblem::BrokenLink(written),
                    // ELOOP has no stable `ErrorKind`; its text is the same on every Unix.
                    _ if error.to_string().contains("symbolic link") => {
                        EntryProblem::LinkLoop(written)
                    }
                    _ => EntryProblem::Unreadable(io_words(&error)),
                });
            }
        };
        if !self.inside.iter().any(|folder| real.starts_with(folder)) {
            return Target::Problem(EntryProblem::OutsideLink(written));
        }
        if real.is_file() {
            return Target::File;
        }
        if !real.is_dir() {
            return Target::Elsewhere;
        }
        let holder = path.parent().and_then(|p| std::fs::canonicalize(p).ok());
        if holder.is_some_and(|holder| holder.starts_with(&real)) {
            return Target::Problem(EntryProblem::LinkLoop(written));
        }
        if self.roots.iter().any(|root| real.starts_with(root)) {
            return Target::Elsewhere;
        }
        Target::Folder(real)
    }
}
