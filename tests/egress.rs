//! Ways out of a workload. Expectations are worked out by hand from istio/istio `pilot/pkg/model/sidecar.go` and the reference of Sidecar and
//! ServiceEntry.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

use meshgov::cli::pipeline;
use meshgov::engine::Analysis;
use meshgov::facts::Assumptions;

const POD: &str = "{apiVersion: v1, kind: Pod, metadata: {name: chat, namespace: apps, labels: {app: chat}}, spec: {containers: [{name: c}]}}\n---\n";
const SIDECAR: &str = "{apiVersion: v1, kind: Namespace, metadata: {name: apps, labels: {istio-injection: enabled}}}\n---\n";
const REGISTRY_ONLY: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: istio, namespace: istio-system}, data: {mesh: 'outboundTrafficPolicy: {mode: REGISTRY_ONLY}'}}\n---\n";

fn entry(namespace: &str, host: &str, more: &str) -> String {
    format!(
        "{{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {{name: '{host}', namespace: {namespace}}}, spec: {{hosts: ['{host}']{more}}}}}\n---\n"
    )
}

fn sidecar(namespace: &str, spec: &str) -> String {
    format!(
        "{{apiVersion: networking.istio.io/v1, kind: Sidecar, metadata: {{name: default, namespace: {namespace}}}, spec: {spec}}}\n---\n"
    )
}

fn egress(manifests: &[&str]) -> String {
    let files = [("in.yaml".to_owned(), manifests.concat())];
    let input = pipeline::read_texts(&files, Assumptions::default());
    assert!(input.loaded.problems.is_empty());
    let analysis = Analysis::of(&input.views[0], &input.assume);
    let workload = analysis.topology.named("apps/chat").next().unwrap();
    let fact = analysis.egress(workload);
    let egress = fact.get().unwrap();
    let places = egress.to.iter().chain(&egress.nets);
    let places: Vec<&str> = places.map(String::as_str).collect();
    format!("{} {}", egress.mode.as_str(), places.join(" "))
        .trim()
        .to_owned()
}

#[test]
fn nothing_limits_a_pod_outside_the_mesh_or_in_ambient() {
    let host = entry("apps", "api.openai.com", "");
    assert_eq!(egress(&[POD, REGISTRY_ONLY, &host]), "open");
    let ambient = "{apiVersion: v1, kind: Namespace, metadata: {name: apps, labels: {istio.io/dataplane-mode: ambient}}}\n---\n";
    assert_eq!(egress(&[POD, ambient, REGISTRY_ONLY, &host]), "open");
}

#[test]
fn the_mesh_lets_everything_pass_unless_told_otherwise() {
    let host = entry("apps", "api.openai.com", "");
    assert_eq!(egress(&[POD, SIDECAR, &host]), "open api.openai.com");
    assert_eq!(
        egress(&[POD, SIDECAR, REGISTRY_ONLY, &host]),
        "restricted api.openai.com"
    );
    assert_eq!(egress(&[POD, SIDECAR, REGISTRY_ONLY]), "none");
}

#[test]
fn only_what_is_exported_and_outside_counts() {
    let kept = entry("ml", "a.com", ", exportTo: ['.']");
    let given = entry("ml", "b.com", ", exportTo: [apps]");
    let inside = entry("ml", "c.com", ", location: MESH_INTERNAL");
    assert_eq!(
        egress(&[POD, SIDECAR, REGISTRY_ONLY, &kept, &given, &inside]),
        "restricted b.com"
    );
}

#[test]
fn the_most_specific_sidecar_decides() {
    let (own, other) = (entry("apps", "a.com", ""), entry("ml", "b.com", ""));
    let of_namespace = sidecar(
        "apps",
        "{outboundTrafficPolicy: {mode: REGISTRY_ONLY}, egress: [{hosts: ['./*']}]}",
    );
    assert_eq!(
        egress(&[POD, SIDECAR, &own, &other, &of_namespace]),
        "restricted a.com"
    );
    // One that selects the pod beats it; without a mode of its own the mesh's holds.
    let of_pod = sidecar("apps", "{workloadSelector: {labels: {app: chat}}}")
        .replace("name: default", "name: chat");
    assert_eq!(
        egress(&[POD, SIDECAR, &own, &other, &of_namespace, &of_pod]),
        "open a.com b.com"
    );
    // Root's holds where the namespace has none.
    let of_root = sidecar(
        "istio-system",
        "{outboundTrafficPolicy: {mode: REGISTRY_ONLY}, egress: [{hosts: ['ml/*.com']}]}",
    );
    assert_eq!(
        egress(&[POD, SIDECAR, &own, &other, &of_root]),
        "restricted b.com"
    );
}

#[test]
fn traffic_past_the_proxy_is_not_limited() {
    let pod = POD.replace(
        "labels: {app: chat}",
        "labels: {app: chat}, annotations: {traffic.sidecar.istio.io/excludeOutboundPorts: '443'}",
    );
    let host = entry("apps", "api.openai.com", "");
    assert_eq!(
        egress(&[&pod, SIDECAR, REGISTRY_ONLY, &host]),
        "open api.openai.com"
    );
}

/// A NetworkPolicy of the pod's namespace with these egress rules.
fn network_policy(rules: &str) -> String {
    format!(
        "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: out, namespace: apps}}, spec: {{podSelector: {{}}, policyTypes: [Egress], egress: {rules}}}}}\n---\n"
    )
}

#[test]
fn network_policies_limit_what_the_mesh_lets_out() {
    // kubernetes.io/docs/concepts/services-networking/network-policies: no rule, no connection; rules of one policy add up.
    assert_eq!(egress(&[POD, &network_policy("[]")]), "none");
    let inside = network_policy("[{to: [{namespaceSelector: {}}]}]");
    assert_eq!(egress(&[POD, &inside]), "none");
    let blocks = network_policy(
        "[{to: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: 443}]}, {to: [{ipBlock: {cidr: 198.51.100.7/32}}]}]",
    );
    assert_eq!(
        egress(&[POD, &blocks]),
        "restricted 198.51.100.7 203.0.113.0/24"
    );
    // All addresses on one port are no limit of where.
    let https = network_policy("[{ports: [{port: 443}]}]");
    let host = entry("apps", "api.openai.com", "");
    assert_eq!(
        egress(&[POD, SIDECAR, &host, &https]),
        "open api.openai.com"
    );
    assert_eq!(
        egress(&[POD, SIDECAR, REGISTRY_ONLY, &host, &blocks]),
        "restricted api.openai.com 198.51.100.7 203.0.113.0/24"
    );
    assert_eq!(
        egress(&[POD, SIDECAR, REGISTRY_ONLY, &host, &network_policy("[]")]),
        "none"
    );
}
