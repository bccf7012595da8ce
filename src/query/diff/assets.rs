//! AI assets that came, went or became others. Input: two views in comparison; output: changes of class, models, providers, exposure and
//! grade.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::asset::grade::{Grade, Letter};
use crate::drift::cause::Question;
use crate::drift::lattice::by_width;
use crate::facts::change::{About, Cause, Change, ChangeKind, Direction, Edges, Side, State};
use crate::facts::workload::Workload;
use crate::query::assets::{self, AssetEntry, Exposure, OfView};
use crate::query::diff::Compared;
use crate::query::diff::facts::Facts;
use crate::source::Span;

/// Kind, namespace, name.
pub(super) type Key = (String, String, String);

impl Compared<'_, '_> {
    /// Compares the sure assets of both views.
    pub(super) fn assets(&mut self) {
        let of =
            |facts: &Facts<'_>| assets::of_view(&facts.inventory, &facts.analysis, &mut Vec::new());
        let (before, after) = (of(self.base), of(self.head));
        if before.is_empty() && after.is_empty() {
            return;
        }
        let renamed = self.renamed();
        let mut pairs: BTreeMap<Key, (Option<&OfView>, Option<&OfView>)> = BTreeMap::new();
        for asset in before.iter().filter(|a| !a.entry.possible) {
            let key = key(&asset.entry);
            let key = renamed.get(&key).cloned().unwrap_or(key);
            pairs.entry(key).or_default().0 = Some(asset);
        }
        for asset in after.iter().filter(|a| !a.entry.possible) {
            pairs.entry(key(&asset.entry)).or_default().1 = Some(asset);
        }
        for pair in pairs.into_values() {
            match pair {
                (Some(before), Some(after)) => self.asset(before, after),
                (Some(gone), None) => self.one_asset(gone, Side::Base),
                (None, Some(new)) => self.one_asset(new, Side::Head),
                (None, None) => {}
            }
        }
        self.flows((&before, &after), &renamed);
    }

    /// Workloads that pair under another name: base to head.
    fn renamed(&self) -> BTreeMap<Key, Key> {
        let of = |facts: &Facts<'_>, at: usize| {
            let w = facts.workload(at)?;
            Some((
                w.resource.kind().to_owned(),
                w.namespace.as_str().to_owned(),
                w.resource.name.clone(),
            ))
        };
        self.pairs
            .both
            .iter()
            .filter_map(|&(b, h)| Some((of(self.base, b)?, of(self.head, h)?)))
            .filter(|(b, h)| b != h)
            .collect()
    }

    fn about_asset(&self, asset: &OfView, side: Side) -> About {
        About {
            resource: Arc::clone(&asset.resource),
            side,
            namespace: asset.entry.namespace.clone(),
            port: None,
            is_asset: true,
        }
    }

    fn one_asset(&mut self, asset: &OfView, side: Side) {
        let about = self.about_asset(asset, side);
        let class = State::Known(asset.entry.class.as_str().to_owned());
        let (states, word) = match side {
            Side::Base => ((class, State::Absent), "gone"),
            Side::Head => ((State::Absent, class), "new"),
        };
        let says = format!("{} {} is {word}", asset.entry.kind, about.reference());
        let mut change = self.change(ChangeKind::Asset, about, states, Direction::Changed);
        change.cause = vec![Cause {
            side,
            span: asset.entry.span,
            says,
        }];
        self.changes.push(change);
        // Providers and models of an asset that comes or goes come or go with it.
        let nothing = Vec::new();
        let named = provider_hosts(&asset.entry);
        let (before, after) = match side {
            Side::Base => (&named, &nothing),
            Side::Head => (&nothing, &named),
        };
        self.named(ChangeKind::Provider, asset, side, before, after);
    }

    fn asset(&mut self, before: &OfView, after: &OfView) {
        let (was, is) = (&before.entry, &after.entry);
        if was.class != is.class {
            let word = |e: &AssetEntry| State::Known(e.class.as_str().to_owned());
            let states = (word(was), word(is));
            self.moved(
                ChangeKind::Asset,
                (before, after),
                states,
                Direction::Changed,
            );
        }
        let models = |e: &AssetEntry| -> Vec<(String, Span)> {
            let refs = e.refs.iter();
            refs.map(|m| (m.value.uri.clone(), m.span)).collect()
        };
        self.named(
            ChangeKind::Model,
            after,
            Side::Head,
            &models(was),
            &models(is),
        );
        self.named(
            ChangeKind::Provider,
            after,
            Side::Head,
            &provider_hosts(was),
            &provider_hosts(is),
        );
        // Ports of the pods have their ways in compared one by one.
        let has_ports = |facts: &Facts<'_>, asset: &OfView| {
            let of = |w: &&Workload| w.resource.id == asset.resource.id && !w.ports.is_empty();
            facts.analysis.topology.workloads.iter().any(|w| of(&w))
        };
        let by_port = has_ports(self.base, before) && has_ports(self.head, after);
        if was.exposure != is.exposure && !by_port {
            let word = |e: &AssetEntry| State::Known(e.exposure.as_str().to_owned());
            let known =
                |e: &AssetEntry| !matches!(e.exposure, Exposure::Unknown | Exposure::NotCalled);
            let direction = if known(was) && known(is) {
                by_width(&was.exposure, &is.exposure)
            } else {
                Direction::Changed
            };
            let states = (word(was), word(is));
            self.moved(ChangeKind::Exposure, (before, after), states, direction);
        }
        let (b, h) = (was.grade.letter(), is.grade.letter());
        if b.sign() != h.sign() {
            let direction = match (b, h) {
                (Letter::Known(b), Letter::Known(h)) => by_width(&b, &h),
                _ => Direction::Changed,
            };
            let states = (grade(&was.grade), grade(&is.grade));
            self.moved(ChangeKind::Grade, (before, after), states, direction);
        }
    }

    /// A fact of an asset that both sides have.
    fn moved(
        &mut self,
        kind: ChangeKind,
        (before, after): (&OfView, &OfView),
        states: (State, State),
        direction: Direction,
    ) {
        let about = self.about_asset(after, Side::Head);
        let mut change = self.change(kind, about, states, direction);
        change.cause = self.of_workload(&after.entry, kind);
        if change.cause.is_empty() {
            change.cause = self.explain(&Question {
                base_objects: &before.related(),
                head_objects: &after.related(),
                namespaces: &[&after.entry.namespace],
                ..Question::default()
            });
        }
        self.changes.push(change);
    }

    /// A grade follows from who reaches the pods: it has the causes of those changes, and of callers that reach other ports.
    fn of_workload(&self, asset: &AssetEntry, kind: ChangeKind) -> Vec<Cause> {
        if kind != ChangeKind::Grade {
            return Vec::new();
        }
        let same = |c: &&Change| {
            c.about.namespace == asset.namespace
                && c.about.resource.name == asset.name
                && c.about.resource.kind() == asset.kind
                && matches!(c.kind, ChangeKind::Access | ChangeKind::Transport)
        };
        let port = format!("{}:", asset.reference());
        let by_caller = |c: &&Change| {
            let names = |e: &Edges| {
                let mut all = e.first_added.iter().chain(&e.first_removed);
                all.any(|name| name.starts_with(&port))
            };
            c.kind == ChangeKind::Reach && c.edges.as_ref().is_some_and(names)
        };
        let mut of_changes: Vec<&Change> = self.changes.iter().filter(same).collect();
        if of_changes.is_empty() {
            of_changes.extend(self.changes.iter().filter(by_caller));
        }
        let mut causes: Vec<Cause> = Vec::new();
        for cause in of_changes.into_iter().flat_map(|c| &c.cause) {
            if !causes.contains(cause) {
                causes.push(cause.clone());
            }
        }
        causes
    }

    /// Things an asset names, each where it names it: what came and what went.
    fn named(
        &mut self,
        kind: ChangeKind,
        asset: &OfView,
        side: Side,
        before: &[(String, Span)],
        after: &[(String, Span)],
    ) {
        let set = |list: &[(String, Span)]| -> BTreeSet<String> {
            list.iter().map(|(name, _)| name.clone()).collect()
        };
        let (was, is) = (set(before), set(after));
        if was == is {
            return;
        }
        let direction = match (kind, was.is_subset(&is), is.is_subset(&was)) {
            (ChangeKind::Provider, true, _) => Direction::Widened,
            (ChangeKind::Provider, _, true) => Direction::Narrowed,
            _ => Direction::Changed,
        };
        let state = |set: &BTreeSet<String>| {
            if set.is_empty() {
                return State::Absent;
            }
            let names: Vec<&str> = set.iter().map(String::as_str).collect();
            State::Known(names.join(" "))
        };
        let about = self.about_asset(asset, side);
        let mut change = self.change(kind, about, (state(&was), state(&is)), direction);
        let places = |side, list: &[(String, Span)], other: &BTreeSet<String>, word: &str| {
            list.iter()
                .filter(|(name, _)| !other.contains(name))
                .map(|(name, span)| Cause {
                    side,
                    span: *span,
                    says: format!("{name} is {word}"),
                })
                .collect::<Vec<_>>()
        };
        change.cause = places(Side::Base, before, &is, "gone");
        change.cause.extend(places(Side::Head, after, &was, "new"));
        self.changes.push(change);
    }
}

fn key(entry: &AssetEntry) -> Key {
    (
        entry.kind.clone(),
        entry.namespace.clone(),
        entry.name.clone(),
    )
}

pub(super) fn provider_hosts(entry: &AssetEntry) -> Vec<(String, Span)> {
    let providers = entry.providers.iter();
    providers.map(|p| (p.value.0.clone(), p.span)).collect()
}

/// `B W4 U- O2 B0 K1`.
fn grade(grade: &Grade) -> State {
    let mut words = grade.letter().sign().to_string();
    for (sign, component) in grade.components() {
        words.push_str(&format!(" {sign}{}", component.shown()));
    }
    State::Known(words)
}
