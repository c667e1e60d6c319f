//! How many holders are in which state, in all and by round.

use std::collections::BTreeMap;

use estimate::{Mean, Proportion};
use serde::{Deserialize, Serialize};

use super::{
    history::LifeSight,
    rows::{LifeRow, LifeRows},
    states::{HolderPresence, HolderRecord, Saying},
};

/// The holders of an arm by what became of them. Shares have intervals over peers: what one peer does with many keys hangs together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HolderCensus {
    /// The arm.
    pub arm: String,
    /// How many were chosen: one peer for each key that it is to hold.
    pub chosen: u64,
    /// How many peers that are.
    pub peers: u64,
    /// How many were in each state when they were last seen.
    pub records: Vec<(HolderRecord, u64)>,
    /// And where.
    pub presences: Vec<(HolderPresence, u64)>,
    /// Of those chosen, to how many the record was sent; shares are `None` where nobody was.
    pub sent: Option<Proportion>,
    /// Of those that answered at any time, how many ever had the record.
    pub stored: Option<Proportion>,
    /// Of those that ever had it, how many ever gave addresses.
    pub addressed: Option<Proportion>,
    /// Of those that ever had it, how many said later that they do not.
    pub lost: Option<Proportion>,
    /// Of those that were reached, how many were not at some later time.
    pub left: Option<Proportion>,
    /// Of those that were not reached any more, how many were later.
    pub returned: Option<Proportion>,
    /// Of those that were reached, how many were at another IP at some time.
    pub moved: Option<Proportion>,
}

/// What one round saw of the holders of one key. Who was not dialled, or did not answer, is counted as neither.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct HolderCounts {
    /// How many were dialled.
    pub dialled: u32,
    /// How many of these were reached: the active ones.
    pub reached: u32,
    /// How many said whether they have the record.
    pub answered: u32,
    /// How many said that they do: those that keep it.
    pub keeping: u32,
    /// How many of these gave addresses.
    pub with_addresses: u32,
    /// The sum of the times of all sights since publication began, in seconds, and how many there were.
    age: (f64, u32),
}

/// The means over the keys of an arm of what a round saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoundMeans {
    /// The arm.
    pub arm: String,
    /// The round.
    pub round: u32,
    /// The actual time since publication began, in seconds.
    pub age_s: Mean,
    /// Holders that were dialled.
    pub dialled: Mean,
    /// Of these, reached.
    pub reached: Mean,
    /// Holders that said whether they have the record.
    pub answered: Mean,
    /// Of these, with the record.
    pub keeping: Mean,
    /// Of these, with addresses.
    pub with_addresses: Mean,
}

/// The counts of the keys of one round.
#[derive(Debug, Default)]
pub(super) struct RoundTally(Vec<HolderCounts>);

impl HolderCounts {
    /// One more sight; a holder that is seen more than once in a round counts as often.
    pub fn see(&mut self, sight: &LifeSight) {
        let saying = Saying::of(sight.answer);
        let answers = saying != Saying::Silence;
        let is_reached = sight.whereabouts.is_reached() || answers;
        self.dialled += u32::from(is_reached || sight.whereabouts != schema::Whereabouts::Undialled);
        self.reached += u32::from(is_reached);
        self.answered += u32::from(answers);
        self.keeping += u32::from(matches!(saying, Saying::With | Saying::Id));
        self.with_addresses += u32::from(saying == Saying::With);
        self.age.0 += sight.after.as_secs_f64();
        self.age.1 += 1;
    }
}

impl RoundTally {
    pub(super) fn add(&mut self, counts: &HolderCounts) {
        self.0.push(*counts);
    }

    /// `None` where nobody was to be seen.
    fn means(&self, arm: &str, round: u32) -> Option<RoundMeans> {
        let mean = |of: fn(&HolderCounts) -> f64| Mean::of(self.0.iter().map(of));
        Some(RoundMeans {
            arm: arm.to_owned(),
            round,
            age_s: mean(|counts| counts.age.0 / f64::from(counts.age.1))?,
            dialled: mean(|counts| f64::from(counts.dialled))?,
            reached: mean(|counts| f64::from(counts.reached))?,
            answered: mean(|counts| f64::from(counts.answered))?,
            keeping: mean(|counts| f64::from(counts.keeping))?,
            with_addresses: mean(|counts| f64::from(counts.with_addresses))?,
        })
    }
}

impl LifeRows {
    /// What rounds saw, by arm.
    pub fn round_means(&self) -> Vec<RoundMeans> {
        let means =
            |((arm, round), tally): (&(u32, u32), &RoundTally)| tally.means(self.arms.name(*arm), *round);
        self.rounds.iter().filter_map(means).collect()
    }

    /// How many holders are in which state, by arm.
    pub fn census(&self) -> Vec<HolderCensus> {
        self.arms().into_iter().map(|arm| self.census_of(arm)).collect()
    }

    fn census_of(&self, arm: u32) -> HolderCensus {
        let rows = || self.rows.iter().filter(|row| row.arm == arm);
        let share = |among: fn(&LifeRow) -> bool, hit: fn(&LifeRow) -> bool| {
            let mut clusters: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
            for row in rows().filter(|row| among(row)) {
                let (hits, n) = clusters.entry(row.peer).or_default();
                *hits += u64::from(hit(row));
                *n += 1;
            }
            Proportion::of_clusters(&clusters.into_values().collect::<Vec<_>>())
        };
        let mut peers: Vec<u32> = rows().map(|row| row.peer).collect();
        peers.sort_unstable();
        peers.dedup();
        let left = |row: &LifeRow| row.life.reached.is_some_and(|span| span.by.is_some());
        let stored = |row: &LifeRow| row.life.record.was_stored();
        HolderCensus {
            arm: self.arms.name(arm).to_owned(),
            chosen: rows().count() as u64,
            peers: peers.len() as u64,
            records: counted(HolderRecord::ALL, rows().map(|row| row.life.record)),
            presences: counted(HolderPresence::ALL, rows().map(|row| row.life.presence)),
            sent: share(|_| true, |row| row.sent.is_some()),
            stored: share(
                |row| !matches!(row.life.record, HolderRecord::Chosen | HolderRecord::Dialled),
                stored,
            ),
            addressed: share(stored, |row| row.life.addressed.is_some()),
            lost: share(stored, |row| row.life.kept.is_some_and(|span| span.by.is_some())),
            left: share(|row| row.life.reached.is_some(), left),
            returned: share(left, |row| row.life.has_returned),
            moved: share(|row| row.life.reached.is_some(), |row| row.life.has_moved),
        }
    }
}

/// How many are in each of all states.
fn counted<S: Copy + PartialEq>(all: &[S], states: impl Iterator<Item = S>) -> Vec<(S, u64)> {
    let mut counts: Vec<(S, u64)> = all.iter().map(|state| (*state, 0)).collect();
    for state in states {
        for (_, count) in counts.iter_mut().filter(|(known, _)| *known == state) {
            *count += 1;
        }
    }
    counts
}
