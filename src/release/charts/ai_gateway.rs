//! L3: Envoy AI Gateway's chart. Input: its values; output: the controller's Deployment and Service.
//!
//! envoyproxy/ai-gateway `manifests/charts/ai-gateway-helm`: `templates/{deployment,service,_helpers}`, `values.yaml`, v0.3 to
//! v0.5. What the controller puts into the pods of Envoy Gateway is made in the cluster.

use crate::kustomize::node::Node;
use crate::release::charts::build::{self, Map, Workload, account, image, is_on, set};
use crate::release::{Chart, Release};
use crate::source::Span;
use crate::yaml::{Kind, NodeRef};

const IMAGE: &str = "docker.io/envoyproxy/ai-gateway-controller";
const NAME: &str = "ai-gateway-controller";

pub(super) fn objects(release: &Release, chart: &Chart) -> Vec<Node<'static>> {
    let values = chart.values();
    let own = set(values, &["controller"]);
    let span = release.span;
    // `controller.fullnameOverride` is set in the chart's own values.
    let name = set(own, &["fullnameOverride"]).map_or(NAME, NodeRef::text);
    let ports = set(own, &["service", "ports"]);
    let mut variables: Vec<Node<'static>> = Vec::new();
    for (key, value) in set(own, &["podEnv"]).into_iter().flat_map(NodeRef::entries) {
        variables.push(build::variable(&key.key_text(), build::quoted(value)));
    }
    let extra = set(own, &["extraEnvVars"]).into_iter();
    variables.extend(extra.flat_map(NodeRef::items).map(build::copy));
    let container = Map::at(span)
        .text("name", "ai-gateway-helm", span)
        .put("image", image(set(own, &["image"]), IMAGE, span))
        .list("ports", container_ports(ports), span)
        .list("env", variables, span)
        .copy("securityContext", own, "securityContext")
        .copy("resources", own, "resources");
    let mut spec = Map::at(span)
        .text("serviceAccountName", account(own, name, true), span)
        .copy("securityContext", own, "podSecurityContext");
    if is_on(own, &["hostNetwork"]) {
        spec = spec.copy("hostNetwork", own, "hostNetwork");
    }
    let labels = || build::labels(release, values, "ai-gateway-helm");
    let workload = Workload {
        kind: "Deployment",
        name: name.to_owned(),
        labels: labels(),
        pod_labels: None,
        annotations: set(own, &["podAnnotations"]),
        spec: spec.list("containers", vec![container.end()], span),
        replicas: set(own, &["replicaCount"]),
    };
    let mut found = vec![workload.end(span)];
    // Which ports the chart's own values have depends on its version.
    if let Some(ports) = ports {
        let ports = ports.items().map(build::copy).collect();
        let kind = set(own, &["service", "type"]);
        found.push(build::service(name, labels(), ports, kind, span));
    }
    found
}

/// The ports of the container: those that the Service aims at; none where the values leave them to the chart.
fn container_ports(ports: Option<NodeRef<'_>>) -> Vec<Node<'static>> {
    let targets = ports.into_iter().flat_map(NodeRef::items);
    targets
        .filter_map(|port| port.get("targetPort"))
        .map(|target| numbered(target.text(), target.span()))
        .collect()
}

fn numbered(number: &str, span: Span) -> Node<'static> {
    let number = Node::scalar(Kind::Int, number.to_owned(), span);
    Map::at(span).put("containerPort", number).end()
}
