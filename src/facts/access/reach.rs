//! `Reach`: every way to a port and who gets through on it. Input: what a mesh admits, what the network carries; output: access, and the
//! answer to one call.

use std::sync::Arc;

use crate::facts::access::Access;
use crate::facts::access::network::{Network, Sender};
use crate::facts::pattern::Pattern;
use crate::facts::peers::identity::IdentityPattern;
use crate::facts::peers::{Atom, Cube, Identity, Literal, PeerSet, Request, Token};

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

    pub(super) fn of_cube(&self, cube: &Cube) -> Option<&Network> {
        let identity = |l: &Literal| l.positive && matches!(l.atom.as_ref(), Atom::Identity(_));
        self.of(cube.literals.iter().any(identity))
    }
}

impl Reach {
    /// All paths together, on the scale.
    #[must_use]
    pub fn access(&self) -> Access {
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
        for set in [&mut direct, &mut through_waypoint] {
            set.cubes.retain(|cube| self.is_real(cube));
        }
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
            if path.issuers.is_empty() || path.protocol != Some(Reads::Http) {
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
            && self.same_network(other)
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
    #[must_use]
    pub fn same_network(&self, other: &Self) -> bool {
        self.network.is_same(&other.network) && self.to_waypoint.is_same(&other.to_waypoint)
    }

    /// Whether the network carries a sender's connections on a way to the port, `identity` being what it presents.
    #[must_use]
    pub fn is_carried(&self, via: &Via, sender: Sender, identity: Option<&Identity>) -> bool {
        let networks = match via {
            Via::Direct => &self.network,
            Via::Waypoint(_) => &self.to_waypoint,
        };
        let network = networks.of(identity.is_some());
        network.is_none_or(|n| n.carries(sender, identity, crate::facts::peers::NO_ADDRESS))
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
        let carries = |networks: &Networks, caller: Option<&Identity>| {
            let source = crate::facts::peers::NO_ADDRESS;
            networks
                .of(caller.is_some())
                .is_none_or(|n| n.carries(sender, caller, source))
        };
        if !self.proxied {
            return carries(&self.network, None);
        }
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
        if !self.proxied {
            return Answer {
                allowed: self.carries(&self.network, call, None),
                proxied: false,
                ..denied
            };
        }
        let through_waypoint = call.through_service
            && call.request.identity.is_some()
            && self.paths.iter().any(|p| p.via != Via::Direct);
        let networks = if through_waypoint {
            &self.to_waypoint
        } else {
            &self.network
        };
        if !self.carries(networks, call, call.request.identity.as_ref()) {
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

impl Reach {
    /// Whether the network carries a call; a tunnel is used by callers with an identity.
    fn carries(&self, networks: &Networks, call: &Call, identity: Option<&Identity>) -> bool {
        let source = call.request.source;
        let network = networks.of(identity.is_some());
        network.is_none_or(|n| n.carries(call.sender, identity, source))
    }
}

fn counts(token: &Token, issuers: &[String]) -> bool {
    token.valid && issuers.contains(&token.issuer)
}
