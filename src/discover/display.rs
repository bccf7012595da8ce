//! L1: the paths that findings print. Input: absolute paths; output: relative ones with `/`, and the order of files.

use std::path::{Component, Path, PathBuf};

/// What printed paths are relative to.
#[derive(Clone, Debug)]
pub struct Base {
    folder: PathBuf,
    /// Whether the base is the top level of a git repository.
    pub is_git: bool,
}

impl Base {
    /// The git top level above the working directory, else the working directory.
    #[must_use]
    pub fn of(cwd: &Path) -> Self {
        let cwd = normal(cwd);
        match git_top(&cwd) {
            Some(top) => Self {
                folder: top,
                is_git: true,
            },
            None => Self {
                folder: cwd,
                is_git: false,
            },
        }
    }

    /// The folder itself.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// An absolute path relative to the base, with `..` where it lies outside; `.` for the base.
    #[must_use]
    pub fn shown(&self, path: &Path) -> String {
        let mut from = self.folder.components().peekable();
        let mut to = path.components().peekable();
        while let (Some(a), Some(b)) = (from.peek(), to.peek()) {
            if a != b {
                break;
            }
            from.next();
            to.next();
        }
        let mut parts: Vec<String> = from.map(|_| "..".to_owned()).collect();
        parts.extend(to.filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
            Component::Prefix(prefix) => Some(prefix.as_os_str().to_string_lossy().into_owned()),
            _ => None,
        }));
        if parts.is_empty() {
            ".".to_owned()
        } else {
            parts.join("/")
        }
    }
}

/// The nearest folder at or above `path` that holds `.git` (a folder, or a file in a worktree).
#[must_use]
pub fn git_top(path: &Path) -> Option<PathBuf> {
    path.ancestors()
        .find(|folder| folder.join(".git").exists())
        .map(Path::to_owned)
}

/// `path` from `cwd`, without `.` and `..`; symbolic links are not resolved, so that printed paths are those of the user.
#[must_use]
pub fn absolute(cwd: &Path, path: &Path) -> PathBuf {
    normal(&cwd.join(path))
}

fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

/// Orders paths folder by folder: a `/` sorts before every other byte.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SortKey(Vec<u8>);

/// The key under which a printed path sorts.
#[must_use]
pub fn sort_key(shown: &str) -> SortKey {
    SortKey(
        shown
            .bytes()
            .map(|byte| if byte == b'/' { 0 } else { byte })
            .collect(),
    )
}

/// The operating system's words for an error, without the number that differs between systems.
#[must_use]
pub fn io_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or("").trim();
    let mut chars = words.chars();
    chars
        .next()
        .map(|first| first.to_lowercase().chain(chars).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_printed_relative_to_the_base() {
        let base = Base {
            folder: PathBuf::from("/r/repo"),
            is_git: true,
        };
        assert_eq!(base.shown(Path::new("/r/repo/a/b.yaml")), "a/b.yaml");
        assert_eq!(base.shown(Path::new("/r/repo")), ".");
        assert_eq!(base.shown(Path::new("/r/other/x.yaml")), "../other/x.yaml");
        let from = Path::new("/r/repo/a");
        assert_eq!(
            absolute(from, Path::new("../b/./c.yaml")),
            PathBuf::from("/r/repo/b/c.yaml")
        );
    }

    #[test]
    fn the_files_of_a_folder_stay_together() {
        let mut paths = ["a-b/x", "a/z", "a.yaml", "a/b/c"];
        paths.sort_by_key(|p| sort_key(p));
        assert_eq!(paths, ["a/b/c", "a/z", "a-b/x", "a.yaml"]);
    }
}
