//! L5: what meshes make of the manifests. Input: a `View` and what may be assumed; output: `Analysis`, which answers for any workload and port.

use crate::facts::transport::{Membership, Transport};
use crate::facts::workload::{Port, Workload};
use crate::facts::{Assumptions, Fact};
use crate::topology::Topology;
use crate::topology::ways::Ways;
use crate::view::View;

pub mod istio;
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
}
