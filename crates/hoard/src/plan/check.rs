//! Whether a plan can be gone by.

use std::{collections::BTreeSet, time::Duration};

use kad::{answer::MAX_KEY_BYTES, message::K};
use schema::{PublisherEnd, Strategy};
use thiserror::Error;

use super::{HoardPlan, KeySource, RoundTimes};

/// The most rounds of a study, of all keys together.
pub const MAX_ROUNDS: u64 = 10_000_000;

/// The most keys that are watched at once.
const MAX_KEYS: u64 = 1_000_000;

/// The most keys of a list: they stand in the run's row.
const MAX_LISTED: usize = 100_000;

/// The most peers that are given a record: half of the bits of a key cannot tell many more apart, and no server names more than 20.
const MAX_K: u16 = 256;

/// The most arms.
const MAX_ARMS: usize = 64;

/// The most readings after a publication.
const MAX_READINGS: usize = 16;

/// The longest that a key is watched.
const MAX_SPAN: Duration = Duration::from_secs(366 * 24 * 3600);

/// The shortest time between two rounds of a key.
const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// Why nobody can go by a plan.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadPlan {
    /// No key, or more than there may be.
    #[error("there are {0} keys: a study has 1 to {most}", most = MAX_KEYS)]
    Keys(u64),
    /// The list of keys is too long.
    #[error("there are {0} keys in the list: it may have {most}", most = MAX_LISTED)]
    Listed(usize),
    /// A key of the list is none.
    #[error("key {0} of the list is empty or has more than {most} bytes", most = MAX_KEY_BYTES)]
    Key(usize),
    /// A key stands twice in the list.
    #[error("key {0} of the list stands in it before")]
    Twice(usize),
    /// No round, or more than there may be.
    #[error("there are {0} rounds in all: a study has 1 to {most}", most = MAX_ROUNDS)]
    Rounds(u64),
    /// Rounds follow one another too fast.
    #[error("rounds {0:?} apart: at least 1 s is between two of them, and before the first")]
    Interval(Duration),
    /// A key is watched for too long.
    #[error("a key is watched for {0:?}: at most for a year")]
    Span(Duration),
    /// No arm, or more than there may be.
    #[error("there are {0} arms: a study has 1 to {most}", most = MAX_ARMS)]
    Arms(usize),
    /// Two arms are called the same, or one nothing.
    #[error("two arms are called {0:?}, or one is called nothing")]
    ArmName(String),
    /// An arm gives records to nobody, or to more than it may.
    #[error("arm {0}: a record goes to 1 to {most} peers", most = MAX_K)]
    K(String),
    /// The strategy gives each record to 20 peers.
    #[error("arm {0}: a sweep gives each record to 20 peers, as Go's does")]
    SweepK(String),
    /// An indexer is no peer of the network.
    #[error("arm {0}: who publishes to an indexer gives nobody a record")]
    Indexer(String),
    /// Foreign keys are published by us, or our own by others.
    #[error("arm {0}: others publish the keys of others, and nobody else does")]
    Foreign(String),
    /// Arms of keys of others.
    #[error("keys of others are of one arm")]
    ForeignArms,
    /// A number that must be at least 1 is 0.
    #[error("{0} is at least 1")]
    Zero(&'static str),
    /// A time that must be longer.
    #[error("{0} is at least 1 s")]
    Short(&'static str),
    /// A lookup may take longer than the round that it is of.
    #[error(
        "a lookup is given up after {lookup:?}, and the round that it is of after {round:?}: it may take no longer"
    )]
    Patience {
        /// The lookup.
        lookup: Duration,
        /// The round.
        round: Duration,
    },
    /// Too many readings.
    #[error("there are {0} readings after a publication: at most {most}", most = MAX_READINGS)]
    Readings(usize),
    /// A count of 0.
    #[error("a lookup until there are 0 providers finds none")]
    Count,
}

impl HoardPlan {
    /// Whether it can be gone by: the first thing that stands in the way.
    pub fn check(&self) -> Result<(), BadPlan> {
        self.check_rounds()?;
        self.check_arms()?;
        self.check_keys()?;
        self.check_bounds()
    }

    fn check_rounds(&self) -> Result<(), BadPlan> {
        match &self.rounds {
            RoundTimes::Regular { every, .. } | RoundTimes::First { every, .. } if *every < MIN_INTERVAL => {
                Err(BadPlan::Interval(*every))
            }
            RoundTimes::Regular { span, .. } | RoundTimes::First { span, .. } if *span > MAX_SPAN => {
                Err(BadPlan::Span(*span))
            }
            RoundTimes::Regular { every, span, .. } | RoundTimes::First { every, span, .. }
                if span.as_secs() / every.as_secs() > MAX_ROUNDS =>
            {
                Err(BadPlan::Rounds(span.as_secs() / every.as_secs()))
            }
            times if times.is_empty() => Err(BadPlan::Rounds(0)),
            times if times.last() > MAX_SPAN => Err(BadPlan::Span(times.last())),
            times => {
                let mut before = Duration::ZERO;
                for &at in &*times.offsets() {
                    let gap = at.saturating_sub(before);
                    if gap < MIN_INTERVAL {
                        return Err(BadPlan::Interval(gap));
                    }
                    before = at;
                }
                Ok(())
            }
        }
    }

    fn check_keys(&self) -> Result<(), BadPlan> {
        if let KeySource::Listed { keys } | KeySource::Foreign { keys } = &self.keys {
            if keys.len() > MAX_LISTED {
                return Err(BadPlan::Listed(keys.len()));
            }
            let mut seen = BTreeSet::new();
            for (position, key) in keys.iter().enumerate() {
                if key.0.is_empty() || key.0.len() > MAX_KEY_BYTES {
                    return Err(BadPlan::Key(position + 1));
                }
                if !seen.insert(&key.0) {
                    return Err(BadPlan::Twice(position + 1));
                }
            }
        }
        let at_once = self.watched_at_once();
        if at_once == 0 || at_once > MAX_KEYS {
            return Err(BadPlan::Keys(at_once));
        }
        match self.rounds_in_all() {
            Some(rounds) if rounds > MAX_ROUNDS => Err(BadPlan::Rounds(rounds)),
            _ => Ok(()),
        }
    }

    /// How many keys of all arms are watched at once, at most.
    pub(crate) fn watched_at_once(&self) -> u64 {
        self.publications().unwrap_or_else(|| {
            let gap = self.pace.gap.as_micros().max(1);
            let of_an_arm = u64::try_from(self.rounds.last().as_micros() / gap).unwrap_or(u64::MAX);
            of_an_arm.saturating_add(1).saturating_mul(self.arms.len() as u64)
        })
    }

    fn check_arms(&self) -> Result<(), BadPlan> {
        if self.arms.is_empty() || self.arms.len() > MAX_ARMS {
            return Err(BadPlan::Arms(self.arms.len()));
        }
        if self.keys.is_foreign() && self.arms.len() > 1 {
            return Err(BadPlan::ForeignArms);
        }
        let mut names = BTreeSet::new();
        for arm in &self.arms {
            let name = || arm.name.clone();
            if arm.name.is_empty() || !names.insert(&arm.name) {
                return Err(BadPlan::ArmName(name()));
            }
            if arm.k == 0 || arm.k > MAX_K {
                return Err(BadPlan::K(name()));
            }
            if self.keys.is_foreign() != (arm.end == PublisherEnd::Foreign) {
                return Err(BadPlan::Foreign(name()));
            }
            match arm.strategy {
                Strategy::Indexer => return Err(BadPlan::Indexer(name())),
                Strategy::Sweep if usize::from(arm.k) != K => return Err(BadPlan::SweepK(name())),
                _ => {}
            }
        }
        Ok(())
    }

    fn check_bounds(&self) -> Result<(), BadPlan> {
        let (pace, lookups, observing) = (&self.pace, &self.lookups, &self.observing);
        let numbers = [
            ("the number of publications at once", pace.at_once),
            ("the number of observers", observing.observers),
            ("the number of rounds at once", observing.at_once),
            ("the number of dials at once", observing.dials),
            ("the number of attempts", usize::from(observing.attempts)),
        ];
        if let Some((name, _)) = numbers.iter().find(|(_, number)| *number == 0) {
            return Err(BadPlan::Zero(name));
        }
        let times = [
            ("the time of a publication", pace.deadline),
            ("the time of a round", observing.deadline),
            ("the time of a lookup", lookups.patience),
            ("the time of a dial", observing.dial),
            ("the time of an answer", observing.answer),
        ];
        if let Some((name, _)) = times.iter().find(|(_, time)| *time < Duration::from_secs(1)) {
            return Err(BadPlan::Short(name));
        }
        if lookups.count == Some(0) {
            return Err(BadPlan::Count);
        }
        if self.readings.len() > MAX_READINGS {
            return Err(BadPlan::Readings(self.readings.len()));
        }
        if !lookups.is_empty() && lookups.patience > observing.deadline {
            return Err(BadPlan::Patience { lookup: lookups.patience, round: observing.deadline });
        }
        Ok(())
    }
}
