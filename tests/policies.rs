//! What policies really do, judged by the built-in rules together: one cause is one finding, and what rests on absence says so.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

use meshgov::cli::pipeline::{Silencing, read_texts};
use meshgov::evaluate::CompiledRule;
use meshgov::evaluate::engine::EngineRules;
use meshgov::facts::{Assumptions, Confidence};
use meshgov::rule::{RuleSet, RuleSource};

const ENROLLED: &str =
    "apiVersion: v1\nkind: Namespace\nmetadata: {name: ml, labels: {istio-injection: enabled}}\n";
const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: llm, namespace: ml, labels: {app: llm}}\nspec: {containers: [{name: srv, image: llm:1, ports: [{containerPort: 8080}]}]}\n";

fn policy(kind: &str, name: &str, spec: &str) -> String {
    format!(
        "apiVersion: security.istio.io/v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: ml}}\nspec: {spec}\n"
    )
}

/// Ids with their confidence, sorted, of all rules that judge meshes.
fn found(documents: &[&str]) -> Vec<(String, Confidence)> {
    let set = RuleSet::builtin().unwrap();
    let compiled: Vec<CompiledRule> = set
        .iter()
        .filter(|r| r.info.source != RuleSource::Engine)
        .map(|r| CompiledRule::new(r, r.info.severity, None).unwrap())
        .collect();
    let files = [("all.yaml".to_owned(), documents.join("---\n"))];
    let mut input = read_texts(&files, Assumptions::default());
    let silencing = Silencing {
        rules: &set,
        ignores: &[],
        config: None,
        today: "2026-01-01",
        off: true,
    };
    let judgement = input.judge(&compiled, &EngineRules::default(), &silencing);
    let mut ids: Vec<_> = judgement
        .findings
        .iter()
        .map(|f| (f.rule.id.clone(), f.confidence))
        .collect();
    ids.sort();
    ids
}

#[test]
fn one_cause_is_one_finding() {
    let off = policy("PeerAuthentication", "default", "{mtls: {mode: DISABLE}}");
    assert_eq!(
        found(&[ENROLLED, POD, &off]),
        [("ISTPA003".to_owned(), Confidence::High)]
    );
}

#[test]
fn a_default_that_another_file_may_change_never_gates() {
    let deny = policy(
        "AuthorizationPolicy",
        "deny",
        "{action: DENY, rules: [{from: [{source: {namespaces: [evil]}}]}]}",
    );
    let by_default = found(&[ENROLLED, POD, &deny]);
    assert_eq!(
        by_default,
        [
            ("ISTAP004".to_owned(), Confidence::Low),
            ("MTLS001".to_owned(), Confidence::Low)
        ]
    );
    let open = policy(
        "PeerAuthentication",
        "default",
        "{mtls: {mode: PERMISSIVE}}",
    );
    let written = found(&[ENROLLED, POD, &deny, &open]);
    assert_eq!(
        written,
        [
            ("ISTAP004".to_owned(), Confidence::High),
            ("MTLS001".to_owned(), Confidence::High)
        ]
    );
}

#[test]
fn without_a_sign_of_a_mesh_its_rules_are_silent() {
    let network = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: llm, namespace: ml}\nspec: {podSelector: {}, policyTypes: [Ingress]}\n";
    assert_eq!(found(&[POD, network]), []);
}
