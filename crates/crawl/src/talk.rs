//! What is said on an open connection: identify, and beside it one FIND_NODE for each prefix.

pub(crate) mod asking;
mod identifying;
#[cfg(test)]
mod tests;

use std::time::Duration;

use kad::{
    Key, PeerId,
    failure::{Failure, FailureClass, Phase},
    identify::Identify,
    network::{Connection, Event},
};
use schema::{PrefixOutcome, visit::PREFIXES};
use tokio::time::{Instant, timeout_at};

use crate::{found::Found, manner::Manner};
use asking::Asking;
use identifying::Identifying;

/// How long the rest of an identify message is awaited once part of it came and all else is done.
const IDENTIFY_PATIENCE: Duration = Duration::from_millis(500);

/// The longest conversation.
const MAX_TALK: Duration = Duration::from_secs(60);

/// What came of a conversation.
#[derive(Debug)]
pub(crate) struct Said {
    /// How the connection ended, if it ended within a handshake that was still under way: there was none.
    pub(crate) no_connection: Option<Failure>,
    pub(crate) identify: Result<Identify, Failure>,
    pub(crate) prefixes: [PrefixOutcome; PREFIXES],
    /// Why requests failed: the first failure.
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
    /// Whether anything has come: then the handshakes are over.
    stood: bool,
    identify: Identifying,
    asking: Asking,
}

impl<'a, C: Connection> Talk<'a, C> {
    /// Puts what is to be said first in line: identify, and requests for `wave` prefixes.
    pub(crate) fn new(connection: &'a mut C, peer: PeerId, wave: usize, manner: &'a Manner) -> Self {
        let now = Instant::now();
        let identify = Identifying::begin(connection);
        let asking = Asking::begin(connection, Key::of_peer(&peer), &manner.protocols, wave);
        Self {
            connection,
            manner,
            begun: now,
            last_news: now,
            first_answer: None,
            stood: false,
            identify,
            asking,
        }
    }

    /// Talks until everything is answered or has failed.
    pub(crate) async fn run(mut self, found: &mut Found) -> Said {
        let mut no_connection = None;
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
                    no_connection = Some(failure).filter(|f| !self.stood && f.phase <= Phase::Multiplex);
                    break;
                }
                Err(_) => self.on_timeout(deadline),
            }
        }
        Said {
            no_connection,
            identify: self.identify.into_result(),
            duration: self.last_news - self.begun,
            request_rtt: self.first_answer.map(|answer| answer - self.begun),
            prefixes: self.asking.prefixes,
            crawl_error: self.asking.error,
        }
    }

    /// Until when the next event is awaited; `None` when nothing more is to come.
    fn deadline(&self) -> Option<Instant> {
        let patience = match (self.asking.is_over(), &self.identify) {
            (true, Identifying::Done(_)) => return None,
            (true, Identifying::Partly(..)) => IDENTIFY_PATIENCE,
            _ => self.manner.request_timeout,
        };
        Some((self.last_news + patience).min(self.begun + MAX_TALK))
    }

    fn on_event(&mut self, event: Event, found: &mut Found) {
        self.stood = true;
        match event {
            Event::Accepted(_) => return,
            Event::Message(stream, message) if self.identify.is_on(stream) => {
                self.identify.on_message(&message);
            }
            Event::Message(stream, answer) => {
                if self.asking.on_answer(self.connection, stream, &answer, found) {
                    self.first_answer.get_or_insert_with(Instant::now);
                }
            }
            Event::Ended(stream, how) if self.identify.is_on(stream) => self.identify.on_end(how),
            Event::Ended(stream, how) => self.asking.on_end(self.connection, stream, how),
        }
        if matches!(self.identify, Identifying::Done(_)) {
            self.asking.on_room(self.connection);
        }
        self.last_news = Instant::now();
    }

    fn on_timeout(&mut self, deadline: Instant) {
        let timeout = Failure::new(Phase::Request, FailureClass::Timeout);
        if deadline >= self.begun + MAX_TALK {
            self.give_up(&timeout);
            return;
        }
        self.identify.on_end(Some(timeout));
        self.asking.on_timeout(self.connection);
        self.asking.on_room(self.connection);
        self.last_news = deadline;
    }

    fn give_up(&mut self, failure: &Failure) {
        self.identify.on_end(Some(failure.clone()));
        self.asking.fail_the_rest(failure);
        self.last_news = Instant::now();
    }
}
