//! The wire face: the peers of a world on sockets of this process, for any client to dial.
//!
//! One listening socket a port serves all peers that listen there: the local address of an accepted connection says who
//! was dialled. What came to another address is reset. Where this machine has one address of loopback only, each peer has
//! sockets of its own. Packets from other machines are never answered: to those the ports are closed. Peers that refuse are on a port that is held but not listened
//! on; attempts to connect are dropped by a socket whose queue is full. Peers that come and go have sockets or routes of
//! their own: see [`life`].

mod back_dialler;
mod calls;
mod heads;
mod life;
mod ports;
mod sockets;

use std::{net::SocketAddr, sync::Arc};

use kad::network::Transport;
use multiaddr::Multiaddr;
use net::{
    Authority,
    serve::{self, ListenLimits, Receivers},
};
use thiserror::Error;
use tokio::task::JoinSet;

pub use self::life::{LifeOutlets, PacketFate, Rerouted, RouteChange};
use self::{
    calls::Calling,
    heads::Heads,
    sockets::{Held, Listening},
};
use crate::{
    Guest,
    address::ZONE,
    answers::Answers,
    life::{History, Life},
    living::{LifeClock, Living},
    making::Making,
    scenario::Scenario,
    state::State,
    world::World,
};

/// How often free ports are looked for: another program may take one before we do.
const MAX_TRIES: usize = 5;

/// Why a network could not be put on sockets.
#[derive(Debug, Error)]
pub enum WireError {
    /// Not enough free ports were found; where each peer has its own, they have to be in a row.
    #[error(
        "no {needed} free ports from {first} to {last}: end other testnets, or what else listens there, or run fewer \
         peers"
    )]
    NoPorts {
        /// How many are needed.
        needed: u32,
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
    /// The observer's network cannot be taken away here.
    #[error(
        "this scenario's observer is away at times (`[[life.outages]]`), which is so in virtual time only: on sockets the \
         observer is whatever program asks"
    )]
    VirtualOnly,
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
    /// Peers that refuse while they are down have sockets of their own while they are up, and all have at one address.
    #[error(
        "the peers' own sockets may need {needed} descriptors at once, and this process may open {allowed}: raise the \
         limit (`ulimit -n`), or run fewer peers; of those that come and go, make fewer `refused`"
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
    /// A certificate for a name could not be made.
    #[error(transparent)]
    Certificate(#[from] net::RootsError),
    /// The runtime ended before the network stood.
    #[error("the program ends")]
    Ended,
}

/// How a network is put on sockets.
#[derive(Debug, Default)]
pub struct WireConfig {
    /// Where the life of its peers goes.
    pub life: LifeOutlets,
    /// Puts all peers at 127.0.0.1, each on ports of its own. Done without being asked for where this machine has no more
    /// of 127.0.0.0/8, or cannot keep sockets to loopback otherwise.
    pub one_address: bool,
    /// Counts what is done.
    pub making: Making,
}

impl From<LifeOutlets> for WireConfig {
    fn from(life: LifeOutlets) -> Self {
        Self { life, ..Self::default() }
    }
}

/// A network that runs. Dropping it ends it, too, but without waiting for the end.
#[derive(Debug)]
pub struct WireTestnet {
    world: Arc<World>,
    answers: Arc<Answers>,
    living: Option<Arc<Living>>,
    tasks: JoinSet<()>,
    /// In PEM.
    root: Option<String>,
    /// So that nobody else takes the ports.
    _held: Held,
}

impl WireTestnet {
    /// Makes the world of a scenario and puts it on loopback sockets.
    ///
    /// Must be called within a tokio runtime with IO and time. Making the world and its identities keeps all cores
    /// busy, about 100 us a peer.
    pub async fn start(scenario: &Scenario) -> Result<Self, WireError> {
        Self::start_with(scenario, WireConfig::default()).await
    }

    /// The same, as it is configured. Life begins when everyone is there who is there at the start. What takes long is done
    /// apart from the threads of the runtime: dropping the future ends the waiting at once.
    pub async fn start_with(scenario: &Scenario, config: impl Into<WireConfig>) -> Result<Self, WireError> {
        let config = config.into();
        if scenario.states.iter().any(|entry| entry.state == State::Unroutable) {
            return Err(WireError::NeedsWorld);
        }
        let one_address = config.one_address || !ports::has_loopback_range();
        let (scenario, making) = (scenario.clone(), config.making.clone());
        let placeholder = ports::placeholder(one_address);
        let make = move || World::generate_watched(&scenario, placeholder, &making);
        let mut world = apart(make).await?;
        for _ in 0..MAX_TRIES {
            let ports = ports::free_ports(&world)?;
            world = world.at_ports(ports);
            life::check(&world, &config.life, life::open_files())?;
            if let Some(sockets) = sockets::bind(&world).await? {
                return Self::serve(Arc::new(world), sockets, config, None).await;
            }
        }
        let needed = world.sites();
        Err(WireError::NoPorts { needed, first: ports::FIRST_PORT, last: ports::LAST_PORT })
    }

    /// Makes the world of a scenario and puts it on public addresses, which must be local.
    ///
    /// To be called only where no packet can leave, as in a network namespace that has nothing but loopback.
    pub async fn start_public(scenario: &Scenario, config: impl Into<WireConfig>) -> Result<Self, WireError> {
        let config = config.into();
        let (scenario, making) = (scenario.clone(), config.making.clone());
        let world = apart(move || World::generate_public_watched(&scenario, &making)).await?;
        life::check(&world, &config.life, life::open_files())?;
        let port = world.ports().listen;
        let sockets = sockets::bind(&world).await?.ok_or(WireError::PortTaken { port })?;
        Self::serve(Arc::new(world), sockets, config, Some(Authority::new(ZONE)?)).await
    }

    async fn serve(
        world: Arc<World>,
        (listening, held): (Vec<Listening>, Held),
        config: WireConfig,
        authority: Option<Authority>,
    ) -> Result<Self, WireError> {
        let WireConfig { life: outlets, making, .. } = config;
        let (instant, unix_ms) = outlets.calendar;
        let living = Living::of(&world, LifeClock::starting_at(&world, instant, unix_ms));
        let root = authority.as_ref().map(Authority::root_pem);
        let heads = {
            let (world, living) = (Arc::clone(&world), living.clone());
            apart(move || Heads::new(world, living, authority.as_ref(), &making)).await??
        };
        let heads = Arc::new(heads);
        let answers = Arc::clone(heads.answers());
        let (receivers, mut tasks) = (Arc::new(Receivers::new()), JoinSet::new());
        if let Some((living, life)) = living.clone().zip(Life::of(&world)) {
            let sockets = (Arc::clone(&heads), Arc::clone(&receivers));
            let driver = life::Driver::start(living, life, sockets, outlets)?;
            tasks.spawn(driver.run());
        }
        if let Some(calling) = Calling::new(&world, &answers)? {
            tasks.spawn(calling.run());
        }
        for socket in listening {
            serve_at(socket, Arc::clone(&heads), &receivers, &mut tasks);
        }
        Ok(Self { world, answers, living, tasks, root, _held: held })
    }

    /// The root by which the certificates of its names are verified, in PEM; `None` on loopback, where there are none.
    pub fn root_certificate(&self) -> Option<&str> {
        self.root.as_deref()
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

    /// How many these are: to be asked at any time, and as long as anybody wants to know.
    pub fn guest_count(&self) -> impl Fn() -> usize + Send + Sync + use<> {
        let answers = Arc::clone(&self.answers);
        move || answers.memory.guests().len()
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

/// Does what keeps a thread busy on one that nobody else waits for.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, WireError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(WireError::Ended),
        },
    }
}

/// Serves the peers behind one socket. Those of QUIC share the threads that receive.
fn serve_at(socket: Listening, heads: Arc<Heads>, receivers: &Arc<Receivers>, tasks: &mut JoinSet<()>) {
    let limits = ListenLimits::default();
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
            let receivers = Arc::clone(receivers);
            tasks.spawn(async move {
                if let Err(error) = serve::listen_quic_on(&receivers, socket, resolve, limits).await {
                    tracing::error!(%error, "the testnet's QUIC socket is lost");
                }
            });
        }
    }
}

#[cfg(test)]
mod tests;
