//! Where kinds keep their model references. Input: an object; output: each reference with the node that holds it.

use crate::asset::family::{self, Found};
use crate::asset::model_ref::ModelRef;
use crate::resource::GroupKind;
use crate::yaml::NodeRef;

/// Model references of an object, in field order, each with the node that states it. Kinds without such fields give none; which fields,
/// the families say.
#[must_use]
pub fn model_refs<'t>(object: NodeRef<'t>) -> Vec<(ModelRef, NodeRef<'t>)> {
    let text = |name| object.get(name).and_then(NodeRef::as_str).unwrap_or("");
    let api_version = text("apiVersion");
    let group_kind = GroupKind {
        group: api_version
            .rsplit_once('/')
            .map_or("", |(group, _)| group)
            .to_owned(),
        kind: text("kind").to_owned(),
    };
    let mut found = Found::default();
    if let Some((family, _)) = family::of_kind(&group_kind) {
        (family.refs)(&group_kind.kind, object, &mut found);
    }
    found.0
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
    fn dynamo_pins_a_model_after_an_at_sign() {
        let text = "apiVersion: nvidia.com/v1beta1\nkind: DynamoModel\nspec: {modelName: o/m, source: {uri: hf://o/m@v2}}\n";
        assert_eq!(
            uris(text),
            [("hf://o/m:v2".to_owned(), "hf://o/m@v2".to_owned())]
        );
        let named = "apiVersion: nvidia.com/v1beta1\nkind: DynamoModel\nspec: {modelName: o/m}\n";
        assert_eq!(uris(named), [("hf://o/m".to_owned(), "o/m".to_owned())]);
    }

    #[test]
    fn a_kind_of_the_same_name_in_another_group_has_none() {
        assert!(
            uris("apiVersion: other.io/v1\nkind: Model\nspec: {storageUri: s3://m/a}\n").is_empty()
        );
    }
}
