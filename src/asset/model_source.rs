//! Where kinds keep their model references. Input: an object; output: each reference with the node that holds it.

use crate::asset::model_ref::ModelRef;
use crate::yaml::NodeRef;

/// Model references of an object, in field order, each with the node that states it. Kinds without such fields give none.
///
/// Fields per kind: KServe v1beta1 and v1alpha1 CRDs (`config/crd/full`, v0.17), Seldon Core 2 `k8s/yaml/crds.yaml`,
/// NVIDIA NIM operator `apps.nvidia.com/v1alpha1`, vLLM production-stack `operator/config/crd`.
#[must_use]
pub fn model_refs<'t>(object: NodeRef<'t>) -> Vec<(ModelRef, NodeRef<'t>)> {
    let api_version = object
        .get("apiVersion")
        .and_then(NodeRef::as_str)
        .unwrap_or("");
    let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
    let kind = object.get("kind").and_then(NodeRef::as_str).unwrap_or("");
    let Some(spec) = object.get("spec") else {
        return Vec::new();
    };
    let mut found = Found::default();
    match (group, kind) {
        ("serving.kserve.io", "InferenceService") => inference_service(spec, &mut found),
        ("serving.kserve.io", "LLMInferenceService" | "LLMInferenceServiceConfig") => {
            found.field(spec, &["model", "uri"]);
            for adapter in items(spec, &["model", "lora", "adapters"]) {
                found.field(adapter, &["uri"]);
            }
        }
        ("serving.kserve.io", "TrainedModel") => found.field(spec, &["model", "storageUri"]),
        (
            "serving.kserve.io",
            "LocalModelCache" | "LocalModelNamespaceCache" | "ClusterLocalModel",
        ) => {
            found.field(spec, &["sourceModelUri"]);
        }
        ("mlops.seldon.io", "Model" | "Explainer") => found.field(spec, &["storageUri"]),
        ("machinelearning.seldon.io", "SeldonDeployment") => {
            for predictor in items(spec, &["predictors"]) {
                if let Some(graph) = predictor.get("graph") {
                    seldon_graph(graph, &mut found);
                }
            }
        }
        ("apps.nvidia.com", "NIMCache") => nim_cache(spec, &mut found),
        ("production-stack.vllm.ai", "VLLMRuntime") => found.field(spec, &["model", "modelURL"]),
        ("production-stack.vllm.ai", "LoraAdapter") => {
            let source = spec.get("adapterSource");
            if source.and_then(|s| s.get("type")).and_then(NodeRef::as_str) == Some("huggingface") {
                found.field(spec, &["adapterSource", "repository"]);
            }
        }
        _ => {}
    }
    found.0
}

#[derive(Default)]
struct Found<'t>(Vec<(ModelRef, NodeRef<'t>)>);

impl<'t> Found<'t> {
    fn field(&mut self, node: NodeRef<'t>, path: &[&str]) {
        if let Some(value) = node.at(path)
            && let Some(text) = value.as_str()
            && !text.is_empty()
        {
            self.0.push((ModelRef::parse(text), value));
        }
    }
}

fn items<'t>(node: NodeRef<'t>, path: &[&str]) -> impl Iterator<Item = NodeRef<'t>> + use<'t> {
    node.at(path).into_iter().flat_map(NodeRef::items)
}

fn inference_service<'t>(spec: NodeRef<'t>, found: &mut Found<'t>) {
    for component in ["predictor", "transformer", "explainer"] {
        let Some(part) = spec.get(component) else {
            continue;
        };
        framework_uris(part, found);
        for uri in part.get("storageUris").into_iter().flat_map(NodeRef::items) {
            found.field(uri, &["uri"]);
        }
        for container in part.get("containers").into_iter().flat_map(NodeRef::items) {
            for env in container.get("env").into_iter().flat_map(NodeRef::items) {
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

fn seldon_graph<'t>(graph: NodeRef<'t>, found: &mut Found<'t>) {
    found.field(graph, &["modelUri"]);
    for child in graph.get("children").into_iter().flat_map(NodeRef::items) {
        seldon_graph(child, found);
    }
}

fn nim_cache<'t>(spec: NodeRef<'t>, found: &mut Found<'t>) {
    let Some(source) = spec.at(&["source", "hf"]) else {
        return;
    };
    let text = |name: &str| source.get(name).and_then(NodeRef::as_str).unwrap_or("");
    if let Some(node) = source.get("modelName") {
        let mut uri = format!("hf://{}/{}", text("namespace"), text("modelName"));
        if !text("revision").is_empty() {
            uri = format!("{uri}:{}", text("revision"));
        }
        found.0.push((ModelRef::parse(&uri), node));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    fn uris(text: &str) -> Vec<(String, String)> {
        let source = Sources::default().add("a.yaml", text);
        let parsed = crate::yaml::parse(&source);
        let object = parsed.tree.node(parsed.documents[0].root);
        model_refs(object)
            .into_iter()
            .map(|(model, node)| (model.uri, source.slice(node.span()).to_owned()))
            .collect()
    }

    #[test]
    fn every_component_of_an_inference_service_is_read() {
        let text = "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nspec:\n  predictor:\n    sklearn: {storageUri: s3://m/a}\n    storageUris: [{uri: gs://m/b}]\n  transformer:\n    containers:\n      - env: [{name: STORAGE_URI, value: hf://o/m}]\n";
        assert_eq!(
            uris(text),
            [
                ("s3://m/a", "s3://m/a"),
                ("gs://m/b", "gs://m/b"),
                ("hf://o/m", "hf://o/m")
            ]
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
        );
    }

    #[test]
    fn nim_cache_is_a_hub_model_with_its_revision() {
        let text = "apiVersion: apps.nvidia.com/v1alpha1\nkind: NIMCache\nspec: {source: {hf: {namespace: acme, modelName: m, revision: v2}}}\n";
        assert_eq!(uris(text), [("hf://acme/m:v2".to_owned(), "m".to_owned())]);
    }

    #[test]
    fn a_kind_of_the_same_name_in_another_group_has_none() {
        assert!(
            uris("apiVersion: other.io/v1\nkind: Model\nspec: {storageUri: s3://m/a}\n").is_empty()
        );
    }
}
