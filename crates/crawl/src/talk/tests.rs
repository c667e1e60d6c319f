//! Conversations with scripted peers.

mod tables;

use std::{
    collections::VecDeque,
    sync::{Arc, LazyLock},
};

use kad::{
    identify::MAX_PROTOCOLS,
    message::{Message, MessageType, Peer},
    network::{Endpoint, RoundTrip, Security, StreamId, Traffic, Transport},
    protobuf::read_varint,
};
use schema::Timestamp;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{clock::Clock, pending::Pending};

/// What a scripted peer does on its kad streams.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Habit {
    AnswersAll,
    OneAnswerAStream,
    OneStreamAtATime,
    ResetsWhenPipelined,
    ResetsAlways,
    AnswersOneThenSilent,
    Silent,
    Unsupported,
    Speaks(&'static str),
    Garbage,
    DropsConnectionAfter(usize),
    /// Closes the connection before it agrees to anything.
    Refuses,
}

fn scripted() -> Identify {
    Identify { agent_version: Some("scripted".to_owned()), ..Identify::default() }
}

/// A peer that answers from memory.
pub(crate) struct Script {
    habit: Habit,
    endpoint: Endpoint,
    opened: u32,
    requests: Vec<usize>,
    protocols: Vec<String>,
    events: VecDeque<Result<Event, Failure>>,
    /// The messages of its identify, and how the stream ends; `None` if it never answers.
    pub(crate) identify: Option<(Vec<Vec<u8>>, Option<Failure>)>,
    sent: usize,
}

impl Script {
    pub(crate) fn new(habit: Habit) -> Self {
        let endpoint = Endpoint {
            address: 0,
            transport: Transport::Tcp,
            security: Security::Noise,
            certificate: None,
            ip_version: 4,
            socket: ([127, 0, 0, 1], 4001).into(),
        };
        Self {
            habit,
            endpoint,
            opened: 0,
            requests: Vec::new(),
            protocols: Vec::new(),
            events: VecDeque::new(),
            identify: Some((vec![scripted().encode()], None)),
            sent: 0,
        }
    }

    fn answer(&mut self, stream: StreamId) {
        let mut message = Message::new(MessageType::FindNode, Vec::new());
        message.closer_peers = vec![Peer::new(&PeerId::random(), &[])];
        self.events.push_back(Ok(Event::Message(stream, message.encode())));
    }

    fn end(&mut self, stream: StreamId, class: FailureClass) {
        self.events.push_back(Ok(Event::Ended(stream, Some(Failure::new(Phase::Request, class)))));
    }

    fn on_request(&mut self, stream: StreamId, nth: usize) {
        match self.habit {
            Habit::AnswersAll => self.answer(stream),
            Habit::OneAnswerAStream if nth == 0 => {
                self.answer(stream);
                self.events.push_back(Ok(Event::Ended(stream, None)));
            }
            // Identify is the first stream, and still open when the second comes.
            Habit::OneStreamAtATime if self.opened == 3 => self.answer(stream),
            Habit::OneStreamAtATime if nth == 0 => self.end(stream, FailureClass::ResourceLimit),
            Habit::AnswersOneThenSilent if nth == 0 => self.answer(stream),
            Habit::ResetsWhenPipelined if self.opened == 2 && nth == 1 => {
                self.end(stream, FailureClass::StreamReset);
            }
            Habit::ResetsWhenPipelined if self.opened > 2 => self.answer(stream),
            Habit::ResetsAlways if nth == 0 => self.end(stream, FailureClass::StreamReset),
            Habit::Speaks(own) if self.protocols[stream.0 as usize - 1] == own => self.answer(stream),
            Habit::Unsupported | Habit::Speaks(_) if nth == 0 => {
                self.end(stream, FailureClass::ProtocolNotSupported);
            }
            Habit::Garbage => self.events.push_back(Ok(Event::Message(stream, vec![0x42, 200]))),
            Habit::Refuses if nth == 0 => {
                self.events.push_back(Err(Failure::new(Phase::Multiplex, FailureClass::ConnectionReset)));
            }
            Habit::DropsConnectionAfter(limit) if self.sent <= limit => self.answer(stream),
            Habit::DropsConnectionAfter(limit) if self.sent == limit + 1 => {
                self.events.push_back(Err(Failure::new(Phase::Request, FailureClass::ConnectionReset)));
            }
            _ => {}
        }
    }
}

impl Connection for Script {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn round_trip(&self) -> Option<RoundTrip> {
        None
    }

    fn open(&mut self, protocol: &str, _: usize) -> StreamId {
        self.opened += 1;
        let stream = StreamId(self.opened);
        self.requests.push(0);
        self.protocols.push(protocol.to_owned());
        let is_identify = protocol == kad::identify::IDENTIFY_PROTOCOL;
        let speaks = match self.habit {
            Habit::Unsupported | Habit::Refuses => false,
            Habit::Speaks(own) => protocol == own,
            _ => true,
        };
        if speaks && !is_identify {
            self.events.push_back(Ok(Event::Accepted(stream)));
        }
        if let Some((messages, end)) = self.identify.take().filter(|_| is_identify) {
            self.events.push_back(Ok(Event::Accepted(stream)));
            self.events.extend(messages.into_iter().map(|message| Ok(Event::Message(stream, message))));
            self.events.push_back(Ok(Event::Ended(stream, end)));
        }
        stream
    }

    fn send(&mut self, stream: StreamId, message: &[u8]) {
        assert!(message.len() > 34, "type, key and its length {:?}", read_varint(&mut &message[..]));
        self.sent += 1;
        let nth = self.requests[stream.0 as usize - 1];
        self.requests[stream.0 as usize - 1] += 1;
        self.on_request(stream, nth);
    }

    fn finish(&mut self, _: StreamId) {}

    fn reset(&mut self, _: StreamId) {}

    async fn next(&mut self) -> Result<Event, Failure> {
        match self.events.pop_front() {
            Some(event) => event,
            None => std::future::pending().await,
        }
    }

    fn traffic(&self) -> Traffic {
        Traffic::default()
    }

    async fn close(self) {}
}

async fn talk(script: &mut Script) -> (TalkOutcome, usize) {
    talk_by(script, &["/ipfs/kad/1.0.0"]).await
}

async fn talk_by(script: &mut Script, protocols: &[&str]) -> (TalkOutcome, usize) {
    let mut found = HeardPeers::new(&PEER.to_bytes(), Arc::default());
    let said = Talk::new(script, *PEER, PREFIXES, &manner(protocols)).run(&mut found).await;
    (said, found.peers().count())
}

/// Who is talked to.
pub(crate) static PEER: LazyLock<PeerId> = LazyLock::new(|| {
    let key = [&[0x08, 1, 0x12, 32][..], &[9; 32]].concat();
    kad::peer_id::of_public_key(&key).expect("a multihash")
});

pub(crate) fn manner(protocols: &[&str]) -> Manner {
    Manner {
        protocols: protocols.iter().map(|&name| name.to_owned()).collect(),
        request_timeout: Duration::from_secs(10),
        whole_tables: false,
        is_brief: false,
        clock: Clock::started_at(Timestamp(0)),
        cancel: CancellationToken::new(),
        pending: Pending::default(),
        prefixes: Arc::default(),
    }
}

fn answered(said: &TalkOutcome) -> usize {
    said.prefixes.iter().filter(|p| matches!(p, PrefixOutcome::Answered { peers: 1 })).count()
}

#[tokio::test(start_paused = true)]
async fn everything_is_asked_at_once_and_answered() {
    let mut script = Script::new(Habit::AnswersAll);
    let (said, found) = talk(&mut script).await;
    assert_eq!((answered(&said), found, script.opened, script.sent), (16, 16, 2, 16));
    assert_eq!(said.identify, Some(scripted()));
    assert_eq!((said.crawl_error, said.identify_error), (None, None));
    assert!(said.request_rtt.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_one_request_a_stream_is_asked_one_by_one() {
    for habit in [
        Habit::OneAnswerAStream,
        Habit::OneStreamAtATime,
        Habit::ResetsWhenPipelined,
        Habit::AnswersOneThenSilent,
    ] {
        let (said, found) = talk(&mut Script::new(habit)).await;
        assert_eq!((answered(&said), found), (16, 16));
        assert_eq!(said.crawl_error, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_resets_every_stream_is_not_asked_sixteen_times() {
    let mut script = Script::new(Habit::ResetsAlways);
    let (said, _) = talk(&mut script).await;
    assert_eq!(said.prefixes, [PrefixOutcome::Failed(FailureClass::StreamReset); PREFIXES]);
    assert!(script.opened <= 4, "identify, all at once and two single ones: {}", script.opened);
}

#[tokio::test(start_paused = true)]
async fn every_way_to_fail_has_its_name() {
    for (habit, class, outcome) in [
        (Habit::Silent, FailureClass::Timeout, PrefixOutcome::Failed(FailureClass::Timeout)),
        (Habit::Unsupported, FailureClass::ProtocolNotSupported, PrefixOutcome::NotAsked),
        (Habit::Garbage, FailureClass::Malformed, PrefixOutcome::Failed(FailureClass::Malformed)),
    ] {
        let (said, found) = talk(&mut Script::new(habit)).await;
        assert_eq!(said.prefixes, [outcome; PREFIXES]);
        assert_eq!(said.crawl_error.map(|f| f.class), Some(class));
        assert_eq!(found, 0);
        assert!(said.identify.is_some(), "identify is told apart");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_speaks_another_name_of_the_protocol_is_asked_by_that() {
    let mut script = Script::new(Habit::Speaks("/second/kad"));
    let (said, _) = talk_by(&mut script, &["/first/kad", "/second/kad", "/third/kad"]).await;
    assert_eq!((answered(&said), said.crawl_error, script.opened), (16, None, 3));
    let mut script = Script::new(Habit::Unsupported);
    let (said, _) = talk_by(&mut script, &["/first/kad", "/second/kad"]).await;
    assert_eq!(said.prefixes, [PrefixOutcome::NotAsked; PREFIXES], "nobody was there to read a request");
    assert_eq!(said.crawl_error.map(|f| f.class), Some(FailureClass::ProtocolNotSupported));
    assert_eq!(script.opened, 3, "identify and each name once");
}

#[tokio::test(start_paused = true)]
async fn answers_before_the_end_of_the_connection_are_kept() {
    let (said, found) = talk(&mut Script::new(Habit::DropsConnectionAfter(5))).await;
    assert_eq!((answered(&said), found), (5, 5));
    assert_eq!(said.prefixes[5], PrefixOutcome::Failed(FailureClass::ConnectionReset));
}

#[tokio::test(start_paused = true)]
async fn without_identify_the_answers_count_all_the_same() {
    let mut script = Script::new(Habit::AnswersAll);
    script.identify = None;
    let begun = Instant::now();
    let (said, _) = talk(&mut script).await;
    assert_eq!(answered(&said), 16);
    assert_eq!(said.identify, None);
    assert_eq!(said.identify_error, Some(Failure::new(Phase::Identify, FailureClass::Timeout)));
    assert_eq!(begun.elapsed(), Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn nothing_was_asked_of_a_peer_that_agreed_to_nothing() {
    let mut script = Script::new(Habit::Refuses);
    script.identify = None;
    let (said, _) = talk(&mut script).await;
    let reset = |phase| Some(Failure::new(phase, FailureClass::ConnectionReset));
    assert_eq!(said.prefixes, [PrefixOutcome::NotAsked; PREFIXES]);
    assert_eq!((said.crawl_error, said.identify_error), (reset(Phase::Multiplex), reset(Phase::Identify)));
}

#[tokio::test(start_paused = true)]
async fn prefixes_that_no_wave_has_held_were_not_asked() {
    let failed = |class| PrefixOutcome::Failed(class);
    for (habit, class) in
        [(Habit::Silent, FailureClass::Timeout), (Habit::ResetsAlways, FailureClass::StreamReset)]
    {
        let mut found = HeardPeers::new(&PEER.to_bytes(), Arc::default());
        let mut script = Script::new(habit);
        let said = Talk::new(&mut script, *PEER, 3, &manner(&["/kad"])).run(&mut found).await;
        assert_eq!(said.prefixes[..3], [failed(class); 3]);
        assert_eq!(said.prefixes[3..], [PrefixOutcome::NotAsked; PREFIXES - 3]);
        assert_eq!(said.crawl_error.map(|f| f.class), Some(class));
    }
}

async fn identified(messages: Vec<Vec<u8>>, end: Option<Failure>) -> (Option<Identify>, Option<Failure>) {
    let mut script = Script::new(Habit::AnswersAll);
    script.identify = Some((messages, end));
    let (said, _) = talk(&mut script).await;
    (said.identify, said.identify_error)
}

#[tokio::test(start_paused = true)]
async fn what_the_first_message_said_is_kept_with_the_fault_of_the_next_beside_it() {
    let garbage = vec![0x12, 200];
    let malformed = Some(Failure::new(Phase::Identify, FailureClass::Malformed));
    let said = identified(vec![scripted().encode(), garbage.clone()], None).await;
    assert_eq!(said, (Some(scripted()), malformed.clone()));
    assert_eq!(identified(vec![garbage], None).await, (None, malformed));
    for class in [FailureClass::StreamReset, FailureClass::MessageTooLarge] {
        let end = Failure::new(Phase::Request, class);
        let said = identified(vec![scripted().encode()], Some(end)).await;
        assert_eq!(said, (Some(scripted()), Some(Failure::new(Phase::Identify, class))));
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_not_the_connections_is_said() {
    let key = [&[0x08, 1, 0x12, 32][..], &[7; 32]].concat();
    let other = kad::peer_id::of_public_key(&key).expect("a multihash");
    let message = Identify { public_key: key, ..scripted() };
    let (identify, fault) = identified(vec![message.encode()], None).await;
    assert_eq!(identify, Some(message), "all else is kept");
    let expected =
        Failure::with_detail(Phase::Identify, FailureClass::IdentifyKeyMismatch, &other.to_base58());
    assert_eq!(fault, Some(expected));
    // A long key stands for its hash.
    let message = Identify { public_key: vec![7; 20_000], ..scripted() };
    let (_, fault) = identified(vec![message.encode()], None).await;
    assert_eq!(fault.map(|fault| fault.class), Some(FailureClass::IdentifyKeyMismatch));
    // The peer's own is none of ours to mention.
    let own = PEER.to_bytes()[2..].to_vec();
    let (_, fault) = identified(vec![Identify { public_key: own, ..scripted() }.encode()], None).await;
    assert_eq!(fault, None);
}

#[tokio::test(start_paused = true)]
async fn the_networks_protocol_is_heard_behind_six_hundred_others() {
    let protocols = (0..600).map(|n| format!("/other/{n}")).chain(["/ipfs/kad/1.0.0".to_owned()]).collect();
    let (identify, _) = identified(vec![Identify { protocols, ..scripted() }.encode()], None).await;
    let identify = identify.expect("said");
    assert!(identify.protocols.iter().any(|protocol| protocol == "/ipfs/kad/1.0.0"));
    assert_eq!((identify.protocols.len(), identify.excess.protocols), (MAX_PROTOCOLS + 1, 88));
}
