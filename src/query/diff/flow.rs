//! Who exchanges data with what. Input: the lineage of two views; output: flows that came and went, one change for each workload or asset.
//!
//! Models and providers that an asset names are changes of their own and are not told twice; the same holds for what comes or goes with an
//! asset at the other end. Edges of which no object on either side says anything new are no news.

mod cause;
mod leak;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::asset::lineage::{self, Leak, Lineage};
use crate::asset::link::Links;
use crate::facts::change::{About, Cause, ChangeKind, Direction, Side, State};
use crate::facts::lineage::{Edge, Node, NodeKind};
use crate::facts::{Origin, Role, Step, UnknownReason};
use crate::pods;
use crate::query::assets::OfView;
use crate::query::diff::Compared;
use crate::query::diff::assets::{Key, provider_hosts};
use crate::query::diff::facts::Facts;
use crate::resource::Resource;
use cause::Told;

/// The graph of one side.
struct Drawn<'a> {
    lineage: Lineage,
    leaks: Vec<Vec<Leak>>,
    assets: &'a [OfView],
    /// Names of nodes as the head has them.
    names: Vec<String>,
}

/// Something with flows of its own.
#[derive(Clone)]
struct Actor<'a> {
    resource: Arc<Resource>,
    namespace: String,
    /// Its position among the assets; `None` for other workloads.
    asset: Option<usize>,
    drawn: &'a Drawn<'a>,
    flows: BTreeMap<Flow, &'a Edge>,
}

/// Whether data flows to the other end, and the node there.
type Flow = (NodeKind, String, bool);

/// Flows of one actor that came or went.
#[derive(Default)]
struct News {
    /// What is at the other end in words, with the directions of the flows.
    ends: BTreeMap<(NodeKind, String), BTreeSet<bool>>,
    /// Further words.
    phrases: Vec<String>,
    /// Places outside the cluster that data is sent to, in words.
    outside: Vec<String>,
    /// Why this side cannot be known.
    unknown: Vec<UnknownReason>,
    /// Why the other side cannot.
    doubts: Vec<UnknownReason>,
    cause: Vec<Cause>,
    proof: Vec<Step>,
}

impl Compared<'_, '_> {
    /// Compares the flows of both views; `assets` are those of base and head.
    pub(super) fn flows(
        &mut self,
        (before, after): (&[OfView], &[OfView]),
        renamed: &BTreeMap<Key, Key>,
    ) {
        let (past, present) = rayon::join(
            || Drawn::of(self.base, before, renamed),
            || Drawn::of(self.head, after, &BTreeMap::new()),
        );
        let (mut was, is) = (past.actors(), present.actors());
        let mut pairs = Vec::new();
        for (name, actor) in is {
            pairs.push((was.remove(&name), Some(actor)));
        }
        pairs.extend(was.into_values().map(|actor| (Some(actor), None)));
        for (before, after) in pairs {
            self.flow(before.as_ref(), after.as_ref());
        }
    }

    fn flow(&mut self, before: Option<&Actor<'_>>, after: Option<&Actor<'_>>) {
        let Some((side, actor)) = after
            .map(|a| (Side::Head, a))
            .or(before.map(|b| (Side::Base, b)))
        else {
            return;
        };
        let (gone, new) = (
            self.news(Side::Base, before, after),
            self.news(Side::Head, after, before),
        );
        let (Some(mut gone), Some(mut new)) = (gone, new) else {
            return;
        };
        gone.unknown = std::mem::take(&mut new.doubts);
        new.unknown = std::mem::take(&mut gone.doubts);
        let level = self.leaks(before, after, &mut gone, &mut new);
        if gone.is_nothing() && new.is_nothing() {
            return;
        }
        if self.lacks && (!gone.unknown.is_empty() || !new.unknown.is_empty()) {
            self.totals.undecided += 1;
            return;
        }
        let (more, less) = (
            !new.outside.is_empty() || level.0,
            !gone.outside.is_empty() || level.1,
        );
        let unknown = !gone.unknown.is_empty() || !new.unknown.is_empty();
        let direction = match (more, less) {
            _ if unknown => Direction::Changed,
            (true, false) => Direction::Widened,
            (false, true) => Direction::Narrowed,
            _ => Direction::Changed,
        };
        let about = About {
            resource: Arc::clone(&actor.resource),
            side,
            namespace: actor.namespace.clone(),
            port: None,
            is_asset: self.side(side).assets.contains(&actor.resource.id),
        };
        let mut change = self.change(
            ChangeKind::Flow,
            about,
            (gone.state(), new.state()),
            direction,
        );
        for cause in gone.cause.into_iter().chain(new.cause) {
            if !change.cause.contains(&cause) {
                change.cause.push(cause);
            }
        }
        change.ends = new.outside;
        change.base_proof = gone.proof;
        change.head_proof = new.proof;
        self.changes.push(change);
    }

    /// The flows of an actor that the other side does not have; `None` where nothing may be said.
    fn news(&self, side: Side, own: Option<&Actor<'_>>, other: Option<&Actor<'_>>) -> Option<News> {
        let mut news = News::default();
        let Some(own) = own else {
            return Some(news);
        };
        let alone = self.is_alone(side, own)?;
        for (flow, edge) in &own.flows {
            if other.is_some_and(|o| o.flows.contains_key(flow)) || self.is_named(own, other, flow)
            {
                continue;
            }
            let told = match &alone {
                Some(cause) => Told::Cause(vec![cause.clone()]),
                None => self.told(side, (own, other), flow, edge),
            };
            news.add(own, flow, edge, told);
        }
        Some(news)
    }

    /// Why all of an actor is new or gone; the outer `None` where another view has it.
    #[expect(clippy::option_option, reason = "three answers")]
    fn is_alone(&self, side: Side, actor: &Actor<'_>) -> Option<Option<Cause>> {
        let both = self.objects.both(side, actor.resource.id);
        let member = match (side, both) {
            (Side::Base, (Some(member), None)) | (Side::Head, (None, Some(member))) => member,
            _ => return Some(None),
        };
        let facts = self.side(side);
        let alone = match side {
            Side::Base => &self.pairs.removed,
            Side::Head => &self.pairs.added,
        };
        let is = |at: &usize| {
            facts
                .workload(*at)
                .is_some_and(|w| w.resource.id == actor.resource.id)
        };
        if pods::template(&actor.resource).is_some() && !alone.iter().any(is) {
            return None;
        }
        Some(Some(cause::one_sided(
            side,
            member,
            member.resource.name_span(),
        )))
    }

    /// Whether changes of models and providers tell of a flow.
    fn is_named(&self, own: &Actor<'_>, other: Option<&Actor<'_>>, (kind, name, _): &Flow) -> bool {
        let entries = [Some(own), other].into_iter().flatten();
        let mut assets = entries.filter_map(|a| Some(&a.drawn.assets.get(a.asset?)?.entry));
        match kind {
            NodeKind::Model => assets.any(|e| e.refs.iter().any(|m| m.value.uri == *name)),
            NodeKind::Provider => {
                let host = name.split_once('/').map_or("", |(_, host)| host);
                assets.any(|e| provider_hosts(e).iter().any(|(named, _)| named == host))
            }
            _ => false,
        }
    }
}

impl<'a> Drawn<'a> {
    fn of(facts: &Facts<'_>, assets: &'a [OfView], renamed: &BTreeMap<Key, Key>) -> Self {
        let view = facts.analysis.view;
        let links: Vec<Links> = assets.iter().map(|asset| asset.links.clone()).collect();
        let lineage = Lineage::of(view, &facts.inventory, &links);
        let node_name = |(kind, namespace, name): &Key| match namespace.as_str() {
            "" => format!("{kind}:{name}"),
            namespace => format!("{kind}:{namespace}/{name}"),
        };
        let renamed: BTreeMap<String, String> = renamed
            .iter()
            .map(|(base, head)| (node_name(base), node_name(head)))
            .collect();
        let nodes = lineage.graph.nodes.iter();
        Self {
            names: nodes
                .map(|n| match n.kind {
                    NodeKind::Asset | NodeKind::Workload => {
                        renamed.get(&n.name).unwrap_or(&n.name).clone()
                    }
                    _ => n.name.clone(),
                })
                .collect(),
            leaks: lineage::leaks_in(&lineage, view, &facts.inventory),
            lineage,
            assets,
        }
    }

    /// What has flows of its own, by name.
    fn actors(&'a self) -> BTreeMap<String, Actor<'a>> {
        let mut at_node: BTreeMap<usize, Actor<'a>> = BTreeMap::new();
        for (at, (asset, &node)) in self.assets.iter().zip(&self.lineage.assets).enumerate() {
            let namespace = asset.entry.namespace.clone();
            at_node.insert(node, self.actor(&asset.resource, namespace, Some(at)));
        }
        for (resource, namespace, node) in &self.lineage.workloads {
            at_node.insert(*node, self.actor(resource, namespace.clone(), None));
        }
        for edge in &self.lineage.graph.edges {
            let (own, other, out) = if at_node.contains_key(&edge.from) {
                (edge.from, edge.to, true)
            } else {
                (edge.to, edge.from, false)
            };
            if !self.counts(own, other) {
                continue;
            }
            let (Some(actor), Some(node), Some(name)) = (
                at_node.get_mut(&own),
                self.lineage.graph.nodes.get(other),
                self.names.get(other),
            ) else {
                continue;
            };
            actor.flows.insert((node.kind, name.clone(), out), edge);
        }
        let named = at_node.into_iter().filter_map(|(node, actor)| {
            let name = self.names.get(node)?.clone();
            Some((name, actor))
        });
        named.collect()
    }

    fn actor(
        &'a self,
        resource: &Arc<Resource>,
        namespace: String,
        asset: Option<usize>,
    ) -> Actor<'a> {
        Actor {
            resource: Arc::clone(resource),
            namespace,
            asset,
            drawn: self,
            flows: BTreeMap::new(),
        }
    }

    /// The asset at a node.
    fn asset_at(&self, node: usize) -> Option<&'a OfView> {
        let at = self.lineage.assets.iter().position(|&n| n == node)?;
        self.assets.get(at)
    }

    /// Whether an asset is sure enough to speak of: one that is only possible does not count, unless a sure one is at the other end.
    fn counts(&self, own: usize, other: usize) -> bool {
        let sure = |node| self.asset_at(node).map(|asset| !asset.entry.possible);
        match (sure(own), sure(other)) {
            (Some(false), other) => other == Some(true),
            (None, Some(false)) => false,
            _ => true,
        }
    }

    fn node(&self, index: usize) -> Option<&Node> {
        self.lineage.graph.nodes.get(index)
    }
}

impl News {
    fn add(&mut self, own: &Actor<'_>, (kind, _, out): &Flow, edge: &Edge, told: Told) {
        match told {
            Told::NoNews => return,
            Told::Cause(cause) => self.cause.extend(cause),
            Told::Unknown(reason, cause) => {
                self.doubts.push(reason);
                self.cause.extend(cause);
            }
        }
        let graph = &own.drawn;
        let words = |node: usize| graph.node(node).map_or("", |n| n.words.as_str());
        let end = words(if *out { edge.to } else { edge.from }).to_owned();
        let says = format!(
            "{} {}",
            words(if *out { edge.from } else { edge.to }),
            edge.says
        );
        let name = graph.node(edge.to).map_or("", |n| n.name.as_str());
        if *out && is_outside(*kind, name) {
            self.outside.push(end.clone());
        }
        self.ends.entry((*kind, end)).or_default().insert(*out);
        self.proof.push(Step {
            origin: Origin::Field {
                resource: edge.stated,
                span: edge.span,
            },
            role: Role::Decides,
            says,
        });
    }

    fn is_nothing(&self) -> bool {
        self.ends.is_empty() && self.phrases.is_empty() && self.unknown.is_empty()
    }

    fn state(&self) -> State {
        if !self.unknown.is_empty() {
            return State::Unknown(self.unknown.clone());
        }
        let verb = |kind: NodeKind, out: &BTreeSet<bool>| match kind {
            NodeKind::Store | NodeKind::Model => {
                match (out.contains(&false), out.contains(&true)) {
                    (true, true) => "reads and writes",
                    (true, false) => "reads",
                    _ => "writes",
                }
            }
            NodeKind::LogSink => "logs to",
            NodeKind::Asset | NodeKind::Workload | NodeKind::Provider => "calls",
        };
        let ends = self.ends.iter();
        let mut phrases: Vec<String> = ends
            .map(|((kind, words), out)| {
                let words = words.strip_prefix("log sink ").unwrap_or(words);
                format!("{} {words}", verb(*kind, out))
            })
            .collect();
        phrases.extend(self.phrases.iter().cloned());
        match phrases.is_empty() {
            true => State::Absent,
            false => State::Known(phrases.join("; ")),
        }
    }
}

/// Whether data that is sent there leaves the cluster: providers, log sinks, and buckets that are nowhere else. An `s3://` bucket may be of a
/// store inside.
fn is_outside(kind: NodeKind, name: &str) -> bool {
    match kind {
        NodeKind::Provider | NodeKind::LogSink => true,
        NodeKind::Store | NodeKind::Model => name.starts_with("gs://"),
        NodeKind::Asset | NodeKind::Workload => false,
    }
}
