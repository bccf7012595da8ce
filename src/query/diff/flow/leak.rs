//! Protected data on its way out of the cluster. Input: the leaks of an asset on both sides; output: those that came, went or are held back
//! otherwise, with the labels and hops that make the difference.

use std::collections::{BTreeMap, BTreeSet};

use crate::asset::governance;
use crate::asset::lineage::Leak;
use crate::drift::cause::push_edit;
use crate::drift::edit;
use crate::facts::change::{Cause, ChangeKind, Side, State};
use crate::facts::{Origin, Role, Step};
use crate::query::diff::Compared;
use crate::query::diff::flow::cause::{Told, one_sided};
use crate::query::diff::flow::{Actor, News};
use crate::resource::ResourceId;

/// How little holds back what leaves: nothing at all weighs most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Held {
    Approved,
    Redacted,
    Not,
}

/// Provider and host.
type Place = (String, String);

/// What leaves to one place.
struct Leaving<'l> {
    held: Held,
    classes: BTreeSet<&'l str>,
    /// The one that is held back least.
    leak: &'l Leak,
}

impl Leaving<'_> {
    /// `openai (api.openai.com)`.
    fn end(&self) -> &str {
        self.leak.way.rsplit(", then ").next().unwrap_or_default()
    }

    /// `sends phi data to openai (api.openai.com)`, `passes phi data of Deployment apps/web to mistral (api.mistral.ai) by mcp-server ml/tools`.
    fn phrase(&self) -> String {
        let classes: Vec<&str> = self.classes.iter().copied().collect();
        let classes = classes.join(" and ");
        let mut stops: Vec<&str> = self.leak.way.split(", then ").collect();
        let end = stops.pop().unwrap_or_default();
        let what = if self.leak.source.is_empty() {
            format!("sends {classes} data")
        } else {
            // What comes from elsewhere passes the asset itself first.
            stops = stops.split_off(1.min(stops.len()));
            format!("passes {classes} data of {}", self.leak.source)
        };
        let by = if stops.is_empty() {
            String::new()
        } else {
            format!(" by {}", stops.join(", then "))
        };
        let held = match self.held {
            Held::Not => "",
            Held::Redacted => ", redacted",
            Held::Approved => ", as approved",
        };
        format!("{what} to {end}{by}{held}")
    }
}

impl Compared<'_, '_> {
    /// Adds the leaks of an actor that differ; whether more leaves, and whether less does.
    pub(super) fn leaks(
        &self,
        before: Option<&Actor<'_>>,
        after: Option<&Actor<'_>>,
        gone: &mut News,
        new: &mut News,
    ) -> (bool, bool) {
        let (was, is) = (leaving(before), leaving(after));
        let (mut more, mut less) = (false, false);
        let mut new_ends = Vec::new();
        let places: BTreeSet<&Place> = was.keys().chain(is.keys()).collect();
        for place in places {
            let (b, h) = (was.get(place), is.get(place));
            let one_sided = b.is_none() || h.is_none();
            let same =
                |b: &Leaving<'_>, h: &Leaving<'_>| b.held == h.held && b.classes == h.classes;
            if let (Some(b), Some(h)) = (b, h)
                && same(b, h)
            {
                continue;
            }
            let actor = after.or(before);
            if one_sided && actor.is_some_and(|a| self.tells_provider(a, &place.1)) {
                continue;
            }
            let level = |leaving: Option<&Leaving<'_>>| leaving.map(|l| l.held);
            more |= level(h) > level(b);
            less |= level(h) < level(b);
            let sides = [
                (Side::Base, before, after, b, &mut *gone),
                (Side::Head, after, before, h, &mut *new),
            ];
            for (side, own, other, leaving, news) in sides {
                if let (Some(own), Some(leaving)) = (own, leaving) {
                    news.phrases.push(leaving.phrase());
                    if side == Side::Head && level(h) > level(b) {
                        new_ends.push(leaving.end().to_owned());
                    }
                    news.proof.extend(steps(leaving.leak));
                    let cause = self.why(side, own, other, leaving.leak);
                    news.cause.extend(cause);
                }
            }
        }
        new.outside.extend(new_ends);
        (more, less)
    }

    /// Whether a change of the actor's providers tells of a host already.
    fn tells_provider(&self, actor: &Actor<'_>, host: &str) -> bool {
        let names = |state: &State| state.words().split(' ').any(|name| name == host);
        self.changes.iter().any(|c| {
            c.kind == ChangeKind::Provider
                && c.about.resource.id == actor.resource.id
                && names(&c.before) != names(&c.after)
        })
    }

    /// Hops that only this side has, and labels that differ on the way.
    fn why(
        &self,
        side: Side,
        own: &Actor<'_>,
        other: Option<&Actor<'_>>,
        leak: &Leak,
    ) -> Vec<Cause> {
        let mut causes = Vec::new();
        let drawn = own.drawn;
        let actors = drawn.actors();
        let others = other.map(|o| o.drawn.actors()).unwrap_or_default();
        let mut on_the_way: Vec<ResourceId> = leak.labelled.to_vec();
        for &(from, to) in leak.hops_between.iter() {
            for node in [from, to] {
                let found = drawn.names.get(node).and_then(|name| actors.get(name));
                on_the_way.extend(found.map(|actor| actor.resource.id));
            }
            let named = |node: usize| {
                drawn
                    .names
                    .get(node)
                    .and_then(|n| Some((n, actors.get(n)?)))
            };
            let (own, end, out) = match (named(from), named(to)) {
                (Some(own), _) => (own, to, true),
                (None, Some(own)) => (own, from, false),
                (None, None) => continue,
            };
            let (Some(kind), Some(name)) = (drawn.node(end).map(|n| n.kind), drawn.names.get(end))
            else {
                continue;
            };
            let flow = (kind, name.clone(), out);
            let counterpart = others.get(own.0);
            let known = counterpart.is_some_and(|o| o.flows.contains_key(&flow));
            if let Some(edge) = own.1.flows.get(&flow).filter(|_| !known) {
                match self.told(side, (own.1, counterpart), &flow, edge) {
                    Told::Cause(more) | Told::Unknown(_, more) => causes.extend(more),
                    Told::NoNews => {}
                }
            }
        }
        on_the_way.sort_unstable();
        on_the_way.dedup();
        for id in on_the_way {
            match self.objects.both(side, id) {
                (Some(base), Some(head)) => {
                    let edits = edit::edits(base.resource.object(), head.resource.object());
                    edits
                        .iter()
                        .filter(|e| e.is_below(&["metadata"]))
                        .filter(|e| e.path.last().is_some_and(|key| governance::is_key(key)))
                        .for_each(|e| push_edit(&mut causes, e, &self.objects));
                }
                (Some(member), None) | (None, Some(member)) => {
                    causes.push(one_sided(side, member, member.resource.name_span()));
                }
                (None, None) => {}
            }
        }
        causes
    }
}

/// What leaves an asset, by place.
fn leaving<'l>(actor: Option<&Actor<'l>>) -> BTreeMap<Place, Leaving<'l>> {
    let mut found: BTreeMap<Place, Leaving<'l>> = BTreeMap::new();
    let Some(actor) = actor else { return found };
    let list = actor.asset.and_then(|at| actor.drawn.leaks.get(at));
    for leak in list.into_iter().flatten() {
        let held = match (leak.approved, leak.redacted) {
            (true, _) => Held::Approved,
            (false, true) => Held::Redacted,
            (false, false) => Held::Not,
        };
        let place = (leak.provider.clone(), leak.host.clone());
        let classes = leak.classification.split(", ");
        let leaving = found.entry(place).or_insert_with(|| Leaving {
            held,
            classes: BTreeSet::new(),
            leak,
        });
        leaving.classes.extend(classes);
        if held > leaving.held {
            (leaving.held, leaving.leak) = (held, leak);
        }
    }
    found
}

fn steps(leak: &Leak) -> Vec<Step> {
    let Some(&resource) = leak.labelled.first() else {
        return Vec::new();
    };
    let steps = leak.steps.iter().map(|(span, says)| Step {
        origin: Origin::Field {
            resource,
            span: *span,
        },
        role: Role::Decides,
        says: says.clone(),
    });
    steps.collect()
}
