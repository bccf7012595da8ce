//! The Istio engine against the hand-derived cases of `../shared/cases/istio`.
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
#[path = "common/view.rs"]
mod view;

use std::collections::BTreeMap;

use meshgov::engine::{Analysis, Assume};
use meshgov::facts::transport::{Mode, Plaintext};
use meshgov::facts::workload::{Port, Protocol, Workload};
use serde_json::Value;

fn port_of(workload: &Workload, number: u16) -> Port {
    workload.port(number).cloned().unwrap_or(Port {
        number,
        name: String::new(),
        protocol: Protocol::Tcp,
        declared: None,
        services: Vec::new(),
    })
}

fn word(mode: Mode) -> &'static str {
    match mode {
        Mode::Plaintext(Plaintext::Disabled) => "DISABLE",
        Mode::Plaintext(_) => "NONE",
        Mode::Permissive => "PERMISSIVE",
        Mode::Strict => "STRICT",
        Mode::Broken => "BROKEN",
    }
}

fn workload<'a>(analysis: &'a Analysis<'_>, check: &Value) -> &'a Workload {
    let reference = check["workload"].as_str().unwrap();
    let found = analysis.topology.named(reference).next();
    found.unwrap_or_else(|| panic!("no workload {reference}"))
}

fn answer(analysis: &Analysis<'_>, check: &Value) -> Option<String> {
    let workload = workload(analysis, check);
    match check["type"].as_str().unwrap() {
        "membership" => {
            let fact = analysis.membership(workload);
            Some(fact.get().unwrap().as_str().to_owned())
        }
        "mtls" => {
            let number = u16::try_from(check["port"].as_u64().unwrap()).unwrap();
            let fact = analysis.transport(workload, &port_of(workload, number));
            let transport = fact.get().unwrap();
            if let Some(source) = check["source"].as_str() {
                let says = &fact.steps[0].says;
                let (policy, port) = source.split_once('#').unwrap_or((source, ""));
                let port = port.trim_end_matches("(dropped)");
                let policy = policy.trim_end_matches("(dropped)");
                let fits = match policy {
                    "default" => says.contains("where no policy says otherwise"),
                    _ => says.contains(&format!("PeerAuthentication {policy} ")),
                };
                assert!(fits && says.contains(port), "{source} decides, not: {says}");
                assert_eq!(source.contains("dropped"), says.contains("not enforced"));
            }
            if let Some(candidates) = check["candidates"].as_array() {
                let mut all: Vec<&str> = transport.alternatives.iter().map(|&m| word(m)).collect();
                all.push(word(transport.mode));
                all.sort_unstable();
                assert_eq!(
                    all,
                    candidates
                        .iter()
                        .map(|c| c.as_str().unwrap())
                        .collect::<Vec<_>>()
                );
            }
            Some(word(transport.mode).to_owned())
        }
        _ => None,
    }
}

#[test]
fn membership_and_mtls_of_every_case() {
    let expected: Value = serde_json::from_str(&shared::read("cases/istio/expected.json")).unwrap();
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut wrong = Vec::new();
    for case in expected["cases"].as_array().unwrap() {
        let text = shared::read(&format!("cases/istio/{}", case["file"].as_str().unwrap()));
        let view = view::of(&text);
        let analysis = Analysis::of(&view, &Assume::default());
        for check in case["checks"].as_array().unwrap() {
            let kind = check["type"].as_str().unwrap();
            if !matches!(kind, "membership" | "mtls") {
                continue;
            }
            let got = answer(&analysis, check);
            let count = counts.entry(kind.to_owned()).or_default();
            count.1 += 1;
            if got.as_deref() == check["expect"].as_str() {
                count.0 += 1;
            } else {
                wrong.push(format!("{}: {check} got {got:?}", case["id"]));
            }
        }
    }
    for (kind, (right, all)) in &counts {
        println!("{kind}: {right} of {all}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(counts["membership"].1, 15);
    assert_eq!(counts["mtls"].1, 32);
}
