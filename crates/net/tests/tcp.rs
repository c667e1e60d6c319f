//! A host dials heads over loopback TCP: what arrives, and what each fault is called.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use kad::{
    Multiaddr, PeerId,
    failure::{Failure, FailureClass, Phase, SkipReason},
    identify::{IDENTIFY_PROTOCOL, Identify, MAX_IDENTIFY_BYTES},
    network::{AddressOutcome, Connection, Dial, Event, Network, RttSource, Security, Transport},
};
use kadscope_net::{
    Addresses, AnyConnection, Host, HostConfig, Identity,
    serve::{self, Action, Answer, Disruption, Head, HeadProfile, ListenLimits, Pace, Request, Service},
    tcp_multiaddr,
};
use tokio::{io::AsyncReadExt, net::TcpStream, task::JoinHandle};

const KAD: &str = "/ipfs/kad/1.0.0";
const MAX_MESSAGE_BYTES: usize = 4 << 20;

/// Answers with the request itself, several times over; some requests ask for something else.
#[derive(Debug)]
struct Echo;

impl Service for Echo {
    async fn answer(&self, request: Request) -> Answer {
        match &*request.message {
            b"nothing" => Answer::Nothing,
            b"close" => Answer::Close,
            b"reset" => Answer::Reset,
            b"rst" => Answer::HangUp,
            b"large" => Answer::Message(vec![7; 1 << 20]),
            b"later" => {
                tokio::time::sleep(Duration::from_millis(1)).await;
                Answer::Message(b"later".to_vec())
            }
            message => Answer::Message(message.repeat(3)),
        }
    }
}

/// A head that serves until it is dropped.
struct Served {
    addr: SocketAddr,
    peer: PeerId,
    task: JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn serve(change: impl FnOnce(Head<Echo>) -> Head<Echo>) -> Served {
    serve_within(ListenLimits::default(), change)
}

fn serve_within(limits: ListenLimits, change: impl FnOnce(Head<Echo>) -> Head<Echo>) -> Served {
    let profile = HeadProfile::new("echo/1", &[KAD]);
    let listener = serve::bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let addr = listener.local_addr().unwrap();
    let head = Head::new(Identity::generate().unwrap(), &profile, &[tcp_multiaddr(addr)], Echo);
    let head = Arc::new(change(head));
    let peer = head.peer_id();
    let resolve = move |local| (local == addr).then(|| Arc::clone(&head));
    let task = tokio::spawn(serve::listen(listener, resolve, limits));
    Served { addr, peer, task }
}

fn host() -> Host {
    host_with(|_| ())
}

fn host_with(change: impl FnOnce(&mut HostConfig)) -> Host {
    let mut config = HostConfig::new(Identity::generate().unwrap(), Addresses::Loopback);
    config.agent = "asker/1".into();
    change(&mut config);
    Host::new(config).unwrap()
}

async fn dial(host: &Host, served: &Served) -> Dial<AnyConnection> {
    host.connect(served.peer, vec![tcp_multiaddr(served.addr)]).await
}

async fn connection(host: &Host, served: &Served) -> AnyConnection {
    let dial = dial(host, served).await;
    assert_eq!(dial.attempts[0].outcome, AddressOutcome::Connected);
    dial.connection.unwrap()
}

#[tokio::test]
async fn a_visit_gets_identify_and_all_answers_in_order() {
    let served = serve(|head| head);
    let mut connection = connection(&host(), &served).await;
    assert_eq!(connection.endpoint().transport, Transport::Tcp);
    assert_eq!(connection.endpoint().security, Security::Noise);
    let rtt = connection.round_trip().unwrap();
    assert!(!rtt.time.is_zero() && rtt.time < Duration::from_secs(1), "{rtt:?}");
    #[cfg(target_os = "linux")]
    assert_eq!(rtt.source, RttSource::TcpInfo);
    let identify = connection.open(IDENTIFY_PROTOCOL, MAX_IDENTIFY_BYTES);
    let stream = connection.open(KAD, MAX_MESSAGE_BYTES);
    for i in 0..16_u8 {
        connection.send(stream, &[i; 40]);
    }
    let (mut answers, mut who, mut ended, mut accepted) = (Vec::new(), None, false, 0);
    while answers.len() < 16 || !ended {
        match connection.next().await.unwrap() {
            Event::Accepted(_) => accepted += 1,
            Event::Message(id, message) if id == stream => answers.push(message),
            Event::Message(_, message) => who = Some(Identify::decode(&message).unwrap()),
            Event::Ended(id, end) => {
                assert_eq!((id, end), (identify, None));
                ended = true;
            }
        }
    }
    assert_eq!(accepted, 2);
    assert!(answers.iter().zip(0..).all(|(answer, i)| answer == &[i; 120]));
    let who = who.unwrap();
    assert_eq!(who.agent_version.as_deref(), Some("echo/1"));
    assert_eq!(who.protocols.last().map(String::as_str), Some(KAD));
    assert_eq!(who.listen_addrs, [tcp_multiaddr(served.addr)]);
    assert!(who.observed_addr.unwrap().to_string().starts_with("/ip4/127.0.0.1/tcp/"));
    assert!(connection.traffic().received_bytes > 16 * 120);
    connection.close().await;
}

#[tokio::test]
async fn answers_keep_their_order_where_the_first_takes_longer() {
    let served = serve(|head| head);
    let mut connection = connection(&host(), &served).await;
    let stream = connection.open(KAD, MAX_MESSAGE_BYTES);
    for message in [&b"later"[..], b"a", b"nothing", b"large", b"b"] {
        connection.send(stream, message);
    }
    connection.finish(stream);
    let mut answers = Vec::new();
    loop {
        match connection.next().await.unwrap() {
            Event::Message(_, message) => answers.push(message),
            Event::Accepted(_) => {}
            Event::Ended(id, end) => {
                assert_eq!((id, end), (stream, None));
                break;
            }
        }
    }
    assert_eq!(answers, [b"later".to_vec(), b"aaa".to_vec(), vec![7; 1 << 20], b"bbb".to_vec()]);
}

/// How a stream ends after one message was sent on it.
async fn end_of(protocol: &str, message: &[u8], max: usize) -> Result<Option<Failure>, Failure> {
    let served = serve(|head| head);
    let mut connection = connection(&host(), &served).await;
    let stream = connection.open(protocol, max);
    connection.send(stream, message);
    loop {
        if let Event::Ended(id, end) = connection.next().await? {
            assert_eq!(id, stream);
            return Ok(end);
        }
    }
}

#[tokio::test]
async fn every_end_of_a_stream_has_its_name() {
    let failed = |phase, class| Ok(Some(Failure::new(phase, class)));
    assert_eq!(end_of(KAD, b"close", 99).await, Ok(None));
    assert_eq!(end_of(KAD, b"reset", 99).await, failed(Phase::Request, FailureClass::StreamReset));
    assert_eq!(end_of(KAD, b"large", 99).await, failed(Phase::Request, FailureClass::MessageTooLarge));
    let not_spoken = failed(Phase::Stream, FailureClass::ProtocolNotSupported);
    assert_eq!(end_of("/other/1", b"x", 99).await, not_spoken);
    let reset = Err(Failure::new(Phase::Request, FailureClass::ConnectionReset));
    assert_eq!(end_of(KAD, b"rst", 99).await, reset);
}

/// What a dial, or else the first thing on the connection, fails with.
async fn failure_of(phase: Phase, action: Action) -> Failure {
    let served = serve(|head| head.with_disruption(Disruption { phase, action }));
    // Who waits for nothing need not wait for long.
    let silent = matches!(phase, Phase::Connect | Phase::Secure) && action == Action::Silence;
    let host = host_with(|config| {
        config.dials.dial_timeout =
            if silent { Duration::from_millis(100) } else { config.dials.dial_timeout };
    });
    let unanswered = phase == Phase::Request && matches!(action, Action::Silence | Action::Garbage);
    let patience = if unanswered { 100 } else { 5000 };
    let dial = dial(&host, &served).await;
    let Some(mut connection) = dial.connection else {
        let AddressOutcome::Failed(failure) = &dial.attempts[0].outcome else {
            panic!("{:?}", dial.attempts)
        };
        return failure.clone();
    };
    let stream = connection.open(KAD, MAX_MESSAGE_BYTES);
    connection.send(stream, b"x");
    loop {
        match tokio::time::timeout(Duration::from_millis(patience), connection.next()).await {
            Err(_) => return Failure::new(Phase::Request, FailureClass::Timeout),
            Ok(Err(failure)) => return failure,
            Ok(Ok(Event::Message(_, message))) => assert_eq!(message[1], 32),
            Ok(Ok(_)) => {}
        }
    }
}

#[tokio::test]
async fn a_fault_at_each_phase_has_its_class() {
    use FailureClass::{ConnectionClosed, ConnectionReset, Malformed, Timeout};
    for (phase, action, seen_in, class) in [
        (Phase::Connect, Action::Silence, Phase::Secure, Timeout),
        (Phase::Connect, Action::Garbage, Phase::Secure, Malformed),
        (Phase::Connect, Action::Reset, Phase::Secure, ConnectionReset),
        (Phase::Secure, Action::Silence, Phase::Secure, Timeout),
        (Phase::Secure, Action::Reset, Phase::Secure, ConnectionReset),
        (Phase::Secure, Action::Close, Phase::Secure, ConnectionClosed),
        (Phase::Secure, Action::Garbage, Phase::Secure, Malformed),
        (Phase::Multiplex, Action::Reset, Phase::Multiplex, ConnectionReset),
        (Phase::Multiplex, Action::Close, Phase::Multiplex, ConnectionClosed),
        (Phase::Multiplex, Action::Garbage, Phase::Multiplex, Malformed),
        (Phase::Stream, Action::Garbage, Phase::Stream, Malformed),
        (Phase::Stream, Action::Reset, Phase::Stream, ConnectionReset),
        (Phase::Stream, Action::Close, Phase::Stream, ConnectionClosed),
        (Phase::Request, Action::Reset, Phase::Request, ConnectionReset),
        (Phase::Request, Action::Close, Phase::Request, ConnectionClosed),
        (Phase::Request, Action::Silence, Phase::Request, Timeout),
        (Phase::Request, Action::Garbage, Phase::Request, Timeout),
    ] {
        let failure = failure_of(phase, action).await;
        assert_eq!((failure.phase, failure.class), (seen_in, class), "{phase} {action:?}: {failure}");
    }
}

#[tokio::test]
async fn bytes_of_attempts_that_became_no_connection_are_counted() {
    let fault = |phase, action| serve(|head| head.with_disruption(Disruption { phase, action }));
    let (garbled, silent) = (fault(Phase::Secure, Action::Garbage), fault(Phase::Connect, Action::Silence));
    let (served, host) = (serve(|head| head), host());
    assert!(host.connect(garbled.peer, vec![tcp_multiaddr(garbled.addr)]).await.connection.is_none());
    let failed = host.totals().lost;
    assert!(failed.sent_bytes > 0 && failed.received_bytes > 0, "{failed:?}");
    assert!(host.connect(served.peer, vec![tcp_multiaddr(served.addr)]).await.connection.is_some());
    assert_eq!(host.totals().lost, failed, "a connection has its own");
    let addrs = vec![tcp_multiaddr(silent.addr), tcp_multiaddr(served.addr)];
    assert!(host.connect(served.peer, addrs).await.connection.is_some());
    assert!(host.totals().lost.sent_bytes > failed.sent_bytes, "one was given up");
}

#[tokio::test]
async fn every_address_keeps_its_fate() {
    let served = serve(|head| head);
    let silent =
        serve(|head| head.with_disruption(Disruption { phase: Phase::Connect, action: Action::Silence }));
    // A port that was free a moment ago, on an address of its own.
    let refused = std::net::TcpListener::bind(("127.9.9.9", 0)).unwrap().local_addr().unwrap();
    let addrs: Vec<Multiaddr> = vec![
        tcp_multiaddr(silent.addr),
        "/ip4/8.8.8.8/tcp/4001".parse().unwrap(),
        tcp_multiaddr(refused),
        tcp_multiaddr(served.addr),
        "/ip4/127.0.0.1/tcp/9/p2p-circuit".parse().unwrap(),
        tcp_multiaddr(SocketAddr::from(([127, 0, 0, 1], 9))),
    ];
    let dial = host().connect(served.peer, addrs).await;
    let outcomes: Vec<_> = dial.attempts.iter().map(|attempt| attempt.outcome.clone()).collect();
    assert_eq!(
        outcomes,
        [
            AddressOutcome::Abandoned,
            AddressOutcome::Skipped(SkipReason::Public),
            AddressOutcome::Failed(Failure::new(Phase::Connect, FailureClass::ConnectionRefused)),
            AddressOutcome::Connected,
            AddressOutcome::Skipped(SkipReason::Relayed),
            AddressOutcome::NotTried,
        ]
    );
    assert!(dial.attempts[0].started_after.is_some() && dial.attempts[1].started_after.is_none());
    assert_eq!(dial.connection.unwrap().endpoint().address, 3);
}

#[tokio::test]
async fn another_peer_at_the_address_is_named() {
    let served = serve(|head| head);
    let dial = host().connect(PeerId::random(), vec![tcp_multiaddr(served.addr)]).await;
    let AddressOutcome::Failed(failure) = &dial.attempts[0].outcome else { panic!() };
    assert_eq!((failure.phase, failure.class), (Phase::Secure, FailureClass::PeerIdMismatch));
    assert_eq!(failure.detail.as_deref(), Some(&*served.peer.to_base58()));
}

#[tokio::test]
async fn the_overall_timeout_keeps_what_each_address_came_to() {
    let silent =
        serve(|head| head.with_disruption(Disruption { phase: Phase::Connect, action: Action::Silence }));
    let limit = Duration::from_millis(60);
    let own = host_with(|config| config.dials.total_timeout = limit);
    // The host's own limit, and that of the caller.
    for (host, at_most) in [(own, None), (host(), Some(limit))] {
        let dial = host.connect_within(silent.peer, vec![tcp_multiaddr(silent.addr)], at_most).await;
        let failed = Failure::new(Phase::Secure, FailureClass::Timeout);
        assert_eq!(dial.attempts[0].outcome, AddressOutcome::Failed(failed));
        assert!(dial.attempts[0].took.is_some_and(|took| took >= Duration::from_millis(50)));
    }
}

#[tokio::test]
async fn a_head_that_is_far_away_answers_late_and_completely() {
    let pace = Pace { accept: Duration::from_millis(2), flight: Duration::from_millis(10) };
    let served = serve(|head| head.with_pace(pace));
    let started = tokio::time::Instant::now();
    let mut connection = connection(&host(), &served).await;
    let stream = connection.open(KAD, MAX_MESSAGE_BYTES);
    connection.send(stream, b"x");
    while !matches!(connection.next().await.unwrap(), Event::Message(..)) {}
    assert!(started.elapsed() >= pace.accept + 2 * pace.flight);
}

#[tokio::test]
async fn a_listener_resets_what_it_does_not_know() {
    let listener = serve::bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let addr = listener.local_addr().unwrap();
    let task = tokio::spawn(serve::listen(listener, |_| None::<Arc<Head<Echo>>>, ListenLimits::default()));
    let dial = host().connect(PeerId::random(), vec![tcp_multiaddr(addr)]).await;
    let AddressOutcome::Failed(failure) = &dial.attempts[0].outcome else { panic!() };
    assert_eq!(failure.class, FailureClass::ConnectionReset);
    task.abort();
}

#[tokio::test]
async fn who_proves_nothing_in_time_is_hung_up_on() {
    let limits = ListenLimits { handshake: Duration::from_millis(10), ..ListenLimits::default() };
    let served = serve_within(limits, |head| head);
    let mut tcp = TcpStream::connect(served.addr).await.unwrap();
    assert_eq!(tcp.read(&mut [0; 64]).await.unwrap(), 0);
}

#[tokio::test]
async fn idle_streams_are_reset_and_then_idle_connections_closed() {
    let idle = Duration::from_millis(10);
    let limits = ListenLimits {
        idle_stream: idle,
        idle_connection: idle,
        handshake: idle * 40,
        ..ListenLimits::default()
    };
    let served = serve_within(limits, |head| head);
    let mut connection = connection(&host(), &served).await;
    let stream = connection.open(KAD, MAX_MESSAGE_BYTES);
    connection.send(stream, b"x");
    assert_eq!(connection.next().await.unwrap(), Event::Accepted(stream));
    assert_eq!(connection.next().await.unwrap(), Event::Message(stream, b"xxx".to_vec()));
    let reset = Failure::new(Phase::Request, FailureClass::StreamReset);
    assert_eq!(connection.next().await.unwrap(), Event::Ended(stream, Some(reset)));
    assert_eq!(connection.next().await.unwrap_err().class, FailureClass::ConnectionClosed);
}

#[tokio::test]
async fn a_connection_too_many_is_reset() {
    let served = serve_within(ListenLimits { connections: 1, ..ListenLimits::default() }, |head| head);
    let host = host();
    let first = connection(&host, &served).await;
    let dial = dial(&host, &served).await;
    let AddressOutcome::Failed(failure) = &dial.attempts[0].outcome else { panic!() };
    assert_eq!(failure.class, FailureClass::ConnectionReset);
    first.close().await;
}

#[tokio::test]
async fn one_socket_serves_both_versions_of_ip() {
    let listener = serve::bind((Ipv6Addr::UNSPECIFIED, 0).into()).unwrap();
    let port = listener.local_addr().unwrap().port();
    let head = Head::new(Identity::generate().unwrap(), &HeadProfile::new("echo/1", &[KAD]), &[], Echo);
    let (peer, head) = (head.peer_id(), Arc::new(head));
    let ips = [IpAddr::V4(Ipv4Addr::new(127, 4, 4, 4)), Ipv6Addr::LOCALHOST.into()];
    // The head is found by the address that was dialled, and of IPv4 that is one of IPv4.
    let resolve = move |local: SocketAddr| ips.contains(&local.ip()).then(|| Arc::clone(&head));
    let task = tokio::spawn(serve::listen(listener, resolve, ListenLimits::default()));
    let addrs = ips.map(|ip| tcp_multiaddr((ip, port).into()));
    for (version, addr) in [(4, &addrs[0]), (6, &addrs[1])] {
        let dial = host().connect(peer, vec![addr.clone()]).await;
        let mut connection = dial.connection.unwrap();
        assert_eq!(connection.endpoint().ip_version, version);
        connection.open(IDENTIFY_PROTOCOL, MAX_IDENTIFY_BYTES);
        let who = loop {
            if let Event::Message(_, message) = connection.next().await.unwrap() {
                break Identify::decode(&message).unwrap();
            }
        };
        let observed = who.observed_addr.unwrap().to_string();
        assert!(observed.starts_with(&format!("/ip{version}/")), "{observed}");
    }
    // Of a host with both, IPv4 goes first and IPv6 is there when it fails.
    let refused = tcp_multiaddr(SocketAddr::from(([127, 9, 9, 9], port)));
    let [_, v6] = addrs;
    let dial = host().connect(peer, vec![v6, "/ip4/127.4.4.5/tcp/9".parse().unwrap(), refused]).await;
    assert_eq!(dial.attempts[0].outcome, AddressOutcome::Connected);
    assert!(matches!(dial.attempts[1].outcome, AddressOutcome::Failed(_)));
    task.abort();
}
