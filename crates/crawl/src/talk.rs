//! What is said on an open connection: identify, and beside it one FIND_NODE for each prefix.

pub(crate) mod asking;
mod deeper;
mod part;
mod question;
#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

use dht::{Identified, Identifying};
use kad::{
    Key, PeerId,
    failure::{Failure, FailureClass, Phase},
    identify::Identify,
    network::{Connection, Event},
};
use schema::{FurtherRequests, PrefixOutcome, visit::PREFIXES};
use tokio::time::{Instant, timeout_at};

use crate::{found::HeardPeers, manner::Manner};
use asking::Asking;
use deeper::Deeper;

/// How long the rest of an identify message is awaited once part of it came and all else is done.
const IDENTIFY_PATIENCE: Duration = Duration::from_millis(500);

/// The longest conversation.
const MAX_TALK: Duration = Duration::from_secs(60);

/// What came of a conversation.
#[derive(Debug)]
pub(crate) struct TalkOutcome {
    /// What the peer said of itself; `None` if it said nothing.
    pub(crate) identify: Option<Identify>,
    /// Why it did not, or what was wrong beside it.
    pub(crate) identify_error: Option<Failure>,
    pub(crate) prefixes: [PrefixOutcome; PREFIXES],
    pub(crate) further: FurtherRequests,
    /// The buckets that may hold more than was read: bit `c` for that of prefix length `c`.
    pub(crate) open_buckets: u16,
    /// Why not everything was answered: the first failure.
    pub(crate) crawl_error: Option<Failure>,
    /// From the first request until its answer.
    pub(crate) request_rtt: Option<Duration>,
    /// From the first request until the last answer or failure.
    pub(crate) duration: Duration,
}

/// A conversation under way.
pub(crate) struct Talk<'a, C> {
    connection: &'a mut C,
    manner: &'a Manner,
    begun: Instant,
    last_news: Instant,
    first_answer: Option<Instant>,
    identify: Identifying,
    asking: Asking,
}

impl<'a, C: Connection> Talk<'a, C> {
    /// Puts what is to be said first in line: identify, and requests for `wave` prefixes.
    pub(crate) fn new(connection: &'a mut C, peer: PeerId, wave: usize, manner: &'a Manner) -> Self {
        let now = Instant::now();
        let identify = Identifying::begin(connection, peer);
        let deeper = Deeper::new(manner.whole_tables);
        let mut asking = Asking::begin(connection, Key::of_peer(&peer), &manner.protocols, wave, deeper);
        if manner.is_brief {
            asking.ask_no_further();
        }
        Self { connection, manner, begun: now, last_news: now, first_answer: None, identify, asking }
    }

    /// Talks until everything is answered or has failed.
    pub(crate) async fn run(mut self, found: &mut HeardPeers) -> TalkOutcome {
        while let Some(deadline) = self.deadline() {
            let event = tokio::select! {
                event = timeout_at(deadline, self.connection.next()) => event,
                () = self.manner.cancel.cancelled() => {
                    self.give_up(&Failure::new(Phase::Request, FailureClass::Cancelled));
                    break;
                }
            };
            match event {
                Ok(Ok(event)) => self.on_event(event, found),
                Ok(Err(failure)) => {
                    self.give_up(&failure);
                    break;
                }
                Err(_) => self.on_timeout(deadline, found),
            }
        }
        let Identified { said: identify, fault: identify_error } = self.identify.into_introduced();
        TalkOutcome {
            identify,
            identify_error,
            duration: self.last_news - self.begun,
            request_rtt: self.first_answer.map(|answer| answer - self.begun),
            prefixes: self.asking.prefixes,
            further: self.asking.deeper.requests,
            open_buckets: self.asking.deeper.open_buckets(found),
            crawl_error: self.asking.error,
        }
    }

    /// Until when the next event is awaited; `None` when nothing more is to come.
    fn deadline(&self) -> Option<Instant> {
        let patience = match self.asking.is_over() {
            true if self.identify.is_over() => return None,
            true if self.identify.has_begun() => IDENTIFY_PATIENCE,
            _ => self.manner.request_timeout,
        };
        Some((self.last_news + patience).min(self.begun + MAX_TALK))
    }

    fn on_event(&mut self, event: Event, found: &mut HeardPeers) {
        match event {
            Event::Accepted(stream) => return self.asking.on_accepted(stream),
            Event::Message(stream, message) if self.identify.is_on(stream) => {
                self.identify.on_message(&message, &self.manner.protocols);
            }
            Event::Message(stream, answer) => {
                if self.asking.on_answer(self.connection, stream, &answer, found) {
                    self.first_answer.get_or_insert_with(Instant::now);
                }
            }
            Event::Ended(stream, how) if self.identify.is_on(stream) => self.identify.on_end(how),
            Event::Ended(stream, how) => self.asking.on_end(self.connection, (stream, how), found),
        }
        if self.identify.is_over() {
            self.asking.on_room(self.connection, found);
        }
        self.last_news = Instant::now();
    }

    fn on_timeout(&mut self, deadline: Instant, found: &HeardPeers) {
        let timeout = Failure::new(Phase::Request, FailureClass::Timeout);
        if deadline >= self.begun + MAX_TALK {
            self.give_up(&timeout);
            return;
        }
        self.identify.on_end(Some(timeout));
        self.asking.on_timeout(self.connection, found);
        self.asking.on_room(self.connection, found);
        self.last_news = deadline;
    }

    fn give_up(&mut self, failure: &Failure) {
        self.identify.on_end(Some(failure.clone()));
        self.asking.fail_the_rest(failure);
        self.last_news = Instant::now();
    }
}
