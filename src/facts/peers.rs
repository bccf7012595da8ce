//! Sets of callers and their requests. Input: what policies say; output: sets that can be intersected, subtracted, asked for emptiness
//! and for one request. A set is a union of [`Cube`]s; a cube is a conjunction of [`Literal`]s, each an OR-list over one dimension,
//! so that the lists of a policy stay as written and subtraction only negates a literal.

use std::net::IpAddr;
use std::sync::Arc;

pub mod addresses;
#[cfg(test)]
mod brute;
pub mod dimension;
pub mod identity;
pub mod request;

use crate::facts::pattern::Pattern;
use crate::resource::ResourceId;
use addresses::Network;
use identity::{IdentityPattern, TokenPattern};
pub use request::{Identity, Request, Token};

/// A part of a request that is a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Text {
    /// HTTP method.
    Method,
    /// Path without query.
    Path,
    /// `:authority`, lower case.
    Host,
    /// A header by lower-case name; may be absent.
    Header(String),
    /// A claim of the token by path, `aud` and `azp` included; may hold several values.
    Claim(String),
    /// Server name of the TLS handshake; may be absent.
    Sni,
}

/// Which address of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Address {
    /// The peer of the connection.
    Source,
    /// The caller as proxies report it (X-Forwarded-For, PROXY protocol).
    Remote,
    /// Where the connection leads.
    Destination,
}

/// A condition over one dimension: one value of a list holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Atom {
    /// The peer presents a mesh identity that fits one of these.
    Identity(Vec<IdentityPattern>),
    /// An address lies in one of these networks.
    Address(Address, Vec<Network>),
    /// A valid token whose issuer and subject fit one of these.
    Token(Vec<TokenPattern>),
    /// A text fits one of these.
    Text(Text, Vec<Pattern>),
}

/// An atom or its negation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    /// The condition.
    pub atom: Arc<Atom>,
    /// Whether it must hold, or must not.
    pub positive: bool,
}

/// The policy rule that let a cube in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Because {
    /// The policy.
    pub policy: ResourceId,
    /// 0-based position of its rule.
    pub rule: u32,
}

/// A conjunction of conditions: callers and requests that satisfy all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cube {
    /// The conditions.
    pub literals: Vec<Literal>,
    /// Rules that admitted it.
    pub because: Vec<Because>,
}

/// A union of cubes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerSet {
    /// The parts; none of them empty.
    pub cubes: Vec<Cube>,
    /// Whether the set was too intricate and more was kept than belongs to it.
    pub widened: bool,
}

/// Cubes kept before subtraction stops refining and keeps the larger set.
const MAX_CUBES: usize = 512;

impl Literal {
    /// The condition as written.
    #[must_use]
    pub fn is(atom: Atom) -> Self {
        Self {
            atom: Arc::new(atom),
            positive: true,
        }
    }

    /// The contrary of a condition.
    #[must_use]
    pub fn is_not(atom: Atom) -> Self {
        Self {
            atom: Arc::new(atom),
            positive: false,
        }
    }

    /// The contrary.
    #[must_use]
    pub fn negated(&self) -> Self {
        Self {
            atom: Arc::clone(&self.atom),
            positive: !self.positive,
        }
    }

    /// Any mesh identity.
    #[must_use]
    pub fn authenticated() -> Self {
        Self::is(Atom::Identity(vec![IdentityPattern::any()]))
    }

    /// Whether only callers with an identity satisfy it.
    #[must_use]
    pub fn asks_identity(&self) -> bool {
        self.positive && matches!(self.atom.as_ref(), Atom::Identity(_))
    }

    /// Whether a request satisfies it.
    #[must_use]
    pub fn admits(&self, request: &Request) -> bool {
        self.atom.holds(request) == self.positive
    }
}

impl Atom {
    fn holds(&self, request: &Request) -> bool {
        match self {
            Self::Identity(patterns) => request
                .identity
                .as_ref()
                .is_some_and(|id| patterns.iter().any(|p| p.matches(id))),
            Self::Address(which, networks) => {
                let address = request.address(*which);
                networks.iter().any(|n| n.contains(address))
            }
            Self::Token(patterns) => request
                .token
                .as_ref()
                .is_some_and(|token| patterns.iter().any(|p| p.matches(token))),
            Self::Text(text, patterns) => request
                .texts(text)
                .iter()
                .any(|value| patterns.iter().any(|p| p.matches(value))),
        }
    }
}

impl Cube {
    /// Everybody and everything.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// One condition.
    #[must_use]
    pub fn of(literals: Vec<Literal>) -> Self {
        Self {
            literals,
            because: Vec::new(),
        }
    }

    /// Both conjunctions together.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let mut both = self.clone();
        for literal in &other.literals {
            if !both.literals.contains(literal) {
                both.literals.push(literal.clone());
            }
        }
        for because in &other.because {
            if !both.because.contains(because) {
                both.because.push(*because);
            }
        }
        both
    }

    /// This conjunction with one more condition.
    #[must_use]
    pub fn with(&self, literal: Literal) -> Self {
        self.and(&Self::of(vec![literal]))
    }

    /// Whether a request satisfies all conditions.
    #[must_use]
    pub fn admits(&self, request: &Request) -> bool {
        self.literals.iter().all(|l| l.admits(request))
    }

    /// Whether some request of this caller satisfies all conditions. No cube of a set is empty and dimensions are independent, so that the
    /// conditions on identity alone decide.
    #[must_use]
    pub fn admits_caller(&self, caller: Option<&Identity>) -> bool {
        self.literals
            .iter()
            .all(|literal| match literal.atom.as_ref() {
                Atom::Identity(patterns) => {
                    let fits = caller.is_some_and(|id| patterns.iter().any(|p| p.matches(id)));
                    fits == literal.positive
                }
                Atom::Address(..) | Atom::Token(_) | Atom::Text(..) => true,
            })
    }

    /// Whether nothing can satisfy all conditions.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !dimension::satisfiable(&self.literals)
    }
}

impl PeerSet {
    /// Nobody.
    #[must_use]
    pub fn nobody() -> Self {
        Self::default()
    }

    /// Everybody and everything.
    #[must_use]
    pub fn all() -> Self {
        Self::of(vec![Cube::all()])
    }

    /// The union of these cubes, without the empty ones.
    #[must_use]
    pub fn of(cubes: Vec<Cube>) -> Self {
        let mut set = Self::nobody();
        for cube in cubes {
            set.add(cube);
        }
        set
    }

    fn add(&mut self, cube: Cube) {
        if cube.is_empty() {
            return;
        }
        let implied =
            |wide: &Cube, narrow: &Cube| wide.literals.iter().all(|l| narrow.literals.contains(l));
        if self.cubes.iter().any(|known| implied(known, &cube)) {
            return;
        }
        self.cubes.retain(|known| !implied(&cube, known));
        self.cubes.push(cube);
    }

    /// Whether the set holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cubes.is_empty()
    }

    /// Both sets together.
    #[must_use]
    pub fn union(mut self, other: Self) -> Self {
        self.widened |= other.widened;
        for cube in other.cubes {
            self.add(cube);
        }
        self
    }

    /// What both sets hold.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let mut both = Self {
            widened: self.widened | other.widened,
            ..Self::default()
        };
        for a in &self.cubes {
            for b in &other.cubes {
                both.add(a.and(b));
            }
        }
        both
    }

    /// What of this set satisfies one more condition.
    #[must_use]
    pub fn restrict(&self, literal: &Literal) -> Self {
        self.intersect(&Self::of(vec![Cube::of(vec![literal.clone()])]))
    }

    /// What of this set the other does not hold. Beyond 512 parts the rest is kept whole and the set is marked as widened.
    #[must_use]
    pub fn subtract(&self, other: &Self) -> Self {
        let mut left = self.clone();
        left.widened |= other.widened;
        for cube in &other.cubes {
            let mut rest = Self {
                widened: left.widened,
                ..Self::default()
            };
            for part in &left.cubes {
                for literal in &cube.literals {
                    rest.add(part.with(literal.negated()));
                }
            }
            if rest.cubes.len() > MAX_CUBES {
                left.widened = true;
                return left;
            }
            left = rest;
        }
        left
    }

    /// Whether the other set holds all of this one.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.subtract(other).is_empty()
    }

    /// Whether a request belongs to the set.
    #[must_use]
    pub fn admits(&self, request: &Request) -> bool {
        self.cubes.iter().any(|cube| cube.admits(request))
    }

    /// The part that admits a request.
    #[must_use]
    pub fn admitting(&self, request: &Request) -> Option<&Cube> {
        self.cubes.iter().find(|cube| cube.admits(request))
    }

    /// The set as seen by an observer to whom every caller is `identity` (a waypoint, a gateway): conditions on identity become
    /// true or false, the others stay.
    #[must_use]
    pub fn seen_as(&self, identity: &Identity) -> Self {
        self.decided(|literal| match literal.atom.as_ref() {
            Atom::Identity(patterns) => {
                Some(patterns.iter().any(|p| p.matches(identity)) == literal.positive)
            }
            _ => None,
        })
    }

    /// Whether some request of this caller belongs to the set; `None` presents no identity.
    #[must_use]
    pub fn admits_caller(&self, caller: Option<&Identity>) -> bool {
        self.cubes.iter().any(|cube| cube.admits_caller(caller))
    }

    /// The set as seen by an observer who has not looked at tokens: conditions on tokens and claims are false.
    #[must_use]
    pub fn before_tokens(&self) -> Self {
        self.decided(|literal| match literal.atom.as_ref() {
            Atom::Token(_) | Atom::Text(Text::Claim(_), _) => Some(!literal.positive),
            _ => None,
        })
    }

    /// The set with some conditions replaced by their truth; `None` leaves a condition open.
    #[must_use]
    pub fn decided(&self, truth: impl Fn(&Literal) -> Option<bool>) -> Self {
        let cubes = self.cubes.iter().filter_map(|cube| {
            let mut rest = Vec::new();
            for literal in &cube.literals {
                match truth(literal) {
                    Some(true) => {}
                    Some(false) => return None,
                    None => rest.push(literal.clone()),
                }
            }
            Some(Cube {
                literals: rest,
                because: cube.because.clone(),
            })
        });
        Self {
            widened: self.widened,
            ..Self::of(cubes.collect())
        }
    }
}

/// An unspecified address, used where a request does not say.
pub(crate) const NO_ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);
