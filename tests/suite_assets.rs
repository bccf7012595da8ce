//! AI assets against the cases of `../shared/cases/ai`: kind, name and class exactly, the score within 0.02, and the rules.
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

use std::collections::BTreeSet;

use meshgov::asset::Inventory;
use serde_json::Value;

/// Scores of the reference are rounded to two decimals.
const TOLERANCE: f64 = 0.02 + 1e-9;

#[test]
fn assets_of_every_case() {
    let expected: Value = serde_json::from_str(&shared::read("cases/ai/expected.json")).unwrap();
    let cases = expected["cases"].as_object().unwrap();
    let mut wrong = Vec::new();
    let mut assets = 0;
    for (file, case) in cases {
        let view = view::of(&shared::read(&format!("cases/ai/{file}")));
        let found = Inventory::of(&view);
        let mut got: Vec<(String, f64)> = found
            .assets
            .iter()
            .filter(|a| !a.is_possible())
            .map(|a| {
                let words = [a.resource.kind(), &a.resource.name, a.class.as_str()];
                (words.join(" "), a.score)
            })
            .collect();
        let text = |asset: &Value, name: &str| asset[name].as_str().unwrap().to_owned();
        let mut want: Vec<(String, f64)> = case["assets"]
            .as_array()
            .unwrap()
            .iter()
            .map(|a| {
                let words = [text(a, "kind"), text(a, "name"), text(a, "class")];
                (words.join(" "), a["confidence"].as_f64().unwrap())
            })
            .collect();
        got.sort_by(|a, b| a.0.cmp(&b.0));
        want.sort_by(|a, b| a.0.cmp(&b.0));
        assets += want.len();
        let same = got.len() == want.len()
            && got
                .iter()
                .zip(&want)
                .all(|(g, w)| g.0 == w.0 && (g.1 - w.1).abs() <= TOLERANCE);
        if !same {
            wrong.push(format!("{file}: want {want:?}, got {got:?}"));
        }
    }
    println!("{} cases, {assets} assets", cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(cases.len(), 63);
}

/// Rules of every case: exactly those expected among the ids that occur in any of them; others may fire.
#[test]
fn rules_of_every_case() {
    let expected: Value = serde_json::from_str(&shared::read("cases/ai/expected.json")).unwrap();
    let cases = expected["cases"].as_object().unwrap();
    let ids = |list: &Value| -> BTreeSet<String> {
        let list = list.as_array().unwrap().iter();
        list.map(|id| id.as_str().unwrap().to_owned()).collect()
    };
    let known: BTreeSet<String> = cases.values().flat_map(|c| ids(&c["rules"])).collect();
    assert!(known.len() >= 41, "{}", known.len());
    let mut wrong = Vec::new();
    for (file, case) in cases {
        let run = std::process::Command::new(env!("CARGO_BIN_EXE_meshgov"))
            .args(["check", "--no-config", "--format", "json", "--exit-zero"])
            .arg(shared::path(&format!("cases/ai/{file}")))
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&run.stdout).unwrap();
        let found = report["findings"].as_array().unwrap().iter();
        let got: BTreeSet<String> = found
            .map(|f| f["rule"].as_str().unwrap().to_owned())
            .filter(|id| known.contains(id))
            .collect();
        let want = ids(&case["rules"]);
        if got != want {
            wrong.push(format!("{file}: want {want:?}, got {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
