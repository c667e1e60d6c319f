//! The same on sockets: a thousand peers on loopback, 30 % of which are dead.

use std::sync::Arc;

use kad::{
    Keypair, Persistence,
    answer::Answer,
    fabric::{Fabric as _, Inward, Member as _, Request, Says, Service, Terms},
};
use net::{Addresses, FabricConfig, SocketFabric};
use testnet::{Scenario, WireTestnet};

use super::{
    known::Known,
    sweep::{keys, placed, sweep},
};

/// A client serves nothing.
struct NoServer;

impl Service for NoServer {
    async fn answer(&self, _: Request) -> Answer {
        Answer::Reset
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sockets_every_key_comes_to_the_twenty_closest_that_live_as_well() {
    let toml = "peers = 1000\n[[states]]\nstate = 'refusing'\nshare = 0.3";
    let testnet = WireTestnet::start(&Scenario::parse(toml, "test").expect("a scenario")).await;
    let testnet = testnet.expect("a testnet");
    let fabric = SocketFabric::new(FabricConfig::new(Addresses::Loopback));
    let terms = Terms {
        keypair: Keypair::generate_ed25519(),
        says: Says { agent: "kadscope-test/1".to_owned(), ..Says::default() },
        listen: vec!["/ip4/127.0.0.1/tcp/0".parse().expect("an address")],
        inward: Inward::Served,
    };
    let host = fabric.join(terms, Arc::new(NoServer)).await.expect("a place");
    let known = Known::behind(host.clone(), Arc::clone(testnet.world()));
    let mut go = 0;
    for n in 0..5_u8 {
        let published = super::full_table::publish(&known, &[n], Persistence::Thorough).await;
        assert_eq!((published.outcome, known.holders(&[n]).await), (Ok(()), 20));
        super::full_table::publish(&known, &[n, 1], Persistence::Go).await.settle().await;
        go += known.holders(&[n, 1]).await;
    }
    // Of the closest of the table, of whom 14 live on average, as many as end it and the stragglers.
    assert!((5 * 7..=5 * 16).contains(&go), "{go} of 100");
    for count in [1, 100] {
        let published = sweep(&known, &keys(count), Persistence::Thorough).await;
        let placed = placed(&known, &published).await;
        assert!((placed - 20.0).abs() < 1e-9, "{count}: {placed}");
    }
    host.leave().await;
    testnet.stop().await;
}
