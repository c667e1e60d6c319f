//! A range of addresses and the number of a network, as they are written.

use std::net::IpAddr;

/// A range of addresses. Longer ones, which have fewer addresses, sort behind those that begin at the same address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct CloudRange {
    /// The first address, of 128 bits; IPv4 within `::ffff:0:0/96`.
    prefix: u128,
    /// The length of the prefix, of 128 bits.
    length: u8,
}

impl CloudRange {
    /// The first address.
    pub(super) const fn first(self) -> u128 {
        self.prefix
    }

    /// The last address.
    pub(super) const fn last(self) -> u128 {
        self.prefix | !mask(self.length)
    }
}

/// A range in the notation of RFC 4632, or a single address; `None` if it is neither. What stands behind the prefix is not looked at.
pub(super) fn parse_range(text: &str) -> Option<CloudRange> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let length = match address {
        IpAddr::V4(_) => length.unwrap_or(32).checked_add(96)?,
        IpAddr::V6(_) => length.unwrap_or(128),
    };
    (length <= 128).then(|| CloudRange { prefix: bits(address) & mask(length), length })
}

/// The number of a network: `AS64496`; `None` if it is none.
pub(super) fn asn(text: &str) -> Option<u32> {
    let number = text.strip_prefix("AS").or_else(|| text.strip_prefix("as"))?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())?
}

pub(super) const fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

const fn mask(length: u8) -> u128 {
    match length {
        0 => 0,
        length => u128::MAX << (128 - length),
    }
}
