//! L5: what meshes make of the manifests. Input: a `View` and what may be assumed; output: `Analysis`, which answers for any workload and port.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::facts::Fact;
use crate::facts::transport::{Membership, Transport};
use crate::facts::workload::{Port, Workload};
use crate::topology::Topology;
use crate::view::View;

pub mod istio;
pub mod subjects;

use istio::Istio;

/// What may be taken for granted about a view (`assume:` of the config).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Assume {
    /// Namespaces whose objects are all in the view; `root` stands for the mesh's root namespace.
    pub complete: BTreeSet<String>,
    /// A mesh that is there though the view shows no sign of it.
    pub mesh: Option<String>,
    /// Labels of namespaces that have no Namespace object in the view.
    pub namespaces: BTreeMap<String, AssumedNamespace>,
    /// Istio's settings.
    pub istio: istio::IstioAssume,
}

/// A namespace that lives elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct AssumedNamespace {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

impl Assume {
    /// Reads an `assume:` section that has been checked against its shape; what does not fit is left out.
    #[must_use]
    pub fn read(section: Option<&serde_json::Value>) -> Self {
        let entries = section.and_then(serde_json::Value::as_object);
        let read = |(key, value): (&String, &serde_json::Value)| {
            let one = serde_json::json!({ key: value });
            serde_json::from_value::<Self>(one).ok()
        };
        entries
            .into_iter()
            .flatten()
            .filter_map(read)
            .fold(Self::default(), |mut all, one| {
                all.complete.extend(one.complete);
                all.namespaces.extend(one.namespaces);
                all.mesh = all.mesh.or(one.mesh);
                if one.istio != istio::IstioAssume::default() {
                    all.istio = one.istio;
                }
                all
            })
    }
}

/// Everything the engines read of one view.
#[derive(Debug)]
pub struct Analysis<'v> {
    /// The view.
    pub view: &'v View,
    /// Workloads, ports, namespaces.
    pub topology: Topology,
    /// The Istio engine over this view.
    pub istio: Istio,
}

impl<'v> Analysis<'v> {
    /// Reads a view.
    #[must_use]
    pub fn of(view: &'v View, assume: &Assume) -> Self {
        let topology = Topology::of(view);
        let istio = Istio::of(view, &topology, assume);
        Self {
            view,
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
