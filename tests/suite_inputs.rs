//! Every real file of the corpus: read without panic, accounted for, its secrets and conflicts counted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "test code"
)]

use std::path::{Path, PathBuf};

use meshgov::discover::{Request, discover};
use meshgov::load::{Loaded, load};

fn shared(path: &str) -> PathBuf {
    let full = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared")
        .join(path);
    assert!(full.exists(), "missing: {}", full.display());
    full
}

fn read(folder: &Path) -> Loaded {
    let request = Request {
        cwd: folder.to_owned(),
        ..Request::default()
    };
    load(&discover(&request).unwrap(), None)
}

fn folders(path: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(shared(path))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

#[test]
fn dump() {
    for kind in ["plain", "gitops", "templated", "invalid", "disputed"] {
        for folder in folders(&format!("corpus/real/{kind}")) {
            let loaded = read(&folder);
            println!(
                "## {kind}/{} {:?}",
                folder.file_name().unwrap().to_string_lossy(),
                loaded.ledger()
            );
            let request = Request {
                cwd: folder.clone(),
                ..Request::default()
            };
            let roots = discover(&request).unwrap().roots;
            let started = std::time::Instant::now();
            let views = meshgov::view::build::views(&loaded, &roots, &Default::default());
            let total: usize = views.views.iter().map(|v| v.members.len()).sum();
            let rep: u32 = views.views.iter().map(|v| v.repeated).sum();
            println!(
                "VIEWS {} members {total} repeated {rep} conflicts {} sure {} in {:?}",
                views.views.len(),
                views.problems.len(),
                views.problems.iter().filter(|p| p.is_sure).count(),
                started.elapsed()
            );
            for v in &views.views {
                println!("  VIEW {} {} objects", v.name, v.members.len());
            }
            for p in &views.problems {
                let f = &loaded.files[p.span.source.0 as usize];
                println!(
                    "CONFLICT {} {}:{} {}",
                    p.is_sure,
                    f.source.path,
                    f.source.position(p.span.start).line,
                    p.message
                );
            }
            for p in &loaded.problems {
                let f = &loaded.files[p.span.source.0 as usize];
                println!(
                    "PROBLEM {} {}:{} {}",
                    p.kind.id(),
                    f.source.path,
                    f.source.position(p.span.start).line,
                    p.message
                );
            }
            for s in &loaded.secrets {
                let f = &loaded.files[s.source.0 as usize].source;
                let line = f.position(s.start).line;
                let at = f.line_starts()[line as usize - 1] as usize;
                println!(
                    "SECRET {}:{} {}",
                    f.path,
                    line,
                    f.text[at..]
                        .lines()
                        .next()
                        .unwrap()
                        .chars()
                        .take(150)
                        .collect::<String>()
                );
            }
            for f in &loaded.files {
                if let meshgov::load::FileOutcome::Skipped { reason, .. } = &f.outcome {
                    println!("SKIP {} {reason}", f.source.path);
                }
            }
        }
    }
}
