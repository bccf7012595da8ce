//! L3: the same object twice in one view, with different content. Input: the copies of a view; output: INPUT010 data.
//!
//! `kubectl apply -f folder/` applies files in order of their names, so the last copy wins and the first is lost. Within one
//! file, or where the config says that folders belong together, that is surely not meant. Files of one folder may be
//! alternatives that are applied by hand, one at a time (samples, tutorials): there the finding has low confidence.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::load::problem::{InputProblem, ProblemKind};
use crate::resource::Resource;
use crate::view::content::{Copies, Copy};

/// Further copies that a finding names.
const MAX_RELATED: usize = 3;

/// The conflicts of all views so far.
#[derive(Debug, Default)]
pub(crate) struct Conflicts {
    pub(crate) problems: Vec<InputProblem>,
    /// Numbers of the objects of each.
    seen: BTreeSet<Vec<u32>>,
}

/// Sorts out repeated objects of a view: drops equal ones, reports unequal ones.
///
/// Each object comes with the namespace that stands for an absent one, and keeps it.
pub(crate) fn settle<'r>(
    resources: Vec<(&'r Arc<Resource>, Option<&'r str>)>,
    copies: &Copies,
    is_declared: bool,
    found: &mut Conflicts,
) -> Vec<(&'r Arc<Resource>, Option<&'r str>)> {
    let mut met: BTreeMap<u32, Vec<(Copy, &Arc<Resource>)>> = BTreeMap::new();
    let mut kept = Vec::with_capacity(resources.len());
    for (resource, namespace) in resources {
        let Some(copy) = copies.get(resource) else {
            kept.push((resource, namespace));
            continue;
        };
        let known = met.entry(copy.identity).or_default();
        if known.iter().all(|(other, _)| other.content != copy.content) {
            known.push((copy, resource));
            kept.push((resource, namespace));
        }
    }
    for copies in met.into_values() {
        let ids: Vec<u32> = copies.iter().map(|(_, resource)| resource.id.0).collect();
        if let Some(problem) = problem(&copies, is_declared)
            && found.seen.insert(ids)
        {
            found.problems.push(problem);
        }
    }
    kept
}

fn problem(copies: &[(Copy, &Arc<Resource>)], is_declared: bool) -> Option<InputProblem> {
    let ((_, last), others) = copies.split_last()?;
    let (_, first) = others.first()?;
    let source = |resource: &Resource| resource.name_span().source;
    let is_one_file = others
        .iter()
        .any(|(_, other)| source(other) == source(last));
    let mut related: Vec<_> = others
        .iter()
        .take(MAX_RELATED)
        .map(|(_, other)| (other.name_span(), "defined differently here".to_owned()))
        .collect();
    if let Some((_, label)) = related.first_mut()
        && others.len() > MAX_RELATED
    {
        *label = format!(
            "defined differently here and in {} more places",
            others.len() - 1
        );
    }
    Some(InputProblem {
        kind: ProblemKind::Conflict,
        span: last.name_span(),
        message: format!(
            "{} `{}` is defined {} times with different content; applied together, the last one wins",
            first.kind(),
            first.name,
            copies.len()
        ),
        help: "delete one, rename one, or keep alternatives in folders of their own".to_owned(),
        related,
        resource: Some(last.id),
        is_sure: is_one_file || is_declared,
    })
}
