//! `cidr()`: an address range in, containment answers out.
//!
//! Sources: `k8s.io/apiserver/pkg/cel/library/cidr.go` (Kubernetes 1.36) and cel-go `ext/network.go`.
//! Kubernetes' `containsCIDR` forgets to mask its argument, so it denies what its own documentation
//! promises (`192.168.0.0/16` contains `192.168.10.0/24`); we follow the documentation and cel-go.

use std::fmt;

use ipnet::IpNet;

use super::ip::Ip;

/// Why a string is no address range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CidrError {
    /// The text is not `address/bits`.
    #[error("network address parse error during conversion from string: `{0}`")]
    Malformed(String),
    /// The text has a zone (`fe80::1%eth0/24`).
    #[error("CIDR `{0}` with zone value is not allowed")]
    Zone(String),
    /// The address is an IPv4-mapped IPv6 address.
    #[error("IPv4-mapped IPv6 address `{0}` is not allowed")]
    Mapped(String),
}

/// An address with a prefix length; the bits after the prefix are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr(IpNet);

impl Cidr {
    /// Parses `address/bits`; bits after the prefix may be set.
    ///
    /// # Errors
    /// The text is not an address range, or its address is zoned or IPv4-mapped.
    pub fn parse(text: &str) -> Result<Self, CidrError> {
        let malformed = || CidrError::Malformed(text.to_owned());
        let (address, bits) = text.rsplit_once('/').ok_or_else(malformed)?;
        if address.contains('%') {
            return Err(CidrError::Zone(text.to_owned()));
        }
        let address = address.parse().map_err(|_| malformed())?;
        if let std::net::IpAddr::V6(v6) = address
            && v6.to_ipv4_mapped().is_some()
        {
            return Err(CidrError::Mapped(text.to_owned()));
        }
        // netip refuses signs and leading zeros, which Rust's integer parser takes.
        let plain = bits.bytes().all(|b| b.is_ascii_digit());
        if !plain || (bits.len() > 1 && bits.starts_with('0')) {
            return Err(malformed());
        }
        let bits = bits.parse().map_err(|_| malformed())?;
        IpNet::new(address, bits).map(Self).map_err(|_| malformed())
    }

    /// True when the range holds `ip`; false for the other family.
    #[must_use]
    pub fn contains_ip(&self, ip: &Ip) -> bool {
        self.0.contains(&ip.address())
    }

    /// True when every address of `other` is in the range; false for the other family.
    #[must_use]
    pub fn contains_cidr(&self, other: &Self) -> bool {
        self.0.contains(&other.0)
    }

    /// The address before the slash, unmasked.
    #[must_use]
    pub fn ip(&self) -> Ip {
        Ip::from_address(self.0.addr())
    }

    /// The same range with the bits after the prefix cleared.
    #[must_use]
    pub fn masked(&self) -> Self {
        Self(self.0.trunc())
    }

    /// The prefix length in bits.
    #[must_use]
    pub fn prefix_length(&self) -> i64 {
        i64::from(self.0.prefix_len())
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> Cidr {
        Cidr::parse(text).unwrap()
    }

    #[test]
    fn containment_masks_both_sides() {
        assert!(cidr("192.168.0.9/16").contains_cidr(&cidr("192.168.10.7/24")));
        assert!(!cidr("192.168.0.0/24").contains_cidr(&cidr("192.168.0.0/23")));
        assert!(!cidr("0.0.0.0/0").contains_cidr(&cidr("::/0")));
        assert!(!cidr("::/0").contains_ip(&Ip::parse("1.2.3.4").unwrap()));
    }

    #[test]
    fn prefix_lengths_are_plain_numbers_in_range() {
        for text in [
            "1.2.3.4",
            "1.2.3.4/",
            "1.2.3.4/33",
            "1.2.3.4/08",
            "1.2.3.4/+8",
            "::/129",
            "1.2.3/8",
        ] {
            assert!(
                matches!(Cidr::parse(text), Err(CidrError::Malformed(_))),
                "{text}"
            );
        }
        assert!(matches!(
            Cidr::parse("fe80::1%en0/24"),
            Err(CidrError::Zone(_))
        ));
        assert!(matches!(
            Cidr::parse("::ffff:1.2.3.4/24"),
            Err(CidrError::Mapped(_))
        ));
        assert_eq!(cidr("1.2.3.4/0").prefix_length(), 0);
    }
}
