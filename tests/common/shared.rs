//! Test input that lies beside the repository, in `../shared`. A missing file fails the test.

use std::path::{Path, PathBuf};

/// A path under `../shared`.
pub(crate) fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared")
        .join(relative)
}

#[allow(dead_code, reason = "not every test reads files")]
/// The text of a file under `../shared`.
pub(crate) fn read(relative: &str) -> String {
    let path = path(relative);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
