//! Addresses as peers give them: multiaddresses, and bytes that are none.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use multiaddr::Multiaddr;

/// The longest address that is taken from anybody, in bytes.
pub const MAX_ADDRESS_BYTES: usize = 1024;

/// An address as a peer gave it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// A multiaddress.
    Multiaddr(Multiaddr),
    /// Bytes that are none.
    Malformed(Box<[u8]>),
}

impl Address {
    /// What these bytes are. An empty list of parts leads nowhere, and is none.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        match Multiaddr::try_from(bytes.to_vec()) {
            Ok(address) if !address.is_empty() => Self::Multiaddr(address),
            _ => Self::Malformed(bytes.into()),
        }
    }

    /// The multiaddress; `None` if it is none.
    pub const fn multiaddr(&self) -> Option<&Multiaddr> {
        match self {
            Self::Multiaddr(address) => Some(address),
            Self::Malformed(_) => None,
        }
    }

    /// The bytes as they were given.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Multiaddr(address) => address.as_ref(),
            Self::Malformed(bytes) => bytes,
        }
    }

    /// The IP address that bytes begin with which are no multiaddress; `None` if they begin otherwise.
    pub fn malformed_ip(&self) -> Option<IpAddr> {
        // The codes of `/ip4` and `/ip6` in the table of multiaddr's protocols.
        match self {
            Self::Malformed(bytes) => match **bytes {
                [0x04, ref rest @ ..] => Some(Ipv4Addr::from(*rest.first_chunk()?).into()),
                [0x29, ref rest @ ..] => Some(Ipv6Addr::from(*rest.first_chunk::<16>()?).into()),
                _ => None,
            },
            Self::Multiaddr(_) => None,
        }
    }
}

impl From<Multiaddr> for Address {
    fn from(address: Multiaddr) -> Self {
        Self::Multiaddr(address)
    }
}

/// A multiaddress as its text, which begins with `/`; other bytes as `0x` and two digits each.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Multiaddr(address) => address.fmt(f),
            Self::Malformed(bytes) => {
                f.write_str("0x")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_a_multiaddress_or_are_kept_as_they_are() {
        let text = "/ip4/127.0.0.1/tcp/4001";
        let address: Multiaddr = text.parse().expect("one");
        let read = Address::from_bytes(address.as_ref());
        assert_eq!((read.multiaddr(), read.to_string().as_str()), (Some(&address), text));
        assert_eq!((read.as_bytes(), read.malformed_ip()), (address.as_ref(), None));
        for (bytes, text) in [(&[0xff, 0xff, 1][..], "0xffff01"), (&[], "0x")] {
            let read = Address::from_bytes(bytes);
            assert_eq!((read.multiaddr(), read.as_bytes(), read.to_string().as_str()), (None, bytes, text));
        }
    }

    #[test]
    fn the_ip_of_a_broken_address_is_known() {
        let ip = |bytes: &[u8]| Address::from_bytes(bytes).malformed_ip().map(|ip| ip.to_string());
        assert_eq!(ip(&[4, 192, 0, 2, 1, 6]).as_deref(), Some("192.0.2.1"), "no port behind it");
        assert_eq!(ip(&[4, 192, 0, 2]), None);
        let six = [&[0x29][..], &Ipv6Addr::LOCALHOST.octets(), &[0xff]].concat();
        assert_eq!(ip(&six).as_deref(), Some("::1"));
    }
}
