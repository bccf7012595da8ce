//! What somebody with the identity of a workload gets to, directly and in turn. Input: an `Analysis` and a start; output: workloads with the step
//! that leads to each.
//!
//! Every workload that can be called is taken to pass on what it is told: a gateway does by its routes, and of any other nobody can prove from
//! files that it does not. So the answer is an upper bound, and what it leaves out is out of reach.

use std::collections::BTreeMap;

use crate::engine::Analysis;
use crate::engine::istio::Reach;
use crate::facts::workload::{Port, Workload, WorkloadId};
use crate::facts::{Fact, Step};
use crate::query::access::edge::{Client, Edge, Verdict};

/// Ports of a view with who reaches them, computed once for many questions.
#[derive(Debug)]
pub struct Ports<'a> {
    analysis: &'a Analysis<'a>,
    list: Vec<(&'a Workload, &'a Port, Fact<Reach>)>,
}

/// One port that is reached.
#[derive(Clone, Debug)]
pub struct Hop {
    /// Who calls.
    pub from: WorkloadId,
    /// Whom.
    pub to: WorkloadId,
    /// On which container port.
    pub port: u16,
    /// How many calls it takes from the start, from 1.
    pub calls: usize,
    /// The answer for this call.
    pub edge: Edge,
}

impl<'a> Ports<'a> {
    /// Works out who reaches every port.
    #[must_use]
    pub fn of(analysis: &'a Analysis<'a>) -> Self {
        use rayon::prelude::*;
        let list = analysis
            .topology
            .workloads
            .par_iter()
            .with_min_len(16)
            .flat_map_iter(|workload| {
                workload
                    .ports
                    .iter()
                    .map(move |port| (workload, port, analysis.reach(workload, port)))
            })
            .collect();
        Self { analysis, list }
    }

    /// What a client gets to with calls of its own, closed ports included.
    pub fn called_by<'s>(
        &'s self,
        client: &'s Client<'_>,
    ) -> impl Iterator<Item = (&'a Workload, &'a Port, Edge)> + use<'s, 'a> {
        let own = client.workload.id;
        self.list
            .iter()
            .filter(move |(workload, ..)| workload.id != own)
            .map(|(workload, port, reach)| {
                let edge = client.calls(self.analysis, workload, port, reach);
                (*workload, *port, edge)
            })
    }

    /// What decides who reaches a port.
    pub fn proof(&self, workload: WorkloadId, port: u16) -> impl Iterator<Item = &Step> {
        self.list
            .iter()
            .filter(move |(w, p, _)| w.id == workload && p.number == port)
            .flat_map(|(.., reach)| reach.deciding())
    }

    /// What the start gets to, directly and in turn: the first call that leads to each port, nearest first.
    #[must_use]
    pub fn reached_from(&self, start: &Workload) -> Vec<Hop> {
        let mut hops: Vec<Hop> = Vec::new();
        let mut seen: BTreeMap<(WorkloadId, u16), ()> = BTreeMap::new();
        let mut visited = vec![start.id];
        let mut frontier = vec![start];
        let mut calls = 0;
        while !frontier.is_empty() {
            calls += 1;
            let mut next: Vec<&Workload> = Vec::new();
            for workload in frontier {
                let client = Client::of(self.analysis, workload);
                for (to, port, edge) in self.called_by(&client) {
                    let known = to.id == start.id || seen.contains_key(&(to.id, port.number));
                    if known || edge.verdict == Verdict::Deny {
                        continue;
                    }
                    seen.insert((to.id, port.number), ());
                    hops.push(Hop {
                        from: workload.id,
                        to: to.id,
                        port: port.number,
                        calls,
                        edge,
                    });
                    if !visited.contains(&to.id) {
                        visited.push(to.id);
                        next.push(to);
                    }
                }
            }
            frontier = next;
        }
        hops
    }
}
