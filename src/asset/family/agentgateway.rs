//! agentgateway and kgateway. Input: their objects; output: classes.

use crate::asset::class::Class;
use crate::asset::family::{Family, Kind, kind, no_refs};

const GROUP: &str = "agentgateway.dev";

pub(super) const FAMILY: Family = Family {
    name: "agentgateway",
    kinds: KINDS,
    refs: no_refs,
};

const KINDS: &[Kind] = &[
    kind(GROUP, "AgentgatewayBackend", Class::LlmGateway),
    kind(GROUP, "AgentgatewayPolicy", Class::AiPolicy),
];
