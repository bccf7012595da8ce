//! What clients send. Input: two views in comparison; output: changes of the wire per Service port, where a DestinationRule, a policy or
//! mesh-wide settings changed it. Where only the server itself became plaintext, its transport says it all.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::drift::cause::Question;
use crate::drift::lattice;
use crate::engine::istio::{Destination, Wire};
use crate::facts::Step;
use crate::facts::change::{About, ChangeKind, Direction, Side, State, Where};
use crate::facts::transport::{Membership, Mode};
use crate::facts::workload::ServicePort;
use crate::query::diff::Compared;
use crate::query::diff::callers::{Client, Wires, wire};
use crate::query::diff::facts::{At, Facts};
use crate::query::diff::ports::{PortPair, rests_on};
use crate::query::diff::touched::{Touched, full_name};
use crate::resource::{Resource, ResourceId};

/// Clients that send one thing before and another after.
type Moves = BTreeMap<(Wire, Wire), Vec<(usize, usize)>>;

impl Compared<'_, '_> {
    /// Compares what arrives at the Services that something touched.
    pub(super) fn clients(&mut self, ports: &[PortPair], clients: &[Client], touched: &Touched) {
        let mut seen = BTreeSet::new();
        for pair in ports {
            let (Some(b), Some(h)) = (pair.base, pair.head) else {
                continue;
            };
            let Some((server, port, _)) = self.head.port(h) else {
                continue;
            };
            for service in &port.services {
                let key = (
                    server.namespace.as_str().to_owned(),
                    service.service.name.clone(),
                    service.port,
                );
                if touched.service(&key.0, &key.1) && seen.insert(key.clone()) {
                    let service = service.clone();
                    let by_rule = touched.rule(&key.0, &key.1);
                    let moves = self.moves((b, h), &key, clients, by_rule);
                    self.report(&service, &key.0, moves);
                }
            }
        }
        self.hosts_without_pods(clients, &seen);
    }

    /// Clients in the mesh, on both sides alike, to whom something else happens; `by_rule`: a rule for their way was edited, so that the
    /// server is not all that explains it.
    fn moves(
        &self,
        (b, h): (At, At),
        key: &(String, String, u16),
        clients: &[Client],
        by_rule: bool,
    ) -> Moves {
        let mode = |facts: &Facts<'_>, at| {
            let (_, _, its) = facts.port(at)?;
            Some(its.transport.get()?.mode)
        };
        let (was, is) = (mode(self.base, b), mode(self.head, h));
        let place = (key.0.as_str(), key.1.as_str(), key.2);
        let mut wires = (Wires::new(), Wires::new());
        let mut moves = Moves::new();
        for (base, head, membership) in self.same_members(clients) {
            // A pod that calls itself is nobody's client.
            if base == b.0 || head == h.0 {
                continue;
            }
            let (Some(before), Some(after)) = (self.base.workload(base), self.head.workload(head))
            else {
                continue;
            };
            let before = wire(self.base, before, membership, place, &mut wires.0);
            let after = wire(self.head, after, membership, place, &mut wires.1);
            if let (Some(Ok(before)), Some(Ok(after))) = (before, after)
                && before != after
                && (before == Wire::Broken
                    || after == Wire::Broken
                    || by_rule
                    || same_mode(was, is))
            {
                moves.entry((before, after)).or_default().push((base, head));
            }
        }
        moves
    }

    /// Callers that are in the mesh in the same way on both sides.
    fn same_members(&self, clients: &[Client]) -> Vec<(usize, usize, Membership)> {
        let of = |facts: &Facts<'_>, at: usize| facts.workloads.get(at)?.membership.get().copied();
        let member = |client: &Client| {
            let (base, head) = (client.base?, client.head?);
            let before = of(self.base, base)?;
            let same = of(self.head, head) == Some(before) && before != Membership::None;
            same.then_some((base, head, before))
        };
        clients.iter().filter_map(member).collect()
    }

    fn report(&mut self, service: &ServicePort, namespace: &str, moves: Moves) {
        for (wires, clients) in moves {
            let name = &service.service.name;
            let destination = Destination::Service { namespace, name };
            let place = (&service.service, namespace, Some(service.port));
            self.one(place, &destination, service.port, wires, &clients);
        }
    }

    fn one(
        &mut self,
        (resource, namespace, port): (&Arc<Resource>, &str, Option<u16>),
        destination: &Destination<'_>,
        number: u16,
        (before, after): (Wire, Wire),
        clients: &[(usize, usize)],
    ) {
        let broken = before == Wire::Broken || after == Wire::Broken;
        let direction = if broken {
            Direction::Changed
        } else {
            lattice::by_width(&after, &before)
        };
        let about = About {
            resource: Arc::clone(resource),
            side: Side::Head,
            namespace: namespace.to_owned(),
            port: port.map(|number| Where {
                number,
                protocol: "TCP",
            }),
            is_asset: false,
        };
        let word = |wire: Wire| State::Known(wire.as_str().to_owned());
        let mut change = self.change(
            ChangeKind::Client,
            about,
            (word(before), word(after)),
            direction,
        );
        let proof = |facts: &Facts<'_>, at: usize| -> Vec<Step> {
            let istio = &facts.analysis.istio;
            let topology = &facts.analysis.topology;
            facts
                .workload(at)
                .and_then(|client| istio.client(topology, client, destination, number, None))
                .map(|fact| fact.steps)
                .unwrap_or_default()
        };
        if let Some(&(base, head)) = clients.first() {
            change.base_proof = proof(self.base, base);
            change.head_proof = proof(self.head, head);
        }
        change.clients = clients.len();
        change.cause = self.explain(&Question {
            base: &change.base_proof,
            head: &change.head_proof,
            base_objects: &servers(self.base, destination),
            head_objects: &servers(self.head, destination),
            namespaces: &[namespace],
        });
        self.changes.push(change);
    }

    /// Edited DestinationRules for hosts whose pods are not in the view: what they ask for is all that can be told.
    fn hosts_without_pods(&mut self, clients: &[Client], seen: &BTreeSet<(String, String, u16)>) {
        let edited = self
            .objects
            .edited(|r| r.is("networking.istio.io", "DestinationRule"));
        let served: BTreeSet<String> = seen
            .iter()
            .map(|(namespace, name, _)| full_name(name, namespace))
            .collect();
        let sidecars: Vec<_> = self
            .same_members(clients)
            .into_iter()
            .filter(|(_, _, membership)| *membership == Membership::Sidecar)
            .collect();
        for (before, after) in edited {
            let (Some(_), Some(member)) = (before, after) else {
                continue;
            };
            let namespace = member.namespace.as_str();
            let Some(host) = member.resource.object().at(&["spec", "host"]) else {
                continue;
            };
            let host = full_name(host.text(), namespace);
            if served.contains(&host) || host.starts_with('*') || self.has_pods(&host) {
                continue;
            }
            let destination = Destination::Host {
                host: &host,
                namespace,
            };
            let mut moves = Moves::new();
            let mut known = (Sent::new(), Sent::new());
            for &(base, head, _) in &sidecars {
                let before = sent(self.base, base, &destination, &mut known.0);
                let after = sent(self.head, head, &destination, &mut known.1);
                if let (Some(before), Some(after)) = (before, after)
                    && before != after
                {
                    moves.entry((before, after)).or_default().push((base, head));
                }
            }
            let resource = Arc::clone(&member.resource);
            for (wires, list) in moves {
                self.one(
                    (&resource, namespace, None),
                    &destination,
                    NO_PORT,
                    wires,
                    &list,
                );
            }
        }
    }

    /// Whether pods of the head stand behind a host of the cluster.
    fn has_pods(&self, host: &str) -> bool {
        let mut parts = host.split('.');
        let (Some(name), Some(namespace), Some("svc")) = (parts.next(), parts.next(), parts.next())
        else {
            return false;
        };
        self.head.behind(namespace, name).next().is_some()
    }
}

/// Pods behind a Service decide too what arrives, with their Namespaces.
fn servers(facts: &Facts<'_>, destination: &Destination<'_>) -> Vec<ResourceId> {
    let Destination::Service { namespace, name } = destination else {
        return Vec::new();
    };
    let behind = facts.behind(namespace, name);
    behind
        .filter_map(|at| facts.workload(at))
        .flat_map(|workload| rests_on(facts, workload, true))
        .collect()
}

/// What sidecars of a namespace send to one host.
type Sent<'f> = HashMap<&'f str, Option<Wire>>;

/// What a sidecar sends to a host; worked out once for a namespace where no rule tells pods apart.
fn sent<'f>(
    facts: &'f Facts<'_>,
    at: usize,
    destination: &Destination<'_>,
    known: &mut Sent<'f>,
) -> Option<Wire> {
    let client = facts.workload(at)?;
    let istio = &facts.analysis.istio;
    let ask = || {
        let topology = &facts.analysis.topology;
        let fact = istio.client(topology, client, destination, NO_PORT, None)?;
        fact.get().copied()
    };
    if istio.tells_pods_apart() {
        return ask();
    }
    *known.entry(client.namespace.as_str()).or_insert_with(ask)
}

/// No `portLevelSettings` entry names it, so the rule as a whole counts.
const NO_PORT: u16 = 0;

/// Whether a server accepts the same before and after; why it takes only plaintext does not matter to its clients.
fn same_mode(before: Option<Mode>, after: Option<Mode>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => before.as_str() == after.as_str(),
        _ => false,
    }
}
