//! The facts of one side. Input: a view; output: `Facts`: membership of each workload, transport and callers of each port.

use std::collections::BTreeSet;

use rayon::prelude::*;

use crate::asset::Inventory;
use crate::engine::Analysis;
use crate::engine::istio::Reach;
use crate::facts::peers::Identity;
use crate::facts::transport::{Membership, Transport};
use crate::facts::workload::{Port, Workload};
use crate::facts::{Assumptions, Fact};
use crate::resource::ResourceId;
use crate::source::to_usize;
use crate::view::View;

/// A view with what is to be compared.
#[derive(Debug)]
pub(super) struct Facts<'v> {
    pub(super) analysis: Analysis<'v>,
    pub(super) workloads: Vec<WorkloadFacts>,
    pub(super) inventory: Inventory,
    /// Objects that are sure AI assets.
    pub(super) assets: BTreeSet<ResourceId>,
}

#[derive(Debug)]
pub(super) struct WorkloadFacts {
    pub(super) membership: Fact<Membership>,
    /// What it presents where its wire carries an identity.
    pub(super) identity: Identity,
    /// In the order of the workload's ports.
    pub(super) ports: Vec<PortFacts>,
}

#[derive(Debug)]
pub(super) struct PortFacts {
    pub(super) transport: Fact<Transport>,
    pub(super) reach: Fact<Reach>,
}

impl<'v> Facts<'v> {
    pub(super) fn of(view: &'v View, assume: &Assumptions) -> Self {
        let analysis = Analysis::of(view, assume);
        let workloads = analysis
            .topology
            .workloads
            .par_iter()
            .with_min_len(16)
            .map(|workload| of_workload(&analysis, workload))
            .collect();
        let inventory = Inventory::of(view);
        let sure = inventory.assets.iter().filter(|a| !a.is_possible());
        Self {
            assets: sure.map(|a| a.resource.id).collect(),
            inventory,
            analysis,
            workloads,
        }
    }

    pub(super) fn workload(&self, at: usize) -> Option<&Workload> {
        self.analysis.topology.workloads.get(at)
    }

    /// A port with its facts.
    pub(super) fn port(&self, (workload, port): At) -> Option<(&Workload, &Port, &PortFacts)> {
        let facts = self.workloads.get(workload)?.ports.get(port)?;
        let workload = self.workload(workload)?;
        Some((workload, workload.ports.get(port)?, facts))
    }

    /// Positions of the workloads behind a Service.
    pub(super) fn behind(&self, namespace: &str, service: &str) -> impl Iterator<Item = usize> {
        self.analysis
            .topology
            .behind(namespace, service)
            .map(|w| to_usize(w.id.0))
    }
}

/// Positions of a workload and of a port of it.
pub(super) type At = (usize, usize);

fn of_workload(analysis: &Analysis<'_>, workload: &Workload) -> WorkloadFacts {
    let membership = analysis.membership(workload);
    let istio = &analysis.istio;
    let ports = workload.ports.iter().map(|port| {
        let transport = istio.transport(workload, &membership, port);
        let reach = analysis.reach_given(workload, &membership, &transport, port);
        PortFacts { transport, reach }
    });
    WorkloadFacts {
        ports: ports.collect(),
        identity: Identity {
            trust_domain: istio
                .config
                .trust_domains
                .first()
                .cloned()
                .unwrap_or_default(),
            namespace: workload.namespace.as_str().to_owned(),
            account: workload.service_account.clone(),
        },
        membership,
    }
}
