//! Servers in a simulated network, asked over real sockets.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use dht::NodeProfile;
use http::{Access, Listening, Room, TakenAddress};
use kad::{Contact, Keypair, message::AMINO_PROTOCOL};
use kadscope_perf::{PerfApi, PerfServer, ServerConfig};
use testnet::{Scenario, SimFabric, SimLimits, World};

/// A server and where it is asked.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) server: PerfServer<SimFabric>,
    pub(crate) at: SocketAddr,
    listening: Listening,
}

pub(crate) fn fabric() -> SimFabric {
    let scenario = Scenario::parse("peers = 80\nseed = 5", "contract").expect("a scenario");
    SimFabric::new(Arc::new(World::generate(&scenario)), SimLimits::default())
}

pub(crate) fn config(fabric: &SimFabric, number: u8) -> ServerConfig {
    let protocols = [AMINO_PROTOCOL.to_owned()].into();
    let profile = NodeProfile { agent: format!("perf/{number}"), protocols, announce: Vec::new() };
    let keypair = Keypair::ed25519_from_bytes([number; 32]).expect("any 32 bytes are a key");
    let world = fabric.world();
    let contact = |&peer: &u32| Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) };
    let bootstrap = world.bootstrap().iter().map(contact).collect();
    let mut config = ServerConfig::new(keypair, profile, bootstrap, Duration::from_secs(1_795_000_000));
    config.node.listen = vec!["/ip4/127.0.0.1/tcp/0".parse().expect("an address")];
    config.node.checks_addresses = false;
    config
}

/// Answers for a server that is to come.
pub(crate) fn listen(api: &PerfApi<SimFabric>) -> Listening {
    let taken = TakenAddress::bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    Room::bare(Access::ThisMachine, api.routes(), PerfApi::<SimFabric>::bounds())
        .open(taken)
        .expect("it listens")
}

impl Service {
    /// One that answers as Parsec's if `is_plain`.
    pub(crate) async fn of(fabric: &SimFabric, number: u8, is_plain: bool) -> Self {
        let api = PerfApi::new(is_plain);
        let listening = listen(&api);
        let config = ServerConfig { looks_at_home: is_plain, ..config(fabric, number) };
        let server = PerfServer::join(fabric, config).await.expect("a server");
        server.node().refreshed(1).await;
        api.open(server.clone());
        Self { server, at: listening.address(), listening }
    }

    pub(crate) async fn end(self) {
        self.listening.close().await;
        self.server.leave().await;
    }
}
