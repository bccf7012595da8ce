//! L3: LiteLLM's chart. Input: its values; output: the proxy's Deployment, its Service and its configuration.
//!
//! BerriAI/litellm `deploy/charts/litellm-helm`: `templates/{deployment,service,configmap-litellm,_helpers}`, `values.yaml`.

use crate::kustomize::node::Node;
use crate::release::charts::build::{
    self, Map, Workload, full_name, image, number, quoted, service_port, set, variable,
};
use crate::release::{Chart, Release};
use crate::yaml::NodeRef;

const PORT: u16 = 4000;
const IMAGE: &str = "ghcr.io/berriai/litellm-database";

pub(super) fn objects(release: &Release, chart: &Chart) -> Vec<Node<'static>> {
    let values = chart.values();
    let span = release.span;
    // `nameOverride` is `litellm` in the chart's own values.
    let name = full_name(release, values, "litellm");
    let port = set(values, &["service", "port"]);
    let env = set(values, &["envVars"]).into_iter();
    let mut variables: Vec<Node<'static>> = env
        .flat_map(NodeRef::entries)
        .map(|(key, value)| variable(&key.key_text(), quoted(value)))
        .collect();
    let extra = set(values, &["extraEnvVars"]).into_iter();
    variables.extend(extra.flat_map(NodeRef::items).map(build::copy));
    let mut from = Vec::new();
    for (field, kind) in [
        ("environmentSecrets", "secretRef"),
        ("environmentConfigMaps", "configMapRef"),
    ] {
        for named in set(values, &[field]).into_iter().flat_map(NodeRef::items) {
            let reference = Map::at(named.span()).put("name", build::copy(named)).end();
            from.push(Map::at(named.span()).put(kind, reference).end());
        }
    }
    let mut container = Map::at(span)
        .text("name", "litellm", span)
        .put("image", image(set(values, &["image"]), IMAGE, span))
        .list("ports", vec![build::port("http", port, PORT, span)], span)
        .list("env", variables, span)
        .list("envFrom", from, span)
        .copy("command", values, "command")
        .copy("args", values, "args")
        .copy("securityContext", values, "securityContext")
        .copy("resources", values, "resources");
    if set(values, &["args"]).is_none() {
        let words = ["--config", "/etc/litellm/config.yaml"];
        let words = words.map(|word| Node::string(word, span)).into();
        container = container.list("args", words, span);
    }
    let mut containers = vec![container.end()];
    let extra = set(values, &["extraContainers"]).into_iter();
    containers.extend(extra.flat_map(NodeRef::items).map(build::copy));
    let spec = Map::at(span)
        .text(
            "serviceAccountName",
            build::account(values, &name, false),
            span,
        )
        .copy("initContainers", values, "extraInitContainers")
        .list("containers", containers, span);
    let labels = || build::labels(release, values, "litellm");
    let workload = Workload {
        kind: "Deployment",
        name: name.clone(),
        labels: labels(),
        pod_labels: set(values, &["podLabels"]),
        annotations: set(values, &["podAnnotations"]),
        spec,
        replicas: set(values, &["replicaCount"]),
    };
    let ports = vec![service_port(
        number(port, PORT, span),
        Node::string("http", span),
        "http",
    )];
    let kind = set(values, &["service", "type"]);
    vec![
        workload.end(span),
        build::service(&name, labels(), ports, kind, span),
    ]
}
