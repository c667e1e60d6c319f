//! What every change comes to, walk by walk: kept small, so that walks can be read one after another and forgotten.

use std::time::Duration;

use super::{
    numbers::SavingsSection,
    replay::{AddressSource, Change, Outcome, SavingsTerms},
    walk::{ProviderPlace, RetrievalWalk, SecondWalk},
};

/// What every change comes to on the walks so far: some 180 bytes a walk.
#[derive(Debug, Clone)]
pub struct SavingsRows {
    pub(super) terms: SavingsTerms,
    pub(super) changes: Vec<Change>,
    pub(super) walks: Vec<KeptWalk>,
    /// What each change comes to on each walk.
    pub(super) outcomes: Vec<Vec<KeptOutcome>>,
    pub(super) cut_short: u64,
}

/// What is kept of a walk.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeptWalk {
    pub(super) key: u32,
    pub(super) age: Option<Duration>,
    pub(super) second: Option<SecondWalk>,
    pub(super) place: ProviderPlace,
}

/// What is kept of an outcome: a study has millions.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeptOutcome {
    settled_us: u32,
    requests: u16,
    combo: u8,
}

impl KeptOutcome {
    /// A walk of more than an hour, or of more than 65,535 requests, is as one of so many.
    fn keep(outcome: Outcome) -> Self {
        Self {
            settled_us: u32::try_from(outcome.settled.as_micros()).unwrap_or(u32::MAX),
            requests: u16::try_from(outcome.requests).unwrap_or(u16::MAX),
            combo: outcome.combo,
        }
    }

    pub(super) fn get(self) -> Outcome {
        let Self { settled_us, requests, combo } = self;
        Outcome { combo, settled: Duration::from_micros(settled_us.into()), requests: requests.into() }
    }
}

impl SavingsRows {
    /// No walk yet.
    pub fn new(terms: SavingsTerms) -> Self {
        let changes = terms.changes();
        let outcomes = vec![Vec::new(); changes.len()];
        Self { terms, changes, walks: Vec::new(), outcomes, cut_short: 0 }
    }

    /// Takes a walk in.
    pub fn add(&mut self, walk: &RetrievalWalk) {
        let &RetrievalWalk { key, age, second, place, .. } = walk;
        self.walks.push(KeptWalk { key, age, second, place });
        for (change, outcomes) in self.changes.iter().zip(&mut self.outcomes) {
            outcomes.push(KeptOutcome::keep(change.replay(walk)));
        }
    }

    /// There was one that was cut short: nobody knows what would have come.
    pub const fn add_cut_short(&mut self) {
        self.cut_short += 1;
    }

    /// The numbers of all of them.
    pub fn section(&self) -> SavingsSection {
        super::section::of(self)
    }

    /// The walks on which a change can be tried, of an age from one end to below another.
    pub(super) fn chosen(
        &self,
        change: usize,
        ages: Option<(Duration, Option<Duration>)>,
    ) -> impl Iterator<Item = (KeptWalk, Outcome)> {
        let of_any_age = ages.is_none() && self.changes[change].addresses == AddressSource::AsSeen;
        let (from, to) = ages.unwrap_or_default();
        let is_meant = move |age: Duration| from <= age && to.is_none_or(|to| age < to);
        let all = self.walks.iter().copied().zip(self.outcomes[change].iter().map(|kept| kept.get()));
        all.filter(move |(walk, _)| walk.age.map_or(of_any_age, is_meant))
    }

    /// How many keys there can be.
    pub(super) fn keys(&self) -> usize {
        self.walks.iter().map(|walk| walk.key as usize + 1).max().unwrap_or(0)
    }
}
