//! L8: where manifests are read from. Input: what flags say of revisions; output: `TreeSource`s.

use crate::cli::Io;
use crate::discover::display::{Base, absolute};
use crate::discover::git::Repository;
use crate::discover::snapshot::Snapshot;
use crate::error::Error;
use std::path::Path;

/// One tree of manifests.
#[derive(Debug)]
pub(super) enum TreeSource {
    /// The file system.
    Disk,
    /// A git revision, or the index.
    Git(Box<Snapshot>),
}

impl TreeSource {
    /// A revision.
    pub(super) fn revision(io: &Io<'_>, revision: &str) -> Result<Self, Error> {
        let snapshot = Snapshot::revision(&Repository::at(&io.cwd, io.env)?, revision)?;
        Ok(Self::Git(Box::new(snapshot)))
    }

    /// A revision, to be held against the working tree: without the tracked files that `.gitignore` hides there.
    pub(super) fn revision_as_walked(io: &Io<'_>, revision: &str) -> Result<Self, Error> {
        let snapshot = Snapshot::revision(&Repository::at(&io.cwd, io.env)?, revision)?;
        Ok(Self::Git(Box::new(snapshot.without_ignored()?)))
    }

    /// Whether the working directory lies in a git repository.
    pub(super) fn in_repository(io: &Io<'_>) -> bool {
        Repository::at(&io.cwd, io.env).is_ok()
    }

    /// The index.
    pub(super) fn index(io: &Io<'_>) -> Result<Self, Error> {
        let snapshot = Snapshot::index(&Repository::at(&io.cwd, io.env)?)?;
        Ok(Self::Git(Box::new(snapshot)))
    }

    /// The last commit; nothing before the first.
    pub(super) fn head(io: &Io<'_>) -> Result<Self, Error> {
        let repository = Repository::at(&io.cwd, io.env)?;
        let snapshot = if repository.is_unborn()? {
            Snapshot::empty(&repository)?
        } else {
            Snapshot::revision(&repository, "HEAD")?
        };
        Ok(Self::Git(Box::new(snapshot)))
    }

    /// What the user calls it.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Disk => "the working tree",
            Self::Git(snapshot) => &snapshot.name,
        }
    }

    /// The folders that are other repositories, of which a snapshot holds the names only.
    pub(super) fn submodules(&self) -> Vec<String> {
        match self {
            Self::Disk => Vec::new(),
            Self::Git(snapshot) => snapshot.submodules().map(str::to_owned).collect(),
        }
    }

    /// The text of a file that this tree tracks, by its place on the disk; `None` when it is to be read from there.
    pub(super) fn text(&self, io: &Io<'_>, path: &Path) -> Option<String> {
        let Self::Git(snapshot) = self else {
            return None;
        };
        let bytes = snapshot.read(&in_repository(io, path))?;
        String::from_utf8(bytes).ok()
    }

    /// The bytes of a file by its place on the disk; what a snapshot does not track is read from there.
    ///
    /// # Errors
    /// The file system's.
    pub(super) fn bytes(&self, cwd: &Path, path: &Path) -> std::io::Result<Vec<u8>> {
        let full = absolute(cwd, path);
        let tracked = match self {
            Self::Disk => None,
            Self::Git(snapshot) => snapshot.read(&Base::of(cwd).shown(&full)),
        };
        tracked.map_or_else(|| std::fs::read(&full), Ok)
    }

    /// The YAML files that this tree tracks at or below a place on the disk, by their paths below it.
    pub(super) fn texts(&self, io: &Io<'_>, folder: &Path) -> Vec<(String, String)> {
        match self {
            Self::Disk => Vec::new(),
            Self::Git(snapshot) => snapshot.texts(&in_repository(io, folder)),
        }
    }

    /// Whether this tree tracks a file, by its place on the disk; always on the disk itself.
    pub(super) fn has(&self, io: &Io<'_>, path: &Path) -> bool {
        match self {
            Self::Disk => true,
            Self::Git(snapshot) => snapshot.has(&in_repository(io, path)),
        }
    }
}

/// The commit where HEAD left the default branch.
pub(super) fn merge_base(io: &Io<'_>) -> Result<String, Error> {
    Ok(Repository::at(&io.cwd, io.env)?.merge_base()?)
}

fn in_repository(io: &Io<'_>, path: &Path) -> String {
    Base::of(&io.cwd).shown(&absolute(&io.cwd, path))
}
