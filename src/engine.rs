//! L5: what meshes make of the manifests. Input: a `View` and what may be assumed; output: `Analysis`, which answers for any workload and port.

use std::sync::Arc;

use crate::facts::access::network;
use crate::facts::access::reach::{Networks, Reach, Via};
use crate::facts::access::traffic::{Called, Direction, Through};
use crate::facts::access::{Access, Level};
use crate::facts::egress::Egress;
use crate::facts::exposure::{Exposure, Front};
use crate::facts::peers::PeerSet;
use crate::facts::transport::{Membership, Transport};
use crate::facts::workload::{Port, Protocol, Workload};
use crate::facts::{Assumptions, Fact};
use crate::topology::Topology;
use crate::topology::ways::Ways;
use crate::view::View;

#[cfg(test)]
mod brute;
pub mod istio;
mod network_gaps;
pub mod network_policy;
mod outside;
mod policies;
pub mod subjects;

use istio::Istio;
use network_policy::NetworkPolicies;
// What several engines, and the files beside them, share.
pub(crate) use istio::gaps;
pub(crate) use istio::policy::Action;
pub(crate) use network_gaps::Network;

/// The port that ambient proxies tunnel to (istio.io/docs/ambient/architecture/hbone).
const HBONE: u16 = 15_008;

/// Everything the engines read of one view.
#[derive(Debug)]
pub struct Analysis<'v> {
    /// The view.
    pub view: &'v View,
    /// Workloads, ports, namespaces.
    pub topology: Topology,
    /// Ways in from outside the cluster.
    pub ways: Ways,
    /// The Istio engine over this view.
    pub istio: Istio,
    /// The network policies of this view.
    pub network: NetworkPolicies,
}

impl<'v> Analysis<'v> {
    /// Reads a view.
    #[must_use]
    pub fn of(view: &'v View, assume: &Assumptions) -> Self {
        let topology = Topology::of(view);
        let istio = Istio::of(view, &topology, assume);
        Self {
            view,
            ways: Ways::of(view, &topology),
            network: NetworkPolicies::of(view, &topology, assume),
            topology,
            istio,
        }
    }

    /// Whether and how a workload is in a mesh.
    #[must_use]
    pub fn membership(&self, workload: &Workload) -> Fact<Membership> {
        self.istio.membership(&self.topology, workload)
    }

    /// What a container port accepts on the wire; an undeclared port is a valid question.
    #[must_use]
    pub fn transport(&self, workload: &Workload, port: &Port) -> Fact<Transport> {
        let membership = self.membership(workload);
        self.istio.transport(workload, &membership, port)
    }

    /// Who reaches a container port: mesh and network together.
    #[must_use]
    pub fn reach(&self, workload: &Workload, port: &Port) -> Fact<Reach> {
        let membership = self.membership(workload);
        let transport = self.istio.transport(workload, &membership, port);
        self.reach_given(workload, &membership, &transport, port)
    }

    /// The same, when membership and transport are known already.
    #[must_use]
    pub fn reach_given(
        &self,
        workload: &Workload,
        membership: &Fact<Membership>,
        transport: &Fact<Transport>,
        port: &Port,
    ) -> Fact<Reach> {
        let topology = &self.topology;
        let mut fact = self
            .istio
            .reach(topology, workload, membership, transport, port);
        let Some(pod) = self.network.pods().number(workload.id) else {
            return fact;
        };
        if self.network.is_empty() {
            return fact;
        }
        let called = network_policy::called(Some(workload), port.protocol, port.number);
        let mut layers = vec![self.network.through(Direction::Ingress, pod, &called)];
        let plain = self.carried(pod, &called, &layers);
        let mut identified = plain.clone();
        if membership.get() == Some(&Membership::Ambient) && port.protocol == Protocol::Tcp {
            // Tunnelled connections arrive on another port; a policy about the application's port does not let them through.
            let tunnel = network_policy::called(Some(workload), Protocol::Tcp, HBONE);
            layers.insert(0, self.network.through(Direction::Ingress, pod, &tunnel));
            identified = self.carried(pod, &tunnel, &layers);
        }
        if let Ok(reach) = &mut fact.value {
            reach.restricted |= layers.iter().any(|l| l.restricted);
            reach.network = Networks { plain, identified };
            self.at_waypoint(reach);
        }
        let doubt = fact.get().and_then(|reach| {
            reach.at_most()?;
            // What is kept out of a wide answer makes no other answer of it.
            let (most, mut least) = (reach.access(), reach.at_least());
            least.except.clone_from(&most.except);
            self.network.doubt().filter(|_| most != least)
        });
        if let Some(reason) = doubt {
            fact.value = Err(vec![reason.clone()]);
        }
        for layer in layers {
            fact.steps.extend(layer.steps);
            if !layer.unknown.is_empty() {
                let mut missing = fact.value.err().unwrap_or_default();
                missing.extend(layer.unknown);
                fact.value = Err(missing);
            }
        }
        fact
    }

    /// Whom the network carries to a port, by the policies on both sides; `None` = everyone.
    fn carried(
        &self,
        pod: u32,
        called: &Called,
        layers: &[Through],
    ) -> Option<Arc<network::Network>> {
        let ingress = layers.first().filter(|l| l.restricted);
        let out = self.network.let_out(pod, called);
        let callers = match (ingress, out) {
            (None, None) => return None,
            (None, Some(out)) => out,
            (Some(ingress), None) => Arc::new(ingress.callers.clone()),
            (Some(ingress), Some(out)) => Arc::new(ingress.callers.intersect(&out)),
        };
        let mut doubtful = self.network.doubtful().subtract(&callers.pods);
        if let Some(ingress) = ingress.filter(|_| !doubtful.is_empty()) {
            doubtful = doubtful.intersect(&ingress.callers.pods);
        }
        let network = network::Network {
            pods: Arc::clone(self.network.pods()),
            doubtful,
            callers,
        };
        (!network.callers.is_all()).then(|| Arc::new(network))
    }

    /// Callers of a waypoint have to get to it, and it to the workload.
    fn at_waypoint(&self, reach: &mut Reach) {
        let Reach {
            paths,
            network,
            to_waypoint,
            ..
        } = reach;
        for path in paths {
            let Via::Waypoint(reference) = &path.via else {
                continue;
            };
            let Some(waypoint) = self.network.pods().made(reference) else {
                continue;
            };
            let tunnel = network_policy::called(None, Protocol::Tcp, HBONE);
            let ingress = self.network.through(Direction::Ingress, waypoint, &tunnel);
            let carried = self.carried(waypoint, &tunnel, &[ingress]);
            *to_waypoint = Networks {
                plain: carried.clone(),
                identified: carried,
            };
            let passes = |n: &Arc<network::Network>| n.callers.pods.contains(u128::from(waypoint));
            if !network.identified.as_ref().is_none_or(passes) {
                path.allowed = PeerSet::nobody();
                path.delegated = PeerSet::nobody();
            }
        }
    }

    /// Levels that a port's access may have instead, because files cannot order equally old policies; sorted, without `level`.
    #[must_use]
    pub fn alternatives(&self, workload: &Workload, port: &Port, level: Level) -> Vec<Level> {
        let membership = self.membership(workload);
        let transport = self.istio.transport(workload, &membership, port);
        let modes = transport
            .get()
            .map_or(&[][..], |t| t.alternatives.as_slice());
        let levels = modes.iter().filter_map(|&mode| {
            let other = Fact::known(Transport::certain(mode), Vec::new());
            let reach = self.reach_given(workload, &membership, &other, port);
            reach.get().map(|r| r.access().level)
        });
        let mut levels: Vec<Level> = levels.filter(|l| *l != level).collect();
        levels.sort_unstable();
        levels.dedup();
        levels
    }

    /// Where a workload may call outside the view: mesh and network together.
    #[must_use]
    pub fn egress(&self, workload: &Workload) -> Fact<Egress> {
        let membership = self.membership(workload);
        let fact = self.istio.egress(workload, &membership);
        match self.network.anywhere(workload) {
            Some(through) => outside::leaving(fact, through),
            None => fact,
        }
    }

    /// Who gets to a port from outside by one way in; `reach` is who gets to it at all.
    #[must_use]
    pub fn from_outside(&self, way: &Exposure, reach: &Fact<Reach>) -> Fact<Access> {
        let fact = self.istio.from_outside(&self.topology, way, reach);
        let at_proxies = self.at_proxies(way);
        if at_proxies.is_empty() {
            return fact;
        }
        outside::entering(fact, at_proxies)
    }

    /// What network policies say of calls from outside to the proxies of a way in; empty when they let everyone through to one.
    fn at_proxies(&self, way: &Exposure) -> Vec<Through> {
        let asked = |pod: Option<u32>, called: &Called| {
            pod.map(|pod| self.network.through(Direction::Ingress, pod, called))
        };
        let through: Vec<Option<Through>> = match &way.front {
            Front::Nobody | Front::Unseen(_) => return Vec::new(),
            Front::Workloads(ids) => {
                let proxies = ids.iter().filter_map(|id| self.topology.workload(*id));
                let through = proxies.map(|proxy| {
                    let port = proxy.behind(way.outside_port);
                    let called = network_policy::called(Some(proxy), Protocol::Tcp, port);
                    asked(self.network.pods().number(proxy.id), &called)
                });
                through.collect()
            }
            Front::Made { .. } => {
                let called = network_policy::called(None, Protocol::Tcp, way.outside_port);
                vec![asked(self.network.pods().made(&way.gateway()), &called)]
            }
        };
        let known: Option<Vec<Through>> = through.into_iter().collect();
        let mut known = known.unwrap_or_default();
        if known.iter().any(|t| !t.restricted) {
            known.clear();
        }
        known
    }

    /// The mesh in words, empty without a sign of one, and how many workloads are known to be in it.
    #[must_use]
    pub fn mesh(&self) -> (String, usize) {
        if self.istio.evidence.is_none() {
            return (String::new(), 0);
        }
        let memberships = self.topology.workloads.iter().map(|w| self.membership(w));
        let meshed: Vec<Membership> = memberships
            .filter_map(|fact| fact.get().copied())
            .filter(|m| *m != Membership::None)
            .collect();
        let mut words: Vec<&str> = meshed.iter().map(|m| m.as_str()).collect();
        words.sort_unstable();
        words.dedup();
        (
            format!("Istio {}", words.join(" and ")).trim().to_owned(),
            meshed.len(),
        )
    }
}
