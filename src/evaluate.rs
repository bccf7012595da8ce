//! L6: rules × subjects. Input: compiled rules and the `World` of each view; output: `Judgement`: findings and what could
//! not be decided, in one fixed order, without duplicates.

pub mod compile;
mod counterpart;
pub mod draft;
pub mod engine;
pub mod expression;
pub mod functions;
pub mod judge;
pub mod locate;
pub mod merge;
pub mod values;

use std::collections::HashSet;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::facts::subject::{SubjectKind, World};
use crate::finding::{Finding, NotEvaluated};
use crate::resource::GroupKind;
use crate::source::{Sources, Span};

pub use compile::CompiledRule;
use draft::Draft;
use judge::Judged;

/// What the rules say of a run's views.
#[derive(Debug, Default)]
pub struct Judgement {
    /// Rules broken.
    pub findings: Vec<Finding>,
    /// Rules undecided.
    pub not_evaluated: Vec<NotEvaluated>,
}

/// Judges every subject of every view by every rule; `others` are drafts raised elsewhere.
#[must_use]
pub fn evaluate(
    rules: &[CompiledRule],
    worlds: &[World],
    others: Vec<Vec<Draft>>,
    sources: &Sources,
) -> Judgement {
    let drafts = worlds
        .iter()
        .map(|world| merge::fold_superseded(of_view(rules, world), rules))
        .chain(others)
        .collect();
    merge::merge(drafts, sources)
}

fn of_view(rules: &[CompiledRule], world: &World) -> Vec<Draft> {
    let by_kind: FxHashMap<&GroupKind, Vec<&CompiledRule>> = world
        .view
        .kinds()
        .map(|kind| {
            let fitting = rules
                .iter()
                .filter(|r| r.rule.info.subject == SubjectKind::Resource && r.looks_at(kind));
            (kind, fitting.collect())
        })
        .collect();
    // Chunks keep the order, so the result does not depend on the threads.
    let mut drafts: Vec<Draft> = world
        .view
        .members
        .par_iter()
        .with_min_len(64)
        .filter(|member| !member.resource.is_assumed())
        .flat_map_iter(|member| {
            let rules = by_kind.get(&member.resource.group_kind);
            rules
                .into_iter()
                .flatten()
                .flat_map(|rule| judge::judge(rule, &Judged::Member(member), world))
        })
        .collect();
    for (kind, subjects) in &world.facts {
        let fitting: Vec<_> = rules
            .iter()
            .filter(|r| r.rule.info.subject == *kind)
            .collect();
        let judged = subjects
            .par_iter()
            .filter(|subject| !subject.resource().is_assumed());
        drafts.par_extend(judged.flat_map_iter(|subject| {
            fitting
                .iter()
                .filter(|r| r.looks_at(&subject.resource().group_kind))
                .flat_map(|rule| judge::judge(rule, &Judged::Fact(subject.as_ref()), world))
        }));
    }
    for rule in rules
        .iter()
        .filter(|r| r.rule.info.subject == SubjectKind::Tree)
    {
        drafts.extend(judge::judge(rule, &Judged::Tree, world));
    }
    said_once(drafts)
}

/// Drops what is said of an object that a release makes where the same rule says it of the release itself, at the same place.
fn said_once(mut drafts: Vec<Draft>) -> Vec<Draft> {
    let is_made = |d: &Draft| d.holder.as_ref().is_some_and(|r| r.is_made());
    if !drafts.iter().any(is_made) {
        return drafts;
    }
    let said: HashSet<(String, Span)> = drafts
        .iter()
        .filter(|d| !is_made(d))
        .map(|d| (d.rule.id.clone(), d.span))
        .collect();
    drafts.retain(|d| !is_made(d) || !said.contains(&(d.rule.id.clone(), d.span)));
    drafts
}
