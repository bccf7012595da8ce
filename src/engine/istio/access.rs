//! Access of one port over all its paths. Input: membership, transport and policies; output: `Reach`: admitted callers per path, and the
//! answer to one call.

use std::collections::HashSet;

use crate::engine::istio::Istio;
use crate::engine::istio::authorization::{APPLIES, Envoy, Verdict, at_ztunnel};
use crate::engine::istio::compile::Protocol;
use crate::engine::istio::listener::Listener;
use crate::engine::istio::policy::AuthorizationPolicy;
use crate::engine::istio::taint;
use crate::engine::istio::waypoint::Waypoint;
use crate::facts::access::reach::{Networks, Path, Reach, Via};
use crate::facts::peers::{Cube, Literal, PeerSet};
use crate::facts::transport::{Membership, Mode, Transport};
use crate::facts::workload::{Port, Workload};
use crate::facts::{Fact, Role, Step};
use crate::topology::Topology;

impl Istio {
    /// Who reaches a port, with the policies that count.
    #[must_use]
    pub fn reach(
        &self,
        topology: &Topology,
        workload: &Workload,
        membership: &Fact<Membership>,
        transport: &Fact<Transport>,
        port: &Port,
    ) -> Fact<Reach> {
        let unknown = |reasons: &Vec<_>| Fact {
            value: Err(reasons.clone()),
            steps: transport.steps.clone(),
        };
        let dataplane = match &membership.value {
            Ok(dataplane) => *dataplane,
            Err(reasons) => return unknown(reasons),
        };
        let mode = match &transport.value {
            Ok(transport) => transport.mode,
            Err(reasons) => return unknown(reasons),
        };
        if matches!(
            mode,
            Mode::Plaintext(why) if why != crate::facts::transport::Plaintext::Disabled
        ) {
            let reach = Reach {
                paths: Vec::new(),
                proxied: false,
                anonymous: true,
                trust_domains: Vec::new(),
                restricted: false,
                network: Networks::default(),
                to_waypoint: Networks::default(),
            };
            return Fact::known(reach, transport.steps.clone());
        }
        let base = base(mode);
        let mut steps = Vec::new();
        let applied = |s: &Step| s.role == Role::Decides && s.says.starts_with(APPLIES);
        let (paths, unknown_policy) = if dataplane == Membership::Ambient {
            self.ambient_paths(topology, workload, port, &base, &mut steps)
        } else {
            self.sidecar_paths(workload, port, &base, &mut steps)
        };
        let tainted = (dataplane != Membership::Ambient)
            .then(|| self.taints.of_workload(workload, taint::Reach::Access))
            .flatten();
        // A policy that nobody read may admit more callers, or fewer.
        let namespace = workload.namespace.as_str();
        let unread = || {
            let unread = self.completeness.unread_policy(namespace, APPLIES);
            unread.cloned()
        };
        let unknown_policy = unknown_policy.or(tainted).or_else(unread);
        let restricted = steps.iter().any(applied);
        let ambient = dataplane == Membership::Ambient;
        for (policy, why) in self.policies.without_effect(workload, ambient) {
            steps.push(policy.step(Role::Ignored(why.to_owned())));
        }
        dedup(&mut steps);
        steps.extend(transport.steps.iter().cloned());
        if let Some(reason) = unknown_policy {
            return Fact::unknown(reason, steps);
        }
        let reach = Reach {
            paths,
            proxied: true,
            anonymous: matches!(mode, Mode::Plaintext(_)),
            trust_domains: self.config.trust_domains.clone(),
            restricted,
            network: Networks::default(),
            to_waypoint: Networks::default(),
        };
        Fact::known(reach, steps)
    }

    fn sidecar_paths(
        &self,
        workload: &Workload,
        port: &Port,
        base: &PeerSet,
        steps: &mut Vec<Step>,
    ) -> (Vec<Path>, Option<crate::facts::UnknownReason>) {
        let policies = self.policies.of_sidecar(workload);
        let issuers = self.request_authentications.of_sidecar(workload);
        let mut paths = Vec::new();
        for &protocol in Listener::of_port(port).protocols() {
            let envoy = Envoy {
                config: &self.config,
                issuers: &issuers,
                protocol,
                port: port.number,
            };
            let verdict = envoy.verdict(&policies, base);
            paths.push(path(Via::Direct, Some(protocol), &issuers, verdict, steps));
        }
        (paths, unknown_in(&policies))
    }

    fn ambient_paths(
        &self,
        topology: &Topology,
        workload: &Workload,
        port: &Port,
        base: &PeerSet,
        steps: &mut Vec<Step>,
    ) -> (Vec<Path>, Option<crate::facts::UnknownReason>) {
        let policies = self.policies.of_ztunnel(workload);
        let mut unknown = unknown_in(&policies);
        let verdict = at_ztunnel(&policies, base, port.number);
        let mut paths = vec![path(Via::Direct, None, &[], verdict, steps)];
        let Some(waypoint) = self.waypoint_of(topology, workload) else {
            return (paths, unknown);
        };
        steps.push(waypoint.step.clone());
        let attached =
            |namespace: &str, targets: &[_]| self.waypoints.attaches(&waypoint, namespace, targets);
        let at_waypoint = self.policies.of_waypoint(attached);
        let issuers = self.request_authentications.of_waypoint(attached);
        unknown = unknown.or_else(|| unknown_in(&at_waypoint));
        // Behind the waypoint the ztunnel takes it for the caller.
        let trust_domain = self.config.trust_domains.first().map_or("", String::as_str);
        let seen = at_ztunnel(&policies, &PeerSet::all(), port.number)
            .allowed
            .seen_as(&waypoint.identity(trust_domain));
        let service_port = port
            .services
            .iter()
            .find(|s| s.service.id == waypoint.service_id());
        let listener = service_port.map_or(Listener::Auto, Listener::of_service);
        let authenticated = PeerSet::of(vec![Cube::of(vec![Literal::authenticated()])]);
        for &protocol in listener.protocols() {
            let envoy = Envoy {
                config: &self.config,
                issuers: &issuers,
                protocol,
                port: service_port.map_or(port.number, |s| s.port),
            };
            let mut verdict = envoy.verdict(&at_waypoint, &authenticated);
            verdict.allowed = verdict.allowed.intersect(&seen);
            let via = Via::Waypoint(waypoint.reference());
            paths.push(path(via, Some(protocol), &issuers, verdict, steps));
        }
        (paths, unknown)
    }

    /// The waypoint of the first Service that has one.
    pub(crate) fn waypoint_of(&self, topology: &Topology, workload: &Workload) -> Option<Waypoint> {
        let namespace = workload.namespace.as_str();
        workload
            .services
            .iter()
            .find_map(|s| self.waypoints.of_service(topology, s, namespace))
    }
}

/// Who gets as far as the policies: with DISABLE nobody has an identity, with STRICT everybody.
fn base(mode: Mode) -> PeerSet {
    let authenticated = Literal::authenticated();
    let cube = match mode {
        Mode::Strict => Cube::of(vec![authenticated]),
        Mode::Plaintext(_) => Cube::of(vec![authenticated.negated()]),
        Mode::Permissive => Cube::all(),
        Mode::Broken => return PeerSet::nobody(),
    };
    PeerSet::of(vec![cube])
}

fn path(
    via: Via,
    protocol: Option<Protocol>,
    issuers: &[String],
    verdict: Verdict,
    steps: &mut Vec<Step>,
) -> Path {
    steps.extend(verdict.steps);
    Path {
        via,
        protocol,
        allowed: verdict.allowed,
        delegated: verdict.delegated,
        issuers: issuers.to_vec(),
    }
}

fn unknown_in(policies: &[&AuthorizationPolicy]) -> Option<crate::facts::UnknownReason> {
    policies.iter().find_map(|p| p.unknown.clone())
}

fn dedup(steps: &mut Vec<Step>) {
    let mut seen = HashSet::new();
    let first: Vec<bool> = steps.iter().map(|s| seen.insert(s)).collect();
    let mut first = first.into_iter();
    steps.retain(|_| first.next() == Some(true));
}
