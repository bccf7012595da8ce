//! Environments of generated trees (`../shared/corpus/gen.py --layout gitops`): a clean tree gives nothing, planted differences between staging and
//! production are found with a cause where they stand, and nothing else is. `OBJECTS` sets the size, `SEEDS=1,2,3` how often.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "test code"
)]

#[path = "common/shared.rs"]
mod shared;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn number(name: &str, default: &str) -> Vec<usize> {
    let text = std::env::var(name).unwrap_or_else(|_| default.to_owned());
    text.split(',').map(|n| n.parse().unwrap()).collect()
}

fn generate(seed: usize, defects: usize, out: &Path) {
    let objects = number("OBJECTS", "4000")[0];
    let status = Command::new("python3")
        .arg(shared::path("corpus/gen.py"))
        .args(["--layout", "gitops", "--objects", &objects.to_string()])
        .args([
            "--seed",
            &seed.to_string(),
            "--defects-per-1000",
            &defects.to_string(),
        ])
        .arg("--out")
        .arg(out)
        .output()
        .unwrap();
    assert!(status.status.success(), "{status:?}");
}

fn environments(tree: &Path) -> Value {
    run(
        tree,
        "meshgov environments --no-config --format json --fail-on never",
    )
}

fn run(tree: &Path, line: &str) -> Value {
    let (mut out, mut err, mut stdin) = (Vec::new(), Vec::new(), &[][..]);
    let code = meshgov::cli::run(
        line.split(' ').map(std::ffi::OsString::from),
        &mut meshgov::cli::Io {
            out: &mut out,
            err: &mut err,
            stdin: &mut stdin,
            cwd: tree.to_owned(),
            env: |_| None,
            today: "2026-11-24".into(),
            terminal_out: false,
            terminal_err: false,
        },
    );
    assert_eq!((code, String::from_utf8_lossy(&err).as_ref()), (0, ""));
    serde_json::from_slice(&out).unwrap()
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name].as_array().unwrap()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

#[test]
fn a_clean_tree_gives_no_difference() {
    for seed in number("SEEDS", "1,2,3") {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("mesh");
        generate(seed, 0, &out);
        let report = environments(&out.join("tree"));
        let names: Vec<_> = list(&report["applications"][0], "environments")
            .iter()
            .map(|e| text(e, "name"))
            .collect();
        assert_eq!(names, ["prod", "staging", "dev"], "seed {seed}");
        for empty in ["differences", "only", "notToldApart", "open"] {
            assert!(
                list(&report, empty).is_empty(),
                "seed {seed}, {empty}: {}",
                report[empty]
            );
        }
        assert!(
            report["summary"]["ports"].as_u64().unwrap() > 100,
            "seed {seed}"
        );
    }
}

/// `apps/TEAM/SERVICE`: what a planted defect and its cause have in common.
fn service(path: &str) -> String {
    path.split('/').take(3).collect::<Vec<_>>().join("/")
}

/// Kinds of planted differences that change who gets in or what is accepted. All are found but at workloads without a proxy, where no
/// policy of the mesh counts on either side.
const PLANTED: &[&str] = &[
    "env-drift-mtls",
    "env-drift-authz-wider",
    "env-drift-authz-caller",
];

#[test]
fn planted_differences_are_found() {
    let mut table: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let (mut unexplained, mut missed) = (Vec::new(), Vec::new());
    for seed in number("SEEDS", "1,2,3") {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("mesh");
        generate(seed, 60, &out);
        let truth = std::fs::read_to_string(out.join("truth.json")).unwrap();
        let truth: Value = serde_json::from_str(&truth).unwrap();
        let report = environments(&out.join("tree"));
        let weaker: Vec<&Value> = list(&report, "differences")
            .iter()
            .filter(|d| text(d, "verdict") == "weaker")
            .collect();
        let access = run(
            &out.join("tree"),
            "meshgov access --no-config --format json",
        );
        let bare: BTreeSet<String> = list(&access, "ports")
            .iter()
            .filter(|port| text(port, "membership") == "none")
            .map(|port| &port["workload"])
            .map(|w| format!("{}/{}", text(w, "namespace"), text(w, "name")))
            .collect();
        let key =
            |defect: &Value| format!("{}/{}", text(defect, "namespace"), text(defect, "name"));
        for defect in list(&truth, "defects") {
            let Some(id) = PLANTED.iter().find(|id| **id == text(defect, "id")) else {
                continue;
            };
            let own = key(defect);
            let namespace = format!("{}/", text(defect, "namespace"));
            let is_wide = text(defect, "kind") == "PeerAuthentication";
            let is_found = weaker.iter().any(|d| {
                let subject = text(d, "subject").split(':').next().unwrap();
                let is_it = subject == own || (is_wide && subject.starts_with(&namespace));
                let mut places = list(d, "cause").iter().map(|c| service(text(c, "path")));
                is_it && places.any(|place| place == service(text(defect, "file")))
            });
            let row = table.entry(id).or_default();
            row.0 += 1;
            row.1 += usize::from(is_found);
            if !is_found && !bare.contains(&own) {
                missed.push(format!("seed {seed}: {id} {own}"));
            }
        }
        // What is weaker has a planted reason: at the workload, at its namespace, or in what the cause names.
        let planted: BTreeSet<String> = list(&truth, "defects").iter().map(key).collect();
        let namespaces: BTreeSet<&str> = list(&truth, "defects")
            .iter()
            .filter(|d| matches!(text(d, "kind"), "PeerAuthentication" | "Namespace"))
            .map(|d| text(d, "namespace"))
            .collect();
        for difference in weaker {
            let subject = text(difference, "subject").split(':').next().unwrap();
            let namespace = subject.split('/').next().unwrap();
            let named = list(difference, "cause").iter().any(|c| {
                planted
                    .iter()
                    .any(|name| text(c, "says").contains(name.as_str()))
            });
            if !planted.contains(subject) && !namespaces.contains(namespace) && !named {
                unexplained.push(format!("seed {seed}: {}", text(difference, "message")));
            }
        }
    }
    for (id, (all, found)) in &table {
        println!("{id}: {found} of {all}");
    }
    assert!(unexplained.is_empty(), "{unexplained:#?}");
    assert!(missed.is_empty(), "{missed:#?}");
    for id in PLANTED {
        let (all, found) = table.get(id).copied().unwrap_or_default();
        assert!(all >= 5 && found * 2 > all, "{id}: {found} of {all}");
    }
}
