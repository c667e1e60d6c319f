//! A host dials heads over loopback QUIC: what arrives, and what each fault is called.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    sync::Arc,
    time::Duration,
};

use kad::{
    PeerId,
    failure::{Failure, FailureClass, Phase},
    identify::{IDENTIFY_PROTOCOL, Identify, MAX_IDENTIFY_BYTES},
    network::{AddressOutcome, Connection, Dial, Event, Network, RttSource, Security, Transport},
};
use kadscope_net::{
    Addresses, AnyConnection, Host, HostConfig, Identity, NetError, quic_multiaddr,
    serve::{self, Action, Answer, Disruption, Head, HeadProfile, ListenLimits, Pace, Request, Service},
};
use tokio::{task::JoinHandle, time::Instant};

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
            b"where" => Answer::Message(request.local.to_string().into_bytes()),
            message => Answer::Message(message.repeat(3)),
        }
    }
}

/// A head that serves until it is dropped.
struct Served {
    addr: SocketAddr,
    peer: PeerId,
    task: JoinHandle<Result<(), NetError>>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn serve_at(ip: IpAddr, change: impl FnOnce(Head<Echo>) -> Head<Echo>) -> Served {
    let profile = HeadProfile::new("echo/1", &[KAD]);
    let socket = serve::bind_quic((ip, 0).into()).unwrap();
    let addr = socket.local_addr().unwrap();
    let head = Head::new(Identity::generate().unwrap(), &profile, &[quic_multiaddr(addr)], Echo);
    let head = Arc::new(change(head));
    let peer = head.peer_id();
    let resolve = move |local| (local == addr).then(|| Arc::clone(&head));
    let task = tokio::spawn(serve::listen_quic(socket, resolve, ListenLimits::default()));
    Served { addr, peer, task }
}

fn serve(change: impl FnOnce(Head<Echo>) -> Head<Echo>) -> Served {
    serve_at(Ipv4Addr::LOCALHOST.into(), change)
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
    host.connect(served.peer, vec![quic_multiaddr(served.addr)]).await
}

async fn connection(host: &Host, served: &Served) -> AnyConnection {
    let dial = dial(host, served).await;
    assert_eq!(dial.attempts[0].outcome, AddressOutcome::Connected);
    dial.connection.unwrap()
}

fn failure(dial: &Dial<AnyConnection>) -> &Failure {
    let AddressOutcome::Failed(failure) = &dial.attempts[0].outcome else { panic!("{:?}", dial.attempts) };
    failure
}

/// The answer to one request.
async fn ask(connection: &mut AnyConnection, request: &[u8]) -> Vec<u8> {
    let stream = connection.open(KAD, MAX_MESSAGE_BYTES);
    connection.send(stream, request);
    connection.finish(stream);
    let mut answer = None;
    loop {
        match connection.next().await.unwrap() {
            Event::Message(id, message) if id == stream => answer = Some(message),
            Event::Ended(id, end) if id == stream => {
                assert_eq!(end, None);
                return answer.unwrap();
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_visit_gets_identify_and_all_answers_in_order() {
    let served = serve(|head| head);
    let mut connection = connection(&host(), &served).await;
    assert_eq!(connection.endpoint().transport, Transport::Quic);
    assert_eq!(connection.endpoint().security, Security::Tls);
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
    assert!(answers.iter().zip(0_u8..).all(|(answer, i)| answer == &[i; 120]));
    let who = who.unwrap();
    assert_eq!(who.agent_version.as_deref(), Some("echo/1"));
    assert_eq!(who.listen_addrs, [quic_multiaddr(served.addr)]);
    let observed = who.observed_addr.unwrap().to_string();
    assert!(observed.starts_with("/ip4/127.0.0.1/udp/") && observed.ends_with("/quic-v1"));
    assert!(connection.traffic().received_bytes > 16 * 120);
    let rtt = connection.round_trip().unwrap();
    assert!(!rtt.time.is_zero() && rtt.time < Duration::from_millis(250), "{rtt:?}");
    assert_eq!(rtt.source, RttSource::Quic);
    connection.close().await;
}

#[tokio::test]
async fn large_answers_come_whole_and_in_order() {
    let served = serve(|head| head);
    let mut connection = connection(&host(), &served).await;
    let stream = connection.open(KAD, MAX_MESSAGE_BYTES);
    for message in [&b"large"[..], b"a", b"nothing", b"large", b"b"] {
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
    assert_eq!(answers, [vec![7; 1 << 20], b"aaa".to_vec(), vec![7; 1 << 20], b"bbb".to_vec()]);
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
    // A reset can overtake the agreement on the protocol that was sent before it.
    let reset = end_of(KAD, b"reset", 99).await.unwrap().unwrap();
    assert_eq!(reset.class, FailureClass::StreamReset);
    assert_eq!(end_of(KAD, b"large", 99).await, failed(Phase::Request, FailureClass::MessageTooLarge));
    let not_spoken = failed(Phase::Stream, FailureClass::ProtocolNotSupported);
    assert_eq!(end_of("/other/1", b"x", 99).await, not_spoken);
    let closed = end_of(KAD, b"rst", 99).await.unwrap_err();
    assert_eq!(closed.class, FailureClass::ConnectionClosed);
}

/// What a dial, or else the first thing on the connection, fails with.
async fn failure_of(phase: Phase, action: Action) -> Failure {
    let served = serve(|head| head.with_disruption(Disruption { phase, action }));
    let host = host_with(|config| config.dials.dial_timeout = Duration::from_millis(200));
    let dial = dial(&host, &served).await;
    if dial.connection.is_none() {
        return failure(&dial).clone();
    }
    let mut connection = dial.connection.unwrap();
    let stream = connection.open(KAD, MAX_MESSAGE_BYTES);
    connection.send(stream, b"x");
    loop {
        match tokio::time::timeout(Duration::from_millis(100), connection.next()).await {
            Err(_) => return Failure::new(Phase::Request, FailureClass::Timeout),
            Ok(Err(failure) | Ok(Event::Ended(_, Some(failure)))) => return failure,
            Ok(Ok(Event::Message(_, message))) => assert_eq!(message[1], 32),
            Ok(Ok(_)) => {}
        }
    }
}

#[tokio::test]
async fn a_fault_at_each_phase_has_its_class() {
    use FailureClass::{ConnectionClosed, Malformed, Timeout};
    for (phase, action, seen_in, class) in [
        (Phase::Connect, Action::Silence, Phase::Connect, Timeout),
        (Phase::Connect, Action::Garbage, Phase::Connect, Timeout),
        (Phase::Connect, Action::Reset, Phase::Connect, ConnectionClosed),
        (Phase::Secure, Action::Close, Phase::Connect, ConnectionClosed),
        (Phase::Multiplex, Action::Close, Phase::Stream, ConnectionClosed),
        (Phase::Stream, Action::Reset, Phase::Stream, ConnectionClosed),
        (Phase::Stream, Action::Garbage, Phase::Stream, Malformed),
        (Phase::Stream, Action::Silence, Phase::Request, Timeout),
        (Phase::Request, Action::Reset, Phase::Request, ConnectionClosed),
        (Phase::Request, Action::Silence, Phase::Request, Timeout),
        (Phase::Request, Action::Garbage, Phase::Request, Timeout),
    ] {
        let failure = failure_of(phase, action).await;
        // An end that overtakes the agreement is seen one phase earlier.
        let early = seen_in == Phase::Request && failure.phase == Phase::Stream;
        assert!(early || failure.phase == seen_in, "{phase} {action:?}: {failure}");
        assert_eq!(failure.class, class, "{phase} {action:?}: {failure}");
    }
}

#[tokio::test]
async fn another_peer_at_the_address_is_named() {
    let served = serve(|head| head);
    let dial = host().connect(PeerId::random(), vec![quic_multiaddr(served.addr)]).await;
    let failure = failure(&dial);
    assert_eq!((failure.phase, failure.class), (Phase::Secure, FailureClass::PeerIdMismatch));
    assert_eq!(failure.detail.as_deref(), Some(&*served.peer.to_base58()));
}

#[tokio::test]
async fn nobody_listening_is_known_at_once() {
    let host = host();
    for ip in [IpAddr::from(Ipv4Addr::new(127, 9, 9, 9)), Ipv6Addr::LOCALHOST.into()] {
        // A port that was free a moment ago.
        let free = UdpSocket::bind((ip, 0)).unwrap().local_addr().unwrap();
        let started = Instant::now();
        let dials = (0..20).map(|_| host.connect(PeerId::random(), vec![quic_multiaddr(free)]));
        for dial in futures::future::join_all(dials).await {
            assert_eq!(failure(&dial), &Failure::new(Phase::Connect, FailureClass::ConnectionRefused));
        }
        assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    }
}

#[tokio::test]
async fn the_refusal_of_one_address_disturbs_no_other_dial() {
    let (host, served) = (host(), serve(|head| head));
    let free = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let started = Instant::now();
    for _ in 0..50 {
        let refused = host.connect(PeerId::random(), vec![quic_multiaddr(free)]);
        let (refused, mut connection) = tokio::join!(refused, connection(&host, &served));
        assert_eq!(failure(&refused).class, FailureClass::ConnectionRefused);
        assert_eq!(ask(&mut connection, b"x").await, b"xxx");
    }
    // A lost datagram would have been sent again after a second.
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[tokio::test]
async fn one_socket_serves_the_head_whose_address_was_dialled() {
    let profile = HeadProfile::new("echo/1", &[KAD]);
    let socket = serve::bind_quic((Ipv4Addr::UNSPECIFIED, 0).into()).unwrap();
    let port = socket.local_addr().unwrap().port();
    let addr = |last: usize| SocketAddr::from(([127, 3, 0, u8::try_from(last).unwrap()], port));
    let heads: Vec<_> = (1..=20)
        .map(|i| {
            Arc::new(Head::new(Identity::generate().unwrap(), &profile, &[quic_multiaddr(addr(i))], Echo))
        })
        .collect();
    let peers: Vec<_> = heads.iter().map(|head| head.peer_id()).collect();
    let resolve = move |local: SocketAddr| {
        let SocketAddr::V4(v4) = local else { return None };
        heads.get(usize::from(v4.ip().octets()[3]).checked_sub(1)?).cloned()
    };
    let task = tokio::spawn(serve::listen_quic(socket, resolve, ListenLimits::default()));
    let host = host();
    for (i, peer) in peers.iter().enumerate() {
        let dial = host.connect(*peer, vec![quic_multiaddr(addr(i + 1))]).await;
        let mut connection = dial.connection.unwrap();
        assert_eq!(
            ask(&mut connection, b"where").await,
            quic_multiaddr(addr(i + 1)).to_string().into_bytes()
        );
    }
    let unknown = host.connect(PeerId::random(), vec![quic_multiaddr(addr(99))]).await;
    assert_eq!(failure(&unknown), &Failure::new(Phase::Connect, FailureClass::ResourceLimit));
    task.abort();
}

#[tokio::test]
async fn ipv6_is_dialled_and_served() {
    let served = serve_at(Ipv6Addr::LOCALHOST.into(), |head| head);
    let mut connection = connection(&host(), &served).await;
    assert_eq!(connection.endpoint().ip_version, 6);
    assert_eq!(ask(&mut connection, b"x").await, b"xxx");
}

#[tokio::test]
async fn a_head_that_is_far_away_answers_late_and_completely() {
    let pace = Pace { accept: Duration::from_millis(2), flight: Duration::from_millis(10) };
    let served = serve(|head| head.with_pace(pace));
    let started = Instant::now();
    let mut connection = connection(&host(), &served).await;
    assert_eq!(ask(&mut connection, b"x").await, b"xxx");
    assert!(started.elapsed() >= pace.accept + 2 * pace.flight);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_of_visits_at_once_lose_nothing() {
    let (host, served) = (host(), Arc::new(serve(|head| head)));
    let visits = (0..300_u16).map(|i| {
        let (host, served) = (host.clone(), Arc::clone(&served));
        tokio::spawn(async move {
            let mut connection = connection(&host, &served).await;
            assert_eq!(ask(&mut connection, &i.to_be_bytes()).await, i.to_be_bytes().repeat(3));
            connection.close().await;
        })
    });
    for visit in futures::future::join_all(visits).await {
        visit.unwrap();
    }
}
