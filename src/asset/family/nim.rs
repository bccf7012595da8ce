//! NVIDIA NIM operator. Input: its objects; output: classes and model references. Fields: `apps.nvidia.com/v1alpha1` CRDs.

use crate::asset::class::Class;
use crate::asset::family::{Family, Found, Kind, kind};
use crate::yaml::NodeRef;

const GROUP: &str = "apps.nvidia.com";

pub(super) const FAMILY: Family = Family {
    name: "NVIDIA NIM",
    kinds: KINDS,
    refs,
};

const KINDS: &[Kind] = &[
    kind(GROUP, "NIMService", Class::ModelServer),
    kind(GROUP, "NIMCache", Class::Model),
    kind(GROUP, "NIMPipeline", Class::Pipeline),
    kind(GROUP, "NemoGuardrail", Class::Guardrail),
    kind(GROUP, "NemoCustomizer", Class::Training),
];

fn refs<'t>(kind: &str, object: NodeRef<'t>, found: &mut Found<'t>) {
    if kind != "NIMCache" {
        return;
    }
    let Some(source) = object.at(&["spec", "source", "hf"]) else {
        return;
    };
    let text = |name: &str| source.get(name).and_then(NodeRef::as_str).unwrap_or("");
    if let Some(node) = source.get("modelName") {
        let mut uri = format!("hf://{}/{}", text("namespace"), text("modelName"));
        if !text("revision").is_empty() {
            uri = format!("{uri}:{}", text("revision"));
        }
        found.made(&uri, node);
    }
}
