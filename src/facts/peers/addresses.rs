//! Sets of addresses. Input: CIDR blocks and single addresses; output: containment and satisfiability over exact intervals.

use std::net::IpAddr;

use ipnet::IpNet;

/// A network as policies write it: a CIDR block or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network(IpNet);

impl Network {
    /// Reads `10.0.0.0/8`, `10.1.2.3`, `fd00::/8`; host bits are dropped.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let net = match text.parse::<IpNet>() {
            Ok(net) => net,
            Err(_) => IpNet::from(text.parse::<IpAddr>().ok()?),
        };
        Some(Self(net.trunc()))
    }

    /// Whether an address lies in it; never across families.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }

    /// Whether it is IPv4, its first and its last address as numbers.
    #[must_use]
    pub fn bounds(&self) -> (bool, u128, u128) {
        let (family, low, high) = self.interval();
        (family == Family::V4, low, high)
    }

    /// The block of `prefix` bits that starts at an address given as a number.
    pub(crate) fn block(start: u128, prefix: u32, is_v4: bool) -> Option<Self> {
        let address = if is_v4 {
            IpAddr::from(u32::try_from(start).ok()?.to_be_bytes())
        } else {
            IpAddr::from(start.to_be_bytes())
        };
        let net = IpNet::new(address, u8::try_from(prefix).ok()?).ok()?;
        Some(Self(net))
    }

    fn interval(&self) -> (Family, u128, u128) {
        match self.0 {
            IpNet::V4(net) => (
                Family::V4,
                u128::from(u32::from(net.network())),
                u128::from(u32::from(net.broadcast())),
            ),
            IpNet::V6(net) => (
                Family::V6,
                u128::from(net.network()),
                u128::from(net.broadcast()),
            ),
        }
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            write!(f, "{}", self.0.addr())
        } else {
            write!(f, "{}", self.0)
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    V4,
    V6,
}

/// Whether some address lies in one network of every clause of `all` and in no network of `none`.
#[must_use]
pub fn satisfiable(all: &[&[Network]], none: &[Network]) -> bool {
    [Family::V4, Family::V6]
        .into_iter()
        .any(|family| in_family(family, all, none))
}

fn in_family(family: Family, all: &[&[Network]], none: &[Network]) -> bool {
    let of_family = |networks: &[Network]| -> Vec<(u128, u128)> {
        networks
            .iter()
            .map(Network::interval)
            .filter(|(f, _, _)| *f == family)
            .map(|(_, low, high)| (low, high))
            .collect()
    };
    let clauses: Vec<Vec<(u128, u128)>> = all.iter().map(|c| of_family(c)).collect();
    let forbidden = of_family(none);
    // A solution can be moved down to the start of an interval or to just behind a forbidden one.
    let starts = clauses.iter().flatten().map(|(low, _)| *low);
    let behind = forbidden.iter().filter_map(|(_, high)| high.checked_add(1));
    let max = match family {
        Family::V4 => u128::from(u32::MAX),
        Family::V6 => u128::MAX,
    };
    let inside = |list: &[(u128, u128)], at: u128| list.iter().any(|(l, h)| *l <= at && at <= *h);
    [0].into_iter()
        .chain(starts)
        .chain(behind)
        .any(|at| at <= max && clauses.iter().all(|c| inside(c, at)) && !inside(&forbidden, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nets(list: &[&str]) -> Vec<Network> {
        list.iter().map(|t| Network::parse(t).unwrap()).collect()
    }

    #[test]
    fn intervals_are_exact_and_families_apart() {
        let ten = nets(&["10.0.0.0/8"]);
        assert!(satisfiable(&[&ten], &nets(&["10.0.0.0/9"])));
        assert!(!satisfiable(
            &[&ten],
            &nets(&["10.0.0.0/9", "10.128.0.0/9"])
        ));
        assert!(!satisfiable(&[&ten, &nets(&["11.0.0.0/8"])], &[]));
        assert!(satisfiable(&[], &nets(&["0.0.0.0/0"])));
        assert!(!satisfiable(&[], &nets(&["0.0.0.0/0", "::/0"])));
        assert!(
            Network::parse("10.1.2.3")
                .unwrap()
                .contains("10.1.2.3".parse().unwrap())
        );
    }
}
