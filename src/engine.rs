//! L5: what meshes make of the manifests. Input: a `View` and what may be assumed; output: `Analysis`, which answers for any workload and port.

use crate::facts::access::{Access, Level};
use crate::facts::egress::Egress;
use crate::facts::exposure::Exposure;
use crate::facts::transport::{Membership, Transport};
use crate::facts::workload::{Port, Workload};
use crate::facts::{Assumptions, Fact};
use crate::topology::Topology;
use crate::topology::ways::Ways;
use crate::view::View;

pub mod istio;
mod network_gaps;
mod policies;
pub mod subjects;

use istio::Istio;

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

    /// Who reaches a container port.
    #[must_use]
    pub fn reach(&self, workload: &Workload, port: &Port) -> Fact<istio::Reach> {
        let membership = self.membership(workload);
        let transport = self.istio.transport(workload, &membership, port);
        self.istio
            .reach(&self.topology, workload, &membership, &transport, port)
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
            let reach = self
                .istio
                .reach(&self.topology, workload, &membership, &other, port);
            reach.get().map(|r| r.access().level)
        });
        let mut levels: Vec<Level> = levels.filter(|l| *l != level).collect();
        levels.sort_unstable();
        levels.dedup();
        levels
    }

    /// Where a workload may call outside the view.
    #[must_use]
    pub fn egress(&self, workload: &Workload) -> Fact<Egress> {
        let membership = self.membership(workload);
        self.istio.egress(workload, &membership)
    }

    /// Who gets to a port from outside by one way in; `reach` is who gets to it at all.
    #[must_use]
    pub fn from_outside(&self, way: &Exposure, reach: &Fact<istio::Reach>) -> Fact<Access> {
        self.istio.from_outside(&self.topology, way, reach)
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
