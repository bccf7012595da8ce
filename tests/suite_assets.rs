//! AI assets against the cases of `../shared/cases/ai`: kind, name and class exactly, the score within 0.02.
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
