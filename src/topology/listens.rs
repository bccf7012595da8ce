//! Where well-known servers listen unless told otherwise. Input: a pod spec that declares no port; output: the ports that follow from its
//! images and arguments.
//!
//! Defaults: vLLM `vllm/entrypoints/openai/cli_args.py` (8000); Ollama `envconfig/config.go` (11434); text-generation-inference `Dockerfile`
//! `ENV PORT=80`; Triton `docs/protocol` (8000 HTTP, 8001 gRPC); LiteLLM `litellm/proxy/proxy_cli.py` (4000); Qdrant
//! `config/config.yaml` (6333); Weaviate `docker-compose` (8080); Chroma `chromadb/cli` (8000).

use crate::facts::workload::{Port, Protocol};
use crate::yaml::NodeRef;

/// Last segment of an image's path, and the port.
const DEFAULTS: &[(&str, u16)] = &[
    ("vllm-openai", 8000),
    ("ollama", 11434),
    ("text-generation-inference", 80),
    ("text-embeddings-inference", 80),
    ("tritonserver", 8000),
    ("litellm", 4000),
    ("qdrant", 6333),
    ("weaviate", 8080),
    ("chroma", 8000),
];

/// The ports of the containers whose image is in the table.
pub(super) fn unless_told(spec: Option<NodeRef<'_>>) -> Vec<Port> {
    let containers = spec.and_then(|s| s.get("containers"));
    let mut ports: Vec<Port> = Vec::new();
    for container in containers.into_iter().flat_map(NodeRef::items) {
        let Some(number) = port(container) else {
            continue;
        };
        if ports.iter().all(|known| known.number != number) {
            ports.push(Port {
                number,
                name: String::new(),
                protocol: Protocol::Tcp,
                declared: None,
                services: Vec::new(),
            });
        }
    }
    ports
}

fn port(container: NodeRef<'_>) -> Option<u16> {
    let image = container.get("image").and_then(NodeRef::as_str)?;
    let path = image.split('@').next().unwrap_or(image);
    let last = path.rsplit('/').next().unwrap_or(path);
    let name = last.split(':').next().unwrap_or(last);
    let (_, default) = DEFAULTS.iter().find(|(known, _)| *known == name)?;
    match told(container) {
        None => Some(*default),
        // What is told and cannot be read is not known.
        Some(text) => text.parse().ok(),
    }
}

/// The value of `--port`, also inside a shell script.
fn told(container: NodeRef<'_>) -> Option<String> {
    let mut words = ["command", "args"]
        .iter()
        .filter_map(|field| container.get(field))
        .flat_map(NodeRef::items)
        .filter_map(NodeRef::as_str)
        .flat_map(str::split_whitespace);
    while let Some(word) = words.next() {
        if let Some(value) = word.strip_prefix("--port=") {
            return Some(value.to_owned());
        }
        if word == "--port" {
            return Some(words.next().unwrap_or("").to_owned());
        }
    }
    None
}
