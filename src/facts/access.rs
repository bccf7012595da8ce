//! Access: who may call a port, on one scale. Input: sets of callers per path; output: level, members, exceptions, request conditions.
//!
//! The scale: anyone > mesh > namespaces > identities > nobody. A restriction of requests (methods, paths …) qualifies a level and never
//! lowers it.
//!
//! Layers combine here and nowhere else: egress of the caller ∩ ingress of the port ∩ the mesh, on every way to the port.

pub mod callers;
mod carried;
pub mod intervals;
pub mod network;
pub mod outward;
pub mod pods;
pub mod reach;
pub mod traffic;

use std::collections::BTreeSet;

use crate::facts::access::network::Network;
use crate::facts::access::reach::Networks;
use crate::facts::pattern::{self, Pattern};
use crate::facts::peers::identity::IdentityPattern;
use crate::facts::peers::{Address, Atom, Cube, Literal, PeerSet, Text};

/// How wide access is, from the narrowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Nobody.
    Nobody,
    /// Named identities.
    Identities,
    /// Everything in named namespaces.
    Namespaces,
    /// Any identity of the mesh, or any holder of a token.
    Mesh,
    /// Anyone who reaches the port.
    Anyone,
}

impl Level {
    /// The word used in facts and output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Identities => "identities",
            Self::Namespaces => "namespaces",
            Self::Mesh => "mesh",
            Self::Anyone => "anyone",
        }
    }
}

/// What proves who the caller is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum By {
    /// Its address.
    Network,
    /// A client certificate of the mesh.
    Mtls,
    /// A token.
    Jwt,
}

impl By {
    /// The word used in facts and output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Mtls => "mtls",
            Self::Jwt => "jwt",
        }
    }
}

/// Who may call a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The widest of all parts.
    pub level: Level,
    /// What proves the caller in the widest parts; empty = nothing does.
    pub by: BTreeSet<By>,
    /// Typed members: `sa:apps/chat`, `ns:apps`, `jwt:issuer/subject`.
    pub set: BTreeSet<String>,
    /// Typed members that are kept out of the widest parts.
    pub except: BTreeSet<String>,
    /// Networks that the widest parts are limited to.
    pub nets: BTreeSet<String>,
    /// Request conditions of the parts: `path:/v1/*`; empty when some part has none.
    pub requests: BTreeSet<String>,
    /// Whether an external authorizer has the last word on some requests.
    pub delegated: bool,
    /// Whether a proxy stands before the port at all.
    pub proxied: bool,
}

/// One part of a set, read on the scale.
struct Part {
    level: Level,
    by: BTreeSet<By>,
    set: BTreeSet<String>,
    except: BTreeSet<String>,
    nets: BTreeSet<String>,
    requests: BTreeSet<String>,
}

impl Part {
    /// Order of exposure: the level, then whether anything proves the caller.
    fn exposure(&self) -> (Level, u8) {
        let proof = if self.by.is_empty() {
            2
        } else {
            u8::from(!self.by.contains(&By::Mtls))
        };
        (self.level, proof)
    }
}

impl Access {
    /// A port that no proxy protects.
    #[must_use]
    pub fn unprotected() -> Self {
        Self {
            proxied: false,
            ..Self::of(&PeerSet::all(), &PeerSet::nobody())
        }
    }

    /// Reads a set of callers; `delegated` is what an external authorizer decides.
    #[must_use]
    pub fn of(allowed: &PeerSet, delegated: &PeerSet) -> Self {
        Self::within(&[(allowed, &Networks::default())], delegated)
    }

    /// Reads sets of callers, each with those whom the network carries on that way.
    #[must_use]
    pub fn within(ways: &[(&PeerSet, &Networks)], delegated: &PeerSet) -> Self {
        let mut parts: Vec<Part> = Vec::new();
        let mut asked = false;
        for (allowed, networks) in ways {
            for cube in &allowed.cubes {
                for (cube, network) in networks.carrying(cube) {
                    parts.extend(narrowed(part(&cube), &cube, network));
                }
            }
            asked |= !delegated.is_empty()
                && allowed.cubes.iter().any(|cube| {
                    let part = PeerSet::of(vec![cube.clone()]);
                    !delegated.intersect(&part).is_empty()
                });
        }
        let blocked = parts.is_empty() && ways.iter().any(|(allowed, _)| !allowed.is_empty());
        let widest = parts.iter().map(Part::exposure).max();
        let mut access = Self {
            level: widest.map_or(Level::Nobody, |(level, _)| level),
            by: BTreeSet::new(),
            set: BTreeSet::new(),
            except: BTreeSet::new(),
            nets: BTreeSet::new(),
            requests: BTreeSet::new(),
            delegated: asked,
            proxied: true,
        };
        if blocked {
            access.by.insert(By::Network);
        }
        for part in &parts {
            access.set.extend(part.set.iter().cloned());
            access.requests.extend(part.requests.iter().cloned());
        }
        let top: Vec<&Part> = parts
            .iter()
            .filter(|p| Some(p.exposure()) == widest)
            .collect();
        for part in &top {
            access.by.extend(&part.by);
            access.nets.extend(part.nets.iter().cloned());
        }
        if top.iter().any(|p| p.nets.is_empty()) {
            access.nets.clear();
        }
        if parts.iter().any(|p| p.requests.is_empty()) {
            access.requests.clear();
        }
        if let Some((first, rest)) = top.split_first() {
            access.except.clone_from(&first.except);
            for part in rest {
                access.except.retain(|e| part.except.contains(e));
            }
        }
        access
    }
}

fn part(cube: &Cube) -> Part {
    let mut part = Part {
        level: Level::Anyone,
        by: BTreeSet::new(),
        set: BTreeSet::new(),
        except: BTreeSet::new(),
        nets: BTreeSet::new(),
        requests: BTreeSet::new(),
    };
    let identities = positive_identities(&cube.literals);
    if let Some(patterns) = &identities {
        part.by.insert(By::Mtls);
        part.level = patterns
            .iter()
            .map(identity_level)
            .max()
            .unwrap_or(Level::Nobody);
        part.set.extend(patterns.iter().filter_map(member));
    }
    for literal in &cube.literals {
        read_literal(&mut part, literal, identities.is_some());
    }
    part
}

/// What the network leaves of a part; `None` when nobody gets through.
fn narrowed(mut part: Part, cube: &Cube, network: Option<&Network>) -> Option<Part> {
    let Some(network) = network else {
        return Some(part);
    };
    if let Some(patterns) = positive_identities(&cube.literals) {
        let refused = refused_identities(&cube.literals);
        let Some(holders) = network.holders(&patterns, &refused) else {
            return Some(part);
        };
        if holders.unlimited {
            for shut_out in patterns.iter().filter(|p| network.shuts_out(p)) {
                part.set.retain(|m| Some(m) != member(shut_out).as_ref());
            }
            part.except.extend(holders.except);
            return Some(part);
        }
        if holders.members.is_empty() {
            return None;
        }
        let tokens = part.set.iter().filter(|m| m.starts_with("jwt:")).cloned();
        part.set = tokens.chain(holders.members).collect();
        part.except.extend(holders.except);
        part.by.insert(By::Network);
        let level = if holders.namespaces {
            Level::Namespaces
        } else {
            Level::Identities
        };
        part.level = part.level.min(level);
        return Some(part);
    }
    let outside = network.outside_of(cube);
    let words = network.pods.words(&network.callers.pods);
    if network.callers.is_all() {
        return Some(part);
    }
    if !outside.has_outside() && words.members.is_empty() {
        return None;
    }
    if network.is_wide() {
        let namespaces = words.except.into_iter().filter(|e| e.starts_with("ns:"));
        part.except.extend(namespaces);
        return Some(part);
    }
    part.by.insert(By::Network);
    part.set.extend(words.members);
    if outside.has_outside() {
        if part.nets.is_empty() {
            part.nets.extend(outside.nets());
        }
        return Some(part);
    }
    part.except.extend(words.except);
    let level = if words.namespaces {
        Level::Namespaces
    } else {
        Level::Identities
    };
    part.level = part.level.min(level);
    Some(part)
}

fn read_literal(part: &mut Part, literal: &Literal, identified: bool) {
    match (literal.atom.as_ref(), literal.positive) {
        (Atom::Identity(_), true) => {}
        (Atom::Identity(patterns), false) => {
            part.except.extend(patterns.iter().filter_map(member));
        }
        (Atom::Token(patterns), true) => {
            part.by.insert(By::Jwt);
            for p in patterns {
                part.set
                    .insert(format!("jwt:{}/{}", p.issuer.text(), p.subject.text()));
            }
            if !identified {
                let exact = patterns.iter().all(|p| p.subject.exact().is_some());
                let level = if exact {
                    Level::Identities
                } else {
                    Level::Mesh
                };
                part.level = part.level.min(level);
            }
        }
        (Atom::Token(patterns), false) => part.except.extend(
            patterns
                .iter()
                .filter(|p| !p.subject_optional)
                .map(|p| format!("jwt:{}/{}", p.issuer.text(), p.subject.text())),
        ),
        (Atom::Address(Address::Source | Address::Remote, networks), true) => {
            part.nets.extend(networks.iter().map(ToString::to_string));
            if !identified {
                part.by.insert(By::Network);
            }
        }
        (Atom::Address(which, networks), positive) => {
            let not = if positive { "" } else { "not " };
            let name = match which {
                Address::Destination => "destination",
                Address::Source | Address::Remote => "net",
            };
            let words = networks.iter().map(|n| format!("{not}{name}:{n}"));
            if *which == Address::Destination {
                part.requests.extend(words);
            } else {
                part.except
                    .extend(networks.iter().map(|n| format!("net:{n}")));
            }
        }
        (Atom::Text(Text::Claim(claim), patterns), true) => {
            part.by.insert(By::Jwt);
            if !identified {
                part.level = part.level.min(Level::Mesh);
            }
            let words = patterns
                .iter()
                .map(|p| format!("claim {claim}:{}", p.text()));
            part.requests.extend(words);
        }
        (Atom::Text(text, patterns), positive) => {
            let not = if positive { "" } else { "not " };
            let name = text_name(text);
            let words = patterns.iter().map(|p| format!("{not}{name}:{}", p.text()));
            part.requests.extend(words);
        }
    }
}

fn text_name(text: &Text) -> String {
    match text {
        Text::Method => "method".to_owned(),
        Text::Path => "path".to_owned(),
        Text::Host => "host".to_owned(),
        Text::Sni => "sni".to_owned(),
        Text::Header(name) => format!("header {name}"),
        Text::Claim(name) => format!("claim {name}"),
    }
}

/// The identities a cube asks for: products that satisfy every list, without those that it refuses or that another holds; `None` when it asks
/// for none.
fn positive_identities(literals: &[Literal]) -> Option<Vec<IdentityPattern>> {
    let mut lists = literals.iter().filter_map(|l| match l.atom.as_ref() {
        Atom::Identity(patterns) if l.positive => Some(patterns),
        _ => None,
    });
    let mut found: Vec<IdentityPattern> = lists.next()?.clone();
    for list in lists {
        let both = |a: &IdentityPattern| {
            list.iter()
                .filter_map(|b| narrower(a, b))
                .collect::<Vec<_>>()
        };
        found = found.iter().flat_map(both).collect();
    }
    let refused = refused_identities(literals);
    found.retain(|p| !refused.iter().any(|r| within(p, r)));
    let mut widest: Vec<IdentityPattern> = Vec::new();
    for pattern in found {
        if !widest.iter().any(|wide| within(&pattern, wide)) {
            widest.retain(|narrow| !within(narrow, &pattern));
            widest.push(pattern);
        }
    }
    Some(widest)
}

/// The identities a cube keeps out.
fn refused_identities(literals: &[Literal]) -> Vec<&IdentityPattern> {
    let refused = literals.iter().filter(|l| !l.positive);
    let patterns = refused.filter_map(|l| match l.atom.as_ref() {
        Atom::Identity(patterns) => Some(patterns),
        _ => None,
    });
    patterns.flatten().collect()
}

/// Whether the wide pattern holds every identity of the narrow one.
fn within(narrow: &IdentityPattern, wide: &IdentityPattern) -> bool {
    pattern::subset(&narrow.trust_domain, &wide.trust_domain)
        && pattern::subset(&narrow.namespace, &wide.namespace)
        && pattern::subset(&narrow.account, &wide.account)
}

/// The narrower pattern of each part; `None` when two parts exclude each other.
fn narrower(a: &IdentityPattern, b: &IdentityPattern) -> Option<IdentityPattern> {
    let part = |a: &Pattern, b: &Pattern| {
        if pattern::subset(a, b) {
            Some(a.clone())
        } else if pattern::subset(b, a) {
            Some(b.clone())
        } else {
            let sides = [std::slice::from_ref(a), std::slice::from_ref(b)];
            pattern::satisfiable(&sides, &[]).then(|| a.clone())
        }
    };
    Some(IdentityPattern {
        trust_domain: part(&a.trust_domain, &b.trust_domain)?,
        namespace: part(&a.namespace, &b.namespace)?,
        account: part(&a.account, &b.account)?,
    })
}

/// The account that every pod without `serviceAccountName` has: naming it means naming the namespace.
const DEFAULT_ACCOUNT: &str = "default";

fn identity_level(pattern: &IdentityPattern) -> Level {
    match (pattern.namespace.exact(), pattern.account.exact()) {
        (Some(_), Some(DEFAULT_ACCOUNT) | None) => Level::Namespaces,
        (Some(_), Some(_)) => Level::Identities,
        (None, _) => Level::Mesh,
    }
}

/// `sa:namespace/account`, `ns:namespace`, `td:domain`; nothing for every identity.
fn member(pattern: &IdentityPattern) -> Option<String> {
    if *pattern == IdentityPattern::any() {
        return None;
    }
    let (namespace, account) = (pattern.namespace.text(), pattern.account.text());
    Some(match (&pattern.namespace, &pattern.account) {
        (Pattern::Any, Pattern::Any) => format!("td:{}", pattern.trust_domain.text()),
        (_, Pattern::Any) => format!("ns:{namespace}"),
        _ => format!("sa:{namespace}/{account}"),
    })
}
