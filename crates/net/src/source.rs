//! Where the dials of a peer of ours leave from: wherever the system chooses, or addresses of its own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use kad::failure::{Failure, FailureClass, Phase};

/// The addresses of IP that dials leave from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Source {
    /// Whichever the system chooses.
    #[default]
    System,
    /// These, which must be local. A host that has no address of a version of IP reaches nobody by it.
    Own {
        /// That of IPv4; `None` for a host without one.
        ip4: Option<Ipv4Addr>,
        /// That of IPv6.
        ip6: Option<Ipv6Addr>,
    },
}

/// From where to where one dial goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Path {
    /// `None` for the system's choice.
    pub(crate) from: Option<IpAddr>,
    pub(crate) to: SocketAddr,
}

impl Source {
    /// Whether an address of this version of IP can be dialled from here.
    pub const fn reaches(self, ip: IpAddr) -> bool {
        match (self, ip) {
            (Self::System, _) => true,
            (Self::Own { ip4, .. }, IpAddr::V4(_)) => ip4.is_some(),
            (Self::Own { ip6, .. }, IpAddr::V6(_)) => ip6.is_some(),
        }
    }

    /// The way to a socket. It fails as the system would for a host without an address of that version.
    pub(crate) fn path(self, to: SocketAddr) -> Result<Path, Failure> {
        let from = match (self, to) {
            (Self::System, _) => None,
            (Self::Own { ip4, .. }, SocketAddr::V4(_)) => Some(ip4.map(IpAddr::V4)),
            (Self::Own { ip6, .. }, SocketAddr::V6(_)) => Some(ip6.map(IpAddr::V6)),
        };
        match from {
            Some(None) => Err(Failure::new(Phase::Connect, FailureClass::NetworkUnreachable)),
            from => Ok(Path { from: from.flatten(), to }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_without_an_address_of_a_version_reaches_nobody_by_it() {
        let [v4, v6]: [SocketAddr; 2] = ["5.5.5.5:1", "[2a00::1]:1"].map(|text| text.parse().unwrap());
        let own = Source::Own { ip4: Some(Ipv4Addr::new(7, 7, 7, 7)), ip6: None };
        assert_eq!([v4, v6].map(|to| own.reaches(to.ip())), [true, false]);
        assert_eq!(own.path(v4).unwrap().from, Some(Ipv4Addr::new(7, 7, 7, 7).into()));
        assert_eq!(own.path(v6).unwrap_err().class, FailureClass::NetworkUnreachable);
        assert!(Source::System.reaches(v6.ip()) && Source::System.path(v6).unwrap().from.is_none());
    }
}
