//! Data at rest, and what payloads are logged to. Input: an object with its namespace; output: the stores, models and log sinks that its
//! fields name, and which way data flows.
//!
//! Fields: `volumes[].persistentVolumeClaim` (Kubernetes); `logger`, `kvCacheOffloading.secondary[].fileSystem.pvc` (KServe v0.19);
//! `tuning.output` (KAITO `workspace_types.go`); `artifacts[].s3`, `gcs` (Argo Workflows `workflow_types.go`); `OTEL_EXPORTER_OTLP_ENDPOINT`
//! (OpenTelemetry), `LANGFUSE_HOST`, `LANGSMITH_ENDPOINT`.

use crate::asset::provider::host_of_url;
use crate::asset::signal::{is_weights_path, variables};
use crate::facts::lineage::NodeKind;
use crate::pods::{self, PodTemplate, Shape};
use crate::resource::Resource;
use crate::source::Span;
use crate::yaml::NodeRef;

/// Which way data flows, seen from the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// It reads.
    In,
    /// It writes.
    Out,
    /// It reads and writes.
    Both,
}

/// Something that an object reads or writes.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) kind: NodeKind,
    /// Unique among nodes of the kind: `namespace/claim`, a URI, a host.
    pub(super) name: String,
    pub(super) flow: Flow,
    pub(super) says: &'static str,
    pub(super) span: Span,
}

/// Variables that name where traces with prompts go.
const TRACES: &[&str] = &[
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "LANGFUSE_HOST",
    "LANGFUSE_BASE_URL",
    "LANGSMITH_ENDPOINT",
];

/// Everything of an object, in the order of its fields.
pub(super) fn of(resource: &Resource, space: &str) -> Vec<Held> {
    let mut found = Vec::new();
    // What trains or fetches weights writes them; what serves only reads them.
    let ends = resource.kind().ends_with("Job") || resource.kind() == "JobSet";
    for template in pods::templates(resource) {
        claims(&template, space, ends, &mut found);
        for container in template.containers() {
            sinks(container.node, &mut found);
        }
    }
    let object = resource.object();
    match (resource.group(), resource.kind()) {
        ("serving.kserve.io", "InferenceService") => loggers(object, &mut found),
        ("serving.kserve.io", "LLMInferenceService") => caches(object, space, &mut found),
        ("kaito.sh", "Workspace") => tuned(object, &mut found),
        ("argoproj.io", "Workflow" | "WorkflowTemplate" | "ClusterWorkflowTemplate") => {
            artifacts(object.get("spec"), &mut found);
        }
        ("argoproj.io", "CronWorkflow") => {
            artifacts(object.at(&["spec", "workflowSpec"]), &mut found);
        }
        _ => {}
    }
    found
}

/// Name of the node of a claim.
pub(super) fn claim_name(space: &str, claim: &str) -> String {
    if space.is_empty() {
        claim.to_owned()
    } else {
        format!("{space}/{claim}")
    }
}

/// Claims that pods mount. One that every container mounts read-only, or where a server keeps weights, is only read.
fn claims(template: &PodTemplate<'_>, space: &str, ends: bool, found: &mut Vec<Held>) {
    if template.shape == Shape::Container {
        return;
    }
    for volume in items(Some(template.spec), "volumes") {
        let Some(claim) = volume.get("persistentVolumeClaim") else {
            continue;
        };
        let Some(name) = claim.get("claimName") else {
            continue;
        };
        let is_true = |node: NodeRef<'_>| {
            let flag = node.get("readOnly").and_then(NodeRef::as_bool);
            flag == Some(true)
        };
        let volume_name = volume.get("name").and_then(NodeRef::as_str);
        let mounts: Vec<NodeRef<'_>> = template
            .containers()
            .flat_map(|c| items(Some(c.node), "volumeMounts"))
            .filter(|mount| mount.get("name").and_then(NodeRef::as_str) == volume_name)
            .collect();
        // What is fetched to where weights lie is no data of the workload.
        let reads = |mount: &NodeRef<'_>| {
            let path = mount.get("mountPath").and_then(NodeRef::as_str);
            is_true(*mount) || (!ends && path.is_some_and(is_weights_path))
        };
        let only_read = is_true(claim) || (!mounts.is_empty() && mounts.iter().all(reads));
        found.push(Held {
            kind: NodeKind::Store,
            name: claim_name(space, name.text()),
            flow: if only_read { Flow::In } else { Flow::Both },
            says: "mounts it",
            span: name.span(),
        });
    }
}

/// Where the traces of a container go, when outside the cluster: inside, an address is an edge already.
fn sinks(container: NodeRef<'_>, found: &mut Vec<Held>) {
    for variable in variables(container).filter(|v| TRACES.contains(&v.name)) {
        if let Some(value) = variable.value {
            sink(value, "sends its traces", found);
        }
    }
}

fn sink(value: NodeRef<'_>, says: &'static str, found: &mut Vec<Held>) {
    let Some(host) = value.as_str().and_then(host_of_url) else {
        return;
    };
    let inside = !host.contains('.')
        || host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok()
        || [".svc", ".local", ".internal"].iter().any(|end| host.ends_with(end))
        || host.contains(".svc.")
        // `service.namespace`.
        || host.matches('.').count() == 1;
    if !inside && !host.contains(['$', '{']) {
        found.push(Held {
            kind: NodeKind::LogSink,
            name: host.to_owned(),
            flow: Flow::Out,
            says,
            span: value.span(),
        });
    }
}

fn loggers(object: NodeRef<'_>, found: &mut Vec<Held>) {
    for component in ["predictor", "transformer", "explainer"] {
        let logger = object.at(&["spec", component, "logger"]);
        if let Some(url) = logger.and_then(|l| l.get("url")) {
            sink(url, "logs its payloads", found);
        }
        let storage = logger.and_then(|l| l.at(&["storage", "path"]));
        if let Some(path) = storage {
            found.push(Held {
                kind: NodeKind::Store,
                name: path.text().to_owned(),
                flow: Flow::Out,
                says: "logs its payloads",
                span: path.span(),
            });
        }
    }
}

/// Prompts in the form of key and value caches.
fn caches(object: NodeRef<'_>, space: &str, found: &mut Vec<Held>) {
    let offloading = object.at(&["spec", "workload", "kvCacheOffloading"]);
    for tier in items(offloading, "secondary") {
        let Some(reference) = tier.at(&["fileSystem", "pvc", "ref"]) else {
            continue;
        };
        let name = reference.get("name").unwrap_or(reference);
        found.push(Held {
            kind: NodeKind::Store,
            name: claim_name(space, name.text()),
            flow: Flow::Both,
            says: "keeps its cache there",
            span: name.span(),
        });
    }
}

/// A model that a tuning run writes is named as those that load it name it.
fn tuned(object: NodeRef<'_>, found: &mut Vec<Held>) {
    if let Some(image) = object.at(&["tuning", "output", "image"]) {
        found.push(Held {
            kind: NodeKind::Model,
            name: format!("oci://{}", image.text()),
            flow: Flow::Out,
            says: "writes the weights",
            span: image.span(),
        });
    }
}

fn artifacts(spec: Option<NodeRef<'_>>, found: &mut Vec<Held>) {
    for template in items(spec, "templates") {
        for (side, flow, says) in [
            ("inputs", Flow::In, "reads it"),
            ("outputs", Flow::Out, "writes it"),
        ] {
            for artifact in items(template.get(side), "artifacts") {
                for (field, scheme) in [("s3", "s3"), ("gcs", "gs")] {
                    let Some(place) = artifact.get(field) else {
                        continue;
                    };
                    if let (Some(bucket), Some(key)) = (place.get("bucket"), place.get("key")) {
                        found.push(Held {
                            kind: NodeKind::Model,
                            name: format!("{scheme}://{}/{}", bucket.text(), key.text()),
                            flow,
                            says,
                            span: key.span(),
                        });
                    }
                }
            }
        }
    }
}

fn items<'t>(
    node: Option<NodeRef<'t>>,
    field: &str,
) -> impl Iterator<Item = NodeRef<'t>> + use<'t> {
    let list = node.and_then(|n| n.get(field));
    list.into_iter().flat_map(NodeRef::items)
}
