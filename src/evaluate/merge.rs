//! L6: drafts of all views → one list. Input: drafts by view; output: `Judgement`: superseded findings folded, the same
//! bytes seen through several views reported once, one sort, fingerprints.

use std::collections::{BTreeMap, HashSet};

use rustc_hash::FxHashMap;

use crate::evaluate::Judgement;
use crate::evaluate::compile::CompiledRule;
use crate::evaluate::draft::{self, Draft, DraftKind};
use crate::facts::subject::SubjectKind;
use crate::finding::{Finding, NotEvaluated, ObjectRef, Related};
use crate::fingerprint::{fingerprint, path_to};
use crate::source::{Sources, Span};

/// Drops findings whose cause another rule reports: on the same subject and element, or by blaming the same bytes (of the same workload,
/// unless the rule is about the policy itself).
pub(crate) fn fold_superseded(drafts: Vec<Draft>, rules: &[CompiledRule]) -> Vec<Draft> {
    let by_id: FxHashMap<&str, &CompiledRule> = rules
        .iter()
        .filter(|r| !r.rule.supersedes.is_empty())
        .map(|r| (r.rule.info.id.as_str(), r))
        .collect();
    if by_id.is_empty() {
        return drafts;
    }
    let mut folded: HashSet<(String, String, String, Option<Span>)> = HashSet::new();
    let mut blamed: HashSet<(String, Span, Option<String>)> = HashSet::new();
    let key = |rule: &str, d: &Draft, item| {
        (
            rule.to_owned(),
            d.resource.to_string(),
            d.subject.clone(),
            item,
        )
    };
    for draft in drafts.iter().filter(|d| d.is_finding()) {
        let Some(rule) = by_id.get(draft.rule.id.as_str()) else {
            continue;
        };
        for other in &rule.rule.supersedes {
            let other = rules
                .iter()
                .find(|r| r.rule.info.id == *other || r.rule.info.slug == *other)
                .map_or(other.as_str(), |r| r.rule.info.id.as_str());
            folded.insert(key(other, draft, draft.item));
            // A policy speaks for everything it decides, a workload only for itself.
            let of = match rule.rule.info.subject {
                SubjectKind::Workload | SubjectKind::Port | SubjectKind::Asset => {
                    Some(draft.resource.to_string())
                }
                _ => None,
            };
            blamed.insert((other.to_owned(), draft.span, of));
        }
    }
    let is_folded = |d: &Draft| {
        // Of two rules one may judge the elements of a list and the other the whole: then the subject decides.
        folded.contains(&key(&d.rule.id, d, d.item))
            || folded.contains(&key(&d.rule.id, d, None))
            || blamed.contains(&(d.rule.id.clone(), d.span, None))
            || blamed.contains(&(d.rule.id.clone(), d.span, Some(d.resource.to_string())))
    };
    drafts
        .into_iter()
        .filter(|d| !d.is_finding() || !is_folded(d))
        .collect()
}

impl Draft {
    fn is_finding(&self) -> bool {
        matches!(self.kind, DraftKind::Finding { .. })
    }
}

/// What makes two drafts of different views the same report.
type SameKey = (String, Span, String, String);

/// Merges the drafts of all views, in the order of the views.
pub(crate) fn merge(views: Vec<Vec<Draft>>, sources: &Sources) -> Judgement {
    let mut findings: Vec<(Finding, Draft)> = Vec::new();
    let mut undecided: Vec<NotEvaluated> = Vec::new();
    let mut seen: FxHashMap<SameKey, usize> = FxHashMap::default();
    let mut seen_undecided: FxHashMap<SameKey, usize> = FxHashMap::default();
    for draft in views.into_iter().flatten() {
        match &draft.kind {
            DraftKind::Finding { message, .. } => {
                let key = key(&draft, message);
                match seen.get(&key).and_then(|&at| findings.get_mut(at)) {
                    Some((finding, _)) => see_again(finding, draft),
                    None => {
                        seen.insert(key, findings.len());
                        findings.push((finding(&draft), draft));
                    }
                }
            }
            DraftKind::NotEvaluated { why, reason } => {
                let key = key(&draft, reason);
                match seen_undecided
                    .get(&key)
                    .and_then(|&at| undecided.get_mut(at))
                {
                    Some(known) => add_view(&mut known.views, draft.view),
                    None => {
                        seen_undecided.insert(key, undecided.len());
                        undecided.push(NotEvaluated {
                            rule: draft.rule.clone(),
                            resource: draft.resource.clone(),
                            subject: draft.subject.clone(),
                            span: draft.span,
                            reason: reason.clone(),
                            kind: *why,
                            views: vec![draft.view],
                        });
                    }
                }
            }
        }
    }
    let mut judgement = Judgement {
        findings: with_fingerprints(findings, sources),
        not_evaluated: undecided,
    };
    sort(&mut judgement, sources);
    judgement
}

fn key(draft: &Draft, words: &str) -> SameKey {
    (
        draft.rule.id.clone(),
        draft.span,
        words.to_owned(),
        draft.subject.clone(),
    )
}

fn add_view(views: &mut Vec<String>, view: String) {
    if view.is_empty() {
        return;
    }
    if let Err(at) = views.binary_search(&view) {
        views.insert(at, view);
    }
}

fn finding(draft: &Draft) -> Finding {
    let DraftKind::Finding {
        confidence,
        message,
        label,
        related,
        assumptions,
    } = draft.kind.clone()
    else {
        unreachable!("called for findings only");
    };
    let mut assumptions = assumptions;
    assumptions.sort();
    assumptions.dedup();
    Finding {
        rule: draft.rule.clone(),
        severity: draft.severity,
        confidence,
        message,
        span: draft.span,
        label,
        related: related
            .into_iter()
            .map(|(span, label)| Related { span, label })
            .collect(),
        resource: draft.resource.clone(),
        subject: draft.subject.clone(),
        views: Some(draft.view.clone())
            .filter(|v| !v.is_empty())
            .into_iter()
            .collect(),
        assumptions,
        fingerprint: String::new(),
        family: String::new(),
        suppressed: None,
    }
}

/// The same report through another view: the surest view speaks.
fn see_again(known: &mut Finding, draft: Draft) {
    let again = finding(&draft);
    if again.confidence > known.confidence {
        known.confidence = again.confidence;
        known.assumptions = again.assumptions;
        known.related = again.related;
    }
    add_view(&mut known.views, draft.view);
}

/// Numbers findings that are equal but for their place, in order of path and position.
fn with_fingerprints(mut findings: Vec<(Finding, Draft)>, sources: &Sources) -> Vec<Finding> {
    findings.sort_by(|(a, _), (b, _)| place_key(a.span, sources).cmp(&place_key(b.span, sources)));
    let mut ordinals: BTreeMap<String, usize> = BTreeMap::new();
    findings
        .into_iter()
        .map(|(mut finding, draft)| {
            let holder = draft.holder.as_deref();
            let path = holder
                .and_then(|r| path_to(r.object(), draft.span))
                .unwrap_or_default();
            let holder = holder.map_or_else(draft::no_object, draft::identity);
            // Files have no identity but their path.
            let subject = if is_empty(&draft.identity) && is_empty(&holder) {
                sources
                    .get(draft.span.source)
                    .map_or("", |f| f.path.as_str())
            } else {
                subject_words(&draft)
            };
            let hash = |ordinal| {
                fingerprint(
                    &draft.rule.id,
                    &draft.identity,
                    subject,
                    &holder,
                    &path,
                    ordinal,
                )
            };
            finding.family = hash(0);
            let ordinal = ordinals.entry(finding.family.clone()).or_default();
            finding.fingerprint = hash(*ordinal);
            *ordinal += 1;
            finding
        })
        .collect()
}

fn is_empty(object: &ObjectRef) -> bool {
    object.kind.is_empty()
}

/// What tells apart the subjects of one object, without the view's namespace.
fn subject_words(draft: &Draft) -> &str {
    draft
        .subject
        .split_once(" of ")
        .map_or("", |(what, _)| what)
}

fn place_key(span: Span, sources: &Sources) -> (&str, u32, u32) {
    let path = sources.get(span.source).map_or("", |f| f.path.as_str());
    (path, span.start, span.end)
}

/// The one order of everything reported: worst first, then by place.
pub fn sort(judgement: &mut Judgement, sources: &Sources) {
    judgement.findings.sort_by(|a, b| {
        b.severity
            .cmp(&a.severity)
            .then_with(|| b.confidence.cmp(&a.confidence))
            .then_with(|| place_key(a.span, sources).cmp(&place_key(b.span, sources)))
            .then_with(|| a.rule.id.cmp(&b.rule.id))
            .then_with(|| a.fingerprint.cmp(&b.fingerprint))
            .then_with(|| a.message.cmp(&b.message))
    });
    judgement.not_evaluated.sort_by(|a, b| {
        b.rule
            .severity
            .cmp(&a.rule.severity)
            .then_with(|| place_key(a.span, sources).cmp(&place_key(b.span, sources)))
            .then_with(|| a.rule.id.cmp(&b.rule.id))
            .then_with(|| (&a.subject, &a.reason).cmp(&(&b.subject, &b.reason)))
    });
}
