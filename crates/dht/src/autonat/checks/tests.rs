//! What a peer of ours comes to believe of its addresses, of servers that dial, demand, refuse and lie.

use std::{
    collections::VecDeque,
    future::pending,
    net::{Ipv4Addr, SocketAddr},
    task::{Context, Waker},
};

use kad::{
    PeerId,
    autonat::v2::{DIAL_BACK_PROTOCOL, DataDemand, DialBack, MAX_DATA_BYTES, MIN_DATA_BYTES},
    fabric::PeerStream,
    failure::SkipReason,
    network::{AddressOutcome, Attempt, Dial, Endpoint, RoundTrip, Security, StreamId, Traffic, Transport},
};

use super::*;

const OWN: &str = "/ip4/1.2.3.4/tcp/4001";

/// What servers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// They dial the first address that is asked for, and say so.
    Dials,
    /// The same, once they have got so many bytes.
    Demands(u64),
    /// They demand for an address that was not asked for.
    DemandsForAnother,
    /// They cannot reach it.
    Fails,
    /// They dial none of them.
    Refuses,
    /// They do not dial the first address.
    DialsTheLast,
    /// They say that they dialled.
    Lies,
    /// They give the number on the connection on which they were asked.
    Shortcuts,
    /// They hang up.
    HangsUp,
}

/// A network of servers that share a habit.
#[derive(Debug, Clone)]
struct Servers {
    habit: Habit,
    numbers: Arc<NumberDesk>,
    requests: Arc<Mutex<Vec<(PeerId, CheckRequest)>>>,
}

struct Line {
    peer: PeerId,
    servers: Servers,
    endpoint: Endpoint,
    said: VecDeque<Vec<u8>>,
    request: CheckRequest,
    data_bytes: u64,
}

impl Servers {
    fn new(habit: Habit) -> Self {
        Self { habit, numbers: Arc::default(), requests: Arc::default() }
    }

    fn requests(&self) -> Vec<(PeerId, CheckRequest)> {
        self.requests.lock().unwrap().clone()
    }
}

impl Network for Servers {
    type Connection = Line;

    fn local(&self) -> PeerId {
        PeerId::from_bytes(&[0, 1, 7]).unwrap()
    }

    fn admits(&self, address: &Multiaddr) -> Result<Option<Transport>, SkipReason> {
        let is_private = address.to_string().starts_with("/ip4/10.");
        if is_private { Err(SkipReason::Private) } else { Ok(Some(Transport::Tcp)) }
    }

    async fn connect_within(&self, peer: PeerId, addrs: Vec<Multiaddr>, _: Option<Duration>) -> Dial<Line> {
        let attempts = addrs.iter().map(|_| Attempt::untried(AddressOutcome::Connected)).collect();
        let endpoint = Endpoint {
            address: 0,
            transport: Transport::Tcp,
            security: Security::Noise,
            certificate: None,
            ip_version: 4,
            socket: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
        };
        let (said, request) = (VecDeque::new(), CheckRequest::default());
        let line = Line { peer, servers: self.clone(), endpoint, said, request, data_bytes: 0 };
        Dial { attempts, connection: Some(line) }
    }
}

impl Line {
    /// Gives the number at an address of the asker: whether it says that it was heard.
    fn dial_back(&self, local: &Multiaddr) -> bool {
        let places = (addr("/ip4/9.9.9.9/tcp/999"), local.clone());
        let (stream, carried) = PeerStream::new(PeerId::random(), DIAL_BACK_PROTOCOL.to_owned(), places);
        carried.deliver(DialBack { nonce: self.request.nonce }.encode());
        let mut attending = self.servers.numbers.attend(stream).unwrap();
        let is_over = attending.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
        is_over && carried.take().as_deref() == Some(DialBack::heard())
    }

    fn reply(&mut self, index: usize, dialled: DialStatus) {
        let address = u32::try_from(index).unwrap();
        self.say(&CheckMessage::Reply(CheckReply { status: CheckStatus::Dialled, address, dialled }));
    }

    fn demand(&mut self, address: u32, bytes: u64) {
        self.say(&CheckMessage::Demand(DataDemand { address, bytes }));
    }

    fn say(&mut self, message: &CheckMessage<'_>) {
        self.said.push_back(message.encode());
    }

    fn dial(&mut self, index: usize) {
        let local = Multiaddr::try_from(self.request.addrs[index].clone()).unwrap();
        assert!(self.dial_back(&local));
        self.reply(index, DialStatus::Reached);
    }

    fn on_request(&mut self) {
        match self.servers.habit {
            Habit::Dials => self.dial(0),
            Habit::Demands(bytes) => self.demand(0, bytes),
            Habit::DemandsForAnother => self.demand(9, MIN_DATA_BYTES),
            Habit::Fails => self.reply(0, DialStatus::DialError),
            Habit::Refuses => self.say(&CheckMessage::Reply(CheckReply::failed(CheckStatus::Refused))),
            Habit::DialsTheLast => self.dial(self.request.addrs.len() - 1),
            Habit::Lies => self.reply(0, DialStatus::Reached),
            Habit::Shortcuts => {
                assert!(self.dial_back(&addr("/ip4/1.2.3.4/tcp/50001")));
                self.reply(0, DialStatus::Reached);
            }
            Habit::HangsUp => {}
        }
    }
}

impl Connection for Line {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn open(&mut self, protocol: &str, _: usize) -> StreamId {
        assert_eq!(protocol, DIAL_REQUEST_PROTOCOL);
        StreamId(1)
    }

    fn send(&mut self, _: StreamId, message: &[u8]) {
        match CheckMessage::decode(message).unwrap() {
            CheckMessage::Request(request) => {
                self.servers.requests.lock().unwrap().push((self.peer, request.clone()));
                self.request = request;
                self.on_request();
            }
            CheckMessage::Data(data) => {
                self.data_bytes += data.len() as u64;
                if self.servers.habit == Habit::Demands(self.data_bytes) {
                    self.dial(0);
                }
            }
            message => panic!("{message:?}"),
        }
    }

    fn finish(&mut self, _: StreamId) {}

    fn reset(&mut self, _: StreamId) {}

    async fn next(&mut self) -> Result<Event, Failure> {
        match self.said.pop_front() {
            Some(message) => Ok(Event::Message(StreamId(1), message)),
            None if self.servers.habit == Habit::HangsUp => Ok(Event::Ended(StreamId(1), None)),
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

fn server() -> Contact {
    Contact { peer: PeerId::random(), addrs: vec![addr("/ip4/5.6.7.8/tcp/1")] }
}

fn checks(servers: &Servers, count: usize) -> AddressChecks<Servers> {
    let checks = AddressChecks::new(servers.clone(), Arc::clone(&servers.numbers), 7);
    for _ in 0..count {
        checks.met(server(), &[DIAL_REQUEST_PROTOCOL.to_owned()]);
    }
    checks
}

fn addrs(texts: &[&str]) -> Vec<Multiaddr> {
    texts.iter().map(|text| addr(text)).collect()
}

/// What is believed of our addresses after a time, with so many servers of that habit, and how often these were asked.
async fn believed(habit: Habit, count: usize, own: &[&str], time: Duration) -> (Vec<Reachability>, usize) {
    let servers = Servers::new(habit);
    let checks = checks(&servers, count);
    let own = addrs(own);
    timeout(time, checks.run(|| own.clone(), || own.clone())).await.unwrap_err();
    let known = checks.watch().borrow().iter().map(|known| known.reachability).collect();
    (known, servers.requests().len())
}

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn an_address_counts_as_what_more_than_one_server_has_shown() {
    use Reachability::{Private, Public, Unknown};
    for (habit, expected, asked) in [
        (Habit::Dials, Public, 3),
        (Habit::Demands(MIN_DATA_BYTES), Public, 3),
        (Habit::Demands(MAX_DATA_BYTES), Public, 3),
        // Once each: who demands too much, or lies, is not asked again.
        (Habit::Demands(MAX_DATA_BYTES + 1), Unknown, 5),
        (Habit::DemandsForAnother, Unknown, 5),
        (Habit::Lies, Unknown, 5),
        (Habit::Shortcuts, Unknown, 5),
        (Habit::HangsUp, Unknown, 5),
        (Habit::Fails, Private, 3),
    ] {
        let came = believed(habit, 5, &[OWN], HOUR / 2).await;
        assert_eq!(came, (vec![expected], asked), "{habit:?}");
    }
    let (known, _) = believed(Habit::Dials, 1, &[OWN], SERVER_REST).await;
    assert_eq!(known, [Unknown], "one server has said so once");
}

#[tokio::test(start_paused = true)]
async fn each_address_is_asked_about_and_what_may_not_be_dialled_is_not() {
    let own = [OWN, "/ip4/10.0.0.1/tcp/4001", "/ip4/1.2.3.4/udp/4001/quic-v1"];
    let (known, asked) = believed(Habit::Dials, 9, &own, HOUR / 2).await;
    assert_eq!((known, asked), (vec![Reachability::Public; 2], 6));
    let (known, _) = believed(Habit::DialsTheLast, 9, &own, HOUR / 2).await;
    assert_eq!(known[1], Reachability::Public, "what the server dials is what is learnt");
    let (known, asked) = believed(Habit::Refuses, 9, &own[..1], Duration::from_secs(600)).await;
    assert_eq!((known, asked), (vec![Reachability::Unknown], 5), "five refusals in a row, and it rests");
}

#[tokio::test(start_paused = true)]
async fn how_often_is_asked_is_bounded_and_nobody_is_asked_twice_without_a_rest() {
    let servers = Servers::new(Habit::Dials);
    let checks = checks(&servers, 2);
    let own = addrs(&[OWN]);
    timeout(10 * HOUR, checks.run(|| own.clone(), || own.clone())).await.unwrap_err();
    let asked = servers.requests().len();
    assert!((11..=15).contains(&asked), "three times, and then once an hour: {asked}");
    let numbers: std::collections::BTreeSet<u64> =
        servers.requests().iter().map(|(_, request)| request.nonce).collect();
    assert_eq!(numbers.len(), asked, "no number comes twice");

    let lonely = believed(Habit::Dials, 0, &[OWN], 10 * HOUR).await;
    assert_eq!(lonely, (vec![Reachability::Unknown], 0));
    let tireless = believed(Habit::Refuses, 64, &[OWN], HOUR).await;
    assert!(tireless.1 <= 6 * 6, "{}", tireless.1);
}

#[tokio::test(start_paused = true)]
async fn a_new_address_is_asked_about_at_once_and_an_old_one_forgotten() {
    let servers = Servers::new(Habit::Dials);
    let checks = checks(&servers, 9);
    let own = Mutex::new(addrs(&[OWN]));
    let now = || own.lock().unwrap().clone();
    let mut known = checks.watch();
    let is_public = |known: &Vec<OwnAddress>, at: &str| {
        *known == [OwnAddress { address: addr(at), reachability: Reachability::Public }]
    };
    let moving = async {
        timeout(HOUR, known.wait_for(|known| is_public(known, OWN))).await.unwrap().unwrap();
        sleep(HOUR / 2).await;
        let other = "/ip4/4.3.2.1/tcp/1";
        *own.lock().unwrap() = addrs(&[other]);
        checks.moved();
        let moved = Instant::now();
        timeout(HOUR, known.wait_for(|known| is_public(known, other))).await.unwrap().unwrap();
        assert!(moved.elapsed() <= 4 * PAUSE, "{:?}", moved.elapsed());
    };
    tokio::select! {
        () = checks.run(now, now) => {}
        () = moving => {}
    }
    let (last, before) = (servers.requests().pop().unwrap().1, servers.requests()[0].1.clone());
    assert_eq!((last.addrs.len(), before.addrs.len()), (1, 1));
}
