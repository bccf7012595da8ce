//! L7: what is not known of a run. Input: `Outcome`; output: what was not read, not rendered, not built, not decided or not analysed, counted by
//! why.

use std::collections::{BTreeMap, BTreeSet};

use super::{and_more, number, plural};
use crate::finding::Outcome;
use crate::view::Lack;

/// Reasons why something is not known, as [`Lack::title`] has them, in the order of reports.
const LACKS: [&str; 4] = ["not read", "not rendered", "not built", "not followed"];

/// Says that a run saw no workload although there may be some in what is not rendered.
pub(super) fn unseen(outcome: &Outcome) -> Option<String> {
    let seen = outcome.views.iter().any(|view| view.workloads > 0);
    let lacking = lacking(outcome);
    (!seen && !lacking.is_empty())
        .then(|| format!("no workload was judged ({})", lacking.join(", ")))
}

pub(super) fn lacking(outcome: &Outcome) -> Vec<String> {
    lacks(outcome.views.iter().flat_map(|v| &v.opaque))
}

/// What is not known, by why: `not rendered: 12 HelmReleases`.
pub(super) fn lacks<'o>(all: impl Iterator<Item = &'o (Lack, String)> + Clone) -> Vec<String> {
    let titles = LACKS.into_iter();
    titles
        .map(|title| (title, counted(of_title(all.clone(), title), title)))
        .filter(|(_, opaque)| !opaque.is_empty())
        .map(|(title, opaque)| format!("{title}: {opaque}"))
        .collect()
}

fn of_title<'o>(
    all: impl Iterator<Item = &'o (Lack, String)>,
    title: &str,
) -> impl Iterator<Item = &'o str> {
    all.filter(move |(lack, _)| lack.title() == title)
        .map(|(_, what)| what.as_str())
}

/// Names of what is not known for one reason; how often, where several views have it.
pub(super) fn opaque_names(outcome: &Outcome, title: &str) -> Vec<String> {
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for what in of_title(outcome.views.iter().flat_map(|v| &v.opaque), title) {
        *names.entry(what).or_default() += 1;
    }
    let line = |(name, count): (&str, usize)| match count {
        1 => name.to_owned(),
        n => format!("{name} ({} times)", number(n)),
    };
    names.into_iter().map(line).collect()
}

/// `12 HelmReleases` or `1 broken document`: what stands before the name of each, counted.
pub(super) fn opaque(outcome: &Outcome, title: &str) -> String {
    let all = outcome.views.iter().flat_map(|v| &v.opaque);
    counted(of_title(all, title), title)
}

fn counted<'o>(opaque: impl Iterator<Item = &'o str>, title: &str) -> String {
    let is_named = title != Lack::Unread.title();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for what in opaque {
        let kind = match what.split_once(' ') {
            Some((kind, _)) if is_named => kind,
            _ => what,
        };
        *kinds.entry(kind).or_default() += 1;
    }
    let words: Vec<String> = kinds.into_iter().map(|(k, n)| plural(n, k)).collect();
    and_more(words.iter(), 4)
}

/// Why rules were not decided: reason, how often, ids of the rules; what settles most first.
pub(super) fn not_evaluated_by_reason(outcome: &Outcome) -> Vec<(&str, usize, BTreeSet<&str>)> {
    let mut reasons: BTreeMap<&str, (usize, BTreeSet<&str>)> = BTreeMap::new();
    for entry in &outcome.not_evaluated {
        let (count, rules) = reasons.entry(&entry.reason).or_default();
        *count += 1;
        rules.insert(&entry.rule.id);
    }
    let mut all: Vec<_> = reasons
        .into_iter()
        .map(|(reason, (count, rules))| (reason, count, rules))
        .collect();
    all.sort_by_key(|(_, count, _)| std::cmp::Reverse(*count));
    all
}

/// Why inputs were not analysed, without the details that follow a colon; each with its paths and details in order.
pub(super) fn not_analysed_by_reason(outcome: &Outcome) -> BTreeMap<&str, Vec<(&str, &str)>> {
    let mut reasons: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for entry in &outcome.not_analysed {
        let (reason, detail) = entry.reason.split_once(": ").unwrap_or((&entry.reason, ""));
        reasons
            .entry(reason)
            .or_default()
            .push((&entry.path, detail));
    }
    reasons
}
