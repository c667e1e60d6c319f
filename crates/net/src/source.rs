//! Where the dials of a peer of ours leave from: wherever the system chooses, where it listens, or addresses of its own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use kad::{
    Multiaddr,
    failure::{Failure, FailureClass, Phase},
};
use multiaddr::Protocol;

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
    /// These, where one of the version is known: a peer that listens there is seen to come from where it can be found, and counts
    /// with its own group of addresses. Else whichever the system chooses.
    Listening {
        /// That of IPv4.
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
    /// The way of a peer that listens at these addresses: the first of each version that is one address of a network, neither
    /// loopback, which is on no network, nor a wildcard.
    pub(crate) fn of_listening(listens: &[Multiaddr]) -> Self {
        let ips = || listens.iter().filter_map(ip_of).filter(|ip| !ip.is_loopback() && !ip.is_unspecified());
        let (mut ip4, mut ip6) = (None, None);
        for ip in ips() {
            match ip {
                IpAddr::V4(ip) => ip4 = ip4.or(Some(ip)),
                IpAddr::V6(ip) => ip6 = ip6.or(Some(ip)),
            }
        }
        Self::Listening { ip4, ip6 }
    }

    /// Whether an address of this version of IP can be dialled from here.
    pub const fn reaches(self, ip: IpAddr) -> bool {
        match (self, ip) {
            (Self::System | Self::Listening { .. }, _) => true,
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
            (Self::Listening { .. }, to) if to.ip().is_loopback() => None,
            (Self::Listening { ip4, .. }, SocketAddr::V4(_)) => ip4.map(|ip| Some(ip.into())),
            (Self::Listening { ip6, .. }, SocketAddr::V6(_)) => ip6.map(|ip| Some(ip.into())),
        };
        match from {
            Some(None) => Err(Failure::new(Phase::Connect, FailureClass::NetworkUnreachable)),
            from => Ok(Path { from: from.flatten(), to }),
        }
    }
}

/// The IP address at the beginning of an address.
pub(crate) fn ip_of(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next()? {
        Protocol::Ip4(ip) => Some(ip.into()),
        Protocol::Ip6(ip) => Some(ip.into()),
        _ => None,
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

    #[test]
    fn who_listens_at_an_address_dials_from_it() {
        let source = |listens: &[&str]| {
            let listens: Vec<Multiaddr> = listens.iter().map(|text| text.parse().unwrap()).collect();
            Source::of_listening(&listens)
        };
        let from = |source: Source, to: &str| {
            assert!(source.reaches(to.parse::<SocketAddr>().unwrap().ip()));
            source.path(to.parse().unwrap()).unwrap().from.map(|ip| ip.to_string())
        };
        let own = source(&["/ip4/127.0.0.1/tcp/1", "/ip4/7.7.7.7/tcp/1", "/ip4/8.8.8.8/udp/1/quic-v1"]);
        assert_eq!(from(own, "5.5.5.5:1").as_deref(), Some("7.7.7.7"));
        assert_eq!([from(own, "127.0.0.9:1"), from(own, "[2a00::1]:1")], [None, None]);
        let both = source(&["/ip4/0.0.0.0/tcp/1", "/ip6/2a00::7/tcp/1"]);
        assert_eq!([from(both, "5.5.5.5:1"), from(both, "[2a00::1]:1")], [None, Some("2a00::7".to_owned())]);
    }
}
