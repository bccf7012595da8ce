//! The posture diff from a clean generated tree to the same tree with planted defects (`../shared/corpus/gen.py`), in both layouts: a table of
//! found, on the line, false, for each kind that a posture diff can see. `OBJECTS` sets the size, `SEEDS=1,2,3` how often.
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
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Kinds that change who may call what, what is accepted or sent, or what is served; with whether the planted line itself can be a cause
/// (an absence has none in the head: its cause is what the base has).
const IN_SCOPE: &[(&str, bool)] = &[
    ("authz-wildcard-principal", true),
    ("authz-allow-all", true),
    ("authz-cross-namespace", true),
    ("authz-cross-environment", true),
    ("authz-selector-dead", true),
    ("authz-missing", false),
    ("dr-tls-disable", true),
    ("sidecar-disabled", true),
    ("env-drift-authz-wider", false),
    ("env-drift-authz-caller", true),
    ("model-dr-tls-disable", true),
    ("model-storage-plain-http", true),
    ("mtls-permissive", true),
    ("mtls-missing", false),
    ("namespace-injection-off", true),
    ("env-drift-mtls", true),
    ("netpol-ingress-open", true),
];

/// Kinds that change no fact the diff compares, and why.
const OUT_OF_SCOPE: &[(&str, &str)] = &[
    (
        "config-holds-credential",
        "no fact about access: a rule of check finds it",
    ),
    (
        "container-privileged",
        "no fact about access: a rule of check finds it",
    ),
    ("duplicate-object", "INPUT010 of check"),
    (
        "env-drift-netpol-missing",
        "the mesh lets nobody in whom the network kept away, where nothing else is planted",
    ),
    ("env-drift-outlier-detection", "load balancing, not posture"),
    (
        "image-floating-tag",
        "no fact about access: a rule of check finds it",
    ),
    (
        "model-authz-missing",
        "the pods are made by the controller of InferenceService: no port in the files",
    ),
    (
        "model-authz-wildcard",
        "the pods are made by the controller of InferenceService: no port in the files",
    ),
    (
        "model-egress-open",
        "the pods are made by the controller of InferenceService: no workload in the files whose way out it is",
    ),
    (
        "model-image-floating-tag",
        "no fact about access: a rule of check finds it",
    ),
    ("model-route-cross-namespace", "routing, not posture"),
    (
        "mtls-port-disabled",
        "port 9090 of a workload that does not listen there",
    ),
    (
        "namespace-owner-missing",
        "no fact about access: a rule of check finds it",
    ),
    (
        "netpol-default-missing",
        "every workload has a policy of its own: nobody more gets through",
    ),
    (
        "service-account-default",
        "a caller's identity changes only what admits it",
    ),
    ("vs-host-unknown", "routing, not posture"),
    ("vs-subset-undefined", "routing, not posture"),
];

fn generate(folder: &Path, seed: u32, layout: &str, per_1000: u32) -> Value {
    let objects = std::env::var("OBJECTS").unwrap_or_else(|_| "10000".to_owned());
    let made = Command::new("python3")
        .arg(shared::path("corpus/gen.py"))
        .args([
            "--objects",
            &objects,
            "--seed",
            &seed.to_string(),
            "--layout",
            layout,
        ])
        .args(["--defects-per-1000", &per_1000.to_string(), "--out"])
        .arg(folder)
        .status()
        .unwrap();
    assert!(made.success());
    serde_json::from_str(&std::fs::read_to_string(folder.join("truth.json")).unwrap()).unwrap()
}

fn files(root: &Path, folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(root, &path, found);
        } else {
            found.insert(path.strip_prefix(root).unwrap().to_owned());
        }
    }
}

/// Defects change how many services fit: what only one tree has is the end of it, and is taken away.
fn level(clean: &Path, planted: &Path) {
    let (mut a, mut b) = (BTreeSet::new(), BTreeSet::new());
    files(clean, clean, &mut a);
    files(planted, planted, &mut b);
    for (root, only) in [(clean, a.difference(&b)), (planted, b.difference(&a))] {
        for path in only {
            std::fs::remove_file(root.join(path)).unwrap();
        }
    }
}

fn diff(base: &Path, head: &Path) -> Value {
    let out = Command::new(env!("CARGO_BIN_EXE_meshgov"))
        .args([
            "diff",
            "--no-config",
            "--fail-on",
            "never",
            "--format",
            "json",
            "--base",
        ])
        .arg(base)
        .arg("--head")
        .arg(head)
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    serde_json::from_slice(&out.stdout).unwrap()
}

/// Planted, found, found with the planted line as a cause.
type Row = [usize; 3];

/// A way to write the same objects.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Layout {
    Rendered,
    Gitops,
}

impl Layout {
    fn name(self) -> &'static str {
        match self {
            Self::Rendered => "rendered",
            Self::Gitops => "gitops",
        }
    }

    /// What is written of one service, or of one namespace.
    fn unit(self, path: &str) -> String {
        let depth = match self {
            Self::Gitops if path.starts_with("apps/") => 3,
            Self::Gitops => return path.to_owned(),
            Self::Rendered => return path.rsplit_once('/').unwrap().0.to_owned(),
        };
        path.split('/').take(depth).collect::<Vec<_>>().join("/")
    }
}

#[test]
fn planted_kinds_are_found_and_nothing_else_is() {
    let seeds = std::env::var("SEEDS").unwrap_or_else(|_| "1".to_owned());
    for layout in [Layout::Rendered, Layout::Gitops] {
        let mut table: BTreeMap<String, Row> = BTreeMap::new();
        let mut wrong = Vec::new();
        for seed in seeds.split(',') {
            one(layout, seed.parse().unwrap(), &mut table, &mut wrong);
        }
        judge(layout, &table, &wrong);
    }
}

fn one(layout: Layout, seed: u32, table: &mut BTreeMap<String, Row>, wrong: &mut Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let (clean, planted) = (folder.path().join("clean"), folder.path().join("planted"));
    generate(&clean, seed, layout.name(), 0);
    let truth = generate(&planted, seed, layout.name(), 60);
    let (clean, planted) = (clean.join("tree"), planted.join("tree"));
    let mut alone = BTreeSet::new();
    match layout {
        Layout::Rendered => level(&clean, &planted),
        Layout::Gitops => alone = one_sided(layout, &clean, &planted),
    }
    let report = diff(&clean, &planted);
    let changes: Vec<&Value> = report["changes"].as_array().unwrap().iter().collect();
    score(layout, &truth, &changes, (&planted, &alone), table);
    false_ones(layout, &truth, &changes, &alone, wrong);
    let unexplained = changes
        .iter()
        .filter(|c| c["cause"].as_array().unwrap().is_empty());
    assert_eq!(unexplained.count(), 0);
}

fn judge(layout: Layout, table: &BTreeMap<String, Row>, wrong: &[String]) {
    println!(
        "{:<28} {:>8} {:>6} {:>11}",
        layout.name(),
        "planted",
        "found",
        "on the line"
    );
    let mut short = Vec::new();
    for (kind, on_line) in IN_SCOPE {
        let [planted, found, exact] = table.get(*kind).copied().unwrap_or_default();
        println!("{kind:<28} {planted:>8} {found:>6} {exact:>11}");
        // What kustomizations cannot write, the generator does not plant.
        if planted == 0 && layout == Layout::Gitops {
            assert_eq!(*kind, "mtls-missing");
            continue;
        }
        assert!(planted >= 5, "{kind} is planted {planted} times only");
        if found != planted || (exact != planted && *on_line) {
            short.push(*kind);
        }
    }
    println!("false: {}", wrong.len());
    for (kind, why) in OUT_OF_SCOPE {
        let planted = table.get(*kind).map_or(0, |row| row[0]);
        println!("out of scope: {kind} ({planted} planted): {why}");
    }
    let known = IN_SCOPE.len() + OUT_OF_SCOPE.len();
    assert_eq!(known, 34, "every kind of the generator is named");
    assert_eq!(
        short, [""; 0],
        "kinds that are not found whole and on their line"
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Services and namespaces that only one tree has. A kustomization that a defect adds to a service is no service.
fn one_sided(layout: Layout, clean: &Path, planted: &Path) -> BTreeSet<String> {
    let of = |root: &Path| -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        files(root, root, &mut found);
        let units = found
            .iter()
            .map(|path| layout.unit(path.to_str().unwrap()))
            .filter(|unit| !unit.ends_with("-config"));
        units.collect()
    };
    let (clean, planted) = (of(clean), of(planted));
    clean.symmetric_difference(&planted).cloned().collect()
}

fn score(
    layout: Layout,
    truth: &Value,
    changes: &[&Value],
    (tree, alone): (&Path, &BTreeSet<String>),
    table: &mut BTreeMap<String, Row>,
) {
    let text = |v: &Value, f: &str| v[f].as_str().unwrap_or("").to_owned();
    for defect in truth["defects"].as_array().unwrap() {
        let file = text(defect, "file");
        let unit = layout.unit(&file);
        // What only one tree has is no edit.
        if !tree.join(&file).exists() || alone.contains(&unit) {
            continue;
        }
        let row = table.entry(text(defect, "id")).or_default();
        row[0] += 1;
        let line = defect["field_line"].as_u64().unwrap();
        let space = match text(defect, "kind").as_str() {
            "Namespace" => text(defect, "name"),
            _ => text(defect, "namespace"),
        };
        let near = |c: &Value| {
            let causes = c["cause"].as_array().unwrap();
            causes.iter().any(|x| text(x, "path").starts_with(&unit))
        };
        let on_line = |c: &Value| {
            let causes = c["cause"].as_array().unwrap();
            causes
                .iter()
                .any(|x| text(x, "path") == file && x["line"] == line && x["side"] == "head")
        };
        let of: Vec<&&Value> = changes
            .iter()
            .filter(|c| text(&c["resource"], "namespace") == space && near(c))
            .collect();
        row[1] += usize::from(!of.is_empty());
        row[2] += usize::from(of.iter().any(|c| on_line(c)));
    }
}

/// Changes whose cause lies in nothing that something was planted in; widened ones at a decoy.
fn false_ones(
    layout: Layout,
    truth: &Value,
    changes: &[&Value],
    alone: &BTreeSet<String>,
    wrong: &mut Vec<String>,
) {
    let unit = |v: &Value| layout.unit(v["file"].as_str().or(v["path"].as_str()).unwrap());
    let of = |name: &str| -> BTreeSet<String> {
        truth[name].as_array().unwrap().iter().map(unit).collect()
    };
    let (defects, decoys) = (of("defects"), of("decoys"));
    for change in changes {
        let causes: BTreeSet<String> = change["cause"]
            .as_array()
            .unwrap()
            .iter()
            .map(unit)
            .collect();
        let planted = !causes.is_disjoint(&defects) || !causes.is_disjoint(alone);
        let decoy = !causes.is_disjoint(&decoys) && change["direction"] != "widened";
        if !planted && !decoy {
            wrong.push(format!("{}: {}", change["message"], change["cause"]));
        }
    }
}
