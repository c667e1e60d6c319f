//! When a key is looked at, from its publication on.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::seconds;

/// Ages at which programs forget addresses or records, and what is looked at around each: from so long before to so long after, so often.
/// 10 min: go-libp2p before v0.22, 15 min: identify after a disconnect, 30 min: go-libp2p since v0.22, 24 h and 48 h: go-libp2p-kad-dht's
/// addresses and records.
const DENSE: [Around; 5] = [
    Around::minutes(10, 1, 2, 15),
    Around::minutes(15, 1, 2, 15),
    Around::minutes(30, 2, 3, 20),
    Around::minutes(24 * 60, 10, 30, 120),
    Around::minutes(48 * 60, 10, 30, 120),
];

/// When a key is looked at, from the beginning of its publication on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "times", rename_all = "snake_case")]
pub enum RoundTimes {
    /// Every so often, for so long.
    Regular {
        /// From one to the next.
        #[serde(with = "seconds")]
        every: Duration,
        /// The last is no later than this.
        #[serde(with = "seconds")]
        span: Duration,
        /// Whether there are more around the ages at which programs forget: 10, 15 and 30 min, 24 h and 48 h.
        dense: bool,
    },
    /// At an age, and from there on every so often, for so long.
    First {
        /// The age of the first.
        #[serde(with = "seconds")]
        first: Duration,
        /// From one to the next.
        #[serde(with = "seconds")]
        every: Duration,
        /// The last is no later than this.
        #[serde(with = "seconds")]
        span: Duration,
    },
    /// At these ages.
    Listed {
        /// The ages.
        #[serde(with = "seconds::list")]
        at: Vec<Duration>,
    },
}

/// What is looked at around an age.
#[derive(Debug, Clone, Copy)]
struct Around {
    age: Duration,
    before: Duration,
    after: Duration,
    step: Duration,
}

impl Around {
    const fn minutes(age: u64, before: u64, after: u64, step_seconds: u64) -> Self {
        Self {
            age: Duration::from_secs(60 * age),
            before: Duration::from_secs(60 * before),
            after: Duration::from_secs(60 * after),
            step: Duration::from_secs(step_seconds),
        }
    }

    fn times(self) -> impl Iterator<Item = Duration> {
        let steps = (self.before + self.after).as_secs() / self.step.as_secs();
        let first = self.age.saturating_sub(self.before);
        (0..=steps).map(move |at| first + self.step * u32::try_from(at).unwrap_or(u32::MAX))
    }
}

impl RoundTimes {
    /// Every so often, for so long.
    pub const fn every(every: Duration, span: Duration) -> Self {
        Self::Regular { every, span, dense: false }
    }

    /// At an age, and from there on every so often, for so long.
    pub const fn from_the_first(first: Duration, (every, span): (Duration, Duration)) -> Self {
        Self::First { first, every, span }
    }

    /// The ages in ascending order, each once: that of round 1 first. A plan that was not [checked](super::HoardPlan::check) may have none.
    pub fn offsets(&self) -> Arc<[Duration]> {
        let mut all: Vec<Duration> = match self {
            Self::Regular { every, span, dense } => {
                let mut all: Vec<_> =
                    (1..=regular(*every, *span)).map(|at| every.saturating_mul(at)).collect();
                if *dense {
                    all.extend(DENSE.iter().flat_map(|around| around.times()).filter(|time| time <= span));
                }
                all
            }
            Self::First { first, every, span } => (0..after_the_first(*first, *every, *span))
                .map(|at| *first + every.saturating_mul(at))
                .collect(),
            Self::Listed { at } => at.clone(),
        };
        all.sort_unstable();
        all.dedup();
        all.into()
    }

    /// How many rounds a key has.
    pub fn len(&self) -> u64 {
        match self {
            Self::Regular { every, span, dense: false } => u64::from(regular(*every, *span)),
            Self::First { first, every, span } => u64::from(after_the_first(*first, *every, *span)),
            _ => self.offsets().len() as u64,
        }
    }

    /// Whether keys are never looked at.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The age at the last round.
    pub fn last(&self) -> Duration {
        match self {
            Self::Regular { every, span, dense: false } => every.saturating_mul(regular(*every, *span)),
            Self::First { first, every, span } => {
                let behind = after_the_first(*first, *every, *span).saturating_sub(1);
                first.saturating_add(every.saturating_mul(behind))
            }
            _ => self.offsets().last().copied().unwrap_or_default(),
        }
    }
}

/// How many rounds there are every so often within a time.
fn regular(every: Duration, span: Duration) -> u32 {
    let rounds = span.as_nanos().checked_div(every.as_nanos()).unwrap_or(0);
    u32::try_from(rounds).unwrap_or(u32::MAX)
}

/// How many rounds there are from the first on; none if that is too late.
fn after_the_first(first: Duration, every: Duration, span: Duration) -> u32 {
    span.checked_sub(first).map_or(0, |rest| regular(every, rest).saturating_add(1))
}
