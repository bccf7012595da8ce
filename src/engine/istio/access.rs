//! Access of one port over all its paths. Input: membership, transport and policies; output: `Reach`: admitted callers per path, and the
//! answer to one call.

use std::collections::BTreeSet;

use crate::engine::istio::Istio;
use crate::engine::istio::authorization::{APPLIES, Envoy, Verdict, at_ztunnel};
use crate::engine::istio::compile::Protocol;
use crate::engine::istio::listener::Listener;
use crate::engine::istio::policy::AuthorizationPolicy;
use crate::engine::istio::taint;
use crate::engine::istio::waypoint::Waypoint;
use crate::facts::access::Access;
use crate::facts::pattern::Pattern;
use crate::facts::peers::identity::IdentityPattern;
use crate::facts::peers::{Atom, Cube, Literal, PeerSet, Request, Token};
use crate::facts::transport::{Membership, Mode, Transport};
use crate::facts::workload::{Port, Workload};
use crate::facts::{Fact, Role, Step};
use crate::topology::Topology;

/// How traffic gets to the port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Via {
    /// To the pod.
    Direct,
    /// Through this waypoint (`namespace/name`), as ambient clients of a Service do.
    Waypoint(String),
}

/// One way to the port and who gets through on it.
#[derive(Clone, Debug)]
pub struct Path {
    /// The way.
    pub via: Via,
    /// What the enforcing proxy reads; `None` = it looks at connections only.
    pub protocol: Option<Protocol>,
    /// Admitted callers and requests.
    pub allowed: PeerSet,
    /// Requests about which an external authorizer is asked.
    pub delegated: PeerSet,
    /// Issuers whose tokens are validated on the way.
    pub issuers: Vec<String>,
}

/// Who reaches a port.
#[derive(Clone, Debug)]
pub struct Reach {
    /// The ways; none when no proxy stands before the port.
    pub paths: Vec<Path>,
    /// Whether a proxy stands before the port.
    pub proxied: bool,
    /// Whether identities get lost on the way, because mutual TLS is switched off.
    pub anonymous: bool,
    /// Trust domains whose certificates the mesh accepts.
    pub trust_domains: Vec<String>,
    /// Whether any policy has a say.
    pub restricted: bool,
}

impl Reach {
    /// All paths together, on the scale.
    #[must_use]
    pub fn access(&self) -> Access {
        if !self.proxied {
            return Access::unprotected();
        }
        let (allowed, delegated) = self.sets();
        Access::of(&allowed, &delegated)
    }

    fn sets(&self) -> (PeerSet, PeerSet) {
        let mut allowed = PeerSet::nobody();
        let mut delegated = PeerSet::nobody();
        for path in &self.paths {
            allowed = allowed.union(path.allowed.clone());
            delegated = delegated.union(path.delegated.clone());
        }
        allowed.cubes.retain(|cube| self.is_real(cube));
        (allowed, delegated)
    }

    /// All paths together, so that two can be compared: callers that get through, and those about whom an external authorizer is asked.
    /// Where nobody looks at tokens, having one makes no difference.
    #[must_use]
    pub fn admitted(&self) -> (PeerSet, PeerSet) {
        if !self.proxied {
            return (PeerSet::all(), PeerSet::nobody());
        }
        let mut seen = self.clone();
        for path in &mut seen.paths {
            if path.issuers.is_empty() || path.protocol != Some(Protocol::Http) {
                path.allowed = path.allowed.before_tokens();
            }
        }
        seen.sets()
    }

    /// Whether both let in the same, literally; equal sets that are written differently may count as different.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let same_set = |a: &PeerSet, b: &PeerSet| {
            a.cubes.len() == b.cubes.len()
                && (a.cubes.iter().zip(&b.cubes)).all(|(a, b)| a.literals == b.literals)
        };
        let same_path = |(a, b): (&Path, &Path)| {
            a.via == b.via
                && a.protocol == b.protocol
                && a.issuers == b.issuers
                && same_set(&a.allowed, &b.allowed)
                && same_set(&a.delegated, &b.delegated)
        };
        self.proxied == other.proxied
            && self.anonymous == other.anonymous
            && self.trust_domains == other.trust_domains
            && self.paths.len() == other.paths.len()
            && self.paths.iter().zip(&other.paths).all(same_path)
    }

    /// Whether some request of a caller gets through; `through_service` is what [`Call::through_service`] is, for a caller that may also
    /// call the pod directly.
    #[must_use]
    pub fn lets_in(
        &self,
        caller: Option<&crate::facts::peers::Identity>,
        through_service: bool,
    ) -> bool {
        if !self.proxied {
            return true;
        }
        let caller = caller.filter(|_| !self.anonymous);
        self.paths
            .iter()
            .filter(|path| path.via == Via::Direct || (through_service && caller.is_some()))
            .any(|path| path.allowed.admits_caller(caller))
    }

    /// Whether some caller can satisfy the cube: certificates come from the mesh's trust domains only, and no token's subject holds a star.
    fn is_real(&self, cube: &Cube) -> bool {
        let identified = cube.literals.iter().any(|l| match l.atom.as_ref() {
            Atom::Identity(_) => l.positive,
            _ => false,
        });
        let ours = self.trust_domains.iter().map(|t| IdentityPattern {
            trust_domain: Pattern::star(t),
            ..IdentityPattern::any()
        });
        let accepted = Literal::is(Atom::Identity(ours.collect()));
        let starred = cube.literals.iter().any(|l| match l.atom.as_ref() {
            Atom::Token(patterns) if l.positive => patterns
                .iter()
                .all(|p| p.subject.exact().is_some_and(|s| s.contains('*'))),
            _ => false,
        });
        let refused = identified && cube.with(accepted).is_empty();
        !(starred || refused)
    }
}

/// A request with what is known of its sender.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// The request as sent; its `token` is the one presented, valid or not.
    pub request: Request,
    /// Whether it is HTTP.
    pub is_http: bool,
    /// Whether it is addressed to a Service by a client of the ambient dataplane, so that a waypoint gets it.
    pub through_service: bool,
}

/// The answer to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether it gets through (given the external authorizer agrees, when asked).
    pub allowed: bool,
    /// Whether an external authorizer is asked.
    pub delegated: bool,
    /// Whether any proxy stood in the way.
    pub proxied: bool,
}

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

impl Reach {
    /// Answers one call.
    #[must_use]
    pub fn answer(&self, call: &Call) -> Answer {
        let denied = Answer {
            allowed: false,
            delegated: false,
            proxied: true,
        };
        if !self.proxied {
            return Answer {
                allowed: true,
                proxied: false,
                ..denied
            };
        }
        let through_waypoint = call.through_service
            && call.request.identity.is_some()
            && self.paths.iter().any(|p| p.via != Via::Direct);
        let spoken = if call.is_http {
            Protocol::Http
        } else {
            Protocol::Tcp
        };
        let fits = |path: &&Path| (path.via != Via::Direct) == through_waypoint;
        let mut ways = self.paths.iter().filter(fits);
        let path = ways
            .clone()
            .find(|p| p.protocol.is_none_or(|q| q == spoken))
            // HTTP on a port read as bytes gets through as bytes; bytes on a port read as HTTP do not. A waypoint reads as declared.
            .or_else(|| ways.find(|p| p.protocol == Some(Protocol::Tcp) || p.via != Via::Direct));
        let Some(path) = path else {
            return denied;
        };
        let mut request = call.request.clone();
        if self.anonymous {
            request.identity = None;
        }
        let token = request.token.take();
        // The authorizer is asked before tokens are looked at.
        let delegated = path.delegated.admits(&request);
        let reads_tokens = path.protocol == Some(Protocol::Http) && !path.issuers.is_empty();
        if let Some(token) = token.filter(|_| reads_tokens) {
            if !counts(&token, &path.issuers) {
                return Answer {
                    delegated,
                    ..denied
                };
            }
            request.token = Some(token);
        }
        Answer {
            allowed: path.allowed.admits(&request),
            delegated,
            proxied: true,
        }
    }
}

fn counts(token: &Token, issuers: &[String]) -> bool {
    token.valid && issuers.contains(&token.issuer)
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
    let mut seen = BTreeSet::new();
    steps.retain(|s| seen.insert(format!("{s:?}")));
}
