//! A revision read as an input: the same paths as a walk of the checked-out folder, links as git stores them, submodules and
//! pointers of Git LFS named.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

mod git_support;

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use git_support::{Repo, harmless, leaky};
use meshgov::discover::git::Repository;
use meshgov::discover::snapshot::Snapshot;
use meshgov::discover::{Discovered, Origin, Request, discover};
use meshgov::load::{FileOutcome, load};

/// Path, what became of it, how many objects, roots.
fn account(discovered: &Discovered) -> Vec<String> {
    let loaded = load(discovered, None);
    let mut lines: Vec<String> = discovered.roots.iter().map(|r| format!("{r:?}")).collect();
    for (file, input) in loaded.files.iter().zip(&discovered.files) {
        let objects = loaded.resources_of(file).len();
        let outcome = match &file.outcome {
            FileOutcome::Skipped { reason, .. } => reason.to_string(),
            _ => format!("{objects} objects, {} bytes", file.source.text.len()),
        };
        let problem = match &input.origin {
            Origin::Nothing(problem) => format!("{problem:?}"),
            _ => String::new(),
        };
        lines.push(format!(
            "{} {:?} {} {outcome} {problem}",
            file.source.path, file.roots, input.named
        ));
    }
    lines
}

fn compare(repo: &Repo, folder: &str, paths: &[&str]) -> Vec<String> {
    let cwd = repo.path().canonicalize().unwrap().join(folder);
    let request = Request {
        cwd: cwd.clone(),
        paths: paths.iter().map(PathBuf::from).collect(),
        stdin_name: None,
    };
    let repository = Repository::at(&cwd, |_| None).unwrap();
    let disk = account(&discover(&request).unwrap());
    let revision = Snapshot::revision(&repository, "HEAD").unwrap();
    assert_eq!(
        account(
            &revision
                .without_ignored()
                .unwrap()
                .discover(&request)
                .unwrap()
        ),
        disk
    );
    let index = Snapshot::index(&repository).unwrap();
    assert_eq!(
        account(&index.without_ignored().unwrap().discover(&request).unwrap()),
        disk
    );
    disk
}

fn tree_with_links() -> Repo {
    let repo = Repo::new();
    repo.write("a/one.yaml", &harmless("one", "x"));
    repo.write("a/b/two.yml", &harmless("two", "x"));
    repo.write("a-b/three.JSON", "{\"apiVersion\": \"v1\"}");
    repo.write("readme.md", "no manifest");
    repo.write("with space/ü.yaml", &harmless("four", "x"));
    let at = |path: &str| repo.path().join(path);
    symlink("../a/one.yaml", at("a-b/link.yaml")).unwrap();
    symlink("../a", at("a-b/folder")).unwrap();
    symlink("nowhere.yaml", at("broken.yaml")).unwrap();
    symlink("/etc/hosts", at("outside.yaml")).unwrap();
    std::fs::create_dir(at("../outside")).unwrap();
    symlink("../../outside", at("a/out")).unwrap();
    symlink(".", at("a/b/loop")).unwrap();
    symlink("self.yaml", at("self.yaml")).unwrap();
    repo.commit("links");
    repo
}

#[test]
fn a_revision_gives_the_paths_of_a_walk() {
    let repo = tree_with_links();
    let all = compare(&repo, "", &[]);
    assert!(
        all.iter()
            .any(|l| l.starts_with("a-b/link.yaml [0] false 1 objects")),
        "{all:#?}"
    );
    assert!(
        all.iter()
            .any(|l| l.contains("BrokenLink(\"nowhere.yaml\")")),
        "{all:#?}"
    );
    assert!(
        all.iter()
            .any(|l| l.contains("OutsideLink(\"/etc/hosts\")")),
        "{all:#?}"
    );
    // The folder behind a link is read through it only when no named folder holds it.
    let linked = compare(&repo, "", &["a-b"]);
    assert!(
        linked.iter().any(|l| l.starts_with("a-b/folder/b/two.yml")),
        "{linked:#?}"
    );
    assert!(
        !all.iter().any(|l| l.starts_with("a-b/folder/b/two.yml")),
        "{all:#?}"
    );
    compare(&repo, "", &["a", "a-b", "with space"]);
    compare(&repo, "a", &["b", "one.yaml", "../a-b/link.yaml"]);
    compare(&repo, "a-b", &["folder"]);
}

#[test]
fn ignored_files_that_are_tracked_are_left_out_beside_a_walk() {
    let repo = Repo::new();
    repo.write(".gitignore", "generated/\n");
    repo.write("generated/a.yaml", &harmless("a", "x"));
    repo.write("b.yaml", &harmless("b", "x"));
    repo.git(&["add", "-f", "generated/a.yaml"]);
    repo.commit("ignored");
    let walked = compare(&repo, "", &[]);
    assert_eq!(walked.len(), 2, "{walked:#?}");
    let cwd = repo.path();
    let repository = Repository::at(&cwd, |_| None).unwrap();
    let revision = Snapshot::revision(&repository, "HEAD").unwrap();
    let request = Request {
        cwd,
        ..Request::default()
    };
    assert_eq!(revision.discover(&request).unwrap().files.len(), 2);
}

#[test]
fn submodules_and_lfs_pointers_are_named() {
    let repo = Repo::new();
    repo.write(
        "a.yaml",
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
    );
    repo.write("b.yaml", &leaky("b"));
    repo.commit("lfs");
    let head = repo.git(&["rev-parse", "HEAD"]);
    repo.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        &format!("160000,{head},vendor/charts"),
    ]);
    let said = repo.run(&["check", "--staged", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let named: Vec<_> = json["notAnalysed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| format!("{} {}", n["path"], n["reason"]))
        .collect();
    assert_eq!(
        named,
        [
            "\"a.yaml\" \"pointer of Git LFS: `git lfs pull` brings the file\"",
            "\"vendor/charts\" \"submodule: another git repository\""
        ]
    );
}

#[test]
fn a_file_is_read_through_the_links_of_its_folders() {
    let repo = tree_with_links();
    let repository = Repository::at(&repo.path(), |_| None).unwrap();
    let revision = Snapshot::revision(&repository, "HEAD").unwrap();
    let text = |path: &str| revision.read(path).map(|b| String::from_utf8(b).unwrap());
    assert_eq!(text("a-b/folder/b/two.yml"), Some(harmless("two", "x")));
    assert_eq!(text("readme.md").as_deref(), Some("no manifest"));
    assert_eq!(
        text("a-b/folder/b/loop/loop/two.yml"),
        Some(harmless("two", "x"))
    );
    for none in [
        "a",
        "broken.yaml",
        "outside.yaml",
        "self.yaml",
        "../x",
        "a/out/x",
    ] {
        assert_eq!(text(none), None, "{none}");
    }
}
