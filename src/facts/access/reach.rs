//! `Reach`: every way to a port and who gets through on it. Input: what a mesh admits, what the network carries; output: access, and the
//! answer to one call.

use std::sync::Arc;

use crate::facts::access::Access;
use crate::facts::access::network::{Network, Sender};
use crate::facts::pattern::{self, Pattern};
use crate::facts::peers::identity::IdentityPattern;
use crate::facts::peers::{Atom, Cube, Identity, Literal, PeerSet, Request, Token};
use crate::facts::workload::WorkloadId;

/// What a proxy reads of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reads {
    /// Requests.
    Http,
    /// Bytes.
    Tcp,
}

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
    pub protocol: Option<Reads>,
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
    /// Whom the network carries to the port.
    pub network: Networks,
    /// Whom the network carries to the waypoint before the port.
    pub to_waypoint: Networks,
}

/// Whom the network carries, by the connection that arrives; `None` = everyone.
#[derive(Clone, Debug, Default)]
pub struct Networks {
    /// Connections to the port itself.
    pub plain: Option<Arc<Network>>,
    /// Connections of callers with a mesh identity: another port where the mesh tunnels (HBONE), else the same.
    pub identified: Option<Arc<Network>>,
}

impl Networks {
    /// Whether everyone gets through.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.plain.is_none() && self.identified.is_none()
    }

    /// The same network for every connection.
    #[must_use]
    pub fn same(network: Arc<Network>) -> Self {
        Self {
            plain: Some(Arc::clone(&network)),
            identified: Some(network),
        }
    }

    fn of(&self, identified: bool) -> Option<&Network> {
        if identified {
            self.identified.as_deref()
        } else {
            self.plain.as_deref()
        }
    }

    /// The parts of a cube with the network that carries each: callers with an identity and those without may arrive on different ports.
    pub(super) fn carrying(&self, cube: &Cube) -> Vec<(Cube, Option<&Network>)> {
        let identified = cube.literals.iter().any(Literal::asks_identity);
        let callers = |identified| self.of(identified).map(|n| &n.callers);
        if identified || callers(true) == callers(false) {
            return vec![(cube.clone(), self.of(identified))];
        }
        let with = Literal::authenticated();
        let parts = [
            (cube.with(with.negated()), self.of(false)),
            (cube.with(with), self.of(true)),
        ];
        parts
            .into_iter()
            .filter(|(part, _)| !part.is_empty())
            .collect()
    }
}

impl Reach {
    /// All paths together, on the scale. Callers whose own policies cannot be read count as let through.
    #[must_use]
    pub fn access(&self) -> Access {
        match self.at_most() {
            Some(most) => most.at_least(),
            None => self.at_least(),
        }
    }

    /// The same without callers whose own policies cannot be read.
    #[must_use]
    pub fn at_least(&self) -> Access {
        if !self.proxied {
            return Access {
                proxied: false,
                ..Access::within(&[(&PeerSet::all(), &self.network)], &PeerSet::nobody())
            };
        }
        let mut delegated = PeerSet::nobody();
        let mut direct = PeerSet::nobody();
        let mut through_waypoint = PeerSet::nobody();
        for path in &self.paths {
            let allowed = match path.via {
                Via::Direct => &mut direct,
                Via::Waypoint(_) => &mut through_waypoint,
            };
            *allowed = std::mem::take(allowed).union(path.allowed.clone());
            delegated = delegated.union(path.delegated.clone());
        }
        if self.network.is_open() && self.to_waypoint.is_open() {
            direct = direct.union(std::mem::take(&mut through_waypoint));
        }
        let (direct, through_waypoint) = (self.real(&direct), self.real(&through_waypoint));
        Access::within(
            &[
                (&direct, &self.network),
                (&through_waypoint, &self.to_waypoint),
            ],
            &delegated,
        )
    }

    fn sets(&self) -> (PeerSet, PeerSet) {
        let mut allowed = PeerSet::nobody();
        let mut delegated = PeerSet::nobody();
        for path in &self.paths {
            allowed = allowed.union(path.allowed.clone());
            delegated = delegated.union(path.delegated.clone());
        }
        (self.real(&allowed), delegated)
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
            if path.issuers.is_empty() || path.protocol != Some(Reads::Http) {
                path.allowed = path.allowed.before_tokens();
            }
        }
        seen.sets()
    }

    /// Whether both let in the same, literally; equal sets that are written differently may count as different. `numbered_alike`: the pods of
    /// both have the same numbers.
    #[must_use]
    pub fn is_same(&self, other: &Self, numbered_alike: bool) -> bool {
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
            && self.same_network(other, numbered_alike)
    }

    /// Whether the network carries somebody to the port whom it did not, and no longer carries somebody whom it did.
    #[must_use]
    pub fn moved_by_network(&self, before: &Self) -> (bool, bool) {
        let pairs = [
            (&self.network, &before.network),
            (&self.to_waypoint, &before.to_waypoint),
        ];
        let moves = pairs.map(|(is, was)| is.moved(was));
        (moves.iter().any(|m| m.0), moves.iter().any(|m| m.1))
    }

    /// Whether the network before the port is the same.
    fn same_network(&self, other: &Self, numbered_alike: bool) -> bool {
        let pairs = [
            (&self.network, &other.network),
            (&self.to_waypoint, &other.to_waypoint),
        ];
        pairs.iter().all(|(a, b)| a.is_same(b, numbered_alike))
    }

    /// Whether the network carries a workload's connections on a way to the port, `identity` being what it presents; `None` = a policy of the
    /// workload's own cannot be read.
    #[must_use]
    pub fn is_carried(
        &self,
        via: &Via,
        client: WorkloadId,
        identity: Option<&Identity>,
    ) -> Option<bool> {
        let networks = match via {
            Via::Direct => &self.network,
            Via::Waypoint(_) => &self.to_waypoint,
        };
        let Some(network) = networks.of(identity.is_some()) else {
            return Some(true);
        };
        (!network.is_doubtful(client)).then(|| network.admits_workload(client))
    }

    /// Whether a policy of the workload's own cannot be read, so that nobody can tell whether its connections are carried.
    #[must_use]
    pub fn is_doubtful(&self, client: WorkloadId) -> bool {
        let networks = [&self.network, &self.to_waypoint];
        networks
            .into_iter()
            .flat_map(|n| [&n.plain, &n.identified])
            .flatten()
            .any(|network| network.is_doubtful(client))
    }

    /// The same when policies of callers that cannot be read let out all they may; `None` when that makes no difference to anyone.
    #[must_use]
    pub fn at_most(&self) -> Option<Self> {
        let doubtful = |networks: &Networks| {
            let all = [&networks.plain, &networks.identified];
            all.into_iter().flatten().any(|n| !n.doubtful.is_empty())
        };
        if !(doubtful(&self.network) || doubtful(&self.to_waypoint)) {
            return None;
        }
        let wide = |networks: &Networks| {
            let wide = |n: &Option<Arc<Network>>| n.as_ref().map(|n| Arc::new(n.at_most()));
            Networks {
                plain: wide(&networks.plain),
                identified: wide(&networks.identified),
            }
        };
        Some(Self {
            network: wide(&self.network),
            to_waypoint: wide(&self.to_waypoint),
            ..self.clone()
        })
    }

    /// The same as if no network policy were there.
    #[must_use]
    pub fn without_network(&self) -> Self {
        Self {
            network: Networks::default(),
            to_waypoint: Networks::default(),
            ..self.clone()
        }
    }

    /// Whether some request of a sender with this identity gets through; `through_service` is what [`Call::through_service`] is, for a caller that may also
    /// call the pod directly.
    #[must_use]
    pub fn lets_in(
        &self,
        sender: Sender,
        caller: Option<&Identity>,
        through_service: bool,
    ) -> bool {
        let through = |network: Option<&Network>, caller: Option<&Identity>| {
            let source = crate::facts::peers::NO_ADDRESS;
            network.is_none_or(|n| n.carries(sender, caller, source))
        };
        if !self.proxied {
            return through(self.network.of(false), caller);
        }
        let carries = |networks: &Networks, caller: Option<&Identity>| {
            through(networks.of(caller.is_some()), caller)
        };
        let tunnelled = caller;
        let caller = caller.filter(|_| !self.anonymous);
        self.paths
            .iter()
            .filter(|path| path.via == Via::Direct || (through_service && caller.is_some()))
            .filter(|path| match path.via {
                Via::Direct => carries(&self.network, tunnelled),
                Via::Waypoint(_) => carries(&self.to_waypoint, tunnelled),
            })
            .any(|path| path.allowed.admits_caller(caller))
    }

    /// What real callers can satisfy of a set: certificates come from the mesh's trust domains only, and no token's subject holds a star.
    fn real(&self, set: &PeerSet) -> PeerSet {
        let ours = self.trust_domains.iter().map(|t| IdentityPattern {
            trust_domain: Pattern::star(t),
            ..IdentityPattern::any()
        });
        let accepted = Literal::is(Atom::Identity(ours.collect()));
        let starred = |literal: &Literal| match literal.atom.as_ref() {
            Atom::Token(patterns) if literal.positive => patterns
                .iter()
                .all(|p| p.subject.exact().is_some_and(|s| s.contains('*'))),
            _ => false,
        };
        let possible = |cube: &&Cube| {
            let identified = cube.literals.iter().any(Literal::asks_identity);
            let refused = identified && cube.with(accepted.clone()).is_empty();
            !(refused || cube.literals.iter().any(starred))
        };
        let cubes = set.cubes.iter().filter(possible).map(|cube| Cube {
            literals: cube.literals.iter().map(|l| self.accepted(l)).collect(),
            because: cube.because.clone(),
        });
        PeerSet {
            widened: set.widened,
            cubes: cubes.collect(),
        }
    }

    /// The same condition for callers of the mesh: no identity of a trust domain that it does not accept is asked for, and one that is refused
    /// in every accepted trust domain is refused whatever its trust domain.
    fn accepted(&self, literal: &Literal) -> Literal {
        let Atom::Identity(patterns) = literal.atom.as_ref() else {
            return literal.clone();
        };
        let of_mesh = |p: &IdentityPattern| {
            let mut domains = self.trust_domains.iter().map(|t| Pattern::star(t));
            if literal.positive {
                let both = |t: Pattern| {
                    let sides = [&p.trust_domain, &t].map(std::slice::from_ref);
                    pattern::satisfiable(&sides, &[])
                };
                return domains.any(both).then(|| p.clone());
            }
            let everywhere = domains.all(|t| pattern::subset(&t, &p.trust_domain));
            let trust_domain = if everywhere {
                Pattern::Any
            } else {
                p.trust_domain.clone()
            };
            Some(IdentityPattern {
                trust_domain,
                ..p.clone()
            })
        };
        Literal {
            atom: Arc::new(Atom::Identity(
                patterns.iter().filter_map(of_mesh).collect(),
            )),
            positive: literal.positive,
        }
    }
}

/// A request with what is known of its sender.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// The request as sent; its `token` is the one presented, valid or not.
    pub request: Request,
    /// Whether it is HTTP.
    pub is_http: bool,
    /// Who sends it.
    pub sender: Sender,
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

impl Reach {
    /// Answers one call.
    #[must_use]
    pub fn answer(&self, call: &Call) -> Answer {
        let denied = Answer {
            allowed: false,
            delegated: false,
            proxied: true,
        };
        let identity = call.request.identity.as_ref();
        if !self.proxied {
            // Nobody looks at the identity; it still tells which pods may be calling.
            return Answer {
                allowed: carries(self.network.of(false), call),
                proxied: false,
                ..denied
            };
        }
        let through_waypoint = call.through_service
            && identity.is_some()
            && self.paths.iter().any(|p| p.via != Via::Direct);
        let networks = if through_waypoint {
            &self.to_waypoint
        } else {
            &self.network
        };
        if !carries(networks.of(identity.is_some()), call) {
            return denied;
        }
        let spoken = if call.is_http {
            Reads::Http
        } else {
            Reads::Tcp
        };
        let fits = |path: &&Path| (path.via != Via::Direct) == through_waypoint;
        let mut ways = self.paths.iter().filter(fits);
        let path = ways
            .clone()
            .find(|p| p.protocol.is_none_or(|q| q == spoken))
            // HTTP on a port read as bytes gets through as bytes; bytes on a port read as HTTP do not. A waypoint reads as declared.
            .or_else(|| ways.find(|p| p.protocol == Some(Reads::Tcp) || p.via != Via::Direct));
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
        let reads_tokens = path.protocol == Some(Reads::Http) && !path.issuers.is_empty();
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

/// Whether the network carries a call; `None` = it carries every one.
fn carries(network: Option<&Network>, call: &Call) -> bool {
    let Request {
        identity, source, ..
    } = &call.request;
    network.is_none_or(|n| n.carries(call.sender, identity.as_ref(), *source))
}

fn counts(token: &Token, issuers: &[String]) -> bool {
    token.valid && issuers.contains(&token.issuer)
}
