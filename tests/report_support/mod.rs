//! Builds `Outcome`s by hand, so that formats are tested without the stages before them.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::sync::Arc;

use meshgov::facts::{Confidence, Severity};
use meshgov::finding::{
    Finding, Gate, NotAnalysed, NotEvaluated, NotEvaluatedKind, ObjectRef, Outcome, Related,
    Suppressed, ViewSummary,
};
use meshgov::report::{Document, FORMATS, Options};
use meshgov::rule::{RuleInfo, RuleSource, SubjectKind};
use meshgov::source::{SourceFile, Sources, Span};
use meshgov::view::Lack;

/// A rule with all its words.
pub(crate) fn rule(id: &str, slug: &str, severity: Severity, summary: &str) -> Arc<RuleInfo> {
    Arc::new(RuleInfo {
        id: id.into(),
        slug: slug.into(),
        summary: summary.into(),
        severity,
        confidence: Confidence::High,
        since: "0.1.0".into(),
        subject: SubjectKind::Resource,
        source: RuleSource::Builtin,
        references: vec!["https://istio.io/latest/docs/reference/".into()],
        controls: vec!["nist-800-53/SC-8".into()],
        why: format!("Because of `{slug}`. A second sentence.\n\nA second paragraph."),
        fix: "Set `mode: STRICT`\non the port.\n\n```yaml\nmode: STRICT\n```".into(),
    })
}

/// An `Outcome` in the making.
pub(crate) struct Builder {
    pub(crate) outcome: Outcome,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            outcome: Outcome {
                findings: vec![],
                not_evaluated: vec![],
                not_analysed: vec![],
                views: vec![],
                rules: vec![],
                sources: Sources::default(),
                secrets: vec![],
                objects: 0,
                files: 0,
                gate: Gate {
                    fail_on: Some(Severity::High),
                    fail_confidence: Confidence::Medium,
                },
                today: "2026-11-24".into(),
                old: meshgov::finding::Old::default(),
            },
        }
    }

    pub(crate) fn rule(&mut self, rule: &Arc<RuleInfo>) {
        self.outcome.rules.push(Arc::clone(rule));
        self.outcome.rules.sort_by(|a, b| a.id.cmp(&b.id));
    }

    pub(crate) fn source(&mut self, path: &str, text: &str) -> Arc<SourceFile> {
        self.outcome.files += 1;
        self.outcome.sources.add(path, text)
    }

    pub(crate) fn find(&mut self, finding: Finding) -> &mut Finding {
        self.outcome.findings.push(finding);
        self.outcome.findings.last_mut().unwrap()
    }

    /// As the evaluator sorts them.
    pub(crate) fn sorted(mut self) -> Outcome {
        let path = |f: &Finding| f.span.source;
        self.outcome.findings.sort_by(|a, b| {
            (b.severity, b.confidence)
                .cmp(&(a.severity, a.confidence))
                .then_with(|| (path(a), a.span.start).cmp(&(path(b), b.span.start)))
                .then_with(|| a.rule.id.cmp(&b.rule.id))
                .then_with(|| a.fingerprint.cmp(&b.fingerprint))
        });
        self.outcome.secrets.sort_unstable();
        self.outcome
    }
}

/// The span of the first `needle` in a file.
pub(crate) fn at(file: &SourceFile, needle: &str) -> Span {
    let start = file.text.find(needle).expect(needle);
    span(file, start, start + needle.len())
}

pub(crate) fn span(file: &SourceFile, start: usize, end: usize) -> Span {
    Span {
        source: file.id,
        start: u32::try_from(start).unwrap(),
        end: u32::try_from(end).unwrap(),
    }
}

pub(crate) fn finding(rule: &Arc<RuleInfo>, span: Span, message: &str) -> Finding {
    Finding {
        rule: Arc::clone(rule),
        severity: rule.severity,
        confidence: rule.confidence,
        message: message.into(),
        span,
        label: String::new(),
        related: vec![],
        resource: ObjectRef {
            api_version: "apps/v1".into(),
            kind: "Deployment".into(),
            namespace: "scoring".into(),
            name: "fraud-model".into(),
        },
        subject: "scoring/fraud-model".into(),
        views: vec!["prod".into()],
        assumptions: vec![],
        fingerprint: format!("{:032x}", u64::from(span.start) + u64::from(span.source.0)),
        family: format!("{:032x}", span.start),
        suppressed: None,
    }
}

pub(crate) fn related(span: Span, label: &str) -> Related {
    Related {
        span,
        label: label.into(),
    }
}

/// One of everything: the only `Outcome` whose rendering is snapshotted.
pub(crate) fn tour() -> Outcome {
    let mut builder = Builder::new();
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/report/tour");
    let mut load = |name: &str| {
        let text = std::fs::read_to_string(format!("{dir}/{name}")).unwrap();
        builder.source(&format!("apps/{name}"), &text)
    };
    let (mesh, model, config) = (load("mesh.yaml"), load("model.yaml"), load("config.json"));
    let plaintext = rule(
        "MTLS001",
        "plaintext-accepted",
        Severity::High,
        "a meshed port accepts callers that present no identity",
    );
    let wildcard = rule(
        "AUTHZ003",
        "wildcard-principal",
        Severity::Critical,
        "a policy admits every identity",
    );
    let clear = rule(
        "AILLM002",
        "clear-text-provider",
        Severity::Medium,
        "a model provider is called without TLS",
    );
    let token = rule(
        "AICRED001",
        "literal-credential",
        Severity::High,
        "a credential stands in a manifest",
    );
    for rule in [&plaintext, &wildcard, &clear, &token] {
        builder.rule(rule);
    }
    let disable = at(&mesh, "DISABLE");
    let of = builder.find(finding(
        &plaintext,
        disable,
        "port 8080 of scoring/fraud-model accepts plaintext",
    ));
    of.label = "but this port opts out".into();
    of.related = vec![
        related(at(&mesh, "STRICT"), "the workload is STRICT here"),
        related(at(&model, "8080"), "the server listens here"),
    ];
    of.views = vec!["prod".into(), "staging".into()];
    let of = builder.find(finding(
        &wildcard,
        at(&mesh, "\"*\""),
        "AuthorizationPolicy scoring/anyone admits every identity of the mesh",
    ));
    of.label = "every identity".into();
    let of = builder.find(finding(
        &clear,
        at(&config, "http://模型.example/v1"),
        "ConfigMap chat/gateway calls a model provider over http",
    ));
    of.confidence = Confidence::Low;
    of.assumptions = vec!["no ServiceEntry outside the tree originates TLS".into()];
    let secret = at(&model, "hf_CANARYCANARY");
    builder.find(finding(
        &token,
        secret,
        "container server of scoring/fraud-model has a Hugging Face token in its environment",
    ));
    builder.outcome.secrets.push(secret);
    let of = builder.find(finding(
        &plaintext,
        at(&model, "containerPort"),
        "port 8080 of scoring/fraud-model accepts plaintext during the migration",
    ));
    of.suppressed = Some(Suppressed {
        by: "comment".into(),
        reason: "migration, RISK-77".into(),
        until: Some("2027-03-31".into()),
    });
    for path in [
        "charts/a/templates/deploy.yaml",
        "charts/a/templates/svc.yaml",
    ] {
        builder.outcome.not_analysed.push(NotAnalysed {
            path: path.into(),
            reason: "template".into(),
        });
    }
    builder.outcome.not_analysed.push(NotAnalysed {
        path: "docs/notes.yaml".into(),
        reason: "not YAML: line 3, column 5: this quote is never closed".into(),
    });
    for (rule, kind, reason) in [
        (
            &plaintext,
            NotEvaluatedKind::Unknown,
            "HelmRelease ml/ollama is not rendered",
        ),
        (
            &wildcard,
            NotEvaluatedKind::Unknown,
            "HelmRelease ml/ollama is not rendered",
        ),
        (&clear, NotEvaluatedKind::Error, "no such key: `port`"),
    ] {
        let found = finding(rule, at(&model, "fraud-model"), "");
        builder.outcome.not_evaluated.push(NotEvaluated {
            rule: Arc::clone(rule),
            resource: found.resource,
            subject: found.subject,
            span: found.span,
            reason: reason.into(),
            kind,
            views: found.views,
        });
    }
    for (name, meshed) in [("prod", 1), ("staging", 0)] {
        builder.outcome.views.push(ViewSummary {
            name: name.into(),
            found_by: "kustomization".into(),
            objects: 4,
            workloads: 2,
            meshed,
            mesh: "Istio sidecar, 1.27 assumed".into(),
            assets: 1,
            transport_decided: (10, 11),
            access_decided: (9, 11),
            opaque: vec![
                (Lack::Unrendered, "HelmRelease ml/ollama".into()),
                (Lack::Unread, "broken document".into()),
            ],
            assumptions: vec![
                "istio.rootNamespace is istio-system".into(),
                format!("nothing outside {name} applies to it"),
            ],
            ..ViewSummary::default()
        });
    }
    builder.outcome.objects = 8;
    builder.sorted()
}

/// As many findings of two rules, each on its own line.
pub(crate) fn many(count: usize) -> Outcome {
    let mut builder = Builder::new();
    let bad = rule("BAD001", "bad", Severity::High, "bad things");
    let worse = rule("BAD002", "worse", Severity::Critical, "worse things");
    builder.rule(&bad);
    builder.rule(&worse);
    let text = "key: value\n".repeat(count);
    let file = builder.source("a.yaml", &text);
    for line in 0..count {
        let rule = if line % 7 == 6 { &worse } else { &bad };
        let start = line * 11 + 5;
        builder.find(finding(
            rule,
            span(&file, start, start + 5),
            "a value is bad",
        ));
    }
    builder.outcome.objects = count;
    builder.sorted()
}

/// The report of a format.
pub(crate) fn render(outcome: &Outcome, options: &Options, format: &str) -> String {
    let mut out = Vec::new();
    let format = meshgov::report::format(Document::Check, format).unwrap();
    (format.write)(outcome, options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The reports of every format, with and without silenced findings and caps.
pub(crate) fn render_all(outcome: &Outcome) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for format in FORMATS {
        for everything in [false, true] {
            let options = Options {
                all: everything,
                suppressed: everything,
                ..Options::default()
            };
            let name = format!("{} {everything}", format.name);
            all.push((name, render(outcome, &options, format.name)));
        }
    }
    all
}
