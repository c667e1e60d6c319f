//! A host dials heads over WebSocket and secure WebSocket on loopback: what arrives, and what each fault is called.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use kad::{
    Multiaddr, PeerId,
    failure::{Failure, FailureClass, Phase},
    identify::{IDENTIFY_PROTOCOL, Identify, MAX_IDENTIFY_BYTES},
    network::{AddressOutcome, Connection, Dial, Event, Network, Security, Transport, WssCertificate},
};
use kadscope_net::{
    Addresses, AnyConnection, Authority, Host, HostConfig, Identity, Roots,
    serve::{self, Action, Answer, Disruption, Head, HeadProfile, ListenLimits, Pace, Request, Service},
    session::Securities,
    ws_multiaddr, wss_multiaddr,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
    time::Instant,
};

const KAD: &str = "/ipfs/kad/1.0.0";
const MAX_MESSAGE_BYTES: usize = 4 << 20;

/// Answers with the request itself, three times, or with much.
#[derive(Debug)]
struct Echo;

impl Service for Echo {
    async fn answer(&self, request: Request) -> Answer {
        match &*request.message {
            b"large" => Answer::Message(vec![7; 1 << 20]),
            b"rst" => Answer::HangUp,
            message => Answer::Message(message.repeat(3)),
        }
    }
}

/// A head that serves until it is dropped.
struct Served {
    addr: SocketAddr,
    multiaddr: Multiaddr,
    peer: PeerId,
    task: JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn serve_at(ip: IpAddr, transport: Transport, change: impl FnOnce(Head<Echo>) -> Head<Echo>) -> Served {
    let listener = serve::bind((ip, 0).into()).unwrap();
    let addr = listener.local_addr().unwrap();
    let multiaddr = if transport == Transport::Wss { wss_multiaddr(addr) } else { ws_multiaddr(addr) };
    let announced = [multiaddr.clone()];
    let head =
        Head::new(Identity::generate().unwrap(), &HeadProfile::new("echo/1", &[KAD]), &announced, Echo);
    let head = Arc::new(change(head));
    let peer = head.peer_id();
    let resolve = move |_| Some(Arc::clone(&head));
    let limits = ListenLimits { handshake: Duration::from_secs(2), ..ListenLimits::default() };
    let task = match transport {
        Transport::Wss => tokio::spawn(serve::listen_wss(listener, resolve, limits)),
        _ => tokio::spawn(serve::listen_ws(listener, resolve, limits)),
    };
    Served { addr, multiaddr, peer, task }
}

fn serve(transport: Transport, change: impl FnOnce(Head<Echo>) -> Head<Echo>) -> Served {
    serve_at(Ipv4Addr::LOCALHOST.into(), transport, change)
}

fn host() -> Host {
    let mut config = HostConfig::new(Identity::generate().unwrap(), Addresses::Loopback);
    config.dials.dial_timeout = Duration::from_secs(2);
    Host::new(config).unwrap()
}

async fn dial(served: &Served) -> Dial<AnyConnection> {
    host().connect(served.peer, vec![served.multiaddr.clone()]).await
}

async fn connection(served: &Served) -> AnyConnection {
    let dial = dial(served).await;
    dial.connection.unwrap_or_else(|| panic!("{:?}", dial.attempts))
}

fn failure(dial: &Dial<AnyConnection>) -> &Failure {
    let AddressOutcome::Failed(failure) = &dial.attempts[0].outcome else { panic!("{:?}", dial.attempts) };
    failure
}

async fn visit(connection: &mut AnyConnection) -> (Identify, Vec<Vec<u8>>) {
    let identify = connection.open(IDENTIFY_PROTOCOL, MAX_IDENTIFY_BYTES);
    let stream = connection.open(KAD, MAX_MESSAGE_BYTES);
    for message in [&b"a"[..], b"large", &vec![9; 50_000], b"b"] {
        connection.send(stream, message);
    }
    let (mut answers, mut who) = (Vec::new(), None);
    while answers.len() < 4 || who.is_none() {
        match connection.next().await.unwrap() {
            Event::Message(id, message) if id == identify => who = Some(Identify::decode(&message).unwrap()),
            Event::Message(_, message) => answers.push(message),
            _ => {}
        }
    }
    (who.unwrap(), answers)
}

async fn is_the_same_as_over_tcp(transport: Transport, securities: Securities, ip: IpAddr) {
    let served = serve_at(ip, transport, |head| head.with_securities(securities));
    let mut connection = connection(&served).await;
    let endpoint = connection.endpoint();
    assert_eq!(endpoint.transport, transport);
    assert_eq!(endpoint.security == Security::Tls, securities == Securities::Tls);
    assert_eq!(endpoint.ip_version == 4, ip.is_ipv4());
    let (who, answers) = visit(&mut connection).await;
    assert_eq!(answers, [b"aaa".to_vec(), vec![7; 1 << 20], vec![9; 150_000], b"bbb".to_vec()]);
    assert_eq!(who.listen_addrs, std::slice::from_ref(&served.multiaddr));
    let end = if transport == Transport::Ws { "/ws" } else { "/tls/ws" };
    assert!(who.observed_addr.unwrap().to_string().ends_with(end));
    connection.close().await;
}

#[tokio::test]
async fn a_visit_is_the_same_as_over_tcp() {
    let ips = [IpAddr::V4(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()];
    for (transport, securities) in [
        (Transport::Ws, Securities::Noise),
        (Transport::Ws, Securities::Tls),
        (Transport::Wss, Securities::Noise),
        (Transport::Wss, Securities::Tls),
    ] {
        for ip in ips {
            is_the_same_as_over_tcp(transport, securities, ip).await;
        }
    }
}

/// What a dialler with these roots says of the certificate, which it asks for by that name if by any.
async fn certificate(served: &Served, name: Option<&str>, roots: &Roots) -> Option<WssCertificate> {
    let mut config = HostConfig::new(Identity::generate().unwrap(), Addresses::Loopback);
    config.dials.roots = roots.clone();
    let address = match name {
        Some(name) => format!("/ip4/127.0.0.1/tcp/{}/tls/sni/{name}/ws", served.addr.port()).parse().unwrap(),
        None => served.multiaddr.clone(),
    };
    let dial = Host::new(config).unwrap().connect(served.peer, vec![address]).await;
    let connection = dial.connection.unwrap_or_else(|| panic!("none is refused: {:?}", dial.attempts));
    connection.endpoint().certificate
}

#[tokio::test]
async fn what_a_certificate_is_is_said_and_none_is_refused() {
    use WssCertificate::{Libp2p, Root, Unverified};
    let [own, other] = ["world.test", "world.test"].map(|domain| Authority::new(domain).unwrap());
    let [trusted, strange] =
        [&own, &other].map(|authority| Roots::from_pem(authority.root_pem().as_bytes()).unwrap());
    let (named, outside) = (own.certify("a.world.test").unwrap(), own.certify("a.example").unwrap());
    let served = serve(Transport::Wss, |head| head.with_certificate(Some(named)));
    for (name, roots, expected) in [
        (Some("a.world.test"), &trusted, Root),
        (Some("b.world.test"), &trusted, Unverified),
        (Some("a.world.test"), &strange, Unverified),
        (Some("a.world.test"), &Roots::default(), Unverified),
        (None, &trusted, Unverified),
    ] {
        assert_eq!(certificate(&served, name, roots).await, Some(expected), "{name:?}");
    }
    // It speaks for its own domain alone.
    let beyond = serve(Transport::Wss, |head| head.with_certificate(Some(outside)));
    assert_eq!(certificate(&beyond, Some("a.example"), &trusted).await, Some(Unverified));
    let of_libp2p = serve(Transport::Wss, |head| head);
    assert_eq!(certificate(&of_libp2p, None, &trusted).await, Some(Libp2p));
    let plain = serve(Transport::Ws, |head| head.with_certificate(None));
    assert_eq!(certificate(&plain, None, &trusted).await, None);
}

#[test]
fn what_holds_no_certificate_is_no_list_of_roots() {
    for text in ["", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(Roots::from_pem(text.as_bytes()).is_err(), "{text}");
    }
}

#[tokio::test]
async fn another_peer_at_the_address_is_named() {
    for transport in [Transport::Ws, Transport::Wss] {
        let served = serve(transport, |head| head);
        let dial = host().connect(PeerId::random(), vec![served.multiaddr.clone()]).await;
        assert_eq!(failure(&dial).class, FailureClass::PeerIdMismatch);
        assert_eq!(failure(&dial).detail.as_deref(), Some(&*served.peer.to_base58()));
    }
}

/// What a dial, or else the first thing on the connection, fails with.
async fn failure_of(served: &Served) -> Failure {
    let dial = dial(served).await;
    if dial.connection.is_none() {
        return failure(&dial).clone();
    }
    let mut connection = dial.connection.unwrap();
    let stream = connection.open(KAD, MAX_MESSAGE_BYTES);
    connection.send(stream, b"x");
    loop {
        if let Err(failure) = connection.next().await {
            return failure;
        }
    }
}

#[tokio::test]
async fn a_fault_at_each_phase_has_its_class() {
    use FailureClass::{ConnectionClosed, ConnectionReset, Malformed};
    for (phase, action, seen_in, class) in [
        (Phase::Connect, Action::Garbage, Phase::Connect, Malformed),
        (Phase::Connect, Action::Reset, Phase::Connect, ConnectionReset),
        (Phase::Secure, Action::Reset, Phase::Secure, ConnectionReset),
        (Phase::Secure, Action::Close, Phase::Secure, ConnectionClosed),
        (Phase::Secure, Action::Garbage, Phase::Secure, Malformed),
        (Phase::Multiplex, Action::Garbage, Phase::Multiplex, Malformed),
        (Phase::Stream, Action::Reset, Phase::Stream, ConnectionReset),
        (Phase::Request, Action::Close, Phase::Request, ConnectionClosed),
    ] {
        let served = serve(Transport::Ws, |head| head.with_disruption(Disruption { phase, action }));
        let failure = failure_of(&served).await;
        assert_eq!((failure.phase, failure.class), (seen_in, class), "{phase} {action:?}: {failure}");
    }
}

/// What a dial fails with when the other side answers this.
async fn answered(transport: Transport, answer: Vec<u8>) -> Failure {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let addr = if transport == Transport::Wss { wss_multiaddr(addr) } else { ws_multiaddr(addr) };
    let host = host();
    let dial = host.connect(PeerId::random(), vec![addr]);
    let serve = async {
        let (mut tcp, _) = listener.accept().await.unwrap();
        assert!(tcp.read(&mut [0; 8192]).await.unwrap() > 0);
        tcp.write_all(&answer).await.ok();
        tcp.shutdown().await.ok();
        std::future::pending::<()>().await;
    };
    let dial = tokio::select! { dial = dial => dial, () = serve => unreachable!() };
    failure(&dial).clone()
}

#[tokio::test]
async fn what_is_no_websocket_has_its_class() {
    let not_found =
        answered(Transport::Ws, b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec()).await;
    assert_eq!((not_found.phase, not_found.class), (Phase::Connect, FailureClass::ProtocolNotSupported));
    assert_eq!(not_found.detail.as_deref(), Some("websocket: status 404"));
    let endless = [&b"HTTP/1.1 101 Switching Protocols\r\n"[..], &b"x: y\r\n".repeat(100_000)].concat();
    for (transport, answer, class) in [
        (Transport::Ws, b"".to_vec(), FailureClass::ConnectionClosed),
        (Transport::Ws, b"SSH-2.0-OpenSSH_9.9\r\n\r\n".to_vec(), FailureClass::Malformed),
        (Transport::Ws, b"\x13/multistream/1.0.0\n".to_vec(), FailureClass::Malformed),
        (Transport::Ws, b"HTTP/1.1 101 Switching Protocols\r\n\r\n".to_vec(), FailureClass::Malformed),
        (Transport::Wss, b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), FailureClass::Malformed),
        (Transport::Wss, b"\x15\x03\x03\x00\x02\x02\x28".to_vec(), FailureClass::SecurityNotSupported),
        (Transport::Wss, b"".to_vec(), FailureClass::ConnectionClosed),
    ] {
        let failure = answered(transport, answer.clone()).await;
        assert_eq!((failure.phase, failure.class), (Phase::Connect, class), "{failure} {answer:?}");
    }
    let failure = answered(Transport::Ws, endless).await;
    assert!(matches!(failure.class, FailureClass::Malformed | FailureClass::MessageTooLarge), "{failure}");
}

/// A client's upgrade, by hand, and then some bytes; what the head says after its answer to the upgrade.
async fn heard(served: &Served, bytes: &[u8]) -> Vec<u8> {
    let mut tcp = TcpStream::connect(served.addr).await.unwrap();
    let upgrade = "GET / HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    tcp.write_all(upgrade.as_bytes()).await.unwrap();
    let mut said = Vec::new();
    while !said.ends_with(b"\r\n\r\n") {
        assert!(tcp.read_buf(&mut said).await.unwrap() > 0);
    }
    assert!(said.starts_with(b"HTTP/1.1 101"));
    said.clear();
    tcp.write_all(bytes).await.ok();
    tcp.read_to_end(&mut said).await.ok();
    said
}

#[tokio::test]
async fn frames_that_break_a_rule_end_the_connection_at_once() {
    let served = serve(Transport::Ws, |head| head);
    let started = Instant::now();
    for frame in [
        // Not masked.
        &[0x82, 2, 1, 2][..],
        // A text.
        &[0x81, 0x81, 0, 0, 0, 0, b'x'],
        // Two to the 40 bytes announced.
        &[0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        // An opcode that there is not.
        &[0x83, 0x80, 0, 0, 0, 0],
    ] {
        heard(&served, frame).await;
    }
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "none of them waited for the end of the handshake's time"
    );
    // The head goes on with others.
    connection(&served).await.close().await;
}

#[tokio::test]
async fn who_does_not_upgrade_in_time_is_hung_up_on() {
    for transport in [Transport::Ws, Transport::Wss] {
        let served = serve(transport, |head| head);
        let mut tcp = TcpStream::connect(served.addr).await.unwrap();
        tcp.write_all(b"G").await.unwrap();
        // TLS says why.
        let mut said = Vec::new();
        tcp.read_to_end(&mut said).await.ok();
        assert!(said.len() < 10 && !said.starts_with(b"HTTP"));
    }
}

#[tokio::test]
async fn a_head_that_is_far_away_answers_late_and_completely() {
    let pace = Pace { accept: Duration::from_millis(2), flight: Duration::from_millis(10) };
    let served = serve(Transport::Ws, |head| head.with_pace(pace));
    let started = Instant::now();
    let mut connection = connection(&served).await;
    assert_eq!(visit(&mut connection).await.1.len(), 4);
    // The upgrade, the handshake and the answers.
    assert!(started.elapsed() >= pace.accept + 3 * pace.flight);
}

/// A proxy before a head that says in its answer that the connection is kept alive, as such proxies do.
async fn proxy(to: SocketAddr) -> (SocketAddr, JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (mut near, _) = listener.accept().await.unwrap();
        let mut far = TcpStream::connect(to).await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(near.read_u8().await.unwrap());
        }
        far.write_all(&request).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(far.read_u8().await.unwrap());
        }
        let answer = String::from_utf8(answer).unwrap();
        let changed = answer.replace("onnection: Upgrade", "onnection: keep-alive, Upgrade");
        assert_ne!(answer, changed);
        near.write_all(changed.as_bytes()).await.unwrap();
        tokio::io::copy_bidirectional(&mut near, &mut far).await.ok();
    });
    (addr, task)
}

#[tokio::test]
async fn a_proxy_may_keep_the_connection_alive() {
    let served = serve(Transport::Ws, |head| head);
    let (addr, proxy) = proxy(served.addr).await;
    let dial = host().connect(served.peer, vec![ws_multiaddr(addr)]).await;
    let mut connection = dial.connection.unwrap_or_else(|| panic!("{:?}", dial.attempts));
    assert_eq!(visit(&mut connection).await.1.len(), 4);
    connection.close().await;
    proxy.abort();
}

#[tokio::test]
async fn who_does_not_speak_http_is_not_waited_for() {
    for (banner, text) in [
        (&b"SSH-2.0-OpenSSH_9.6\r\n"[..], "websocket: not HTTP: `SSH-2.0-OpenSSH_9.6`"),
        (b"\x13/multistream/1.0.0\n", "websocket: not HTTP: bytes 13 2f 6d 75 6c 74 69 73"),
    ] {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut tcp, _) = listener.accept().await.unwrap();
            tcp.write_all(banner).await.unwrap();
            while tcp.read(&mut [0; 1024]).await.is_ok_and(|bytes| bytes > 0) {}
        });
        let mut config = HostConfig::new(Identity::generate().unwrap(), Addresses::Loopback);
        config.dials.dial_timeout = Duration::from_secs(60);
        config.dials.total_timeout = config.dials.dial_timeout;
        let host = Host::new(config).unwrap();
        let dial = host.connect(PeerId::random(), vec![ws_multiaddr(addr)]);
        let dial = tokio::time::timeout(Duration::from_secs(20), dial).await.expect("at once");
        assert_eq!(failure(&dial), &Failure::with_detail(Phase::Connect, FailureClass::Malformed, text));
        server.await.unwrap();
    }
}
