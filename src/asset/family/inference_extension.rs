//! Gateway API inference extension and llm-d. Input: their objects; output: classes. Groups: the extension's `config/crd/bases` (v1 and
//! v1alpha2), llm-d's copies in KServe's `config/llmisvc/gateway-inference-extension.yaml`.

use crate::asset::class::Class;
use crate::asset::family::{Family, Kind, kind, no_refs};

const STABLE: &str = "inference.networking.k8s.io";
const ALPHA: &str = "inference.networking.x-k8s.io";
const LLM_D: &str = "llm-d.ai";

pub(super) const FAMILY: Family = Family {
    name: "Gateway API inference extension",
    kinds: KINDS,
    refs: no_refs,
};

#[rustfmt::skip]
const KINDS: &[Kind] = &[
    kind(STABLE, "InferencePool", Class::LlmGateway),
    kind(ALPHA, "InferencePool", Class::LlmGateway),
    kind(STABLE, "InferenceModel", Class::Model),
    kind(ALPHA, "InferenceModel", Class::Model),
    kind(STABLE, "InferenceObjective", Class::Model),
    kind(ALPHA, "InferenceObjective", Class::Model),
    kind(LLM_D, "InferenceObjective", Class::Model),
    kind(STABLE, "InferenceModelRewrite", Class::Model),
    kind(ALPHA, "InferenceModelRewrite", Class::Model),
    kind(LLM_D, "InferenceModelRewrite", Class::Model),
];
