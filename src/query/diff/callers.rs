//! Who gets through to whom. Input: two views in comparison, their ports as pairs; output: the callers that came and went, exactly counted.
//!
//! Only ports whose rules or whose way changed are asked about for every caller; all others for the callers that changed. A caller gets
//! through when some request of its own does, by the Service or directly.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;

use crate::drift::cause::Question;
use crate::engine::istio::{Destination, Reach, Wire};
use crate::facts::access::Level;
use crate::facts::access::network::Sender;
use crate::facts::change::{ChangeKind, Direction, Edges, Side, State};
use crate::facts::transport::Membership;
use crate::facts::workload::{Port, Workload};
use crate::query::diff::Compared;
use crate::query::diff::facts::{At, Facts};
use crate::query::diff::ports::{PortPair, proof, rests_on};
use crate::query::diff::touched::Touched;

/// A caller on both sides, or on one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client {
    pub(super) base: Option<usize>,
    pub(super) head: Option<usize>,
    /// Whether what it presents changed.
    pub(super) is_other: bool,
}

/// Whether a caller gets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    No,
    Yes { anonymous: bool },
    Unknown,
}

/// What arrives from clients of one namespace and membership.
pub(super) type Wires<'f> = HashMap<(&'f str, Membership), Option<Result<Wire, ()>>>;

/// Edges of one port, or of the callers that changed.
struct Found {
    edges: Edges,
    /// Callers by position in the list, with whether they came or went.
    by_client: Vec<(usize, bool)>,
}

impl Compared<'_, '_> {
    pub(super) fn clients_of(&self) -> Vec<Client> {
        let of = |facts: &Facts<'_>, at: Option<usize>| {
            let facts = facts.workloads.get(at?)?;
            Some((facts.membership.get().copied(), facts.identity.clone()))
        };
        let both = self.pairs.both.iter().map(|&(b, h)| (Some(b), Some(h)));
        let gone = self.pairs.removed.iter().map(|&b| (Some(b), None));
        let new = self.pairs.added.iter().map(|&h| (None, Some(h)));
        both.chain(gone)
            .chain(new)
            .map(|(base, head)| Client {
                base,
                head,
                is_other: of(self.base, base) != of(self.head, head),
            })
            .collect()
    }

    /// Adds callers to access changes, and changes of their own where no rule of the port changed.
    pub(super) fn callers(&mut self, ports: &[PortPair], clients: &[Client], touched: &Touched) {
        let others: Vec<usize> = (0..clients.len())
            .filter(|&at| clients.get(at).is_some_and(|c| c.is_other))
            .collect();
        let all: Vec<usize> = (0..clients.len()).collect();
        let this = &*self;
        let found: Vec<Option<(bool, Found)>> = ports
            .par_iter()
            .map(|pair| {
                let asks_all = !pair.same_rules || touched.port(this, pair);
                let asked = if asks_all { &all } else { &others };
                if asked.is_empty() {
                    return None;
                }
                Some((asks_all, this.edges(pair, clients, asked)?))
            })
            .collect();
        let mut by_client: BTreeMap<usize, Vec<(usize, bool)>> = BTreeMap::new();
        for (at, (pair, found)) in ports.iter().zip(found).enumerate() {
            let Some((asks_all, found)) = found else {
                continue;
            };
            let came = found.by_client.iter().filter(|(_, came)| *came).count();
            self.totals.added += came;
            self.totals.removed += found.by_client.len() - came;
            match pair.change {
                Some(change) => {
                    self.at_callers(change, (pair.base, pair.head), &who_moved(&found, clients));
                    if let Some(change) = self.changes.get_mut(change) {
                        change.edges = Some(found.edges);
                    }
                }
                // Who became another caller explains its own coming and going; the way to the port explains the rest.
                None => {
                    for (client, came) in &found.by_client {
                        if clients.get(*client).is_some_and(|c| c.is_other) {
                            by_client.entry(*client).or_default().push((at, *came));
                        }
                    }
                    if asks_all {
                        self.other_callers(pair, found, clients);
                    }
                }
            }
        }
        for (client, edges) in by_client {
            if let Some(client) = clients.get(client) {
                self.other_reach(client, &edges, ports);
            }
        }
    }

    /// The callers of a port that differ; `None` where they cannot be known on a side that has the port.
    fn edges(&self, pair: &PortPair, clients: &[Client], asked: &[usize]) -> Option<Found> {
        let before = Asked::of(self.base, pair.base)?;
        let after = Asked::of(self.head, pair.head)?;
        let mut found = Found {
            edges: Edges::default(),
            by_client: Vec::new(),
        };
        let (mut was, mut is) = (Wires::new(), Wires::new());
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        for &at in asked {
            let Some(client) = clients.get(at) else {
                continue;
            };
            // A port with a change of its own names all who came and went; else others answer for themselves.
            let counts = pair.change.is_some() || !client.is_other;
            let b = before.call(client.base, &mut was);
            let h = after.call(client.head, &mut is);
            found.edges.before += usize::from(matches!(b, Call::Yes { .. }));
            found.edges.after += usize::from(matches!(h, Call::Yes { .. }));
            let name = |facts: &Facts<'_>, at: Option<usize>| {
                at.and_then(|at| facts.workload(at))
                    .map_or_else(String::new, Workload::reference)
            };
            match (b, h) {
                (Call::Unknown, _) | (_, Call::Unknown) => found.edges.undecided += 1,
                (Call::No, Call::Yes { anonymous }) => {
                    found.by_client.push((at, true));
                    if counts {
                        found.edges.anonymous += usize::from(anonymous);
                        added.push(name(self.head, client.head));
                    }
                }
                (Call::Yes { .. }, Call::No) => {
                    found.by_client.push((at, false));
                    if counts {
                        removed.push(name(self.base, client.base));
                    }
                }
                _ => {}
            }
        }
        let first = |mut names: Vec<String>| {
            names.sort();
            names.truncate(Edges::SHOWN);
            names
        };
        found.edges.added = added.len();
        found.edges.removed = removed.len();
        found.edges.first_added = first(added);
        found.edges.first_removed = first(removed);
        Some(found)
    }

    /// The rules of the port are the same, the way to it is not.
    fn other_callers(&mut self, pair: &PortPair, found: Found, clients: &[Client]) {
        let (Some(b), Some(h), false) = (pair.base, pair.head, found.edges.is_empty()) else {
            return;
        };
        let direction = by_edges(found.edges.added, found.edges.removed);
        let Some(about) = self.about(Side::Head, h.0, Some(h.1)) else {
            return;
        };
        let count = |n: usize| State::Known(format!("{n} callers"));
        let states = (count(found.edges.before), count(found.edges.after));
        let (mut base, mut head) = (Vec::new(), Vec::new());
        // The proof of one caller that came or went shows what changed on its way.
        let mut moved = found
            .by_client
            .iter()
            .filter_map(|(at, _)| clients.get(*at));
        let one = moved.find(|client| !client.is_other);
        if let Some(client) = one {
            base = way(self.base, client.base, b);
            head = way(self.head, client.head, h);
        }
        let (left, leaves) = self.let_out(&who_moved(&found, clients), (Some(b), Some(h)));
        base.extend(left);
        head.extend(leaves);
        // Whom the network carries is part of who is let in.
        if !pair.same_rules
            && let (Some((.., was)), Some((.., is))) = (self.base.port(b), self.head.port(h))
        {
            base.extend(proof(&was.reach));
            head.extend(proof(&is.reach));
        }
        let caller = one
            .and_then(|c| {
                self.head
                    .workload(c.head?)
                    .or_else(|| self.base.workload(c.base?))
            })
            .map(|w| w.namespace.as_str().to_owned())
            .unwrap_or_default();
        let mut change = self.change(ChangeKind::Callers, about, states, direction);
        let rests = |facts: &Facts<'_>, at: usize| {
            facts
                .workload(at)
                .map(|w| rests_on(facts, w, true))
                .unwrap_or_default()
        };
        change.cause = self.explain(&Question {
            base: &base,
            head: &head,
            base_objects: &rests(self.base, b.0),
            head_objects: &rests(self.head, h.0),
            namespaces: &[&change.about.namespace.clone(), &caller],
        });
        change.base_proof = base;
        change.head_proof = head;
        change.edges = Some(found.edges);
        self.changes.push(change);
    }

    /// A caller became another: what it reaches differs though nobody else's rules changed.
    fn other_reach(&mut self, client: &Client, edges: &[(usize, bool)], ports: &[PortPair]) {
        let (mut gained, mut lost) = (Vec::new(), Vec::new());
        let (mut narrow_gained, mut narrow_lost) = (0, 0);
        for &(at, came) in edges {
            let Some(pair) = ports.get(at) else { continue };
            let (facts, place) = if came {
                (self.head, pair.head)
            } else {
                (self.base, pair.base)
            };
            let Some((server, port, its)) = place.and_then(|at| facts.port(at)) else {
                continue;
            };
            let narrow = its
                .reach
                .get()
                .is_some_and(|r| r.access().level <= Level::Namespaces);
            let words = format!("{}:{}", server.reference(), port.number);
            if came {
                gained.push(words);
                narrow_gained += usize::from(narrow);
            } else {
                lost.push(words);
                narrow_lost += usize::from(narrow);
            }
        }
        // Whoever is new reaches what is open to everybody: no news.
        let is_both = client.base.is_some() && client.head.is_some();
        if !is_both && narrow_gained + narrow_lost == 0 {
            return;
        }
        let direction = by_edges(narrow_gained, narrow_lost);
        let side = if client.head.is_some() {
            Side::Head
        } else {
            Side::Base
        };
        let Some(about) = client
            .head
            .or(client.base)
            .and_then(|at| self.about(side, at, None))
        else {
            return;
        };
        let states = (
            presents(self.base, client.base),
            presents(self.head, client.head),
        );
        let mut change = self.change(ChangeKind::Reach, about, states, direction);
        let steps = |facts: &Facts<'_>, at: Option<usize>| {
            at.and_then(|at| facts.workloads.get(at))
                .map(|w| w.membership.steps.clone())
                .unwrap_or_default()
        };
        let rests = |facts: &Facts<'_>, at: Option<usize>| {
            at.and_then(|at| facts.workload(at))
                .map(|w| rests_on(facts, w, false))
                .unwrap_or_default()
        };
        change.base_proof = steps(self.base, client.base);
        change.head_proof = steps(self.head, client.head);
        change.cause = if is_both {
            self.explain(&Question {
                base: &change.base_proof,
                head: &change.head_proof,
                base_objects: &rests(self.base, client.base),
                head_objects: &rests(self.head, client.head),
                namespaces: &[&change.about.namespace.clone()],
            })
        } else {
            let resource = &change.about.resource;
            let word = if side == Side::Head { "new" } else { "gone" };
            vec![crate::facts::change::Cause {
                side,
                span: resource.name_span(),
                says: format!("{} {} is {word}", resource.kind(), change.about.reference()),
            }]
        };
        let (added, removed) = (gained.len(), lost.len());
        let first = |mut names: Vec<String>| {
            names.sort();
            names.truncate(Edges::SHOWN);
            names
        };
        change.edges = Some(Edges {
            added,
            removed,
            first_added: first(gained),
            first_removed: first(lost),
            ..Edges::default()
        });
        self.changes.push(change);
    }
}

/// The callers that came or went, on both sides.
fn who_moved(found: &Found, clients: &[Client]) -> Vec<(Option<usize>, Option<usize>)> {
    let moved = found.by_client.iter();
    moved
        .filter_map(|(at, _)| clients.get(*at))
        .map(|client| (client.base, client.head))
        .collect()
}

/// A port whose callers are asked for; without a place nobody calls.
struct Asked<'f, 'v> {
    facts: &'f Facts<'v>,
    port: Option<(&'f Workload, &'f Port, &'f Reach)>,
}

impl<'f, 'v> Asked<'f, 'v> {
    /// `None` when who is let in cannot be known.
    fn of(facts: &'f Facts<'v>, at: Option<At>) -> Option<Self> {
        let port = match at {
            None => None,
            Some(at) => {
                let (workload, port, its) = facts.port(at)?;
                Some((workload, port, its.reach.get()?))
            }
        };
        Some(Self { facts, port })
    }

    fn call(&self, client: Option<usize>, wires: &mut Wires<'f>) -> Call {
        let (Some((server, port, reach)), Some(at)) = (self.port, client) else {
            return Call::No;
        };
        let (Some(client), Some(its)) = (self.facts.workload(at), self.facts.workloads.get(at))
        else {
            return Call::No;
        };
        if client.id == server.id {
            return Call::No;
        }
        let Some(&membership) = its.membership.get() else {
            return Call::Unknown;
        };
        if reach.is_doubtful(client.id) {
            return Call::Unknown;
        }
        let yes = |lets_in: bool, anonymous| match lets_in {
            true => Call::Yes { anonymous },
            false => Call::No,
        };
        let sender = Sender::Workload(client.id);
        let nobody = reach.lets_in(sender, None, false);
        if membership == Membership::None {
            return yes(nobody, true);
        }
        let tunnels = membership == Membership::Ambient;
        let known = reach.lets_in(sender, Some(&its.identity), tunnels);
        if !nobody && !known {
            return Call::No;
        }
        let Some(service) = port.services.first() else {
            return yes(known, false);
        };
        let name = service.service.name.as_str();
        match wire(
            self.facts,
            client,
            membership,
            (server.namespace.as_str(), name, service.port),
            wires,
        ) {
            Some(Err(())) => Call::Unknown,
            Some(Ok(Wire::Broken)) => Call::No,
            Some(Ok(Wire::Plaintext | Wire::Tls | Wire::MtlsCustom)) => yes(nobody, true),
            Some(Ok(Wire::Mtls)) | None => yes(known, false),
        }
    }
}

/// What arrives when a client calls a Service port; worked out once for the clients of a namespace where no rule tells pods apart.
pub(super) fn wire<'f>(
    facts: &'f Facts<'_>,
    client: &'f Workload,
    membership: Membership,
    (namespace, name, port): (&str, &str, u16),
    wires: &mut Wires<'f>,
) -> Option<Result<Wire, ()>> {
    let istio = &facts.analysis.istio;
    let ask = || {
        let destination = Destination::Service { namespace, name };
        let fact = istio.client(&facts.analysis.topology, client, &destination, port, None)?;
        Some(fact.get().copied().ok_or(()))
    };
    if istio.tells_pods_apart() {
        return ask();
    }
    *wires
        .entry((client.namespace.as_str(), membership))
        .or_insert_with(ask)
}

/// The proof of what arrives from a client.
fn way(facts: &Facts<'_>, client: Option<usize>, at: At) -> Vec<crate::facts::Step> {
    let asked = client.and_then(|at| facts.workload(at)).zip(facts.port(at));
    let Some((client, (server, port, _))) = asked else {
        return Vec::new();
    };
    let Some(service) = port.services.first() else {
        return Vec::new();
    };
    let destination = Destination::Service {
        namespace: server.namespace.as_str(),
        name: &service.service.name,
    };
    let topology = &facts.analysis.topology;
    let istio = &facts.analysis.istio;
    istio
        .client(topology, client, &destination, service.port, None)
        .map(|fact| fact.steps)
        .unwrap_or_default()
}

/// What a caller presents, in words.
fn presents(facts: &Facts<'_>, at: Option<usize>) -> State {
    let Some(its) = at.and_then(|at| facts.workloads.get(at)) else {
        return State::Absent;
    };
    match &its.membership.value {
        Err(reasons) => State::Unknown(reasons.clone()),
        Ok(Membership::None) => State::Known("no identity".to_owned()),
        Ok(_) => State::Known(format!(
            "sa:{}/{}",
            its.identity.namespace, its.identity.account
        )),
    }
}

fn by_edges(gained: usize, lost: usize) -> Direction {
    match (gained, lost) {
        (1.., 0) => Direction::Widened,
        (0, 1..) => Direction::Narrowed,
        _ => Direction::Changed,
    }
}
