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

#[path = "common/istio.rs"]
mod istio;
#[path = "common/shared.rs"]
mod shared;
#[path = "common/view.rs"]
mod view;

use std::collections::BTreeMap;

use istio::{answer, port_of, workload};
use meshgov::engine::Analysis;
use meshgov::facts::Assumptions;
use meshgov::facts::access::{Access, By, Level};
use serde_json::Value;

/// The level's word in the terms of the cases.
fn level_word(access: &Access) -> &'static str {
    match (access.proxied, access.level, access.by.contains(&By::Mtls)) {
        (false, ..) => "ANYONE_UNPROTECTED",
        (_, Level::Anyone, _) if access.by.contains(&By::Network) => "IP_BLOCKS",
        (_, Level::Anyone, _) => "ANYONE",
        (_, Level::Nobody, _) => "NOBODY",
        (_, _, false) => "REQUEST_PRINCIPALS",
        (_, Level::Mesh, _) => "ANY_MESH_IDENTITY",
        (_, Level::Namespaces, _) => "NAMESPACES",
        (_, Level::Identities, _) => "PRINCIPALS",
    }
}

#[test]
fn level_of_every_case() {
    let expected: Value = serde_json::from_str(&shared::read("cases/istio/expected.json")).unwrap();
    let mut right = 0;
    let mut wrong = Vec::new();
    for case in expected["cases"].as_array().unwrap() {
        let Some(level) = case["level"].as_str() else {
            continue;
        };
        let text = shared::read(&format!("cases/istio/{}", case["file"].as_str().unwrap()));
        let view = view::of(&text);
        let analysis = Analysis::of(&view, &Assumptions::default());
        let checks = case["checks"].as_array().unwrap();
        let check = checks.iter().find(|c| c["port"].is_u64()).unwrap();
        let workload = workload(&analysis, check);
        let number = u16::try_from(check["port"].as_u64().unwrap()).unwrap();
        let fact = analysis.reach(workload, &port_of(workload, number));
        let access = fact.get().unwrap().access();
        if level_word(&access) == level {
            right += 1;
        } else {
            wrong.push(format!("{}: {level}, got {access:?}", case["id"]));
        }
    }
    println!("level: {right} of {}", right + wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(right, 66);
}

#[test]
fn facts_of_every_case() {
    let expected: Value = serde_json::from_str(&shared::read("cases/istio/expected.json")).unwrap();
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut wrong = Vec::new();
    for case in expected["cases"].as_array().unwrap() {
        let text = shared::read(&format!("cases/istio/{}", case["file"].as_str().unwrap()));
        let view = view::of(&text);
        let analysis = Analysis::of(&view, &Assumptions::default());
        for check in case["checks"].as_array().unwrap() {
            let kind = check["type"].as_str().unwrap();
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
    assert_eq!(counts["probe"].1, 139);
    assert_eq!(counts["client"].1, 15);
    assert_eq!(counts.len(), 4);
}
