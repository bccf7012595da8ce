//! vLLM production stack. Input: its objects; output: classes and model references. Fields: `operator/config/crd`.

use crate::asset::class::Class;
use crate::asset::family::{Family, Found, Kind, kind};
use crate::yaml::NodeRef;

const GROUP: &str = "production-stack.vllm.ai";

pub(super) const FAMILY: Family = Family {
    name: "vLLM production stack",
    kinds: KINDS,
    refs,
};

const KINDS: &[Kind] = &[
    kind(GROUP, "VLLMRuntime", Class::ModelServer),
    kind(GROUP, "VLLMRouter", Class::LlmGateway),
    kind(GROUP, "CacheServer", Class::ModelServer),
    kind(GROUP, "LoraAdapter", Class::Model),
];

fn refs<'t>(kind: &str, object: NodeRef<'t>, found: &mut Found<'t>) {
    let Some(spec) = object.get("spec") else {
        return;
    };
    match kind {
        "VLLMRuntime" => found.field(spec, &["model", "modelURL"]),
        "LoraAdapter" => {
            let source = spec
                .at(&["adapterSource", "type"])
                .and_then(NodeRef::as_str);
            if source == Some("huggingface") {
                found.field(spec, &["adapterSource", "repository"]);
            }
        }
        _ => {}
    }
}
