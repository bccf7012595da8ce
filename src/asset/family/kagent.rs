//! kagent and kmcp. Input: their objects; output: classes. Kinds: `go/api/config/crd/bases`, kmcp `config/samples`.

use crate::asset::class::Class;
use crate::asset::family::{Family, Kind, kind, no_refs};

const GROUP: &str = "kagent.dev";

pub(super) const FAMILY: Family = Family {
    name: "kagent",
    kinds: KINDS,
    refs: no_refs,
};

#[rustfmt::skip]
const KINDS: &[Kind] = &[
    kind(GROUP, "Agent", Class::Agent),
    kind(GROUP, "SandboxAgent", Class::Agent),
    kind(GROUP, "AgentHarness", Class::Agent),
    kind(GROUP, "AgentTemplate", Class::Agent),
    kind(GROUP, "Harness", Class::Agent),
    kind(GROUP, "ModelConfig", Class::LlmClient),
    kind(GROUP, "ModelProviderConfig", Class::LlmClient),
    kind(GROUP, "RemoteMCPServer", Class::McpServer),
    kind(GROUP, "ToolServer", Class::McpServer),
    kind(GROUP, "MCPServer", Class::McpServer),
    kind(GROUP, "Memory", Class::VectorDb),
];
