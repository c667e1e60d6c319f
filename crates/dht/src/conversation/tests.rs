//! Which streams a conversation opens, keeps and ends, beside peers that answer as they please.

use std::{
    collections::{HashMap, VecDeque},
    future::pending,
    sync::{Mutex, PoisonError},
};

use kad::network::{Endpoint, Event, Security, StreamId, Transport};

use super::*;

/// What is done to the streams of a connection, in order.
type Log = Arc<Mutex<Vec<String>>>;

/// A peer that answers the nth question of a stream with whatever this says.
struct Scripted<F> {
    endpoint: Endpoint,
    log: Log,
    streams: u32,
    asked: HashMap<StreamId, usize>,
    events: VecDeque<Event>,
    answer: F,
}

impl<F: Fn(StreamId, usize) -> Vec<Event> + Send> Scripted<F> {
    fn note(&self, what: &str, stream: StreamId) {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{what} {}", stream.0));
    }
}

impl<F: Fn(StreamId, usize) -> Vec<Event> + Send> Connection for Scripted<F> {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn open(&mut self, _: &str, _: usize) -> StreamId {
        self.streams += 1;
        let stream = StreamId(self.streams);
        self.note("open", stream);
        stream
    }

    fn send(&mut self, stream: StreamId, _: &[u8]) {
        self.note("ask", stream);
        let asked = self.asked.entry(stream).or_default();
        *asked += 1;
        self.events.extend((self.answer)(stream, *asked));
    }

    fn finish(&mut self, stream: StreamId) {
        self.note("finish", stream);
    }

    fn reset(&mut self, stream: StreamId) {
        self.note("reset", stream);
    }

    async fn next(&mut self) -> Result<Event, Failure> {
        match self.events.pop_front() {
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

fn begin(answer: impl Fn(StreamId, usize) -> Vec<Event> + Send + 'static) -> (Conversation, Log) {
    let log = Log::default();
    let endpoint = Endpoint {
        address: 0,
        transport: Transport::Tcp,
        security: Security::Noise,
        certificate: None,
        ip_version: 4,
        socket: ([127, 0, 0, 1], 1).into(),
    };
    let (asked, events) = (HashMap::new(), VecDeque::new());
    let connection = Scripted { endpoint, log: Arc::clone(&log), streams: 0, asked, events, answer };
    (Conversation::begin(connection, TalkLimits::default(), Arc::default(), ()), log)
}

fn seen(log: &Log) -> Vec<String> {
    log.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn question(protocol: &str, awaits: Awaits) -> Ask {
    Ask {
        protocols: Arc::from([protocol.to_owned()]),
        message: Some(Arc::from(&b"?"[..])),
        awaits,
        patience: Duration::from_secs(10),
    }
}

/// A message that says on which stream it came, and which of its answers it is.
fn message(stream: StreamId, number: usize) -> Event {
    Event::Message(stream, format!("{} {number}", stream.0).into_bytes())
}

fn ended(stream: StreamId, class: FailureClass) -> Event {
    Event::Ended(stream, Some(Failure::new(Phase::Request, class)))
}

async fn ask(talk: &Conversation, awaits: Awaits) -> String {
    let reply = talk.ask(question("/kad", awaits)).await;
    reply.map_or_else(
        |broken| broken.into_failure().class.name().to_owned(),
        |messages| String::from_utf8(messages.concat()).expect("text"),
    )
}

#[tokio::test(start_paused = true)]
async fn one_question_after_the_other_goes_over_one_stream() {
    let (talk, log) = begin(|stream, number| vec![Event::Accepted(stream), message(stream, number)]);
    for number in 1..=3 {
        assert_eq!(ask(&talk, Awaits::Message).await, format!("1 {number}"));
    }
    assert_eq!(seen(&log), ["open 1", "ask 1", "ask 1", "ask 1"]);
}

#[tokio::test(start_paused = true)]
async fn questions_beside_each_other_have_streams_of_their_own_and_one_is_kept() {
    let (talk, log) = begin(|stream, number| match (stream.0, number) {
        (1, 1) => vec![],
        (2, 1) => vec![message(StreamId(1), 1), message(stream, 1)],
        _ => vec![message(stream, number)],
    });
    let both = tokio::join!(ask(&talk, Awaits::Message), ask(&talk, Awaits::Message));
    assert_eq!(both, ("1 1".to_owned(), "2 1".to_owned()));
    assert_eq!(ask(&talk, Awaits::Message).await, "1 2");
    assert_eq!(seen(&log), ["open 1", "ask 1", "open 2", "ask 2", "finish 2", "ask 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_the_peer_has_ended_is_not_asked_on() {
    for end in [None, Some(FailureClass::StreamReset)] {
        let over = move |stream| end.map_or(Event::Ended(stream, None), |class| ended(stream, class));
        let (talk, log) = begin(move |stream, number| vec![message(stream, number), over(stream)]);
        assert_eq!(ask(&talk, Awaits::Message).await, "1 1");
        assert_eq!(ask(&talk, Awaits::Message).await, "2 1");
        assert_eq!(seen(&log), ["open 1", "ask 1", "open 2", "ask 2"], "{end:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_meets_the_end_of_a_kept_stream_is_asked_once_more_on_a_new_one() {
    let (talk, _) = begin(|stream, number| match number {
        1 => vec![message(stream, number)],
        _ => vec![ended(stream, FailureClass::StreamReset)],
    });
    assert_eq!(ask(&talk, Awaits::Message).await, "1 1");
    assert_eq!(ask(&talk, Awaits::Message).await, "2 1");
    // A new stream that fails says something of the question.
    let (talk, log) = begin(|stream, number| match (stream.0, number) {
        (1, 1) => vec![message(stream, number)],
        _ => vec![ended(stream, FailureClass::StreamReset)],
    });
    assert_eq!(ask(&talk, Awaits::Message).await, "1 1");
    assert_eq!(ask(&talk, Awaits::Message).await, "stream_reset");
    assert_eq!(seen(&log), ["open 1", "ask 1", "ask 1", "open 2", "ask 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_message_too_many_answers_no_later_question() {
    let (talk, log) = begin(|stream, number| vec![message(stream, number), message(stream, 99)]);
    assert_eq!(ask(&talk, Awaits::Message).await, "1 1");
    assert_eq!(ask(&talk, Awaits::Message).await, "2 1");
    assert_eq!(seen(&log)[..3], ["open 1", "ask 1", "reset 1"]);
}

#[tokio::test(start_paused = true)]
async fn what_the_end_of_a_stream_answers_and_other_protocols_have_streams_of_their_own() {
    let (talk, log) = begin(|stream, number| match stream.0 {
        2 => vec![Event::Ended(stream, None)],
        _ => vec![message(stream, number)],
    });
    assert_eq!(ask(&talk, Awaits::Message).await, "1 1");
    assert_eq!(ask(&talk, Awaits::End).await, "");
    assert_eq!(ask(&talk, Awaits::Message).await, "1 2");
    let other = talk.ask(question("/other", Awaits::Message)).await;
    assert_eq!(other, Ok(vec![b"3 1".to_vec()]));
    let opened = seen(&log).into_iter().filter(|what| what.starts_with("open")).collect::<Vec<_>>();
    assert_eq!(opened, ["open 1", "open 2", "open 3"]);
}
