//! Builds every kustomization below a folder and prints counts and times: a yardstick for the engine.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "an example prints and may stop"
)]

use std::time::Instant;

use meshgov::kustomize::files::KUSTOMIZATION_NAMES;
use meshgov::kustomize::{DiskFiles, Engine, Options, Outcome};
use meshgov::source::Sources;

fn main() {
    let root = std::env::args().nth(1).expect("a folder");
    let most = std::env::args()
        .nth(2)
        .map_or(usize::MAX, |n| n.parse().unwrap());
    let mut leaves = Vec::new();
    let mut folders = vec![std::path::PathBuf::from(&root)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .file_name()
                .is_some_and(|n| KUSTOMIZATION_NAMES.iter().any(|k| n == *k))
                && folder.to_string_lossy().contains("/overlays/")
            {
                let leaf = folder.strip_prefix(&root).unwrap();
                leaves.push(leaf.to_string_lossy().into_owned());
            }
        }
    }
    leaves.sort();
    leaves.truncate(most);
    for round in 0..2 {
        let files = DiskFiles::new(&root, Sources::default());
        let engine = Engine::new(&files);
        let start = Instant::now();
        let (mut objects, mut refused, mut broken) = (0, 0, 0);
        for leaf in &leaves {
            match engine.build(leaf, Options::default()).map(|b| b.outcome) {
                Some(Outcome::Rendered(trees)) => objects += trees.len(),
                Some(Outcome::Refused(_)) => refused += 1,
                Some(Outcome::Broken(errors)) => {
                    broken += 1;
                    if broken < 4 {
                        println!("{leaf}: {}", errors.first().unwrap());
                    }
                }
                None => {}
            }
        }
        let count = leaves.len();
        println!(
            "round {round}: {count} leaves, {objects} objects, {refused} refused, {broken} broken, {:?}",
            start.elapsed()
        );
    }
}
