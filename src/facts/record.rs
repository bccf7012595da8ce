//! Facts as expressions read them. Input: facts of engines; output: `WorkloadRecord`, `PortRecord` and the subjects made of them.

pub mod change;
pub mod environment;
pub mod exposure;
pub mod policy;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use crate::cel::{Origin, Reasons, Record, RecordType, Value};
use crate::facts::access::Access;
use crate::facts::schema;
use crate::facts::subject::Subject;
use crate::facts::transport::{Membership, Mode, Transport};
use crate::facts::workload::{Port, Workload};
use crate::facts::{Fact, Role, Step, UnknownReason};
use crate::pods;
use crate::resource::Resource;
use crate::source::{Span, to_u32};

/// Numbers for reasons, as a `World` resolves them.
#[derive(Debug, Default)]
pub struct ReasonNumbers {
    reasons: Vec<UnknownReason>,
    known: HashMap<UnknownReason, u32>,
}

impl ReasonNumbers {
    /// The number of a reason.
    pub fn of(&mut self, reason: &UnknownReason) -> u32 {
        if let Some(known) = self.known.get(reason) {
            return *known;
        }
        let number = to_u32(self.reasons.len());
        self.reasons.push(reason.clone());
        self.known.insert(reason.clone(), number);
        number
    }

    /// The reasons in the order of their numbers.
    #[must_use]
    pub fn into_reasons(self) -> Vec<UnknownReason> {
        self.reasons
    }
}

/// A fact as a record shows it: value or numbers of reasons, deciding places, what it takes for granted.
#[derive(Clone, Debug)]
pub struct Shown<T> {
    value: Result<T, Reasons>,
    spans: Arc<[Span]>,
    assumptions: Vec<String>,
    says: String,
    by_default: bool,
}

impl<T> Shown<T> {
    /// Takes over a fact; its missing facts get numbers.
    #[must_use]
    pub fn of(fact: Fact<T>, numbers: &mut ReasonNumbers) -> Self {
        let value = fact
            .value
            .map_err(|reasons| Reasons::new(reasons.iter().map(|r| numbers.of(r)).collect()));
        let decides = |step: &&Step| step.role == Role::Decides;
        let assumed =
            |step: &Step| matches!(step.role, Role::Assumed(_)).then(|| step.says.clone());
        Self {
            value,
            spans: fact
                .steps
                .iter()
                .filter(decides)
                .filter_map(Step::span)
                .collect(),
            assumptions: fact.steps.iter().filter_map(assumed).collect(),
            says: fact
                .steps
                .first()
                .map_or_else(String::new, |s| s.says.clone()),
            by_default: !fact.steps.iter().any(|s| s.role == Role::Decides),
        }
    }

    /// The value, when known.
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        self.value.as_ref().ok()
    }

    /// The numbers of what is missing, when unknown.
    #[must_use]
    pub fn reasons(&self) -> Option<&Reasons> {
        self.value.as_ref().err()
    }

    /// What it takes for granted, in words.
    #[must_use]
    pub fn assumptions(&self) -> &[String] {
        &self.assumptions
    }

    fn read<'v>(&'v self, value: impl FnOnce(&'v T) -> Value<'v>) -> Value<'v> {
        match &self.value {
            Ok(known) => value(known),
            Err(reasons) => Value::Unknown(reasons.clone()),
        }
    }

    fn origin(&self) -> Origin<'_> {
        if self.spans.is_empty() {
            return Origin::None;
        }
        Origin::Spans(Arc::clone(&self.spans))
    }
}

/// `workload` with its facts.
#[derive(Debug)]
pub struct WorkloadRecord {
    /// The workload.
    pub workload: Workload,
    /// Its Namespace object.
    pub namespace: Option<Arc<Resource>>,
    /// Meshes of which the view shows a sign.
    pub meshes: Vec<&'static str>,
    /// Name of the mesh it would be in.
    pub mesh: &'static str,
    /// Membership.
    pub membership: Shown<Membership>,
    /// Ports.
    pub ports: Vec<PortRecord>,
    /// Whether its pods are proxies themselves.
    pub is_gateway: bool,
    /// Nodes of its containers, once a rule has asked: many do.
    pub containers: OnceLock<Vec<u32>>,
}

/// `port` with its facts.
#[derive(Debug)]
pub struct PortRecord {
    /// The port.
    pub port: Port,
    /// Services that lead here, `namespace/name`.
    pub services: Vec<String>,
    /// `port.transport`.
    pub transport: TransportRecord,
    /// `port.calls`.
    pub calls: Vec<crate::facts::policy::Call>,
    /// `port.access`.
    pub access: AccessRecord,
    /// `port.exposures`.
    pub exposures: Vec<exposure::ExposureRecord>,
}

/// `port.transport`.
#[derive(Debug)]
pub struct TransportRecord(pub Shown<Transport>);

/// `port.access`.
#[derive(Debug)]
pub struct AccessRecord {
    /// Who may call.
    pub access: Shown<Access>,
    /// Whether no policy restricts callers.
    pub unrestricted: bool,
}

fn strings<'v>(items: impl IntoIterator<Item = &'v str>) -> Value<'v> {
    let items = items.into_iter().map(Value::Str).collect();
    // Strings nest no list, so this cannot be too deep.
    Value::list(items).unwrap_or(Value::Null)
}

impl WorkloadRecord {
    /// Containers of every pod template of the object.
    fn containers(&self) -> Value<'_> {
        let resource = &self.workload.resource;
        let nodes = self.containers.get_or_init(|| {
            let templates = pods::templates(resource);
            let containers = templates.iter().flat_map(pods::PodTemplate::containers);
            containers.map(|c| c.node.index()).collect()
        });
        let tree = resource.object().tree();
        let nodes = nodes.iter().map(|at| Value::Node(tree.node(*at)));
        // Nodes nest no list, so this cannot be too deep.
        Value::list(nodes.collect()).unwrap_or(Value::Null)
    }
}

impl Record for WorkloadRecord {
    fn record_type(&self) -> &'static RecordType {
        &schema::WORKLOAD
    }

    fn field(&self, index: usize) -> Value<'_> {
        let node = |node: Option<crate::yaml::NodeRef<'_>>| node.is_some();
        let metadata = |name: &str| self.workload.template().at(&["metadata", name]);
        match self.record_type().fields.get(index).map_or("", |f| f.name) {
            "kind" => Value::Str(self.workload.resource.kind()),
            "namespace" => Value::Str(self.workload.namespace.as_str()),
            "name" => Value::Str(self.workload.name()),
            "reference" => Value::text(self.workload.reference()),
            "containers" => self.containers(),
            name @ ("labels" | "annotations") if node(metadata(name)) => {
                metadata(name).map_or(Value::Null, Value::Node)
            }
            "securityContext" => {
                let spec = self.workload.pod_spec();
                match spec.and_then(|s| s.get("securityContext")) {
                    Some(context) if context.is_map() => Value::Node(context),
                    _ => Value::map(std::collections::BTreeMap::new()).unwrap_or(Value::Null),
                }
            }
            "labels" | "annotations" => {
                Value::map(std::collections::BTreeMap::new()).unwrap_or(Value::Null)
            }
            "namespaceLabels" => {
                let namespace = self.namespace.as_ref().map(|n| n.object());
                match namespace.and_then(|n| n.at(&["metadata", "labels"])) {
                    Some(labels) if labels.is_map() => Value::Node(labels),
                    _ => Value::map(std::collections::BTreeMap::new()).unwrap_or(Value::Null),
                }
            }
            "serviceAccount" => Value::Str(&self.workload.service_account),
            "hostNetwork" => Value::Bool(self.workload.host_network),
            "meshes" => strings(self.meshes.iter().copied()),
            "mesh" => self.membership.read(|m| match m {
                Membership::None => Value::Str(""),
                _ => Value::Str(self.mesh),
            }),
            "membership" => self.membership.read(|m| Value::Str(m.as_str())),
            "isGateway" => Value::Bool(self.is_gateway),
            "ports" => {
                let items = self.ports.iter().map(|p| Value::Record(p)).collect();
                Value::list(items).unwrap_or(Value::Null)
            }
            _ => Value::Null,
        }
    }

    fn origin(&self, index: usize) -> Origin<'_> {
        match self.record_type().fields.get(index).map_or("", |f| f.name) {
            "mesh" | "membership" => self.membership.origin(),
            "hostNetwork" => of_node(self.workload.pod_spec(), "hostNetwork"),
            "serviceAccount" => of_node(self.workload.pod_spec(), "serviceAccountName"),
            "securityContext" => of_node(self.workload.pod_spec(), "securityContext"),
            name @ ("labels" | "annotations") => {
                of_node(self.workload.template().get("metadata"), name)
            }
            _ => Origin::None,
        }
    }

    fn own_origin(&self) -> Origin<'_> {
        Origin::Spans(Arc::from([self.workload.resource.name_span()]))
    }
}

/// The field of a node, or the node where it is missing.
fn of_node<'n>(holder: Option<crate::yaml::NodeRef<'n>>, name: &str) -> Origin<'n> {
    match (holder, holder.and_then(|h| h.get(name))) {
        (_, Some(node)) => Origin::Node(node),
        (Some(ancestor), None) => Origin::Missing {
            ancestor,
            field: Arc::from(name),
        },
        (None, None) => Origin::None,
    }
}

impl Record for PortRecord {
    fn record_type(&self) -> &'static RecordType {
        &schema::PORT
    }

    fn field(&self, index: usize) -> Value<'_> {
        match self.record_type().fields.get(index).map_or("", |f| f.name) {
            "number" => Value::Int(i64::from(self.port.number)),
            "name" => Value::Str(&self.port.name),
            "protocol" => Value::Str(self.port.protocol.as_str()),
            "declared" => Value::Bool(self.port.declared.is_some()),
            "services" => strings(self.services.iter().map(String::as_str)),
            "servicePorts" => {
                let ports = self.port.services.iter();
                let items = ports.map(|s| Value::Int(i64::from(s.port))).collect();
                Value::list(items).unwrap_or(Value::Null)
            }
            "transport" => Value::Record(&self.transport),
            "calls" => {
                let items = self.calls.iter().map(|c| Value::Record(c)).collect();
                // How a server is called that may be in no mesh is not known either.
                let list = match self.transport.0.reasons() {
                    Some(reasons) => Value::open_list(items, reasons.clone()),
                    None => Value::list(items),
                };
                list.unwrap_or(Value::Null)
            }
            "access" => Value::Record(&self.access),
            "exposures" => {
                let items = self.exposures.iter().map(|e| Value::Record(e)).collect();
                Value::list(items).unwrap_or(Value::Null)
            }
            _ => Value::Null,
        }
    }

    fn origin(&self, _index: usize) -> Origin<'_> {
        self.own_origin()
    }

    fn own_origin(&self) -> Origin<'_> {
        self.span()
            .map_or(Origin::None, |s| Origin::Spans(Arc::from([s])))
    }
}

impl PortRecord {
    /// Where the port is written: `containerPort`, else the Service's entry.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        let service = || self.port.services.first().map(|s| s.span);
        self.port.declared.or_else(service)
    }
}

impl Record for TransportRecord {
    fn record_type(&self) -> &'static RecordType {
        &schema::TRANSPORT
    }

    fn field(&self, index: usize) -> Value<'_> {
        let fact = &self.0;
        match self.record_type().fields.get(index).map_or("", |f| f.name) {
            "mode" => fact.read(|t| Value::Str(t.mode.as_str())),
            "why" => fact.read(|t| Value::Str(t.mode.why())),
            "alternatives" => {
                fact.read(|t| strings(t.alternatives.iter().map(|m| Mode::as_str(*m))))
            }
            "byDefault" => fact.read(|_| Value::Bool(fact.by_default)),
            "decidedBy" => fact.read(|_| Value::Str(&fact.says)),
            _ => Value::Null,
        }
    }

    fn origin(&self, _index: usize) -> Origin<'_> {
        self.0.origin()
    }
}

impl Record for AccessRecord {
    fn record_type(&self) -> &'static RecordType {
        &schema::ACCESS
    }

    fn field(&self, index: usize) -> Value<'_> {
        let fact = &self.access;
        let texts = |list: fn(&Access) -> &std::collections::BTreeSet<String>| {
            fact.read(|a| strings(list(a).iter().map(String::as_str)))
        };
        match self.record_type().fields.get(index).map_or("", |f| f.name) {
            "level" => fact.read(|a| Value::Str(a.level.as_str())),
            "by" => fact.read(|a| strings(a.by.iter().map(|b| b.as_str()))),
            "set" => texts(|a| &a.set),
            "except" => texts(|a| &a.except),
            "nets" => texts(|a| &a.nets),
            "requests" => texts(|a| &a.requests),
            "delegated" => fact.read(|a| Value::Bool(a.delegated)),
            "proxied" => fact.read(|a| Value::Bool(a.proxied)),
            "byDefault" => fact.read(|_| Value::Bool(self.unrestricted)),
            _ => Value::Null,
        }
    }

    fn origin(&self, _index: usize) -> Origin<'_> {
        self.access.origin()
    }
}

/// One workload as a subject; variables `workload`, `object`.
#[derive(Debug)]
pub struct WorkloadSubject(pub Arc<WorkloadRecord>);

impl Subject for WorkloadSubject {
    fn resource(&self) -> &Arc<Resource> {
        &self.0.workload.resource
    }

    fn words(&self) -> String {
        format!(
            "{} {}",
            self.0.workload.resource.kind(),
            self.0.workload.reference()
        )
    }

    fn value(&self, variable: usize) -> Value<'_> {
        match variable {
            0 => Value::Record(self.0.as_ref()),
            1 => Value::Node(self.0.workload.resource.object()),
            _ => Value::Null,
        }
    }

    fn assumptions(&self) -> Vec<String> {
        self.0.membership.assumptions.clone()
    }
}

/// One port as a subject; variables `port`, `workload`.
#[derive(Debug)]
pub struct PortSubject {
    /// The workload.
    pub workload: Arc<WorkloadRecord>,
    /// Position among its ports.
    pub at: usize,
}

impl PortSubject {
    fn port(&self) -> Option<&PortRecord> {
        self.workload.ports.get(self.at)
    }
}

impl Subject for PortSubject {
    fn resource(&self) -> &Arc<Resource> {
        &self.workload.workload.resource
    }

    fn words(&self) -> String {
        let number = self.port().map_or(0, |p| p.port.number);
        format!("port {number} of {}", self.workload.workload.reference())
    }

    fn value(&self, variable: usize) -> Value<'_> {
        match (variable, self.port()) {
            (0, Some(port)) => Value::Record(port),
            (1, _) => Value::Record(self.workload.as_ref()),
            _ => Value::Null,
        }
    }

    fn span(&self) -> Span {
        self.port()
            .and_then(PortRecord::span)
            .unwrap_or_else(|| self.resource().name_span())
    }

    fn assumptions(&self) -> Vec<String> {
        let mut all = self.workload.membership.assumptions.clone();
        if let Some(port) = self.port() {
            all.extend(port.transport.0.assumptions.iter().cloned());
        }
        all.sort();
        all.dedup();
        all
    }
}
