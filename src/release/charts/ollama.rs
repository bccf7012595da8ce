//! L3: the chart `ollama` of otwld. Input: its values; output: its Deployment and Service.
//!
//! otwld/ollama-helm `templates/{deployment,service,_helpers}`, v0.20 to v1.30.

use crate::kustomize::node::Node;
use crate::release::charts::build::{
    self, Map, Workload, full_name, image, is_on, number, service_port, set,
};
use crate::release::{Chart, Release};
use crate::source::Span;
use crate::yaml::NodeRef;

const PORT: u16 = 11434;

/// Whether nothing but Deployment, Service, account and claims is made.
pub(super) fn is_closed(chart: &Chart) -> bool {
    let values = chart.values();
    let off = |path: &[&str]| !is_on(values, path);
    off(&["ingress", "enabled"])
        && off(&["httpRoute", "enabled"])
        && off(&["gateway", "enabled"])
        && off(&["knative", "enabled"])
        && set(values, &["extraObjects"]).is_none()
}

pub(super) fn objects(release: &Release, chart: &Chart) -> Vec<Node<'static>> {
    let values = chart.values();
    let span = release.span;
    if is_on(values, &["knative", "enabled"]) {
        return Vec::new();
    }
    let name = full_name(release, values, "ollama");
    let port = set(values, &["service", "port"]);
    let mut variables = Vec::new();
    let extra = set(values, &["extraEnv"]).into_iter();
    variables.extend(extra.flat_map(NodeRef::items).map(build::copy));
    let container = Map::at(span)
        .text("name", "ollama", span)
        .put(
            "image",
            image(set(values, &["image"]), "ollama/ollama", span),
        )
        .list("ports", vec![build::port("http", port, PORT, span)], span)
        .list("env", variables, span)
        .copy("args", values, "extraArgs")
        .copy("securityContext", values, "securityContext")
        .copy("resources", values, "resources");
    let container = match pulled(values, span) {
        Some(lifecycle) => container.put("lifecycle", lifecycle),
        None => container.copy("lifecycle", values, "lifecycle"),
    };
    let mut spec = Map::at(span)
        .text(
            "serviceAccountName",
            build::account(values, &name, true),
            span,
        )
        .copy("hostNetwork", values, "hostNetwork")
        .copy("hostPID", values, "hostPID")
        .copy("hostIPC", values, "hostIPC")
        .copy("runtimeClassName", values, "runtimeClassName")
        .copy("initContainers", values, "initContainers");
    spec = spec.list("containers", vec![container.end()], span);
    let labels = || build::labels(release, values, "ollama");
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
    vec![
        workload.end(span),
        build::service(
            &name,
            labels(),
            ports,
            set(values, &["service", "type"]),
            span,
        ),
    ]
}

/// The models that are pulled once the server runs: `ollama.models.pull`, in old releases `ollama.models`.
fn pulled(values: Option<NodeRef<'_>>, span: Span) -> Option<Node<'static>> {
    if set(values, &["lifecycle"]).is_some() {
        return None;
    }
    let models = set(values, &["ollama", "models"])?;
    let list = if models.is_seq() {
        models
    } else {
        models.get("pull")?
    };
    let pulls: Vec<Node<'static>> = list
        .items()
        .map(|model| Node::string(format!("ollama pull {}", model.text()), model.span()))
        .collect();
    let command = Map::at(span).list("command", pulls, span).end();
    let exec = Map::at(span).put("exec", command).end();
    Some(Map::at(span).put("postStart", exec).end())
}
