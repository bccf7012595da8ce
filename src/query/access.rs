//! Who may call what. Input: views and a selection; output: `AccessReport`: every port with its facts and their proof, ways in, ways out, routes and,
//! when asked for, calls between workloads.

pub mod edge;
pub mod reach;

use std::collections::BTreeSet;
use std::sync::Arc;

use rayon::prelude::*;

use crate::engine::Analysis;
use crate::engine::istio::Reach;
use crate::facts::access::{Access, Level};
use crate::facts::assumptions::Assumptions;
use crate::facts::egress::Egress;
use crate::facts::exposure::{Copies, Exposure, RouteAttachment};
use crate::facts::transport::{Membership, Transport};
use crate::facts::workload::{Port, Workload};
use crate::facts::{Fact, Role, Step};
use crate::query::reference::{self, ReferenceError};
use crate::shape::nearest;
use crate::source::Sources;
use crate::view::{Lack, View};
use edge::{Client, Edge};
use reach::Ports;

/// What of the views is wanted.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Ports of this workload only.
    pub to: Option<String>,
    /// Calls of this workload.
    pub from: Option<String>,
    /// What this workload gets to, directly and in turn.
    pub reach: Option<String>,
    /// Workloads of these namespaces only; empty = all.
    pub namespaces: Vec<String>,
    /// Ports with these levels of access only, `unknown` among them; empty = all.
    pub levels: Vec<String>,
    /// All calls between the workloads that are left.
    pub edges: bool,
}

/// The answer for all views.
#[derive(Debug)]
pub struct AccessReport {
    /// One for each view.
    pub views: Vec<ViewAccess>,
    /// The texts that spans index.
    pub sources: Sources,
    /// What was asked.
    pub selection: Selection,
}

/// The answer for one view.
#[derive(Debug)]
pub struct ViewAccess {
    /// Name of the view.
    pub name: String,
    /// The mesh in words, empty without a sign of one.
    pub mesh: String,
    /// Workloads of the view, and those known to be meshed.
    pub workloads: (usize, usize),
    /// What of the view is not known, by why, in words.
    pub opaque: Vec<(Lack, String)>,
    /// Objects whose controllers make the pods, so that ports and labels are not in the files: `Kind:namespace/name`.
    pub made: Vec<String>,
    /// Ports that were selected, in order of namespace, name and port.
    pub ports: Vec<PortEntry>,
    /// Ways out of the selected workloads.
    pub egress: Vec<EgressEntry>,
    /// Routes with the gateways they name.
    pub routes: Vec<RouteEntry>,
    /// Calls, when asked for.
    pub edges: Option<Vec<EdgeEntry>>,
    /// What a workload gets to, when asked for.
    pub reach: Option<Vec<ReachEntry>>,
}

/// A workload as reports name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkloadRef {
    /// Effective namespace, `""` when nothing names it.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Kind.
    pub kind: String,
}

/// One port with its facts.
#[derive(Debug)]
pub struct PortEntry {
    /// The workload.
    pub workload: WorkloadRef,
    /// Its service account.
    pub service_account: String,
    /// The port.
    pub port: Port,
    /// How the workload takes part in a mesh.
    pub membership: Fact<Membership>,
    /// What the port accepts on the wire.
    pub transport: Fact<Transport>,
    /// Who may call it.
    pub access: Fact<Access>,
    /// The rules of policies that let callers in.
    pub admitted_by: Vec<Step>,
    /// Levels it may have instead, because files cannot order equally old policies.
    pub alternatives: Vec<Level>,
    /// Ways to it with the level on each.
    pub paths: Vec<(String, Level)>,
    /// Ways in from outside, with who gets in.
    pub exposures: Vec<(Exposure, Fact<Access>)>,
    /// Copies of requests to other workloads that are sent here.
    pub copies: Vec<Copies>,
}

/// Ways out of one workload.
#[derive(Debug)]
pub struct EgressEntry {
    /// The workload.
    pub workload: WorkloadRef,
    /// Where it may call outside the view.
    pub egress: Fact<Egress>,
}

/// A route and one gateway it names.
#[derive(Debug)]
pub struct RouteEntry {
    /// Attachment with its proof.
    pub attachment: RouteAttachment,
    /// The widest access of callers from outside to a port behind it; `None` when it leads to none, or it is unknown.
    pub access: Option<Access>,
}

/// One call.
#[derive(Debug)]
pub struct EdgeEntry {
    /// Who calls.
    pub from: WorkloadRef,
    /// Whom.
    pub to: WorkloadRef,
    /// Container port.
    pub port: u16,
    /// The answer.
    pub edge: Edge,
}

/// One port that is reached.
#[derive(Debug)]
pub struct ReachEntry {
    /// Calls it takes, from 1.
    pub calls: usize,
    /// The last of them.
    pub last: EdgeEntry,
}

impl WorkloadRef {
    fn of(workload: &Workload) -> Self {
        Self {
            namespace: workload.namespace.as_str().to_owned(),
            name: workload.name().to_owned(),
            kind: workload.resource.kind().to_owned(),
        }
    }

    /// `namespace/name`; only the name in the unnamed namespace.
    #[must_use]
    pub fn reference(&self) -> String {
        crate::facts::exposure::join(&self.namespace, &self.name)
    }
}

impl PortEntry {
    /// The level as a word; `unknown` when it cannot be known.
    #[must_use]
    pub fn level(&self) -> &'static str {
        self.access.get().map_or("unknown", |a| a.level.as_str())
    }

    /// What was taken for granted, each once.
    #[must_use]
    pub fn assumed(&self) -> Vec<String> {
        let steps = self
            .membership
            .steps
            .iter()
            .chain(&self.transport.steps)
            .chain(&self.access.steps);
        assumed(steps)
    }
}

/// What steps take for granted, sorted, each once.
pub fn assumed<'s>(steps: impl IntoIterator<Item = &'s Step>) -> Vec<String> {
    let found: BTreeSet<String> = steps
        .into_iter()
        .filter(|s| matches!(s.role, Role::Assumed(_)))
        .map(|s| s.says.clone())
        .collect();
    found.into_iter().collect()
}

/// Answers a selection over all views.
///
/// # Errors
/// The user's: a reference that names no workload of any view, or several kinds.
pub fn access(
    views: &[Arc<View>],
    assume: &Assumptions,
    sources: Sources,
    selection: Selection,
) -> Result<AccessReport, ReferenceError> {
    let mut answered = Vec::new();
    let mut failed = None;
    for view in views {
        let analysis = Analysis::of(view, assume);
        match of_view(&analysis, &selection) {
            Ok(found) => answered.push(found),
            Err(error) => {
                failed.get_or_insert(error);
            }
        }
    }
    for name in &selection.namespaces {
        known_namespace(name, views)?;
    }
    // A name has to be known in one view, not in all.
    match failed {
        Some(error) if answered.is_empty() => Err(error),
        _ => Ok(AccessReport {
            views: answered,
            sources,
            selection,
        }),
    }
}

fn known_namespace(name: &str, views: &[Arc<View>]) -> Result<(), ReferenceError> {
    let members = || views.iter().flat_map(|view| &view.members);
    let objects = members().filter(|m| m.resource.group_kind.kind == "Namespace");
    let mut known: BTreeSet<&str> = members().map(|m| m.namespace.as_str()).collect();
    known.extend(objects.map(|m| m.resource.name.as_str()));
    if known.contains(name) {
        return Ok(());
    }
    known.remove("");
    Err(ReferenceError {
        message: format!("nothing is in a namespace `{name}`"),
        help: match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => String::from("`meshgov access` lists workloads with their namespaces"),
        },
    })
}

fn of_view(analysis: &Analysis<'_>, selection: &Selection) -> Result<ViewAccess, ReferenceError> {
    let named = |text: &Option<String>| {
        text.as_ref()
            .map(|t| reference::workload(&analysis.topology, t))
            .transpose()
    };
    let (to, from, start) = (
        named(&selection.to)?,
        named(&selection.from)?,
        named(&selection.reach)?,
    );
    let mut chosen: Vec<&Workload> = analysis
        .topology
        .workloads
        .iter()
        .filter(|w| to.is_none_or(|to| to.id == w.id))
        .filter(|w| {
            selection.namespaces.is_empty()
                || selection
                    .namespaces
                    .iter()
                    .any(|n| n == w.namespace.as_str())
        })
        .collect();
    chosen.sort_by_key(|w| (WorkloadRef::of(w), w.id));
    let mut ports: Vec<PortEntry> = chosen
        .par_iter()
        .with_min_len(16)
        .flat_map_iter(|w| entries(analysis, w))
        .collect();
    let kept = |p: &PortEntry| {
        selection.levels.is_empty() || selection.levels.iter().any(|l| l == p.level())
    };
    ports.retain(kept);
    let asked = selection.edges || from.is_some() || (to.is_some() && start.is_none());
    let all = (asked || start.is_some()).then(|| Ports::of(analysis));
    let edges = all
        .as_ref()
        .filter(|_| asked)
        .map(|all| edges(analysis, all, from, to, &chosen));
    let reach = start
        .zip(all.as_ref())
        .map(|(start, all)| reached(analysis, all, start));
    let (mesh, meshed) = analysis.mesh();
    Ok(ViewAccess {
        name: analysis.view.name.clone(),
        mesh,
        opaque: analysis.view.lacks(),
        made: analysis
            .topology
            .made_by_controllers(analysis.view)
            .map(|w| format!("{}:{}", w.resource.kind(), w.reference()))
            .collect(),
        workloads: (analysis.topology.workloads.len(), meshed),
        egress: chosen
            .iter()
            .map(|w| EgressEntry {
                workload: WorkloadRef::of(w),
                egress: analysis.egress(w),
            })
            .collect(),
        routes: routes(analysis, &ports, &chosen),
        ports,
        edges,
        reach,
    })
}

fn entries(analysis: &Analysis<'_>, workload: &Workload) -> Vec<PortEntry> {
    let membership = analysis.membership(workload);
    let entry = |port: &Port| {
        let reach = analysis.reach(workload, port);
        let paths = reach.get().map_or_else(Vec::new, |reach| {
            let via = |p: &crate::engine::istio::Path| match &p.via {
                crate::engine::istio::Via::Direct => "direct".to_owned(),
                crate::engine::istio::Via::Waypoint(name) => format!("waypoint {name}"),
            };
            let level = |p| Access::of(&p, &crate::facts::peers::PeerSet::nobody()).level;
            let mut paths: Vec<(String, Level)> = reach
                .paths
                .iter()
                .map(|p| (via(p), level(p.allowed.clone())))
                .collect();
            paths.sort();
            paths.dedup();
            paths
        });
        let exposures = analysis
            .ways
            .to(workload.id, port.number, port.protocol)
            .map(|way| {
                let access = analysis.from_outside(way, &reach);
                (way.clone(), access)
            })
            .collect();
        let copies = analysis
            .ways
            .copies_to(workload.id, port.number, port.protocol);
        let copies = copies.cloned().collect();
        let level = reach.get().map(|r| r.access().level);
        let admitted_by = reach
            .get()
            .map_or_else(Vec::new, |r| admitting_rules(analysis, r));
        PortEntry {
            alternatives: level.map_or_else(Vec::new, |level| {
                analysis.alternatives(workload, port, level)
            }),
            workload: WorkloadRef::of(workload),
            service_account: workload.service_account.clone(),
            port: port.clone(),
            transport: analysis.transport(workload, port),
            access: Fact {
                value: reach.value.map(|r| r.access()),
                steps: reach.steps,
            },
            membership: membership.clone(),
            admitted_by,
            paths,
            exposures,
            copies,
        }
    };
    workload.ports.iter().map(entry).collect()
}

/// The rules that let callers in, in the order of the paths.
fn admitting_rules(analysis: &Analysis<'_>, reach: &Reach) -> Vec<Step> {
    let mut seen = BTreeSet::new();
    let admitting = reach.paths.iter().flat_map(|p| &p.allowed.cubes);
    admitting
        .flat_map(|cube| &cube.because)
        .filter(|because| seen.insert(**because))
        .filter_map(|because| {
            let mut members = analysis.view.members.iter();
            let member = members.find(|m| m.resource.id == because.policy)?;
            let rules = member.resource.object().at(&["spec", "rules"])?;
            let rule = rules.items().nth(crate::source::to_usize(because.rule))?;
            let place =
                crate::facts::exposure::join(member.namespace.as_str(), &member.resource.name);
            let says = format!(
                "rule {} of {} {place} lets callers in",
                because.rule,
                member.resource.kind()
            );
            Some(Step::decides(&member.resource, rule.span(), says))
        })
        .collect()
}

fn edges(
    analysis: &Analysis<'_>,
    all: &Ports<'_>,
    from: Option<&Workload>,
    to: Option<&Workload>,
    chosen: &[&Workload],
) -> Vec<EdgeEntry> {
    let mut clients: Vec<&Workload> = match from {
        Some(from) => vec![from],
        None => analysis.topology.workloads.iter().collect(),
    };
    clients.sort_by_key(|w| (WorkloadRef::of(w), w.id));
    let targets: BTreeSet<_> = match to {
        Some(to) => BTreeSet::from([to.id]),
        None => chosen.iter().map(|w| w.id).collect(),
    };
    clients
        .par_iter()
        .flat_map_iter(|workload| {
            let client = Client::of(analysis, workload);
            let mut found: Vec<EdgeEntry> = all
                .called_by(&client)
                .filter(|(target, ..)| targets.contains(&target.id))
                .map(|(target, port, edge)| EdgeEntry {
                    from: WorkloadRef::of(workload),
                    to: WorkloadRef::of(target),
                    port: port.number,
                    edge,
                })
                .collect();
            found.sort_by(|a, b| (&a.to, a.port).cmp(&(&b.to, b.port)));
            found
        })
        .collect()
}

fn reached(analysis: &Analysis<'_>, all: &Ports<'_>, start: &Workload) -> Vec<ReachEntry> {
    let shown = |id| analysis.topology.workload(id).map(WorkloadRef::of);
    let mut found: Vec<ReachEntry> = all
        .reached_from(start)
        .into_iter()
        .filter_map(|hop| {
            Some(ReachEntry {
                calls: hop.calls,
                last: EdgeEntry {
                    from: shown(hop.from)?,
                    to: shown(hop.to)?,
                    port: hop.port,
                    edge: hop.edge,
                },
            })
        })
        .collect();
    found.sort_by(|a, b| {
        (a.calls, &a.last.to, a.last.port).cmp(&(b.calls, &b.last.to, b.last.port))
    });
    found
}

/// Routes that stand in the namespaces of the selected workloads or lead to one of their ports.
fn routes(analysis: &Analysis<'_>, ports: &[PortEntry], chosen: &[&Workload]) -> Vec<RouteEntry> {
    let everything = chosen.len() == analysis.topology.workloads.len();
    let near: BTreeSet<&str> = chosen.iter().map(|w| w.namespace.as_str()).collect();
    let exposures: Vec<&(Exposure, Fact<Access>)> =
        ports.iter().flat_map(|p| &p.exposures).collect();
    let widest = |route: &RouteAttachment| {
        exposures
            .iter()
            .filter(|(way, _)| {
                way.opener.id == route.route.id && way.gateway() == route.gateway.reference()
            })
            .filter_map(|(_, access)| access.get())
            .max_by_key(|a| (a.level, a.by.is_empty()))
            .cloned()
    };
    analysis
        .ways
        .routes
        .iter()
        .filter(|route| {
            everything
                || near.contains(route.namespace.as_str())
                || exposures
                    .iter()
                    .any(|(way, _)| way.opener.id == route.route.id)
        })
        .map(|route| RouteEntry {
            access: widest(route),
            attachment: route.clone(),
        })
        .collect()
}
