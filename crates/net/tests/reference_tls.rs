//! Both of our roles against the libp2p crates' TLS.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{net::Ipv4Addr, sync::Arc};

use futures::{AsyncReadExt, AsyncWriteExt, future::poll_fn};
use kad::{
    PeerId,
    failure::FailureClass,
    network::{AddressOutcome, Connection, Event, Network, Security},
};
use kadscope_net::{
    Addresses, Host, HostConfig, Identity,
    serve::{self, Answer, Head, HeadProfile, ListenLimits, Request, Service},
    tcp_multiaddr,
};
use libp2p_core::{
    muxing::StreamMuxerExt,
    upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade},
};
use libp2p_identity::Keypair;
use multistream_select::{Version, dialer_select_proto, listener_select_proto};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::compat::TokioAsyncReadCompatExt;

const PING: &str = "/ipfs/ping/1.0.0";
const TLS: &str = "/tls/1.0.0";
const YAMUX: &str = "/yamux/1.0.0";

struct Nothing;

impl Service for Nothing {
    async fn answer(&self, _: Request) -> Answer {
        Answer::Nothing
    }
}

fn keypairs() -> [Keypair; 4] {
    let rsa = Keypair::rsa_from_pkcs8(&mut include_bytes!("data/rsa_2048.pk8").to_vec()).unwrap();
    [Keypair::generate_ed25519(), Keypair::generate_secp256k1(), Keypair::generate_ecdsa(), rsa]
}

fn host() -> Host {
    Host::new(HostConfig::new(Identity::generate().unwrap(), Addresses::Loopback)).unwrap()
}

/// The reference as a listener that speaks only TLS: echoes pings until the peer leaves. An error is a peer that
/// proposed something else.
async fn listener(keypair: &Keypair, tcp: TcpStream) -> Option<PeerId> {
    let (name, socket) = listener_select_proto(tcp.compat(), [TLS]).await.ok()?;
    let tls = libp2p_tls::Config::new(keypair).unwrap();
    let (peer, secured) = tls.upgrade_inbound(socket, name).await.ok()?;
    let (name, secured) = listener_select_proto(secured, [YAMUX]).await.unwrap();
    let mut muxer = libp2p_yamux::Config::default().upgrade_inbound(secured, name).await.unwrap();
    loop {
        let next = poll_fn(|cx| {
            drop(muxer.poll_unpin(cx));
            muxer.poll_inbound_unpin(cx)
        });
        let Ok(stream) = next.await else { return Some(peer) };
        tokio::spawn(async move {
            let (_, mut stream) = listener_select_proto(stream, [PING]).await.unwrap();
            let mut ping = [0; 32];
            stream.read_exact(&mut ping).await.unwrap();
            stream.write_all(&ping).await.unwrap();
            stream.close().await.unwrap();
        });
    }
}

#[tokio::test]
async fn our_dialler_falls_back_to_tls_with_the_reference() {
    for keypair in keypairs() {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = tcp_multiaddr(socket.local_addr().unwrap());
        let peer = keypair.public().to_peer_id();
        let server = tokio::spawn(async move {
            let first = listener(&keypair, socket.accept().await.unwrap().0).await;
            let second = listener(&keypair, socket.accept().await.unwrap().0).await;
            (first, second.is_some())
        });
        let mut connection = host().connect(peer, vec![addr]).await.connection.unwrap();
        assert_eq!(connection.endpoint().security, Security::Tls);
        // A ping of 32 bytes is a message of 31 with its length.
        let stream = connection.open(PING, 99);
        connection.send(stream, &[7; 31]);
        let echoed = loop {
            if let Event::Message(_, message) = connection.next().await.unwrap() {
                break message;
            }
        };
        assert_eq!(echoed, [7; 31]);
        connection.close().await;
        assert_eq!(server.await.unwrap(), (None, true));
    }
}

#[tokio::test]
async fn the_reference_dials_our_heads_over_tls() {
    for (own, version) in keypairs().into_iter().zip([Version::V1, Version::V1Lazy].into_iter().cycle()) {
        let socket = serve::bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let addr = socket.local_addr().unwrap();
        let identity = Identity::new(own).unwrap();
        let head = Arc::new(Head::new(identity, &HeadProfile::new("tls/1", &[]), &[], Nothing));
        let peer = head.peer_id();
        let task =
            tokio::spawn(serve::listen(socket, move |_| Some(Arc::clone(&head)), ListenLimits::default()));

        let tcp = TcpStream::connect(addr).await.unwrap();
        let (name, socket) = dialer_select_proto(tcp.compat(), [TLS], version).await.unwrap();
        let tls = libp2p_tls::Config::new(&Keypair::generate_ed25519()).unwrap();
        let (who, secured) = tls.upgrade_outbound(socket, name).await.unwrap();
        assert_eq!(who, peer);
        let (name, secured) = dialer_select_proto(secured, [YAMUX], version).await.unwrap();
        let mut muxer = libp2p_yamux::Config::default().upgrade_outbound(secured, name).await.unwrap();
        let stream = poll_fn(|cx| {
            drop(muxer.poll_unpin(cx));
            muxer.poll_outbound_unpin(cx)
        });
        let stream = stream.await.unwrap();
        let mut ping = Box::pin(async {
            let (_, mut stream) = dialer_select_proto(stream, [PING], version).await.unwrap();
            stream.write_all(&[9; 32]).await.unwrap();
            stream.flush().await.unwrap();
            let mut echoed = [0; 32];
            stream.read_exact(&mut echoed).await.unwrap();
            echoed
        });
        let echoed = poll_fn(|cx| {
            drop(muxer.poll_unpin(cx));
            ping.as_mut().poll(cx)
        });
        assert_eq!(echoed.await, [9; 32]);
        task.abort();
    }
}

#[tokio::test]
async fn who_speaks_neither_is_named() {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = tcp_multiaddr(socket.local_addr().unwrap());
    let server = async {
        loop {
            let (tcp, _) = socket.accept().await.unwrap();
            drop(listener_select_proto(tcp.compat(), ["/plaintext/2.0.0"]).await);
        }
    };
    let host = host();
    let dial = host.connect(PeerId::random(), vec![addr]);
    let dial = tokio::select! { dial = dial => dial, () = server => unreachable!() };
    let outcome = &dial.attempts[0].outcome;
    let named = |class| matches!(outcome, AddressOutcome::Failed(failure) if failure.class == class);
    // What was not read of our first message can turn the end into a reset.
    assert!(named(FailureClass::SecurityNotSupported) || named(FailureClass::ConnectionReset), "{outcome:?}");
}
