//! The Istio engine on the cases of `testdata/engine/istio`: the first document of each file says what must hold and which upstream
//! source proves it, the others are the manifests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "test code"
)]

#[path = "common/view.rs"]
mod view;

use std::path::Path;
use std::sync::Arc;

use meshgov::engine::Analysis;
use meshgov::facts::Assumptions;
use meshgov::query::{expectation, verify};
use meshgov::source::{SourceFile, SourceId};
use meshgov::yaml;

#[test]
fn every_case_of_istio_holds() {
    assert!(cases("testdata/engine/istio") >= 25);
}

#[test]
fn every_case_of_network_policy_holds() {
    assert!(cases("testdata/engine/network_policy") >= 5);
}

/// Holds every case of a folder; how many there are.
fn cases(folder: &str) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let mut wrong = Vec::new();
    let mut count = 0;
    for path in &paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).unwrap();
        let (head, manifests) = text.split_once("\n---\n").unwrap();
        let file = Arc::new(SourceFile::new(SourceId(0), name.clone(), head));
        let parsed = yaml::parse(&file);
        assert!(parsed.errors.is_empty(), "{name}: {:?}", parsed.errors);
        let document = parsed.tree.node(parsed.documents[0].root);
        assert!(document.get("source").is_some(), "{name} names no source");
        let expectations = expectation::read(document).unwrap_or_else(|e| panic!("{name}: {e}"));
        let view = view::of(manifests);
        let analysis = Analysis::of(&view, &Assumptions::default());
        let checks = verify::verify(&analysis, &expectations)
            .unwrap_or_else(|e| panic!("{name}:{}: {e}", file.position(e.span.start).line));
        for check in checks {
            count += 1;
            if !check.ok {
                let line = file.position(check.span.start).line;
                wrong.push(format!(
                    "{name}:{line}: {} got {}",
                    check.expected, check.actual
                ));
            }
        }
    }
    println!("{} cases, {count} expectations", paths.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    paths.len()
}

#[test]
fn references_that_name_nothing_are_errors() {
    let manifests = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: ml}\nspec: {containers: []}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: ml}\nspec: {template: {spec: {containers: []}}}\n";
    let view = view::of(manifests);
    let analysis = Analysis::of(&view, &Assumptions::default());
    let ask = |text: &str| {
        let file = Arc::new(SourceFile::new(SourceId(0), "e", text));
        let parsed = yaml::parse(&file);
        let entries = expectation::read(parsed.tree.node(parsed.documents[0].root))?;
        verify::verify(&analysis, &entries).map(|checks| checks[0].actual.clone())
    };
    let message = |text: &str| ask(text).unwrap_err().message;
    assert_eq!(
        message("expect: [{membership: {of: ml/b, is: none}}]"),
        "no workload `ml/b`"
    );
    assert_eq!(
        message("expect: [{membership: {of: ml/a, is: none}}]"),
        "`ml/a` is Pod:ml/a and Deployment:ml/a"
    );
    assert_eq!(
        ask("expect: [{membership: {of: 'Pod:ml/a', is: none}}]").unwrap(),
        "none"
    );
    assert_eq!(
        message("expect: [{transport: {of: ml/a, port: 0, is: strict}}]"),
        "`0` is no port"
    );
    assert_eq!(
        message("expect: [{mtls: {of: ml/a}}]"),
        "`mtls` is no kind of expectation"
    );
}
