//! The wire face: the peers of a world on sockets of this process, for any client to dial.
//!
//! One listening socket a port serves all peers that listen there: the local address of an accepted connection says who
//! was dialled. What came to another address is reset. Peers that refuse are on a port that is held but not listened
//! on; attempts to connect are dropped by a socket whose queue is full. Peers that come and go have sockets or routes of
//! their own: see [`life`].

mod heads;
mod life;
mod sockets;

use std::{net::SocketAddr, sync::Arc};

use kad::network::Transport;
use multiaddr::Multiaddr;
use net::serve::{self, Limits};
use thiserror::Error;
use tokio::task::JoinSet;

pub use self::life::{LifeOutlets, Reach, Rerouted, RouteChange};
use self::{
    heads::Heads,
    sockets::{Held, Listening},
};
use crate::{
    Guest,
    answers::Answers,
    life::{History, Life},
    living::{LifeClock, Living},
    scenario::Scenario,
    state::State,
    world::World,
};

/// How often free ports are looked for: another program may take one before we do.
const MAX_TRIES: usize = 5;

/// Why a network could not be put on sockets.
#[derive(Debug, Error)]
pub enum WireError {
    /// Only Linux makes all of 127.0.0.0/8 local without being told to.
    #[error(
        "this system has no address {address}: a testnet needs all of 127.0.0.0/8 (Linux has it; elsewhere add the \
         addresses to the loopback interface): {source}"
    )]
    NoLoopbackRange {
        /// The address that was tried.
        address: std::net::Ipv4Addr,
        /// What the system says.
        source: std::io::Error,
    },
    /// No run of free ports was found.
    #[error("no free ports from {first} to {last}: end other testnets, or what else listens there")]
    NoPorts {
        /// The first port that was tried.
        first: u16,
        /// The last one.
        last: u16,
    },
    /// A socket could not be made or set up.
    #[error("cannot set up {what}: {source}")]
    Socket {
        /// What for.
        what: &'static str,
        /// What the system says.
        source: std::io::Error,
    },
    /// The queue of the dropping socket does not fill: peers would accept that should not.
    #[error(
        "this system does not drop attempts to connect to a socket with a full queue: no peer can be `dropping`"
    )]
    NoDropping,
    /// The ports of a world of its own are taken.
    #[error("the port {port}, or one of those after it, is taken: end what listens there")]
    PortTaken {
        /// The first of the world's ports.
        port: u16,
    },
    /// Peers of this state need addresses that this machine has no route to.
    #[error("peers that are `{}` need public addresses: run the scenario with --world", State::Unroutable.name())]
    NeedsWorld,
    /// Peers cannot be taken away from their addresses here.
    #[error(
        "peers of the class `{class}` are `{absence}` while they are down, for which routes must change: run the \
         scenario with --world; on plain loopback a peer can be `refused` only"
    )]
    NeedsRoutes {
        /// The class.
        class: String,
        /// What they are while they are down.
        absence: &'static str,
    },
    /// Peers that refuse while they are down have sockets of their own while they are up.
    #[error(
        "the peers that come and go may need {needed} descriptors at once, and this process may open {allowed}: raise \
         the limit (`ulimit -n`), or make fewer of them `refused`"
    )]
    TooManySockets {
        /// How many there may be at once.
        needed: u64,
        /// How many this process may open, less those that it needs otherwise.
        allowed: u64,
    },
    /// Packets could not be kept from where a peer is not.
    #[error("cannot change the routes: {0}")]
    Routes(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A peer's identity could not be made.
    #[error("cannot make a peer's identity: {0}")]
    Identity(#[from] net::NetError),
}

/// A network that runs. Dropping it ends it, too, but without waiting for the end.
#[derive(Debug)]
pub struct WireTestnet {
    world: Arc<World>,
    answers: Arc<Answers>,
    living: Option<Arc<Living>>,
    tasks: JoinSet<()>,
    /// So that nobody else takes the ports.
    _held: Held,
}

impl WireTestnet {
    /// Makes the world of a scenario and puts it on loopback sockets.
    ///
    /// Must be called within a tokio runtime with IO and time. Making the world and its identities keeps all cores
    /// busy, about 100 us a peer.
    pub async fn start(scenario: &Scenario) -> Result<Self, WireError> {
        Self::start_with(scenario, LifeOutlets::default()).await
    }

    /// The same, for a world whose peers come and go: what happens goes to the outlets. Life begins when everyone is
    /// there who is there at the start.
    pub async fn start_with(scenario: &Scenario, outlets: LifeOutlets) -> Result<Self, WireError> {
        if scenario.states.iter().any(|entry| entry.state == State::Unroutable) {
            return Err(WireError::NeedsWorld);
        }
        for _ in 0..MAX_TRIES {
            let ports = sockets::free_ports()?;
            let world = Arc::new(World::generate_at(scenario, ports));
            if let Some(sockets) = sockets::bind(&world).await? {
                return Self::serve(world, sockets, outlets);
            }
        }
        Err(WireError::NoPorts { first: sockets::FIRST_PORT, last: sockets::LAST_PORT })
    }

    /// Makes the world of a scenario and puts it on public addresses, which must be local.
    ///
    /// To be called only where no packet can leave: see [`namespace`](crate::namespace).
    pub async fn start_public(scenario: &Scenario, outlets: LifeOutlets) -> Result<Self, WireError> {
        let world = Arc::new(World::generate_public(scenario));
        let port = world.ports().listen;
        let sockets = sockets::bind(&world).await?.ok_or(WireError::PortTaken { port })?;
        Self::serve(world, sockets, outlets)
    }

    fn serve(
        world: Arc<World>,
        (listening, held): (Vec<Listening>, Held),
        outlets: LifeOutlets,
    ) -> Result<Self, WireError> {
        life::check(&world, &outlets, life::files())?;
        let (instant, unix_ms) = outlets.calendar;
        let living = Living::of(&world, LifeClock::starting_at(&world, instant, unix_ms));
        let heads = Arc::new(Heads::new(Arc::clone(&world), living.clone())?);
        let answers = Arc::clone(heads.answers());
        let mut tasks = JoinSet::new();
        if let Some((living, life)) = living.clone().zip(Life::of(&world)) {
            let driver = life::Driver::start(living, life, Arc::clone(&heads), outlets)?;
            tasks.spawn(driver.run());
        }
        for socket in listening {
            serve_at(socket, Arc::clone(&heads), &mut tasks);
        }
        Ok(Self { world, answers, living, tasks, _held: held })
    }

    /// The world that is on the sockets.
    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// The servers beside the world's own that have asked peers of it and are listed in the answers of those. They are
    /// no part of the world, and of no truth of it: a crawl that finds them as well has found what is there.
    pub fn guests(&self) -> Vec<Guest> {
        self.answers.memory.guests()
    }

    /// By which clock its peers come and go; `None` if everyone is always there.
    pub fn life_clock(&self) -> Option<LifeClock> {
        self.living.as_ref().map(|living| living.clock())
    }

    /// Who came and went so far; `None` if everyone is always there.
    pub fn history(&self) -> Option<History> {
        self.living.as_ref().map(|living| living.history())
    }

    /// Where to begin: addresses with peer ids.
    pub fn bootstrap_addresses(&self) -> Vec<Multiaddr> {
        self.world.bootstrap_addresses()
    }

    /// Closes all connections and sockets, and returns when they are closed.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

/// Serves the peers behind one socket.
fn serve_at(socket: Listening, heads: Arc<Heads>, tasks: &mut JoinSet<()>) {
    let limits = Limits::default();
    match socket {
        Listening::Stream(transport, listener) => {
            let resolve = move |local: SocketAddr| heads.at(local, transport);
            match transport {
                Transport::Ws => tasks.spawn(serve::listen_ws(listener, resolve, limits)),
                Transport::Wss => tasks.spawn(serve::listen_wss(listener, resolve, limits)),
                Transport::Tcp | Transport::Quic => tasks.spawn(serve::listen(listener, resolve, limits)),
            };
        }
        Listening::Quic(socket) => {
            let resolve = move |local: SocketAddr| heads.at(local, Transport::Quic);
            tasks.spawn(async move {
                if let Err(error) = serve::listen_quic(socket, resolve, limits).await {
                    tracing::error!(%error, "the testnet's QUIC socket is lost");
                }
            });
        }
    }
}

#[cfg(test)]
mod tests;
