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

/// Whether the access of `ml/llm` is known when these namespaces are called complete.
fn is_known(manifests: &str, complete: &[&str]) -> bool {
    const SERVER: &str = "{apiVersion: v1, kind: Namespace, metadata: {name: ml, labels: {istio-injection: enabled}}}\n---\n{apiVersion: apps/v1, kind: Deployment, metadata: {name: llm, namespace: ml}, spec: {template: {metadata: {labels: {app: llm}}, spec: {containers: [{name: c, ports: [{containerPort: 8080}]}]}}}}\n---\n";
    let files = [("in.yaml".to_owned(), format!("{SERVER}{manifests}"))];
    let assume = Assumptions {
        complete: complete.iter().map(|n| (*n).to_owned()).collect(),
        ..Assumptions::default()
    };
    let input = meshgov::cli::pipeline::read_texts(&files, assume);
    let analysis = Analysis::of(&input.views[0], &input.assume);
    let workload = analysis.topology.named("ml/llm").next().unwrap();
    let reach = analysis.reach(workload, workload.port(8080).unwrap());
    reach.get().is_some()
}

#[test]
fn calling_a_namespace_complete_settles_releases_and_no_broken_document() {
    let release = "{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, metadata: {name: extras, namespace: ml}, spec: {chart: {spec: {chart: extras}}}}\n";
    assert!(!is_known(release, &[]));
    assert!(is_known(release, &["ml", "root"]));
    // It is in the view and says something; nobody knows what.
    let broken = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: llm, namespace: ml}\nspec: {rules: [\n";
    assert!(!is_known(broken, &[]));
    assert!(!is_known(broken, &["ml", "root"]));
    // What tells that it is something else takes no part.
    let other = broken.replace("AuthorizationPolicy", "ConfigMap");
    assert!(is_known(&other, &["ml", "root"]));
    let network = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: in, namespace: ml}, spec: {podSelector: {}}}\n---\n";
    let policy = broken
        .replace("AuthorizationPolicy", "NetworkPolicy")
        .replace("security.istio.io", "networking.k8s.io");
    assert!(is_known(network, &["ml", "root"]));
    assert!(!is_known(&format!("{network}{policy}"), &["ml", "root"]));
}
