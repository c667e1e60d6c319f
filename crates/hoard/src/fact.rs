//! What happens in a study: what whoever runs it is told, and keeps.

use std::{sync::Arc, time::Duration};

use dht::PublishFailure;
use kad::{PeerId, Persistence, failure::Failure};
use schema::{PublisherEnd, Strategy, Timestamp};

use crate::{KeyRound, KnownHolder, WatchedKey};

/// Something that happened in a study.
#[derive(Debug)]
pub enum HoardFact {
    /// A key was published; or, of one that somebody else provides, its holders were found.
    Published(Box<KeyPublished>),
    /// A round of a key is over, or was missed.
    Round(Box<KeyRound>),
    /// A publisher hung up and left.
    PublisherLeft(PublisherLeft),
}

/// How a key was published. Spans count from the beginning of its publication.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyPublished {
    /// The key, with its holders.
    pub watched: WatchedKey,
    /// What the plan calls its arm.
    pub arm_name: Arc<str>,
    /// Its place in its arm, from 0.
    pub position: u32,
    /// How it was published; `None` if somebody else did.
    pub strategy: Option<Strategy>,
    /// How far the publication went; `None` if somebody else did it.
    pub persistence: Option<Persistence>,
    /// How many peers were to hold the record.
    pub k: u16,
    /// What becomes of its publisher.
    pub publisher_end: PublisherEnd,
    /// How long it took.
    pub took: Duration,
    /// Whether anybody was given the record, as far as the publisher can tell.
    pub outcome: Result<(), PublishFailure>,
    /// What became of the record on its way to each holder, in the order of the holders.
    pub given: Vec<RecordGiven>,
}

/// A record on its way to a holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordGiven {
    /// When the holder was chosen.
    pub chosen_after: Duration,
    /// When the record left; `None` if it never did, or if nobody knows.
    pub sent_after: Option<Duration>,
    /// Why it was not sent, or how it was refused; `None` if it was taken as far as the publisher can tell, or if nobody knows.
    pub failure: Option<Failure>,
}

/// A publisher that left: until then it may have held connections, so that its addresses were known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublisherLeft {
    /// Who.
    pub peer: PeerId,
    /// The arm, by its number in the plan.
    pub arm: u16,
    /// When its connections were closed.
    pub closed_at: Timestamp,
}

impl KeyPublished {
    /// Each holder, its place by its distance to the key, from 1, and what became of its record.
    pub fn holders(&self) -> impl Iterator<Item = (u16, &KnownHolder, Option<&RecordGiven>)> {
        let given = self.given.iter().map(Some).chain(std::iter::repeat(None));
        (1..).zip(self.watched.holders.iter()).zip(given).map(|((rank, holder), given)| (rank, holder, given))
    }
}
