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

use std::collections::HashMap;

use rayon::prelude::*;

use crate::facts::subject::{SubjectKind, World};
use crate::finding::{Finding, NotEvaluated};
use crate::resource::GroupKind;
use crate::source::Sources;

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
    let by_kind: HashMap<&GroupKind, Vec<&CompiledRule>> = world
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
        drafts.par_extend(subjects.par_iter().flat_map_iter(|subject| {
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
    drafts
}
