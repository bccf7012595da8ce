//! The Istio engine. Input: a `View` and its `Topology`; output: membership, transport and access of its workloads, with proof.
//!
//! Semantics read from istio/istio@86c9f01fd735 (1.32-dev); each rule names its upstream file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use crate::facts::Assumptions;
use crate::facts::transport::{Membership, Mode, Plaintext, Transport};
use crate::facts::workload::{Port, Protocol, Workload};
use crate::facts::{Fact, Step, UnknownReason};
use crate::source::to_usize;
use crate::topology::Topology;
use crate::view::{Opaque, View};
use crate::yaml::NodeRef;

mod access;
mod ambient;
mod authorization;
mod capture;
mod client;
mod compile;
mod config;
mod destination_rule;
mod egress;
mod evidence;
pub(crate) mod gaps;
mod gateway;
mod jwt;
mod listener;
mod membership;
mod peer_authentication;
pub(crate) mod policy;
mod taint;
mod waypoint;
mod ztunnel;

pub use crate::facts::access::reach::{Answer, Call, Path, Reach, Via};
pub use client::{Destination, Wire};
pub use compile::Protocol as Reads;
pub use config::MeshConfig;
use destination_rule::DestinationRules;
use egress::Outbound;
use jwt::RequestAuthentications;
use peer_authentication::PeerAuthentications;
use policy::AuthorizationPolicies;
use taint::Taints;
use waypoint::Waypoints;

/// Istio as one view shows it.
#[derive(Debug)]
pub struct Istio {
    /// Mesh-wide settings.
    pub config: MeshConfig,
    /// The first sign of Istio in the view; without one the engine says that nothing is meshed.
    pub evidence: Option<Step>,
    namespaces: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) completeness: Completeness,
    pub(crate) peer_authentications: PeerAuthentications,
    request_authentications: RequestAuthentications,
    pub(crate) policies: AuthorizationPolicies,
    waypoints: Waypoints,
    pub(crate) destination_rules: DestinationRules,
    taints: Taints,
    outbound: Outbound,
    /// Hosts that ServiceEntries declare as part of the mesh.
    internal_hosts: BTreeSet<String>,
    /// Whether anything is enrolled in ambient, so that sidecars speak HBONE.
    ambient_installed: bool,
    /// By workload, once asked: a workload is asked about for itself and for each of its clients.
    memberships: Vec<OnceLock<Fact<Membership>>>,
}

impl Istio {
    /// Reads the Istio objects of a view.
    #[must_use]
    pub fn of(view: &View, topology: &Topology, assume: &Assumptions) -> Self {
        let config = MeshConfig::of(view, &assume.istio);
        let evidence = evidence::find(view, topology, assume, &config);
        let completeness = Completeness::of(view, assume, &config);
        let root = config.root_namespace.clone();
        Self {
            peer_authentications: PeerAuthentications::of(view, &root),
            request_authentications: RequestAuthentications::of(view, &root),
            policies: AuthorizationPolicies::of(view, &root),
            waypoints: Waypoints::of(view, &root),
            destination_rules: DestinationRules::of(view, &root, config.private_destination_rules),
            taints: Taints::of(view, &root),
            outbound: Outbound::of(view, &root),
            internal_hosts: internal_hosts(view),
            ambient_installed: ambient_installed(topology),
            memberships: topology.workloads.iter().map(|_| OnceLock::new()).collect(),
            config,
            evidence,
            namespaces: assume.namespaces.clone(),
            completeness,
        }
    }

    /// Whether and how a workload is in the mesh.
    #[must_use]
    pub fn membership(&self, topology: &Topology, workload: &Workload) -> Fact<Membership> {
        let of = || membership::of(self, topology, workload);
        match self.memberships.get(to_usize(workload.id.0)) {
            Some(known) => known.get_or_init(of).clone(),
            // Pods that a controller makes are no part of the topology.
            None => of(),
        }
    }

    /// What a port accepts on the wire, given the workload's membership.
    #[must_use]
    pub fn transport(
        &self,
        workload: &Workload,
        membership: &Fact<Membership>,
        port: &Port,
    ) -> Fact<Transport> {
        let dataplane = match &membership.value {
            Ok(value) => *value,
            Err(reasons) => {
                return Fact {
                    value: Err(reasons.clone()),
                    steps: membership.steps.clone(),
                };
            }
        };
        let plaintext = |why, steps| Fact::known(Transport::certain(Mode::Plaintext(why)), steps);
        if dataplane == Membership::None {
            return plaintext(Plaintext::Unmeshed, membership.steps.clone());
        }
        if port.protocol != Protocol::Tcp {
            let step = Step::default(
                "istio.io/docs/ops/configuration/traffic-management/traffic-routing",
                format!("{} is not carried by the proxy", port.protocol.as_str()),
            );
            return plaintext(Plaintext::Bypassed, vec![step]);
        }
        if let Some(bypass) = capture::bypass(self, workload, dataplane, port.number) {
            return plaintext(Plaintext::Bypassed, bypass);
        }
        if dataplane == Membership::Sidecar
            && let Some(reason) = self.taints.of_workload(workload, taint::Reach::Transport)
        {
            return Fact::unknown(reason, membership.steps.clone());
        }
        let mut fact = self.peer_authentications.transport(
            workload,
            dataplane,
            port.number,
            &self.completeness,
        );
        if membership.is_assumed() {
            let assumed = membership.steps.iter().filter(|s| is_assumed(s)).cloned();
            fact.steps.extend(assumed);
        }
        fact
    }
}

/// What decides mesh-wide how clients send, apart from the rules for single hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientSettings {
    auto_mtls: bool,
    sidecar_hbone: bool,
    private_destination_rules: bool,
    ambient_installed: bool,
}

impl Istio {
    /// What decides mesh-wide how clients send.
    #[must_use]
    pub fn client_settings(&self) -> ClientSettings {
        ClientSettings {
            auto_mtls: self.config.auto_mtls,
            sidecar_hbone: self.config.sidecar_hbone,
            private_destination_rules: self.config.private_destination_rules,
            ambient_installed: self.ambient_installed,
        }
    }

    /// Whether a DestinationRule is meant for some pods of a namespace only, so that clients of one namespace may differ.
    #[must_use]
    pub fn tells_pods_apart(&self) -> bool {
        self.destination_rules.tells_pods_apart()
    }
}

/// Hosts of ServiceEntries with `location: MESH_INTERNAL`; the default is MESH_EXTERNAL, and of several entries the first counts.
fn internal_hosts(view: &View) -> BTreeSet<String> {
    let mut seen = BTreeMap::new();
    for member in view.of_kind("networking.istio.io", "ServiceEntry") {
        let Some(spec) = member.resource.object().get("spec") else {
            continue;
        };
        let internal = spec.get("location").map(NodeRef::text) == Some("MESH_INTERNAL");
        for host in spec.get("hosts").into_iter().flat_map(NodeRef::items) {
            seen.entry(host.text().to_owned()).or_insert(internal);
        }
    }
    seen.into_iter()
        .filter(|(_, i)| *i)
        .map(|(h, _)| h)
        .collect()
}

fn ambient_installed(topology: &Topology) -> bool {
    const LABEL: &str = "istio.io/dataplane-mode";
    let ambient = |node: Option<NodeRef<'_>>| node.map(NodeRef::text) == Some("ambient");
    topology
        .namespaces
        .keys()
        .any(|n| ambient(topology.namespace_label(n, LABEL)))
        || topology.workloads.iter().any(|w| ambient(w.label(LABEL)))
}

fn is_assumed(step: &Step) -> bool {
    matches!(step.role, crate::facts::Role::Assumed(_))
}

/// What the view is known to hold all of, and what in it could not be read.
#[derive(Debug, Default)]
pub(crate) struct Completeness {
    root: String,
    mesh_config_present: bool,
    complete: std::collections::BTreeSet<String>,
    opaque: Vec<Unread>,
}

/// Something of the view that could not be read or is not rendered.
#[derive(Debug)]
struct Unread {
    opaque: Opaque,
    reason: UnknownReason,
}

impl Completeness {
    fn of(view: &View, assume: &Assumptions, config: &MeshConfig) -> Self {
        let opaque = view.opaque.iter().filter(|o| o.opens).map(|o| Unread {
            reason: UnknownReason {
                missing: match o.is_broken() {
                    true => o.what.clone(),
                    false => o.missing(),
                },
                span: o.span,
            },
            opaque: o.clone(),
        });
        Self {
            root: config.root_namespace.clone(),
            mesh_config_present: config.present,
            complete: assume.complete.clone(),
            opaque: opaque.collect(),
        }
    }

    /// Whether absence in this namespace can be trusted: the mesh's own configuration is part of the view, or the user says so.
    pub(crate) fn is_complete(&self, namespace: &str) -> bool {
        self.mesh_config_present
            || self.complete.contains(namespace)
            || (namespace == self.root && self.complete.contains("root"))
    }

    /// Whether the user says that the view holds all of a namespace.
    pub(crate) fn is_declared(&self, namespace: &str) -> bool {
        self.complete.contains(namespace)
            || (namespace == self.root && self.complete.contains("root"))
    }

    /// Whether something unread may hold objects of a namespace. Who calls it complete says that all its objects are in the view, not what a
    /// document says that cannot be read.
    fn opens(&self, unread: &Unread, namespace: &str) -> bool {
        let of = unread.opaque.namespace.as_deref();
        of.is_none_or(|n| n == namespace)
            && (unread.opaque.is_broken() || !self.is_declared(namespace))
    }

    /// What could not be read and may hold objects of a namespace, of this kind or of any.
    pub(crate) fn unread(&self, namespace: &str, kind: Option<&str>) -> Option<&UnknownReason> {
        let may_hold = |u: &&Unread| kind.is_none_or(|kind| u.opaque.may_hold(kind));
        let mut unread = self.opaque.iter().filter(may_hold);
        let found = unread.find(|unread| self.opens(unread, namespace))?;
        Some(&found.reason)
    }

    /// What may hold a policy of this kind for a namespace or for the whole mesh.
    pub(crate) fn unread_policy(&self, namespace: &str, kind: &str) -> Option<&UnknownReason> {
        let unread = self.unread(namespace, Some(kind));
        unread.or_else(|| self.unread(&self.root, Some(kind)))
    }

    /// A release or template that opens the namespace: unlike a broken document, nothing is seen of it at all.
    pub(crate) fn unrendered(&self, namespace: &str) -> Option<&UnknownReason> {
        let mut unread =
            (self.opaque.iter()).filter(|u| !u.opaque.is_broken() && !u.opaque.is_one_kind());
        let found = unread.find(|unread| self.opens(unread, namespace))?;
        Some(&found.reason)
    }
}
