//! L6: a view with its facts as subjects of rules. Input: a `View` and what may be assumed; output: `World`.

use std::sync::Arc;

use crate::cel::{Reasons, Value};
use crate::engine::{Analysis, Assume};
use crate::facts::schema::{Known, Nodes, PortRecord, TransportRecord, WorkloadRecord};
use crate::facts::subject::{Subject, SubjectKind, World};
use crate::facts::transport::Membership;
use crate::facts::workload::{Port, Workload};
use crate::facts::{Fact, Origin, Role, Step};
use crate::resource::Resource;
use crate::source::Span;
use crate::view::View;
use crate::yaml::NodeRef;

/// Reads a view and draws up its subjects.
#[must_use]
pub fn of_view(view: Arc<View>, assume: &Assume) -> World {
    let mut world = World::new(Arc::clone(&view), Vec::new());
    let analysis = Analysis::of(&view, assume);
    let (mut workloads, mut ports): (Vec<Box<dyn Subject>>, Vec<Box<dyn Subject>>) =
        (Vec::new(), Vec::new());
    for workload in &analysis.topology.workloads {
        let membership = analysis.membership(workload);
        let subject = Arc::new(WorkloadSubject::of(workload, &membership, &mut world));
        if analysis.istio.evidence.is_some() {
            for port in &workload.ports {
                let transport = analysis.transport(workload, port);
                ports.push(Box::new(PortSubject::of(
                    &subject, port, &transport, &mut world,
                )));
            }
        }
        workloads.push(Box::new(WorkloadOnly(subject)));
    }
    world.facts.insert(SubjectKind::Workload, workloads);
    world.facts.insert(SubjectKind::Port, ports);
    world
}

#[derive(Debug)]
struct WorkloadSubject {
    resource: Arc<Resource>,
    record: WorkloadRecord,
    reference: String,
    assumptions: Vec<String>,
}

impl WorkloadSubject {
    fn of(workload: &Workload, membership: &Fact<Membership>, world: &mut World) -> Self {
        Self {
            resource: Arc::clone(&workload.resource),
            reference: workload.reference(),
            record: WorkloadRecord {
                name: workload.name().to_owned(),
                namespace: workload.namespace.as_str().to_owned(),
                kind: workload.resource.kind().to_owned(),
                service_account: workload.service_account.clone(),
                membership: known(membership, world, |m| m.as_str()),
                mesh: "istio",
                containers: containers(workload),
                labels: workload.labels().filter(|l| l.is_map()).map(NodeRef::index),
            },
            assumptions: assumed(&membership.steps),
        }
    }
}

fn containers(workload: &Workload) -> Nodes {
    let lists = ["initContainers", "containers", "ephemeralContainers"];
    let spec = workload.pod_spec();
    let indexes = lists
        .iter()
        .filter_map(|name| spec?.get(name))
        .flat_map(NodeRef::items)
        .map(NodeRef::index)
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
        transport: &Fact<crate::facts::transport::Transport>,
        world: &mut World,
    ) -> Self {
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
                    is_default: !transport.steps.iter().any(|s| {
                        s.role == Role::Decides && matches!(s.origin, Origin::Field { .. })
                    }),
                    mode,
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
