//! L6: a view with its facts as subjects of rules. Input: a `View` and what may be assumed; output: `World`, and what its opening
//! line says.

use std::collections::BTreeSet;
use std::sync::Arc;

use rayon::prelude::*;

use crate::cel::{Reasons, Value};
use crate::engine::Analysis;
use crate::facts::access::Access;
use crate::facts::schema::{
    AccessRecord, Known, Nodes, PortRecord, TransportRecord, WorkloadRecord,
};
use crate::facts::subject::{Subject, SubjectKind, World};
use crate::facts::transport::{Membership, Transport};
use crate::facts::workload::{Port, Workload};
use crate::facts::{Assumptions, Fact, Origin, Role, Step, UnknownReason};
use crate::pods;
use crate::resource::Resource;
use crate::source::Span;
use crate::view::View;
use crate::yaml::NodeRef;

/// What the opening line of reports says of the meshes of a view.
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
    /// What was taken for granted, sorted, each once.
    pub assumptions: Vec<String>,
}

/// The facts of one workload; ports in its order, none without a sign of a mesh.
struct Found {
    membership: Fact<Membership>,
    ports: Vec<PortFound>,
}

/// The facts of one port.
struct PortFound {
    transport: Fact<Transport>,
    access: Fact<Access>,
    /// Whether no policy restricts callers.
    unrestricted: bool,
}

/// Reads a view and draws up its subjects.
#[must_use]
pub fn of_view(view: Arc<View>, assume: &Assumptions) -> (World, MeshSummary) {
    let mut world = World::new(Arc::clone(&view), Vec::new());
    let analysis = Analysis::of(&view, assume);
    let found: Vec<Found> = analysis
        .topology
        .workloads
        .par_iter()
        .with_min_len(16)
        .map(|workload| facts(&analysis, workload))
        .collect();
    let summary = summary(&analysis, &found);
    let mut workloads: Vec<Box<dyn Subject>> = Vec::new();
    let mut ports: Vec<Box<dyn Subject>> = Vec::new();
    // Reasons are numbered in the order of the view, whatever the threads did.
    for (workload, found) in analysis.topology.workloads.iter().zip(found) {
        let subject = WorkloadSubject::of(&analysis, workload, &found.membership, &mut world);
        let subject = Arc::new(subject);
        for (port, found) in workload.ports.iter().zip(&found.ports) {
            ports.push(Box::new(PortSubject::of(&subject, port, found, &mut world)));
        }
        workloads.push(Box::new(WorkloadOnly(subject)));
    }
    for workload in analysis.topology.made_by_controllers(&view) {
        let reason = UnknownReason {
            missing: format!(
                "the pods of {} {} are made by its controller",
                workload.resource.kind(),
                workload.reference()
            ),
            span: Some(workload.resource.name_span()),
        };
        let membership = Fact::unknown(reason, Vec::new());
        let subject = WorkloadSubject::of(&analysis, &workload, &membership, &mut world);
        workloads.push(Box::new(WorkloadOnly(Arc::new(subject))));
    }
    world.facts.insert(SubjectKind::Workload, workloads);
    world.facts.insert(SubjectKind::Port, ports);
    (world, summary)
}

fn facts(analysis: &Analysis<'_>, workload: &Workload) -> Found {
    let membership = analysis.membership(workload);
    let meshed = analysis.istio.evidence.is_some();
    let ports = workload.ports.iter().filter(|_| meshed).map(|port| {
        let transport = analysis.istio.transport(workload, &membership, port);
        let reach =
            analysis
                .istio
                .reach(&analysis.topology, workload, &membership, &transport, port);
        let unrestricted = reach.get().is_some_and(|r| !r.restricted);
        let access = Fact {
            value: reach.value.map(|r| r.access()),
            steps: reach.steps,
        };
        PortFound {
            transport,
            access,
            unrestricted,
        }
    });
    Found {
        ports: ports.collect(),
        membership,
    }
}

fn summary(analysis: &Analysis<'_>, found: &[Found]) -> MeshSummary {
    let mut summary = MeshSummary::default();
    if analysis.istio.evidence.is_none() {
        return summary;
    }
    let mut dataplanes = BTreeSet::new();
    let mut assumptions = BTreeSet::new();
    for workload in found {
        assumptions.extend(assumed(&workload.membership.steps));
        if let Some(dataplane @ (Membership::Sidecar | Membership::Ambient)) =
            workload.membership.get()
        {
            summary.meshed += 1;
            dataplanes.insert(*dataplane);
        }
        for PortFound {
            transport, access, ..
        } in &workload.ports
        {
            assumptions.extend(assumed(&transport.steps));
            summary.transport.0 += usize::from(transport.get().is_some());
            summary.transport.1 += 1;
            summary.access.0 += usize::from(access.get().is_some());
            summary.access.1 += 1;
        }
    }
    let words: Vec<&str> = dataplanes.iter().map(|d| d.as_str()).collect();
    summary.mesh = format!("Istio {}", words.join(" and "))
        .trim_end()
        .to_owned();
    summary.assumptions = assumptions.into_iter().collect();
    summary
}

#[derive(Debug)]
struct WorkloadSubject {
    resource: Arc<Resource>,
    record: WorkloadRecord,
    reference: String,
    assumptions: Vec<String>,
}

impl WorkloadSubject {
    fn of(
        analysis: &Analysis<'_>,
        workload: &Workload,
        membership: &Fact<Membership>,
        world: &mut World,
    ) -> Self {
        Self {
            resource: Arc::clone(&workload.resource),
            reference: workload.reference(),
            record: WorkloadRecord {
                name: workload.name().to_owned(),
                reference: workload.reference(),
                namespace: workload.namespace.as_str().to_owned(),
                kind: workload.resource.kind().to_owned(),
                service_account: workload.service_account.clone(),
                membership: known(membership, world, |m| m.as_str()),
                mesh: "istio",
                containers: containers(workload),
                is_gateway: workload.is_gateway(),
                meshes: analysis.istio.evidence.iter().map(|_| "istio").collect(),
                labels: workload.labels().filter(|l| l.is_map()).map(NodeRef::index),
            },
            assumptions: assumed(&membership.steps),
        }
    }
}

fn containers(workload: &Workload) -> Nodes {
    let templates = pods::templates(&workload.resource, &[]);
    let indexes = templates
        .iter()
        .flat_map(pods::PodTemplate::containers)
        .map(|container| container.node.index())
        .collect();
    Nodes {
        tree: workload.resource.tree(),
        indexes,
    }
}

/// A workload by itself.
#[derive(Debug)]
struct WorkloadOnly(Arc<WorkloadSubject>);

impl Subject for WorkloadOnly {
    fn resource(&self) -> &Arc<Resource> {
        &self.0.resource
    }

    fn words(&self) -> String {
        self.0.reference.clone()
    }

    fn value(&self, variable: usize) -> Value<'_> {
        match variable {
            0 => Value::Node(self.0.resource.object()),
            1 => Value::Record(&self.0.record),
            _ => Value::Null,
        }
    }
}

#[derive(Debug)]
struct PortSubject {
    workload: Arc<WorkloadSubject>,
    record: PortRecord,
    assumptions: Vec<String>,
}

impl PortSubject {
    fn of(
        workload: &Arc<WorkloadSubject>,
        port: &Port,
        found: &PortFound,
        world: &mut World,
    ) -> Self {
        let PortFound {
            transport, access, ..
        } = found;
        let declared = port.declared.or_else(|| Some(port.services.first()?.span));
        let mode = known(transport, world, |t| (t.mode.as_str(), t.mode.why()));
        let mut assumptions = assumed(&transport.steps);
        assumptions.extend(workload.assumptions.iter().cloned());
        assumptions.sort();
        assumptions.dedup();
        Self {
            workload: Arc::clone(workload),
            record: PortRecord {
                number: port.number,
                name: port.name.clone(),
                protocol: port.protocol.as_str(),
                is_served: !port.services.is_empty(),
                transport: TransportRecord {
                    is_default: is_default(&transport.steps),
                    alternatives: transport.get().map_or_else(Vec::new, |t| {
                        t.alternatives.iter().map(|m| m.as_str()).collect()
                    }),
                    decided_by: transport
                        .steps
                        .first()
                        .map_or_else(String::new, |s| s.says.clone()),
                    mode,
                },
                access: AccessRecord {
                    is_default: found.unrestricted,
                    access: known(access, world, Clone::clone),
                },
                places: declared.into_iter().collect(),
            },
            assumptions,
        }
    }
}

impl Subject for PortSubject {
    fn resource(&self) -> &Arc<Resource> {
        &self.workload.resource
    }

    fn words(&self) -> String {
        format!("port {} of {}", self.record.number, self.workload.reference)
    }

    fn value(&self, variable: usize) -> Value<'_> {
        match variable {
            0 => Value::Record(&self.record),
            1 => Value::Record(&self.workload.record),
            _ => Value::Null,
        }
    }

    fn span(&self) -> Span {
        let first = self.record.places.first().copied();
        first.unwrap_or_else(|| self.workload.resource.name_span())
    }

    fn assumptions(&self) -> Vec<String> {
        self.assumptions.clone()
    }
}

/// A fact as expressions read it: reasons numbered, deciding places first.
fn known<T, U>(fact: &Fact<T>, world: &mut World, read: impl FnOnce(&T) -> U) -> Known<U> {
    let value = match &fact.value {
        Ok(value) => Ok(read(value)),
        Err(reasons) => Err(Reasons::new(
            reasons.iter().map(|r| world.reason(r.clone())).collect(),
        )),
    };
    let decides = |step: &&Step| step.role == Role::Decides;
    let place = |step: &Step| match &step.origin {
        Origin::Field { span, .. } => Some(*span),
        Origin::Outside(_) => None,
    };
    Known {
        value,
        places: fact
            .steps
            .iter()
            .filter(decides)
            .filter_map(place)
            .collect(),
    }
}

fn is_default(steps: &[Step]) -> bool {
    !steps
        .iter()
        .any(|s| s.role == Role::Decides && matches!(s.origin, Origin::Field { .. }))
}

/// What a proof takes for granted, in words.
fn assumed(steps: &[Step]) -> Vec<String> {
    let mut found: Vec<_> = steps
        .iter()
        .filter(|s| matches!(s.role, Role::Assumed(_)))
        .map(|s| s.says.clone())
        .collect();
    found.sort();
    found.dedup();
    found
}
