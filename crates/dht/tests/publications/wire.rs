//! The same publications on loopback sockets.

use std::sync::Arc;

use kad::{
    Contact, Keypair, Persistence,
    answer::Answer,
    fabric::{Fabric as _, Inward, Member as _, Request, Says, Service, Terms},
    network::Network as _,
};
use net::{Addresses, FabricConfig, SocketFabric};
use testnet::{Scenario, WireTestnet};

use super::{K, Net, finder, holders::shares};

const KEYS: u32 = 5;

/// A client serves nothing.
struct NoServer;

impl Service for NoServer {
    async fn answer(&self, _: Request) -> Answer {
        Answer::Reset
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sockets_thoroughness_reaches_who_lives_as_well() {
    let toml = "peers = 200\n[[states]]\nstate = 'refusing'\nshare = 0.3";
    let scenario = Scenario::parse(toml, "test").expect("a scenario");
    let testnet = WireTestnet::start(&scenario).await.expect("a testnet");
    let fabric = SocketFabric::new(FabricConfig::new(Addresses::Loopback));
    let terms = Terms {
        keypair: Keypair::generate_ed25519(),
        says: Says { agent: "kadscope-test/1".to_owned(), ..Says::default() },
        listen: vec!["/ip4/127.0.0.1/tcp/0".parse().expect("an address")],
        inward: Inward::Served,
    };
    let host = fabric.join(terms, Arc::new(NoServer)).await.expect("a place");
    let own = Contact { peer: host.local(), addrs: host.listens() };
    let net = Net::of(finder(host.clone()), Arc::clone(testnet.world()), own);
    net.learn_size(8).await;
    let all = KEYS as usize * K;
    for optimistic in [false, true] {
        let go = shares(&net, KEYS, (optimistic, Persistence::Go)).await;
        let thorough = shares(&net, KEYS, (optimistic, Persistence::Thorough)).await;
        // In a small network answers full of the dead do not name all who live: up to a tenth of those is not heard of.
        assert!(thorough.settled * 100 >= all * 88, "optimistic: {optimistic}: {thorough:?}");
        assert!(go.settled <= thorough.settled && go.settled * 100 >= all * 50, "{go:?}");
    }
    host.leave().await;
    testnet.stop().await;
}
