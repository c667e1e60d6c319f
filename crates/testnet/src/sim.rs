//! The virtual face: the network behind the seam of `kad::network`, on tokio's clock.
//!
//! On a runtime whose clock is paused (`tokio::time::pause`) hours pass in seconds. All that a crawler sees passes
//! through the same encoded messages as on real sockets; sockets, handshakes and multiplexing are only their delays
//! and their failures. The same world, seed and order of dials give the same outcomes.

mod connection;
mod dial;
mod fate;
mod presence;

use std::{
    sync::{Arc, atomic::AtomicU32},
    time::Duration,
};

use kad::{
    failure::SkipReason,
    network::{Dial, Network, Transport},
};
use libp2p_identity::PeerId;
use multiaddr::Multiaddr;

pub use self::connection::SimConnection;
use crate::{
    answers::Answers,
    life::History,
    living::{LifeClock, Living},
    world::World,
};

/// The limits of time and number that a host sets to its dials.
#[derive(Debug, Clone)]
pub struct SimConfig {
    /// Who dials: servers leave this peer out of their answers.
    pub local: PeerId,
    /// How long one address may take until its peer is authenticated.
    pub address_timeout: Duration,
    /// How long an attempt has the field to itself before the next address is tried beside it.
    pub stagger: Duration,
    /// The most addresses that one dial tries.
    pub max_addresses: usize,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            local: PeerId::random(),
            address_timeout: Duration::from_secs(5),
            stagger: Duration::from_millis(250),
            max_addresses: 8,
        }
    }
}

/// A world that can be dialled. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SimNetwork {
    shared: Arc<Shared>,
}

/// What all dials and connections have in common.
#[derive(Debug)]
struct Shared {
    world: Arc<World>,
    answers: Answers,
    config: SimConfig,
    local: Vec<u8>,
    /// How often each peer was attempted: the n-th attempt has its own luck, whoever else is dialled in between.
    attempts: Vec<AtomicU32>,
    /// Who is there at the time; `None` in a world where everyone always is.
    living: Option<Arc<Living>>,
}

impl SimNetwork {
    /// Puts a world behind the seam. If its peers come and go, their life begins now.
    pub fn new(world: Arc<World>, config: SimConfig) -> Self {
        let attempts = std::iter::repeat_with(AtomicU32::default).take(world.len()).collect();
        let local = config.local.to_bytes();
        let living = Living::of(&world, LifeClock::starting_now(&world, 0.0));
        let answers = Answers::new(Arc::clone(&world)).living(living.clone());
        Self { shared: Arc::new(Shared { world, answers, config, local, attempts, living }) }
    }

    /// The world behind it.
    pub fn world(&self) -> &Arc<World> {
        &self.shared.world
    }

    /// By which clock its peers come and go; `None` if everyone is always there.
    pub fn life_clock(&self) -> Option<LifeClock> {
        self.shared.living.as_ref().map(|living| living.clock())
    }

    /// Who came and went until now; `None` if everyone is always there.
    pub fn history(&self) -> Option<History> {
        self.shared.living.as_ref().map(|living| living.history())
    }
}

impl Network for SimNetwork {
    type Connection = SimConnection;

    fn local(&self) -> PeerId {
        self.shared.config.local
    }

    fn admits(&self, address: &Multiaddr) -> Result<Option<Transport>, SkipReason> {
        let resolved = self.shared.world.resolve(address);
        let target = self.shared.world.admitted().socket(resolved.as_ref().unwrap_or(address))?;
        Ok(Some(target.transport()))
    }

    async fn connect_within(
        &self,
        peer: PeerId,
        addrs: Vec<Multiaddr>,
        at_most: Option<Duration>,
    ) -> Dial<SimConnection> {
        let begun = tokio::time::Instant::now();
        let (mut attempts, mut reached, took) = dial::dial(&self.shared, peer, (&addrs, at_most));
        if !took.is_zero() {
            tokio::time::sleep(took).await;
        }
        if let Some(lost) = reached.as_ref().and_then(|reached| self.shared.lost(reached, begun)) {
            let attempt = reached.take().and_then(|reached| attempts.get_mut(reached.address));
            presence::lose(attempt, lost, self.shared.config.address_timeout).await;
        }
        let connection = reached.map(|reached| SimConnection::new(Arc::clone(&self.shared), reached));
        Dial { attempts, connection }
    }
}

#[cfg(test)]
mod tests;
