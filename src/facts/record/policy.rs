//! `policy` as expressions read it. Input: an object with what an engine found about it; output: records and the subject.

use std::sync::Arc;

use super::{WorkloadRecord, strings};
use crate::cel::{Origin, Reasons, Record, RecordType, Value};
use crate::facts::policy::{Call, Gap, Source};
use crate::facts::schema::policy as table;
use crate::facts::subject::Subject;
use crate::resource::Resource;
use crate::source::Span;
use crate::view::Namespace;

/// `policy` with its facts.
#[derive(Debug)]
pub struct PolicyRecord {
    /// The object.
    pub resource: Arc<Resource>,
    /// Its effective namespace.
    pub namespace: Namespace,
    /// What it does with requests that match it; empty when it is no such policy.
    pub action: &'static str,
    /// Whether it stands where policies hold for the whole mesh.
    pub everywhere: bool,
    /// Whether the view holds any workload of the namespaces where it can select.
    pub namespace_shown: bool,
    /// Workloads it selects.
    pub workloads: Vec<Arc<WorkloadRecord>>,
    /// Why there may be more of everything.
    pub open: Option<Reasons>,
    /// Parts that do something else than they say.
    pub gaps: Vec<Gap>,
    /// Whom its rules speak of.
    pub sources: Vec<Source>,
    /// Calls whose TLS it sets.
    pub calls: Vec<Call>,
    /// What a finding about the policy as a whole takes for granted.
    pub assumptions: Vec<String>,
}

impl PolicyRecord {
    /// An object about which nothing is known yet.
    #[must_use]
    pub fn new(resource: &Arc<Resource>, namespace: &Namespace) -> Self {
        Self {
            resource: Arc::clone(resource),
            namespace: namespace.clone(),
            action: "",
            everywhere: false,
            namespace_shown: false,
            workloads: Vec::new(),
            open: None,
            gaps: Vec::new(),
            sources: Vec::new(),
            calls: Vec::new(),
            assumptions: Vec::new(),
        }
    }

    /// `namespace/name`, or the name alone.
    #[must_use]
    pub fn reference(&self) -> String {
        match self.namespace.as_str() {
            "" => self.resource.name.clone(),
            namespace => format!("{namespace}/{}", self.resource.name),
        }
    }

    /// A list of records, open where there may be more.
    fn list<'v, R: Record + 'v>(&'v self, items: impl Iterator<Item = &'v R>) -> Value<'v> {
        let items = items.map(|r| Value::Record(r)).collect();
        let list = match &self.open {
            Some(reasons) => Value::open_list(items, reasons.clone()),
            None => Value::list(items),
        };
        // Records nest no list, so this cannot be too deep.
        list.unwrap_or(Value::Null)
    }
}

fn name_of(record: &dyn Record, index: usize) -> &'static str {
    record
        .record_type()
        .fields
        .get(index)
        .map_or("", |f| f.name)
}

fn places(spans: &[Span]) -> Origin<'static> {
    if spans.is_empty() {
        return Origin::None;
    }
    Origin::Spans(Arc::from(spans))
}

impl Record for PolicyRecord {
    fn record_type(&self) -> &'static RecordType {
        &table::POLICY
    }

    fn field(&self, index: usize) -> Value<'_> {
        match name_of(self, index) {
            "kind" => Value::Str(self.resource.kind()),
            "namespace" => Value::Str(self.namespace.as_str()),
            "name" => Value::Str(&self.resource.name),
            "reference" => Value::text(self.reference()),
            "action" => Value::Str(self.action),
            "everywhere" => Value::Bool(self.everywhere),
            "workloads" => self.list(self.workloads.iter().map(Arc::as_ref)),
            "namespaceShown" => Value::Bool(self.namespace_shown),
            "gaps" => self.list(self.gaps.iter()),
            "sources" => self.list(self.sources.iter()),
            "calls" => self.list(self.calls.iter()),
            _ => Value::Null,
        }
    }

    fn own_origin(&self) -> Origin<'_> {
        Origin::Spans(Arc::from([self.resource.name_span()]))
    }
}

impl Record for Gap {
    fn record_type(&self) -> &'static RecordType {
        &table::GAP
    }

    fn field(&self, index: usize) -> Value<'_> {
        match name_of(self, index) {
            "why" => Value::Str(self.why),
            "effect" => Value::Str(self.effect.as_str()),
            "rule" => Value::Int(position(self.rule)),
            "subject" => Value::Str(&self.subject),
            "says" => Value::Str(&self.says),
            _ => Value::Null,
        }
    }

    fn origin(&self, _index: usize) -> Origin<'_> {
        places(&self.spans)
    }

    fn own_origin(&self) -> Origin<'_> {
        places(&self.spans)
    }

    fn assumptions(&self) -> &[String] {
        &self.assumptions
    }
}

impl Record for Source {
    fn record_type(&self) -> &'static RecordType {
        &table::SOURCE
    }

    fn field(&self, index: usize) -> Value<'_> {
        match name_of(self, index) {
            "rule" => Value::Int(position(Some(self.rule))),
            "names" => Value::Bool(self.names),
            "excludes" => Value::Bool(self.excludes),
            "bounded" => Value::Bool(self.bounded),
            "plaintextPorts" => strings(self.plaintext_ports.iter().map(String::as_str)),
            "anonymousPorts" => strings(self.anonymous_ports.iter().map(String::as_str)),
            _ => Value::Null,
        }
    }

    fn origin(&self, _index: usize) -> Origin<'_> {
        places(&[self.span])
    }

    fn own_origin(&self) -> Origin<'_> {
        places(&[self.span])
    }

    fn assumptions(&self) -> &[String] {
        &self.assumptions
    }
}

impl Record for Call {
    fn record_type(&self) -> &'static RecordType {
        &table::CALL
    }

    fn field(&self, index: usize) -> Value<'_> {
        match name_of(self, index) {
            "client" => Value::Str(&self.client),
            "to" => Value::Str(&self.to),
            "subset" => Value::Str(&self.subset),
            "tls" => Value::Str(&self.tls),
            "server" => Value::Str(&self.server),
            "wire" => Value::Str(self.wire),
            _ => Value::Null,
        }
    }

    fn origin(&self, _index: usize) -> Origin<'_> {
        places(&self.spans)
    }

    fn own_origin(&self) -> Origin<'_> {
        places(&self.spans)
    }

    fn assumptions(&self) -> &[String] {
        &self.assumptions
    }
}

fn position(at: Option<usize>) -> i64 {
    at.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1)
}

/// One policy as a subject; variables `policy`, `object`.
#[derive(Debug)]
pub struct PolicySubject(pub PolicyRecord);

impl Subject for PolicySubject {
    fn resource(&self) -> &Arc<Resource> {
        &self.0.resource
    }

    fn words(&self) -> String {
        format!("{} {}", self.0.resource.kind(), self.0.reference())
    }

    fn value(&self, variable: usize) -> Value<'_> {
        match variable {
            0 => Value::Record(&self.0),
            1 => Value::Node(self.0.resource.object()),
            _ => Value::Null,
        }
    }

    fn assumptions(&self) -> Vec<String> {
        self.0.assumptions.clone()
    }
}
