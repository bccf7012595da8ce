//! AuthorizationPolicy with `targetRefs`: whether a waypoint enforces it and whether callers can go around. Input: a policy; output: gaps.
//!
//! `pilot/pkg/model/policyattachment.go`, `pilot/pkg/serviceregistry/ambient/waypoints.go`; sidecars ignore `targetRefs`.

use std::sync::Arc;

use super::whole;
use crate::engine::istio::Istio;
use crate::engine::istio::authorization::at_ztunnel;
use crate::engine::istio::policy::{Action, AuthorizationPolicy, TargetRef};
use crate::engine::istio::waypoint::{USE, Waypoint};
use crate::facts::pattern::Pattern;
use crate::facts::peers::identity::IdentityPattern;
use crate::facts::peers::{Atom, Cube, Literal, PeerSet};
use crate::facts::policy::{Effect, Gap, Gaps};
use crate::facts::transport::Membership;
use crate::facts::workload::Workload;
use crate::resource::Resource;
use crate::topology::Topology;
use crate::yaml::NodeRef;

impl Istio {
    pub(super) fn target_gaps(
        &self,
        topology: &Topology,
        policy: &AuthorizationPolicy,
        gaps: &mut Gaps,
    ) {
        if policy.dry_run || policy.action == Action::Audit {
            return;
        }
        for target in &policy.targets {
            match (target.group.as_str(), target.kind.as_str()) {
                ("" | "core", "Service") => self.at_service(topology, policy, target, gaps),
                (_, "GatewayClass") if policy.namespace != self.config.root_namespace => {
                    let says = "a GatewayClass is targeted from the root namespace only";
                    gaps.push(at_name(policy, "no-waypoint", Effect::Nothing, says));
                }
                _ => self.around_any(topology, policy, gaps),
            }
        }
    }

    fn at_service(
        &self,
        topology: &Topology,
        policy: &AuthorizationPolicy,
        target: &TargetRef,
        gaps: &mut Gaps,
    ) {
        let behind = || topology.behind(&policy.namespace, &target.name);
        let services = || behind().flat_map(|w| w.services.iter());
        let Some(service) = services().find(|s| s.name == target.name) else {
            return;
        };
        if self.evidence.is_none() {
            return;
        }
        let namespace = policy.namespace.as_str();
        let Some(waypoint) = self.waypoints.of_service(topology, service, namespace) else {
            gaps.push(self.unattended(topology, policy, service));
            return;
        };
        for workload in behind() {
            self.around(topology, policy, &waypoint, workload, gaps);
        }
    }

    /// Why no waypoint stands before a Service.
    fn unattended(
        &self,
        topology: &Topology,
        policy: &AuthorizationPolicy,
        service: &Arc<Resource>,
    ) -> Gap {
        let own = service.object().at(&["metadata", "labels"]);
        let wish = own
            .and_then(|l| l.get(USE))
            .or_else(|| topology.namespace_label(&policy.namespace, USE));
        let name = &service.name;
        let Some(wish) = wish else {
            let says = format!(
                "no waypoint stands before Service {name}, and a sidecar ignores targetRefs"
            );
            let mut gap = at_name(policy, "no-waypoint", Effect::Nothing, says);
            if !topology.namespaces.contains_key(&policy.namespace) {
                let namespace = &policy.namespace;
                gap.assumptions = vec![format!(
                    "namespace {namespace}, which has no Namespace object here, names no waypoint"
                )];
            }
            return gap;
        };
        if wish.text() == "none" {
            let says = format!("Service {name} opts out of the waypoint");
            let mut gap = at_name(policy, "waypoint-refused", Effect::Nothing, says);
            gap.spans.push(wish.span());
            return gap;
        }
        let says = format!(
            "Service {name} asks for waypoint `{}`, and no Gateway of that name serves Services: traffic goes to the pods directly",
            wish.text()
        );
        let mut gap = at_name(policy, "waypoint-missing", Effect::Nothing, says);
        gap.spans.push(wish.span());
        gap.assumptions = vec![format!("no Gateway `{}` exists elsewhere", wish.text())];
        gap
    }

    /// A policy at Gateways: the first workload behind any of their waypoints that can be called around it.
    fn around_any(&self, topology: &Topology, policy: &AuthorizationPolicy, gaps: &mut Gaps) {
        for workload in &topology.workloads {
            let Some(waypoint) = self.waypoint_of(topology, workload) else {
                continue;
            };
            if self
                .waypoints
                .attaches(&waypoint, &policy.namespace, &policy.targets)
            {
                self.around(topology, policy, &waypoint, workload, gaps);
            }
        }
    }

    /// Whether a pod can be called without its waypoint: unless its ztunnel lets in nobody but the waypoint.
    fn around(
        &self,
        topology: &Topology,
        policy: &AuthorizationPolicy,
        waypoint: &Waypoint,
        workload: &Workload,
        gaps: &mut Gaps,
    ) {
        let membership = self.membership(topology, workload);
        if membership.get() != Some(&Membership::Ambient) {
            return;
        }
        let only = IdentityPattern {
            trust_domain: Pattern::Any,
            ..IdentityPattern::account(&waypoint.namespace, &waypoint.name)
        };
        let only = PeerSet::of(vec![Cube::of(vec![Literal::is(Atom::Identity(vec![
            only,
        ]))])]);
        let port = workload.ports.first().map_or(0, |p| p.number);
        let direct = at_ztunnel(&self.policies.of_ztunnel(workload), &PeerSet::all(), port);
        if direct.allowed.is_subset(&only) {
            return;
        }
        let says = format!(
            "callers reach {} without waypoint {}: nothing at the pod keeps out others",
            workload.reference(),
            waypoint.reference()
        );
        let mut gap = at_name(policy, "bypassable", Effect::Less, says);
        gap.subject = workload.reference();
        gaps.push(gap);
    }
}

/// A gap shown at the policy's `targetRefs`.
fn at_name(
    policy: &AuthorizationPolicy,
    why: &'static str,
    effect: Effect,
    says: impl Into<String>,
) -> Gap {
    let spec = policy.resource.object().get("spec");
    let targets = spec.and_then(|s| s.get("targetRefs").or_else(|| s.get("targetRef")));
    let span = targets.map_or_else(|| policy.resource.name_span(), NodeRef::span);
    whole(why, effect, vec![span], says)
}
