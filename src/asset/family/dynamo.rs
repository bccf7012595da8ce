//! NVIDIA Dynamo. Input: its objects; output: classes and models. Kinds and fields: ai-dynamo/dynamo `deploy/operator/api/v1beta1` and
//! `v1alpha1` (`*_types.go`). The pods are read from the table of pod templates, so the models that workers name are found there.

use crate::asset::class::Class;
use crate::asset::family::{Family, Found, Kind, kind};
use crate::yaml::NodeRef;

const GROUP: &str = "nvidia.com";

pub(super) const FAMILY: Family = Family {
    name: "NVIDIA Dynamo",
    kinds: KINDS,
    refs,
};

const KINDS: &[Kind] = &[
    kind(GROUP, "DynamoGraphDeployment", Class::ModelServer),
    kind(GROUP, "DynamoComponentDeployment", Class::ModelServer),
    kind(GROUP, "DynamoGraphDeploymentRequest", Class::ModelTemplate),
    kind(GROUP, "DynamoModel", Class::Model),
];

fn refs<'t>(kind: &str, object: NodeRef<'t>, found: &mut Found<'t>) {
    match kind {
        "DynamoGraphDeploymentRequest" => found.hub(object, &["spec", "model"]),
        "DynamoModel" => match object.at(&["spec", "source", "uri"]) {
            Some(node) => found.made(&pinned(node.text()), node),
            None => found.hub(object, &["spec", "modelName"]),
        },
        _ => {}
    }
}

/// `hf://org/model@revision` is how Dynamo pins a model (`ModelSource` in `dynamo_model_types.go`); we write revisions after a colon.
fn pinned(uri: &str) -> String {
    match uri
        .strip_prefix("hf://")
        .and_then(|rest| rest.split_once('@'))
    {
        Some((model, revision)) => format!("hf://{model}:{revision}"),
        None => uri.to_owned(),
    }
}
