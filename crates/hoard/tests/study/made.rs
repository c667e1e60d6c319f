//! Studies that look like real ones, made by counting: tests and the benchmark share them.

use std::time::Duration;

use kad::{
    Address, PeerId, Persistence,
    failure::{Failure, FailureClass, Phase},
    lookup::{LookupKind, RpcFate, Termination},
    network::Transport,
};
use schema::{
    HoardHolder, HoardKey, HoardLookup, HoardRound, HoardSight, HoardWalk, HolderAnswer, LookupRequest,
    PeerNumber, PublisherEnd, RoundEnd, Row, RunEnd, RunId, RunStart, RunState, Strategy, Timestamp, Tool,
    Whereabouts,
};

/// When the first run of a study began.
pub(crate) const BEGAN: Timestamp = Timestamp(1_795_000_000_000_000);

/// The peers of a network: 0 publishes.
pub(crate) const PEERS: u32 = 3000;

/// How large a study is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Keys, all of one arm.
    pub(crate) keys: u32,
    /// Rounds of each after the publication.
    pub(crate) rounds: u32,
    /// Holders of each.
    pub(crate) holders: u32,
    /// Requests of each lookup.
    pub(crate) requests: u32,
}

/// The start of a run, which continues another.
pub(crate) fn start(n: u8, continues: Option<RunId>) -> RunStart {
    let started_at = BEGAN.after(Duration::from_secs(u64::from(n) * 3600));
    let mut parameters = serde_json::json!({});
    if let Some(run) = continues {
        parameters["continues"] = run.to_string().into();
    }
    RunStart {
        id: RunId::new(started_at, [n; 10]),
        tool: Tool::Hoard,
        network: "ipfs".to_owned(),
        started_at,
        version: "0.1.0".to_owned(),
        seed: 1,
        vantage: "made".to_owned(),
        parameters,
    }
}

/// The end of a run.
pub(crate) fn end() -> RunEnd {
    let finished_at = BEGAN.after(Duration::from_secs(1_000_000));
    RunEnd { finished_at, state: RunState::Succeeded, summary: serde_json::json!({}) }
}

/// A peer of its own for each number.
pub(crate) fn peer(n: u32) -> PeerId {
    let mut bytes = [0; 34];
    bytes[..2].copy_from_slice(&[0x12, 32]);
    for (place, byte) in (0_u64..).zip(&mut bytes[2..]) {
        *byte = scrambled(u64::from(n) << 8 | place).to_le_bytes()[0];
    }
    PeerId::from_bytes(&bytes).unwrap()
}

/// The multihash of a key.
pub(crate) fn key(n: u32) -> Vec<u8> {
    peer(1_000_000 + n).to_bytes()
}

/// All peers are introduced.
pub(crate) fn introduced() -> impl Iterator<Item = Row> {
    (0..PEERS).map(|n| Row::Peer(PeerNumber(n), peer(n)))
}

/// When a key is published.
pub(crate) fn published_at(n: u32) -> Timestamp {
    BEGAN.after(Duration::from_millis(u64::from(n) * 500))
}

/// The number of a holder of a key by its rank, from 1.
pub(crate) fn holder(n: u32, rank: u32) -> PeerNumber {
    let first = scrambled(u64::from(n)) % u64::from(PEERS - 100);
    PeerNumber(u32::try_from(first).unwrap() + rank)
}

/// A key, and behind its holders the row that says that it was published.
pub(crate) fn published(n: u32, holders: u32) -> Vec<Row> {
    let mut rows: Vec<Row> = (1..=holders).map(|rank| held(n, rank).into()).collect();
    rows.push(closing(n, holders).into());
    rows
}

/// A peer that was given a record.
pub(crate) fn held(n: u32, rank: u32) -> HoardHolder {
    let peer = holder(n, rank);
    HoardHolder {
        peer,
        key: key(n),
        arm: 0,
        rank: u16::try_from(rank).unwrap(),
        common_prefix_len: 11,
        agent: Some(agent(peer, 0)),
        first_addresses: addresses(peer),
        chosen_after: Duration::from_millis(400),
        sent_after: Some(Duration::from_millis(500)),
        send_error: None,
    }
}

/// The row that says that a key was published.
pub(crate) fn closing(n: u32, holders: u32) -> HoardKey {
    HoardKey {
        peer: PeerNumber(0),
        key: key(n),
        arm: 0,
        arm_name: "k of 20".to_owned(),
        position: n,
        strategy: Some(Strategy::Default),
        persistence: Some(Persistence::Go),
        k: 20,
        publisher_end: PublisherEnd::Closed,
        published_at: published_at(n),
        took: Duration::from_secs(3),
        failure: None,
        holders,
        sent: holders,
    }
}

/// What a peer calls its program in a round.
pub(crate) fn agent(peer: PeerNumber, round: u32) -> String {
    format!("kubo/0.{}.0/", 20 + peer.0 % 15 + u32::from(round > 40))
}

fn addresses(peer: PeerNumber) -> Vec<Address> {
    let ip = std::net::Ipv4Addr::from(0x0900_0000 + peer.0);
    let written = [format!("/ip4/{ip}/tcp/4001"), format!("/ip4/{ip}/udp/4001/quic-v1")];
    written.map(|address| Address::from(address.parse::<kad::Multiaddr>().unwrap())).to_vec()
}

/// After how long a round of every key is due.
pub(crate) fn due(round: u32) -> Duration {
    Duration::from_secs(u64::from(round) * 1800)
}

/// One round of a key: what it saw, its lookups, and that it is done.
pub(crate) fn round(n: u32, round: u32, size: Size) -> Vec<Row> {
    let mut rows: Vec<Row> = (1..=size.holders).map(|rank| seen(n, round, rank).into()).collect();
    let lookups = [HoardLookup::Closest, HoardLookup::First, HoardLookup::Count];
    for (place, lookup) in (0_u64..).zip(lookups) {
        let began_at = began(n, round).after(Duration::from_secs(place));
        rows.extend((0..size.requests).map(|request| asked(n, (lookup, began_at), request).into()));
        rows.push(walked(n, round, (lookup, began_at), size).into());
    }
    rows.push(done(n, round, RoundEnd::Whole).into());
    rows
}

/// When a round began.
pub(crate) fn began(n: u32, round: u32) -> Timestamp {
    published_at(n).after(due(round) + Duration::from_millis(3))
}

/// The row that says that a round is done.
pub(crate) fn done(n: u32, round: u32, end: RoundEnd) -> HoardRound {
    HoardRound {
        key: key(n),
        arm: 0,
        round,
        planned_at: published_at(n).after(due(round)),
        began_at: began(n, round),
        ended_at: began(n, round).after(Duration::from_secs(5)),
        rounds_in_flight: 7,
        requests_in_flight: 20,
        end,
        holders: 20,
        reached: 18,
        keeping: 15,
        with_addresses: 15,
    }
}

/// What a round saw of a holder.
pub(crate) fn seen(n: u32, round: u32, rank: u32) -> HoardSight {
    let peer = holder(n, rank);
    let is_gone = scrambled(u64::from(peer.0) << 32 | u64::from(round)).is_multiple_of(8);
    let refused = Failure::new(Phase::Connect, FailureClass::ConnectionRefused);
    HoardSight {
        peer,
        key: key(n),
        arm: 0,
        round,
        planned_after: due(round),
        after: due(round) + Duration::from_micros(3000 + u64::from(rank) * 17_000),
        whereabouts: if is_gone { Whereabouts::Gone } else { Whereabouts::SameAddress },
        first_dial_error: is_gone.then_some(refused),
        first_dial_took: Some(Duration::from_micros(120_000 + u64::from(rank))),
        current_dial_error: None,
        current_dial_took: None,
        current_addresses: Vec::new(),
        transport: (!is_gone).then_some(Transport::Quic),
        round_trip: (!is_gone).then_some(Duration::from_micros(40_000 + u64::from(peer.0))),
        agent: (!is_gone).then(|| agent(peer, round)),
        answer: if is_gone { HolderAnswer::Unreached } else { HolderAnswer::WithAddresses },
        answer_error: None,
        answer_took: (!is_gone).then_some(Duration::from_micros(41_000 + u64::from(peer.0))),
        provider_addresses: u16::from(!is_gone) * 2,
        other_providers: 0,
        closer: 20,
        attempts: 1,
    }
}

/// A lookup of a round.
pub(crate) fn walked(
    n: u32,
    round: u32,
    (lookup, began_at): (HoardLookup, Timestamp),
    size: Size,
) -> HoardWalk {
    HoardWalk {
        key: key(n),
        arm: 0,
        round,
        lookup,
        began_at,
        took: Duration::from_millis(900),
        ending: Termination::Completed,
        asked: size.requests,
        answered: size.requests,
        failed: 0,
        contacted: size.requests,
        tree_depth: 5,
        hops_to_closest: Some(3),
        providers: u32::from(lookup != HoardLookup::Closest),
        first_combo: 2,
        upgraded_combo: 2,
        // A holder that is not among the closest any more every tenth round.
        closest: (1..=size.holders).map(|rank| holder(n, rank + round / 10)).collect(),
    }
}

/// A request of a lookup.
pub(crate) fn asked(
    n: u32,
    (lookup, lookup_started_at): (HoardLookup, Timestamp),
    request: u32,
) -> LookupRequest {
    let is_closest = lookup == HoardLookup::Closest;
    let micros = u64::from(request) * 9000;
    LookupRequest {
        peer: PeerNumber(1 + (n + request * 7) % (PEERS - 1)),
        kind: if is_closest { LookupKind::Closest } else { LookupKind::Providers },
        key: key(n),
        lookup_started_at,
        heard_by: Some(PeerNumber(1 + (n + request) % (PEERS - 1))),
        heard_after: Duration::from_micros(micros),
        hop: 2,
        common_prefix_len: 8,
        asked_after: Duration::from_micros(micros + 10),
        sent_after: Some(Duration::from_micros(micros + 40_000)),
        ended_after: Some(Duration::from_micros(micros + 90_000)),
        fate: RpcFate::Answered,
        failure: None,
        closer: 20,
        closer_with_addresses: 20,
        providers: u32::from(!is_closest && request.is_multiple_of(5)),
        providers_with_addresses: u32::from(!is_closest && request.is_multiple_of(10)),
        has_value: false,
    }
}

/// All rows of a study: publications, then round by round.
pub(crate) fn study(size: Size) -> impl Iterator<Item = Row> {
    let published = (0..size.keys).flat_map(move |n| published(n, size.holders));
    let rounds =
        (0..=size.rounds).flat_map(move |number| (0..size.keys).flat_map(move |n| round(n, number, size)));
    introduced().chain(published).chain(rounds)
}

/// A number that looks random (the finaliser of `SplitMix64`).
fn scrambled(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}
