//! Signal: mounts. Input: a container; output: a vote of paths where weights lie.

use crate::asset::class::Class;
use crate::asset::signal::patterns::Pattern;
use crate::asset::signal::{Ballot, Signal, Vote};
use crate::yaml::NodeRef;

static WEIGHTS: Pattern = Pattern::new(
    r"(^|/)(mnt/models|models?|model-(cache|store|repository)|\.cache/huggingface|huggingface|hf-cache|\.ollama|checkpoints?|weights)(/|$)",
);

/// Whether weights lie at a path, as its name tells.
#[must_use]
pub fn is_weights_path(path: &str) -> bool {
    WEIGHTS.is_match(path)
}

pub(super) fn read(container: NodeRef<'_>, ballot: &mut Ballot) {
    let mounts = container.get("volumeMounts").into_iter();
    for mount in mounts.flat_map(NodeRef::items) {
        if let Some(node) = mount.get("mountPath")
            && let Some(path) = node.as_str()
            && WEIGHTS.is_match(path)
        {
            let vote = Vote {
                signal: Signal::Mount,
                class: Class::ModelServer,
                weight: 0.3,
                product: "",
            };
            ballot.add(vote, || format!("mount {path}"), node);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_segments_count() {
        assert!(WEIGHTS.compiles());
        assert!(WEIGHTS.is_match("/mnt/models"));
        assert!(WEIGHTS.is_match("/root/.cache/huggingface/hub"));
        assert!(!WEIGHTS.is_match("/var/lib/remodels"));
    }
}
