//! Every key over Noise, TLS and QUIC, in both roles, on loopback; and peers that speak only one of the two.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use kad::{
    Multiaddr, PeerId,
    failure::{Failure, FailureClass, Phase},
    identify::{IDENTIFY_PROTOCOL, Identify, MAX_IDENTIFY_BYTES},
    network::{AddressOutcome, Connection, Dial, Event, Network, Security},
};
use kadscope_net::{
    Addresses, AnyConnection, Host, HostConfig, Identity, quic_multiaddr,
    serve::{self, Action, Answer, Disruption, Head, HeadProfile, ListenLimits, Request, Service},
    session::Securities,
    tcp_multiaddr,
};
use libp2p_identity::Keypair;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::JoinHandle,
};

const KAD: &str = "/ipfs/kad/1.0.0";

/// Answers with the asker's id.
#[derive(Debug)]
struct WhoAsks;

impl Service for WhoAsks {
    async fn answer(&self, request: Request) -> Answer {
        Answer::Message(request.from.to_bytes())
    }
}

/// A head that serves until it is dropped, over TCP and QUIC.
struct Served {
    tcp: SocketAddr,
    quic: SocketAddr,
    peer: PeerId,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for Served {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

fn serve(keypair: Keypair, change: impl FnOnce(Head<WhoAsks>) -> Head<WhoAsks>) -> Served {
    let listener = serve::bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let socket = serve::bind_quic((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let (tcp, quic) = (listener.local_addr().unwrap(), socket.local_addr().unwrap());
    let identity = Identity::new(keypair).unwrap();
    let head = Arc::new(change(Head::new(identity, &HeadProfile::new("who/1", &[KAD]), &[], WhoAsks)));
    let (peer, other) = (head.peer_id(), Arc::clone(&head));
    let over_tcp = serve::listen(listener, move |_| Some(Arc::clone(&head)), ListenLimits::default());
    let over_quic = serve::listen_quic(socket, move |_| Some(Arc::clone(&other)), ListenLimits::default());
    let tasks = [tokio::spawn(over_tcp), tokio::spawn(async move { over_quic.await.unwrap() })];
    Served { tcp, quic, peer, tasks }
}

fn host(keypair: Keypair) -> Host {
    Host::new(HostConfig::new(Identity::new(keypair).unwrap(), Addresses::Loopback)).unwrap()
}

/// Every type of key that libp2p knows. The RSA keys were made with openssl for these tests only.
fn keypairs() -> Vec<(&'static str, Keypair)> {
    let rsa = |bytes: &[u8]| Keypair::rsa_from_pkcs8(&mut bytes.to_vec()).unwrap();
    vec![
        ("ed25519", Keypair::generate_ed25519()),
        ("secp256k1", Keypair::generate_secp256k1()),
        ("ecdsa", Keypair::generate_ecdsa()),
        ("rsa 2048", rsa(include_bytes!("data/rsa_2048.pk8"))),
        ("rsa 4096", rsa(include_bytes!("data/rsa_4096.pk8"))),
    ]
}

/// The id that the head saw, and the key type that it announced.
async fn visit(connection: &mut AnyConnection) -> (PeerId, PeerId) {
    let identify = connection.open(IDENTIFY_PROTOCOL, MAX_IDENTIFY_BYTES);
    let stream = connection.open(KAD, 4096);
    connection.send(stream, b"who am I?");
    let (mut seen, mut announced) = (None, None);
    loop {
        match connection.next().await.unwrap() {
            Event::Message(id, message) if id == stream => seen = PeerId::from_bytes(&message).ok(),
            Event::Message(id, message) if id == identify => {
                let key = Identify::decode(&message).unwrap().public_key;
                let key = libp2p_identity::PublicKey::try_decode_protobuf(&key).unwrap();
                announced = Some(key.to_peer_id());
            }
            _ => {}
        }
        if let (Some(seen), Some(announced)) = (seen, announced) {
            return (seen, announced);
        }
    }
}

async fn connected(host: &Host, peer: PeerId, addr: Multiaddr) -> AnyConnection {
    let dial = host.connect(peer, vec![addr]).await;
    dial.connection.unwrap_or_else(|| panic!("{:?}", dial.attempts))
}

fn failure(dial: &Dial<AnyConnection>) -> &Failure {
    let AddressOutcome::Failed(failure) = &dial.attempts[0].outcome else { panic!("{:?}", dial.attempts) };
    failure
}

/// Visits `served` at that address and says over what.
async fn visited(host: &Host, own: PeerId, served: &Served, addr: Multiaddr) -> Security {
    let mut connection = connected(host, served.peer, addr).await;
    assert_eq!(visit(&mut connection).await, (own, served.peer));
    let security = connection.endpoint().security;
    connection.close().await;
    security
}

#[tokio::test]
async fn every_key_dials_and_is_dialled_over_noise_tls_and_quic() {
    let keypairs = keypairs();
    for (dialling, own) in &keypairs {
        let (host, own) = (host(own.clone()), own.public().to_peer_id());
        for (dialled, other) in &keypairs {
            let mut over = Vec::new();
            for securities in [Securities::Noise, Securities::Tls] {
                let served = serve(other.clone(), |head| head.with_securities(securities));
                over.push(visited(&host, own, &served, tcp_multiaddr(served.tcp)).await);
            }
            let served = serve(other.clone(), |head| head);
            over.push(visited(&host, own, &served, quic_multiaddr(served.quic)).await);
            assert_eq!(over, [Security::Noise, Security::Tls, Security::Tls], "{dialling} to {dialled}");
        }
    }
}

#[tokio::test]
async fn who_offers_both_is_dialled_over_noise() {
    let served = serve(Keypair::generate_ed25519(), |head| head);
    let host = host(Keypair::generate_ed25519());
    let connection = connected(&host, served.peer, tcp_multiaddr(served.tcp)).await;
    assert_eq!(connection.endpoint().security, Security::Noise);
}

#[tokio::test]
async fn another_peer_that_speaks_only_tls_is_named() {
    let served = serve(Keypair::generate_ed25519(), |head| head.with_securities(Securities::Tls));
    let dial =
        host(Keypair::generate_ed25519()).connect(PeerId::random(), vec![tcp_multiaddr(served.tcp)]).await;
    let failure = failure(&dial);
    assert_eq!((failure.phase, failure.class), (Phase::Secure, FailureClass::PeerIdMismatch));
    assert_eq!(failure.detail.as_deref(), Some(&*served.peer.to_base58()));
}

#[tokio::test]
async fn a_fault_within_tls_has_its_class() {
    use FailureClass::{ConnectionClosed, ConnectionReset, Malformed};
    for (phase, action, class) in [
        (Phase::Multiplex, Action::Reset, ConnectionReset),
        (Phase::Multiplex, Action::Close, ConnectionClosed),
        (Phase::Multiplex, Action::Garbage, Malformed),
        (Phase::Request, Action::Close, ConnectionClosed),
    ] {
        let served = serve(Keypair::generate_ed25519(), |head| {
            head.with_securities(Securities::Tls).with_disruption(Disruption { phase, action })
        });
        let host = host(Keypair::generate_ed25519());
        let mut connection = connected(&host, served.peer, tcp_multiaddr(served.tcp)).await;
        let stream = connection.open(KAD, 4096);
        connection.send(stream, b"x");
        let failure = loop {
            if let Err(failure) = connection.next().await {
                break failure;
            }
        };
        assert_eq!((failure.phase, failure.class), (phase, class), "{phase} {action:?}: {failure}");
    }
}

/// A listener that says something to each connection, then hangs up (with a reset if so); how many came.
async fn says(answer: &'static [u8], reset: bool) -> (Failure, usize) {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = tcp_multiaddr(listener.local_addr().unwrap());
    let mut came = 0;
    let host = host(Keypair::generate_ed25519());
    let dial = host.connect(PeerId::random(), vec![addr]);
    let serve = async {
        loop {
            let (mut tcp, _) = listener.accept().await.unwrap();
            came += 1;
            assert!(tcp.read(&mut [0; 8192]).await.unwrap() > 0);
            tcp.write_all(answer).await.unwrap();
            if reset {
                // What was said leaves before the reset, and is read before it.
                tcp.set_zero_linger().unwrap();
            }
        }
    };
    let dial = tokio::select! { dial = dial => dial, () = serve => unreachable!() };
    (failure(&dial).clone(), came)
}

#[tokio::test]
async fn only_who_speaks_and_refuses_is_dialled_twice() {
    let header = b"\x13/multistream/1.0.0\n";
    let (failure, came) = says(b"\x13/multistream/1.0.0\n\x03na\n", false).await;
    assert_eq!((failure.class, came), (FailureClass::SecurityNotSupported, 2));
    let (failure, came) = says(header, true).await;
    assert_eq!((failure.class, came), (FailureClass::ConnectionReset, 2));
    for (answer, class) in
        [(&b""[..], FailureClass::ConnectionReset), (b"\x05hello", FailureClass::Malformed)]
    {
        let (failure, came) = says(answer, true).await;
        assert_eq!((failure.class, came), (class, 1));
    }
}

#[tokio::test]
async fn who_speaks_another_protocol_is_not_waited_for() {
    use tokio::{net::TcpListener, time::timeout};
    for (banner, shown) in [
        (&b"SSH-2.0-OpenSSH_9.6p1\r\n"[..], "`SSH-2.0-OpenSSH_9.6p1`"),
        (b"HTTP/1.1 400 Bad Request\r\n", "`HTTP/1.1 400 Bad Request`"),
        (b"220 x\r\n", "`220 x`"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "bytes 15 03 01 00 02 02 46"),
    ] {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        // It says its first word and then waits for ours, as such servers do.
        let server = tokio::spawn(async move {
            let (mut tcp, _) = listener.accept().await.unwrap();
            tcp.write_all(banner).await.unwrap();
            while tcp.read(&mut [0; 8192]).await.is_ok_and(|bytes| bytes > 0) {}
        });
        let mut config =
            HostConfig::new(Identity::new(Keypair::generate_ed25519()).unwrap(), Addresses::Loopback);
        config.dials.dial_timeout = std::time::Duration::from_secs(60);
        config.dials.total_timeout = config.dials.dial_timeout;
        let host = Host::new(config).unwrap();
        let dial = host.connect(PeerId::random(), vec![tcp_multiaddr(addr)]);
        let dial = timeout(std::time::Duration::from_secs(20), dial).await.expect("at once");
        let text = format!("multistream: not a line of it: {shown}");
        assert_eq!(failure(&dial), &Failure::with_detail(Phase::Secure, FailureClass::Malformed, &text));
        server.await.unwrap();
    }
}
