//! NVIDIA Dynamo. Input: its objects; output: classes and models. Kinds and fields: ai-dynamo/dynamo `deploy/operator/api/v1alpha1`
//! (`DynamoModel.spec.source.uri`, else `spec.modelName`).

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
    kind(GROUP, "DynamoModel", Class::Model),
];

fn refs<'t>(kind: &str, object: NodeRef<'t>, found: &mut Found<'t>) {
    if kind != "DynamoModel" {
        return;
    }
    let before = found.0.len();
    found.field(object, &["spec", "source", "uri"]);
    if found.0.len() == before {
        found.hub(object, &["spec", "modelName"]);
    }
}
