//! Signal: ports. Input: a container; output: votes of ports that one product uses by default.

use crate::asset::class::Class;
use crate::asset::signal::{Ballot, Signal, Vote};
use crate::yaml::NodeRef;

/// Default ports; 8000 and 8080 say nothing.
const PORTS: &[(i64, Class, &str, f64)] = &[
    (11434, Class::ModelServer, "ollama", 0.55),
    (19530, Class::VectorDb, "milvus", 0.6),
    (6333, Class::VectorDb, "qdrant", 0.4),
    (6334, Class::VectorDb, "qdrant", 0.3),
    (8265, Class::Compute, "the Ray dashboard", 0.4),
    (10001, Class::Compute, "Ray clients", 0.25),
    (8085, Class::ModelServer, "TorchServe", 0.1),
    (8501, Class::ModelServer, "TensorFlow Serving", 0.2),
    (30000, Class::ModelServer, "SGLang", 0.15),
    (4000, Class::LlmGateway, "LiteLLM", 0.1),
];

pub(super) fn read(container: NodeRef<'_>, ballot: &mut Ballot) {
    for port in container.get("ports").into_iter().flat_map(NodeRef::items) {
        let Some(node) = port.get("containerPort") else {
            continue;
        };
        let row = PORTS.iter().find(|row| Some(row.0) == node.as_i64());
        if let Some(&(number, class, user, weight)) = row {
            let vote = Vote {
                signal: Signal::Port,
                class,
                weight,
                product: "",
            };
            ballot.add(vote, || format!("port {number}, used by {user}"), node);
        }
    }
}
