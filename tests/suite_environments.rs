//! Environments of a generated GitOps tree (`../shared/corpus/gen.py`, three clusters): a clean tree has no difference; of the planted drift each is
//! weaker in production, with a cause where it stands, and nothing else is. `OBJECTS` sets the size, `SEEDS=1,2,3` how often.
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

/// Kinds of drift that weaken a fact of production. The others: outlier detection is load balancing, and where the mesh lets nobody in a missing
/// network policy opens nothing.
const IN_SCOPE: &[&str] = &[
    "env-drift-mtls",
    "env-drift-authz-wider",
    "env-drift-authz-caller",
];

fn generate(folder: &Path, seed: &str, per_1000: &str) -> Value {
    let objects = std::env::var("OBJECTS").unwrap_or_else(|_| "3000".to_owned());
    let made = Command::new("python3")
        .arg(shared::path("corpus/gen.py"))
        .args(["--layout", "gitops", "--objects", &objects])
        .args(["--seed", seed, "--defects-per-1000", per_1000])
        .arg("--out")
        .arg(folder)
        .status()
        .unwrap();
    assert!(made.success());
    serde_json::from_str(&std::fs::read_to_string(folder.join("truth.json")).unwrap()).unwrap()
}

fn environments(folder: &Path) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_meshgov"))
        .current_dir(folder.join("tree"))
        .args(["environments", "--no-config", "--format", "json"])
        .args(["--fail-on", "never"])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap()
}

/// Namespaces of production in which nothing can weaken: outside the mesh, or with a release whose objects are not known.
fn masked(truth: &Value) -> BTreeSet<&str> {
    let off = truth["defects"].as_array().unwrap().iter();
    let off = off
        .filter(|d| d["id"] == "namespace-injection-off")
        .map(|d| text(d, "name"));
    let unrendered = truth["unrendered"].as_array().unwrap().iter();
    off.chain(unrendered.map(|u| text(u, "namespace")))
        .collect()
}

/// `apps/TEAM/SERVICE`: what a planted defect and its cause have in common.
fn service(path: &str) -> String {
    path.split('/').take(3).collect::<Vec<_>>().join("/")
}

#[test]
fn drift_between_environments_is_found_and_nothing_else() {
    let seeds = std::env::var("SEEDS").unwrap_or_else(|_| "1".to_owned());
    let mut table: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let mut wrong = Vec::new();
    for seed in seeds.split(',') {
        let folder = tempfile::tempdir().unwrap();
        generate(folder.path(), seed, "0");
        let report = environments(folder.path());
        assert!(report["summary"]["ports"].as_u64().unwrap() > 100);
        assert_eq!(report["differences"], serde_json::json!([]), "clean tree");

        let folder = tempfile::tempdir().unwrap();
        let truth = generate(folder.path(), seed, "60");
        let report = environments(folder.path());
        let weaker: Vec<&Value> = report["differences"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|d| d["verdict"] == "weaker")
            .collect();
        let causes = |d: &Value| -> Vec<(String, u64)> {
            let causes = d["cause"].as_array().unwrap().iter();
            causes
                .map(|c| (text(c, "path").to_owned(), c["line"].as_u64().unwrap()))
                .collect()
        };
        let masked = masked(&truth);
        let planted = truth["defects"].as_array().unwrap();
        for kind in IN_SCOPE {
            let row = table.entry(kind).or_default();
            for defect in planted.iter().filter(|d| d["id"] == *kind) {
                if masked.contains(text(defect, "namespace")) {
                    row[2] += 1;
                    continue;
                }
                row[0] += 1;
                let file = text(defect, "file");
                let found = weaker.iter().any(|d| {
                    text(d, "subject").starts_with(&format!("{}/", text(defect, "namespace")))
                        && causes(d)
                            .iter()
                            .any(|(path, _)| service(path) == service(file))
                });
                if found {
                    row[1] += 1;
                } else {
                    wrong.push(format!("seed {seed}: not found: {defect}"));
                }
            }
        }
        let services: BTreeSet<String> = planted.iter().map(|d| service(text(d, "file"))).collect();
        for difference in &weaker {
            if !causes(difference)
                .iter()
                .any(|(path, _)| services.contains(&service(path)))
            {
                wrong.push(format!("seed {seed}: nothing is planted: {difference}"));
            }
        }
    }
    for (kind, [planted, found, masked]) in &table {
        println!("{kind:24} planted {planted:3}  found {found:3}  (masked {masked})");
        assert!(*planted > 0, "{kind}: nothing to find");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
