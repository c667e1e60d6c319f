//! Conversations with scripted peers.

use std::collections::VecDeque;

use kad::{
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
enum Habit {
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
}

/// A peer that answers from memory.
struct Script {
    habit: Habit,
    endpoint: Endpoint,
    opened: u32,
    requests: Vec<usize>,
    protocols: Vec<String>,
    events: VecDeque<Result<Event, Failure>>,
    identify: bool,
    sent: usize,
}

impl Script {
    fn new(habit: Habit) -> Self {
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
            identify: true,
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
        if protocol == kad::identify::IDENTIFY_PROTOCOL && self.identify {
            let identify = Identify { agent_version: Some("scripted".to_owned()), ..Identify::default() };
            self.events.push_back(Ok(Event::Accepted(stream)));
            self.events.push_back(Ok(Event::Message(stream, identify.encode())));
            self.events.push_back(Ok(Event::Ended(stream, None)));
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

async fn talk(script: &mut Script) -> (Said, usize) {
    talk_by(script, &["/ipfs/kad/1.0.0"]).await
}

async fn talk_by(script: &mut Script, protocols: &[&str]) -> (Said, usize) {
    let manner = Manner {
        protocols: protocols.iter().map(|&name| name.to_owned()).collect(),
        request_timeout: Duration::from_secs(10),
        clock: Clock::started_at(Timestamp(0)),
        cancel: CancellationToken::new(),
        pending: Pending::default(),
    };
    let mut found = Found::default();
    let said = Talk::new(script, PeerId::random(), PREFIXES, &manner).run(&mut found).await;
    (said, found.peers().count())
}

fn answered(said: &Said) -> usize {
    said.prefixes.iter().filter(|p| matches!(p, PrefixOutcome::Answered { peers: 1 })).count()
}

#[tokio::test(start_paused = true)]
async fn everything_is_asked_at_once_and_answered() {
    let mut script = Script::new(Habit::AnswersAll);
    let (said, found) = talk(&mut script).await;
    assert_eq!((answered(&said), found, script.opened, script.sent), (16, 16, 2, 16));
    assert_eq!(said.identify.map(|i| i.agent_version), Ok(Some("scripted".to_owned())));
    assert_eq!((said.crawl_error, said.no_connection), (None, None));
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
    for (habit, class) in [
        (Habit::Silent, FailureClass::Timeout),
        (Habit::Unsupported, FailureClass::ProtocolNotSupported),
        (Habit::Garbage, FailureClass::Malformed),
    ] {
        let (said, found) = talk(&mut Script::new(habit)).await;
        assert_eq!(said.prefixes, [PrefixOutcome::Failed(class); PREFIXES]);
        assert_eq!(said.crawl_error.map(|f| f.class), Some(class));
        assert_eq!(found, 0);
        assert!(said.identify.is_ok(), "identify is told apart");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_speaks_another_name_of_the_protocol_is_asked_by_that() {
    let mut script = Script::new(Habit::Speaks("/second/kad"));
    let (said, _) = talk_by(&mut script, &["/first/kad", "/second/kad", "/third/kad"]).await;
    assert_eq!((answered(&said), said.crawl_error, script.opened), (16, None, 3));
    let mut script = Script::new(Habit::Unsupported);
    let (said, _) = talk_by(&mut script, &["/first/kad", "/second/kad"]).await;
    assert_eq!(said.prefixes, [PrefixOutcome::Failed(FailureClass::ProtocolNotSupported); PREFIXES]);
    assert_eq!(script.opened, 3, "identify and each name once");
}

#[tokio::test(start_paused = true)]
async fn answers_before_the_end_of_the_connection_are_kept() {
    let (said, found) = talk(&mut Script::new(Habit::DropsConnectionAfter(5))).await;
    assert_eq!((answered(&said), found), (5, 5));
    assert_eq!(said.prefixes[5], PrefixOutcome::Failed(FailureClass::ConnectionReset));
    assert_eq!(said.no_connection, None, "it stood");
}

#[tokio::test(start_paused = true)]
async fn without_identify_the_answers_count_all_the_same() {
    let mut script = Script::new(Habit::AnswersAll);
    script.identify = false;
    let begun = Instant::now();
    let (said, _) = talk(&mut script).await;
    assert_eq!(answered(&said), 16);
    assert_eq!(said.identify, Err(Failure::new(Phase::Identify, FailureClass::Timeout)));
    assert_eq!(begun.elapsed(), Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ends_within_its_handshake_was_none() {
    let mut script = Script::new(Habit::Silent);
    script.identify = false;
    script.events.push_back(Err(Failure::new(Phase::Multiplex, FailureClass::ConnectionReset)));
    let (said, _) = talk(&mut script).await;
    assert_eq!(said.no_connection.map(|f| f.phase), Some(Phase::Multiplex));
}
