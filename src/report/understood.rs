//! L7: the opening line. Input: `Outcome`; output: views, mesh, workloads, assets, and how much of them is decided.

use std::collections::{BTreeMap, BTreeSet};

use super::lacking::lacking;
use super::{and_more, number, plural};
use crate::finding::Outcome;

/// The opening line of architecture.md §6.
pub(super) fn understood(outcome: &Outcome) -> String {
    let views = &outcome.views;
    if outcome.objects == 0 || views.is_empty() {
        return format!("no Kubernetes object in {}", plural(outcome.files, "file"));
    }
    let sum = |field: fn(&crate::finding::ViewSummary) -> usize| views.iter().map(field).sum();
    let mut parts = vec![format!(
        "{}: {} ({})",
        plural(views.len(), "view"),
        and_more(views.iter().map(|v| v.name.as_str()), 5),
        found_by(outcome)
    )];
    let meshes: BTreeSet<&str> = views
        .iter()
        .map(|v| v.mesh.as_str())
        .filter(|m| !m.is_empty())
        .collect();
    let meshed: usize = sum(|v| v.meshed);
    let workloads = plural(sum(|v| v.workloads), "workload");
    if meshes.is_empty() {
        parts.push("no mesh".to_owned());
        parts.push(workloads);
    } else {
        parts.push(distinct(&meshes).join(" and "));
        parts.push(format!("{workloads}, {} meshed", number(meshed)));
    }
    parts.extend(environments(outcome));
    let assets: usize = sum(|v| v.assets);
    if assets > 0 {
        parts.push(plural(assets, "AI asset"));
    }
    let shares: Vec<String> = [
        ("transport", transport(outcome)),
        ("access", access(outcome)),
    ]
    .into_iter()
    .filter_map(|(name, (known, all))| Some(format!("{name} {} %", percent(known, all)?)))
    .collect();
    if !shares.is_empty() {
        parts.push(format!("decided: {}", shares.join(", ")));
    }
    parts.extend(lacking(outcome));
    parts.join(" · ")
}

/// `environments: production, staging, dev`, production first; of several applications how many there are.
fn environments(outcome: &Outcome) -> Option<String> {
    let list: BTreeSet<_> = outcome
        .views
        .iter()
        .filter_map(|v| v.environment.as_ref())
        .map(|e| {
            (
                e.application.as_str(),
                e.rank,
                e.name.as_str(),
                e.production,
            )
        })
        .collect();
    let applications: BTreeSet<&str> = list.iter().map(|(name, ..)| *name).collect();
    let compared: BTreeSet<&str> = (list.iter().filter(|(.., production)| *production))
        .map(|(name, ..)| *name)
        .collect();
    match applications.len() {
        0 => None,
        1 => {
            let names = and_more(list.iter().map(|(_, _, name, _)| *name), 5);
            Some(match compared.is_empty() {
                true => format!("environments: {names}, none known as production"),
                false => format!("environments: {names}"),
            })
        }
        all => Some(match all - compared.len() {
            0 => format!("environments of {all} applications"),
            open => {
                format!("environments of {all} applications, {open} without a known production")
            }
        }),
    }
}

/// Without `Istio` where another view says `Istio sidecar`.
fn distinct<'a>(meshes: &BTreeSet<&'a str>) -> Vec<&'a str> {
    let says_less = |mesh: &str| {
        let mut others = meshes.iter().filter(|other| **other != mesh);
        others.any(|other| {
            other
                .strip_prefix(mesh)
                .is_some_and(|rest| rest.starts_with(' '))
        })
    };
    meshes.iter().copied().filter(|m| !says_less(m)).collect()
}

/// Ports whose transport is known, and all ports.
pub(super) fn transport(outcome: &Outcome) -> (usize, usize) {
    pair_sum(outcome.views.iter().map(|v| v.transport_decided))
}

/// Ports whose access is known, and all ports.
pub(super) fn access(outcome: &Outcome) -> (usize, usize) {
    pair_sum(outcome.views.iter().map(|v| v.access_decided))
}

fn pair_sum(pairs: impl Iterator<Item = (usize, usize)>) -> (usize, usize) {
    pairs.fold((0, 0), |(a, b), (c, d)| (a + c, b + d))
}

/// Rounded down, so that 100 means all; `None` of nothing.
fn percent(known: usize, all: usize) -> Option<usize> {
    (known.min(all) * 100).checked_div(all)
}

/// `14 overlays, Flux`: a view that is one kustomization says so already.
fn found_by(outcome: &Outcome) -> String {
    let views = outcome.views.iter();
    let composed = views.filter(|view| view.found_by != "kustomization");
    let overlays: usize = composed.map(|view| view.overlays).sum();
    let overlays = (overlays > 0).then(|| plural(overlays, "overlay"));
    let mut ways: BTreeMap<&str, usize> = BTreeMap::new();
    for view in &outcome.views {
        *ways.entry(&view.found_by).or_default() += 1;
    }
    let one = ways.len() == 1;
    let words = ways.into_iter().map(|(way, count)| {
        if one {
            way.to_owned()
        } else {
            format!("{} {way}", number(count))
        }
    });
    let words: Vec<String> = overlays.into_iter().chain(words).collect();
    words.join(", ")
}
