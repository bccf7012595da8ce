//! L4: the fact table. Input: what engines found out; output: the records that expressions read, field by field, each with
//! its type, its sentence for the docs, and where its value comes from.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::cel::{Field, Origin, Reasons, Record, RecordType, Type, Value};
use crate::facts::access::Access;
use crate::source::Span;
use crate::yaml::{NodeRef, Tree};

/// A value of a fact as expressions read it: known, or unknown for numbered reasons, with the places that decide it.
#[derive(Clone, Debug)]
pub struct Known<T> {
    /// The value, or the numbers of the reasons why there is none.
    pub value: Result<T, Reasons>,
    /// The deciding place first.
    pub places: Arc<[Span]>,
}

impl<T> Known<T> {
    fn read<'s>(&'s self, value: impl FnOnce(&'s T) -> Value<'s>) -> Value<'s> {
        match &self.value {
            Ok(known) => value(known),
            Err(reasons) => Value::Unknown(reasons.clone()),
        }
    }

    fn origin(&self) -> Origin<'_> {
        if self.places.is_empty() {
            Origin::None
        } else {
            Origin::Spans(Arc::clone(&self.places))
        }
    }
}

/// A container of a pod template, kept as the index of its node.
#[derive(Clone, Debug)]
pub struct Nodes {
    /// The tree of the object.
    pub tree: Arc<Tree>,
    /// Indexes of the nodes, in order.
    pub indexes: Vec<u32>,
}

impl Nodes {
    fn list(&self) -> Value<'_> {
        let nodes = self.indexes.iter().map(|&i| Value::Node(self.tree.node(i)));
        // Nodes nest no list, so this cannot be too deep.
        Value::list(nodes.collect()).unwrap_or(Value::Null)
    }

    /// The nodes themselves.
    pub fn iter(&self) -> impl Iterator<Item = NodeRef<'_>> {
        self.indexes.iter().map(|&i| self.tree.node(i))
    }
}

fn strings<'s>(items: impl IntoIterator<Item = &'s str>) -> Value<'s> {
    // Strings nest no list, so this cannot be too deep.
    Value::list(items.into_iter().map(Value::Str).collect()).unwrap_or(Value::Null)
}

/// `workload`.
pub static WORKLOAD: RecordType = RecordType {
    name: "workload",
    fields: &[
        Field {
            name: "name",
            ty: Type::String,
            doc: "name of the object that carries the pod template",
        },
        Field {
            name: "namespace",
            ty: Type::String,
            doc: "effective namespace; empty for the unnamed one",
        },
        Field {
            name: "kind",
            ty: Type::String,
            doc: "kind of the object",
        },
        Field {
            name: "serviceAccount",
            ty: Type::String,
            doc: "service account the pods run as",
        },
        Field {
            name: "membership",
            ty: Type::String,
            doc: "how the pods take part in a mesh: none, sidecar, ambient or meshed",
        },
        Field {
            name: "mesh",
            ty: Type::String,
            doc: "the mesh the pods are in, such as `istio`; empty for none",
        },
        Field {
            name: "containers",
            ty: Type::List(&Type::Dyn),
            doc: "the containers as written: init containers, containers, ephemeral containers",
        },
        Field {
            name: "labels",
            ty: Type::Dyn,
            doc: "labels of the pods as written; an empty map when there are none",
        },
        Field {
            name: "meshes",
            ty: Type::List(&Type::String),
            doc: "meshes of which the view shows a sign, such as `istio`, whether the pods are in them or not",
        },
        Field {
            name: "reference",
            ty: Type::String,
            doc: "`namespace/name`, or the name alone when nothing names the namespace",
        },
        Field {
            name: "isGateway",
            ty: Type::Bool,
            doc: "whether the pods are proxies themselves: a gateway or a waypoint",
        },
    ],
};

/// A workload as expressions read it.
#[derive(Clone, Debug)]
pub struct WorkloadRecord {
    /// Name of the object.
    pub name: String,
    /// `namespace/name`, or the name alone when nothing names the namespace.
    pub reference: String,
    /// Effective namespace, `""` for the unnamed one.
    pub namespace: String,
    /// Kind of the object.
    pub kind: String,
    /// Service account of the pods.
    pub service_account: String,
    /// `none`, `sidecar`, `ambient` or `meshed`.
    pub membership: Known<&'static str>,
    /// The mesh, when a member.
    pub mesh: &'static str,
    /// Containers.
    pub containers: Nodes,
    /// The labels' map, when there is one.
    pub labels: Option<u32>,
    /// Meshes of the view.
    pub meshes: Vec<&'static str>,
    /// Whether the pods are proxies themselves.
    pub is_gateway: bool,
}

impl Record for WorkloadRecord {
    fn record_type(&self) -> &'static RecordType {
        &WORKLOAD
    }

    fn field(&self, index: usize) -> Value<'_> {
        match index {
            0 => Value::Str(&self.name),
            1 => Value::Str(&self.namespace),
            2 => Value::Str(&self.kind),
            3 => Value::Str(&self.service_account),
            4 => self.membership.read(|word| Value::Str(word)),
            5 => self
                .membership
                .read(|word| Value::Str(if *word == "none" { "" } else { self.mesh })),
            6 => self.containers.list(),
            7 => self.labels.map_or_else(
                || Value::map(std::collections::BTreeMap::new()).unwrap_or(Value::Null),
                |index| Value::Node(self.containers.tree.node(index)),
            ),
            8 => strings(self.meshes.iter().copied()),
            9 => Value::Str(&self.reference),
            10 => Value::Bool(self.is_gateway),
            _ => Value::Null,
        }
    }

    fn origin(&self, index: usize) -> Origin<'_> {
        match index {
            4 | 5 => self.membership.origin(),
            _ => Origin::None,
        }
    }
}

/// `port.transport`.
pub static TRANSPORT: RecordType = RecordType {
    name: "transport",
    fields: &[
        Field {
            name: "mode",
            ty: Type::String,
            doc: "what the port accepts: plaintext, permissive, strict or broken",
        },
        Field {
            name: "why",
            ty: Type::String,
            doc: "why only plaintext is taken: unmeshed, bypassed or disabled; empty for the other modes",
        },
        Field {
            name: "isDefault",
            ty: Type::Bool,
            doc: "whether no object of the view sets the mode, so that the mesh's default holds",
        },
        Field {
            name: "alternatives",
            ty: Type::List(&Type::String),
            doc: "other modes it may have, because equally old policies contradict each other; `mode` is the weakest",
        },
        Field {
            name: "decidedBy",
            ty: Type::String,
            doc: "what decides the mode, in words",
        },
    ],
};

/// What a port accepts on the wire, as expressions read it.
#[derive(Clone, Debug)]
pub struct TransportRecord {
    /// Mode and why, as words.
    pub mode: Known<(&'static str, &'static str)>,
    /// Other modes it may have.
    pub alternatives: Vec<&'static str>,
    /// What decides, in words.
    pub decided_by: String,
    /// Whether the mesh's default holds.
    pub is_default: bool,
}

impl Record for TransportRecord {
    fn record_type(&self) -> &'static RecordType {
        &TRANSPORT
    }

    fn field(&self, index: usize) -> Value<'_> {
        match index {
            0 => self.mode.read(|(mode, _)| Value::Str(mode)),
            1 => self.mode.read(|(_, why)| Value::Str(why)),
            2 => self.mode.read(|_| Value::Bool(self.is_default)),
            3 => self
                .mode
                .read(|_| strings(self.alternatives.iter().copied())),
            4 => self.mode.read(|_| Value::Str(&self.decided_by)),
            _ => Value::Null,
        }
    }

    fn origin(&self, _index: usize) -> Origin<'_> {
        self.mode.origin()
    }

    fn own_origin(&self) -> Origin<'_> {
        self.mode.origin()
    }
}

/// `port.access`.
pub static ACCESS: RecordType = RecordType {
    name: "access",
    fields: &[
        Field {
            name: "level",
            ty: Type::String,
            doc: "who may call: anyone, mesh, namespaces, identities or nobody; the widest of all ways in",
        },
        Field {
            name: "by",
            ty: Type::List(&Type::String),
            doc: "what proves the caller there: network, mtls, jwt; empty when nothing does",
        },
        Field {
            name: "set",
            ty: Type::List(&Type::String),
            doc: "who: `sa:apps/chat`, `ns:apps`, `td:corp.example`, `jwt:issuer/subject`",
        },
        Field {
            name: "except",
            ty: Type::List(&Type::String),
            doc: "who is kept out of the widest way",
        },
        Field {
            name: "nets",
            ty: Type::List(&Type::String),
            doc: "networks that the widest way is limited to",
        },
        Field {
            name: "requests",
            ty: Type::List(&Type::String),
            doc: "conditions on requests, such as `path:/v1/*`; empty when some way has none",
        },
        Field {
            name: "isDelegated",
            ty: Type::Bool,
            doc: "whether an external authorizer has the last word on some requests",
        },
        Field {
            name: "isProxied",
            ty: Type::Bool,
            doc: "whether a proxy stands before the port at all",
        },
        Field {
            name: "isDefault",
            ty: Type::Bool,
            doc: "whether no policy of the view restricts callers",
        },
    ],
};

/// Who may call a port, as expressions read it.
#[derive(Clone, Debug)]
pub struct AccessRecord {
    /// The answer.
    pub access: Known<Access>,
    /// Whether no policy says anything.
    pub is_default: bool,
}

impl Record for AccessRecord {
    fn record_type(&self) -> &'static RecordType {
        &ACCESS
    }

    fn field(&self, index: usize) -> Value<'_> {
        let texts = |list: fn(&Access) -> &BTreeSet<String>| {
            self.access
                .read(|a| strings(list(a).iter().map(String::as_str)))
        };
        match index {
            0 => self.access.read(|a| Value::Str(a.level.as_str())),
            1 => self
                .access
                .read(|a| strings(a.by.iter().map(|by| by.as_str()))),
            2 => texts(|a| &a.set),
            3 => texts(|a| &a.except),
            4 => texts(|a| &a.nets),
            5 => texts(|a| &a.requests),
            6 => self.access.read(|a| Value::Bool(a.delegated)),
            7 => self.access.read(|a| Value::Bool(a.proxied)),
            8 => self.access.read(|_| Value::Bool(self.is_default)),
            _ => Value::Null,
        }
    }

    fn origin(&self, _index: usize) -> Origin<'_> {
        self.access.origin()
    }

    fn own_origin(&self) -> Origin<'_> {
        self.access.origin()
    }
}

/// `port`.
pub static PORT: RecordType = RecordType {
    name: "port",
    fields: &[
        Field {
            name: "number",
            ty: Type::Int,
            doc: "container port",
        },
        Field {
            name: "name",
            ty: Type::String,
            doc: "name of the container port; empty when it has none",
        },
        Field {
            name: "protocol",
            ty: Type::String,
            doc: "TCP, UDP or SCTP",
        },
        Field {
            name: "isServed",
            ty: Type::Bool,
            doc: "whether a Service of the view leads to the port",
        },
        Field {
            name: "transport",
            ty: Type::Record(&TRANSPORT),
            doc: "what the port accepts on the wire",
        },
        Field {
            name: "access",
            ty: Type::Record(&ACCESS),
            doc: "who may call the port",
        },
    ],
};

/// A port as expressions read it.
#[derive(Clone, Debug)]
pub struct PortRecord {
    /// Container port.
    pub number: u16,
    /// Its name, possibly empty.
    pub name: String,
    /// TCP, UDP or SCTP.
    pub protocol: &'static str,
    /// Whether a Service leads to it.
    pub is_served: bool,
    /// What it accepts.
    pub transport: TransportRecord,
    /// Who may call it.
    pub access: AccessRecord,
    /// Where the port stands.
    pub places: Arc<[Span]>,
}

impl Record for PortRecord {
    fn record_type(&self) -> &'static RecordType {
        &PORT
    }

    fn field(&self, index: usize) -> Value<'_> {
        match index {
            0 => Value::Int(i64::from(self.number)),
            1 => Value::Str(&self.name),
            2 => Value::Str(self.protocol),
            3 => Value::Bool(self.is_served),
            4 => Value::Record(&self.transport),
            5 => Value::Record(&self.access),
            _ => Value::Null,
        }
    }

    fn origin(&self, index: usize) -> Origin<'_> {
        match index {
            4 => self.transport.own_origin(),
            5 => self.access.own_origin(),
            _ => self.own_origin(),
        }
    }

    fn own_origin(&self) -> Origin<'_> {
        if self.places.is_empty() {
            Origin::None
        } else {
            Origin::Spans(Arc::clone(&self.places))
        }
    }
}

/// Facts that can be unknown: a rule that reads one must show an example in which it is.
pub const CAN_BE_UNKNOWN: &[&str] = &[
    "workload.membership",
    "workload.mesh",
    "port.transport",
    "port.access",
];

/// Every record, for docs and tests.
pub static RECORDS: &[&RecordType] = &[&WORKLOAD, &PORT, &TRANSPORT, &ACCESS];
