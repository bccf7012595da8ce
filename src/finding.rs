//! L6: what a run has to say. Input: rules judged over subjects; output: `Finding`, `NotEvaluated`, `Outcome` for the reports.

use std::sync::Arc;

use crate::facts::{Confidence, Severity};
use crate::rule::RuleInfo;
use crate::source::{Sources, Span};
use crate::view::Lack;

/// The object a finding is about, as the reader names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRef {
    /// `apiVersion` as written.
    pub api_version: String,
    /// Kind as written.
    pub kind: String,
    /// Effective namespace; empty for cluster scope and for the unnamed namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl std::fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{} {}", self.kind, self.name)
        } else {
            write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
        }
    }
}

/// A further place that belongs to a finding, with its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// Where.
    pub span: Span,
    /// Why it matters: `the workload is STRICT here`.
    pub label: String,
}

/// How a finding was silenced.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Suppressed {
    /// `comment`, `annotation`, `config` or `baseline`.
    pub by: String,
    /// The required reason.
    pub reason: String,
    /// Last day it holds, `YYYY-MM-DD`.
    pub until: Option<String>,
}

/// A rule broken by the user's manifests.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: Arc<RuleInfo>,
    /// Severity after config overrides.
    pub severity: Severity,
    /// Confidence of this finding.
    pub confidence: Confidence,
    /// One line that names the object and what is wrong; first sentence under 100 characters; never a secret.
    pub message: String,
    /// The smallest node that decides.
    pub span: Span,
    /// What stands at `span`, in words, for the label under the caret; empty = none.
    pub label: String,
    /// Further places in order of the proof.
    pub related: Vec<Related>,
    /// The object.
    pub resource: ObjectRef,
    /// What was judged, in words: `port 8080 of ml/llm`.
    pub subject: String,
    /// Names of the views that show it, sorted.
    pub views: Vec<String>,
    /// What was taken for granted, sorted.
    pub assumptions: Vec<String>,
    /// 32 hex digits that survive moved lines, renamed files and reordered lists.
    pub fingerprint: String,
    /// The fingerprint without what tells apart findings that differ by their place only.
    pub family: String,
    /// Set when silenced; silenced findings are reported only on request and never gate.
    pub suppressed: Option<Suppressed>,
}

/// A rule that could not be decided on a subject.
#[derive(Clone, Debug)]
pub struct NotEvaluated {
    /// The rule.
    pub rule: Arc<RuleInfo>,
    /// The object.
    pub resource: ObjectRef,
    /// What was to be judged.
    pub subject: String,
    /// Where the lack shows.
    pub span: Span,
    /// Why: the unknown facts, or the evaluation error.
    pub reason: String,
    /// `unknown` (facts are missing) or `error` (the expression failed) or `fuel`.
    pub kind: NotEvaluatedKind,
    /// Names of the views.
    pub views: Vec<String>,
}

/// Why a rule was not decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NotEvaluatedKind {
    /// A fact it needs is unknown.
    Unknown,
    /// The expression failed.
    Error,
    /// The expression ran out of fuel.
    Fuel,
}

/// An input that was seen and not analysed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotAnalysed {
    /// Path as in findings.
    pub path: String,
    /// Why: `template`, `not utf-8` …
    pub reason: String,
}

/// Which environment a view is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentSummary {
    /// The application: its name in the config, else `deploy/overlays/*`.
    pub application: String,
    /// Position among its environments: production first.
    #[serde(skip)]
    pub rank: usize,
    /// The environment.
    pub name: String,
    /// Whether it is production.
    pub production: bool,
}

/// What the opening line says of one view.
#[derive(Clone, Debug, Default)]
pub struct ViewSummary {
    /// Name.
    pub name: String,
    /// How it was found.
    pub found_by: String,
    /// Kustomizations that were built for it.
    pub overlays: usize,
    /// Objects in it.
    pub objects: usize,
    /// Namespaced objects whose namespace nothing names.
    pub unset_namespace: usize,
    /// Pod-carrying objects.
    pub workloads: usize,
    /// Of these, known to be in a mesh.
    pub meshed: usize,
    /// The mesh in words, empty without evidence: `Istio sidecar, 1.27 assumed`.
    pub mesh: String,
    /// AI assets.
    pub assets: usize,
    /// Ports whose transport is known, and all ports.
    pub transport_decided: (usize, usize),
    /// Ports whose access is known, and all ports.
    pub access_decided: (usize, usize),
    /// Unrendered releases, unreadable documents and the like, in words.
    pub opaque: Vec<(Lack, String)>,
    /// What was taken for granted in this view.
    pub assumptions: Vec<String>,
    /// The environment it is, where an application has several.
    pub environment: Option<EnvironmentSummary>,
}

/// Which findings fail a run.
#[derive(Clone, Copy, Debug)]
pub struct Gate {
    /// Least severity that fails; `None` = nothing fails.
    pub fail_on: Option<Severity>,
    /// Least confidence that fails.
    pub fail_confidence: Confidence,
}

impl Gate {
    /// Whether this finding fails the run.
    #[must_use]
    pub fn fails(&self, finding: &Finding) -> bool {
        finding.suppressed.is_none()
            && self.fail_on.is_some_and(|least| finding.severity >= least)
            && finding.confidence >= self.fail_confidence
    }
}

/// What a run leaves out because it is old.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Old {
    /// The revision whose findings are not shown: `origin/main`; empty without one.
    pub base: String,
    /// Findings that it has too.
    pub known: usize,
    /// Path of the baseline; empty without one.
    pub baseline: String,
    /// Findings that the baseline accepts.
    pub accepted: usize,
    /// Entries of the baseline that nothing fits any more: rule and object.
    pub fixed: Vec<String>,
}

/// Everything a report prints of a `check` run.
#[derive(Debug)]
pub struct Outcome {
    /// Sorted by severity (worst first), confidence, path, start, rule, fingerprint; no duplicates.
    pub findings: Vec<Finding>,
    /// Sorted like findings.
    pub not_evaluated: Vec<NotEvaluated>,
    /// Sorted by path.
    pub not_analysed: Vec<NotAnalysed>,
    /// In view order.
    pub views: Vec<ViewSummary>,
    /// All rules that were evaluated, in id order.
    pub rules: Vec<Arc<RuleInfo>>,
    /// The texts that spans index.
    pub sources: Sources,
    /// Byte ranges whose text no report may show, sorted.
    pub secrets: Vec<Span>,
    /// Objects read.
    pub objects: usize,
    /// Files read, broken ones included.
    pub files: usize,
    /// What is left out because it is old.
    pub old: Old,
    /// What fails the run.
    pub gate: Gate,
    /// The day suppressions were judged on, `YYYY-MM-DD`.
    pub today: String,
}
