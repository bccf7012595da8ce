//! Replays the seed corpus of the fuzz target on a stack of 2 MiB.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "test code")]

#[path = "../fuzz/fuzz_targets/cel_harness.rs"]
mod harness;

#[test]
fn every_seed_holds_what_holds_for_every_text() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/cel");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(paths.len() >= 60, "{} seeds", paths.len());
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(move || {
            let subject = harness::Subject::new();
            for path in paths {
                let bytes = std::fs::read(&path).unwrap();
                if let Ok(text) = std::str::from_utf8(&bytes) {
                    subject.run(text);
                }
            }
        })
        .unwrap()
        .join()
        .unwrap();
}
