//! Where well-known servers listen unless told otherwise. Input: a pod spec that declares no port; output: the ports that follow from its
//! images, arguments and variables. What is told and cannot be read is not known, and gives no port.

use crate::facts::workload::{Port, Protocol};
use crate::yaml::NodeRef;

/// A port that a server opens by default.
struct Opened {
    number: u16,
    /// Flags that move it, and flags that make it unknown, such as a configuration file; the first that is given counts.
    flags: &'static [&'static str],
    /// Variables that move it: a number, or an address that ends in one.
    variables: &'static [&'static str],
}

/// A server by the last segment of its image's path.
struct Server {
    images: &'static [&'static str],
    /// Stands in `command` when that starts the server in place of the image's own entry point.
    program: &'static str,
    ports: &'static [Opened],
}

const fn port(
    number: u16,
    flags: &'static [&'static str],
    variables: &'static [&'static str],
) -> Opened {
    Opened {
        number,
        flags,
        variables,
    }
}

#[rustfmt::skip]
const SERVERS: &[Server] = &[
    // vllm-project/vllm `vllm/entrypoints/openai/cli_args.py`: `port: int = 8000`; with `--uds` no port is opened.
    Server { images: &["vllm-openai"], program: "vllm", ports: &[port(8000, &["--port", "--config", "--uds"], &[])] },
    // ollama/ollama `envconfig/config.go`: `OLLAMA_HOST`, port 11434 unless it names one.
    Server { images: &["ollama"], program: "ollama", ports: &[port(11434, &[], &["OLLAMA_HOST"])] },
    // huggingface/text-generation-inference `Dockerfile`: `ENV PORT=80`.
    Server { images: &["text-generation-inference"], program: "text-generation-launcher", ports: &[port(80, &["--port", "-p"], &["PORT"])] },
    // huggingface/text-embeddings-inference `Dockerfile`: `ENV PORT=80`.
    Server { images: &["text-embeddings-inference"], program: "text-embeddings-router", ports: &[port(80, &["--port", "-p"], &["PORT"])] },
    // triton-inference-server/server `src/command_line_parser.h`: HTTP, gRPC and metrics are on.
    Server { images: &["tritonserver"], program: "tritonserver", ports: &[
        port(8000, &["--http-port", "--allow-http"], &[]),
        port(8001, &["--grpc-port", "--allow-grpc"], &[]),
        port(8002, &["--metrics-port", "--allow-metrics"], &[]),
    ] },
    // BerriAI/litellm `docs/my-website/docs/proxy/cli.md`: `--port`, default 4000, variable `PORT`.
    Server { images: &["litellm", "litellm-database"], program: "litellm", ports: &[port(4000, &["--port"], &["PORT"])] },
    // qdrant/qdrant `config/config.yaml`: `http_port: 6333`, `grpc_port: 6334`.
    Server { images: &["qdrant"], program: "qdrant", ports: &[
        port(6333, &["--config-path"], &["QDRANT__SERVICE__HTTP_PORT"]),
        port(6334, &["--config-path"], &["QDRANT__SERVICE__GRPC_PORT"]),
    ] },
    // weaviate/weaviate `Dockerfile`: `CMD ["--host", "0.0.0.0", "--port", "8080", …]`, gone as soon as there are other arguments.
    Server { images: &["weaviate"], program: "weaviate", ports: &[port(8080, &["--port", "--host", "--scheme"], &[])] },
    // chroma-core/chroma `Dockerfile`: `EXPOSE 8000`.
    Server { images: &["chroma"], program: "chroma", ports: &[port(8000, &["--port"], &["CHROMA_SERVER_HTTP_PORT", "CHROMA_PORT"])] },
];

/// The ports of the containers whose image is in the table.
pub(super) fn unless_told(spec: Option<NodeRef<'_>>) -> Vec<Port> {
    let containers = spec.and_then(|s| s.get("containers"));
    let mut ports: Vec<Port> = Vec::new();
    let numbers = containers
        .into_iter()
        .flat_map(NodeRef::items)
        .flat_map(of_container);
    for number in numbers {
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

fn of_container(container: NodeRef<'_>) -> Vec<u16> {
    let Some(image) = container.get("image").and_then(NodeRef::as_str) else {
        return Vec::new();
    };
    let path = image.split('@').next().unwrap_or(image);
    let last = path.rsplit('/').next().unwrap_or(path);
    let name = last.split(':').next().unwrap_or(last);
    let Some(server) = SERVERS.iter().find(|s| s.images.contains(&name)) else {
        return Vec::new();
    };
    let mut command = texts(container, "command").peekable();
    if command.peek().is_some() && !command.any(|text| text.contains(server.program)) {
        return Vec::new();
    }
    let open = |default: &Opened| match told(container, default) {
        None => Some(default.number),
        Some(number) => number,
    };
    server.ports.iter().filter_map(open).collect()
}

/// What a flag or variable says of a port: `None` when nothing does, `Some(None)` when it cannot be read.
fn told(container: NodeRef<'_>, default: &Opened) -> Option<Option<u16>> {
    // Also inside a shell script.
    let words: Vec<&str> = texts(container, "command")
        .chain(texts(container, "args"))
        .flat_map(str::split_whitespace)
        .collect();
    for flag in default.flags {
        for (at, word) in words.iter().enumerate() {
            let value = match word.strip_prefix(flag) {
                Some("") => words.get(at + 1).copied().unwrap_or(""),
                Some(rest) => match rest.strip_prefix('=') {
                    Some(value) => value,
                    None => continue,
                },
                None => continue,
            };
            return Some(value.parse().ok());
        }
    }
    let variables = container
        .get("env")
        .into_iter()
        .flat_map(NodeRef::items)
        .filter(|variable| {
            let name = variable.get("name").and_then(NodeRef::as_str);
            name.is_some_and(|name| default.variables.contains(&name))
        });
    let mut variables = variables.map(|variable| variable.get("value").map(NodeRef::text));
    let value = variables.next()?;
    Some(value.and_then(|value| port_of(value, default.number)))
}

/// The port of `8080`, `0.0.0.0:8080` or `0.0.0.0`, which names none.
fn port_of(value: &str, default: u16) -> Option<u16> {
    if let Ok(number) = value.parse() {
        return Some(number);
    }
    match value.rsplit_once(':') {
        None => Some(default),
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => port.parse().ok(),
        Some(_) => None,
    }
}

fn texts<'t>(container: NodeRef<'t>, field: &str) -> impl Iterator<Item = &'t str> + use<'t> {
    let list = container.get(field).into_iter().flat_map(NodeRef::items);
    list.filter_map(NodeRef::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceFile, SourceId};
    use std::sync::Arc;

    fn ports(container: &str) -> Vec<u16> {
        let text = format!("spec: {{containers: [{container}]}}\n");
        let source = Arc::new(SourceFile::new(SourceId(0), "a.yaml", text.as_str()));
        let parsed = crate::yaml::parse(&source);
        let object = parsed.tree.node(parsed.documents[0].root);
        let found = unless_told(object.get("spec"));
        found.iter().map(|p| p.number).collect()
    }

    #[test]
    fn servers_listen_where_their_image_says() {
        assert_eq!(ports("{image: vllm/vllm-openai:v1}"), [8000]);
        assert_eq!(ports("{image: reg.io:5000/ollama/ollama}"), [11434]);
        assert_eq!(
            ports("{image: nvcr.io/nvidia/tritonserver@sha256:ab}"),
            [8000, 8001, 8002]
        );
        assert_eq!(ports("{image: qdrant/qdrant}"), [6333, 6334]);
        assert!(ports("{image: nginx}").is_empty());
    }

    #[test]
    fn flags_and_variables_move_them() {
        let vllm = |args: &str| ports(&format!("{{image: vllm/vllm-openai, args: {args}}}"));
        assert_eq!(vllm("[--model=a, --port=9000]"), [9000]);
        assert_eq!(vllm("[--port, '9000']"), [9000]);
        assert_eq!(vllm("[--portfolio, a]"), [8000]);
        assert!(vllm("[--port, $(PORT)]").is_empty());
        assert!(vllm("[--config, /etc/vllm.yaml]").is_empty());
        let ollama = |env: &str| {
            ports(&format!(
                "{{image: ollama/ollama, env: [{{name: OLLAMA_HOST, {env}}}]}}"
            ))
        };
        assert_eq!(ollama("value: 0.0.0.0"), [11434]);
        assert_eq!(ollama("value: '0.0.0.0:8080'"), [8080]);
        assert_eq!(ollama("value: '[::]:8080'"), [8080]);
        assert!(ollama("value: 'http://0.0.0.0'").is_empty());
        assert!(ollama("valueFrom: {fieldRef: {}}").is_empty());
    }

    #[test]
    fn a_command_of_its_own_counts_when_it_starts_the_server() {
        let vllm = |rest: &str| ports(&format!("{{image: vllm/vllm-openai, {rest}}}"));
        assert_eq!(
            vllm("command: [sh, -c, 'vllm serve m --port 9000']"),
            [9000]
        );
        assert!(vllm("command: [sleep, infinity]").is_empty());
        assert!(ports("{image: weaviate, args: [--host, 0.0.0.0]}").is_empty());
    }
}
