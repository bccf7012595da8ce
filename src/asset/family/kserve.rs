//! KServe. Input: its objects; output: classes and model references. Fields: `config/crd/full`, KServe v0.17.

use crate::asset::class::Class;
use crate::asset::family::{Family, Found, Kind, items, kind};
use crate::yaml::NodeRef;

const GROUP: &str = "serving.kserve.io";

pub(super) const FAMILY: Family = Family {
    name: "KServe",
    kinds: KINDS,
    refs,
};

#[rustfmt::skip]
const KINDS: &[Kind] = &[
    kind(GROUP, "InferenceService", Class::ModelServer),
    kind("serving.kubeflow.org", "InferenceService", Class::ModelServer),
    kind(GROUP, "LLMInferenceService", Class::ModelServer),
    kind(GROUP, "LLMInferenceServiceConfig", Class::ModelTemplate),
    kind(GROUP, "ServingRuntime", Class::ModelTemplate),
    kind(GROUP, "ClusterServingRuntime", Class::ModelTemplate),
    kind(GROUP, "InferenceGraph", Class::Pipeline),
    kind(GROUP, "TrainedModel", Class::Model),
    kind(GROUP, "LocalModelCache", Class::Model),
    kind(GROUP, "LocalModelNamespaceCache", Class::Model),
    kind(GROUP, "ClusterLocalModel", Class::Model),
];

fn refs<'t>(kind: &str, object: NodeRef<'t>, found: &mut Found<'t>) {
    let Some(spec) = object.get("spec") else {
        return;
    };
    match kind {
        "InferenceService" => inference_service(spec, found),
        "LLMInferenceService" | "LLMInferenceServiceConfig" => {
            found.field(spec, &["model", "uri"]);
            for adapter in items(spec, &["model", "lora", "adapters"]) {
                found.field(adapter, &["uri"]);
            }
        }
        "TrainedModel" => found.field(spec, &["model", "storageUri"]),
        "LocalModelCache" | "LocalModelNamespaceCache" | "ClusterLocalModel" => {
            found.field(spec, &["sourceModelUri"]);
        }
        _ => {}
    }
}

fn inference_service<'t>(spec: NodeRef<'t>, found: &mut Found<'t>) {
    for component in ["predictor", "transformer", "explainer"] {
        let Some(part) = spec.get(component) else {
            continue;
        };
        framework_uris(part, found);
        for uri in items(part, &["storageUris"]) {
            found.field(uri, &["uri"]);
        }
        for container in items(part, &["containers"]) {
            for env in items(container, &["env"]) {
                if env.get("name").and_then(NodeRef::as_str) == Some("STORAGE_URI") {
                    found.field(env, &["value"]);
                }
            }
        }
    }
    // v1alpha2 kept the frameworks under spec.default.predictor.
    if let Some(part) = spec.at(&["default", "predictor"]) {
        framework_uris(part, found);
    }
}

fn framework_uris<'t>(part: NodeRef<'t>, found: &mut Found<'t>) {
    for (_, framework) in part.entries() {
        found.field(framework, &["storageUri"]);
    }
}
