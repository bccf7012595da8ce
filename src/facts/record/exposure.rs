//! `exposure` as expressions read it. Input: an `Exposure` with the access of callers from outside; output: record and subject.

use std::sync::Arc;

use super::{AccessRecord, PortRecord, WorkloadRecord, strings};
use crate::cel::{Origin, Reasons, Record, RecordType, Value};
use crate::facts::exposure::{EdgeTls, Exposure};
use crate::facts::schema;
use crate::facts::subject::Subject;
use crate::facts::{Role, Step};
use crate::resource::Resource;
use crate::source::Span;

/// `exposure` with its facts.
#[derive(Debug)]
pub struct ExposureRecord {
    /// The way in.
    pub exposure: Exposure,
    /// Its TLS, or the numbers of the reasons why it is unknown.
    pub tls: Result<EdgeTls, Reasons>,
    /// Who gets in by it.
    pub access: AccessRecord,
}

impl Record for ExposureRecord {
    fn record_type(&self) -> &'static RecordType {
        &schema::EXPOSURE
    }

    fn field(&self, index: usize) -> Value<'_> {
        let exposure = &self.exposure;
        match self.record_type().fields.get(index).map_or("", |f| f.name) {
            "way" => Value::Str(exposure.way.as_str()),
            "openedBy" => Value::text(exposure.opened_by()),
            "gateway" => Value::text(exposure.gateway()),
            "service" => Value::Str(&exposure.service),
            "port" => Value::Int(i64::from(exposure.outside_port)),
            "hosts" => strings(exposure.hosts.iter().map(String::as_str)),
            "paths" => strings(exposure.paths.iter().map(String::as_str)),
            "tls" => match &self.tls {
                Ok(tls) => Value::Str(tls.as_str()),
                Err(reasons) => Value::Unknown(reasons.clone()),
            },
            "internal" => Value::Bool(exposure.internal),
            "mirror" => Value::Bool(exposure.mirror),
            "access" => Value::Record(&self.access),
            _ => Value::Null,
        }
    }

    fn origin(&self, index: usize) -> Origin<'_> {
        match self.record_type().fields.get(index).map_or("", |f| f.name) {
            "tls" | "port" | "hosts" => self.spans(|s| s.says.contains("Gateway")),
            _ => self.own_origin(),
        }
    }

    fn own_origin(&self) -> Origin<'_> {
        self.spans(|_| true)
    }
}

impl ExposureRecord {
    /// The deciding places of the steps that fit, all of them where none fits.
    fn spans(&self, fits: impl Fn(&Step) -> bool) -> Origin<'_> {
        let deciding = || {
            let steps = self.exposure.steps.iter();
            steps.filter(|s| s.role == Role::Decides)
        };
        let mut spans: Vec<Span> = deciding()
            .filter(|s| fits(s))
            .filter_map(Step::span)
            .collect();
        if spans.is_empty() {
            spans = deciding().filter_map(Step::span).collect();
        }
        if spans.is_empty() {
            return Origin::None;
        }
        Origin::Spans(Arc::from(spans))
    }

    fn span(&self) -> Span {
        let mut steps = self.exposure.steps.iter();
        steps
            .find(|s| s.role == Role::Decides)
            .and_then(Step::span)
            .unwrap_or_else(|| self.exposure.opener.name_span())
    }

    fn assumptions(&self) -> impl Iterator<Item = &String> {
        let steps = self.exposure.steps.iter();
        steps
            .filter(|s| matches!(s.role, Role::Assumed(_)))
            .map(|s| &s.says)
    }
}

/// One way in as a subject; variables `exposure`, `port`, `workload`, `object`.
#[derive(Debug)]
pub struct ExposureSubject {
    /// The workload it ends at.
    pub workload: Arc<WorkloadRecord>,
    /// Position of the port among the workload's.
    pub port: usize,
    /// Position of the way among the port's.
    pub at: usize,
}

impl ExposureSubject {
    fn port(&self) -> Option<&PortRecord> {
        self.workload.ports.get(self.port)
    }

    fn exposure(&self) -> Option<&ExposureRecord> {
        self.port()?.exposures.get(self.at)
    }
}

impl Subject for ExposureSubject {
    fn resource(&self) -> &Arc<Resource> {
        self.exposure()
            .map_or(&self.workload.workload.resource, |e| &e.exposure.opener)
    }

    fn words(&self) -> String {
        let number = self.port().map_or(0, |p| p.port.number);
        let way = self.exposure().map_or("", |e| e.exposure.way.as_str());
        format!(
            "{way} to port {number} of {}",
            self.workload.workload.reference()
        )
    }

    fn value(&self, variable: usize) -> Value<'_> {
        match (variable, self.port(), self.exposure()) {
            (0, _, Some(exposure)) => Value::Record(exposure),
            (1, Some(port), _) => Value::Record(port),
            (2, ..) => Value::Record(self.workload.as_ref()),
            (3, _, Some(exposure)) => Value::Node(exposure.exposure.opener.object()),
            _ => Value::Null,
        }
    }

    fn span(&self) -> Span {
        self.exposure()
            .map_or_else(|| self.resource().name_span(), ExposureRecord::span)
    }

    fn assumptions(&self) -> Vec<String> {
        let mut all = self.workload.membership.assumptions.clone();
        if let Some(port) = self.port() {
            all.extend(port.transport.0.assumptions.iter().cloned());
        }
        if let Some(exposure) = self.exposure() {
            all.extend(exposure.assumptions().cloned());
        }
        all.sort();
        all.dedup();
        all
    }
}
