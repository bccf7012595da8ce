//! What an AI asset is. Input: the tables of kinds and signals; output: `Class`.

/// What an asset does, the word printed everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Answers inference requests.
    ModelServer,
    /// A template that servers are made from.
    ModelTemplate,
    /// Weights, an adapter, or a name for them.
    Model,
    /// Chains models or training steps.
    Pipeline,
    /// Routes prompts to models or providers.
    LlmGateway,
    /// Tells a gateway which server gets a request; the gateway asks it, prompts do not go through it.
    EndpointPicker,
    /// Credentials, quotas or settings of an AI gateway.
    AiPolicy,
    /// Routes tool calls to MCP servers.
    McpGateway,
    /// Offers tools to agents.
    McpServer,
    /// Acts on a model's words.
    Agent,
    /// A chat page.
    AiUi,
    /// Interactive code beside data and accelerators.
    Notebook,
    /// Experiment tracking or a model registry.
    Mlops,
    /// Keeps prompts and answers for inspection.
    Llmops,
    /// Retrieval store.
    VectorDb,
    /// Retrieval-augmented generation service.
    Rag,
    /// Checks prompts or answers.
    Guardrail,
    /// A cluster that runs whatever code it is given.
    Compute,
    /// Trains or fine-tunes.
    Training,
    /// Calls an external LLM provider.
    LlmClient,
}

impl Class {
    /// Every class, in the order of the enum.
    pub const ALL: [Self; 20] = [
        Self::ModelServer,
        Self::ModelTemplate,
        Self::Model,
        Self::Pipeline,
        Self::LlmGateway,
        Self::EndpointPicker,
        Self::AiPolicy,
        Self::McpGateway,
        Self::McpServer,
        Self::Agent,
        Self::AiUi,
        Self::Notebook,
        Self::Mlops,
        Self::Llmops,
        Self::VectorDb,
        Self::Rag,
        Self::Guardrail,
        Self::Compute,
        Self::Training,
        Self::LlmClient,
    ];

    /// The word used in rules and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ModelServer => "model-server",
            Self::ModelTemplate => "model-template",
            Self::Model => "model",
            Self::Pipeline => "pipeline",
            Self::LlmGateway => "llm-gateway",
            Self::EndpointPicker => "endpoint-picker",
            Self::AiPolicy => "ai-policy",
            Self::McpGateway => "mcp-gateway",
            Self::McpServer => "mcp-server",
            Self::Agent => "agent",
            Self::AiUi => "ai-ui",
            Self::Notebook => "notebook",
            Self::Mlops => "mlops",
            Self::Llmops => "llmops",
            Self::VectorDb => "vector-db",
            Self::Rag => "rag",
            Self::Guardrail => "guardrail",
            Self::Compute => "compute",
            Self::Training => "training",
            Self::LlmClient => "llm-client",
        }
    }

    /// `an` before what is spoken with a vowel (agent, llm-gateway, mcp-server), else `a`.
    #[must_use]
    pub fn article(self) -> &'static str {
        let word = self.as_str();
        let vowel = word.starts_with(['a', 'e', 'i', 'o', 'u'])
            || ["llm", "mcp", "mlops"].iter().any(|w| word.starts_with(w));
        if vowel { "an" } else { "a" }
    }

    /// Whether others call it over the network, so that who may call it is a question.
    #[must_use]
    pub fn is_called(self) -> bool {
        matches!(
            self,
            Self::ModelServer
                | Self::LlmGateway
                | Self::EndpointPicker
                | Self::McpGateway
                | Self::McpServer
                | Self::Agent
                | Self::AiUi
                | Self::Notebook
                | Self::Mlops
                | Self::Llmops
                | Self::VectorDb
                | Self::Rag
                | Self::Compute
        )
    }
}
