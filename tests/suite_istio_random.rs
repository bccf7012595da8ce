//! The Istio engine against the reference evaluator `../shared/oracles/istio/ref_eval.py` on random meshes and requests.
//!
//! `MESHES` and `PROBES` (per mesh) set the amount, `SEED` the first mesh; `SHRINK=0` shows a difference as it is.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "test code"
)]

#[path = "random/istio.rs"]
mod generate;
#[path = "common/istio.rs"]
mod istio;
#[path = "random/pick.rs"]
mod pick;
#[path = "common/shared.rs"]
mod shared;
#[path = "common/view.rs"]
mod view;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use generate::Mesh;
use meshgov::engine::Analysis;
use meshgov::facts::Assumptions;
use meshgov::facts::transport::{Mode, Plaintext};
use meshgov::facts::workload::{Port, ServicePort};
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
}

impl Drop for Oracle {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn ours(mesh: &Mesh, checks: &[Value]) -> Vec<String> {
    let text = mesh.text();
    let view = view::of(&text);
    let analysis = Analysis::of(&view, &Assumptions::default());
    let mut asked = istio::Asked::new(&analysis);
    checks.iter().map(|check| asked.answer(check)).collect()
}

/// What is left of a difference about a client when the reference is less exact than upstream; nothing else is passed over.
fn defended(mesh: &Mesh, check: &Value, ours: &str, theirs: &str) -> bool {
    if check["type"] != "client" {
        return false;
    }
    // TLS of the user's own travels inside the tunnel to ambient servers; the reference prints the tunnel, we what is in it
    // (istio/istio `pilot/pkg/networking/core/cluster_tls.go:applyHBONETransportSocketMatches`).
    if theirs.strip_suffix("+hbone") == Some(ours) {
        return true;
    }
    let own = |word: &str| matches!(word, "tls-simple" | "mtls-custom");
    if !(own(theirs) && ours == "broken" || own(ours) && theirs == "broken") {
        return false;
    }
    let view = view::of(&mesh.text());
    let analysis = Analysis::of(&view, &Assumptions::default());
    let service = check["service"].as_str();
    let number = check["port"].as_u64().and_then(|n| u16::try_from(n).ok());
    let server = service.and_then(|s| analysis.topology.named(s).next());
    let leads_here = |p: &&Port| p.services.iter().any(|s| Some(s.port) == number);
    let Some((server, port)) = server.and_then(|w| Some((w, w.ports.iter().find(leads_here)?)))
    else {
        return false;
    };
    let transport = analysis.transport(server, port);
    match transport.get().unwrap().mode {
        // A permissive HTTP port has no filter chain for TLS that is not the mesh's, so that it is reset
        // (`pilot/pkg/networking/core/filterchain_options.go`); the reference passes it through.
        Mode::Permissive => {
            let is_http = |s: &ServicePort| {
                let name = s.app_protocol.as_deref().unwrap_or(&s.name);
                let prefix = name.split('-').next().unwrap();
                matches!(prefix, "http" | "http2" | "grpc" | "kubernetes.io/h2c")
            };
            ours == "broken" && port.services.iter().any(is_http)
        }
        // What bypasses the proxy reaches the application, which may speak that TLS
        // (`tools/istio-iptables/pkg/capture/run.go:handleInboundPortsInclude`); the reference says `broken`.
        Mode::Plaintext(Plaintext::Bypassed) => theirs == "broken",
        _ => false,
    }
}

fn differs(oracle: &mut Oracle, mesh: &Mesh, check: &Value) -> Option<(String, String)> {
    let checks = [check.clone()];
    let theirs = oracle.answers(mesh, &checks).remove(0);
    let ours = ours(mesh, &checks).remove(0);
    (ours != theirs && !defended(mesh, check, &ours, &theirs)).then_some((ours, theirs))
}

/// Removes documents, then fields, while the difference stays.
fn shrink(oracle: &mut Oracle, mesh: &Mesh, check: &Value) -> (Mesh, Value) {
    let needed = |d: &Value| matches!(d["kind"].as_str(), Some("Deployment" | "Service"));
    let mut best = Mesh {
        documents: mesh.documents.clone(),
    };
    let mut at = 0;
    while at < best.documents.len() {
        let mut smaller = best.documents.clone();
        let removed = smaller.remove(at);
        let smaller = Mesh { documents: smaller };
        if !needed(&removed) && differs(oracle, &smaller, check).is_some() {
            best = smaller;
        } else {
            at += 1;
        }
    }
    for at in 0..best.documents.len() {
        while let Some(smaller) = smaller_spec(oracle, &best, at, check) {
            best = smaller;
        }
    }
    let mut check = check.clone();
    for name in [
        "headers",
        "jwt",
        "sni",
        "dst_ip",
        "remote_ip",
        "ip",
        "host",
        "path",
        "method",
        "client",
        "via",
        "proto",
    ] {
        let mut smaller = check.clone();
        if check["type"] == "probe"
            && smaller.as_object_mut().unwrap().remove(name).is_some()
            && differs(oracle, &best, &smaller).is_some()
        {
            check = smaller;
        }
    }
    (best, check)
}

/// The mesh with one field or list element less somewhere in a document's `spec`, still different.
fn smaller_spec(oracle: &mut Oracle, mesh: &Mesh, at: usize, check: &Value) -> Option<Mesh> {
    fn cuts(value: &Value) -> Vec<Value> {
        match value {
            Value::Object(map) => map
                .iter()
                .flat_map(|(key, inner)| {
                    let mut without = map.clone();
                    without.remove(key);
                    let inside = cuts(inner).into_iter().map(|cut| {
                        let mut with = map.clone();
                        with.insert(key.clone(), cut);
                        Value::Object(with)
                    });
                    std::iter::once(Value::Object(without))
                        .chain(inside)
                        .collect::<Vec<_>>()
                })
                .collect(),
            Value::Array(list) => (0..list.len())
                .flat_map(|i| {
                    let mut without = list.clone();
                    without.remove(i);
                    let inside = cuts(&list[i]).into_iter().map(move |cut| (i, cut));
                    let inside: Vec<Value> = inside
                        .map(|(i, cut)| {
                            let mut with = list.clone();
                            with[i] = cut;
                            Value::Array(with)
                        })
                        .collect();
                    let alone = (list.len() > 1).then_some(Value::Array(without));
                    alone.into_iter().chain(inside)
                })
                .collect(),
            _ => Vec::new(),
        }
    }
    let document = &mesh.documents[at];
    if !matches!(
        document["kind"].as_str(),
        Some(
            "AuthorizationPolicy"
                | "PeerAuthentication"
                | "RequestAuthentication"
                | "DestinationRule"
        )
    ) {
        return None;
    }
    for cut in cuts(&document["spec"]) {
        let mut documents = mesh.documents.clone();
        documents[at]["spec"] = cut;
        let smaller = Mesh { documents };
        let lost_key = smaller.documents[at]["spec"]["rules"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|r| r["when"].as_array().into_iter().flatten())
            .any(|w| w["key"].is_null());
        let lost_host = document["kind"] == "DestinationRule"
            && smaller.documents[at]["spec"]["host"].is_null();
        // A mode that is not there is DISABLE upstream and nothing in the reference.
        let lost_mode = smaller.documents[at].to_string().contains("\"tls\":{}");
        // Own certificates that are not there make plaintext upstream; the reference does not look.
        let text = smaller.documents[at].to_string();
        let lost_certificate = text.contains("MUTUAL\"")
            && !(text.contains("clientCertificate") || text.contains("credentialName"));
        if !(lost_key || lost_host || lost_mode || lost_certificate)
            && differs(oracle, &smaller, check).is_some()
        {
            return Some(smaller);
        }
    }
    None
}

/// Matchers of the policies that select a workload, with the action of their policy, counted once a probe.
fn matchers(mesh: &Mesh, workload: &str) -> Vec<(String, String)> {
    let (namespace, name) = workload.split_once('/').unwrap();
    let mut found = Vec::new();
    let near = |policy: &&Value| {
        let home = &policy["metadata"]["namespace"];
        let app = &policy["spec"]["selector"]["matchLabels"]["app"];
        (home == namespace || !matches!(home.as_str(), Some("ml" | "apps")))
            && (app.is_null() || app == name)
    };
    for policy in mesh
        .documents
        .iter()
        .filter(|d| d["kind"] == "AuthorizationPolicy")
        .filter(near)
    {
        let action = policy["spec"]["action"].as_str().unwrap_or("ALLOW");
        for rule in policy["spec"]["rules"].as_array().into_iter().flatten() {
            for (list, holder) in [("from", "source"), ("to", "operation")] {
                for entry in rule[list].as_array().into_iter().flatten() {
                    for key in entry[holder].as_object().into_iter().flatten() {
                        found.push((key.0.clone(), action.to_owned()));
                    }
                }
            }
            for condition in rule["when"].as_array().into_iter().flatten() {
                found.push((
                    condition["key"].as_str().unwrap().to_owned(),
                    action.to_owned(),
                ));
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The answers to a probe.
const VERDICTS: [&str; 4] = ["allow", "deny", "custom", "allow-unprotected"];

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn random_meshes_agree_with_the_reference() {
    let meshes = number("MESHES", 2_500);
    let probes = usize::try_from(number("PROBES", 100)).unwrap();
    let seed = number("SEED", 1);
    let mut oracle = Oracle::start();
    let mut verdicts: BTreeMap<(String, String), u64> = BTreeMap::new();
    let mut cells: BTreeMap<(String, String), BTreeMap<String, u64>> = BTreeMap::new();
    for at in seed..seed + meshes {
        let mut pick = Pick::new(at);
        let mesh = generate::mesh(&mut pick);
        let checks = generate::checks(&mut pick, &mesh, probes);
        let theirs = oracle.answers(&mesh, &checks);
        let ours = ours(&mesh, &checks);
        let of_workload = ["ml/llm", "apps/chat"].map(|w| matchers(&mesh, w));
        for ((check, ours), theirs) in checks.iter().zip(&ours).zip(&theirs) {
            let kind = check["type"].as_str().unwrap().to_owned();
            if ours != theirs && !defended(&mesh, check, ours, theirs) {
                if number("SHRINK", 1) == 0 {
                    panic!("mesh {at}: {check}\nours {ours}, reference {theirs}");
                }
                let (mesh, check) = shrink(&mut oracle, &mesh, check);
                let (ours, theirs) = differs(&mut oracle, &mesh, &check).unwrap();
                panic!(
                    "mesh {at}: {check}\nours {ours}, reference {theirs}\n{}",
                    mesh.text()
                );
            }
            *verdicts.entry((kind.clone(), theirs.clone())).or_default() += 1;
            if kind == "probe" {
                let at = usize::from(check["workload"] == "apps/chat");
                for matcher in &of_workload[at] {
                    *cells
                        .entry(matcher.clone())
                        .or_default()
                        .entry(theirs.clone())
                        .or_default() += 1;
                }
            }
        }
    }
    for ((kind, verdict), count) in &verdicts {
        println!("{kind:<10} {verdict:<18} {count:>8}");
    }
    let probes: u64 = verdicts
        .iter()
        .filter(|((k, _), _)| k == "probe")
        .map(|(_, n)| n)
        .sum();
    let rare: Vec<_> = verdicts
        .iter()
        .filter(|((k, _), n)| k == "probe" && **n * 10 < probes)
        .collect();
    println!(
        "{:<34} {:<7} {:>8} {:>8} {:>8} {:>8}",
        "matcher", "action", "allow", "deny", "custom", "open"
    );
    let mut thin = Vec::new();
    for ((matcher, action), counts) in &cells {
        let of = |verdict: &str| counts.get(verdict).copied().unwrap_or(0);
        let row = VERDICTS.map(of);
        let [allow, deny, custom, open] = row;
        println!("{matcher:<34} {action:<7} {allow:>8} {deny:>8} {custom:>8} {open:>8}");
        if row.iter().any(|count| *count < 50) {
            thin.push(format!("{matcher} {action}"));
        }
    }
    if meshes >= 2_500 {
        assert!(thin.is_empty(), "cells under 50: {thin:?}");
        assert!(rare.is_empty(), "verdicts under 10 %: {rare:?}");
    }
}
