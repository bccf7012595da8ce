//! Which view is which. Input: the views of two trees; output: pairs by name, what is left by common objects.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crate::query::diff::aside::is_export;
use crate::resource::Resource;
use crate::view::{Member, View};

/// Identities of all pod-carrying objects of a tree.
#[derive(Debug, Default)]
pub(super) struct Identities(HashSet<(String, String, String)>);

impl Identities {
    pub(super) fn holds(&self, resource: &Resource, namespace: &str) -> bool {
        !self.0.is_empty() && self.0.contains(&key(resource, namespace))
    }
}

fn key(resource: &Resource, namespace: &str) -> (String, String, String) {
    (
        resource.kind().to_owned(),
        namespace.to_owned(),
        resource.name.clone(),
    )
}

/// The pod-carrying objects of a tree with several views; with one view nothing can stand elsewhere.
pub(super) fn identities(views: &[Arc<View>]) -> Identities {
    if views.len() < 2 {
        return Identities::default();
    }
    let workload = |m: &&Member| crate::pods::template(&m.resource).is_some();
    let members = views.iter().flat_map(|v| &v.members).filter(workload);
    Identities(
        members
            .map(|m| key(&m.resource, m.namespace.as_str()))
            .collect(),
    )
}

type Pair<'v> = (Option<&'v Arc<View>>, Option<&'v Arc<View>>);

/// Pairs by name. A view that has no namesake pairs with the one that shares most objects with it: a folder that was moved, or one view
/// that became several. One view on each side is a pair whatever the names.
///
/// One cluster is one view: beside an export, views of other clusters are not compared.
pub(super) fn pair<'v>(base: &'v [Arc<View>], head: &'v [Arc<View>]) -> Vec<Pair<'v>> {
    if let ([b], [h]) = (base, head) {
        return vec![(Some(b), Some(h))];
    }
    let exported = |views: &[Arc<View>]| !views.is_empty() && views.iter().all(|v| is_export(v));
    match (exported(base), exported(head)) {
        (true, false) => {
            let pair = |b: &'v Arc<View>| (Some(b), nearest(b, head));
            return base.iter().map(pair).collect();
        }
        (false, true) => {
            let pair = |h: &'v Arc<View>| (nearest(h, base), Some(h));
            return head.iter().map(pair).collect();
        }
        _ => {}
    }
    let named = |list: &'v [Arc<View>], name: &str| list.iter().find(|v| v.name == name);
    let mut pairs: Vec<Pair<'v>> = Vec::new();
    for h in head {
        let partner = named(base, &h.name).or_else(|| nearest(h, base));
        pairs.push((partner, Some(h)));
    }
    for b in base.iter().filter(|b| named(head, &b.name).is_none()) {
        let is_paired = pairs
            .iter()
            .any(|(of, _)| of.is_some_and(|v| Arc::ptr_eq(v, b)));
        match nearest(b, head) {
            Some(h) if !pairs.iter().any(|p| is(p, b, h)) => pairs.push((Some(b), Some(h))),
            Some(_) => {}
            None if !is_paired => pairs.push((Some(b), None)),
            None => {}
        }
    }
    pairs
}

fn is(pair: &Pair<'_>, b: &Arc<View>, h: &Arc<View>) -> bool {
    let same = |a: Option<&Arc<View>>, b: &Arc<View>| a.is_some_and(|a| Arc::ptr_eq(a, b));
    same(pair.0, b) && same(pair.1, h)
}

/// The view that shares most objects; `None` when no view shares any.
fn nearest<'v>(view: &View, others: &'v [Arc<View>]) -> Option<&'v Arc<View>> {
    let of = |view: &View| -> BTreeSet<(String, String, String)> {
        let members = view.members.iter();
        members
            .map(|m| key(&m.resource, m.namespace.as_str()))
            .collect()
    };
    let own = of(view);
    let mut best: Option<(usize, &Arc<View>)> = None;
    for other in others {
        let common = of(other).intersection(&own).count();
        if common > best.map_or(0, |(n, _)| n) {
            best = Some((common, other));
        }
    }
    best.map(|(_, view)| view)
}
