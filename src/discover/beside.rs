//! L1: files that no walk found because nothing but another file names them: a base outside the paths of the command line,
//! a patch or a generator's source with any ending. Input: a printed path; output: its bytes.

use std::fmt::Debug;
use std::path::PathBuf;

use super::display::{Base, absolute};
use super::snapshot::Snapshot;

/// Files by the path that findings print, read on demand.
pub trait Beside: Debug + Send + Sync {
    /// The bytes of a file; `None` when there is no such file within reach.
    fn read(&self, shown: &str) -> Option<Vec<u8>>;
}

/// No file at all: for texts that stand in none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

impl Beside for Nothing {
    fn read(&self, _: &str) -> Option<Vec<u8>> {
        None
    }
}

/// The file system, in a git repository not beyond its top level.
#[derive(Clone, Debug)]
pub struct OnDisk {
    base: PathBuf,
    fence: Option<PathBuf>,
}

impl OnDisk {
    /// Files whose printed paths are relative to `base`.
    #[must_use]
    pub fn new(base: &Base) -> Self {
        let folder = base.folder();
        Self {
            base: folder.to_owned(),
            fence: base.is_git.then(|| folder.canonicalize().ok()).flatten(),
        }
    }
}

impl Beside for OnDisk {
    fn read(&self, shown: &str) -> Option<Vec<u8>> {
        let path = absolute(&self.base, shown.as_ref());
        if !path.is_file() {
            return None;
        }
        if let Some(fence) = &self.fence
            && !path.canonicalize().ok()?.starts_with(fence)
        {
            return None;
        }
        std::fs::read(path).ok()
    }
}

/// The files of a git revision or of the index.
impl Beside for Snapshot {
    fn read(&self, shown: &str) -> Option<Vec<u8>> {
        Self::read(self, shown)
    }
}
