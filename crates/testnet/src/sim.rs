//! The virtual face: the network behind the seams of `kad::network` and `kad::fabric`, on tokio's clock.
//!
//! On a runtime whose clock is paused (`tokio::time::pause`) hours pass in seconds. All that a peer of ours sees passes
//! through the same encoded messages as on real sockets; sockets, handshakes and multiplexing are only their delays
//! and their failures. The same world, seed and order of dials give the same outcomes.
//!
//! A [`SimFabric`] is the world for several peers of ours, who meet its peers and each other there. One that only dials is
//! made by [`SimNetwork::new`], in a world of its own.

mod between;
mod calls;
mod connection;
mod dial;
mod fabric;
mod fate;
mod line;
mod member;
mod members;
mod ours;
mod outages;
mod presence;
mod ticket;
mod toward;

use std::{
    sync::{Arc, atomic::AtomicU32},
    time::Duration,
};

use kad::{
    failure::SkipReason,
    network::{AddressOutcome, Attempt, Dial, Network, Transport},
    plan::DialRules,
};
use libp2p_identity::PeerId;
use multiaddr::Multiaddr;

pub use self::{
    connection::SimConnection,
    fabric::{SimError, SimFabric},
};
use self::{
    fate::{Reached, Who},
    member::Membership,
    members::Members,
    ours::Ours,
    outages::Outages,
};
use crate::{
    answers::Answers,
    life::History,
    living::{LifeClock, Living},
    world::World,
};

/// The limits of time and number that all peers of ours set to their dials.
#[derive(Debug, Clone, Copy)]
pub struct SimLimits {
    /// How long one address may take until its peer is authenticated.
    pub address_timeout: Duration,
    /// The most addresses that one dial tries.
    pub max_addresses: usize,
}

impl Default for SimLimits {
    fn default() -> Self {
        Self { address_timeout: Duration::from_secs(5), max_addresses: 8 }
    }
}

/// A peer of ours that only dials.
#[derive(Debug, Clone, Copy)]
pub struct SimConfig {
    /// Who dials: servers leave this peer out of their answers.
    pub local: PeerId,
    /// The limits of its dials.
    pub limits: SimLimits,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self { local: PeerId::random(), limits: SimLimits::default() }
    }
}

/// A peer of ours in a simulated world. Cheap to clone; all clones are the same peer.
#[derive(Debug, Clone)]
pub struct SimNetwork(Arc<Membership>);

/// What all peers of ours in a world have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    world: Arc<World>,
    answers: Arc<Answers>,
    limits: SimLimits,
    rules: DialRules,
    /// How often each peer was attempted: the n-th attempt has its own luck, whoever else is dialled in between.
    attempts: Vec<AtomicU32>,
    /// Who is there at the time; `None` in a world where everyone always is.
    living: Option<Arc<Living>>,
    /// When the observer's network is away.
    outages: Arc<Outages>,
    /// The peers of ours that joined.
    members: Members,
}

impl Shared {
    /// If the peers of the world come and go, their life begins now.
    fn new(world: Arc<World>, limits: SimLimits) -> Self {
        let rules = DialRules {
            addresses: world.admitted(),
            opt_out: Arc::default(),
            max_addresses: limits.max_addresses,
            quic: true,
            // As on sockets: names are resolved where public addresses are dialled.
            names: world.is_public(),
        };
        let attempts = std::iter::repeat_with(AtomicU32::default).take(world.len()).collect();
        let clock = LifeClock::starting_now(&world, 0.0);
        let (living, outages) = (Living::of(&world, clock), Arc::new(Outages::of(&world, clock)));
        let answers = Arc::new(Answers::new(Arc::clone(&world)).living(living.clone()));
        Self { world, answers, limits, rules, attempts, living, outages, members: Members::default() }
    }

    fn life_clock(&self) -> Option<LifeClock> {
        self.living.as_ref().map(|living| living.clock())
    }

    fn history(&self) -> Option<History> {
        self.living.as_ref().map(|living| living.history())
    }
}

/// Who dials, and where. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    shared: Arc<Shared>,
    ours: Arc<Ours>,
}

impl Caller {
    /// To a peer and back.
    fn rtt(&self, who: Who) -> Duration {
        self.shared.world.rtt_between(self.ours.region(), self.region_of(who))
    }

    /// The region of a peer, by its number; our own for one of ours that has left.
    fn region_of(&self, who: Who) -> usize {
        match who {
            Who::Virtual(peer) => self.shared.world.region_of(peer),
            Who::Ours(number) => {
                self.shared.members.get(number).map_or(self.ours.region(), |other| other.region())
            }
        }
    }
}

impl SimNetwork {
    /// Puts a world behind the seam, for one peer of ours that only dials. If the world's peers come and go, their life
    /// begins now.
    pub fn new(world: Arc<World>, config: SimConfig) -> Self {
        let ours = Arc::new(Ours::dialler(config.local, world.scenario().observer_region()));
        let shared = Arc::new(Shared::new(world, config.limits));
        Self(Arc::new(Membership::new(Caller { shared, ours }, None)))
    }

    fn caller(&self) -> &Caller {
        self.0.caller()
    }

    /// The world behind it.
    pub fn world(&self) -> &Arc<World> {
        &self.caller().shared.world
    }

    /// By which clock its peers come and go; `None` if everyone is always there.
    pub fn life_clock(&self) -> Option<LifeClock> {
        self.caller().shared.life_clock()
    }

    /// Who came and went until now; `None` if everyone is always there.
    pub fn history(&self) -> Option<History> {
        self.caller().shared.history()
    }
}

impl Network for SimNetwork {
    type Connection = SimConnection;

    fn local(&self) -> PeerId {
        self.caller().ours.id()
    }

    fn admits(&self, address: &Multiaddr) -> Result<Option<Transport>, SkipReason> {
        self.caller().shared.rules.admits(address)
    }

    async fn connect_within(
        &self,
        peer: PeerId,
        addrs: Vec<Multiaddr>,
        at_most: Option<Duration>,
    ) -> Dial<SimConnection> {
        let caller = self.caller();
        if caller.ours.has_left() {
            let untried = |_| Attempt::untried(AddressOutcome::NotTried);
            return Dial { attempts: addrs.iter().map(untried).collect(), connection: None };
        }
        let begun = tokio::time::Instant::now();
        let (mut attempts, mut reached, took) = dial::dial(caller, peer, (&addrs, at_most));
        if !took.is_zero() {
            tokio::time::sleep(took).await;
        }
        if let Some(lost) = reached.as_ref().and_then(|reached| caller.shared.lost(reached, begun)) {
            let attempt = reached.take().and_then(|reached| attempts.get_mut(reached.address));
            presence::lose(attempt, lost, caller.shared.limits.address_timeout).await;
        }
        let stands =
            |reached: Reached| SimConnection::dialled(caller, reached, addrs.get(reached.address)?.clone());
        let connection = reached.and_then(stands);
        Dial { attempts, connection }
    }
}

#[cfg(test)]
mod tests;
