//! L5: what rules are evaluated over. Input: an `Analysis`; output: the subjects of its view, with numbered reasons for what is unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use crate::cel::Reasons;
use crate::engine::Analysis;
use crate::engine::gaps::Clients;
use crate::facts::access::Access;
use crate::facts::exposure::Exposure;
use crate::facts::record::exposure::{ExposureRecord, ExposureSubject};
use crate::facts::record::{
    AccessRecord, PortRecord, PortSubject, ReasonNumbers, Shown, TransportRecord, WorkloadRecord,
    WorkloadSubject,
};
use crate::facts::subject::{Subject, SubjectKind};
use crate::facts::transport::{Membership, Transport};
use crate::facts::workload::Workload;
use crate::facts::{Fact, Role, Step, UnknownReason};

/// How the step of a policy that restricts callers begins.
const RESTRICTS: &str = "AuthorizationPolicy";

/// What the opening line says of the meshes of a view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MeshSummary {
    /// The mesh in words; empty without a sign of one.
    pub mesh: String,
    /// Workloads known to be in it.
    pub meshed: usize,
    /// Ports whose transport is known, and all ports.
    pub transport: (usize, usize),
    /// Ports whose access is known, and all ports.
    pub access: (usize, usize),
    /// AI assets, without those that are only possible; who knows them counts them.
    pub assets: usize,
    /// What was taken for granted, sorted, each once.
    pub assumptions: Vec<String>,
}

/// The subjects of a view.
#[derive(Debug, Default)]
pub struct Subjects {
    /// For the opening line.
    pub summary: MeshSummary,
    /// Subjects by kind, in the order of the view.
    pub by_kind: BTreeMap<SubjectKind, Vec<Box<dyn Subject>>>,
    /// What is missing, by the numbers that unknown values carry.
    pub reasons: Vec<UnknownReason>,
}

impl Analysis<'_> {
    /// The workloads and ports of the view with their facts.
    #[must_use]
    pub fn subjects(&self) -> Subjects {
        let found: Vec<Found> = self
            .topology
            .workloads
            .par_iter()
            .with_min_len(16)
            .map(|workload| self.facts(workload))
            .collect();
        let summary = self.summary(&found);
        // Reasons are numbered in the order of the view, whatever the threads did.
        let mut numbers = ReasonNumbers::default();
        let clients = self.istio.clients(&self.topology);
        let mut records = Vec::new();
        let mut workloads: Vec<Box<dyn Subject>> = Vec::new();
        let mut ports: Vec<Box<dyn Subject>> = Vec::new();
        let mut exposures: Vec<Box<dyn Subject>> = Vec::new();
        for (workload, found) in self.topology.workloads.iter().zip(found) {
            let record = Arc::new(self.record(workload, found, &clients, &mut numbers));
            records.push(Arc::clone(&record));
            for at in 0..record.ports.len() {
                ports.push(Box::new(PortSubject {
                    workload: Arc::clone(&record),
                    at,
                }));
                let ways = record.ports.get(at).map_or(0, |p| p.exposures.len());
                exposures.extend((0..ways).map(|way| -> Box<dyn Subject> {
                    Box::new(ExposureSubject {
                        workload: Arc::clone(&record),
                        port: at,
                        at: way,
                    })
                }));
            }
            workloads.push(Box::new(WorkloadSubject(record)));
        }
        for workload in self.topology.made_by_controllers(self.view) {
            let missing = format!(
                "the pods of {} {} are made by its controller",
                workload.resource.kind(),
                workload.reference()
            );
            let span = Some(workload.resource.name_span());
            let membership = Fact::unknown(UnknownReason { missing, span }, Vec::new());
            let found = Found {
                membership,
                ports: Vec::new(),
            };
            let record = self.record(&workload, found, &clients, &mut numbers);
            workloads.push(Box::new(WorkloadSubject(Arc::new(record))));
        }
        let policies = self.policies(&records, &clients, &mut numbers);
        Subjects {
            summary,
            by_kind: BTreeMap::from([
                (SubjectKind::Workload, workloads),
                (SubjectKind::Port, ports),
                (SubjectKind::Exposure, exposures),
                (SubjectKind::Policy, policies),
            ]),
            reasons: numbers.into_reasons(),
        }
    }

    fn facts(&self, workload: &Workload) -> Found {
        let membership = self.membership(workload);
        let ports = workload.ports.iter().map(|port| {
            let transport = self.istio.transport(workload, &membership, port);
            let reach = self.reach_given(workload, &membership, &transport, port);
            let unrestricted = reach.get().is_some_and(|r| !r.restricted);
            let ways = self.ways.to(workload.id, port.number, port.protocol);
            let exposures = ways
                .map(|way| {
                    let access = self.from_outside(way, &reach);
                    (way.clone(), access)
                })
                .collect();
            let access = Fact {
                value: reach.value.map(|r| r.access()),
                steps: reach.steps,
            };
            FoundPort {
                transport,
                access,
                unrestricted,
                exposures,
            }
        });
        Found {
            ports: ports.collect(),
            membership,
        }
    }

    fn record(
        &self,
        workload: &Workload,
        found: Found,
        clients: &Clients,
        numbers: &mut ReasonNumbers,
    ) -> WorkloadRecord {
        let namespace = workload.namespace.as_str();
        let reference = |name: &String| match namespace {
            "" => name.clone(),
            _ => format!("{namespace}/{name}"),
        };
        let ports = workload.ports.iter().zip(found.ports);
        let ports = ports.map(|(port, found)| PortRecord {
            calls: self.istio.calls_to(&self.topology, clients, workload, port),
            port: port.clone(),
            services: port
                .services
                .iter()
                .map(|s| reference(&s.service.name))
                .collect(),
            transport: TransportRecord(Shown::of(found.transport, numbers)),
            access: AccessRecord {
                access: Shown::of(found.access, numbers),
                unrestricted: found.unrestricted,
            },
            exposures: found
                .exposures
                .into_iter()
                .map(|(way, access)| {
                    let restricted = access.deciding().any(|s| s.says.starts_with(RESTRICTS));
                    let open = found.unrestricted && !restricted;
                    exposure_record(way, access, open, numbers)
                })
                .collect(),
        });
        WorkloadRecord {
            ports: ports.collect(),
            workload: workload.clone(),
            namespace: self.topology.namespaces.get(namespace).cloned(),
            meshes: self.istio.evidence.iter().map(|_| "istio").collect(),
            mesh: "istio",
            membership: Shown::of(found.membership, numbers),
            is_gateway: workload.is_gateway(),
            containers: OnceLock::new(),
        }
    }

    fn summary(&self, found: &[Found]) -> MeshSummary {
        if self.istio.evidence.is_none() {
            return MeshSummary::default();
        }
        let mut summary = MeshSummary::default();
        let mut dataplanes = BTreeSet::new();
        let mut assumptions = BTreeSet::new();
        let mut assumed = |steps: &[Step]| {
            for step in steps {
                if matches!(step.role, Role::Assumed(_)) {
                    assumptions.insert(step.says.clone());
                }
            }
        };
        for workload in found {
            assumed(&workload.membership.steps);
            if let Some(dataplane @ (Membership::Sidecar | Membership::Ambient)) =
                workload.membership.get()
            {
                summary.meshed += 1;
                dataplanes.insert(*dataplane);
            }
            for FoundPort {
                transport, access, ..
            } in &workload.ports
            {
                assumed(&transport.steps);
                summary.transport.0 += usize::from(transport.get().is_some());
                summary.access.0 += usize::from(access.get().is_some());
                summary.transport.1 += 1;
                summary.access.1 += 1;
            }
        }
        let words: Vec<&str> = dataplanes.iter().map(|d| d.as_str()).collect();
        summary.mesh = format!("Istio {}", words.join(" and ")).trim().to_owned();
        summary.assumptions = assumptions.into_iter().collect();
        summary
    }
}

/// The facts of one workload, ports in its order.
struct Found {
    membership: Fact<Membership>,
    ports: Vec<FoundPort>,
}

/// The facts of one port.
struct FoundPort {
    transport: Fact<Transport>,
    access: Fact<Access>,
    /// Whether no policy restricts callers.
    unrestricted: bool,
    /// Ways in with who gets in by them.
    exposures: Vec<(Exposure, Fact<Access>)>,
}

fn exposure_record(
    exposure: Exposure,
    access: Fact<Access>,
    unrestricted: bool,
    numbers: &mut ReasonNumbers,
) -> ExposureRecord {
    let tls = exposure.tls.ok_or_else(|| {
        let reason = UnknownReason {
            missing: format!("Gateway {} is not in the view", exposure.gateway()),
            span: None,
        };
        Reasons::one(numbers.of(&reason))
    });
    ExposureRecord {
        tls,
        access: AccessRecord {
            access: Shown::of(access, numbers),
            unrestricted,
        },
        exposure,
    }
}
