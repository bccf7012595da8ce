//! Trees against the clusters they were applied to: generated ones (`../shared/corpus/gen.py`), exported by `tests/drift_export/export.py`, which
//! fills in what the API server, controllers and injectors do. No drift, as YAML and as JSON; and one planted defect in the cluster is
//! reported as the same defect in a tree is.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

#[path = "common/shared.rs"]
mod shared;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn generate(folder: &Path, per_1000: u32) {
    let made = Command::new("python3")
        .arg(shared::path("corpus/gen.py"))
        .args(["--objects", "2000", "--seed", "4", "--defects-per-1000"])
        .args([&per_1000.to_string(), "--out"])
        .arg(folder)
        .status()
        .unwrap();
    assert!(made.success());
}

fn export(tree: &Path, to: &Path, json: bool) {
    std::fs::create_dir_all(to).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drift_export/export.py");
    let made = Command::new("python3")
        .arg(script)
        .arg(tree)
        .arg(to.join(if json { "all.json" } else { "all.yaml" }))
        .args(json.then_some("--json"))
        .status()
        .unwrap();
    assert!(made.success());
}

fn diff(base: &Path, head: &Path) -> Value {
    let out = Command::new(env!("CARGO_BIN_EXE_meshgov"))
        .args(["diff", "--no-config", "--fail-on", "never"])
        .args(["--format", "json", "--base"])
        .arg(base)
        .arg("--head")
        .arg(head)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{said}");
    serde_json::from_slice(&out.stdout).unwrap()
}

/// What changed, without places.
fn changes(report: &Value) -> BTreeSet<String> {
    let list = report["changes"].as_array().unwrap().iter();
    let words = |c: &Value, field: &str| c[field].as_str().unwrap_or("absent").to_owned();
    list.map(|c| {
        ["direction", "kind", "subject", "before", "after"]
            .map(|field| words(c, field))
            .join(" ")
    })
    .collect()
}

#[test]
fn an_unchanged_tree_does_not_drift() {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("made/tree");
    generate(&folder.path().join("made"), 60);
    for json in [false, true] {
        let cluster = folder.path().join(format!("cluster-{json}"));
        export(&tree, &cluster, json);
        for (base, head) in [(&tree, &cluster), (&cluster, &tree)] {
            let report = diff(base, head);
            assert_eq!(changes(&report), BTreeSet::new());
            assert!(report["summary"]["ports"].as_u64().unwrap() > 200);
            assert_eq!(report["summary"]["undecided"], 0);
            assert_eq!(report["setAside"]["notExported"], serde_json::json!([]));
        }
    }
}

#[test]
fn a_changed_cluster_drifts_as_a_changed_tree_does() {
    let folder = tempfile::tempdir().unwrap();
    let (clean, planted) = (folder.path().join("clean"), folder.path().join("planted"));
    generate(&clean, 0);
    generate(&planted, 60);
    let (clean, planted) = (clean.join("tree"), planted.join("tree"));
    let cluster = folder.path().join("cluster");
    export(&planted, &cluster, false);
    let expected = changes(&diff(&clean, &planted));
    assert!(expected.len() > 100);
    assert_eq!(changes(&diff(&clean, &cluster)), expected);
}
