//! Generated pages are those in the repository. `UPDATE_DOCS=1 cargo test --test docs` writes them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

use std::path::Path;

#[test]
fn generated_pages_are_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = meshgov::cli::docs::pages().unwrap();
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    let mut stale = Vec::new();
    for (path, text) in &pages {
        let file = root.join(path);
        if std::fs::read_to_string(&file).is_ok_and(|t| t == *text) {
            continue;
        }
        if update {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, text).unwrap();
        } else {
            stale.push(path.clone());
        }
    }
    // Pages of rules that are gone.
    for entry in std::fs::read_dir(root.join("docs/rules")).unwrap() {
        let file = entry.unwrap().path();
        let path = format!("docs/rules/{}", file.file_name().unwrap().to_string_lossy());
        if !pages.contains_key(&path) {
            if update {
                std::fs::remove_file(file).unwrap();
            } else {
                stale.push(path);
            }
        }
    }
    assert!(
        stale.is_empty(),
        "stale: {stale:#?}\nrun UPDATE_DOCS=1 cargo test --test docs"
    );
}
