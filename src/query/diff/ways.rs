//! Ways in from outside the cluster. Input: a port on both sides; output: its exposure change.
//!
//! A way is what a caller from outside sees: its kind, port, hosts, paths and TLS. Which object opens it is proof, so that a renamed Service is
//! no change.

use std::collections::BTreeSet;

use crate::drift::cause::Question;
use crate::facts::Step;
use crate::facts::change::{ChangeKind, Direction, Side, State};
use crate::facts::exposure::{Exposure, Way};
use crate::query::diff::Compared;
use crate::query::diff::facts::{At, Facts};
use crate::query::diff::ports::rests_on;

impl Compared<'_, '_> {
    /// Compares the ways that end at a port of both sides.
    pub(super) fn ways(&mut self, base: At, head: At) {
        let (was, is) = (ways(self.base, base), ways(self.head, head));
        // A node port that one side leaves to the API server is whatever it is on the other.
        let left_open = |list: &[&Exposure]| list.iter().any(|w| is_left_open(w));
        let names_hosts = self.names_hosts;
        let by_server = left_open(&was) || left_open(&is) || !names_hosts;
        let words = |way: &Exposure| words(way, by_server, names_hosts);
        let set =
            |list: &[&Exposure]| -> BTreeSet<String> { list.iter().map(|w| words(w)).collect() };
        let (before, after) = (set(&was), set(&is));
        if before == after {
            return;
        }
        let direction = match (before.is_subset(&after), after.is_subset(&before)) {
            (true, _) => Direction::Widened,
            (_, true) => Direction::Narrowed,
            _ => Direction::Changed,
        };
        let Some(about) = self.about(Side::Head, head.0, Some(head.1)) else {
            return;
        };
        let state = |set: &BTreeSet<String>| {
            if set.is_empty() {
                return State::Known("cluster only".to_owned());
            }
            let list: Vec<&str> = set.iter().map(String::as_str).collect();
            State::Known(list.join("; "))
        };
        // What only one side has is what wants explaining.
        let proof = |list: &[&Exposure], other: &BTreeSet<String>| -> Vec<Step> {
            let own = list.iter().filter(|w| !other.contains(&words(w)));
            own.flat_map(|w| w.steps.iter().cloned()).collect()
        };
        let states = (state(&before), state(&after));
        let mut change = self.change(ChangeKind::Exposure, about, states, direction);
        change.base_proof = proof(&was, &after);
        change.head_proof = proof(&is, &before);
        let rests = |facts: &Facts<'_>, at: At| {
            let workload = facts.workload(at.0);
            workload
                .map(|w| rests_on(facts, w, true))
                .unwrap_or_default()
        };
        change.cause = self.explain(&Question {
            base: &change.base_proof,
            head: &change.head_proof,
            base_objects: &rests(self.base, base),
            head_objects: &rests(self.head, head),
            namespaces: &[&change.about.namespace.clone()],
        });
        self.changes.push(change);
    }
}

fn ways<'f>(facts: &'f Facts<'_>, at: At) -> Vec<&'f Exposure> {
    let Some((workload, port, _)) = facts.port(at) else {
        return Vec::new();
    };
    let ways = &facts.analysis.ways;
    ways.to(workload.id, port.number, port.protocol).collect()
}

fn is_left_open(way: &Exposure) -> bool {
    way.way == Way::NodePort && way.outside_port == 0
}

/// `load-balancer port 443`, `route port 443 for chat.example.com/v1/* by gateway edge/public, tls simple`.
fn words(way: &Exposure, by_server: bool, names_hosts: bool) -> String {
    let mut words = way.way.as_str().to_owned();
    if way.outside_port != 0 && !(by_server && way.way == Way::NodePort) {
        words.push_str(&format!(" port {}", way.outside_port));
    }
    let hosts = way.hosts.iter().map(String::as_str);
    let paths = way.paths.iter().map(String::as_str);
    let parts: Vec<&str> = match names_hosts {
        true => hosts.chain(paths).collect(),
        // An environment has names of its own; whether it has any is a property of the way.
        false => {
            let own = hosts.filter(|host| *host != "*").take(1);
            own.map(|_| "its hosts").chain(paths).collect()
        }
    };
    if !parts.is_empty() {
        words.push_str(&format!(" for {}", parts.join(" ")));
    }
    if !way.nets.is_empty() {
        words.push_str(&format!(" from {}", way.nets.join(" ")));
    }
    if way.gateway.is_some() {
        if !way.gateway().is_empty() {
            words.push_str(&format!(" by gateway {}", way.gateway()));
        }
        let tls = way.tls.map_or("unknown", |tls| tls.as_str());
        words.push_str(&format!(", tls {tls}"));
    }
    if way.internal {
        words.push_str(", private network only");
    }
    if way.mirror {
        words.push_str(", copies of requests only");
    }
    words
}
