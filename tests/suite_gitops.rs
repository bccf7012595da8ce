//! One generated world as GitOps sources and as rendered objects (`../shared/corpus/gen.py`): the same findings, but for what
//! `gitops.py` says comes on top.
//!
//! On top come the mesh's configuration and a HelmRelease for every fourth team; both change what is known. They are put into the
//! rendered tree as well, each HelmRelease in its namespace. Then nothing may differ: neither findings nor what is undecided.
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

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn generate(layout: &str, objects: u32, seed: u32, out: &Path) {
    let ran = Command::new("python3")
        .arg(shared::path("corpus/gen.py"))
        .args(["--layout", layout, "--objects", &objects.to_string()])
        .args(["--seed", &seed.to_string(), "--out"])
        .arg(out)
        .output()
        .expect("python3 runs");
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

fn check(tree: &Path) -> Value {
    let ran = Command::new(env!("CARGO_BIN_EXE_meshgov"))
        .args(["check", "--exit-zero", "--no-config", "--format", "json"])
        // Environments are views beside each other; the rendered objects are one view.
        .args(["--ignore", "drift,AIGOV006"])
        .current_dir(tree)
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    serde_json::from_slice(&ran.stdout).unwrap()
}

/// Puts into the rendered tree what the docstring of `gitops.py` calls extra objects, but for those of Flux and Argo CD.
fn add_extra_objects(sources: &Path, rendered: &Path) {
    let extra = rendered.join("tree/extra");
    fs::create_dir(&extra).unwrap();
    fs::copy(
        sources.join("tree/platform/mesh/istio.yaml"),
        extra.join("istio.yaml"),
    )
    .unwrap();
    let truth: Value =
        serde_json::from_str(&fs::read_to_string(sources.join("truth.json")).unwrap()).unwrap();
    for (number, release) in truth["unrendered"].as_array().unwrap().iter().enumerate() {
        let (overlay, namespace) = (
            release["view"].as_str().unwrap(),
            release["namespace"].as_str().unwrap(),
        );
        let (app, _) = overlay.split_once("/overlays/").unwrap();
        let base = sources.join("tree").join(app).join("base/helmrelease.yaml");
        let placed = format!("\nmetadata:\n  namespace: {namespace}\n");
        let text = fs::read_to_string(base)
            .unwrap()
            .replace("\nmetadata:\n", &placed);
        fs::write(extra.join(format!("{number}.yaml")), text).unwrap();
    }
}

/// Entries counted by rule, the object they are about, and `more` of their fields.
fn counted(entries: &Value, more: &[&str]) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for entry in entries.as_array().unwrap() {
        let about = &entry["resource"];
        let mut fields = vec![
            &entry["rule"],
            &about["kind"],
            &about["namespace"],
            &about["name"],
            &entry["subject"],
        ];
        fields.extend(more.iter().map(|field| &entry[field]));
        let words = fields.iter().map(|field| field.as_str().unwrap_or("-"));
        let key = words.collect::<Vec<_>>().join(" ");
        *counted.entry(key).or_default() += 1;
    }
    counted
}

fn same(what: &str, sources: &BTreeMap<String, usize>, rendered: &BTreeMap<String, usize>) {
    let differing = |from: &BTreeMap<String, usize>, other: &BTreeMap<String, usize>| {
        let lines = from.iter().filter(|(key, n)| other.get(*key) != Some(n));
        lines
            .map(|(key, n)| format!("\n  {n} x {key}"))
            .collect::<String>()
    };
    let (left, right) = (differing(sources, rendered), differing(rendered, sources));
    assert!(
        left.is_empty() && right.is_empty(),
        "{what}\nin the sources:{left}\nin the rendered objects:{right}"
    );
}

fn compare(objects: u32, seeds: impl IntoIterator<Item = u32>) {
    for seed in seeds {
        let folder = tempfile::tempdir().unwrap();
        let (sources, rendered) = (
            folder.path().join("sources"),
            folder.path().join("rendered"),
        );
        generate("gitops", objects, seed, &sources);
        generate("rendered", objects, seed, &rendered);
        let plain = counted(&check(&rendered.join("tree"))["findings"], &[]);
        add_extra_objects(&sources, &rendered);
        let [left, right] = [&sources, &rendered].map(|root| check(&root.join("tree")));
        let more = ["confidence"];
        let findings = [&left, &right].map(|report| counted(&report["findings"], &more));
        let undecided = [&left, &right].map(|report| counted(&report["notEvaluated"], &["reason"]));
        let what = format!("{objects} objects, seed {seed}");
        same(&format!("{what}: findings"), &findings[0], &findings[1]);
        same(&format!("{what}: undecided"), &undecided[0], &undecided[1]);
        assert_eq!(
            left["summary"]["decided"], right["summary"]["decided"],
            "{what}"
        );
        let total = |counts: &BTreeMap<String, usize>| counts.values().sum::<usize>();
        let (found, without) = (total(&findings[0]), total(&plain));
        let open = total(&undecided[0]);
        println!(
            "{what}: {found} findings, {open} undecided; {without} findings without the extra objects"
        );
        // What nothing says compares nothing.
        assert!(found > 0, "{what}: no finding");
        assert!(
            found + open > 20,
            "{what}: only {found} findings, {open} undecided"
        );
    }
}

#[test]
fn a_thousand_objects() {
    compare(1_000, 1..=6);
}

#[test]
fn ten_thousand_objects() {
    compare(10_000, 1..=3);
}

/// Repositories of the corpus with kustomizations, Flux or Argo CD objects.
fn repositories() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for corpus in ["corpus/real/gitops", "corpus/real/plain"] {
        for entry in fs::read_dir(shared::path(corpus)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && (corpus.ends_with("gitops") || has_kustomization(&path)) {
                found.push(path);
            }
        }
    }
    found.sort_by_key(|path| path.file_name().unwrap().to_owned());
    found
}

fn has_kustomization(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (path.is_dir() && has_kustomization(&path))
            || ["kustomization.yaml", "kustomization.yml", "Kustomization"].contains(&name.as_str())
    })
}

fn config_views(folder: &Path) -> String {
    let ran = Command::new(env!("CARGO_BIN_EXE_meshgov"))
        .args(["config", "views", "--no-config"])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    String::from_utf8(ran.stdout).unwrap()
}

/// `testdata/precision/views` holds what was printed and read, with a verdict in comments. A change must be read before it lands:
/// `UPDATE_VIEWS=1` rewrites what is not a comment.
#[test]
fn views_of_real_repositories_are_those_that_were_read() {
    let verdicts = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/precision/views");
    let repositories = repositories();
    assert_eq!(repositories.len(), 12);
    let mut changed = Vec::new();
    for folder in repositories {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let file = verdicts.join(format!("{name}.txt"));
        let read = fs::read_to_string(&file).unwrap_or_default();
        let (comments, before): (Vec<&str>, Vec<&str>) =
            read.lines().partition(|line| line.starts_with('#'));
        let now = config_views(&folder);
        if now.lines().eq(before.iter().copied()) && !comments.is_empty() {
            continue;
        }
        changed.push(name);
        if std::env::var_os("UPDATE_VIEWS").is_some() {
            let comments: String = comments.iter().map(|line| format!("{line}\n")).collect();
            fs::write(file, format!("{comments}{now}")).unwrap();
        }
    }
    assert!(changed.is_empty(), "views changed: {}", changed.join(", "));
}
