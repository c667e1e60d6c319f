//! Where names lead, for whoever dials nobody.

use std::{collections::BTreeSet, net::IpAddr};

use kad::{Multiaddr, failure::Failure};
use multiaddr::Protocol;

use super::{Names, Resolver};

/// Asks for the IPs behind names, within the bounds that hold for dials: of questions at once, depth, answers and time.
#[derive(Debug)]
pub struct NameResolver(Resolver);

impl NameResolver {
    /// Asks these.
    pub const fn new(names: Names) -> Self {
        Self(Resolver::new(names))
    }

    /// The IPs to which the name leads that an address begins with, whoever is there, each once and in order: at most 16. A failure is
    /// always in phase `Dns`; it comes only when there is none. Waits for its turn while many others are asked for.
    pub async fn ips(&self, address: &Multiaddr) -> Result<Vec<IpAddr>, Failure> {
        let _turn = self.0.turn().await;
        let resolved = self.0.resolve_for(address, None).await?;
        let ip = |address: &Multiaddr| match address.iter().next()? {
            Protocol::Ip4(ip) => Some(IpAddr::V4(ip)),
            Protocol::Ip6(ip) => Some(IpAddr::V6(ip)),
            _ => None,
        };
        Ok(resolved.addrs.iter().filter_map(ip).collect::<BTreeSet<_>>().into_iter().collect())
    }
}
