//! Seldon Core 1 and 2. Input: their objects; output: classes and model references. Fields: `k8s/yaml/crds.yaml` of Core 2, the
//! SeldonDeployment CRD of Core 1.

use crate::asset::class::Class;
use crate::asset::family::{Family, Found, Kind, items, kind};
use crate::yaml::NodeRef;

const V2: &str = "mlops.seldon.io";

pub(super) const FAMILY: Family = Family {
    name: "Seldon",
    kinds: KINDS,
    refs,
};

const KINDS: &[Kind] = &[
    kind(V2, "Model", Class::ModelServer),
    kind(V2, "Explainer", Class::ModelServer),
    kind(V2, "Server", Class::ModelServer),
    kind(V2, "Pipeline", Class::Pipeline),
    kind(V2, "Experiment", Class::Pipeline),
    kind(
        "machinelearning.seldon.io",
        "SeldonDeployment",
        Class::ModelServer,
    ),
];

fn refs<'t>(kind: &str, object: NodeRef<'t>, found: &mut Found<'t>) {
    let Some(spec) = object.get("spec") else {
        return;
    };
    match kind {
        "Model" | "Explainer" => found.field(spec, &["storageUri"]),
        "SeldonDeployment" => {
            for predictor in items(spec, &["predictors"]) {
                if let Some(graph) = predictor.get("graph") {
                    model_uris(graph, found);
                }
            }
        }
        _ => {}
    }
}

/// The depth of the graph is that of the document, which the parser caps.
fn model_uris<'t>(graph: NodeRef<'t>, found: &mut Found<'t>) {
    found.field(graph, &["modelUri"]);
    for child in items(graph, &["children"]) {
        model_uris(child, found);
    }
}
