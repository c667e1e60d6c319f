//! Holders that are no longer where they were first.

use super::*;

const WORLD: &str = "peers = 150\nseed = 4\n[[regions]]\nname = 'here'\nshare = 1.0\nrtt_ms = { here = 20 }\n\
    [[states]]\nshare = 0.1\nstate = 'refusing'\n[[states]]\nshare = 0.1\nstate = 'relayed_only'\n";

/// A holder that was somewhere else first.
fn was_at(peer: PeerId, addresses: Vec<kad::Multiaddr>) -> KnownHolder {
    KnownHolder { peer, addresses: addresses.into(), agent: None }
}

/// The same addresses at a port at which nobody is.
fn other_port(addresses: &[kad::Multiaddr]) -> Vec<kad::Multiaddr> {
    let changed = |part| match part {
        multiaddr::Protocol::Tcp(_) => multiaddr::Protocol::Tcp(9),
        multiaddr::Protocol::Udp(_) => multiaddr::Protocol::Udp(9),
        other => other,
    };
    addresses.iter().map(|address| address.iter().map(changed).collect()).collect()
}

#[tokio::test(start_paused = true)]
async fn where_a_holder_is_now_is_found_out_by_those_who_know_it() {
    let stage = Stage::of(WORLD).await;
    let mut near: Vec<u32> = stage.those(State::Online);
    near.sort_by_key(|&peer| stage.world().key(peer).distance(&Key::of(&multihash("content"))));
    let key = stage.give("content", &near[..4]).await;
    let dead = stage.contact(stage.those(State::Refusing)[0]);
    let host = |addresses: &[kad::Multiaddr]| addresses[0].iter().next().map(|part| part.to_string());
    let [same, port, moved, replaced] = std::array::from_fn(|at| key.holders[at].clone());
    assert_ne!(host(&dead.addrs), host(&moved.addresses), "another host");
    let holders = vec![
        same.clone(),
        was_at(port.peer, other_port(&port.addresses)),
        was_at(moved.peer, dead.addrs.clone()),
        was_at(PeerId::random(), replaced.addresses.to_vec()),
        was_at(PeerId::random(), dead.addrs.clone()),
        was_at(dead.peer, dead.addrs.clone()),
    ];
    let key = WatchedKey { holders: holders.into(), ..key };
    let observer = stage.observer(stage.config()).await;
    let round = observer.round(&key, &stage.due(1), &CancellationToken::new()).await;
    let expected = [
        (Whereabouts::SameAddress, HolderAnswer::WithAddresses),
        (Whereabouts::NewPort, HolderAnswer::WithAddresses),
        (Whereabouts::Moved, HolderAnswer::WithAddresses),
        (Whereabouts::OtherId, HolderAnswer::Unreached),
        (Whereabouts::Gone, HolderAnswer::Unreached),
        (Whereabouts::Gone, HolderAnswer::Unreached),
    ];
    for (number, (sight, expected)) in round.sights.iter().zip(expected).enumerate() {
        assert_eq!((sight.whereabouts, sight.said.answer), expected, "{number}: {sight:?}");
    }
    let attempts: Vec<u8> = round.sights.iter().map(|sight| sight.attempts).collect();
    assert_eq!(attempts, [1, 2, 2, 1, 1, 1], "one dial where its current addresses are its first ones");
    assert_eq!(round.end, RoundEnd::Whole);
}

#[tokio::test(start_paused = true)]
async fn a_holder_behind_a_relay_is_not_gone() {
    let stage = Stage::of(WORLD).await;
    let relayed = stage.those(State::RelayedOnly)[0];
    let dead = stage.contact(stage.those(State::Refusing)[0]);
    let key = multihash("content");
    let holder = was_at(stage.world().peer_id(relayed), dead.addrs);
    let key = stage.watched(&key, stage.clock.at(Instant::now()), vec![holder]);
    let observer = stage.observer(stage.config()).await;
    let round = observer.round(&key, &stage.due(1), &CancellationToken::new()).await;
    assert_eq!(places(&round), [Whereabouts::RelayedOnly]);
}
