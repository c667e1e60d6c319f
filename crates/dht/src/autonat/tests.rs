//! Who is dialled back, what is said of it, how long that takes, and what a peer of ours believes of itself.

use std::{
    future::pending,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use kad::{
    Contact, Multiaddr, PeerId,
    autonat::{
        DIAL_BACK_TIMEOUT, Reachability,
        v1::{AUTONAT_PROTOCOL, AutonatMessage, DialBackReply, DialBackRequest, DialBackStatus},
        v2::{
            CheckMessage, CheckReply, CheckRequest, CheckStatus, DIAL_REQUEST_PROTOCOL, DialBack, DialStatus,
        },
    },
    fabric::{Carried, PeerStream, Reset},
    failure::{Failure, FailureClass, Phase, SkipReason},
    network::{
        AddressOutcome, Attempt, Connection, Dial, Endpoint, Event, Network, RoundTrip, Security, StreamId,
        Traffic, Transport,
    },
};
use tokio::time::{Instant, sleep, timeout};

use super::{DialBacks, Inquiry};
use crate::pool::{Pool, PoolConfig};

/// Reaches everybody, whose answer to everything is the same; or nobody.
#[derive(Debug, Clone)]
struct Fake {
    answer: Option<Vec<u8>>,
    dialled: Arc<Mutex<Vec<Vec<Multiaddr>>>>,
    sent: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Fake {
    fn answering(answer: Option<Vec<u8>>) -> Self {
        Self { answer, dialled: Arc::default(), sent: Arc::default() }
    }

    fn dials(&self) -> usize {
        self.dialled.lock().unwrap().len()
    }
}

struct Line {
    endpoint: Endpoint,
    fake: Fake,
    coming: Vec<Event>,
}

impl Network for Fake {
    type Connection = Line;

    fn local(&self) -> PeerId {
        PeerId::from_bytes(&[0, 1, 7]).unwrap()
    }

    fn admits(&self, address: &Multiaddr) -> Result<Option<Transport>, SkipReason> {
        let is_private = address.to_string().starts_with("/ip4/10.");
        if is_private { Err(SkipReason::Private) } else { Ok(Some(Transport::Tcp)) }
    }

    async fn connect_within(&self, _: PeerId, addrs: Vec<Multiaddr>, _: Option<Duration>) -> Dial<Line> {
        let outcome = match self.answer {
            Some(_) => AddressOutcome::Connected,
            None => AddressOutcome::Failed(Failure::new(Phase::Connect, FailureClass::ConnectionRefused)),
        };
        let attempts = addrs.iter().map(|_| Attempt::untried(outcome.clone())).collect();
        self.dialled.lock().unwrap().push(addrs);
        let endpoint = Endpoint {
            address: 0,
            transport: Transport::Tcp,
            security: Security::Noise,
            certificate: None,
            ip_version: 4,
            socket: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
        };
        let line = |_: &Vec<u8>| Line { endpoint, fake: self.clone(), coming: Vec::new() };
        Dial { attempts, connection: self.answer.as_ref().map(line) }
    }
}

impl Connection for Line {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn open(&mut self, _: &str, _: usize) -> StreamId {
        let (stream, answer) = (StreamId(1), self.fake.answer.clone().unwrap());
        self.coming =
            vec![Event::Ended(stream, None), Event::Message(stream, answer), Event::Accepted(stream)];
        stream
    }

    fn send(&mut self, _: StreamId, message: &[u8]) {
        self.fake.sent.lock().unwrap().push(message.to_vec());
    }

    fn finish(&mut self, _: StreamId) {}

    fn reset(&mut self, _: StreamId) {}

    async fn next(&mut self) -> Result<Event, Failure> {
        match self.coming.pop() {
            Some(event) => Ok(event),
            None => pending().await,
        }
    }

    fn round_trip(&self) -> Option<RoundTrip> {
        None
    }

    fn traffic(&self) -> Traffic {
        Traffic::default()
    }

    async fn close(self) {}
}

fn addr(text: &str) -> Multiaddr {
    text.parse().unwrap()
}

/// A stream of an asker that is seen at 1.2.3.4, at our address 5.6.7.8.
fn asked_by(from: PeerId, protocol: &str) -> (PeerStream, Carried) {
    let places = (addr("/ip4/1.2.3.4/tcp/999"), addr("/ip4/5.6.7.8/tcp/4001"));
    PeerStream::new(from, protocol.to_owned(), places)
}

/// What the asker hears for its messages, and how it ends.
async fn heard<N: Network>(
    dial_backs: &Arc<DialBacks<N>>,
    (stream, carried): (PeerStream, Carried),
    messages: &[Vec<u8>],
) -> (Vec<Vec<u8>>, Result<(), Reset>) {
    for message in messages {
        carried.deliver(message.clone());
    }
    carried.finish();
    let mut attending = dial_backs.attend(stream).unwrap();
    let mut said = Vec::new();
    let end = std::future::poll_fn(|cx| {
        loop {
            let end = attending.as_mut().poll(cx);
            match carried.take() {
                Some(message) => said.push(message),
                None => return end,
            }
            if end.is_ready() {
                return end;
            }
        }
    })
    .await;
    (said, end)
}

async fn v1(dial_backs: &Arc<DialBacks<Fake>>, from: PeerId, addrs: &[&str]) -> DialBackReply {
    let addrs: Vec<_> = addrs.iter().map(|text| addr(text)).collect();
    let request = AutonatMessage::Request(DialBackRequest::new(&from, &addrs)).encode();
    let (said, end) = heard(dial_backs, asked_by(from, AUTONAT_PROTOCOL), &[request]).await;
    assert_eq!((end, said.len()), (Ok(()), 1));
    match AutonatMessage::decode(&said[0]) {
        Ok(AutonatMessage::Reply(reply)) => reply,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_is_dialled_where_it_is_seen_and_nowhere_else() {
    let fake = Fake::answering(Some(Vec::new()));
    let dial_backs = Arc::new(DialBacks::new(fake.clone(), 1));
    let addrs = ["/ip4/10.0.0.1/tcp/4001", "/ip4/9.9.9.9/udp/4001/quic-v1", "/dns4/victim.example/tcp/443"];
    let reply = v1(&dial_backs, PeerId::random(), &addrs).await;
    assert_eq!(reply, DialBackReply::reached(&addr("/ip4/1.2.3.4/tcp/999")));
    let expected = ["/ip4/1.2.3.4/tcp/999", "/ip4/1.2.3.4/tcp/4001", "/ip4/1.2.3.4/udp/4001/quic-v1"];
    assert_eq!(*fake.dialled.lock().unwrap(), [expected.map(addr)]);
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_reached_takes_as_long_as_anything_may() {
    let dial_backs = Arc::new(DialBacks::new(Fake::answering(None), 1));
    let begun = Instant::now();
    let reply = v1(&dial_backs, PeerId::random(), &["/ip4/1.2.3.4/tcp/1"]).await;
    assert_eq!((reply.status, begun.elapsed()), (DialBackStatus::DialError, DIAL_BACK_TIMEOUT));
}

#[tokio::test(start_paused = true)]
async fn a_peer_is_dialled_three_times_a_minute_and_not_at_our_own_address() {
    let fake = Fake::answering(Some(Vec::new()));
    let dial_backs = Arc::new(DialBacks::new(fake.clone(), 1));
    let asker = PeerId::random();
    for _ in 0..3 {
        assert_eq!(v1(&dial_backs, asker, &[]).await.status, DialBackStatus::Reached);
    }
    assert_eq!(v1(&dial_backs, asker, &[]).await.status, DialBackStatus::Refused);
    assert_eq!(v1(&dial_backs, PeerId::random(), &[]).await.status, DialBackStatus::Reached);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(v1(&dial_backs, asker, &[]).await.status, DialBackStatus::Reached);

    let before = fake.dials();
    let places = (addr("/ip4/5.6.7.8/tcp/999"), addr("/ip4/5.6.7.8/tcp/4001"));
    let stream = PeerStream::new(asker, AUTONAT_PROTOCOL.to_owned(), places);
    let request = AutonatMessage::Request(DialBackRequest::new(&asker, &[])).encode();
    let (said, _) = heard(&dial_backs, stream, &[request]).await;
    assert!(matches!(
        AutonatMessage::decode(&said[0]),
        Ok(AutonatMessage::Reply(reply)) if reply.status == DialBackStatus::Refused
    ));
    assert_eq!(fake.dials(), before);
}

#[tokio::test(start_paused = true)]
async fn nonsense_and_silence_are_reset_and_cost_nothing() {
    let fake = Fake::answering(Some(Vec::new()));
    let dial_backs = Arc::new(DialBacks::new(fake.clone(), 1));
    for protocol in [AUTONAT_PROTOCOL, DIAL_REQUEST_PROTOCOL] {
        for messages in [&[][..], &[vec![0xff; 9]]] {
            let stream = asked_by(PeerId::random(), protocol);
            assert_eq!(heard(&dial_backs, stream, messages).await, (Vec::new(), Err(Reset)), "{protocol}");
        }
    }
    assert!(dial_backs.attend(asked_by(PeerId::random(), "/other/1").0).is_none());
    assert_eq!(fake.dials(), 0);
}

async fn v2(
    dial_backs: &Arc<DialBacks<Fake>>,
    addrs: &[&str],
    data: usize,
) -> (Vec<Vec<u8>>, Result<(), Reset>) {
    let addrs: Vec<_> = addrs.iter().map(|text| addr(text)).collect();
    let mut messages = vec![CheckMessage::Request(CheckRequest::new(&addrs, 77)).encode()];
    messages.extend((0..data).map(|_| CheckMessage::Data(&[0; 4000]).encode()));
    heard(dial_backs, asked_by(PeerId::random(), DIAL_REQUEST_PROTOCOL), &messages).await
}

#[track_caller]
fn assert_reply((said, end): &(Vec<Vec<u8>>, Result<(), Reset>), expected: CheckReply) {
    assert_eq!(*end, Ok(()));
    let reply = CheckMessage::decode(said.last().unwrap()).unwrap();
    assert_eq!(reply, CheckMessage::Reply(expected));
}

#[tokio::test(start_paused = true)]
async fn the_number_comes_back_from_the_first_address_that_may_be_dialled() {
    let fake = Fake::answering(Some(DialBack::heard().to_vec()));
    let dial_backs = Arc::new(DialBacks::new(fake.clone(), 1));
    let came = v2(&dial_backs, &["/ip4/10.0.0.1/tcp/1", "/ip4/1.2.3.4/tcp/4001"], 0).await;
    let dialled = |dialled| CheckReply { status: CheckStatus::Dialled, address: 1, dialled };
    assert_reply(&came, dialled(DialStatus::Reached));
    assert_eq!(*fake.dialled.lock().unwrap(), [[addr("/ip4/1.2.3.4/tcp/4001")]]);
    assert_eq!(*fake.sent.lock().unwrap(), [DialBack { nonce: 77 }.encode()]);
    let refused = v2(&dial_backs, &["/ip4/10.0.0.1/tcp/1"], 0).await;
    assert_reply(&refused, CheckReply::failed(CheckStatus::Refused));

    let nobody = Arc::new(DialBacks::new(Fake::answering(None), 1));
    let begun = Instant::now();
    let failed = v2(&nobody, &["/ip4/10.0.0.1/tcp/1", "/ip4/1.2.3.4/tcp/4001"], 0).await;
    assert_reply(&failed, dialled(DialStatus::DialError));
    assert_eq!(begun.elapsed(), DIAL_BACK_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn a_third_party_is_dialled_only_after_what_that_costs_was_sent() {
    let fake = Fake::answering(Some(Vec::new()));
    let dial_backs = Arc::new(DialBacks::new(fake.clone(), 1));
    let other = ["/ip4/9.9.9.9/tcp/4001"];
    let (said, end) = v2(&dial_backs, &other, 7).await;
    assert!(
        matches!(CheckMessage::decode(&said[0]), Ok(CheckMessage::Demand(demand)) if demand.bytes >= 30_000)
    );
    assert_eq!((said.len(), end, fake.dials()), (1, Err(Reset), 0));
    let came = v2(&dial_backs, &other, 25).await;
    assert_reply(
        &came,
        CheckReply { status: CheckStatus::Dialled, address: 0, dialled: DialStatus::Reached },
    );
    assert_eq!((came.0.len(), fake.dials()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_peer_of_ours_comes_to_know_whether_it_can_be_reached() {
    let own = [addr("/ip4/1.2.3.4/tcp/4001")];
    let reached = AutonatMessage::Reply(DialBackReply::reached(&own[0])).encode();
    let failed = AutonatMessage::Reply(DialBackReply::failed(DialBackStatus::DialError, "")).encode();
    for (answer, expected) in [
        (Some(reached), Reachability::Public),
        (Some(failed), Reachability::Private),
        (None, Reachability::Unknown),
    ] {
        let fake = Fake::answering(answer);
        let inquiry = Inquiry::new(Pool::new(fake.clone(), PoolConfig::default()));
        let server = || Contact { peer: PeerId::random(), addrs: vec![addr("/ip4/5.6.7.8/tcp/1")] };
        inquiry.met(server(), &["/other/1".to_owned()]);
        let mut beliefs = inquiry.watch();
        let running = inquiry.run(|| own.to_vec());
        tokio::pin!(running);
        let asked = timeout(Duration::from_secs(600), async {
            tokio::select! { () = &mut running => {}, _ = beliefs.changed() => {} }
        });
        assert!(asked.await.is_err() && fake.dials() == 0, "nobody there who answers");
        inquiry.met(server(), &[AUTONAT_PROTOCOL.to_owned()]);
        let asked = timeout(Duration::from_secs(600), async {
            tokio::select! { () = &mut running => {}, _ = beliefs.changed() => {} }
        });
        assert_eq!(asked.await.is_ok(), expected != Reachability::Unknown);
        assert_eq!(inquiry.belief().reachability(), expected);
        assert!(fake.dials() >= 1 && fake.dials() <= 600 / 90 + 1, "{}", fake.dials());
    }
}
