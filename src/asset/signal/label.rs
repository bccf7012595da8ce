//! Signal: labels and names. Input: a pod template, an object; output: votes, and whether the pods are a mesh's own gateway.

use crate::asset::signal::patterns::Pattern;
use crate::asset::signal::{Ballot, Signal, name_of};
use crate::pods::PodTemplate;
use crate::yaml::NodeRef;

/// Labels that AI controllers set.
static KEYS: Pattern = Pattern::new(
    r"^(serving\.kserve\.io/\w+|llm-d\.ai/role|inference\.networking\.\S|leaderworkerset\.sigs\.k8s\.io/name|ray\.io/(cluster|node-type)|kagent(\.dev)?(/|$)|kaito\.sh/workspace)",
);

/// Words that hint at inference.
static WORDS: Pattern = Pattern::new(
    r"(^|[-_/ ])(llm|inference|model-?server|model-?serving|vllm|predictor|genai|rag|embedding|mlserver|ollama)([-_/ ]|$)",
);

/// Istio writes it on the pods of gateways and waypoints that it deploys, whatever their image.
const MESH_GATEWAY: &str = "gateway.istio.io/managed";

pub(super) fn is_mesh_gateway(object: NodeRef<'_>, template: &PodTemplate<'_>) -> bool {
    object.at(&["metadata", "labels", MESH_GATEWAY]).is_some()
        || template
            .labels
            .is_some_and(|labels| labels.get(MESH_GATEWAY).is_some())
}

pub(super) fn read(template: &PodTemplate<'_>, ballot: &mut Ballot) {
    for (key, value) in template.labels.into_iter().flat_map(NodeRef::entries) {
        if let Some(name) = key.as_str()
            && KEYS.is_match(name)
        {
            ballot.add_server(Signal::LabelKey, 0.8, || format!("label {name}"), key);
        }
        let text = value.text();
        if WORDS.is_match(text) {
            ballot.add_server(
                Signal::LabelValue,
                0.3,
                || format!("label value {text}"),
                value,
            );
        }
    }
}

/// The object's name, which speaks only beside other evidence.
pub(super) fn read_name(object: NodeRef<'_>, ballot: &mut Ballot) {
    let name = name_of(object);
    let node = object.at(&["metadata", "name"]).unwrap_or(object);
    if WORDS.is_match(name) {
        let words = || format!("name {name}");
        ballot.add_server(Signal::Name, 0.2, words, node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_alone() {
        assert!(KEYS.compiles() && WORDS.compiles());
        assert!(WORDS.is_match("llm-router"));
        assert!(WORDS.is_match("my-model-server"));
        assert!(!WORDS.is_match("storage"));
        assert!(!WORDS.is_match("fragment"));
    }
}
