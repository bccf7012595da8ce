//! Envoy AI Gateway. Input: its objects; output: classes. Kinds: `manifests/charts/ai-gateway-crds-helm/templates`.

use crate::asset::class::Class;
use crate::asset::family::{Family, Kind, kind, no_refs};

const GROUP: &str = "aigateway.envoyproxy.io";

pub(super) const FAMILY: Family = Family {
    name: "Envoy AI Gateway",
    kinds: KINDS,
    refs: no_refs,
};

#[rustfmt::skip]
const KINDS: &[Kind] = &[
    kind(GROUP, "AIGatewayRoute", Class::LlmGateway),
    kind(GROUP, "AIServiceBackend", Class::LlmGateway),
    kind(GROUP, "BackendSecurityPolicy", Class::AiPolicy),
    kind(GROUP, "QuotaPolicy", Class::AiPolicy),
    kind(GROUP, "GatewayConfig", Class::AiPolicy),
    kind(GROUP, "MCPRoute", Class::McpGateway),
];
