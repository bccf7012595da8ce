//! L3: Istio's chart `gateway`. Input: its values; output: the proxy's Deployment and Service.
//!
//! istio/istio `manifests/charts/gateway`: `templates/{deployment,service,_helpers}`, `values.yaml`.

use crate::kustomize::node::Node;
use crate::release::charts::build::{self, Map, Workload, set};
use crate::release::{Chart, Release};
use crate::source::Span;
use crate::yaml::{Kind, NodeRef};

/// `service.ports` of the chart.
const PORTS: [(&str, u16); 3] = [("status-port", 15021), ("http2", 80), ("https", 443)];

pub(super) fn objects(release: &Release, chart: &Chart) -> Vec<Node<'static>> {
    // The chart takes its values at the top or below `defaults` (`templates/zzz_profile.yaml`).
    let values = set(chart.values(), &["defaults"]).or_else(|| chart.values());
    let span = release.span;
    let name = set(values, &["name"]).map_or(release.name.as_str(), NodeRef::text);
    let labels = || {
        let text = |field: &str, default: &str| {
            let given = set(values, &["labels", field]);
            given.map_or(default, NodeRef::text).to_owned()
        };
        let istio = name.strip_prefix("istio-").unwrap_or(name);
        Map::at(span)
            .text("app", text("app", name), span)
            .text("istio", text("istio", istio), span)
    };
    let mut pod_labels = labels();
    pod_labels = build::entries(pod_labels, set(values, &["labels"]));
    pod_labels = pod_labels.text("sidecar.istio.io/inject", "true", span);
    if let Some(revision) = set(values, &["revision"]) {
        pod_labels = pod_labels.put("istio.io/rev", build::quoted(revision));
    }
    let container = Map::at(span)
        .text("name", "istio-proxy", span)
        .text("image", "auto", span)
        .list(
            "ports",
            vec![build::port("http-envoy-prom", None, 15090, span)],
            span,
        );
    let spec = Map::at(span)
        .text(
            "serviceAccountName",
            build::account(values, name, true),
            span,
        )
        .list("containers", vec![container.end()], span);
    let workload = Workload {
        kind: set(values, &["kind"]).map_or("Deployment", NodeRef::text),
        name: name.to_owned(),
        labels: pod_labels,
        pod_labels: None,
        annotations: set(values, &["podAnnotations"]),
        spec,
        replicas: set(values, &["replicaCount"]),
    };
    let mut found = vec![workload.end(span)];
    let kind = set(values, &["service", "type"]);
    if kind.is_none_or(|kind| kind.text() != "None") {
        let ports = ports(values, span);
        found.push(build::service(name, labels(), ports, kind, span));
    }
    found
}

fn ports(values: Option<NodeRef<'_>>, span: Span) -> Vec<Node<'static>> {
    if let Some(ports) = set(values, &["service", "ports"]) {
        return ports.items().map(build::copy).collect();
    }
    let number = |number: u16| Node::scalar(Kind::Int, number.to_string(), span);
    PORTS
        .iter()
        .map(|&(name, port)| build::service_port(number(port), number(port), name))
        .collect()
}
