//! Records that are read back in virtual time from peers of which it is known what they keep.

use std::sync::Arc;

use kad::{Multiaddr, message::AMINO_PROTOCOL};
use testnet::{Scenario, SimConfig, SimNetwork, State, World};

use super::*;
use crate::{ANSWER_PATIENCE, FinderTerms, Pool, PoolConfig};

fn own() -> Contact {
    let addr: Multiaddr = "/ip4/127.0.0.1/tcp/4001".parse().expect("an address");
    let peer = PeerId::from_bytes(&[&[0x12, 0x20][..], &[7; 32]].concat()).expect("an id");
    Contact { peer, addrs: vec![addr] }
}

fn finder(toml: &str) -> Finder<SimNetwork> {
    let own = own().peer;
    let world = World::generate(&Scenario::parse(toml, "test").expect("a scenario"));
    let network = SimNetwork::new(Arc::new(world), SimConfig { local: own, ..SimConfig::default() });
    let terms =
        FinderTerms { own, protocols: Arc::from([AMINO_PROTOCOL.to_owned()]), patience: ANSWER_PATIENCE };
    Finder::new(Pool::new(network, PoolConfig::default()), terms)
}

#[tokio::test(start_paused = true)]
async fn each_holder_says_at_each_time_what_it_has_then() {
    let finder = finder("peers = 60\n[[states]]\nshare = 0.2\nstate = 'silent'\nat = 'request'");
    let world = Arc::clone(finder.pool().network().world());
    let contact = |peer| Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) };
    let holders: Vec<Contact> = world.peers().take(20).map(contact).collect();
    let (record, go_on) =
        (ProviderRecord { key: b"key".to_vec(), provider: own() }, CancellationToken::new());
    let begun = Instant::now();
    let late = begun + Duration::from_secs(3);
    let times = ReadingTimes { begun, ended: begun, after: &[0, 1, 5, 30].map(Duration::from_secs) };
    let give = async {
        sleep_until(late).await;
        finder.give_to(&record, holders.clone(), &go_on).await
    };
    let (readings, _) = tokio::join!(finder.read_back_at(&record, &holders, times, &go_on), give);
    assert_eq!(readings.len(), 4 * holders.len());
    for reading in &readings {
        let silent = world.find(&reading.peer).is_some_and(|peer| world.state(peer) != State::Online);
        let has = reading.due_after >= Duration::from_secs(3);
        match &reading.has {
            Err(failure) => assert!(silent && failure.class == FailureClass::Timeout, "{reading:?}"),
            Ok(said) => assert_eq!((silent, *said), (false, has.then_some(true)), "{reading:?}"),
        }
        assert!(reading.asked_after >= reading.due_after && reading.ended_after >= reading.asked_after);
    }
}

#[tokio::test(start_paused = true)]
async fn cancelled_it_gives_what_was_heard_until_then() {
    let finder = finder("peers = 30");
    let world = Arc::clone(finder.pool().network().world());
    let contact = |peer| Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) };
    let holders: Vec<Contact> = world.peers().take(5).map(contact).collect();
    let record = ProviderRecord { key: b"key".to_vec(), provider: own() };
    let cancel = CancellationToken::new();
    let begun = Instant::now();
    let times = ReadingTimes { begun, ended: begun, after: &[0, 60].map(Duration::from_secs) };
    let (readings, ()) = tokio::join!(finder.read_back_at(&record, &holders, times, &cancel), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        cancel.cancel();
    });
    assert_eq!((readings.len(), begun.elapsed()), (5, Duration::from_secs(1)));
    let agents = finder.agents(&holders, &CancellationToken::new()).await;
    assert!(agents.len() == 5 && agents.iter().all(|(_, agent)| !agent.is_empty()), "{agents:?}");
}
