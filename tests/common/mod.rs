//! Helpers of the `suite_*` tests, which read `../shared`.
#![allow(dead_code, reason = "every test binary uses its own part")]

use std::path::{Path, PathBuf};

pub(crate) mod spans;

/// A path below `../shared`; panics when it is missing, so that no suite passes by not running.
pub(crate) fn shared(path: &str) -> PathBuf {
    let full = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared")
        .join(path);
    assert!(full.exists(), "missing: {}", full.display());
    full
}

/// The text of a file below `../shared`.
pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(shared(path)).unwrap()
}

/// All files below a folder whose names end in one of `extensions` (without dot), sorted.
pub(crate) fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|e| extensions.iter().any(|want| e == *want))
            {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
