//! What a study does, as data: which keys, published how and by whom, looked at when and by what. Pure.
//!
//! It is kept with the run as JSON, so that whoever resumes it goes by the same plan. Whether it can be gone by is in `check`, plans that
//! have a name in `preset`; what is done by it is left to [`Hoard`](crate::Hoard).

mod check;
mod keys;
mod preset;
mod round_times;
pub(crate) mod seconds;
#[cfg(test)]
mod tests;
mod watching;

use std::{num::NonZeroU32, time::Duration};

use kad::Persistence;
use schema::{PublisherEnd, Strategy};
use serde::{Deserialize, Serialize};

use crate::{RoundParts, content::ContentFrame};

pub use self::{
    check::{BadPlan, MAX_ROUNDS},
    keys::{KeySource, StudyKeyBytes},
    preset::Preset,
    round_times::RoundTimes,
};

use crate::Filters;

/// To how many peers a client of Amino gives a record (`kad::message::K`).
const USUAL_K: u16 = 20;

/// What a study does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HoardPlan {
    /// The plan with a name that it was made from; `None` for one of somebody's own.
    pub preset: Option<Preset>,
    /// Where keys, publishers and everything random come from.
    pub seed: u64,
    /// What is published.
    pub keys: KeySource,
    /// Of what somebody else's keys are a sample; `None` where nobody said so.
    pub frame: Option<ContentFrame>,
    /// Whether each arm has keys of its own; else all arms publish the same, each by a publisher of its own, and who provides a record
    /// says whose it is.
    pub disjoint: bool,
    /// The ways of publishing that are compared; their numbers are their places here.
    pub arms: Vec<Arm>,
    /// How fast each arm publishes.
    pub pace: PublishPace,
    /// When keys are looked at, from the publication of each.
    pub rounds: RoundTimes,
    /// When holders are asked right after the publication, from its end. Default at once and after 10 s.
    #[serde(with = "seconds::list")]
    pub readings: Vec<Duration>,
    /// What is done in each round. Of somebody else's keys holders are looked for if they are to be asked.
    pub parts: RoundParts,
    /// What is looked up in each round.
    pub lookups: LookupSet,
    /// By whom, and within which bounds.
    pub observing: ObservingTerms,
    /// Who is left out.
    pub filters: Filters,
    /// Requests a second that publishers and observers make together, each with the dial that it needs; `None` where nothing but the bounds
    /// on what is under way at once holds them. A crawl for a strategy that knows everybody has limits of its own.
    pub max_requests_per_s: Option<NonZeroU32>,
}

/// One way of publishing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arm {
    /// What it is called.
    pub name: String,
    /// How it is decided who is given a record.
    pub strategy: Strategy,
    /// How far a publication goes.
    #[serde(with = "persistence")]
    pub persistence: Persistence,
    /// How many peers are given a record.
    pub k: u16,
    /// What becomes of who published.
    pub end: PublisherEnd,
}

/// How fast an arm publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishPace {
    /// From the beginning of one publication to that of the next, at least. With as many gaps as keys publications are spread over a time:
    /// published all at once, the age of a record and the hour of the day would be one thing.
    #[serde(with = "seconds")]
    pub gap: Duration,
    /// Publications of an arm under way at once.
    pub at_once: usize,
    /// After how long a publication is given up.
    #[serde(with = "seconds")]
    pub deadline: Duration,
}

/// What is looked up in each round, beside asking the holders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookupSet {
    /// Who is closest to the key now.
    pub closest: bool,
    /// Providers, until the first is found.
    pub first: bool,
    /// Providers, until there are so many. With one provider a number above 1 is never reached, and everybody on the way is asked.
    pub count: Option<u16>,
    /// Providers, until everybody was asked who might know of one.
    pub exhaustive: bool,
    /// After how long each of them is given up.
    #[serde(with = "seconds")]
    pub patience: Duration,
}

/// Who looks, and within which bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservingTerms {
    /// Peers of ours that look: each has connections of its own, so that lookups of one do not wait for those of another. Keys are spread
    /// evenly over them.
    pub observers: usize,
    /// Rounds under way at once, of all observers.
    pub at_once: usize,
    /// Dials of holders under way at once, of each observer.
    pub dials: usize,
    /// Of those who provide a key so many are dialled in each round at the most, and of the others nobody knows; 0: nobody is dialled.
    pub providers: usize,
    /// Whether those that are reached are asked whether they have the block.
    pub asks_for_blocks: bool,
    /// After how long a round is over; what is not done by then is said not to be.
    #[serde(with = "seconds")]
    pub deadline: Duration,
    /// Dials of a holder that refuses or resets, the first included; of others there is one.
    pub attempts: u8,
    /// Between two of them.
    #[serde(with = "seconds")]
    pub attempt_gap: Duration,
    /// After how long a dial is given up.
    #[serde(with = "seconds")]
    pub dial: Duration,
    /// After how long an answer is given up.
    #[serde(with = "seconds")]
    pub answer: Duration,
}

impl HoardPlan {
    /// So many keys of ours, by one arm, each looked at so often for so long: who is closest, and who provides, until the first is found,
    /// as CID Hoarder does.
    pub fn of(keys: u32, rounds: RoundTimes) -> Self {
        Self {
            preset: None,
            seed: 0,
            keys: KeySource::Random { count: Some(keys) },
            frame: None,
            disjoint: true,
            arms: vec![Arm::usual()],
            pace: PublishPace::default(),
            rounds,
            readings: vec![Duration::ZERO, Duration::from_secs(10)],
            parts: RoundParts::All,
            lookups: LookupSet::default(),
            observing: ObservingTerms::default(),
            filters: Filters::default(),
            max_requests_per_s: None,
        }
    }

    /// How many keys each arm publishes; `None` where it goes on until it is stopped.
    pub fn keys_per_arm(&self) -> Option<u32> {
        self.keys.count()
    }

    /// How many times a key is published or taken in, by all arms; `None` where it goes on until it is stopped.
    pub fn publications(&self) -> Option<u64> {
        Some(u64::from(self.keys_per_arm()?) * self.arms.len() as u64)
    }

    /// How many rounds there are, the publications not counted; `None` where it goes on until it is stopped.
    pub fn rounds_in_all(&self) -> Option<u64> {
        Some(self.publications()? * self.rounds.len())
    }

    /// How long it takes, as planned; `None` where it goes on until it is stopped.
    pub fn takes(&self) -> Option<Duration> {
        Some(self.pace.gap.saturating_mul(self.keys_per_arm()?) + self.rounds.last())
    }

    /// The key of an arm at a place; `None` if it has no such place.
    pub fn key(&self, arm: u16, position: u32) -> Option<Vec<u8>> {
        let stream = if self.disjoint { arm } else { 0 };
        match &self.keys {
            KeySource::Random { count } if count.is_none_or(|count| position < count) => {
                Some(keys::random_key(self.seed, stream, position))
            }
            KeySource::Random { .. } => None,
            KeySource::Listed { keys } | KeySource::Foreign { keys } => {
                keys.get(position as usize).map(|key| key.0.clone())
            }
        }
    }

    /// The arm with this number.
    pub fn arm(&self, arm: u16) -> Option<&Arm> {
        self.arms.get(usize::from(arm))
    }
}

impl Arm {
    /// As Amino's clients publish, by a publisher that leaves after its last publication, as CID Hoarder's does.
    pub fn usual() -> Self {
        Self {
            name: "default".to_owned(),
            strategy: Strategy::Default,
            persistence: Persistence::Go,
            k: USUAL_K,
            end: PublisherEnd::Closed,
        }
    }

    /// The same for another number of holders, called after it.
    pub(crate) fn of_k(k: u16) -> Self {
        Self { name: format!("k{k}"), k, ..Self::usual() }
    }
}

impl Default for PublishPace {
    /// One after the other is begun every 80 s, and given up after as long: as CID Hoarder (`pub-interval`, `task-timeout`).
    fn default() -> Self {
        Self { gap: Duration::from_secs(80), at_once: 64, deadline: Duration::from_secs(80) }
    }
}

impl Default for LookupSet {
    /// Who is closest, and the first provider, as CID Hoarder; given up after 60 s, as Go's own lookups are.
    fn default() -> Self {
        Self { closest: true, first: true, count: None, exhaustive: false, patience: Duration::from_secs(60) }
    }
}

impl LookupSet {
    /// How many lookups a round has.
    pub fn len(&self) -> usize {
        usize::from(self.closest)
            + usize::from(self.first)
            + usize::from(self.count.is_some())
            + usize::from(self.exhaustive)
    }

    /// Whether a round has none: holders are asked alone.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for ObservingTerms {
    /// 10 observers, as CID Hoarder (`hosts`); a round is over after 80 s, a dial after 10 s, tried once, as there. No provider is dialled.
    fn default() -> Self {
        Self {
            observers: 10,
            at_once: 512,
            dials: 256,
            providers: 0,
            asks_for_blocks: false,
            deadline: Duration::from_secs(80),
            attempts: 1,
            attempt_gap: Duration::from_secs(5),
            dial: Duration::from_secs(10),
            answer: Duration::from_secs(10),
        }
    }
}

/// How far a publication goes, by its name.
mod persistence {
    use std::borrow::Borrow;

    use kad::Persistence;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(
        what: &impl Borrow<Persistence>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str((*what.borrow()).name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Persistence, D::Error> {
        let name = String::deserialize(from)?;
        Persistence::from_name(&name)
            .ok_or_else(|| D::Error::custom(format!("no persistence is called {name}")))
    }
}
