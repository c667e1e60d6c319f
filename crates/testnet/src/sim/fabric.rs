//! A simulated world in which several peers of ours live.

use std::{net::IpAddr, sync::Arc};

use kad::{
    PeerId,
    fabric::{AnyService, Fabric, Inward, Service, Terms},
    policy::Target,
};
use multiaddr::{Multiaddr, Protocol};
use thiserror::Error;
use tokio::sync::mpsc;

use super::{
    Caller, Shared, SimLimits, SimNetwork, calls,
    member::{MAX_UNTAKEN, Membership},
    ours::{Ours, place},
};
use crate::{Guest, World, life::History, living::LifeClock};

/// Why a peer of ours cannot join a simulated world.
#[derive(Debug, Error)]
pub enum SimError {
    /// Nobody can listen there: no address of a host of this kind of world, or no transport that is known.
    #[error("cannot listen on {0}: in this world that is no address of a host and a transport")]
    NotListenable(Multiaddr),
    /// Somebody else is there.
    #[error("cannot listen on {0}: somebody else is there")]
    Taken(Multiaddr),
}

/// A simulated world for any number of peers of ours, who share what its peers remember. All clones are the same one.
///
/// Who joins is in the region of the first address that it listens on ([`World::region_at`]), or in [another one](Self::in_region).
/// Peers of ours listen where nobody of the world is, on addresses of the world's kind.
#[derive(Debug, Clone)]
pub struct SimFabric {
    shared: Arc<Shared>,
    /// `None`: where it listens.
    region: Option<usize>,
}

impl SimFabric {
    /// A world with none of ours in it. If its peers come and go, their life begins now.
    pub fn new(world: Arc<World>, limits: SimLimits) -> Self {
        Self { shared: Arc::new(Shared::new(world, limits)), region: None }
    }

    /// The same world: who joins it here is in the region of this name. `None` if it has no such region.
    #[must_use]
    pub fn in_region(&self, name: &str) -> Option<Self> {
        let region = self.world().scenario().regions.iter().position(|region| region.name == name)?;
        Some(Self { shared: Arc::clone(&self.shared), region: Some(region) })
    }

    /// The world.
    pub fn world(&self) -> &Arc<World> {
        &self.shared.world
    }

    /// By which clock its peers come and go; `None` if everyone is always there.
    pub fn life_clock(&self) -> Option<LifeClock> {
        self.shared.life_clock()
    }

    /// Who came and went until now; `None` if everyone is always there.
    pub fn history(&self) -> Option<History> {
        self.shared.history()
    }

    /// The peers of ours that the world's peers list, since they asked and are servers.
    pub fn guests(&self) -> Vec<Guest> {
        self.shared.answers.memory.guests()
    }

    /// Whether a peer of the world keeps a record, in truth: that `provider` provides a key.
    pub fn keeps(&self, peer: u32, key: &[u8], provider: &PeerId) -> bool {
        self.shared.answers.memory.keeps(self.world().store(peer), key, &provider.to_bytes())
    }

    /// Where a peer listens, with a free port for each that was left open.
    fn targets(&self, listen: &[Multiaddr]) -> Result<Vec<Target>, SimError> {
        let mut targets = Vec::with_capacity(listen.len());
        for address in listen {
            let target = self.target(address, &targets)?;
            targets.push(target);
        }
        Ok(targets)
    }

    fn target(&self, address: &Multiaddr, others: &[Target]) -> Result<Target, SimError> {
        let (not_listenable, taken) =
            (|_| SimError::NotListenable(address.clone()), || SimError::Taken(address.clone()));
        let parse = |address: &Multiaddr| self.world().admitted().socket(address).map_err(not_listenable);
        let is_open = |part| matches!(part, Protocol::Tcp(0) | Protocol::Udp(0));
        let target = if address.iter().any(is_open) {
            let any = parse(&with_port(address, u16::MAX))?;
            let (ip, is_udp) = (any.addr().ip(), matches!(any, Target::Quic(_)));
            let port = self.shared.members.free_port(ip, is_udp, others).ok_or_else(taken)?;
            parse(&with_port(address, port))?
        } else {
            parse(address)?
        };
        if self.is_of_the_world(target) { Err(taken()) } else { Ok(target) }
    }

    /// Whether a peer of the world is at a socket, or may be at some time.
    fn is_of_the_world(&self, target: Target) -> bool {
        let world = self.world();
        let socket = target.addr();
        world.host_at(socket, target.transport()).is_some()
            || world.resident(socket, target.transport()).is_some()
    }
}

impl Fabric for SimFabric {
    type Member = SimNetwork;
    type Error = SimError;

    async fn join<S: Service>(&self, terms: Terms, service: Arc<S>) -> Result<SimNetwork, SimError> {
        let targets = self.targets(&terms.listen)?;
        let listens: Vec<Multiaddr> = targets.iter().map(|target| place(*target, target.addr())).collect();
        let (hand_out, accepted) = match terms.inward {
            Inward::HandedOut => {
                let (sender, receiver) = mpsc::channel(MAX_UNTAKEN);
                (Some(sender), Some(receiver))
            }
            Inward::Served => (None, None),
        };
        let public = terms.keypair.public();
        let who = (public.to_peer_id(), public.encode_protobuf());
        let ip =
            targets.first().map_or(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), |target| target.addr().ip());
        let region = self.region.unwrap_or_else(|| self.world().region_at(ip));
        let number = (self.shared.members.number(), region);
        let ours = Ours::new(number, who, terms.says, service as Arc<dyn AnyService>);
        let ours = Arc::new(ours.at(ip, hand_out));
        self.shared
            .members
            .enter(&ours, &targets)
            .map_err(|taken| SimError::Taken(place(taken, taken.addr())))?;
        let caller = Caller { shared: Arc::clone(&self.shared), ours };
        if !targets.is_empty() && self.world().callers().next().is_some() {
            caller.ours.tasks().spawn(calls::make(caller.clone()));
        }
        Ok(SimNetwork(Arc::new(Membership::new(caller, accepted).listening(listens))))
    }
}

/// The same address with another port.
fn with_port(address: &Multiaddr, port: u16) -> Multiaddr {
    let replaced = |part| match part {
        Protocol::Tcp(_) => Protocol::Tcp(port),
        Protocol::Udp(_) => Protocol::Udp(port),
        other => other,
    };
    address.iter().map(replaced).collect()
}

#[cfg(test)]
mod tests;
