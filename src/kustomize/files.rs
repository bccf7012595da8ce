//! L2: where the engine reads from. Input: paths with `/`, relative to one root; output: parsed files and raw bytes.

use std::sync::Arc;

use crate::source::SourceFile;
use crate::yaml::{Document, ParseError, Parsed, Tree};

/// Access to the user's files. Paths are normalised: no `.`, no empty segment, `..` only in front.
pub trait Files: Sync {
    /// The file at `path` read as YAML (JSON is YAML); `None` when there is no such file.
    fn yaml(&self, path: &str) -> Option<Arc<YamlFile>>;

    /// The file at `path` as it is, for generators; `None` when there is no such file.
    fn raw(&self, path: &str) -> Option<Arc<RawFile>>;
}

/// A file read as YAML.
#[derive(Clone, Debug)]
pub struct YamlFile {
    /// Its nodes.
    pub tree: Arc<Tree>,
    /// Its documents.
    pub documents: Vec<Document>,
    /// Documents that could not be read.
    pub errors: Vec<ParseError>,
}

impl From<Parsed> for YamlFile {
    fn from(parsed: Parsed) -> Self {
        Self {
            tree: Arc::new(parsed.tree),
            documents: parsed.documents,
            errors: parsed.errors,
        }
    }
}

/// A file that a generator takes in.
#[derive(Clone, Debug)]
pub struct RawFile {
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// The file as a source, when its text equals its bytes; spans of generated values then point into it.
    pub source: Option<Arc<SourceFile>>,
}

/// The names kustomize looks for, in its order (api v0.18.0, konfig/general.go).
pub const KUSTOMIZATION_NAMES: [&str; 3] =
    ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Resolves `path` against the folder `dir` lexically. An absolute path stays absolute.
#[must_use]
pub fn join(dir: &str, path: &str) -> String {
    let absolute = path.starts_with('/') || (dir.starts_with('/') && !path.starts_with('/'));
    let base = if path.starts_with('/') { "" } else { dir };
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    if absolute {
        format!("/{joined}")
    } else {
        joined
    }
}

/// Whether `path` is `dir` or lies below it; both normalised.
#[must_use]
pub fn is_in_or_below(path: &str, dir: &str) -> bool {
    if dir.is_empty() {
        return path != ".." && !path.starts_with("../") && !path.starts_with('/');
    }
    // A relative folder above the root holds everything that climbs no higher than it.
    if dir.split('/').all(|p| p == "..") {
        let climbs = |p: &str| p.split('/').take_while(|s| *s == "..").count();
        return !path.starts_with('/') && climbs(path) <= climbs(dir);
    }
    path.strip_prefix(dir.trim_end_matches('/'))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Folder of a path; `""` for the root.
#[must_use]
pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}

/// Whether kustomize would fetch `path` from a git server or over HTTP when no local file has that name
/// (api v0.18.0, internal/git/repospec.go and internal/loader/fileloader.go).
#[must_use]
pub fn is_remote(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let lower = lower.strip_prefix("git::").unwrap_or(&lower);
    if ["http://", "https://", "ssh://", "file://"]
        .iter()
        .any(|scheme| lower.starts_with(scheme))
    {
        return true;
    }
    let (user, rest) = match lower.split_once('@') {
        Some((user, rest)) if is_user(user) => (user, rest),
        _ => ("", lower),
    };
    let github = rest.starts_with("github.com/") || rest.starts_with("github.com:");
    if user.is_empty() && !github {
        return false;
    }
    let rest = rest.split('?').next().unwrap_or(rest);
    let path = rest.split_once(['/', ':']).map_or("", |(_, path)| path);
    path.contains("_git/") || path.contains("//") || path.contains(".git") || path.contains('/')
}

fn is_user(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_join_lexically() {
        assert_eq!(join("a/b", "../c"), "a/c");
        assert_eq!(join("", "../c"), "../c");
        assert_eq!(join("../x", "../../c"), "../../c");
        assert_eq!(join("a", "."), "a");
        assert_eq!(join("a", "./b//c/"), "a/b/c");
        assert_eq!(join("/a/b", "../../../c"), "/c");
        assert_eq!(join("a", "/etc/x"), "/etc/x");
    }

    #[test]
    fn below_is_by_whole_segments() {
        assert!(is_in_or_below("a/b", "a"));
        assert!(is_in_or_below("a", "a"));
        assert!(!is_in_or_below("ab", "a"));
        assert!(is_in_or_below("a", ""));
        assert!(!is_in_or_below("../a", ""));
        assert!(is_in_or_below("../a", ".."));
        assert!(is_in_or_below("a", ".."));
        assert!(!is_in_or_below("../../a", ".."));
    }

    #[test]
    fn remote_bases_are_told_from_folders() {
        for remote in [
            "https://github.com/org/repo",
            "github.com/org/repo?ref=v1",
            "git@github.com:org/repo.git",
            "git@gitlab.example.com:group/repo.git//deploy",
            "ssh://git@example.com/org/repo",
            "git::https://example.com/org/repo",
        ] {
            assert!(is_remote(remote), "{remote}");
        }
        for local in [
            "../base",
            "base",
            "github.com",
            "a@b",
            "/abs/path",
            "deploy.git",
        ] {
            assert!(!is_remote(local), "{local}");
        }
    }
}
