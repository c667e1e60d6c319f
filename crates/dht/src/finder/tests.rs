//! Lookups of simulated networks in virtual time, beside what is true of them.

use kad::{
    Key, Multiaddr,
    lookup::{Enough, RpcFate, Termination},
    message::{AMINO_PROTOCOL, Message, MessageType, Peer},
    network::Traffic,
};
use testnet::{Scenario, SimConfig, SimNetwork, State, World};

use super::*;
use crate::{
    conversation::{Ask, Awaits},
    pool::PoolConfig,
};

const OWN_ADDRESS: &str = "/ip4/127.0.0.1/tcp/4001";

fn finder(toml: &str) -> Finder<SimNetwork> {
    // The hash of a key, as any of RSA has.
    let own = PeerId::from_bytes(&[&[0x12, 0x20][..], &[7; 32]].concat()).expect("an id");
    let world = World::generate(&Scenario::parse(toml, "test").expect("a scenario"));
    let network = SimNetwork::new(Arc::new(world), SimConfig { local: own, ..SimConfig::default() });
    let terms =
        FinderTerms { own, protocols: Arc::from([AMINO_PROTOCOL.to_owned()]), patience: ANSWER_PATIENCE };
    Finder::new(Pool::new(network, PoolConfig::default()), terms)
}

fn world(finder: &Finder<SimNetwork>) -> &World {
    finder.pool().network().world()
}

fn contact(world: &World, peer: u32) -> Contact {
    Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) }
}

fn bootstrap(finder: &Finder<SimNetwork>) -> Vec<Contact> {
    let world = world(finder);
    world.bootstrap().iter().map(|&peer| contact(world, peer)).collect()
}

async fn find(finder: &Finder<SimNetwork>, kind: LookupKind, key: &[u8], rules: Rules) -> Found {
    let quest = Quest { kind, key: key.to_vec(), from: bootstrap(finder), rules };
    let found = finder.find(quest, |_| true, |_, _| {}, &CancellationToken::new()).await;
    let counts = found.trace.counts();
    assert_eq!(counts.open, 0);
    assert_eq!(counts.asked, counts.sent + counts.unsent);
    assert_eq!(counts.sent, counts.answered + counts.unconfirmed + counts.cancelled + counts.failed);
    found
}

/// The peers closest to a key that the world has, by what they are.
fn truth(finder: &Finder<SimNetwork>, key: &[u8], wanted: impl Fn(State) -> bool) -> Vec<PeerId> {
    let world = world(finder);
    let mut all: Vec<u32> = world.peers().filter(|&peer| wanted(world.state(peer))).collect();
    all.sort_by_key(|&peer| world.key(peer).distance(&Key::of(key)));
    all.into_iter().take(20).map(|peer| world.peer_id(peer)).collect()
}

fn closest(found: &Found) -> Vec<PeerId> {
    found.outcome.closest.iter().map(|closest| closest.peer).collect()
}

#[tokio::test(start_paused = true)]
async fn in_a_healthy_network_the_closest_are_found() {
    let finder = finder("peers = 1000");
    for n in 0..20_u8 {
        for rules in [Rules::go(), Rules::lean(), Rules::specification()] {
            let found = find(&finder, LookupKind::Closest, &[n], rules).await;
            assert_eq!(closest(&found), truth(&finder, &[n], |_| true), "{n}");
            assert_eq!(found.outcome.termination, Termination::Completed);
            assert!(found.outcome.is_complete && found.trace.rpcs.len() < 60);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn dead_peers_cost_time_and_no_result() {
    let toml = "peers = 600\n[tables]\nstale = 0.1\n[[states]]\nshare = 0.2\nstate = 'refusing'\n[[states]]\nshare = 0.1\n\
                state = 'silent'\nat = 'request'\n[[states]]\nshare = 0.1\nstate = 'dropping'";
    let finder = finder(toml);
    let (mut right, mut all) = (0, 0);
    for n in 0..20_u8 {
        let found = find(&finder, LookupKind::Closest, &[n], Rules::go()).await;
        let live = truth(&finder, &[n], |state| state == State::Online);
        let answered: Vec<PeerId> = found
            .trace
            .rpcs
            .iter()
            .filter(|rpc| rpc.fate == RpcFate::Answered)
            .filter_map(|rpc| found.trace.peer(rpc.peer))
            .collect();
        right += live.iter().filter(|peer| answered.contains(peer)).count();
        all += live.len();
        assert!(found.took < Duration::from_secs(60), "{:?}", found.took);
    }
    // The follow-up ends with those that were thought the closest, not with the closest that live.
    assert!(right * 100 >= all * 60, "{right} of {all}");
}

#[tokio::test(start_paused = true)]
async fn what_was_given_to_the_closest_is_found() {
    let finder = finder("peers = 300");
    let own = finder.terms().own;
    let addr: Multiaddr = OWN_ADDRESS.parse().expect("an address");
    let mut message = Message::new(MessageType::AddProvider, b"key".to_vec());
    message.provider_peers = vec![Peer::new(&own, std::slice::from_ref(&addr))];
    let give = Ask {
        protocols: Arc::clone(&finder.terms().protocols),
        message: Some(message.encode().into()),
        awaits: Awaits::End,
        patience: ANSWER_PATIENCE,
    };
    for &peer in &truth(&finder, b"key", |_| true)[..20] {
        let number = world(&finder).find(&peer).expect("one of the world");
        let to = contact(world(&finder), number);
        let given = finder.pool().request(&to, give.clone(), &CancellationToken::new(), || {}).await;
        assert_eq!(given.outcome, Ok(Vec::new()));
    }
    let all = find(&finder, LookupKind::Providers, b"key", Rules::go()).await;
    let [provider] = &all.providers[..] else { panic!("{:?}", all.providers) };
    assert_eq!((provider.peer, &provider.addrs()[..]), (own, &[addr][..]));
    assert_eq!(
        provider.holders.len(),
        20,
        "each holder is asked, and counts once, also where it is asked twice"
    );
    let first = find(&finder, LookupKind::Providers, b"key", Rules::go().until(Enough::FIRST)).await;
    assert_eq!((first.outcome.termination, first.providers.len()), (Termination::Stopped, 1));
    assert!(first.trace.rpcs.len() <= all.trace.rpcs.len());
    assert!(find(&finder, LookupKind::Providers, b"other", Rules::go()).await.providers.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_peer_is_found_once_it_is_connected_to() {
    let finder = finder("peers = 300\n[[states]]\nshare = 0.1\nstate = 'refusing'");
    let world = world(&finder);
    let online = world.peers().rev().find(|&peer| world.state(peer) == State::Online).expect("one");
    let wanted = world.peer_id(online);
    let found = find(&finder, LookupKind::Peer, &wanted.to_bytes(), Rules::go()).await;
    assert!(found.outcome.is_connected);
    assert_eq!(found.addresses.of(&wanted.to_bytes()), world.addresses(online));
    let nobody = find(&finder, LookupKind::Peer, &[&[0x12, 0x20][..], &[9; 32]].concat(), Rules::go()).await;
    assert!(!nobody.outcome.is_connected);
}

#[tokio::test(start_paused = true)]
async fn liars_cost_no_more_than_the_bound() {
    let toml = "peers = 200\n[[states]]\nshare = 0.5\nstate = 'inventing'\npeers_per_answer = 1000";
    let finder = finder(toml);
    let found = find(&finder, LookupKind::Closest, b"key", Rules::go()).await;
    // Each inventor names 40 who do not exist; nobody waits for more of them than are closer than the rest.
    assert!(found.trace.rpcs.len() < 400, "{}", found.trace.rpcs.len());
    assert!(found.took < Duration::from_secs(120), "{:?}", found.took);
}

#[tokio::test(start_paused = true)]
async fn cancelled_it_ends_at_once_and_leaves_nothing() {
    let finder = finder("peers = 300\n[[states]]\nshare = 0.3\nstate = 'silent'\nat = 'request'");
    let cancel = CancellationToken::new();
    let quest = Quest {
        kind: LookupKind::Closest,
        key: b"key".to_vec(),
        from: bootstrap(&finder),
        rules: Rules::go(),
    };
    let begun = Instant::now();
    let (found, ()) = tokio::join!(finder.find(quest, |_| true, |_, _| {}, &cancel), async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        cancel.cancel();
    });
    assert_eq!(begun.elapsed(), Duration::from_millis(700));
    assert_eq!(found.outcome.termination, Termination::Cancelled);
    let counts = found.trace.counts();
    assert!(counts.open == 0 && counts.cancelled > 0, "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn every_request_is_shown_when_it_ends() {
    let finder = finder("peers = 100");
    let mut shown = Vec::new();
    let quest = Quest {
        kind: LookupKind::Closest,
        key: b"key".to_vec(),
        from: bootstrap(&finder),
        rules: Rules::go(),
    };
    let watch = |trace: &Trace, Happened { rpc }: Happened| {
        assert!(trace.rpcs[rpc].ended.is_some());
        shown.push(rpc);
    };
    let found = finder.find(quest, |_| true, watch, &CancellationToken::new()).await;
    shown.sort_unstable();
    assert_eq!(shown, (0..found.trace.rpcs.len()).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_trace_says_how_each_request_went() {
    let finder = finder(
        "peers = 400\n[[regions]]\nname = 'far'\nshare = 1.0\nrtt_ms = { far = 50 }\n[[states]]\nshare = 0.1\n\
         state = 'dropping'",
    );
    let found = find(&finder, LookupKind::Closest, b"key", Rules::go()).await;
    let (searched, rpcs) = (found.trace.searched.expect("an end"), &found.trace.rpcs);
    assert!(searched <= found.took);
    for rpc in rpcs {
        assert_eq!(rpc.is_follow_up, rpc.asked >= searched);
        let ended = rpc.ended.expect("an end");
        // Whoever is asked a second time is asked on the connection that stands.
        let Some(dial) = rpc.dial else {
            assert!(rpc.sent.is_some() && rpc.is_follow_up, "{rpc:?}");
            continue;
        };
        assert!(rpc.asked <= dial.began && dial.began < dial.ended && dial.ended <= ended, "{rpc:?}");
        match rpc.sent {
            Some(sent) => assert!(dial.ended <= sent && dial.over.is_some() && dial.round_trip.is_some()),
            None => assert!(dial.over.is_none() && rpc.traffic == Traffic::default()),
        }
        let answered = rpc.fate == RpcFate::Answered;
        assert_eq!(answered, rpc.traffic.received_bytes > 1000, "an answer of twenty peers: {rpc:?}");
    }
    let unreached = rpcs.iter().find(|rpc| rpc.sent.is_none()).expect("somebody who cannot be reached");
    let dial = unreached.dial.expect("a dial");
    assert!(dial.began + Duration::from_secs(5) <= dial.ended || unreached.fate == RpcFate::Cancelled);
    let again = find(&finder, LookupKind::Closest, b"key", Rules::go()).await;
    assert!(again.trace.rpcs.iter().any(|rpc| rpc.dial.is_none() && rpc.fate == RpcFate::Answered));
}
