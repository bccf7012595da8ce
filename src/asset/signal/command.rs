//! Signal: start commands. Input: a container; output: a vote of each row that its command line fits, shell strings included.

use crate::asset::class::Class;
use crate::asset::signal::patterns::{Patterns, Row};
use crate::asset::signal::{Ballot, Signal, Vote, command_line, host};
use crate::yaml::NodeRef;

use Class::{LlmGateway, McpServer, Mlops, ModelServer, Notebook, Training};

#[rustfmt::skip]
const ROWS: &[Row] = &[
    (r"\bvllm(\.entrypoints\.(openai\.api_server|api_server)|\s+serve)\b", ModelServer, "vllm", 0.95),
    (r"--(tensor-parallel-size|pipeline-parallel-size|gpu-memory-utilization|max-model-len|max-num-seqs|enable-chunked-prefill|kv-transfer-config|enable-lora)\b", ModelServer, "vllm", 0.85),
    (r"--served-model-name|--model[_-]name=|--model_base_path|--model_config_file", ModelServer, "", 0.7),
    (r"\btritonserver\b|--model-repository|--model-control-mode", ModelServer, "triton", 0.92),
    (r"text-generation-launcher|--model-id\b.*--(num-shard|quantize|max-(input|total))", ModelServer, "tgi", 0.92),
    (r"\bollama\s+(serve|run|pull)\b", ModelServer, "ollama", 0.9),
    (r"sglang\.launch_server|sglang_router|sglang\s+serve", ModelServer, "sglang", 0.93),
    (r"llama-server|llama_cpp\.server|--n-gpu-layers|\.gguf\b", ModelServer, "llama.cpp", 0.88),
    (r"\btorchserve\b.*--start|--model-store", ModelServer, "torchserve", 0.92),
    (r"tensorflow_model_server|mlserver\s+start|bentoml\s+serve|ray\s+start|serve\s+(run|deploy)\b", ModelServer, "", 0.6),
    (r"\blitellm\b.*(--config|--model|--port)", LlmGateway, "litellm", 0.9),
    (r"\bjupyter[ -](lab|notebook|server)\b|start-notebook|start-singleuser", Notebook, "jupyter", 0.85),
    (r"\bmlflow\s+(server|ui|models\s+serve)\b", Mlops, "mlflow", 0.9),
    (r"@modelcontextprotocol/|\bmcp[-_]server|\bfastmcp\b|\bmcp\s+run\b|supergateway", McpServer, "mcp", 0.88),
    (r"transformers|accelerate\s+launch|torchrun|deepspeed\b|huggingface-cli\s+download|hf\s+download|llamafactory", Training, "", 0.5),
];

static PATTERNS: Patterns = Patterns::new(ROWS);

pub(super) fn read(container: NodeRef<'_>, factor: f64, ballot: &mut Ballot) {
    let Some((line, node)) = command_line(container) else {
        return;
    };
    for &(_, class, product, weight) in PATTERNS.matches(&line) {
        let vote = Vote {
            signal: Signal::Command,
            class,
            weight: weight * factor,
            product,
        };
        let words = || match product {
            "" => format!("command line of a {}", class.as_str()),
            product => format!("command line of {product}"),
        };
        ballot.add(vote, words, node);
    }
    host::read(&line, "an argument", node, ballot);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(PATTERNS.broken(), Vec::<&str>::new());
    }
}
