//! Who dials back for a peer of a world: from where the peer is, under an identity that is nobody's, so that one connection
//! is never taken for another.

use std::{net::IpAddr, sync::Arc, time::Duration};

use kad::{
    failure::SkipReason,
    network::{Dial, Network, Transport},
};
use libp2p_identity::PeerId;
use multiaddr::{Multiaddr, Protocol};
use net::{AnyConnection, Host, Identity, Source};
use tokio::time::sleep;

use crate::{World, life::HostPlace, living::Living};

/// Dials back for one peer.
#[derive(Debug, Clone)]
pub(super) struct BackDialler {
    world: Arc<World>,
    living: Option<Arc<Living>>,
    peer: u32,
    identity: Identity,
    /// Whose limits all who dial back in a world share.
    host: Host,
}

impl BackDialler {
    /// For this peer of a world that lives, if it does.
    pub(super) fn new(
        (world, living): (Arc<World>, Option<Arc<Living>>),
        peer: u32,
        identity: Identity,
        host: Host,
    ) -> Self {
        Self { world, living, peer, identity, host }
    }

    /// Where the peer is now.
    fn source(&self) -> Source {
        let place = self.living.as_ref().map_or(HostPlace::default(), |living| living.place(self.peer));
        let location = self.world.location_at(self.peer, place);
        Source::Own { ip4: location.ip4, ip6: location.ip6 }
    }
}

impl Network for BackDialler {
    type Connection = AnyConnection;

    fn local(&self) -> PeerId {
        self.identity.peer_id()
    }

    /// A host that has no address of a version of IP dials none of it, as go-libp2p, which notices that none is reached.
    fn admits(&self, address: &Multiaddr) -> Result<Option<Transport>, SkipReason> {
        let transport = self.host.admits(address)?;
        match ip_of(address) {
            Some(ip) if !self.source().reaches(ip) => Err(SkipReason::TransportNotSupported),
            _ => Ok(transport),
        }
    }

    async fn connect_within(
        &self,
        peer: PeerId,
        addrs: Vec<Multiaddr>,
        at_most: Option<Duration>,
    ) -> Dial<AnyConnection> {
        // Both ends are on one machine: what is between them passes before anything is heard.
        let there = addrs.first().and_then(ip_of);
        let distance = there.map(|ip| self.world.rtt_from(self.world.region_at(ip), self.peer));
        sleep(distance.unwrap_or_default()).await;
        let host = self.host.beside(self.identity.clone(), self.world.agent(self.peer), self.source());
        host.connect_within(peer, addrs, at_most).await
    }
}

/// The IP address at the beginning of an address.
pub(super) fn ip_of(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next()? {
        Protocol::Ip4(ip) => Some(ip.into()),
        Protocol::Ip6(ip) => Some(ip.into()),
        _ => None,
    }
}
