//! What a study looks like while it goes on: for whoever shows it, and for metrics.

mod holders;
mod lags;

use std::time::Duration;

use kad::{PeerId, retrieval::RetrievalVerdict};
use schema::{HolderAnswer, PublisherEnd, RoundEnd, Timestamp, Whereabouts};
use tokio::sync::watch;

pub use self::{holders::HolderStates, lags::LagNow};
use self::{holders::LastSeen, lags::Lags};
use crate::{FlightCounts, KeyPublished, KeyRound};

/// A study at a moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HoardNow {
    /// Whether publishers and observers stand.
    pub is_ready: bool,
    /// Keys that were published or taken in, by all arms, those of runs before included.
    pub keys: u64,
    /// Those of them whose record nobody was given.
    pub failed_keys: u64,
    /// Keys of all arms; `None` where the study goes on until it is stopped.
    pub all_keys: Option<u64>,
    /// Keys that still have rounds to come.
    pub watched: u64,
    /// Rounds, by how they ended, in the order of [`RoundEnd::ALL`]; readings right after a publication are none.
    pub rounds: [u64; RoundEnd::ALL.len()],
    /// Rounds of all keys; `None` where the study goes on until it is stopped.
    pub all_rounds: Option<u64>,
    /// The highest round that ended.
    pub round: u32,
    /// What is under way.
    pub in_flight: FlightCounts,
    /// How late rounds begin.
    pub lag: LagNow,
    /// How long it still takes, as planned; `None` where it goes on until it is stopped.
    pub eta: Option<Duration>,
    /// In how long the next round is due, zero if one waits already; `None` where none is to come.
    pub next_round: Option<Duration>,
    /// Holders of the keys that are watched, by where they are and what they said when they were looked at last.
    pub holders: HolderStates,
    /// Dials of those who provide keys, by what came of them, in the order of [`RetrievalVerdict::ALL`].
    pub provider_dials: [u64; RetrievalVerdict::ALL.len()],
    /// Publishers that are there.
    pub publishers: u64,
    /// Facts that wait to be kept.
    pub facts_waiting: u64,
}

impl HoardNow {
    /// Rounds that ended so.
    pub fn rounds_of(&self, end: RoundEnd) -> u64 {
        RoundEnd::ALL.iter().zip(self.rounds).find(|(of, _)| **of == end).map_or(0, |(_, count)| count)
    }

    /// Rounds that are over or were missed.
    pub fn rounds_over(&self) -> u64 {
        self.rounds.iter().sum()
    }

    /// Dials of providers that came to such a verdict.
    pub fn dials_of(&self, is_meant: impl Fn(RetrievalVerdict) -> bool) -> u64 {
        let meant = RetrievalVerdict::ALL.iter().zip(self.provider_dials).filter(|(of, _)| is_meant(**of));
        meant.map(|(_, count)| count).sum()
    }

    /// Holders that were connected to when they were looked at last.
    pub fn reached(&self) -> u64 {
        self.holders.count(|whereabouts, _| whereabouts.is_reached())
    }

    /// Holders that said that they have the record when they were looked at last.
    pub fn keeping(&self) -> u64 {
        self.holders.count(|_, answer| answer.has_record())
    }

    /// Holders that gave addresses with it when they were looked at last.
    pub fn with_addresses(&self) -> u64 {
        self.holders.count(|_, answer| answer == HolderAnswer::WithAddresses)
    }
}

/// Counts what happens, and tells whoever watches.
#[derive(Debug)]
pub(crate) struct HoardWatch {
    now: watch::Sender<HoardNow>,
    lags: Lags,
    last: LastSeen,
}

impl HoardWatch {
    pub(crate) fn new(now: watch::Sender<HoardNow>) -> Self {
        Self { now, lags: Lags::default(), last: LastSeen::default() }
    }

    /// Something of it is otherwise now.
    pub(crate) fn change(&self, change: impl FnOnce(&mut HoardNow)) {
        self.now.send_modify(change);
    }

    /// A key was published.
    pub(crate) fn published(&self, published: &KeyPublished) {
        let has_failed = published.outcome.is_err() || published.watched.holders.is_empty();
        self.change(|now| {
            now.keys += 1;
            now.failed_keys += u64::from(has_failed && published.publisher_end != PublisherEnd::Foreign);
        });
    }

    /// A round of a key is over.
    pub(crate) fn round(&mut self, key: u64, round: &KeyRound) {
        let is_reading = round.round == 0;
        if !is_reading && round.end != RoundEnd::Missed {
            self.lags.add(round.lag());
        }
        let (lag, last) = (self.lags.now(), &mut self.last);
        let seen: Vec<(PeerId, Whereabouts, HolderAnswer)> =
            round.sights.iter().map(|sight| (sight.peer, sight.whereabouts, sight.said.answer)).collect();
        self.now.send_modify(|now| {
            if !is_reading {
                for (count, _) in
                    now.rounds.iter_mut().zip(RoundEnd::ALL).filter(|(_, end)| **end == round.end)
                {
                    *count += 1;
                }
                now.round = now.round.max(round.round);
            }
            for dial in &round.dials {
                let counts = now.provider_dials.iter_mut().zip(RetrievalVerdict::ALL);
                counts.filter(|(_, of)| **of == dial.verdict).for_each(|(count, _)| *count += 1);
            }
            now.lag = lag;
            last.see(key, &seen, &mut now.holders);
        });
    }

    /// A key has no rounds to come.
    pub(crate) fn done_with(&mut self, key: u64) {
        let last = &mut self.last;
        self.now.send_modify(|now| last.forget(key, &mut now.holders));
    }

    /// What is to be seen at last.
    pub(crate) fn now(&self) -> HoardNow {
        self.now.borrow().clone()
    }
}

/// How long it still takes: until this time, but not less than what is to be published takes, with the rounds after it.
pub(crate) fn eta(ends_at: Timestamp, now: Timestamp, publishing: Option<Duration>) -> Duration {
    ends_at.since(now).max(publishing.unwrap_or_default())
}
