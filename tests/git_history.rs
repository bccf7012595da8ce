//! `check` over real git histories: `--base`, `--new-only`, `--staged`, the merge base, a shallow clone, renames, a dirty
//! tree, hooks, and what is said when something is not there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

mod git_support;

use git_support::{Repo, git_command, harmless, leaky, said};

/// Only the rule of the leaky Deployment, so that other rules do not change these tests.
const ONE: &[&str] = &["--select", "AIKEY001"];

fn found(repo: &Repo, arguments: &[&str]) -> (i32, Vec<String>) {
    repo.found(&[ONE, arguments].concat())
}

/// `main` with one old finding, and a branch that adds another.
fn history() -> Repo {
    let repo = Repo::new();
    repo.write("old.yaml", &leaky("old"));
    repo.write("settings.yaml", &harmless("settings", "blue"));
    repo.commit("old");
    repo.git(&["switch", "-q", "-c", "change"]);
    repo.write("new.yaml", &leaky("new"));
    repo.commit("new");
    repo
}

#[test]
fn new_only_leaves_out_what_the_base_has() {
    let repo = history();
    let both = vec![
        "new.yaml:9 AIKEY001".to_owned(),
        "old.yaml:9 AIKEY001".to_owned(),
    ];
    assert_eq!(found(&repo, &["--base", "main"]), (1, both));
    let new = vec!["new.yaml:9 AIKEY001".to_owned()];
    assert_eq!(found(&repo, &["--base", "main", "--new-only"]), (1, new));
    assert_eq!(found(&repo, &["--base", "HEAD", "--new-only"]), (0, vec![]));
    let text = repo.run(&[
        "check",
        "--select",
        "AIKEY001",
        "--base",
        "main",
        "--new-only",
    ]);
    assert!(
        text.out.contains("1 that main has too not shown"),
        "{}",
        text.out
    );
}

#[test]
fn a_finding_that_only_moves_is_not_new() {
    let repo = history();
    repo.git(&["mv", "old.yaml", "moved.yaml"]);
    std::fs::create_dir(repo.path().join("apps")).unwrap();
    repo.git(&["mv", "moved.yaml", "apps/moved.yaml"]);
    repo.write(
        "settings.yaml",
        &format!("# split\n---\n{}", harmless("settings", "red")),
    );
    assert_eq!(found(&repo, &["--base", "HEAD", "--new-only"]), (0, vec![]));
    // A second one of the same kind on another object is new, wherever it stands.
    repo.write(
        "apps/moved.yaml",
        &format!("{}---\n{}", leaky("old"), leaky("other")),
    );
    let (code, new) = found(&repo, &["--base", "HEAD", "--new-only"]);
    assert_eq!(
        (code, new),
        (1, vec!["apps/moved.yaml:19 AIKEY001".to_owned()])
    );
}

#[test]
fn what_was_silenced_and_is_no_more_is_new() {
    let repo = Repo::new();
    let silenced = leaky("a").replace(
        "metadata: {",
        "metadata: {annotations: {meshgov.dev/ignore: 'AIKEY001 reason=\"demo\"'}, ",
    );
    repo.write("a.yaml", &silenced);
    repo.commit("silenced");
    repo.write("a.yaml", &leaky("a"));
    let new = vec!["a.yaml:9 AIKEY001".to_owned()];
    assert_eq!(found(&repo, &["--base", "HEAD", "--new-only"]), (1, new));
}

#[test]
fn without_a_base_it_is_where_head_left_the_default_branch() {
    let repo = history();
    // `main` goes on and repairs the old finding: held against main it is new again, against the merge base it is not.
    repo.git(&["switch", "-q", "main"]);
    repo.remove("old.yaml");
    repo.commit("repaired");
    repo.git(&["switch", "-q", "change"]);
    let new = vec!["new.yaml:9 AIKEY001".to_owned()];
    assert_eq!(found(&repo, &["--new-only"]), (1, new));
    assert_eq!(found(&repo, &["--new-only", "--base", "main"]).1.len(), 2);
}

#[test]
fn a_shallow_clone_says_what_to_fetch_and_works_after_that() {
    let repo = history();
    // The remote's HEAD is what a clone takes for the default branch.
    repo.git(&["switch", "-q", "main"]);
    let clone = repo.shallow_clone("change");
    let said = clone.run(&["check", "--base", "origin/main", "--new-only"]);
    assert_eq!(
        (said.code, said.err.as_str()),
        (
            2,
            "error: there is no revision `origin/main` in this clone\n  help: fetch it: `git fetch --depth=1 origin main:refs/remotes/origin/main`\n"
        )
    );
    clone.git(&[
        "fetch",
        "-q",
        "--depth=1",
        "origin",
        "main:refs/remotes/origin/main",
    ]);
    let new = vec!["new.yaml:9 AIKEY001".to_owned()];
    assert_eq!(
        found(&clone, &["--base", "origin/main", "--new-only"]),
        (1, new)
    );
    // Two histories of one commit each have no merge base.
    let said = clone.run(&["check", "--new-only"]);
    assert_eq!(said.code, 2);
    assert_eq!(
        said.err,
        "error: HEAD and `origin/main` have no common ancestor in this clone\n  help: this clone is shallow: `git fetch --unshallow`, or compare with the branch itself: `--base origin/main`\n"
    );
}

#[test]
fn what_is_not_there_is_an_error_with_a_way_out() {
    let repo = history();
    let fails = |arguments: &[&str]| {
        let said = repo.run(&[&["check"], arguments].concat());
        assert_eq!(said.code, 2, "{arguments:?}: {}{}", said.out, said.err);
        assert_eq!(said.out, "");
        said.err
    };
    assert_eq!(
        fails(&["--base", "release-1"]),
        "error: there is no revision `release-1` in this clone\n  help: fetch it: `git fetch --depth=1 origin release-1`\n"
    );
    assert_eq!(
        fails(&["--base", "HEAD~9"]),
        "error: there is no revision `HEAD~9` in this clone\n  help: `git log --oneline` lists what there is\n"
    );
    assert!(fails(&["--base=--all"]).starts_with("error: there is no revision `--all`"));
    assert!(fails(&["--base", ""]).starts_with("error: `--base` names no revision"));
    std::fs::write(repo.path().join("../beside.yaml"), harmless("a", "b")).unwrap();
    assert_eq!(
        fails(&["--base", "HEAD", "../beside.yaml"]),
        "error: `../beside.yaml` lies outside the repository, so HEAD does not have it\n  help: name files and folders of the repository\n"
    );
    assert!(fails(&["--base", "HEAD", "-"]).contains("--stdin-filename"));
    let no_git = repo.run_in("", &["check", "--base", "HEAD"], &[("PATH", "/nowhere")]);
    assert_eq!(no_git.code, 2);
    assert!(
        no_git.err.starts_with("error: `git` is not on the PATH"),
        "{}",
        no_git.err
    );
}

#[test]
fn a_folder_without_git_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_meshgov"))
        .args(["check", "--staged"])
        .current_dir(folder.path())
        .output();
    let said = said(&output.unwrap());
    assert_eq!(said.code, 2);
    assert!(
        said.err
            .starts_with("error: the working directory is in no git repository\n")
    );
}

#[test]
fn staged_judges_the_index_and_not_the_working_tree() {
    let repo = history();
    let staged = |expected: (i32, &[&str])| {
        let (code, found) = found(&repo, &["--staged"]);
        assert_eq!(
            (code, found),
            (
                expected.0,
                expected.1.iter().map(|s| (*s).to_owned()).collect()
            )
        );
    };
    staged((0, &[]));
    // Bad in the working tree only.
    repo.write("settings.yaml", &leaky("settings"));
    staged((0, &[]));
    let quiet = repo.run(&["check", "--staged", "--quiet", "--no-progress"]);
    assert_eq!(
        (quiet.code, quiet.out.as_str(), quiet.err.as_str()),
        (0, "", "")
    );
    // Bad in the index, mended in the working tree.
    repo.git(&["add", "settings.yaml"]);
    repo.write("settings.yaml", &harmless("settings", "blue"));
    staged((1, &["settings.yaml:9 AIKEY001"]));
    // An untracked file is no part of the commit.
    repo.git(&["add", "settings.yaml"]);
    repo.write("untracked.yaml", &leaky("untracked"));
    staged((0, &[]));
}

#[test]
fn staged_takes_the_config_and_the_rules_from_the_index() {
    let repo = history();
    repo.write("meshgov.yaml", "version: 1\nignore: [AIKEY001]\n");
    repo.write("fresh.yaml", &leaky("fresh"));
    repo.git(&["add", "fresh.yaml"]);
    let arguments = ["check", "--staged", "--quiet"];
    // The config that silences the rule is not part of the commit.
    assert_eq!(repo.run(&arguments).code, 1);
    repo.git(&["add", "meshgov.yaml"]);
    assert_eq!(repo.run(&arguments).code, 0);
    std::fs::remove_file(repo.path().join("meshgov.yaml")).unwrap();
    assert_eq!(repo.run(&arguments).code, 0);
}

#[test]
fn before_the_first_commit_everything_is_new() {
    let repo = Repo::new();
    repo.write("a.yaml", &leaky("a"));
    repo.git(&["add", "-A"]);
    let new = vec!["a.yaml:9 AIKEY001".to_owned()];
    assert_eq!(found(&repo, &["--staged"]), (1, new));
}

#[test]
fn a_real_hook_sees_what_git_is_about_to_commit() {
    let repo = history();
    let hook = repo.path().join(".git/hooks/pre-commit");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    let script = format!(
        "#!/bin/sh\nexec {} check --staged --quiet --no-progress --select AIKEY001\n",
        env!("CARGO_BIN_EXE_meshgov")
    );
    std::fs::write(&hook, script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&hook, mode).unwrap();
    repo.write("settings.yaml", &harmless("settings", "green"));
    let good = said(&repo.try_git(&["commit", "-q", "-am", "good"]));
    assert_eq!(
        (good.code, good.out, good.err),
        (0, String::new(), String::new())
    );
    // `commit -a` and `commit PATH` hand the hook an index of their own.
    repo.write("settings.yaml", &leaky("settings"));
    repo.write("new.yaml", &harmless("new", "green"));
    assert_eq!(said(&repo.try_git(&["commit", "-q", "-am", "bad"])).code, 1);
    assert_eq!(
        said(&repo.try_git(&["commit", "-q", "-m", "bad", "settings.yaml"])).code,
        1
    );
    assert_eq!(
        said(&repo.try_git(&["commit", "-q", "-m", "good", "new.yaml"])).code,
        0
    );
    // A linked worktree has a git folder of its own.
    repo.git(&["worktree", "add", "-q", "../tree", "-b", "other", "HEAD"]);
    let tree = repo.path().join("../tree");
    std::fs::write(tree.join("settings.yaml"), leaky("settings")).unwrap();
    let commit = |all: &[&str]| said(&git_command(&tree).args(all).output().unwrap());
    let bad = commit(&["commit", "-q", "-am", "bad"]);
    assert_eq!(bad.code, 1, "{}{}", bad.out, bad.err);
    assert!(bad.out.contains("settings.yaml") || bad.err.contains("settings.yaml"));
}

#[test]
fn the_hook_of_another_repository_does_not_redirect_us() {
    let outer = history();
    let repo = Repo::new();
    repo.write("a.yaml", &harmless("a", "b"));
    repo.commit("a");
    let git = outer.path().join(".git");
    let index = git.join("index");
    let hook = [
        ("GIT_DIR", git.to_str().unwrap()),
        ("GIT_INDEX_FILE", index.to_str().unwrap()),
    ];
    for hook in [&hook[..], &hook[1..]] {
        let said = repo.run_in("", &["check", "--staged", "--quiet"], hook);
        assert_eq!(
            (said.code, said.out.as_str(), said.err.as_str()),
            (0, "", "")
        );
    }
}

#[test]
fn an_unresolved_conflict_is_an_error() {
    let repo = history();
    repo.write("settings.yaml", &harmless("settings", "red"));
    repo.commit("red");
    repo.git(&["switch", "-q", "main"]);
    repo.write("settings.yaml", &harmless("settings", "green"));
    repo.commit("green");
    assert!(!repo.try_git(&["merge", "-q", "change"]).status.success());
    let said = repo.run(&["check", "--staged"]);
    assert_eq!(
        (said.code, said.err.as_str()),
        (
            2,
            "error: the index has an unresolved conflict in `settings.yaml`\n  help: resolve it and `git add` the file\n"
        )
    );
}

const SHRINKS: &str = "id: MY001\nsummary: replicas must not grow\nseverity: high\nconfidence: high\nsince: 0.1.0\nsubject: resource\nmatch: [Deployment]\nmatchConditions: [{name: known, expression: oldObject != null}]\nvalidations:\n  - expression: object.spec.replicas <= oldObject.spec.replicas\n    messageExpression: '\"from \" + string(oldObject.spec.replicas) + \" to \" + string(object.spec.replicas) + \" by \" + request.operation'\n";

fn replicas(name: &str, count: u32) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\nspec:\n  # how many\n  replicas: {count}\n"
    )
}

#[test]
fn old_object_is_the_object_at_the_base() {
    let repo = Repo::new();
    repo.write("rules/MY001-replicas-grow.yaml", SHRINKS);
    repo.write("k/a.yaml", &replicas("a", 2));
    repo.write("k/b.yaml", &replicas("b", 2));
    repo.commit("base");
    // Another file, another place in it: the object is the same.
    repo.remove("k/a.yaml");
    repo.write(
        "k/c.yaml",
        &format!(
            "{}---\n{}---\n{}",
            replicas("new", 9),
            replicas("a", 3),
            replicas("b", 1)
        ),
    );
    repo.remove("k/b.yaml");
    let arguments = [
        "check", "k", "--rules", "rules", "--select", "MY001", "--format", "concise", "--base",
        "HEAD",
    ];
    let said = repo.run(&arguments);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    assert!(said.out.starts_with("k/c.yaml:15:13: "), "{}", said.out);
    assert!(said.out.contains("from 2 to 3 by UPDATE"), "{}", said.out);
    assert_eq!(said.out.matches("MY001").count(), 1, "{}", said.out);
    // Without a base nothing has a past.
    let (code, found) = repo.found(&["k", "--rules", "rules", "--select", "MY001"]);
    assert_eq!((code, found), (0, vec![]));
}

#[test]
fn a_blame_in_the_old_object_is_shown_in_the_new_one() {
    let repo = Repo::new();
    let rule = SHRINKS.replace(
        "object.spec.replicas <= oldObject.spec.replicas",
        "'!has(oldObject.spec.paused) || oldObject.spec.paused == has(object.spec.paused)'",
    );
    let rule = rule
        .lines()
        .filter(|l| !l.contains("messageExpression"))
        .collect::<Vec<_>>()
        .join("\n");
    repo.write("rules/MY001-replicas-grow.yaml", &rule);
    repo.write(
        "k/a.yaml",
        &format!(
            "# a longer file\n# at the base\n{}  paused: true\n",
            replicas("a", 2)
        ),
    );
    repo.commit("base");
    repo.write("k/a.yaml", &replicas("a", 2));
    let (code, found) = repo.found(&[
        "k", "--rules", "rules", "--select", "MY001", "--base", "HEAD",
    ]);
    assert_eq!((code, found), (1, vec!["k/a.yaml:5 MY001".to_owned()]));
}

#[test]
fn what_cannot_be_read_at_the_base_leaves_the_past_unknown() {
    let repo = Repo::new();
    repo.write("rules/MY001-replicas-grow.yaml", SHRINKS);
    repo.write("k/a.yaml", &replicas("a", 2));
    repo.write(
        "k/b.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: [\n",
    );
    repo.commit("base");
    repo.write("k/b.yaml", &replicas("b", 2));
    let said = repo.run(&[
        "check", "k", "--rules", "rules", "--select", "MY001", "--base", "HEAD", "--format", "json",
    ]);
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(json["findings"].as_array().unwrap().len(), 0, "{json}");
    let undecided = json["notEvaluated"].as_array().unwrap();
    assert_eq!(undecided.len(), 1, "{json}");
    assert_eq!(undecided[0]["resource"]["name"], "b");
    assert!(
        undecided[0]["reason"]
            .as_str()
            .unwrap()
            .ends_with("could not be read at HEAD"),
        "{json}"
    );
}

#[test]
fn the_working_directory_and_paths_lead_to_the_same_files_on_both_sides() {
    let repo = history();
    repo.write("apps/web/deep.yaml", &leaky("deep"));
    repo.commit("deep");
    repo.write("apps/web/more.yaml", &leaky("more"));
    for (folder, paths) in [
        ("", &["apps"][..]),
        ("apps", &["web"]),
        ("apps/web", &[]),
        ("apps/web", &["../web/more.yaml"]),
    ] {
        let arguments = [
            &[
                "check",
                "--select",
                "AIKEY001",
                "--format",
                "concise",
                "--base",
                "HEAD",
                "--new-only",
            ],
            paths,
        ]
        .concat();
        let said = repo.run_in(folder, &arguments, &[]);
        assert_eq!(said.code, 1, "{folder} {paths:?} {}{}", said.out, said.err);
        assert_eq!(said.out.lines().count(), 1, "{}", said.out);
        assert!(
            said.out.starts_with("apps/web/more.yaml:9:"),
            "{}",
            said.out
        );
    }
}

#[test]
fn a_baseline_accepts_what_is_there_and_nothing_more() {
    let repo = history();
    let key = "{name: TOKEN_LIMIT, value: x}";
    repo.write(
        "meshgov.yaml",
        "version: 1\nselect: [AIKEY001, INPUT]\nbaseline: debt.txt\n",
    );
    let said = repo.run(&["check"]);
    assert_eq!(said.code, 2);
    assert_eq!(
        said.err,
        "error: there is no baseline `debt.txt`\n  help: `meshgov baseline create` writes one\n"
    );
    let said = repo.run(&["baseline", "create"]);
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "2 findings accepted on 2026-11-27 in debt.txt\n")
    );
    let text = std::fs::read_to_string(repo.path().join("debt.txt")).unwrap();
    assert!(!text.contains("sk-demo"), "{text}");
    // A secret has no digest, or a short one could be guessed.
    let entries: Vec<&str> = text.lines().filter(|l| l.contains("AIKEY001")).collect();
    assert_eq!(entries.len(), 2, "{text}");
    assert!(
        entries
            .iter()
            .all(|l| l.contains(" 1 - AIKEY001 Deployment web/")),
        "{text}"
    );
    assert_eq!(repo.found(&[]), (0, vec![]));
    assert_eq!(repo.run(&["baseline", "create"]).code, 2);
    // The same rule on another object is new.
    repo.write("third.yaml", &leaky("third"));
    assert_eq!(
        repo.found(&[]),
        (1, vec!["third.yaml:9 AIKEY001".to_owned()])
    );
    repo.remove("third.yaml");
    // Moved lines and files are not.
    repo.git(&["mv", "old.yaml", "older.yaml"]);
    repo.write(
        "older.yaml",
        &format!(
            "# moved\n{}",
            leaky("old").replace("env: [", &format!("env: [{key}, "))
        ),
    );
    assert_eq!(repo.found(&[]), (0, vec![]));
    // What is fixed is reported, and pruned.
    repo.remove("new.yaml");
    let said = repo.run(&["check"]);
    assert!(
        said.out.contains("1 of them accepted by debt.txt"),
        "{}",
        said.out
    );
    assert!(
        said.out
            .contains("1 entry of debt.txt fixed: `meshgov baseline prune`"),
        "{}",
        said.out
    );
    let shown = repo.run(&["baseline", "show"]);
    assert_eq!(
        shown.out,
        "2 findings accepted on 2026-11-27 in debt.txt: 1 there, 1 fixed\n  fixed  AIKEY001 Deployment web/new\n  there  AIKEY001 Deployment web/old\n"
    );
    let pruned = repo.run(&["baseline", "prune"]);
    assert_eq!(pruned.out, "1 finding dropped from debt.txt, 1 left\n");
    assert_eq!(
        repo.run(&["baseline", "prune"]).out,
        "nothing of debt.txt is fixed\n"
    );
    // Once pruned it is no debt any more.
    repo.write("new.yaml", &leaky("new"));
    assert_eq!(repo.found(&[]), (1, vec!["new.yaml:9 AIKEY001".to_owned()]));
    // A run over a part calls nothing fixed.
    let part = repo.run(&["check", "new.yaml"]);
    assert!(!part.out.contains("fixed"), "{}", part.out);
}

#[test]
fn a_baseline_knows_the_value() {
    let repo = Repo::new();
    let rule = "id: MY002\nsummary: latest is no version\nseverity: high\nconfidence: high\nsince: 0.1.0\nsubject: resource\nmatch: [ConfigMap]\nvalidations:\n  - expression: '!object.data.image.endsWith(\":latest\")'\n    message: no version\n";
    repo.write("rules/MY002-no-version.yaml", rule);
    repo.write(
        "meshgov.yaml",
        "version: 1\nselect: [MY002]\nrulesDirs: [rules]\n",
    );
    let config = |image: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{image: {image}}}\n"
        )
    };
    repo.write("k/a.yaml", &config("web:latest"));
    assert_eq!(
        repo.run(&["baseline", "create", "k", "--file", "b.txt"])
            .code,
        0
    );
    let arguments = ["k", "--baseline", "b.txt"];
    assert_eq!(repo.found(&arguments).0, 0);
    repo.write("k/a.yaml", &config("api:latest"));
    assert_eq!(
        repo.found(&arguments),
        (1, vec!["k/a.yaml:4 MY002".to_owned()])
    );
    let text = std::fs::read_to_string(repo.path().join("b.txt")).unwrap();
    assert!(!text.contains("web:latest"), "{text}");
    assert!(text.contains("\npath k\n"), "{text}");
}

#[test]
fn staged_takes_what_the_config_names_from_the_index() {
    let repo = Repo::new();
    let namespace = |injection: &str| {
        format!(
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: ml, labels: {{istio-injection: {injection}}}}}\n"
        )
    };
    let intent = |is: &str| format!("expect:\n- membership: {{of: ml/llm, is: {is}}}\n");
    repo.write(
        "meshgov.yaml",
        "version: 1\nassume: {objects: [away/ns.yaml]}\nexpect: [intent.yaml]\n",
    );
    repo.write("away/ns.yaml", &namespace("enabled"));
    repo.write("intent.yaml", &intent("sidecar"));
    repo.write(
        "pod.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: llm, namespace: ml}\nspec: {containers: [{name: c, image: registry.example.com/llm:1}]}\n",
    );
    repo.commit("first");
    let staged = || {
        let said = repo.run(&["check", "--select", "EXPECT001", "--staged", "--quiet"]);
        said.code
    };
    assert_eq!(staged(), 0);
    // The working tree says otherwise; the next commit does not.
    repo.write("away/ns.yaml", &namespace("disabled"));
    assert_eq!(staged(), 0);
    repo.git(&["add", "-A"]);
    assert_eq!(staged(), 1);
    repo.write("intent.yaml", &intent("none"));
    assert_eq!(staged(), 1);
    repo.git(&["add", "-A"]);
    assert_eq!(staged(), 0);
}
