//! Ranges of public addresses, and addresses that are taken away.

use std::{
    io::{self, ErrorKind, Read as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use kadscope_jail::{LocalRanges, NamespaceError, Routes, only_loopback};

use crate::{
    Check,
    echo::{connect, is_echoed, is_echoed_by_udp, serve_tcp, serve_udp, socket},
};

pub(crate) const CHECKS: &[Check] = &[
    ("whoever_dials_comes_from_the_source", whoever_dials_comes_from_the_source),
    ("nothing_leaves_for_other_addresses", nothing_leaves_for_other_addresses),
    ("an_unreachable_address_says_so", an_unreachable_address_says_so),
    ("only_what_was_made_local_is_taken_away", only_what_was_made_local_is_taken_away),
    ("ten_thousand_addresses_come_and_go", ten_thousand_addresses_come_and_go),
    ("nothing_but_loopback_is_needed_until_one_drops", nothing_but_loopback_is_needed_until_one_drops),
    ("a_dropping_address_is_silent", a_dropping_address_is_silent),
];

/// For each family: an address in the ranges, and the source.
const FAMILIES: [(IpAddr, IpAddr); 2] = [
    (IpAddr::V4(Ipv4Addr::new(5, 1, 2, 3)), IpAddr::V4(Ipv4Addr::new(5, 255, 255, 1))),
    (
        IpAddr::V6(Ipv6Addr::new(0x2a05, 0, 0, 0, 0, 0, 0, 7)),
        IpAddr::V6(Ipv6Addr::new(0x2a05, 0xffff, 0, 0, 0, 0, 0, 1)),
    ),
];

fn routes() -> Routes {
    let ranges = LocalRanges {
        prefixes: vec![
            (Ipv4Addr::new(5, 0, 0, 0).into(), 8),
            (Ipv6Addr::new(0x2a05, 0, 0, 0, 0, 0, 0, 0).into(), 16),
        ],
        sources: FAMILIES.iter().map(|(_, source)| *source).collect(),
    };
    Routes::make_local(ranges).unwrap_or_else(|error| panic!("{error}"))
}

/// Servers at an address, and connections to them.
struct Peer {
    routes: Routes,
    ip: IpAddr,
    tcp: SocketAddr,
    udp: SocketAddr,
}

impl Peer {
    fn new(ip: IpAddr) -> Self {
        let routes = routes();
        let (tcp, udp) = ((ip, serve_tcp(ip)).into(), (ip, serve_udp(ip)).into());
        let peer = Self { routes, ip, tcp, udp };
        peer.assert_there();
        peer
    }

    fn assert_there(&self) {
        is_echoed(&connect(self.tcp).expect("reachable by TCP")).expect("echoed by TCP");
        is_echoed_by_udp(self.udp).expect("echoed by UDP");
    }

    /// Asserts what new attempts come to, and that what is open stalls and goes on when the address is given back.
    fn assert_taken_away(&self, take: impl Fn(&Routes, IpAddr), tcp: ErrorKind, udp: ErrorKind) {
        let open = connect(self.tcp).expect("it is still there");
        is_echoed(&open).expect("echoed");
        let silent = socket(self.udp).expect("it is still there");
        take(&self.routes, self.ip);
        assert_eq!(kind(connect(self.tcp)), tcp, "TCP to {}", self.ip);
        assert_eq!(kind(is_echoed_by_udp(self.udp)), udp, "UDP to {}", self.ip);
        assert_eq!(
            kind(silent.send(b"?").and_then(|_| silent.recv(&mut [0; 16]))),
            udp,
            "open UDP to {}",
            self.ip
        );
        assert_eq!(kind(is_echoed(&open)), ErrorKind::WouldBlock, "open TCP to {}", self.ip);
        self.routes.restore(self.ip).expect("given back");
        self.assert_there();
        // What was said meanwhile is said again by TCP, after twice the time each time.
        open.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
        (&open).read_exact(&mut [0]).expect("it goes on");
    }
}

fn kind<T>(result: io::Result<T>) -> ErrorKind {
    result.map_or_else(|error| error.kind(), |_| panic!("it was answered"))
}

fn whoever_dials_comes_from_the_source() {
    for (ip, source) in FAMILIES {
        let peer = Peer::new(ip);
        assert_eq!(connect(peer.tcp).expect("reachable").local_addr().expect("bound").ip(), source);
        assert_eq!(socket(peer.udp).expect("reachable").local_addr().expect("bound").ip(), source);
    }
}

fn nothing_leaves_for_other_addresses() {
    let _routes = routes();
    for outside in ["1.1.1.1:53", "[2606:4700::1]:53"] {
        let outside = outside.parse().expect("an address");
        assert_eq!(kind(connect(outside)), ErrorKind::NetworkUnreachable, "{outside}");
        assert_eq!(kind(is_echoed_by_udp(outside)), ErrorKind::NetworkUnreachable, "{outside}");
    }
}

fn an_unreachable_address_says_so() {
    for (ip, _) in FAMILIES {
        let (take, unreachable) = (|routes: &Routes, ip| routes.unreachable(ip), ErrorKind::HostUnreachable);
        Peer::new(ip).assert_taken_away(
            |routes, ip| take(routes, ip).expect("taken away"),
            unreachable,
            unreachable,
        );
    }
}

fn a_dropping_address_is_silent() {
    for (ip, _) in FAMILIES {
        let peer = Peer::new(ip);
        let others = routes();
        let take = |routes: &Routes, ip| routes.drop_attempts(ip).expect("taken away");
        peer.assert_taken_away(take, ErrorKind::TimedOut, ErrorKind::WouldBlock);
        // From one state into the other, and back from both at once.
        peer.routes.unreachable(ip).expect("taken away");
        peer.routes.drop_attempts(ip).expect("taken away otherwise");
        assert_eq!(kind(connect(peer.tcp)), ErrorKind::TimedOut);
        peer.routes.unreachable(ip).expect("taken away otherwise");
        assert_eq!(kind(connect(peer.tcp)), ErrorKind::HostUnreachable);
        peer.routes.restore(ip).expect("given back");
        peer.routes.restore(ip).expect("nothing to give back");
        peer.assert_there();
        others.drop_attempts(ip).expect("two may take away");
        drop(others);
        assert_eq!(kind(connect(peer.tcp)), ErrorKind::TimedOut);
    }
    // Who made it has gone, and has left nothing but loopback.
    only_loopback().expect("the cable was taken away");
    for (ip, _) in FAMILIES {
        Peer::new(ip).assert_there();
    }
}

fn only_what_was_made_local_is_taken_away() {
    let routes = routes();
    let (_, source) = FAMILIES[0];
    for ip in [source, Ipv4Addr::LOCALHOST.into(), Ipv4Addr::new(6, 0, 0, 1).into()] {
        for refused in [routes.drop_attempts(ip), routes.unreachable(ip), routes.restore(ip)] {
            assert!(matches!(refused, Err(NamespaceError::NotInRange { .. })), "{ip}: {refused:?}");
        }
    }
    let whole = LocalRanges { prefixes: vec![(source, 32)], sources: Vec::new() };
    assert!(matches!(Routes::make_local(whole), Err(NamespaceError::Ranges(_))));
}

fn ten_thousand_addresses_come_and_go() {
    let peers = FAMILIES.map(|(ip, _)| Peer::new(ip));
    let routes = routes();
    let v4 = (0..10_000_u32).map(|n| IpAddr::V4(Ipv4Addr::from_bits(0x0502_0000 + n)));
    let v6 = (0..10_000_u128).map(|n| IpAddr::V6(Ipv6Addr::from_bits((0x2a05_0001 << 96) + n)));
    let all: Vec<IpAddr> = v4.chain(v6).collect();
    for &ip in &all {
        routes.unreachable(ip).unwrap_or_else(|error| panic!("{error}"));
    }
    assert_eq!(kind(connect((all[9_999], 1).into())), ErrorKind::HostUnreachable);
    peers.iter().for_each(Peer::assert_there);
    for &ip in &all {
        routes.restore(ip).unwrap_or_else(|error| panic!("{error}"));
    }
    assert_eq!(kind(connect((all[19_999], 1).into())), ErrorKind::ConnectionRefused);
}

fn nothing_but_loopback_is_needed_until_one_drops() {
    only_loopback().expect("no address was taken away by dropping yet");
}
