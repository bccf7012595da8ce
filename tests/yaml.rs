//! Located YAML against the tables in testdata/yaml: values, spans, broken documents.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "test code"
)]

use std::path::Path;
use std::sync::Arc;

use meshgov::source::{SourceFile, SourceId};
use meshgov::yaml::{Parsed, parse};
use serde_json::Value;

fn table(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata/yaml")
        .join(name);
    std::fs::read_to_string(path).unwrap()
}

fn parse_text(text: &str) -> Parsed {
    parse(&Arc::new(SourceFile::new(SourceId(0), "t.yaml", text)))
}

/// Equality of JSON values in which `-0` is 0, as Kubernetes reads it.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || a.as_f64() == b.as_f64() && (a.is_f64() || b.is_f64())
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same(v, w)))
        }
        (a, b) => a == b,
    }
}

#[test]
fn scalars_and_keys_read_as_sigs_k8s_io_yaml_reads_them() {
    let mut failures = Vec::new();
    let table = table("scalars.txt");
    let cases = table.lines().filter(|line| line.starts_with('"'));
    for case in cases {
        let (yaml, expected) = case.rsplit_once(" => ").unwrap();
        let yaml: String = serde_json::from_str(yaml).unwrap();
        let parsed = parse_text(&yaml);
        let actual = match (parsed.errors.first(), parsed.documents.first()) {
            (Some(error), _) => Err(error.kind.to_string()),
            (None, Some(document)) => Ok(parsed.tree.node(document.root).to_json()),
            (None, None) => Ok(Value::Null),
        };
        let agrees = match (&actual, expected) {
            (Err(_), "error") => true,
            (Ok(actual), expected) if expected != "error" => {
                same(actual, &serde_json::from_str(expected).unwrap())
            }
            _ => false,
        };
        if !agrees {
            failures.push(format!("{yaml:?}: expected {expected}, got {actual:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
