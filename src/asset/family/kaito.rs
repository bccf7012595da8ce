//! KAITO. Input: its objects; output: classes and model references. Fields: `api/v1beta1/{workspace,ragengine}_types.go`;
//! Workspace has no `spec`.

use crate::asset::class::Class;
use crate::asset::family::{Family, Found, Kind, items, kind};
use crate::yaml::NodeRef;

const GROUP: &str = "kaito.sh";

pub(super) const FAMILY: Family = Family {
    name: "KAITO",
    kinds: KINDS,
    refs,
};

const KINDS: &[Kind] = &[
    kind(GROUP, "Workspace", Class::ModelServer),
    kind(GROUP, "InferenceSet", Class::ModelServer),
    kind(GROUP, "MultiRoleInference", Class::ModelServer),
    kind(GROUP, "RAGEngine", Class::Rag),
    kind(GROUP, "ModelMirror", Class::Model),
    kind(GROUP, "AutoIndexer", Class::Pipeline),
];

fn refs<'t>(kind: &str, object: NodeRef<'t>, found: &mut Found<'t>) {
    match kind {
        "Workspace" => inference(object, found),
        "InferenceSet" => {
            inference(object, found);
            if let Some(template) = object.at(&["spec", "template"]) {
                inference(template, found);
            }
        }
        "RAGEngine" => found.hub(object, &["spec", "embedding", "local", "modelID"]),
        _ => {}
    }
}

fn inference<'t>(node: NodeRef<'t>, found: &mut Found<'t>) {
    // A preset is KAITO's own name for a model, no hub name.
    if let Some(name) = node.at(&["inference", "preset", "name"])
        && let Some(text) = name.as_str()
    {
        found.made(&format!("kaito-preset://{text}"), name);
    }
    if let Some(image) = node.at(&["inference", "preset", "presetOptions", "image"])
        && let Some(text) = image.as_str()
    {
        found.made(&format!("oci://{text}"), image);
    }
    for adapter in items(node, &["inference", "adapters"]) {
        if let Some(image) = adapter.at(&["source", "image"])
            && let Some(text) = image.as_str()
        {
            found.made(&format!("oci://{text}"), image);
        }
        for url in items(adapter, &["source", "urls"]) {
            found.field(url, &[]);
        }
    }
}
