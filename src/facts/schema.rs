//! The fact table: what rules can read of workloads and ports. Input: nothing; output: record types with a sentence for each field, from
//! which the checker works and docs/facts.md is made.

use crate::cel::{Field, RecordType, Type};

pub mod policy;

const STRINGS: Type = Type::List(&Type::String);

const fn field(name: &'static str, ty: Type, doc: &'static str) -> Field {
    Field { name, ty, doc }
}

/// `workload`.
pub static WORKLOAD: RecordType = RecordType {
    name: "workload",
    fields: &[
        field(
            "kind",
            Type::String,
            "kind of the object that carries the pod template",
        ),
        field(
            "namespace",
            Type::String,
            "effective namespace; empty when nothing names it",
        ),
        field("name", Type::String, "name of the object"),
        field(
            "reference",
            Type::String,
            "`namespace/name`, or the name alone when nothing names the namespace",
        ),
        field(
            "containers",
            Type::List(&Type::Dyn),
            "containers of all pod templates as written: init, main, ephemeral, and those that the kind implies",
        ),
        field("labels", Type::Dyn, "labels of the pod template"),
        field("annotations", Type::Dyn, "annotations of the pod template"),
        field(
            "namespaceLabels",
            Type::Dyn,
            "labels of its Namespace object; empty when that is not in the view",
        ),
        field(
            "serviceAccount",
            Type::String,
            "service account of the pods, `default` when none is named",
        ),
        field(
            "hostNetwork",
            Type::Bool,
            "whether the pods share the node's network",
        ),
        field(
            "meshes",
            STRINGS,
            "meshes of which the view shows a sign: `istio`",
        ),
        field(
            "mesh",
            Type::String,
            "the mesh the pods are in, empty when in none",
        ),
        field(
            "membership",
            Type::String,
            "`none`, `sidecar`, `ambient` or `meshed`",
        ),
        field(
            "isGateway",
            Type::Bool,
            "whether the pods are proxies themselves: a gateway or a waypoint",
        ),
        field(
            "ports",
            Type::List(&Type::Record(&PORT)),
            "ports the pods listen on, as containers and Services tell",
        ),
    ],
};

/// `port`.
pub static PORT: RecordType = RecordType {
    name: "port",
    fields: &[
        field("number", Type::Int, "container port"),
        field(
            "name",
            Type::String,
            "name of the container port, possibly empty",
        ),
        field("protocol", Type::String, "`TCP`, `UDP` or `SCTP`"),
        field(
            "declared",
            Type::Bool,
            "whether a container declares it; otherwise only a Service names it",
        ),
        field(
            "services",
            STRINGS,
            "Services that lead to it, `namespace/name`",
        ),
        field(
            "servicePorts",
            Type::List(&Type::Int),
            "ports of the Services that lead to it",
        ),
        field(
            "transport",
            Type::Record(&TRANSPORT),
            "what it accepts on the wire",
        ),
        field(
            "calls",
            Type::List(&Type::Record(&policy::CALL)),
            "how clients in the mesh that are told how to call it do so, and what arrives",
        ),
        field("access", Type::Record(&ACCESS), "who may call it"),
        field(
            "exposures",
            Type::List(&Type::Record(&EXPOSURE)),
            "ways that lead to it from outside the cluster",
        ),
    ],
};

/// `change`.
pub static CHANGE: RecordType = RecordType {
    name: "change",
    fields: &[
        field(
            "kind",
            Type::String,
            "which fact changed: `access`, `callers`, `reach`, `transport`, `membership`, `client`, `exposure`, `asset`, `model`, `provider` or `grade`",
        ),
        field(
            "subject",
            Type::String,
            "what changed: `namespace/name`, with `:port` for ports",
        ),
        field("asset", Type::Bool, "whether that is an AI asset"),
        field(
            "before",
            Type::String,
            "the value before, in words; `absent` when there was none",
        ),
        field(
            "after",
            Type::String,
            "the value after, in words; `absent` when there is none",
        ),
        field(
            "direction",
            Type::String,
            "`widened`, `narrowed` or `changed`",
        ),
        field(
            "cause",
            STRINGS,
            "the edits that explain it, each with its place: `mesh/llm.yaml:10 (base)`",
        ),
        field(
            "callersBefore",
            Type::Int,
            "how many workloads could call before, for `access` and `callers`",
        ),
        field(
            "callersAdded",
            Type::Int,
            "how many pairs of caller and port are new",
        ),
        field(
            "callersRemoved",
            Type::Int,
            "how many pairs of caller and port are gone",
        ),
        field(
            "callersAnonymous",
            Type::Int,
            "how many of the new callers present no identity",
        ),
        field(
            "breaks",
            Type::Bool,
            "whether clients got through before and no longer do, for `client`",
        ),
        field(
            "clients",
            Type::Int,
            "how many clients send differently, for `client`",
        ),
    ],
};

/// `exposure`.
pub static EXPOSURE: RecordType = RecordType {
    name: "exposure",
    fields: &[
        field(
            "way",
            Type::String,
            "`route`, `load-balancer`, `node-port`, `external-ip`, `host-port` or `host-network`",
        ),
        field(
            "openedBy",
            Type::String,
            "what opens it, `Kind:namespace/name`: the route, the Service, else the workload",
        ),
        field(
            "gateway",
            Type::String,
            "Gateway of a route, `namespace/name`; of an Ingress its class; else empty",
        ),
        field(
            "service",
            Type::String,
            "Service on the way, `namespace/name`, possibly empty",
        ),
        field(
            "port",
            Type::Int,
            "port that callers see; 0 when the files do not say",
        ),
        field("hosts", STRINGS, "host names callers use; empty for any"),
        field(
            "paths",
            STRINGS,
            "paths that lead here, `/v1*` for a prefix, `~` before a regular expression; empty for any",
        ),
        field(
            "tls",
            Type::String,
            "what callers meet: `none`, `simple` (server certificate), `optional` or `mutual` (client certificate), `mesh`, `passthrough`, `raw` (no proxy reads the bytes)",
        ),
        field(
            "internal",
            Type::Bool,
            "whether a load balancer is annotated to stay in the private network",
        ),
        field(
            "access",
            Type::Record(&ACCESS),
            "which callers from outside get through gateway and proxy; `nobody` when none does",
        ),
    ],
};

/// `port.transport`.
pub static TRANSPORT: RecordType = RecordType {
    name: "transport",
    fields: &[
        field(
            "mode",
            Type::String,
            "`plaintext`, `permissive`, `strict` or `broken`; the weakest where files cannot order policies",
        ),
        field(
            "why",
            Type::String,
            "why only plaintext is taken: `unmeshed`, `bypassed` or `disabled`; else empty",
        ),
        field(
            "alternatives",
            STRINGS,
            "other modes it may have, because equally old policies contradict each other",
        ),
        field(
            "byDefault",
            Type::Bool,
            "whether no policy says anything, so that the mesh's default holds",
        ),
        field("decidedBy", Type::String, "what decides, in words"),
    ],
};

/// `port.access`.
pub static ACCESS: RecordType = RecordType {
    name: "access",
    fields: &[
        field(
            "level",
            Type::String,
            "`anyone`, `mesh`, `namespaces`, `identities` or `nobody`: the widest of all ways in",
        ),
        field(
            "by",
            STRINGS,
            "what proves the caller there: `network`, `mtls`, `jwt`; empty when nothing does",
        ),
        field(
            "set",
            STRINGS,
            "members: `sa:apps/chat`, `ns:apps`, `td:corp.example`, `jwt:issuer/subject`",
        ),
        field("except", STRINGS, "members kept out of the widest way"),
        field("nets", STRINGS, "networks the widest way is limited to"),
        field(
            "requests",
            STRINGS,
            "request conditions: `method:GET`, `path:/v1/*`; empty when some way has none",
        ),
        field(
            "delegated",
            Type::Bool,
            "whether an external authorizer has the last word on some requests",
        ),
        field(
            "proxied",
            Type::Bool,
            "whether a proxy stands before the port",
        ),
        field(
            "byDefault",
            Type::Bool,
            "whether no policy restricts callers",
        ),
    ],
};

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

/// `identity`.
pub static IDENTITY: RecordType = RecordType {
    name: "identity",
    fields: &[
        field("kind", Type::String, "`Group`, `User` or `ServiceAccount`"),
        field(
            "namespace",
            Type::String,
            "namespace of a service account; else empty",
        ),
        field("name", Type::String, "name as bindings write it"),
        field(
            "grants",
            Type::List(&Type::Record(&BOUND_ROLE)),
            "roles that bindings give it, in the order of the view",
        ),
    ],
};

/// `identity.grants[]`.
pub static BOUND_ROLE: RecordType = RecordType {
    name: "bound role",
    fields: &[
        field(
            "binding",
            Type::Dyn,
            "the RoleBinding or ClusterRoleBinding as written",
        ),
        field("subject", Type::Dyn, "the entry of its `subjects`"),
        field(
            "rules",
            Type::Dyn,
            "rules of the role it names; empty when that is not in the view",
        ),
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

/// Facts that can be unknown: a rule that reads one must show an example in which it is.
pub const CAN_BE_UNKNOWN: &[&str] = &[
    "workload.membership",
    "workload.mesh",
    "port.transport",
    "port.access",
    "exposure.tls",
    "exposure.access",
    // `change.direction` too, for `access`, `transport` and `membership`; the other kinds compare only what is known.
    "change.before",
    "change.after",
];
