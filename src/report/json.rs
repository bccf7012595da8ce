//! L7: `json`: everything for programs. Input: `Outcome`; output: the contract of architecture.md §7, version 1.
//!
//! Lines and columns are 1-based, columns count Unicode scalar values, ends are exclusive.

use std::io::{self, BufWriter, Write};

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use crate::facts::{Confidence, Severity};
use crate::finding::{
    EnvironmentSummary, Finding, NotAnalysed, NotEvaluated, NotEvaluatedKind, ObjectRef, Outcome,
    Suppressed,
};

use super::{Options, Place, Summary, access, place, selected, transport, write_json};

/// Where lines stop to break: one finding a line, one figure of the summary a line.
const DEPTH: usize = 2;

/// Writes one JSON document.
pub(super) fn write(outcome: &Outcome, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    let document = Document {
        version: 1,
        tool: Tool {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
        },
        findings: Findings(outcome, options),
        not_evaluated: NotEvaluateds(outcome),
        not_analysed: outcome.not_analysed.iter().map(Into::into).collect(),
        views: outcome.views.iter().map(view).collect(),
        summary: summary(outcome),
    };
    write_json(&mut out, &document, DEPTH)?;
    out.flush()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    version: u32,
    tool: Tool,
    findings: Findings<'a>,
    not_evaluated: NotEvaluateds<'a>,
    not_analysed: Vec<NotAnalysedOut<'a>>,
    views: Vec<View<'a>>,
    summary: SummaryOut<'a>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

/// Written one by one: a hundred thousand of them need no copy.
struct Findings<'a>(&'a Outcome, &'a Options);

impl Serialize for Findings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(None)?;
        for finding in selected(self.0, self.1) {
            seq.serialize_element(&finding_out(self.0, finding))?;
        }
        seq.end()
    }
}

struct NotEvaluateds<'a>(&'a Outcome);

impl Serialize for NotEvaluateds<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.0.not_evaluated.len()))?;
        for entry in &self.0.not_evaluated {
            seq.serialize_element(&not_evaluated_out(self.0, entry))?;
        }
        seq.end()
    }
}

#[derive(Serialize)]
struct At<'a> {
    path: &'a str,
    start: Point,
    end: Point,
}

#[derive(Serialize)]
struct Point {
    line: u32,
    column: u32,
}

impl<'a> From<Place<'a>> for At<'a> {
    fn from(place: Place<'a>) -> Self {
        let point = |p: crate::source::Position| Point {
            line: p.line,
            column: p.column,
        };
        Self {
            path: place.path,
            start: point(place.start),
            end: point(place.end),
        }
    }
}

#[derive(Serialize)]
struct FindingOut<'a> {
    rule: &'a str,
    slug: &'a str,
    severity: Severity,
    confidence: Confidence,
    message: &'a str,
    #[serde(flatten)]
    at: At<'a>,
    label: &'a str,
    resource: &'a ObjectRef,
    subject: &'a str,
    views: &'a [String],
    related: Vec<RelatedOut<'a>>,
    assumptions: &'a [String],
    fingerprint: &'a str,
    suppressed: Option<&'a Suppressed>,
}

#[derive(Serialize)]
struct RelatedOut<'a> {
    #[serde(flatten)]
    at: At<'a>,
    label: &'a str,
}

fn finding_out<'a>(outcome: &'a Outcome, finding: &'a Finding) -> FindingOut<'a> {
    FindingOut {
        rule: &finding.rule.id,
        slug: &finding.rule.slug,
        severity: finding.severity,
        confidence: finding.confidence,
        message: &finding.message,
        at: place(&outcome.sources, finding.span).into(),
        label: &finding.label,
        resource: &finding.resource,
        subject: &finding.subject,
        views: &finding.views,
        related: finding
            .related
            .iter()
            .map(|related| RelatedOut {
                at: place(&outcome.sources, related.span).into(),
                label: &related.label,
            })
            .collect(),
        assumptions: &finding.assumptions,
        fingerprint: &finding.fingerprint,
        suppressed: finding.suppressed.as_ref(),
    }
}

#[derive(Serialize)]
struct NotEvaluatedOut<'a> {
    rule: &'a str,
    slug: &'a str,
    kind: NotEvaluatedKind,
    reason: &'a str,
    #[serde(flatten)]
    at: At<'a>,
    resource: &'a ObjectRef,
    subject: &'a str,
    views: &'a [String],
}

fn not_evaluated_out<'a>(outcome: &'a Outcome, entry: &'a NotEvaluated) -> NotEvaluatedOut<'a> {
    NotEvaluatedOut {
        rule: &entry.rule.id,
        slug: &entry.rule.slug,
        kind: entry.kind,
        reason: &entry.reason,
        at: place(&outcome.sources, entry.span).into(),
        resource: &entry.resource,
        subject: &entry.subject,
        views: &entry.views,
    }
}

#[derive(Serialize)]
struct NotAnalysedOut<'a> {
    path: &'a str,
    reason: &'a str,
}

impl<'a> From<&'a NotAnalysed> for NotAnalysedOut<'a> {
    fn from(entry: &'a NotAnalysed) -> Self {
        Self {
            path: &entry.path,
            reason: &entry.reason,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    name: &'a str,
    found_by: &'a str,
    objects: usize,
    unset_namespace: usize,
    workloads: usize,
    meshed: usize,
    mesh: Option<&'a str>,
    assets: usize,
    decided: Decided,
    opaque: Vec<&'a str>,
    assumptions: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<&'a EnvironmentSummary>,
}

#[derive(Serialize)]
struct Decided {
    transport: Share,
    access: Share,
}

#[derive(Serialize)]
struct Share {
    known: usize,
    all: usize,
}

impl From<(usize, usize)> for Share {
    fn from((known, all): (usize, usize)) -> Self {
        Self { known, all }
    }
}

fn view(view: &crate::finding::ViewSummary) -> View<'_> {
    View {
        name: &view.name,
        found_by: &view.found_by,
        objects: view.objects,
        unset_namespace: view.unset_namespace,
        workloads: view.workloads,
        meshed: view.meshed,
        mesh: Some(view.mesh.as_str()).filter(|m| !m.is_empty()),
        assets: view.assets,
        decided: Decided {
            transport: view.transport_decided.into(),
            access: view.access_decided.into(),
        },
        opaque: view.opaque.iter().map(|(_, what)| what.as_str()).collect(),
        assumptions: &view.assumptions,
        environment: view.environment.as_ref(),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SummaryOut<'a> {
    today: &'a str,
    files: usize,
    objects: usize,
    views: usize,
    rules: usize,
    findings_total: usize,
    findings: Counts,
    gate: GateOut,
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<BaseOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<BaselineOut<'a>>,
    not_evaluated: usize,
    not_analysed: usize,
    decided: Decided,
}

#[derive(Serialize)]
struct Counts {
    #[serde(flatten)]
    by_severity: serde_json::Map<String, serde_json::Value>,
    suppressed: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GateOut {
    fail_on: Option<Severity>,
    fail_confidence: Confidence,
    failing: usize,
}

#[derive(Serialize)]
struct BaseOut<'a> {
    revision: &'a str,
    known: usize,
}

#[derive(Serialize)]
struct BaselineOut<'a> {
    path: &'a str,
    accepted: usize,
    fixed: &'a [String],
}

fn summary(outcome: &Outcome) -> SummaryOut<'_> {
    let summary = Summary::of(outcome);
    SummaryOut {
        today: &outcome.today,
        files: outcome.files,
        objects: outcome.objects,
        views: outcome.views.len(),
        rules: outcome.rules.len(),
        findings_total: summary.total,
        findings: Counts {
            by_severity: summary
                .by_severity
                .iter()
                .map(|(severity, count)| (severity.as_str().to_owned(), (*count).into()))
                .collect(),
            suppressed: summary.suppressed,
        },
        gate: GateOut {
            fail_on: outcome.gate.fail_on,
            fail_confidence: outcome.gate.fail_confidence,
            failing: summary.failing,
        },
        base: Some(BaseOut {
            revision: &outcome.old.base,
            known: outcome.old.known,
        })
        .filter(|base| !base.revision.is_empty()),
        baseline: Some(BaselineOut {
            path: &outcome.old.baseline,
            accepted: outcome.old.accepted,
            fixed: &outcome.old.fixed,
        })
        .filter(|baseline| !baseline.path.is_empty()),
        not_evaluated: outcome.not_evaluated.len(),
        not_analysed: outcome.not_analysed.len(),
        decided: Decided {
            transport: transport(outcome).into(),
            access: access(outcome).into(),
        },
    }
}
