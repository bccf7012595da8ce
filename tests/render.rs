//! Commands of the config: their output is kept while nothing they may read changes, and never becomes an input itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

use std::path::Path;

use meshgov::render::{Job, output};

/// Runs a command that writes a mark outside its folder each time; what it prints, and the marks so far.
fn run(folder: &Path, marks: &Path, inputs: &[&str]) -> (String, usize) {
    let script = format!("echo x >> {}; cat a.yaml", marks.display());
    let command = ["sh", "-c", &script].map(str::to_owned);
    let inputs: Vec<String> = inputs.iter().map(|s| (*s).to_owned()).collect();
    let printed = output(Job {
        name: "ml/llm",
        command: &command,
        inputs: &inputs,
        folder,
    })
    .unwrap();
    assert!(printed.path.starts_with(folder.join(".meshgov/cache")));
    let runs = std::fs::read_to_string(marks).unwrap().lines().count();
    (String::from_utf8(printed.bytes).unwrap(), runs)
}

#[test]
fn a_command_runs_again_only_when_something_changed() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("tree");
    let marks = outer.path().join("marks");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("a.yaml"), "a: 1\n").unwrap();
    assert_eq!(run(&folder, &marks, &[]), ("a: 1\n".into(), 1));
    // The cache itself is no input, or every run would change them.
    assert_eq!(run(&folder, &marks, &[]), ("a: 1\n".into(), 1));
    // A file that the command line does not name may be a base of what it names.
    std::fs::create_dir(folder.join("base")).unwrap();
    std::fs::write(folder.join("base/b.yaml"), "b: 1\n").unwrap();
    assert_eq!(run(&folder, &marks, &[]), ("a: 1\n".into(), 2));
    std::fs::write(folder.join("a.yaml"), "a: 2\n").unwrap();
    assert_eq!(run(&folder, &marks, &[]), ("a: 2\n".into(), 3));
    // Named inputs alone decide.
    assert_eq!(run(&folder, &marks, &["a.yaml"]), ("a: 2\n".into(), 4));
    std::fs::write(folder.join("base/b.yaml"), "b: 2\n").unwrap();
    assert_eq!(run(&folder, &marks, &["a.yaml"]), ("a: 2\n".into(), 4));
    // What cannot be read whole is run each time.
    assert_eq!(run(&folder, &marks, &["gone.yaml"]).1, 5);
    assert_eq!(run(&folder, &marks, &["gone.yaml"]).1, 6);
}

#[test]
fn the_cache_is_kept_out_of_commits_and_inputs() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.yaml"), "a: 1\n").unwrap();
    let marks = tempfile::tempdir().unwrap();
    run(folder.path(), &marks.path().join("marks"), &[]);
    let ignore = folder.path().join(".meshgov/.gitignore");
    assert_eq!(std::fs::read_to_string(ignore).unwrap(), "*\n");
    let found = meshgov::discover::discover(&meshgov::discover::Request {
        cwd: folder.path().to_owned(),
        paths: Vec::new(),
        stdin_name: None,
    })
    .unwrap();
    let shown: Vec<_> = found.files.iter().map(|f| f.shown.as_str()).collect();
    assert_eq!(shown, ["a.yaml"]);
}
