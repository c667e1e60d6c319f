//! Records that are given and read back in virtual time.

use kad::{
    Multiaddr,
    lookup::{LookupKind, Rules},
    message::AMINO_PROTOCOL,
};
use testnet::{Scenario, SimConfig, SimNetwork, World};

use super::*;
use crate::{
    finder::{ANSWER_PATIENCE, FinderTerms, Quest},
    pool::{Pool, PoolConfig},
};

fn own() -> Contact {
    let addr: Multiaddr = "/ip4/127.0.0.1/tcp/4001".parse().expect("an address");
    // The hash of a key, as any of RSA has.
    let peer = PeerId::from_bytes(&[&[0x12, 0x20][..], &[7; 32]].concat()).expect("an id");
    Contact { peer, addrs: vec![addr] }
}

fn record(provider: Contact) -> ProviderRecord {
    ProviderRecord { key: b"key".to_vec(), provider }
}

fn finder(toml: &str) -> Finder<SimNetwork> {
    let own = own().peer;
    let world = World::generate(&Scenario::parse(toml, "test").expect("a scenario"));
    let network = SimNetwork::new(Arc::new(world), SimConfig { local: own, ..SimConfig::default() });
    let terms =
        FinderTerms { own, protocols: Arc::from([AMINO_PROTOCOL.to_owned()]), patience: ANSWER_PATIENCE };
    Finder::new(Pool::new(network, PoolConfig::default()), terms)
}

async fn closest(finder: &Finder<SimNetwork>) -> Found {
    let world = finder.pool().network().world();
    let contact = |&peer: &u32| Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) };
    let from = world.bootstrap().iter().map(contact).collect();
    let quest = Quest { kind: LookupKind::Closest, key: b"key".to_vec(), from, rules: Rules::go() };
    finder.find(quest, |_| true, |_, _| {}, &CancellationToken::new()).await
}

#[tokio::test(start_paused = true)]
async fn what_is_given_to_the_closest_is_kept_by_all_of_them() {
    let finder = finder("peers = 300");
    let (found, own_record, go_on) = (closest(&finder).await, record(own()), CancellationToken::new());
    let holders = finder.give(&own_record, &found, &go_on).await;
    assert_eq!(holders.len(), 20);
    assert!(holders.iter().all(|holder| holder.sent == Ok(())));
    let until = Instant::now() + Duration::from_secs(5);
    let read = finder.read_back(&own_record, &holders, until, &go_on).await;
    assert!(read.iter().all(|holder| holder.has == Ok(Some(true))), "{read:?}");
    // Nobody has a record of somebody else, and who asks for one waits no longer than was said.
    let other = record(Contact { peer: PeerId::random(), addrs: Vec::new() });
    let nobody = finder.read_back(&other, &holders, until, &go_on).await;
    assert!(nobody.iter().all(|holder| holder.has == Ok(None)));
    assert!(Instant::now() <= until + Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn who_refuses_and_who_is_gone_is_told_apart_from_who_has_it() {
    let finder = finder("peers = 200\n[[states]]\nshare = 0.2\nstate = 'reset'\nat = 'request'");
    let (found, go_on) = (closest(&finder).await, CancellationToken::new());
    // Go drops a record without an address, and says so by a reset.
    let record = record(Contact { addrs: Vec::new(), ..own() });
    let holders = finder.give(&record, &found, &go_on).await;
    assert!(
        holders
            .iter()
            .all(|holder| holder.sent.as_ref().is_err_and(|e| e.class == FailureClass::StreamReset))
    );
    let read = finder.read_back(&record, &holders, Instant::now(), &go_on).await;
    assert!(read.iter().all(|holder| holder.has.is_err()), "who was sent nothing is not asked");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_publication_says_what_was_given_up() {
    let finder = finder("peers = 100");
    let (found, cancel) = (closest(&finder).await, CancellationToken::new());
    cancel.cancel();
    let holders = finder.give(&record(own()), &found, &cancel).await;
    assert!(holders.iter().all(|holder| holder.sent == Ok(()) || holder.sent == Err(given_up())));
}
