//! Crawls that look like real ones, made by counting: tests and the benchmark share them.

use std::time::Duration;

use kad::{
    Address, PeerId,
    failure::{Failure, FailureClass, Phase, SkipReason},
    network::{AddressOutcome, RoundTrip, RttSource, Security, Transport},
};
use multiaddr::{Multiaddr, Protocol};
use schema::{
    AddressVisit, ConnectionInfo, Encounter, FurtherRequests, PeerNumber, PrefixOutcome, Row, RunEnd, RunId,
    RunStart, RunState, Timestamp, Tool, Visit, VisitKind,
};

const STARTED_AT: Timestamp = Timestamp(1_795_000_000_000_000);

/// The start of the crawl number `n`.
pub(crate) fn start(n: u8) -> RunStart {
    let started_at = STARTED_AT.after(Duration::from_secs(u64::from(n) * 3600));
    RunStart {
        id: RunId::new(started_at, [n; 10]),
        tool: Tool::Crawl,
        network: "ipfs".into(),
        started_at,
        version: "0.1.0".into(),
        seed: u64::MAX - u64::from(n),
        vantage: "bench".into(),
        parameters: serde_json::json!({ "parallelism": 100 }),
    }
}

/// The end of a crawl.
pub(crate) fn end(state: RunState) -> RunEnd {
    RunEnd {
        finished_at: STARTED_AT.after(Duration::from_secs(1_000_000)),
        state,
        summary: serde_json::json!({ "peers": 3 }),
    }
}

/// The rows of a crawl: each of `peers` is heard of, then visited, and answers with up to `neighbors` others.
pub(crate) fn crawl(peers: u32, neighbors: u32, keep_neighbors: bool) -> impl Iterator<Item = Row> {
    let heard = (0..peers).map(|n| Row::Peer(PeerNumber(n), peer(n)));
    let visited = (0..peers).map(move |n| {
        let mut visit = visit(n);
        if keep_neighbors {
            visit.neighbors = Some(neighbors_of(n, peers, neighbors));
        }
        Row::Visit(Box::new(visit))
    });
    heard.chain(visited)
}

/// A peer of its own for each number.
pub(crate) fn peer(n: u32) -> PeerId {
    let mut bytes = [0; 34];
    bytes[0] = 0x12;
    bytes[1] = 32;
    for (i, byte) in bytes[2..].iter_mut().enumerate() {
        *byte = scramble(u64::from(n) << 8 | i as u64).to_le_bytes()[0];
    }
    PeerId::from_bytes(&bytes).unwrap()
}

/// One visit: a peer in ten refuses, the others answer.
pub(crate) fn visit(n: u32) -> Visit {
    let started_at = STARTED_AT.after(Duration::from_micros(u64::from(n) * 611));
    let reachable = n % 10 != 9;
    let refused = Failure::new(Phase::Connect, FailureClass::ConnectionRefused);
    Visit {
        peer: PeerNumber(n),
        kind: VisitKind::First,
        crawl_duration: reachable.then(|| Duration::from_micros(120_000 + u64::from(n))),
        prefixes: [if reachable { PrefixOutcome::Answered { peers: 20 } } else { PrefixOutcome::NotAsked };
            16],
        further: FurtherRequests { answered: (n % 7) as u16, failed: (n % 2) as u16 },
        open_buckets: (n % 5) as u16,
        crawl_error: None,
        request_rtt: reachable.then(|| Duration::from_micros(21_000 + u64::from(n))),
        neighbors: None,
        connected_claims: 3,
        met: Encounter {
            started_at,
            ended_at: started_at.after(Duration::from_micros(180_123)),
            dial_duration: Some(Duration::from_micros(40_000 + u64::from(n))),
            connect_duration: reachable.then(|| Duration::from_micros(30_000 + u64::from(n))),
            addresses: given(n).into_iter().enumerate().map(|(i, a)| address_visit(n, i, a)).collect(),
            connection: reachable.then_some(ConnectionInfo {
                address: 1,
                transport: Transport::Tcp,
                security: Security::Noise,
                certificate: None,
                ip_version: 4,
                socket: (std::net::Ipv4Addr::from(0x0900_0000 + n), 4001).into(),
                rtt: Some(RoundTrip {
                    time: Duration::from_micros(20_000 + u64::from(n)),
                    source: RttSource::TcpInfo,
                }),
            }),
            connect_error: (!reachable).then_some(refused),
            agent_version: reachable.then(|| format!("kubo/0.{}.0/", n % 40)),
            protocols: if reachable { protocols(n) } else { Vec::new() },
            listen_addrs: if reachable { given(n) } else { Vec::new() },
            identify_error: None,
            sent_bytes: 2_345 + u64::from(n),
            received_bytes: 23_456 + u64::from(n),
        },
    }
}

fn neighbors_of(n: u32, peers: u32, count: u32) -> Vec<PeerNumber> {
    let one = |i| u32::try_from(scramble(u64::from(n) << 32 | u64::from(i)) % u64::from(peers)).unwrap();
    let mut neighbors: Vec<_> = (0..count * 2).map(|i| PeerNumber(one(i))).collect();
    neighbors.sort_unstable();
    neighbors.dedup();
    // Spread over all numbers, not the lowest of them.
    let surplus = neighbors.len().saturating_sub(count as usize);
    let keep_every = neighbors.len() / surplus.max(1);
    let mut position = 0;
    let mut left = surplus;
    neighbors.retain(|_| {
        position += 1;
        let drop = left > 0 && position % keep_every.max(1) == 0;
        left -= usize::from(drop);
        !drop
    });
    neighbors
}

fn address_visit(n: u32, position: usize, address: Address) -> AddressVisit {
    let refused = Failure::new(Phase::Connect, FailureClass::ConnectionRefused);
    let outcome = match position {
        0 => AddressOutcome::Skipped(SkipReason::Private),
        1 if n % 10 == 9 => AddressOutcome::Failed(refused),
        1 => AddressOutcome::Connected,
        2 => AddressOutcome::Abandoned,
        _ if address.multiaddr().is_none() => AddressOutcome::Skipped(SkipReason::Malformed),
        _ => AddressOutcome::NotTried,
    };
    let tried = position == 1 || position == 2;
    AddressVisit {
        address,
        started_after: tried.then(|| Duration::from_micros(position as u64 * 250_000)),
        took: tried.then(|| Duration::from_micros(30_000 + u64::from(n))),
        outcome,
        resolved: Vec::new(),
    }
}

/// What a peer is said to be at: a port without its number behind all that are addresses.
fn given(n: u32) -> Vec<Address> {
    let malformed = Address::from_bytes(&[4, 192, 0, 2, 1, 6]);
    addresses(n).into_iter().map(Address::from).chain([malformed]).collect()
}

fn addresses(n: u32) -> Vec<Multiaddr> {
    let ip = std::net::Ipv4Addr::from(0x0900_0000 + n);
    let port = 4001 + u16::try_from(n % 50_000).unwrap();
    let v6 =
        std::net::Ipv6Addr::new(0x2a01, 0, 0, 0, 0, 0, u16::try_from(n >> 16).unwrap(), (n & 0xffff) as u16);
    let base = Multiaddr::empty();
    vec![
        base.clone().with(Protocol::Ip4([192, 168, 0, 7].into())).with(Protocol::Tcp(4001)),
        base.clone().with(Protocol::Ip4(ip)).with(Protocol::Tcp(port)),
        base.clone().with(Protocol::Ip4(ip)).with(Protocol::Udp(port)).with(Protocol::QuicV1),
        base.clone().with(Protocol::Ip6(v6)).with(Protocol::Tcp(port)),
        base.with(Protocol::Ip6(v6)).with(Protocol::Udp(port)).with(Protocol::QuicV1),
    ]
}

fn protocols(n: u32) -> Vec<String> {
    let mut protocols = vec!["/ipfs/bitswap/1.2.0", "/ipfs/id/1.0.0", "/ipfs/kad/1.0.0", "/ipfs/ping/1.0.0"];
    protocols.truncate(4 - (n % 3) as usize);
    protocols.into_iter().map(str::to_owned).collect()
}

/// A number that looks random (the finaliser of `SplitMix64`).
pub(crate) fn scramble(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}
