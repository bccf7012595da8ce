//! Callers that the posture diff reports as new or gone against the reference evaluator `../shared/oracles/istio/ref_eval.py` on both
//! sides, over random edits of random meshes.
//!
//! `EDITS` sets the amount, `SEED` the first mesh.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "test code"
)]

#[path = "random/drift.rs"]
mod generate;
#[path = "random/pick.rs"]
mod pick;
#[path = "common/shared.rs"]
mod shared;
#[path = "common/view.rs"]
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use generate::{Mesh, SERVERS, WORKLOADS};
use meshgov::facts::Assumptions;
use meshgov::facts::change::{Change, ChangeKind, Direction};
use meshgov::query::diff::{self, DiffReport, Tree};
use meshgov::source::Sources;
use pick::Pick;
use serde_json::{Value, json};

/// The reference evaluator as a process that answers line by line.
struct Oracle {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Oracle {
    fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/random/istio_oracle.py");
        let mut child = Command::new("python3")
            .arg(script)
            .arg(shared::path("oracles/istio/ref_eval.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 with PyYAML");
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            input,
            output,
        }
    }

    fn answers(&mut self, mesh: &Mesh, checks: &[Value]) -> Vec<String> {
        let line = json!({"yaml": mesh.text(), "checks": checks}).to_string();
        writeln!(self.input, "{line}").unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        assert!(!answer.is_empty(), "the oracle failed on {line}");
        serde_json::from_str(&answer).unwrap()
    }

    /// Callers that get some request through, as the reference says.
    fn edges(&mut self, mesh: &Mesh) -> BTreeSet<(String, String)> {
        let accounts = accounts(mesh);
        let served = served(mesh);
        let mut checks: Vec<Value> = WORKLOADS
            .iter()
            .map(|w| json!({"type": "membership", "workload": w}))
            .collect();
        let pairs: Vec<(&str, &str)> = SERVERS
            .iter()
            .flat_map(|s| {
                WORKLOADS
                    .iter()
                    .filter(move |c| *c != s)
                    .map(move |c| (*c, *s))
            })
            .collect();
        for (client, server) in &pairs {
            // Without a Service nobody tells the client what to send.
            if served.contains(*server) {
                checks.push(
                    json!({"type": "client", "client": client, "service": server, "port": 80}),
                );
            }
            for identity in [Some(&accounts[*client]), None] {
                for request in requests() {
                    let mut probe = json!({"type": "probe", "workload": server, "port": 8080});
                    for (key, value) in request.as_object().unwrap() {
                        probe[key] = value.clone();
                    }
                    if let Some(identity) = identity {
                        probe["id"] = json!(identity);
                    }
                    checks.push(probe);
                }
            }
        }
        let mut answers = self.answers(mesh, &checks).into_iter();
        let memberships: BTreeMap<&str, String> = WORKLOADS
            .iter()
            .map(|w| (*w, answers.next().unwrap()))
            .collect();
        let mut edges = BTreeSet::new();
        for (client, server) in pairs {
            let wire = served.contains(server).then(|| answers.next().unwrap());
            let count = requests().len();
            let mut some = || {
                let all: Vec<String> = (0..count).map(|_| answers.next().unwrap()).collect();
                all.iter().any(|a| a.starts_with("allow"))
            };
            let (known, anonymous) = (some(), some());
            let gets_through = match (memberships[client].as_str(), wire.as_deref()) {
                ("none", _) => anonymous,
                (_, None) => known,
                (_, Some(wire)) if wire.starts_with("mtls") => known,
                (_, Some("plaintext")) => anonymous,
                (_, Some(wire)) => {
                    assert_eq!(wire, "broken");
                    false
                }
            };
            if gets_through {
                edges.insert((client.to_owned(), server.to_owned()));
            }
        }
        edges
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Requests that tell apart everything the generator asks for.
fn requests() -> Vec<Value> {
    let mut all = vec![json!({"proto": "tcp", "client": "sidecar"})];
    for method in ["GET", "POST", "PUT"] {
        for path in ["/v1/chat", "/healthz", "/other"] {
            all.push(json!({"method": method, "path": path, "client": "sidecar"}));
        }
    }
    all
}

fn of_kind<'m>(mesh: &'m Mesh, kind: &'m str) -> impl Iterator<Item = (String, &'m Value)> {
    mesh.documents
        .iter()
        .filter(move |d| d["kind"] == kind)
        .map(|d| {
            let text = |f: &str| d["metadata"][f].as_str().unwrap_or("").to_owned();
            (format!("{}/{}", text("namespace"), text("name")), d)
        })
}

fn accounts(mesh: &Mesh) -> BTreeMap<String, String> {
    of_kind(mesh, "Deployment")
        .map(|(name, d)| {
            let account = &d["spec"]["template"]["spec"]["serviceAccountName"];
            let namespace = name.split('/').next().unwrap().to_owned();
            let account = account.as_str().unwrap_or("default");
            (name, format!("cluster.local/ns/{namespace}/sa/{account}"))
        })
        .collect()
}

/// Servers that their Service selects.
fn served(mesh: &Mesh) -> BTreeSet<String> {
    let labels: BTreeMap<String, &Value> = of_kind(mesh, "Deployment")
        .map(|(name, d)| (name, &d["spec"]["template"]["metadata"]["labels"]["app"]))
        .collect();
    of_kind(mesh, "Service")
        .filter(|(name, d)| d["spec"]["selector"]["app"] == *labels[name])
        .map(|(name, _)| name)
        .collect()
}

fn ours(base: &Mesh, head: &Mesh) -> DiffReport {
    let assume = Assumptions::default();
    let of = |mesh: &Mesh| vec![Arc::new(view::of(&mesh.text()))];
    let (base, head) = (of(base), of(head));
    let tree = |views| Tree {
        views,
        assume: &assume,
    };
    diff::diff(
        tree(&base),
        tree(&head),
        (Sources::new(Vec::new()), Sources::new(Vec::new())),
    )
}

/// Callers that the changes name as new and as gone.
fn reported(report: &DiffReport) -> [BTreeSet<(String, String)>; 2] {
    let mut found = [BTreeSet::new(), BTreeSet::new()];
    for change in &report.changes {
        let Some(edges) = &change.edges else { continue };
        let own = change.about.reference();
        for (set, names) in found
            .iter_mut()
            .zip([&edges.first_added, &edges.first_removed])
        {
            for name in names {
                let edge = match change.kind {
                    ChangeKind::Reach => (own.clone(), name.split(':').next().unwrap().to_owned()),
                    _ => (name.clone(), own.clone()),
                };
                assert!(set.insert(edge.clone()), "{edge:?} is reported twice");
            }
        }
    }
    found
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Edits of one mesh in a row.
const CHAIN: u64 = 25;

#[test]
fn callers_are_new_or_gone_exactly_when_the_reference_says_so() {
    let edits = number("EDITS", 5_000);
    let seed = number("SEED", 1);
    let mut oracle = Oracle::start();
    let (mut gained, mut lost, mut silent, mut without_cause) = (0, 0, 0, 0);
    let mut directions: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for chain in 0..edits.div_ceil(CHAIN) {
        let mut pick = Pick::new(seed + chain);
        let mut base = generate::mesh(&mut pick);
        let mut before = oracle.edges(&base);
        for step in 0..CHAIN {
            let head = generate::edited(&mut pick, &base);
            let after = oracle.edges(&head);
            let report = ours(&base, &head);
            let [added, removed] = reported(&report);
            let here = || {
                format!(
                    "mesh {} step {step}\n{}\n=====\n{}",
                    seed + chain,
                    base.text(),
                    head.text()
                )
            };
            let new: BTreeSet<_> = after.difference(&before).cloned().collect();
            let gone: BTreeSet<_> = before.difference(&after).cloned().collect();
            assert_eq!(
                added,
                new,
                "new callers, ours and the reference's\n{}",
                here()
            );
            assert_eq!(
                removed,
                gone,
                "gone callers, ours and the reference's\n{}",
                here()
            );
            assert_eq!(
                (report.edges.added, report.edges.removed),
                (new.len(), gone.len())
            );
            let nothing = ours(&head, &head).changes;
            assert!(nothing.is_empty(), "{nothing:?}\n{}", here());
            let back = ours(&head, &base);
            let keys = |report: &DiffReport, way: fn(Direction) -> Direction| {
                let key = |c: &Change| (c.kind, c.about.words(), way(c.direction));
                let mut keys: Vec<_> = report.changes.iter().map(key).collect();
                keys.sort();
                keys
            };
            assert_eq!(
                keys(&report, Direction::reversed),
                keys(&back, |d| d),
                "the way back\n{}",
                here()
            );
            for change in report.changes.iter().filter(|c| c.cause.is_empty()) {
                without_cause += 1;
                println!(
                    "no cause: {} {}",
                    change.kind.as_str(),
                    change.about.words()
                );
                if without_cause == 1 {
                    println!("{}", here());
                }
            }
            for change in &report.changes {
                let key = (change.kind.as_str(), change.direction.as_str());
                *directions.entry(key).or_default() += 1;
            }
            gained += new.len();
            lost += gone.len();
            silent += usize::from(report.changes.is_empty());
            base = head;
            before = after;
        }
    }
    println!(
        "{edits} edits: {gained} callers gained, {lost} lost, {silent} edits without any change, {without_cause} changes without cause"
    );
    for ((kind, direction), count) in &directions {
        println!("{kind:<12} {direction:<9} {count:>7}");
    }
    assert_eq!(without_cause, 0);
    if edits >= 5_000 {
        assert!(gained > 1_000 && lost > 1_000 && silent > 100);
    }
}
