//! The fact table, continued: what rules can read of AI assets. Input: nothing; output: record types with a sentence for each field.

use super::field;
use crate::cel::{RecordType, Type};

/// `asset`.
pub static ASSET: RecordType = RecordType {
    name: "asset",
    fields: &[
        field("kind", Type::String, "kind of the object"),
        field(
            "namespace",
            Type::String,
            "effective namespace; empty when nothing names it",
        ),
        field("name", Type::String, "name of the object"),
        field(
            "class",
            Type::String,
            "what it does: `model-server`, `llm-gateway`, `agent`, `llm-client` …",
        ),
        field(
            "called",
            Type::Bool,
            "whether others call it over the network",
        ),
        field(
            "score",
            Type::Double,
            "how sure the class is, 0.6 to 1; 1 for kinds that are nothing else",
        ),
        field(
            "product",
            Type::String,
            "the product, as far as kind, image or command tell; else empty",
        ),
        field(
            "containers",
            Type::List(&Type::Dyn),
            "the containers of its pods as written",
        ),
        field(
            "serviceAccount",
            Type::String,
            "service account of its pods, `default` when none is named; empty without pods",
        ),
        field(
            "services",
            Type::List(&Type::Dyn),
            "Services that select its pods",
        ),
        field(
            "routes",
            Type::List(&Type::Dyn),
            "routes of the view that lead to it: HTTPRoute, GRPCRoute, Ingress, VirtualService",
        ),
        field(
            "gateways",
            Type::List(&Type::Dyn),
            "Gateways of the view that it, or a route to it, attaches to",
        ),
        field(
            "firstGateways",
            Type::List(&Type::Dyn),
            "Gateways among them to which no earlier asset attaches: for rules on the Gateway itself, so that each is reported once",
        ),
        field(
            "gatewayMissing",
            Type::Bool,
            "whether it, or a route to it, names a Gateway that is not in the view",
        ),
        field(
            "policies",
            Type::List(&Type::Dyn),
            "policies whose target is the asset, a route to it, its backends or their Gateway",
        ),
        field(
            "backends",
            Type::List(&Type::Dyn),
            "backends of an AI gateway that it sends requests to",
        ),
        field(
            "grants",
            Type::List(&Type::Record(&GRANT)),
            "powers over the whole cluster that its service account has",
        ),
        field(
            "owner",
            Type::Dyn,
            "its owner by label or annotation, its own or its Namespace's; empty when none is stated",
        ),
        field(
            "classification",
            Type::Dyn,
            "its data classification by label or annotation, its own or its Namespace's; empty when none is stated",
        ),
        field(
            "riskTier",
            Type::Dyn,
            "its risk tier by label `meshgov.dev/risk-tier`; empty when none is stated",
        ),
        field(
            "governed",
            Type::Bool,
            "whether an asset of the view, or a Namespace that holds one, uses the governance vocabulary",
        ),
        field(
            "unreadable",
            Type::List(&Type::Record(&UNREADABLE)),
            "labels and annotations of the governance vocabulary whose value is none of it; those of a Namespace stand at its first asset",
        ),
        field(
            "authorizations",
            Type::List(&Type::Dyn),
            "AuthorizationPolicies that select its pods; one that selects several assets stands at the first",
        ),
        field(
            "networkPolicies",
            Type::List(&Type::Dyn),
            "NetworkPolicies that select its pods; one that selects several assets stands at the first",
        ),
        field(
            "telemetry",
            Type::List(&Type::Dyn),
            "what sets the access log of its traffic: Telemetry of Istio, EnvoyProxy of its Gateways; each stands at the first asset",
        ),
        field(
            "leaks",
            Type::List(&Type::Record(&LEAK)),
            "ways by which its data, labelled as protected, reaches an external model provider",
        ),
    ],
};

/// `asset.leaks[]`.
pub static LEAK: RecordType = RecordType {
    name: "leak",
    fields: &[
        field(
            "source",
            Type::String,
            "where the data comes from, `claim ml/records`; empty when the asset itself is labelled",
        ),
        field(
            "classification",
            Type::String,
            "the protected classes: `phi`, `pii, pci` …",
        ),
        field("provider", Type::String, "the provider: `openai` …"),
        field(
            "host",
            Type::String,
            "its host; empty when only the provider is named",
        ),
        field(
            "hops",
            Type::Int,
            "length of the shortest way; 1 = the asset calls the provider itself",
        ),
        field(
            "redacted",
            Type::Bool,
            "whether every way passes a guardrail or what is annotated to redact",
        ),
        field(
            "approved",
            Type::Bool,
            "whether `meshgov.dev/approved-egress` lists host or provider, and still holds",
        ),
        field(
            "until",
            Type::String,
            "last day of the approval; empty when it has no end",
        ),
        field("way", Type::String, "the way in words"),
    ],
};

/// `asset.grants[]`.
pub static GRANT: RecordType = RecordType {
    name: "grant",
    fields: &[
        field("binding", Type::Dyn, "the ClusterRoleBinding as written"),
        field(
            "power",
            Type::String,
            "what it allows, to follow `may`: `read every Secret`",
        ),
    ],
};

/// `asset.unreadable[]`.
pub static UNREADABLE: RecordType = RecordType {
    name: "unreadable",
    fields: &[
        field("key", Type::String, "the label or annotation"),
        field("value", Type::String, "what it says"),
        field("allowed", Type::String, "what it may say, in words"),
    ],
};
