//! Signal: container images. Input: a container; output: a vote of the first row that its image fits.

use crate::asset::class::Class;
use crate::asset::signal::patterns::{Patterns, Row};
use crate::asset::signal::{Ballot, Signal, Vote, image_name};
use crate::yaml::NodeRef;

use Class::{
    Agent, AiUi, Compute, EndpointPicker, Guardrail, LlmGateway, Llmops, McpServer, Mlops,
    ModelServer, Notebook, Training, VectorDb,
};

/// Patterns fit the image name without tag and digest. The first that fits wins, so the specific stand before the general.
#[rustfmt::skip]
const ROWS: &[Row] = &[
    // Guardrails and detectors first: their images often carry the name of the server they are built on.
    (r"(^|/)(alibi-detect|nemo-?guardrails|llm-guard|guardrails-ai|guardrails|presidio-\w+|lakera\w*|llamaguard|fms-guardrails\w*|guardrails-orchestrator|trustyai\w*)", Guardrail, "guardrail", 0.85),
    (r"(^|/)vllm-openai(-\w+)?$|(^|/)vllm(-cpu|-tpu|-rocm|-xpu|-gaudi|-neuron)?$|llm-d-cuda$|(^|/)llm-d(-dev|-cpu|-xpu|-rocm|-hpu|-aws)?$|(^|/)vllm-[\w-]*(server|serving)$|(^|/)rhaiis/|vllmserver|vllm-tpu", ModelServer, "vllm", 0.92),
    (r"text-generation-inference|(^|/)tgi($|-)", ModelServer, "tgi", 0.95),
    (r"text-embeddings-inference|(^|/)tei($|-)|infinity(-emb)?$", ModelServer, "tei", 0.9),
    (r"tritonserver|triton-inference-server", ModelServer, "triton", 0.95),
    (r"(^|/)ollama($|-)|ollama/ollama", ModelServer, "ollama", 0.95),
    (r"llama\.cpp|llama-cpp|llamacpp|llama-server|llamafile|llama-box", ModelServer, "llama.cpp", 0.92),
    (r"(^|/)sglang|lmsysorg/", ModelServer, "sglang", 0.93),
    (r"(^|/)lmdeploy", ModelServer, "lmdeploy", 0.92),
    (r"(^|/)(fastchat|lightllm|aphrodite|tabbyapi|tabby|exllama\w*|koboldcpp|mlc-llm|deepspeed-(fastgen|mii)|tensorrt-?llm|trtllm[^/]*|optimum-\w+|friendliai|xinference|gpustack)($|[-/])", ModelServer, "llm-server", 0.85),
    (r"torchserve", ModelServer, "torchserve", 0.95),
    (r"tensorflow/serving|tensorflow-serving|tensorflow_model_server|tf-serving", ModelServer, "tf-serving", 0.95),
    (r"(^|/)(sklearnserver|xgbserver|lgbserver|pmmlserver|paddleserver|huggingfaceserver|autogluonserver|predictiveserver|artserver|aix-?explainer|alibi-?explainer|image-transformer|custom-model)($|-)", ModelServer, "kserve-runtime", 0.9),
    (r"(^|/)mlserver($|-)", ModelServer, "mlserver", 0.95),
    (r"seldonio/(sklearnserver|xgboostserver|mlflowserver|tfserving-proxy|seldon-core-s2i|alibiexplainer|rclone-storage)", ModelServer, "seldon", 0.85),
    (r"openvino/model_server|ovms|openvino-model-server|openvino_model_server", ModelServer, "openvino", 0.93),
    (r"bentoml|(^|/)bento-", ModelServer, "bentoml", 0.8),
    (r"(^|/)localai($|-)|quay\.io/go-skynet/local-ai|local-ai", ModelServer, "localai", 0.92),
    (r"nvcr\.io/nim/|(^|/)nim/|nim-llm|llm-nim", ModelServer, "nim", 0.9),
    (r"djl-serving|deepjavalibrary|djl-inference", ModelServer, "djl", 0.9),
    (r"rayproject/ray-llm|anyscale/ray-llm", ModelServer, "ray-llm", 0.9),
    (r"rayproject/ray(-ml)?$|(^|/)ray(-ml)?$", Compute, "ray", 0.55),
    (r"whisper|stable-diffusion|comfyui|invokeai|automatic1111|a1111|kokoro|coqui|piper$|speaches", ModelServer, "media-model", 0.75),
    (r"(^|/)(modelmesh|modelmesh-serving|modelmesh-runtime-adapter)($|-)", ModelServer, "modelmesh", 0.8),
    (r"vllm-production-stack|lmstack-router|(^|/)vllm-router|litellm|portkey|(^|/)bifrost|(^|/)one-?api$|kong-ai|(^|/)helicone|tensorzero/gateway|mlflow-gateway|(^|/)gateway-ai|llm-gateway|ai-gateway(-extproc)?$|agentgateway|(^|/)plano$|archgw", LlmGateway, "llm-gateway", 0.85),
    (r"llm-d-router|routing-sidecar", LlmGateway, "inference-router", 0.8),
    (r"llm-d-inference-scheduler|gateway-api-inference-extension/(epp|lwepp|bbr)|(^|/)epp$|(^|/)lwepp$|(^|/)bbr$|lmcache/gateway$", EndpointPicker, "endpoint-picker", 0.8),
    (r"open-webui|librechat|lobe-?chat|anything-?llm|chatbox|big-agi|nextchat|chatgpt-next-web|privategpt|jan-server|chainlit", AiUi, "chat-ui", 0.9),
    (r"(^|/)(flowise|langflow|dify-\w+|langgenius/\w+|n8n)($|-)|flowiseai/|langflowai/", Agent, "agent-builder", 0.8),
    (r"(^|/)(kagent|k8sgpt|holmesgpt|autogen\w*|crewai|openhands|all-hands-ai/\w+|swe-agent|aider|goose|openclaw\w*)($|[-/])|kagent-dev/kagent/(app|ui|controller|golang-adk)", Agent, "agent", 0.8),
    (r"(^|/)mcp/|(^|[/_-])mcp($|[-_])|mcp-server|mcp-proxy|supergateway|toolhive|(^|/)kmcp", McpServer, "mcp", 0.85),
    (r"jupyter|notebook-servers|(^|/)(scipy|minimal|datascience|tensorflow|pytorch|base|all-spark|pyspark|r)-notebook|kubeflownotebookswg/|codeserver|rstudio-|workbench-images|odh-notebook|s2i-(minimal|generic|scipy|tensorflow|pytorch|spark)", Notebook, "notebook", 0.8),
    (r"(^|/)mlflow", Mlops, "mlflow", 0.9),
    (r"langfuse|(^|/)arize|phoenix$|arizephoenix|langsmith|(^|/)opik|wandb/|(^|/)wandb|(^|/)clearml|evidently|traceloop", Llmops, "llm-observability", 0.75),
    (r"(^|/)qdrant|milvus(db)?/|(^|/)milvus$|weaviate|chromadb/|(^|/)chroma($|-)|pgvector|vespaengine|(^|/)vespa$|lancedb|marqo|redis-stack|vald-", VectorDb, "vector-db", 0.92),
    (r"lmcache", ModelServer, "lmcache", 0.7),
    (r"kubeflow(katib)?/.*(train|mnist|pytorch|tf)|pytorch/pytorch|(^|/)(axolotl|llama-factory|trl|unsloth|deepspeed|megatron|nemo)($|-)|tensorflow/tensorflow", Training, "training", 0.6),
];

static PATTERNS: Patterns = Patterns::new(ROWS);

pub(super) fn read(container: NodeRef<'_>, factor: f64, ballot: &mut Ballot) {
    let Some((image, node)) = image_name(container) else {
        return;
    };
    if let Some(&(_, class, product, weight)) = PATTERNS.matches(image).next() {
        let vote = Vote {
            signal: Signal::Image,
            class,
            weight: weight * factor,
            product,
        };
        ballot.add(vote, || format!("image {image} is {product}"), node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(PATTERNS.broken(), Vec::<&str>::new());
    }

    #[test]
    fn the_first_row_decides() {
        let product = |image| PATTERNS.matches(image).next().map(|row| row.2);
        assert_eq!(product("docker.io/vllm/vllm-openai"), Some("vllm"));
        assert_eq!(product("seldonio/alibi-detect-server"), Some("guardrail"));
        assert_eq!(product("ghcr.io/acme/orders-mcp"), Some("mcp"));
        assert_eq!(product("docker.io/library/nginx"), None);
        // `raylib` and `xray` are no Ray.
        assert_eq!(product("acme/xray"), None);
        assert_eq!(product("rayproject/ray"), Some("ray"));
    }
}
