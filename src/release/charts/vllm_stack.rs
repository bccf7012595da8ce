//! L3: vLLM's production stack. Input: its values; output: a Deployment for each model that is served by vLLM itself.
//!
//! vllm-project/production-stack `helm/templates/{deployment-vllm-multi,_helpers}`, v0.1. Router, cache server and what Ray
//! runs are not made, so the release stays open.

use crate::kustomize::node::Node;
use crate::release::charts::build::{self, Map, Workload, image, is_on, quoted, set, variable};
use crate::release::{Chart, Release};
use crate::yaml::NodeRef;

const PORT: u16 = 8000;

/// Flags of `vllmConfig`, as the template writes them.
const FLAGS: &[(&str, &str)] = &[
    ("maxModelLen", "--max-model-len"),
    ("dtype", "--dtype"),
    ("tensorParallelSize", "--tensor-parallel-size"),
    ("maxNumSeqs", "--max-num-seqs"),
    ("gpuMemoryUtilization", "--gpu_memory_utilization"),
];

pub(super) fn objects(release: &Release, chart: &Chart) -> Vec<Node<'static>> {
    let values = chart.values();
    let engine = set(values, &["servingEngineSpec"]);
    if engine.and_then(|e| e.get("enableEngine")?.as_bool()) == Some(false) {
        return Vec::new();
    }
    let models = set(engine, &["modelSpec"]).into_iter();
    models
        .flat_map(NodeRef::items)
        .filter(|model| model.get("enabled").and_then(NodeRef::as_bool) != Some(false))
        .filter(|model| match model.get("raySpec") {
            // Older releases take any `raySpec` for a wish.
            Some(ray) => ray.get("enabled").and_then(NodeRef::as_bool) == Some(false),
            None => true,
        })
        .filter_map(|model| deployment(release, engine, model))
        .collect()
}

fn deployment(
    release: &Release,
    engine: Option<NodeRef<'_>>,
    model: NodeRef<'_>,
) -> Option<Node<'static>> {
    let own = Some(model);
    let name = set(own, &["name"])?;
    let span = name.span();
    let port = set(engine, &["containerPort"]);
    let mut variables = Vec::new();
    for (variable_name, at) in [
        ("HF_TOKEN", set(own, &["hf_token"])),
        ("VLLM_API_KEY", set(engine, &["vllmApiKey"])),
    ] {
        variables.extend(at.and_then(|value| credential(release, variable_name, value, name)));
    }
    let env = set(own, &["env"]).into_iter();
    variables.extend(env.flat_map(NodeRef::items).map(build::copy));
    let container = Map::at(span)
        .text("name", "vllm", span)
        .put("image", image(own, "", span))
        .list("command", command(model, port)?, span)
        .list("env", variables, span)
        .list(
            "ports",
            vec![build::port("container-port", port, PORT, span)],
            span,
        )
        .copy("securityContext", engine, "containerSecurityContext");
    let mut spec = Map::at(span).copy("serviceAccountName", own, "serviceAccountName");
    if is_on(own, &["lmcacheConfig", "enablePD"]) {
        let yes = |text: &'static str| Node::scalar(crate::yaml::Kind::Bool, text, span);
        spec = spec.put("hostIPC", yes("true")).put("hostPID", yes("true"));
    }
    if let Some(first) = set(own, &["initContainer"]) {
        spec = spec.list("initContainers", vec![build::copy(first)], first.span());
    }
    let spec = spec
        .copy("securityContext", engine, "securityContext")
        .list("containers", vec![container.end()], span);
    let labels = Map::at(span).put("model", build::copy(name)).text(
        "helm-release-name",
        release.name.as_str(),
        release.span,
    );
    let labels = build::entries(labels, set(engine, &["labels"]));
    let workload = Workload {
        kind: "Deployment",
        name: format!("{}-{}-deployment-vllm", release.name, name.text()),
        labels,
        pod_labels: set(own, &["podLabels"]),
        annotations: set(own, &["podAnnotations"]),
        spec,
        replicas: set(own, &["replicaCount"]),
    };
    Some(workload.end(span))
}

fn command(model: NodeRef<'_>, port: Option<NodeRef<'_>>) -> Option<Vec<Node<'static>>> {
    let own = Some(model);
    let url = set(own, &["modelURL"])?;
    let span = url.span();
    let word = |text: &'static str| Node::string(text, span);
    let mut words = vec![word("vllm"), word("serve"), quoted(url)];
    words.extend([word("--host"), word("0.0.0.0"), word("--port")]);
    words.push(port.map_or_else(|| word("8000"), quoted));
    let config = set(own, &["vllmConfig"]);
    for &(field, flag) in FLAGS {
        if let Some(value) = set(config, &[field]) {
            words.push(Node::string(flag, value.span()));
            words.push(quoted(value));
        }
    }
    let extra = set(config, &["extraArgs"]).into_iter();
    words.extend(extra.flat_map(NodeRef::items).map(quoted));
    if let Some(revision) = set(own, &["modelRevision"]) {
        words.push(Node::string("--revision", revision.span()));
        words.push(quoted(revision));
    }
    Some(words)
}

/// A token: a text goes into a Secret of the chart, a map names one.
fn credential(
    release: &Release,
    name: &str,
    value: NodeRef<'_>,
    model: NodeRef<'_>,
) -> Option<Node<'static>> {
    let reference = if value.is_map() {
        let secret = set(Some(value), &["secretName"])?;
        Map::at(secret.span())
            .put("name", build::copy(secret))
            .copy("key", Some(value), "secretKey")
    } else {
        let key = match name {
            "HF_TOKEN" => format!("hf_token_{}", model.text()),
            _ => String::from("vllmApiKey"),
        };
        Map::at(value.span())
            .text("name", format!("{}-secrets", release.name), value.span())
            .text("key", key, value.span())
    };
    let span = value.span();
    let from = Map::at(span).put("secretKeyRef", reference.end()).end();
    let mut variable = variable(name, from);
    if let Some(from) = variable.remove("value") {
        variable.set(crate::kustomize::node::Key::new("valueFrom", span), from);
    }
    Some(variable)
}
