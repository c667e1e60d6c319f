//! Every form of address, and what becomes of it.

use super::*;

fn outcome(policy: Addresses, text: &str) -> Result<Target, SkipReason> {
    policy.target(&text.parse().unwrap(), &peer())
}

fn peer() -> PeerId {
    "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN".parse().unwrap()
}

#[test]
fn what_can_be_dialled_has_a_target() {
    let own = format!("/ip4/127.0.0.1/tcp/4001/p2p/{}", peer());
    let tcp = Ok(Target::Tcp("127.0.0.1:4001".parse().unwrap()));
    assert_eq!(outcome(Addresses::Loopback, "/ip4/127.0.0.1/tcp/4001"), tcp);
    assert_eq!(outcome(Addresses::Any, &own), tcp);
    assert_eq!(outcome(Addresses::Any, "/ip6/::ffff:127.0.0.1/tcp/4001"), tcp);
    let quic = Ok(Target::Quic("[2a00::1]:4001".parse().unwrap()));
    assert_eq!(outcome(Addresses::Public, "/ip6/2a00::1/udp/4001/quic-v1"), quic);
}

#[test]
fn web_sockets_have_a_target() {
    let ws = Ok(Target::Ws("1.1.1.1:80".parse().unwrap()));
    let wss = Ok(Target::Wss("[2a00::1]:443".parse().unwrap()));
    let own = format!("/p2p/{}", peer());
    for own in ["", &own] {
        for text in ["/ip4/1.1.1.1/tcp/80/ws", "/ip4/1.1.1.1/tcp/80/x-parity-ws/%2Fsomewhere"] {
            assert_eq!(outcome(Addresses::Public, &format!("{text}{own}")), ws, "{text}");
        }
        for text in ["/tcp/443/wss", "/tcp/443/tls/ws", "/tcp/443/tls/sni/example.org/ws"] {
            assert_eq!(outcome(Addresses::Public, &format!("/ip6/2a00::1{text}{own}")), wss, "{text}");
        }
    }
}

/// What go-libp2p, rust-libp2p, js-libp2p and Nebula's logs show of addresses; parts that this build of the
/// multiaddress crate does not know are no multiaddresses to us, and counted as malformed where they are decoded.
const SKIPPED: &[(&str, SkipReason)] = &[
    ("/ip4/127.0.0.1/tcp/1", SkipReason::Loopback),
    ("/ip4/127.0.0.1/tcp/1/ws", SkipReason::Loopback),
    ("/ip4/10.0.0.1/tcp/1", SkipReason::Private),
    ("/ip4/10.0.0.1/tcp/443/wss", SkipReason::Private),
    ("/ip4/10.0.0.1/udp/1/quic-v1/webtransport", SkipReason::Private),
    ("/ip4/203.0.113.1/tcp/1", SkipReason::SpecialPurpose),
    ("/ip4/1.1.1.1/tcp/0", SkipReason::SpecialPurpose),
    ("/ip4/1.1.1.1/tcp/0/ws", SkipReason::SpecialPurpose),
    ("/ip4/1.1.1.1/tcp/1/p2p-circuit", SkipReason::Relayed),
    ("/ip4/1.1.1.1/udp/1/quic-v1/webtransport/p2p-circuit", SkipReason::Relayed),
    ("/dns4/example.org/tcp/443/wss/p2p-circuit", SkipReason::Relayed),
    ("/p2p-circuit", SkipReason::Relayed),
    ("/dns/example.org/tcp/1", SkipReason::Name),
    ("/dns4/example.org/tcp/1", SkipReason::Name),
    ("/dns6/example.org/udp/1/quic-v1", SkipReason::Name),
    ("/dns4/example.org/tcp/443/wss", SkipReason::Name),
    ("/dns4/example.org/tcp/443/tls/sni/example.org/ws", SkipReason::Name),
    ("/dnsaddr/example.org", SkipReason::Name),
    ("/dns4/example.org/udp/1/quic-v1/webtransport", SkipReason::TransportNotSupported),
    ("/dns4/example.org", SkipReason::TransportUnknown),
    ("/dns4/example.org/tcp/0", SkipReason::SpecialPurpose),
    ("/ip4/1.1.1.1/udp/1/quic", SkipReason::TransportNotSupported),
    ("/ip4/1.1.1.1/udp/1/quic-v1/webtransport", SkipReason::TransportNotSupported),
    (
        "/ip4/1.1.1.1/udp/1/quic-v1/webtransport/certhash/uEiCEnq92BE4SqpKKvcr6g7MX2-GsVMLcGLgOiC5tHyDWVg/certhash/uEiBDDiXZiyPCRPENmcYwBAM3-RCvLtvB3kMPxGFUoFSVaA",
        SkipReason::TransportNotSupported,
    ),
    ("/ip4/1.1.1.1/udp/1/quic/webtransport", SkipReason::TransportNotSupported),
    ("/ip4/1.1.1.1/udp/1/webrtc-direct", SkipReason::TransportNotSupported),
    (
        "/ip4/1.1.1.1/udp/1/webrtc-direct/certhash/uEiCEnq92BE4SqpKKvcr6g7MX2-GsVMLcGLgOiC5tHyDWVg",
        SkipReason::TransportNotSupported,
    ),
    ("/ip4/1.1.1.1/udp/1/webrtc", SkipReason::TransportNotSupported),
    ("/ip4/1.1.1.1/udp/1/p2p-webrtc-direct", SkipReason::TransportNotSupported),
    ("/ip4/1.1.1.1/udp/1/utp", SkipReason::TransportNotSupported),
    ("/ip4/1.1.1.1/tcp/80/http", SkipReason::TransportNotSupported),
    ("/ip4/1.1.1.1/tcp/443/https", SkipReason::TransportNotSupported),
    ("/ip4/1.1.1.1/tcp/443/tls", SkipReason::TransportNotSupported),
    ("/ip4/1.1.1.1/tcp/443/tls/http", SkipReason::TransportNotSupported),
    ("/ip4/1.1.1.1/tcp/80/http/p2p-webrtc-star", SkipReason::TransportNotSupported),
    ("/ip4/1.1.1.1/tcp/1/ws/ws", SkipReason::TransportNotSupported),
    ("/ip4/1.1.1.1/sctp/1", SkipReason::TransportNotSupported),
    ("/onion/aaimaq4ygg2iegci:80", SkipReason::TransportNotSupported),
    (
        "/onion3/vww6ybal4bd7szmgncyruucpgfkqahzddi37ktceo3ah7ngmcopnpyyd:1234",
        SkipReason::TransportNotSupported,
    ),
    ("/garlic32/566niximlxdzpanmn4qouucvua3k7neniwss47li5r6ugoertzuqzwas", SkipReason::TransportNotSupported),
    ("/memory/4", SkipReason::TransportNotSupported),
    ("/unix/tmp%2Fp2p.sock", SkipReason::TransportNotSupported),
    ("/http", SkipReason::TransportNotSupported),
    ("/tcp/4001", SkipReason::TransportNotSupported),
    ("/ip4/1.1.1.1/udp/1", SkipReason::TransportUnknown),
    ("/ip4/1.1.1.1", SkipReason::TransportUnknown),
];

#[test]
fn what_is_not_dialled_has_its_reason() {
    let other = "/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";
    for &(text, reason) in SKIPPED {
        assert_eq!(outcome(Addresses::Public, text), Err(reason), "{text}");
        let own = format!("{text}/p2p/{}", peer());
        if reason != SkipReason::TransportUnknown {
            assert_eq!(outcome(Addresses::Public, &own), Err(reason), "{own}");
        }
    }
    let text = format!("/ip4/1.1.1.1/tcp/1{other}");
    assert_eq!(outcome(Addresses::Public, &text), Err(SkipReason::OtherPeer));
    assert_eq!(outcome(Addresses::Loopback, "/ip4/1.1.1.1/tcp/1"), Err(SkipReason::Public));
    let empty = Addresses::Any.target(&Multiaddr::empty(), &peer());
    assert_eq!(empty, Err(SkipReason::TransportUnknown));
}
