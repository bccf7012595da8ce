//! Signal: environment variables. Input: a container; output: votes of names that only AI software reads, and of provider hosts in values.

use crate::asset::class::Class;
use crate::asset::signal::{Ballot, Signal, Variable, Vote, host, variables};
use crate::yaml::NodeRef;

/// A name, or with `*` what it begins and ends with (each `*` stands for at least one character).
type Name = &'static str;

/// Variables that configure a provider.
#[rustfmt::skip]
const PROVIDER: &[Name] = &[
    "AI21_API_KEY", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL", "AWS_BEARER_TOKEN_BEDROCK",
    "AZURE_AI_*KEY", "AZURE_OPENAI_*", "BEDROCK_*", "CEREBRAS_API_KEY", "CLAUDE_API_KEY", "COHERE_API_KEY", "CO_API_KEY",
    "DASHSCOPE_API_KEY", "DATABRICKS_TOKEN", "DEEPSEEK_API_KEY", "FIREWORKS_API_KEY", "GEMINI_API_KEY", "GOOGLE_GENAI_*",
    "GOOGLE_GENERATIVE_AI_API_KEY", "GROQ_API_KEY", "JINA_API_KEY", "LITELLM_API_KEY", "LITELLM_MASTER_KEY",
    "LITELLM_SALT_KEY", "LLM_API_KEY", "MISTRAL_API_KEY", "MOONSHOT_API_KEY", "NVIDIA_API_KEY", "OPENAI_API_BASE",
    "OPENAI_API_BASE_URL", "OPENAI_API_KEY", "OPENAI_API_KEYS", "OPENAI_BASE", "OPENAI_BASE_URL", "OPENAI_ORG",
    "OPENAI_ORG*", "OPENAI_API_ORG*", "OPENROUTER_API_KEY", "PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY",
    "REPLICATE_API_TOKEN", "SAMBANOVA_API_KEY", "TOGETHERAI_API_KEY", "TOGETHER_API_KEY", "VERTEXAI_*", "VERTEX_AI_*",
    "VLLM_API_KEY", "VOYAGE_API_KEY", "WATSONX_APIKEY", "WATSONX_API_KEY", "XAI_API_KEY", "ZHIPUAI_API_KEY",
];

/// Too common to say much.
const WEAK: &[Name] = &["GOOGLE_API_KEY"];

/// Tokens for hubs and tools.
#[rustfmt::skip]
const HUB: &[Name] = &[
    "ASSEMBLYAI_API_KEY", "CIVITAI_TOKEN", "COMET_API_KEY", "ELEVENLABS_API_KEY", "FIRECRAWL_API_KEY", "HF_API_KEY",
    "HF_HUB_TOKEN", "HF_TOKEN", "HUGGINGFACEHUB_API_TOKEN", "HUGGINGFACE_HUB_TOKEN", "HUGGINGFACE_TOKEN",
    "HUGGING_FACE_HUB_TOKEN", "HUGGING_FACE_TOKEN", "KAGGLE_KEY", "LANGCHAIN_API_KEY", "LANGFUSE_PUBLIC_KEY",
    "LANGFUSE_SECRET_KEY", "LANGSMITH_API_KEY", "MODELSCOPE_API_TOKEN", "NGC_API_KEY", "NGC_CLI_API_KEY",
    "PINECONE_API_KEY", "QDRANT_API_KEY", "QDRANT__SERVICE__API_KEY", "RAY_AUTH_TOKEN", "SERPER_API_KEY",
    "TAVILY_API_KEY", "WANDB_API_KEY", "WEAVIATE_API_KEY",
];

/// Settings of model servers.
#[rustfmt::skip]
const SERVING: &[Name] = &[
    "CUDA_VISIBLE_DEVICES", "HF_ENDPOINT", "HF_HOME", "HF_HUB_CACHE", "HF_HUB_ENABLE_HF_TRANSFER", "HUGGINGFACE_HUB_CACHE",
    "LLAMA_ARG_*", "LMCACHE_*", "MLSERVER_*", "MODEL_ID", "NCCL_*", "NIM_*", "NVIDIA_VISIBLE_DEVICES", "OLLAMA_*",
    "SELDON_MODEL", "SELDON_MODEL*", "SERVED_MODEL_NAME", "SGLANG_*", "TENSOR_PARALLEL_SIZE", "TRANSFORMERS_CACHE",
    "TRITON_*", "TS_MODEL*", "TS_*MODEL", "VLLM_*",
];

const TABLES: &[(&[Name], Signal, Class, f64)] = &[
    (PROVIDER, Signal::Provider, Class::LlmClient, 0.75),
    (WEAK, Signal::Provider, Class::LlmClient, 0.2),
    (HUB, Signal::Hub, Class::LlmClient, 0.35),
    (SERVING, Signal::Serving, Class::ModelServer, 0.45),
];

pub(super) fn read(container: NodeRef<'_>, ballot: &mut Ballot) {
    for variable in variables(container) {
        name(&variable, ballot);
        if let Some(value) = variable.value
            && let Some(text) = value.as_str()
        {
            host::read(text, variable.name, value, ballot);
        }
    }
}

fn name(variable: &Variable<'_>, ballot: &mut Ballot) {
    let row = TABLES
        .iter()
        .find(|(names, ..)| names.iter().any(|name| fits(name, variable.name)));
    if let Some(&(_, signal, class, weight)) = row {
        let vote = Vote {
            signal,
            class,
            weight,
            product: "",
        };
        ballot.add(
            vote,
            || format!("variable {}", variable.name),
            variable.node,
        );
    }
}

fn fits(pattern: &str, name: &str) -> bool {
    // No pattern begins with `*`, and most variables begin like none of them.
    if pattern.as_bytes().first() != name.as_bytes().first() {
        return false;
    }
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, end)) => {
            name.len() > start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        }
    }
}

/// Whether a variable of this name holds a credential of a provider, hub or AI tool.
#[must_use]
pub fn is_credential(name: &str) -> bool {
    let listed = [PROVIDER, WEAK, HUB]
        .iter()
        .any(|names| names.iter().any(|n| fits(n, name)));
    listed
        && ["KEY", "KEYS", "TOKEN", "BEDROCK"]
            .iter()
            .any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_need_something_for_their_star() {
        assert!(fits("VLLM_*", "VLLM_PORT"));
        assert!(!fits("VLLM_*", "VLLM_"));
        assert!(fits("AZURE_AI_*KEY", "AZURE_AI_SEARCH_KEY"));
        assert!(!fits("AZURE_AI_*KEY", "AZURE_AI_KEY"));
        assert!(!fits("OPENAI_BASE", "OPENAI_BASE_URL"));
    }

    #[test]
    fn keys_are_told_from_settings() {
        assert!(is_credential("OPENAI_API_KEY"));
        assert!(is_credential("HF_TOKEN"));
        assert!(!is_credential("OPENAI_BASE_URL"));
        assert!(!is_credential("NUGET_API_KEY"));
    }
}
