//! Tables of simulated networks, in virtual time.

#![expect(clippy::expect_used, reason = "a test may fail")]

use std::{collections::BTreeSet, sync::Arc};

use dht::FullTable;
use kad::{Contact, PeerId, fullrt::TableFilter, message::AMINO_PROTOCOL};
use kadscope_crawl::{FullTableConfig, FullTableKeeper};
use testnet::{Scenario, SimConfig, SimNetwork, State, World};
use tokio::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

fn keeper(toml: &str, config: FullTableConfig) -> (Arc<World>, FullTableKeeper<SimNetwork>) {
    let world = Arc::new(World::generate(&Scenario::parse(toml, "test").expect("a scenario")));
    let contact = |&peer: &u32| Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) };
    let bootstrap: Vec<Contact> = world.bootstrap().iter().map(contact).collect();
    let network = SimNetwork::new(Arc::clone(&world), SimConfig::default());
    let protocols = Arc::from([AMINO_PROTOCOL.to_owned()]);
    (world, FullTableKeeper::new(network, protocols, &bootstrap, config))
}

fn online(world: &World) -> BTreeSet<PeerId> {
    let is_online = |&peer: &u32| world.state(peer) == State::Online;
    world.peers().filter(is_online).map(|peer| world.peer_id(peer)).collect()
}

fn peers(table: &FullTable) -> BTreeSet<PeerId> {
    table.contacts().map(|contact| contact.peer).collect()
}

const DEAD: &str =
    "[[states]]\nshare = 0.15\nstate = 'refusing'\n[[states]]\nshare = 0.15\nstate = 'dropping'\n";

#[tokio::test(start_paused = true)]
async fn the_table_holds_everybody_who_answers_and_nobody_else() {
    let (world, keeper) = keeper(&format!("peers = 1000\n{DEAD}"), FullTableConfig::default());
    assert!(!keeper.is_ready() && keeper.table().is_empty());
    let table = keeper.renew(&CancellationToken::new()).await.expect("a table");
    assert_eq!(peers(&table), online(&world));
    assert!(keeper.is_ready() && table.contacts().all(|contact| !contact.addrs.is_empty()));
    tokio::time::sleep(Duration::from_secs(3601)).await;
    assert!(!keeper.is_ready(), "an hour later nobody knows");
    assert_eq!(keeper.table().len(), table.len());
}

#[tokio::test(start_paused = true)]
async fn it_is_renewed_every_hour_until_it_is_cancelled() {
    let (world, keeper) = keeper("peers = 100", FullTableConfig::default());
    let (begun, cancel) = (Instant::now(), CancellationToken::new());
    let mut renewed = Vec::new();
    let stop = async {
        tokio::time::sleep(Duration::from_secs(3 * 3600 + 60)).await;
        cancel.cancel();
    };
    let note = |table: FullTable| {
        assert_eq!(table.len(), world.len());
        renewed.push(begun.elapsed().as_secs() / 3600);
    };
    tokio::join!(keeper.run(note, &cancel), stop);
    assert_eq!(renewed, [0, 1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_crawl_that_is_cancelled_or_meets_nobody_leaves_the_table_as_it_was() {
    let (_, kept) = keeper("peers = 100", FullTableConfig::default());
    let go_on = CancellationToken::new();
    assert_eq!(kept.renew(&go_on).await.map(|table| table.len()), Some(100));
    let cancel = CancellationToken::new();
    cancel.cancel();
    assert!(kept.renew(&cancel).await.is_none());
    assert_eq!((kept.table().len(), kept.is_ready()), (100, true));
    let nobody = "peers = 20\n[[states]]\nshare = 1.0\nstate = 'refusing'";
    let (_, alone) = keeper(nobody, FullTableConfig::default());
    assert!(alone.renew(&go_on).await.is_none() && !alone.is_ready());
}

#[tokio::test(start_paused = true)]
async fn whom_the_filter_leaves_out_is_not_in_it() {
    let config = FullTableConfig { filter: TableFilter::go(), ..FullTableConfig::default() };
    let (_, keeper) = keeper("peers = 50", config);
    // All peers of this network are on loopback: as Parsec's fullrt found on such a network, nobody is left, and it is not ready.
    assert_eq!(keeper.renew(&CancellationToken::new()).await.map(|table| table.len()), Some(0));
    assert!(!keeper.is_ready());
}
