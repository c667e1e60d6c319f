//! The wire face: the peers of a world on loopback sockets of this process, for any client to dial.
//!
//! One listening socket serves all peers that listen: each has its own address in 127.0.0.0/8, and the local address
//! of an accepted connection says who was dialled. What came to another address is reset. Peers that refuse are on a
//! port that is held but not listened on; attempts to connect are dropped by a socket whose queue is full.

mod heads;
mod sockets;

use std::{net::SocketAddr, sync::Arc};

use kad::network::Transport;
use multiaddr::Multiaddr;
use net::serve::{self, Limits};
use thiserror::Error;
use tokio::task::JoinSet;

use self::{heads::Heads, sockets::Sockets};
use crate::{Guest, answers::Answers, scenario::Scenario, world::World};

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
    /// A peer's identity could not be made.
    #[error("cannot make a peer's identity: {0}")]
    Identity(#[from] net::identity::IdentityError),
}

/// A network that runs. Dropping it ends it, too, but without waiting for the end.
#[derive(Debug)]
pub struct WireTestnet {
    world: Arc<World>,
    answers: Arc<Answers>,
    tasks: JoinSet<()>,
    /// Held so that nobody else takes the ports.
    _sockets: Sockets,
}

impl WireTestnet {
    /// Makes the world of a scenario and puts it on sockets.
    ///
    /// Must be called within a tokio runtime with IO and time. Making the world and its identities keeps all cores
    /// busy, about 100 us a peer.
    pub async fn start(scenario: &Scenario) -> Result<Self, WireError> {
        let (listening, sockets) = Sockets::bind().await?;
        let world = Arc::new(World::generate_at(scenario, sockets.ports));
        let heads = Arc::new(Heads::new(Arc::clone(&world))?);
        let answers = Arc::clone(heads.answers());
        let mut tasks = JoinSet::new();
        let on_tcp = Arc::clone(&heads);
        let at_tcp = move |local: SocketAddr| on_tcp.at(local, Transport::Tcp);
        tasks.spawn(serve::listen(listening.tcp, at_tcp, Limits::default()));
        tasks.spawn(async move {
            let at_quic = move |local: SocketAddr| heads.at(local, Transport::Quic);
            if let Err(error) = serve::listen_quic(listening.udp, at_quic, Limits::default()).await {
                tracing::error!(%error, "the testnet's QUIC socket is lost");
            }
        });
        Ok(Self { world, answers, tasks, _sockets: sockets })
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

    /// Where to begin: addresses with peer ids.
    pub fn bootstrap_addresses(&self) -> Vec<Multiaddr> {
        self.world.bootstrap_addresses()
    }

    /// Closes all connections and sockets, and returns when they are closed.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

#[cfg(test)]
mod tests;
