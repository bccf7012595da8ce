//! The fact table, continued: what rules can read of policies. Input: nothing; output: record types with a sentence for each field.

use super::{STRINGS, WORKLOAD, field};
use crate::cel::{RecordType, Type};

/// `policy`.
pub static POLICY: RecordType = RecordType {
    name: "policy",
    fields: &[
        field("kind", Type::String, "kind of the object"),
        field(
            "namespace",
            Type::String,
            "effective namespace; empty when nothing names it",
        ),
        field("name", Type::String, "name of the object"),
        field(
            "reference",
            Type::String,
            "`namespace/name`, or the name alone",
        ),
        field(
            "action",
            Type::String,
            "what it does with requests that match it: `allow`, `deny`, `custom` or `audit`; else empty",
        ),
        field(
            "everywhere",
            Type::Bool,
            "whether it stands where policies hold for the whole mesh",
        ),
        field(
            "workloads",
            Type::List(&Type::Record(&WORKLOAD)),
            "workloads of the view that it selects, in the mesh or not; open where pods are not in the files",
        ),
        field(
            "namespaceShown",
            Type::Bool,
            "whether the view holds any workload of the namespaces where it can select; false where no namespace is named",
        ),
        field(
            "gaps",
            Type::List(&Type::Record(&GAP)),
            "parts that do something else than they say, each cause once",
        ),
        field(
            "sources",
            Type::List(&Type::Record(&SOURCE)),
            "who its rules speak of, one for each alternative",
        ),
        field(
            "calls",
            Type::List(&Type::Record(&CALL)),
            "calls of clients in the mesh whose TLS it sets",
        ),
    ],
};

/// `policy.gaps[]`.
pub static GAP: RecordType = RecordType {
    name: "gap",
    fields: &[
        field(
            "why",
            Type::String,
            "the cause in a word: `layer7-at-ztunnel`, `http-on-bytes`, `http-on-sniffed`, `trust-domains`, `domain-at-ztunnel`, `inner-star`, `not-at-ztunnel`, `bare-selector`, `behind-waypoint`, `bypassable`, `no-waypoint`, `waypoint-missing`, `waypoint-refused`, `unmeshed`, `service-port`, `no-provider`, `dry-run`, `token-optional`, `weaker`, `port-weaker`, `disabled`, `shadowed`, `not-root`, `unenforced`, `clients-plaintext`, `no-sidecar-client`, `peer-missing`, `port-name-missing`, `stray-dash`, `no-names`, `overrules`, `tied`",
        ),
        field(
            "effect",
            Type::String,
            "what comes of it: `nothing` (no effect at all), `less` or `more` than written",
        ),
        field(
            "rule",
            Type::Int,
            "position of the rule, -1 for the policy as a whole",
        ),
        field(
            "subject",
            Type::String,
            "where it shows, in words: `port 8080 of ml/llm`",
        ),
        field("says", Type::String, "the cause in a sentence"),
    ],
};

/// `policy.sources[]`.
pub static SOURCE: RecordType = RecordType {
    name: "source",
    fields: &[
        field("rule", Type::Int, "position of the rule"),
        field(
            "names",
            Type::Bool,
            "whether it asks for certain mesh identities",
        ),
        field(
            "excludes",
            Type::Bool,
            "whether it is everybody but certain mesh identities",
        ),
        field(
            "bounded",
            Type::Bool,
            "whether it also asks for an address or a token",
        ),
        field(
            "plaintextPorts",
            STRINGS,
            "ports it speaks of that take callers without identity: `port 8080 of ml/llm`",
        ),
        field(
            "anonymousPorts",
            STRINGS,
            "ports it speaks of where no caller has an identity",
        ),
    ],
};

/// `policy.calls[]` and `port.calls[]`.
pub static CALL: RecordType = RecordType {
    name: "call",
    fields: &[
        field(
            "client",
            Type::String,
            "a client that calls so, `namespace/name`; others may too",
        ),
        field(
            "to",
            Type::String,
            "what is called: `ml/llm:80` or a host with port",
        ),
        field("subset", Type::String, "subset that is called, or empty"),
        field(
            "tls",
            Type::String,
            "TLS that the client is told to use, as written; empty when it is told nothing",
        ),
        field(
            "server",
            Type::String,
            "what the server accepts: `strict`, `permissive`, `disabled`, `bypassed`, `unmeshed`; `external` outside the view",
        ),
        field(
            "wire",
            Type::String,
            "what arrives: `mtls`, `mtls-custom`, `tls`, `plaintext` or `broken`",
        ),
    ],
};
