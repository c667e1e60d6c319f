//! One question over a connection that is made for it and closed after it. What others ask on connections of their own neither helps
//! nor disturbs it, so the time of a dial is that of a dial.

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use kad::{
    Contact, PeerId,
    failure::{Failure, FailureClass, Phase},
    network::{Attempt, Connection, Dial, Endpoint, Event, Network, RoundTrip, StreamId, Traffic},
};
use tokio::time::{Instant, timeout_at};

use crate::identifying::{Identified, Identifying};

/// What is put to a peer on a stream of the network's kad protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApartAsk {
    /// Whether it speaks the protocol: nothing is sent on the stream, and that it agrees is the answer, which is empty.
    Agreement,
    /// This message.
    Message(Arc<[u8]>),
}

/// What is asked, and how long is waited.
#[derive(Debug, Clone)]
pub struct ApartQuestion {
    /// The names of the network's kad protocol, in the order in which they are tried.
    pub protocols: Arc<[String]>,
    /// What is asked.
    pub ask: ApartAsk,
    /// How long the dial may take.
    pub dial_within: Duration,
    /// How long the answer is awaited, once there is a connection.
    pub patience: Duration,
    /// The longest answer that is taken, in bytes.
    pub answer_bytes: usize,
    /// Whether the peer is asked who it is, beside the question.
    pub identifies: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct AskedApart {
    /// The fate of each address, in the order in which they were given.
    pub attempts: Vec<Attempt>,
    /// How long the dial took, whatever it came to.
    pub dial_took: Duration,
    /// What was said; `None` without a connection.
    pub said: Option<SaidApart>,
}

/// What was said on the connection.
#[derive(Debug)]
pub struct SaidApart {
    /// How the peer was reached.
    pub endpoint: Endpoint,
    /// Its answer.
    pub answer: Result<Vec<u8>, Failure>,
    /// From the question to the answer, or to the end of patience.
    pub took: Duration,
    /// Who it says it is; `None` if it was not asked.
    pub introduced: Option<Identified>,
    /// The shortest round trip that was seen; `None` if none was.
    pub round_trip: Option<RoundTrip>,
    /// What went over the connection.
    pub traffic: Traffic,
}

/// Dials a peer, asks it once, and hangs up. It ends by itself.
pub async fn ask_apart<N: Network>(network: &N, to: &Contact, question: &ApartQuestion) -> AskedApart {
    let began = Instant::now();
    let within = Some(question.dial_within);
    let Dial { attempts, connection } = network.connect_within(to.peer, to.addrs.clone(), within).await;
    let dial_took = began.elapsed();
    let Some(mut connection) = connection else { return AskedApart { attempts, dial_took, said: None } };
    let endpoint = connection.endpoint().clone();
    let talk = Talk::begin(&mut connection, to.peer, question);
    let (answer, took, introduced) = talk.run(&mut connection).await;
    let (round_trip, traffic) = (connection.round_trip(), connection.traffic());
    connection.close().await;
    let said = SaidApart { endpoint, answer, took, introduced, round_trip, traffic };
    AskedApart { attempts, dial_took, said: Some(said) }
}

/// The question under way.
struct Talk<'a> {
    question: &'a ApartQuestion,
    asked: Instant,
    stream: StreamId,
    /// The position of the name of the protocol that was proposed.
    name: usize,
    /// The answer, and when it came.
    answer: Option<(Result<Vec<u8>, Failure>, Duration)>,
    identifying: Option<Identifying>,
}

impl<'a> Talk<'a> {
    fn begin(connection: &mut impl Connection, peer: PeerId, question: &'a ApartQuestion) -> Self {
        let stream = open(connection, question, 0);
        let identifying = question.identifies.then(|| Identifying::begin(connection, peer));
        Self { question, asked: Instant::now(), stream, name: 0, answer: None, identifying }
    }

    /// Waits for everything that was asked.
    async fn run(
        mut self,
        connection: &mut impl Connection,
    ) -> (Result<Vec<u8>, Failure>, Duration, Option<Identified>) {
        let deadline = self.asked + self.question.patience;
        let silence = || Failure::new(Phase::Request, FailureClass::Timeout);
        while !self.is_over() {
            match timeout_at(deadline, connection.next()).await {
                Ok(Ok(event)) => self.on_event(connection, event),
                Ok(Err(failure)) => self.on_end_of_all(&failure),
                Err(_) => self.on_end_of_all(&silence()),
            }
        }
        let (answer, took) = self.answer.unwrap_or_else(|| (Err(silence()), self.asked.elapsed()));
        (answer, took, self.identifying.map(Identifying::into_introduced))
    }

    fn is_over(&self) -> bool {
        self.answer.is_some() && self.identifying.as_ref().is_none_or(Identifying::is_over)
    }

    fn on_event(&mut self, connection: &mut impl Connection, event: Event) {
        match event {
            Event::Accepted(stream)
                if self.is_asked_on(stream) && self.question.ask == ApartAsk::Agreement =>
            {
                self.answered(Ok(Vec::new()));
            }
            Event::Accepted(_) => {}
            Event::Message(stream, message) if self.is_asked_on(stream) => self.answered(Ok(message)),
            Event::Message(stream, message) => {
                if let Some(identifying) = self.identifying.as_mut().filter(|who| who.is_on(stream)) {
                    identifying.on_message(&message, &self.question.protocols);
                }
            }
            Event::Ended(stream, how) if self.is_asked_on(stream) => self.on_end(connection, how),
            Event::Ended(stream, how) => {
                if let Some(identifying) = self.identifying.as_mut().filter(|who| who.is_on(stream)) {
                    identifying.on_end(how);
                }
            }
        }
    }

    /// The stream of the question ended without an answer.
    fn on_end(&mut self, connection: &mut impl Connection, how: Option<Failure>) {
        let closed = || Failure::new(Phase::Request, FailureClass::StreamClosed);
        let failure = how.unwrap_or_else(closed);
        let next = self.name + 1;
        if failure.class == FailureClass::ProtocolNotSupported && next < self.question.protocols.len() {
            (self.stream, self.name) = (open(connection, self.question, next), next);
        } else {
            self.answered(Err(failure));
        }
    }

    /// Nothing more comes, of whatever was asked.
    fn on_end_of_all(&mut self, failure: &Failure) {
        if self.answer.is_none() {
            self.answered(Err(failure.clone()));
        }
        if let Some(identifying) = self.identifying.as_mut().filter(|who| !who.is_over()) {
            identifying.on_end(Some(failure.clone()));
        }
    }

    fn is_asked_on(&self, stream: StreamId) -> bool {
        self.stream == stream && self.answer.is_none()
    }

    fn answered(&mut self, answer: Result<Vec<u8>, Failure>) {
        self.answer = Some((answer, self.asked.elapsed()));
    }
}

/// Opens a stream for the question, by the name of the protocol in this position.
fn open(connection: &mut impl Connection, question: &ApartQuestion, name: usize) -> StreamId {
    let protocol = question.protocols.get(name).map_or("", String::as_str);
    let stream = connection.open(protocol, question.answer_bytes);
    if let ApartAsk::Message(message) = &question.ask {
        connection.send(stream, message);
    }
    stream
}
