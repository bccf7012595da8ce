//! `diff` over a real git history: a revision, the merge base, the index, a folder, and what is said when something is not there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

mod git_support;

use git_support::Repo;

/// A pod in the mesh whose namespace has this PeerAuthentication mode.
fn tree(mode: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Namespace\nmetadata: {{name: ml, labels: {{istio-injection: enabled}}}}\n---\n\
         apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {{name: default, namespace: ml}}\nspec:\n  \
         mtls: {{mode: {mode}}}\n---\n\
         apiVersion: v1\nkind: Pod\nmetadata: {{name: llm, namespace: ml}}\nspec:\n  containers:\n  - name: c\n    \
         image: registry.example/llm\n    ports: [{{containerPort: 8000}}]\n"
    )
}

/// `kind subject direction path:line` of every change, and the exit code.
fn changes(repo: &Repo, arguments: &[&str]) -> (i32, Vec<String>) {
    let said = repo.run(&[&["diff", "--format", "json"], arguments].concat());
    let json: serde_json::Value =
        serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}{}", said.out, said.err));
    let changes = json["changes"].as_array().unwrap().iter();
    let words = changes.map(|c| {
        let text = |name: &str| c[name].as_str().unwrap_or_default().to_owned();
        let cause = &c["cause"][0];
        let path = cause["path"].as_str().unwrap_or_default();
        format!(
            "{} {} {path}:{}",
            text("kind"),
            text("direction"),
            cause["line"]
        )
    });
    (said.code, words.collect())
}

fn history() -> Repo {
    let repo = Repo::new();
    repo.write("mesh.yaml", &tree("STRICT"));
    repo.commit("strict");
    repo
}

#[test]
fn the_working_tree_is_held_against_a_revision() {
    let repo = history();
    assert_eq!(changes(&repo, &["--base", "HEAD"]), (0, vec![]));
    repo.write("mesh.yaml", &tree("DISABLE"));
    let (code, found) = changes(&repo, &["--base", "HEAD"]);
    assert_eq!(code, 1);
    assert!(
        found.contains(&"transport widened mesh.yaml:9".to_owned()),
        "{found:?}"
    );
}

#[test]
fn two_revisions_are_compared_whatever_the_working_tree_holds() {
    let repo = history();
    repo.write("mesh.yaml", &tree("DISABLE"));
    repo.commit("disable");
    repo.write("mesh.yaml", &tree("STRICT"));
    let (code, found) = changes(&repo, &["--base", "HEAD~1", "--head", "HEAD"]);
    assert_eq!(code, 1);
    assert!(
        found.contains(&"transport widened mesh.yaml:9".to_owned()),
        "{found:?}"
    );
    let (code, found) = changes(&repo, &["--base", "HEAD", "--head", "HEAD~1"]);
    assert_eq!(code, 0);
    assert!(
        found.contains(&"transport narrowed mesh.yaml:9".to_owned()),
        "{found:?}"
    );
}

#[test]
fn without_a_base_it_is_where_head_left_the_default_branch() {
    let repo = history();
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write("mesh.yaml", &tree("DISABLE"));
    repo.commit("disable");
    let (code, found) = changes(&repo, &[]);
    assert_eq!((code, found.is_empty()), (1, false));
}

#[test]
fn staged_compares_the_index_with_the_last_commit() {
    let repo = history();
    repo.write("mesh.yaml", &tree("DISABLE"));
    assert_eq!(changes(&repo, &["--staged"]), (0, vec![]));
    repo.git(&["add", "-A"]);
    repo.write("mesh.yaml", &tree("STRICT"));
    let (code, found) = changes(&repo, &["--staged"]);
    assert_eq!((code, found.is_empty()), (1, false));
}

#[test]
fn a_moved_file_is_no_change() {
    let repo = history();
    repo.remove("mesh.yaml");
    repo.write("moved.yaml", &tree("STRICT"));
    assert_eq!(changes(&repo, &["--base", "HEAD"]), (0, vec![]));
}

#[test]
fn what_is_not_there_is_an_error_with_a_way_out() {
    let repo = history();
    let said = repo.run(&["diff", "--base", "nowhere"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("`nowhere`"), "{}", said.err);
    let said = repo.run(&["diff", "--base", "mesh.yaml"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("`mesh.yaml`"), "{}", said.err);
    let said = repo.run(&["diff", "--base", "HEAD", "none.yaml"]);
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("neither side has `none.yaml`"),
        "{}",
        said.err
    );
}

#[test]
fn rules_on_changes_run_inside_check() {
    let repo = history();
    repo.write("mesh.yaml", &tree("DISABLE"));
    let (_, found) = repo.found(&["--base", "HEAD", "--select", "DRIFT003", "--exit-zero"]);
    assert_eq!(found, ["mesh.yaml:9 DRIFT003"]);
    let (_, found) = repo.found(&["--select", "DRIFT003", "--exit-zero"]);
    assert_eq!(found, [""; 0]);
}
