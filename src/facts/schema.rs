//! The fact table: what rules can read of workloads and ports. Input: nothing; output: record types with a sentence for each field, from
//! which the checker works and docs/facts.md is made.

use crate::cel::{Field, RecordType, Type};

mod asset;
pub mod policy;

pub use asset::{ASSET, GRANT, LEAK, UNREADABLE};

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
        field(
            "securityContext",
            Type::Dyn,
            "what the pod template says of security for all its containers; empty when it says nothing",
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
            "which fact changed: `access`, `callers`, `reach`, `transport`, `membership`, `client`, `egress`, `exposure`, `asset`, `model`, `provider`, `flow` or `grade`",
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

/// `difference`.
pub static DIFFERENCE: RecordType = RecordType {
    name: "difference",
    fields: &[
        field(
            "kind",
            Type::String,
            "which fact differs: `membership`, `transport`, `access`, `client`, `egress`, `exposure` or `grade`",
        ),
        field(
            "subject",
            Type::String,
            "of what, as production calls it: `namespace/name`, with `:port` for ports",
        ),
        field("asset", Type::Bool, "whether that is an AI asset"),
        field(
            "application",
            Type::String,
            "the application: its name in the config, else `deploy/overlays/*`",
        ),
        field("environment", Type::String, "the production environment"),
        field(
            "others",
            STRINGS,
            "environments that it differs from alike, the nearest to production first",
        ),
        field(
            "verdict",
            Type::String,
            "how production compares: `weaker`, `stronger`, or `different` where neither holds",
        ),
        field("here", Type::String, "the value in production, in words"),
        field(
            "there",
            Type::String,
            "the value in the others, in words and with the names of production",
        ),
        field(
            "cause",
            STRINGS,
            "what explains it, each with its place: `overlays/prod/mtls.yaml:7 (prod)`",
        ),
        field(
            "callersMore",
            Type::Int,
            "how many more workloads get through in production, for `access`",
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
            "mirror",
            Type::Bool,
            "whether only copies of requests arrive, whose answers nobody gets",
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
    "difference.here",
    "difference.there",
];
