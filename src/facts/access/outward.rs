//! `Outward`: addresses outside the cluster that the network lets pods call, by port. Input: answers between ports where a policy cuts;
//! output: which of two lets out more, and words.

use std::collections::BTreeSet;

use crate::facts::access::callers::Callers;
use crate::facts::peers::addresses::Network;
use crate::facts::workload::Protocol;

/// Ports of one protocol, both ends included, and the addresses that can be called there.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    protocol: Protocol,
    low: u16,
    high: u16,
    to: Callers,
}

/// Addresses by port.
///
/// INVARIANT: the pieces cover every port of every protocol in order; neighbours of one protocol differ, so that equal sets are equal values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outward(Vec<Piece>);

/// How far a way out leads, for sets of which neither holds the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Width {
    /// Nowhere.
    Nowhere,
    /// To addresses that the internet does not carry (RFC 1918, 4193, 3927, 6598).
    Private,
    /// To some of the others.
    Some,
    /// To most addresses of a family.
    Most,
}

const PROTOCOLS: [Protocol; 3] = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp];

const PRIVATE: [&str; 8] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "fc00::/7",
    "fe80::/10",
];

/// Blocks that are named one by one.
const SHOWN: usize = 8;

impl Outward {
    /// Every address on every port.
    #[must_use]
    pub fn anywhere() -> Self {
        Self::of(&BTreeSet::new(), |_, _| Callers::outside())
    }

    /// Asks for each run of ports that begins at 1 or at a cut.
    #[must_use]
    pub fn of(
        cuts: &BTreeSet<(Protocol, u16)>,
        mut answer: impl FnMut(Protocol, u16) -> Callers,
    ) -> Self {
        let mut pieces: Vec<Piece> = Vec::new();
        for protocol in PROTOCOLS {
            let mut starts: Vec<u16> = cuts
                .range((protocol, 2)..=(protocol, u16::MAX))
                .map(|(_, port)| *port)
                .collect();
            starts.insert(0, 1);
            for (at, &low) in starts.iter().enumerate() {
                let high = starts.get(at + 1).map_or(u16::MAX, |next| next - 1);
                let to = answer(protocol, low).intersect(&Callers::outside());
                match pieces.last_mut() {
                    Some(last) if last.protocol == protocol && last.to == to => last.high = high,
                    _ => pieces.push(Piece {
                        protocol,
                        low,
                        high,
                        to,
                    }),
                }
            }
        }
        Self(pieces)
    }

    /// Whether nothing outside can be called.
    #[must_use]
    pub fn is_nowhere(&self) -> bool {
        self.0.iter().all(|piece| piece.to.is_empty())
    }

    /// Whether everything outside can be called.
    #[must_use]
    pub fn is_anywhere(&self) -> bool {
        self.0.iter().all(|piece| piece.to.has_every_address())
    }

    /// Whether the other leads everywhere this one does.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        let mut theirs = other.0.iter().peekable();
        let mut ours = self.0.iter().peekable();
        while let (Some(a), Some(b)) = (ours.peek(), theirs.peek()) {
            if !a.to.subtract(&b.to).is_empty() {
                return false;
            }
            match (a.protocol, a.high).cmp(&(b.protocol, b.high)) {
                std::cmp::Ordering::Less => drop(ours.next()),
                std::cmp::Ordering::Greater => drop(theirs.next()),
                std::cmp::Ordering::Equal => {
                    ours.next();
                    theirs.next();
                }
            }
        }
        true
    }

    /// How far it leads on whatever port.
    #[must_use]
    pub fn width(&self) -> Width {
        let all = self
            .0
            .iter()
            .fold(Callers::none(), |all, piece| all.union(&piece.to));
        let private = PRIVATE.iter().filter_map(|text| Network::parse(text));
        let private: Vec<Network> = private.collect();
        if all.is_empty() {
            Width::Nowhere
        } else if all.subtract(&Callers::networks(&private)).is_empty() {
            Width::Private
        } else if halves(&all) {
            Width::Most
        } else {
            Width::Some
        }
    }

    /// `anywhere`, `nowhere`, `203.0.113.0/24 on port 443`, `10.0.0.0/8, 0.0.0.0/0 on port 443`.
    #[must_use]
    pub fn words(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        let all = common(self.0.iter());
        if !all.is_empty() {
            parts.push(places(&all));
        }
        // Ports with a say of their own, by what can be called there.
        let mut others: Vec<(&Callers, Vec<&Piece>)> = Vec::new();
        for protocol in PROTOCOLS {
            let own = || self.0.iter().filter(|piece| piece.protocol == protocol);
            let always = common(own());
            if always != all {
                let protocol = protocol.as_str();
                parts.push(format!("{} on any {protocol} port", places(&always)));
            }
            for piece in own().filter(|p| p.to != always && !p.to.is_empty()) {
                match others.iter_mut().find(|(to, _)| *to == &piece.to) {
                    Some((_, pieces)) => pieces.push(piece),
                    None => others.push((&piece.to, vec![piece])),
                }
            }
        }
        let others = others.into_iter();
        parts.extend(others.map(|(to, pieces)| format!("{} on {}", places(to), ports(&pieces))));
        if parts.is_empty() {
            return "nowhere".to_owned();
        }
        parts.join(", ")
    }
}

/// Whether a set holds more than half of the addresses of a family.
fn halves(set: &Callers) -> bool {
    let holds = |ranges: &[(u128, u128)], half: u128| {
        let count = ranges
            .iter()
            .map(|(low, high)| high - low)
            .fold(0u128, u128::saturating_add);
        count >= half
    };
    holds(set.v4.ranges(), 1 << 31) || holds(set.v6.ranges(), 1 << 127)
}

fn common<'p>(mut pieces: impl Iterator<Item = &'p Piece>) -> Callers {
    let first = pieces.next().map_or_else(Callers::none, |p| p.to.clone());
    pieces.fold(first, |all, piece| all.intersect(&piece.to))
}

/// `port 443`, `ports 443, 8000-8080`, `port 53/UDP`.
fn ports(pieces: &[&Piece]) -> String {
    let one = |piece: &&Piece| {
        let protocol = match piece.protocol {
            Protocol::Tcp => String::new(),
            other => format!("/{}", other.as_str()),
        };
        match (piece.low, piece.high) {
            (low, high) if low == high => format!("{low}{protocol}"),
            (low, high) => format!("{low}-{high}{protocol}"),
        }
    };
    let words: Vec<String> = pieces.iter().map(one).collect();
    let single = pieces.len() == 1 && pieces.iter().all(|p| p.low == p.high);
    format!("port{} {}", if single { "" } else { "s" }, words.join(", "))
}

/// Addresses in words, as few as there may be: blocks, or everything but some blocks.
#[must_use]
pub fn places(set: &Callers) -> String {
    if set.has_every_address() {
        return "anywhere".to_owned();
    }
    let family = |of: &Callers, all: &str| -> Option<String> {
        let has = of.nets();
        let rest = Callers::networks(Network::parse(all).iter())
            .subtract(of)
            .nets();
        match (has.len(), rest.len()) {
            (0, _) => None,
            (_, 0) => Some(all.to_owned()),
            (n, m) if m < n => Some(format!("{all} except {}", few(&rest))),
            _ => Some(few(&has)),
        }
    };
    let v4 = Callers {
        v4: set.v4.clone(),
        ..Callers::none()
    };
    let v6 = Callers {
        v6: set.v6.clone(),
        ..Callers::none()
    };
    let words = [family(&v4, "0.0.0.0/0"), family(&v6, "::/0")];
    let words: Vec<String> = words.into_iter().flatten().collect();
    if words.is_empty() {
        return "nowhere".to_owned();
    }
    words.join(", ")
}

fn few(blocks: &[String]) -> String {
    let first: Vec<&str> = blocks.iter().take(SHOWN).map(String::as_str).collect();
    match blocks.len().checked_sub(SHOWN) {
        Some(more) if more > 0 => format!("{} and {more} more networks", first.join(" ")),
        _ => first.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nets(list: &[&str]) -> Callers {
        let list: Vec<Network> = list.iter().map(|t| Network::parse(t).unwrap()).collect();
        Callers::networks(&list)
    }

    /// Everything, these on ports 443 to 444, or these on all ports of a protocol.
    fn on(protocol: Protocol, low: u16, after: u16, to: &[&str], else_to: &[&str]) -> Outward {
        let cuts = BTreeSet::from([(protocol, low), (protocol, after)]);
        Outward::of(&cuts, |of, port| {
            let inside = of == protocol && (low..after).contains(&port);
            nets(if inside { to } else { else_to })
        })
    }

    const ALL: &[&str] = &["0.0.0.0/0", "::/0"];

    #[test]
    fn words_name_the_fewest_places() {
        let of = |to: &[&str]| on(Protocol::Tcp, 1, 2, to, to).words();
        assert_eq!(of(ALL), "anywhere");
        assert_eq!(of(&[]), "nowhere");
        assert_eq!(of(&["0.0.0.0/0"]), "0.0.0.0/0");
        assert_eq!(of(&["10.0.0.0/8", "fd00::/8"]), "10.0.0.0/8, fd00::/8");
        let but = nets(ALL).subtract(&nets(&["10.0.0.0/8", "fd00::1"]));
        assert_eq!(
            places(&but),
            "0.0.0.0/0 except 10.0.0.0/8, ::/0 except fd00::1"
        );
        assert_eq!(
            on(Protocol::Tcp, 443, 444, ALL, &[]).words(),
            "anywhere on port 443"
        );
        assert_eq!(
            on(Protocol::Udp, 53, 54, ALL, &["10.0.0.0/8"]).words(),
            "10.0.0.0/8, anywhere on port 53/UDP"
        );
        let ports = BTreeSet::from([
            (Protocol::Tcp, 443),
            (Protocol::Tcp, 444),
            (Protocol::Udp, 53),
            (Protocol::Udp, 54),
        ]);
        let both = Outward::of(&ports, |_, port| {
            nets(if [53, 443].contains(&port) { ALL } else { &[] })
        });
        assert_eq!(both.words(), "anywhere on ports 443, 53/UDP");
        assert_eq!(
            on(Protocol::Tcp, 8000, 8081, &["10.0.0.0/8"], &[]).words(),
            "10.0.0.0/8 on ports 8000-8080"
        );
        let cuts = BTreeSet::new();
        let tcp = Outward::of(&cuts, |of, _| {
            nets(if of == Protocol::Tcp { ALL } else { &[] })
        });
        assert_eq!(tcp.words(), "anywhere on any TCP port");
    }

    #[test]
    fn what_holds_what_is_told_port_by_port() {
        let https = on(Protocol::Tcp, 443, 444, ALL, &[]);
        let few = on(Protocol::Tcp, 443, 444, &["10.0.0.0/8"], &[]);
        let udp = on(Protocol::Udp, 443, 444, ALL, &[]);
        let anywhere = Outward::anywhere();
        assert!(few.is_subset(&https) && !https.is_subset(&few));
        assert!(https.is_subset(&anywhere) && !anywhere.is_subset(&https));
        assert!(!https.is_subset(&udp) && !udp.is_subset(&https));
        assert!(https.is_subset(&https));
        let wider = on(Protocol::Tcp, 400, 500, ALL, &[]);
        assert!(https.is_subset(&wider) && !wider.is_subset(&https));
    }

    #[test]
    fn cuts_that_divide_nothing_leave_no_trace() {
        let with = on(Protocol::Tcp, 80, 90, ALL, ALL);
        assert_eq!(with, Outward::anywhere());
        assert!(with.is_anywhere() && !with.is_nowhere());
    }

    #[test]
    fn width_tells_private_networks_from_the_internet() {
        let of = |to: &[&str]| on(Protocol::Tcp, 1, 2, to, to).width();
        assert_eq!(of(&[]), Width::Nowhere);
        assert_eq!(of(&["10.1.0.0/16", "fd00::/8"]), Width::Private);
        assert_eq!(of(&["203.0.113.0/24"]), Width::Some);
        assert_eq!(of(&["0.0.0.0/0"]), Width::Most);
        assert_eq!(of(&["128.0.0.0/1", "1.0.0.0/8"]), Width::Most);
    }
}
