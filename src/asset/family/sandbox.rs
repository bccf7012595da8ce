//! Agent Sandbox of Kubernetes SIG Apps. Input: its objects; output: classes. Kinds: `k8s/crds` of kubernetes-sigs/agent-sandbox.

use crate::asset::class::Class;
use crate::asset::family::{Family, Kind, kind, no_refs};

pub(super) const FAMILY: Family = Family {
    name: "Agent Sandbox",
    kinds: KINDS,
    refs: no_refs,
};

const KINDS: &[Kind] = &[
    kind("agents.x-k8s.io", "Sandbox", Class::Agent),
    kind(
        "extensions.agents.x-k8s.io",
        "SandboxTemplate",
        Class::Agent,
    ),
];
