//! `ip()`: an address in, its family and scope out.
//!
//! Sources: `k8s.io/apiserver/pkg/cel/library/ip.go` (Kubernetes 1.36), Go's `net/netip` for the scope
//! predicates, and cel-spec's `network_ext` conformance file. Kubernetes refuses every IPv4-mapped IPv6
//! address; cel-spec refuses the dotted form (`::ffff:1.2.3.4`) and reads the hexadecimal one
//! (`::ffff:102:304`) as the IPv4 address. Both agree on what the documentation names, the dotted form;
//! for the other we follow cel-spec.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// Why a string is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IpError {
    /// The text is not an address.
    #[error("IP address `{0}` parse error during conversion from string")]
    Malformed(String),
    /// The text has a zone (`fe80::1%eth0`).
    #[error("IP address `{0}` with zone value is not allowed")]
    Zone(String),
    /// The text is an IPv4-mapped IPv6 address.
    #[error("IPv4-mapped IPv6 address `{0}` is not allowed")]
    Mapped(String),
}

/// An IPv4 or IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ip(IpAddr);

impl Ip {
    /// Parses `text` strictly: no zone, no leading zeros, no dotted IPv4-mapped address.
    ///
    /// # Errors
    /// The text is not such an address.
    pub fn parse(text: &str) -> Result<Self, IpError> {
        if text.contains('%') && text.contains(':') {
            return Err(IpError::Zone(text.to_owned()));
        }
        let address: IpAddr = text
            .parse()
            .map_err(|_| IpError::Malformed(text.to_owned()))?;
        match address {
            IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
                Some(_) if text.contains('.') => Err(IpError::Mapped(text.to_owned())),
                Some(v4) => Ok(Self(IpAddr::V4(v4))),
                None => Ok(Self(address)),
            },
            IpAddr::V4(_) => Ok(Self(address)),
        }
    }

    /// True when `text` is the one canonical spelling of its address (RFC 5952).
    ///
    /// # Errors
    /// The text is not an address.
    pub fn is_canonical(text: &str) -> Result<bool, IpError> {
        Ok(Self::parse(text)?.to_string() == text)
    }

    pub(super) fn from_address(address: IpAddr) -> Self {
        Self(address)
    }

    /// The address for the standard library.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.0
    }

    /// 4 or 6.
    #[must_use]
    pub fn family(&self) -> i64 {
        match self.0 {
            IpAddr::V4(_) => 4,
            IpAddr::V6(_) => 6,
        }
    }

    /// `0.0.0.0` or `::`.
    #[must_use]
    pub fn is_unspecified(&self) -> bool {
        self.0.is_unspecified()
    }

    /// `127.0.0.0/8` or `::1`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.0.is_loopback()
    }

    /// `224.0.0.0/24`, or an IPv6 multicast address of link-local scope.
    #[must_use]
    pub fn is_link_local_multicast(&self) -> bool {
        match self.0 {
            IpAddr::V4(v4) => matches!(v4.octets(), [224, 0, 0, _]),
            // netip masks the flag nibble: ff02:: as well as ff12::.
            IpAddr::V6(v6) => first_segment(v6) & 0xff0f == 0xff02,
        }
    }

    /// `169.254.0.0/16` or `fe80::/10`.
    #[must_use]
    pub fn is_link_local_unicast(&self) -> bool {
        match self.0 {
            IpAddr::V4(v4) => v4.is_link_local(),
            IpAddr::V6(v6) => first_segment(v6) & 0xffc0 == 0xfe80,
        }
    }

    /// Neither unspecified, loopback, multicast, link-local nor the IPv4 broadcast address; private
    /// ranges count as global here, as in Go.
    #[must_use]
    pub fn is_global_unicast(&self) -> bool {
        let broadcast = matches!(self.0, IpAddr::V4(v4) if v4.is_broadcast());
        !(broadcast
            || self.0.is_unspecified()
            || self.0.is_loopback()
            || self.0.is_multicast()
            || self.is_link_local_unicast())
    }
}

impl fmt::Display for Ip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn first_segment(address: Ipv6Addr) -> u16 {
    let [first, ..] = address.segments();
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_mapped_addresses_are_their_ipv4_address() {
        let mapped = Ip::parse("::ffff:c0a8:1").unwrap();
        assert_eq!(mapped, Ip::parse("192.168.0.1").unwrap());
        assert_eq!(Ip::is_canonical("::ffff:c0a8:1"), Ok(false));
        assert_eq!(
            Ip::parse("::ffff:192.168.0.1"),
            Err(IpError::Mapped("::ffff:192.168.0.1".to_owned()))
        );
    }

    #[test]
    fn malformed_addresses_name_what_is_wrong() {
        assert!(matches!(Ip::parse("fe80::1%en0"), Err(IpError::Zone(_))));
        for text in [
            "",
            "192.168.01.1",
            "1.2.3",
            "1.2.3.4.5",
            ":::1",
            "1::2::3",
            "00001::",
            "[::1]",
        ] {
            assert!(
                matches!(Ip::parse(text), Err(IpError::Malformed(_))),
                "{text}"
            );
        }
    }
}
