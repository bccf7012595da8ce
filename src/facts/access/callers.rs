//! `Callers`: who stands at the other end of a connection. Input: numbered pods and networks; output: set algebra over both.

use crate::facts::access::intervals::Intervals;
use crate::facts::peers::addresses::Network;

/// Pods by their number in [`super::pods::Pods`], and addresses that are no pod's.
///
/// Whether a network matches the addresses of pods depends on the network plugin (SNAT, overlays), and pods have no address in files:
/// networks hold addresses outside of pods only (np-guard's reading as well).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Callers {
    /// Pods.
    pub pods: Intervals,
    /// IPv4 addresses.
    pub v4: Intervals,
    /// IPv6 addresses.
    pub v6: Intervals,
}

/// The last IPv4 address as a number.
const V4_MAX: u128 = u32::MAX as u128;

impl Callers {
    /// Nobody.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Everybody: every pod, seen or not, and every address.
    #[must_use]
    pub fn all() -> Self {
        Self {
            pods: Intervals::of(0, u128::MAX),
            v4: Intervals::of(0, V4_MAX),
            v6: Intervals::of(0, u128::MAX),
        }
    }

    /// These pods.
    #[must_use]
    pub fn pods(pods: Intervals) -> Self {
        Self {
            pods,
            ..Self::default()
        }
    }

    /// The addresses of networks.
    #[must_use]
    pub fn networks<'n>(networks: impl IntoIterator<Item = &'n Network>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for network in networks {
            let (is_v4, low, high) = network.bounds();
            if is_v4 { &mut v4 } else { &mut v6 }.push((low, high));
        }
        Self {
            pods: Intervals::none(),
            v4: Intervals::from_list(v4),
            v6: Intervals::from_list(v6),
        }
    }

    /// Every address, no pod.
    #[must_use]
    pub fn outside() -> Self {
        Self {
            pods: Intervals::none(),
            ..Self::all()
        }
    }

    /// Whether it is nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pods.is_empty() && !self.has_outside()
    }

    /// Whether it is everybody.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.pods.ranges() == [(0, u128::MAX)] && self.has_every_address()
    }

    /// Whether every address is in it.
    #[must_use]
    pub fn has_every_address(&self) -> bool {
        self.v4.ranges() == [(0, V4_MAX)] && self.v6.ranges() == [(0, u128::MAX)]
    }

    /// Whether some address is in it.
    #[must_use]
    pub fn has_outside(&self) -> bool {
        !(self.v4.is_empty() && self.v6.is_empty())
    }

    /// Callers of either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.each(other, Intervals::union)
    }

    /// Callers of both sets.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        self.each(other, Intervals::intersect)
    }

    /// Callers of this set that the other does not hold.
    #[must_use]
    pub fn subtract(&self, other: &Self) -> Self {
        self.each(other, Intervals::subtract)
    }

    fn each(&self, other: &Self, of: fn(&Intervals, &Intervals) -> Intervals) -> Self {
        Self {
            pods: of(&self.pods, &other.pods),
            v4: of(&self.v4, &other.v4),
            v6: of(&self.v6, &other.v6),
        }
    }

    /// The addresses in words: `external` for all of them, else the fewest CIDR blocks.
    #[must_use]
    pub fn nets(&self) -> Vec<String> {
        if self.has_every_address() {
            return vec!["external".to_owned()];
        }
        let v4 = self.v4.ranges().iter().flat_map(|r| blocks(*r, true));
        let v6 = self.v6.ranges().iter().flat_map(|r| blocks(*r, false));
        v4.chain(v6).map(|n| n.to_string()).collect()
    }
}

/// The fewest blocks that make up an interval.
fn blocks((low, high): (u128, u128), is_v4: bool) -> Vec<Network> {
    let width: u32 = if is_v4 { 32 } else { 128 };
    let mut found = Vec::new();
    let mut start = Some(low);
    while let Some(at) = start.filter(|at| *at <= high) {
        // As many low zero bits as alignment allows and the rest of the interval holds.
        let mut bits = at.trailing_zeros().min(width);
        let last = |bits: u32| match bits {
            128.. => u128::MAX,
            _ => at | ((1u128 << bits) - 1),
        };
        while last(bits) > high {
            bits -= 1;
        }
        found.extend(Network::block(at, width - bits, is_v4));
        start = last(bits).checked_add(1);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(list: &[&str]) -> Callers {
        let nets: Vec<Network> = list.iter().map(|t| Network::parse(t).unwrap()).collect();
        Callers::networks(&nets)
    }

    #[test]
    fn addresses_are_printed_as_the_fewest_blocks() {
        assert_eq!(of(&["0.0.0.0/0", "::/0"]).nets(), ["external"]);
        assert_eq!(of(&["0.0.0.0/0"]).nets(), ["0.0.0.0/0"]);
        assert_eq!(of(&["::/0"]).nets(), ["::/0"]);
        let cut = of(&["10.0.0.0/8"]).subtract(&of(&["10.0.0.0/10"]));
        assert_eq!(cut.nets(), ["10.64.0.0/10", "10.128.0.0/9"]);
        assert_eq!(of(&["10.1.2.3", "fd00::1"]).nets(), ["10.1.2.3", "fd00::1"]);
        assert!(of(&["10.0.0.0/8"]).subtract(&of(&["0.0.0.0/0"])).is_empty());
    }

    #[test]
    fn families_and_pods_stay_apart() {
        let outside = Callers::outside();
        assert!(outside.pods.is_empty() && outside.has_outside());
        assert!(outside.union(&Callers::pods(Callers::all().pods)).is_all());
        assert!(of(&["10.0.0.0/8"]).intersect(&of(&["::/0"])).is_empty());
    }
}
