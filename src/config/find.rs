//! L5: where the config is. Input: a folder; output: the path of the nearest config file up to the git top level.

use std::path::{Path, PathBuf};

/// File names, in order of preference.
pub const NAMES: &[&str] = &["meshgov.yaml", ".meshgov.yaml"];

/// The config that holds for a folder: the nearest one upwards; the search stops at the folder that holds `.git`. `is_file`
/// looks whether a path is there.
#[must_use]
pub fn nearest_config(from: &Path, is_file: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    for folder in from.ancestors() {
        let found = NAMES
            .iter()
            .map(|name| folder.join(name))
            .find(|p| is_file(p));
        if found.is_some() {
            return found;
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_search_goes_up_to_the_git_top_level_and_no_further() {
        let outer = tempfile::tempdir().unwrap();
        let top = outer.path().join("repo");
        let deep = top.join("a/b");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::create_dir(top.join(".git")).unwrap();
        std::fs::write(outer.path().join("meshgov.yaml"), "").unwrap();
        let nearest_config = |from| super::nearest_config(from, |path| path.is_file());
        assert_eq!(nearest_config(&deep), None);
        std::fs::write(top.join(".meshgov.yaml"), "").unwrap();
        assert_eq!(nearest_config(&deep), Some(top.join(".meshgov.yaml")));
        std::fs::write(top.join("meshgov.yaml"), "").unwrap();
        assert_eq!(nearest_config(&deep), Some(top.join("meshgov.yaml")));
    }
}
