//! Visits of every shape that the rows allow.

use std::time::Duration;

use kad::{
    Address,
    failure::{Failure, FailureClass, Phase, SkipReason},
    network::{AddressOutcome, RoundTrip, RttSource, Security, Transport, WssCertificate},
};
use multiaddr::{Multiaddr, Protocol};
use proptest::{collection::vec, option, prelude::*, sample::select};
use schema::{
    AddressVisit, ConnectionInfo, Encounter, FurtherRequests, PeerNumber, PrefixOutcome, Timestamp, Visit,
    VisitKind,
};

/// Visits of peers whose numbers are below `peers`.
pub(crate) fn visits(peers: u32) -> impl Strategy<Value = Vec<Visit>> {
    vec(visit(peers), 0..6)
}

prop_compose! {
    fn visit(peers: u32)(
        peer in 0..peers,
        kind in select(VisitKind::ALL),
        // From the year -4714 on; that every store has.
        times in (-210_000_000_000_000_000..=i64::MAX, -210_000_000_000_000_000..=i64::MAX),
        durations in (duration(), duration(), duration(), duration()),
        addresses in vec(address_visit(), 0..8),
        connection in option::of(connection()),
        errors in (option::of(failure()), option::of(failure()), option::of(failure())),
        identity in (option::of(text()), vec(text(), 0..5), vec(address(), 0..5)),
        prefixes in proptest::array::uniform16(prefix()),
        further in (any::<u16>(), any::<u16>(), any::<u16>()),
        neighbors in option::of(proptest::collection::btree_set(any::<u32>().prop_map(PeerNumber), 0..50)),
        traffic in (0..=i64::MAX.cast_unsigned(), 0..=i64::MAX.cast_unsigned(), any::<u8>()),
    ) -> Visit {
        Visit { peer: PeerNumber(peer), kind, crawl_duration: durations.2, prefixes, further: FurtherRequests { answered: further.0, failed: further.1 }, open_buckets: further.2, crawl_error: errors.2, request_rtt: durations.3, neighbors: neighbors.map(|set| set.into_iter().collect()), connected_claims: traffic.2, met: Encounter { started_at: Timestamp(times.0), ended_at: Timestamp(times.1), dial_duration: durations.0, connect_duration: durations.1, addresses, connection, connect_error: errors.0, agent_version: identity.0, protocols: identity.1, listen_addrs: identity.2, identify_error: errors.1, sent_bytes: traffic.0, received_bytes: traffic.1 } }
    }
}

prop_compose! {
    fn address_visit()(
        own in fate(), led_to in vec(fate(), 0..4), name in option::of(name()),
    ) -> AddressVisit {
        // Only a name leads anywhere.
        match name {
            None => AddressVisit { resolved: Vec::new(), ..own },
            Some(name) => AddressVisit { address: name.into(), resolved: led_to, ..own },
        }
    }
}

prop_compose! {
    fn fate()(
        address in address(), started_after in duration(), took in duration(), outcome in outcome(),
    ) -> AddressVisit {
        AddressVisit { address, started_after, took, outcome, resolved: Vec::new() }
    }
}

/// An address that begins with a name.
fn name() -> impl Strategy<Value = Multiaddr> {
    let name = "[a-z]{1,9}[.]test";
    prop_oneof![
        name.prop_map(|name| Protocol::Dns(name.into())),
        name.prop_map(|name| Protocol::Dns4(name.into())),
        name.prop_map(|name| Protocol::Dns6(name.into())),
        name.prop_map(|name| Protocol::Dnsaddr(name.into())),
    ]
    .prop_map(|name| Multiaddr::empty().with(name))
}

prop_compose! {
    fn connection()(
        address in 0..2000_usize,
        transport in select(vec![Transport::Tcp, Transport::Quic, Transport::Ws, Transport::Wss]),
        security in select(vec![Security::Noise, Security::Tls]),
        certificate in select(vec![None, Some(WssCertificate::Root), Some(WssCertificate::Unverified)]),
        ip_version in select(vec![4, 6]),
        socket in any::<std::net::SocketAddr>(),
        (time, source) in (duration(), select(RttSource::ALL)),
    ) -> ConnectionInfo {
        // Text says nothing of flow and scope, and nothing that comes from a multiaddress has them.
        let socket = std::net::SocketAddr::new(socket.ip(), socket.port());
        let rtt = time.map(|time| RoundTrip { time, source });
        ConnectionInfo { address, transport, security, certificate, ip_version, socket, rtt }
    }
}

prop_compose! {
    fn failure()(
        phase in select(Phase::ALL), class in select(FailureClass::ALL), detail in option::of(text()),
    ) -> Failure {
        Failure { phase, class, detail: detail.map(Into::into) }
    }
}

fn outcome() -> impl Strategy<Value = AddressOutcome> {
    prop_oneof![
        Just(AddressOutcome::Connected),
        Just(AddressOutcome::NotTried),
        Just(AddressOutcome::Abandoned),
        select(SkipReason::ALL).prop_map(AddressOutcome::Skipped),
        failure().prop_map(AddressOutcome::Failed),
    ]
}

fn prefix() -> impl Strategy<Value = PrefixOutcome> {
    prop_oneof![
        Just(PrefixOutcome::NotAsked),
        Just(PrefixOutcome::Saved),
        any::<u16>().prop_map(|peers| PrefixOutcome::Answered { peers }),
        select(FailureClass::ALL).prop_map(PrefixOutcome::Failed),
    ]
}

/// Any characters, NUL, quotes and those outside the basic plane among them; now and then the same twice.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), Just(String::new()), Just("kubo/0.40.0/\u{0}'\"é🙂".to_owned())]
}

fn duration() -> impl Strategy<Value = Option<Duration>> {
    option::of((0..=i64::MAX.cast_unsigned()).prop_map(Duration::from_micros))
}

/// Addresses that people write, such as only bytes can say, and bytes that are none.
fn address() -> impl Strategy<Value = Address> {
    let malformed = prop_oneof![vec(any::<u8>(), 0..40), Just(b"/ip4/127.0.0.1/tcp/1".to_vec())];
    prop_oneof![
        8 => multiaddr().prop_map(|address| Address::from_bytes(address.as_ref())),
        1 => malformed.prop_map(|bytes| Address::from_bytes(&bytes)),
    ]
}

fn multiaddr() -> impl Strategy<Value = Multiaddr> {
    let part = prop_oneof![
        any::<[u8; 4]>().prop_map(|ip| Protocol::Ip4(ip.into())),
        any::<[u8; 16]>().prop_map(|ip| Protocol::Ip6(ip.into())),
        any::<u16>().prop_map(Protocol::Tcp),
        any::<u16>().prop_map(Protocol::Udp),
        Just(Protocol::QuicV1),
        Just(Protocol::P2pCircuit),
        any::<u32>().prop_map(|n| Protocol::P2p(crate::rows::peer(n))),
        any::<u64>().prop_map(Protocol::Memory),
        any::<String>().prop_map(|name| Protocol::Dns(name.into())),
        any::<String>().prop_map(|name| Protocol::Dnsaddr(name.into())),
        any::<String>().prop_map(|path| Protocol::Unix(path.into())),
        any::<String>().prop_map(|path| Protocol::Ws(path.into())),
    ];
    vec(part, 0..5).prop_map(|parts| {
        let mut address = Multiaddr::empty();
        for part in parts {
            address.push(part);
        }
        // What bytes cannot say either never comes from a network.
        Multiaddr::try_from(address.to_vec()).unwrap_or_else(|_| Multiaddr::empty())
    })
}
