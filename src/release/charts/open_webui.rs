//! L3: Open WebUI's chart. Input: its values; output: its workload and Service.
//!
//! open-webui/helm-charts `charts/open-webui/templates/{workload-manager,service,_helpers}`. Of the variables that the chart
//! derives from switches only those are made that name an upstream.

use crate::kustomize::node::Node;
use crate::release::charts::build::{self, Map, Workload, image, quoted, set, variable};
use crate::release::{Chart, Release};
use crate::yaml::{Kind, NodeRef};

const CONTAINER_PORT: u16 = 8080;
const SERVICE_PORT: u16 = 80;
const IMAGE: &str = "ghcr.io/open-webui/open-webui";

pub(super) fn objects(release: &Release, chart: &Chart) -> Vec<Node<'static>> {
    let values = chart.values();
    let span = release.span;
    // `open-webui.name` takes no notice of the release.
    let name = set(values, &["nameOverride"]).map_or("open-webui", NodeRef::text);
    let port = set(values, &["service", "containerPort"]);
    let mut variables = Vec::new();
    if let Some(urls) = set(values, &["ollamaUrls"]) {
        variables.push(variable("OLLAMA_BASE_URLS", joined(urls)));
    }
    let several = set(values, &["openaiBaseApiUrls"]);
    match (several, set(values, &["openaiBaseApiUrl"])) {
        (Some(urls), _) => variables.push(variable("OPENAI_API_BASE_URLS", joined(urls))),
        (None, Some(url)) => variables.push(variable("OPENAI_API_BASE_URL", quoted(url))),
        (None, None) => {}
    }
    let extra = set(values, &["extraEnvVars"]).into_iter();
    variables.extend(extra.flat_map(NodeRef::items).map(build::copy));
    let container = Map::at(span)
        .text("name", "open-webui", span)
        .put("image", image(set(values, &["image"]), IMAGE, span))
        .list(
            "ports",
            vec![build::port("http", port, CONTAINER_PORT, span)],
            span,
        )
        .list("env", variables, span)
        .copy("envFrom", values, "extraEnvFrom")
        .copy("args", values, "args")
        .copy("command", values, "command")
        .copy("securityContext", values, "containerSecurityContext")
        .copy("resources", values, "resources");
    let mut spec = Map::at(span);
    let account = set(values, &["serviceAccount", "name"]).map(NodeRef::text);
    let enabled = values.and_then(|v| v.at(&["serviceAccount", "enable"])?.as_bool());
    if enabled != Some(false) {
        spec = spec.text("serviceAccountName", account.unwrap_or(name), span);
    }
    let spec = spec
        .copy("initContainers", values, "extraInitContainers")
        .list("containers", vec![container.end()], span);
    let labels = || {
        Map::at(span)
            .text("app.kubernetes.io/instance", release.name.as_str(), span)
            .text("app.kubernetes.io/component", name, span)
    };
    let off = |path: &[&str]| values.and_then(|v| v.at(path)?.as_bool()) == Some(false);
    let provider = set(values, &["persistence", "provider"]).map_or("local", NodeRef::text);
    let is_stateful = !off(&["persistence", "enabled"]) && provider == "local";
    let workload = Workload {
        kind: if is_stateful {
            "StatefulSet"
        } else {
            "Deployment"
        },
        name: name.to_owned(),
        labels: labels(),
        pod_labels: set(values, &["podLabels"]),
        annotations: set(values, &["podAnnotations"]),
        spec,
        replicas: set(values, &["replicaCount"]),
    };
    let service = set(values, &["service", "port"]);
    let port = build::number(service, SERVICE_PORT, span);
    let ports = vec![build::service_port(
        port,
        Node::string("http", span),
        "http",
    )];
    let kind = set(values, &["service", "type"]);
    vec![
        workload.end(span),
        build::service(name, labels(), ports, kind, span),
    ]
}

/// A list as the chart joins it.
fn joined(list: NodeRef<'_>) -> Node<'static> {
    let items: Vec<&str> = list.items().map(NodeRef::text).collect();
    let place = list.items().next().map_or(list.span(), NodeRef::span);
    Node::scalar(Kind::Str, items.join(";"), place)
}
