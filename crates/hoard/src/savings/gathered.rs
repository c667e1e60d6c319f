//! The walks of a study and what every change comes to on each: kept small, so that walks can be read one after another and forgotten.

use std::{num::NonZeroU64, time::Duration};

use super::{
    numbers::SavingsSection,
    outcomes::Outcomes,
    replay::{AddressSource, Change, Outcome},
    terms::SavingsTerms,
    walk::{ProviderPlace, RetrievalWalk, SecondWalk},
};
use crate::ShortSpan;

/// What every change comes to on the walks so far: some 70 bytes a walk by 16 changes.
#[derive(Debug, Clone)]
pub struct SavingsRows {
    pub(super) terms: SavingsTerms,
    pub(super) changes: Vec<Change>,
    pub(super) walks: Vec<KeptWalk>,
    pub(super) outcomes: Outcomes,
    pub(super) cut_short: u64,
    pub(super) without_requests: u64,
}

/// What is kept of a walk.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeptWalk {
    /// One more than the microseconds of the record's age.
    age: Option<NonZeroU64>,
    pub(super) key: u32,
    second_took: Option<ShortSpan>,
    second_requests: u16,
    pub(super) place: ProviderPlace,
}

impl KeptWalk {
    /// A second walk of more than an hour, or of more than 65,535 requests, is as one of so many.
    fn keep(walk: &RetrievalWalk) -> Self {
        let micros = |age: Duration| u64::try_from(age.as_micros()).unwrap_or(u64::MAX - 1);
        Self {
            age: walk.age.map(|age| NonZeroU64::MIN.saturating_add(micros(age))),
            key: walk.key,
            second_took: walk.second.map(|second| ShortSpan::from(second.took)),
            second_requests: walk
                .second
                .map_or(0, |second| u16::try_from(second.requests).unwrap_or(u16::MAX)),
            place: walk.place,
        }
    }

    /// How old the record was; `None` where nobody knows.
    pub(super) fn age(self) -> Option<Duration> {
        self.age.map(|micros| Duration::from_micros(micros.get() - 1))
    }

    /// What a second walk costs; `None` where nobody knows.
    pub(super) fn second(self) -> Option<SecondWalk> {
        let took = self.second_took?.into();
        Some(SecondWalk { took, requests: self.second_requests.into() })
    }
}

impl SavingsRows {
    /// No walk yet.
    pub fn new(terms: SavingsTerms) -> Self {
        let changes = terms.changes();
        let outcomes = Outcomes::of_changes(changes.len());
        Self { terms, changes, walks: Vec::new(), outcomes, cut_short: 0, without_requests: 0 }
    }

    /// Takes a walk in.
    pub fn add(&mut self, walk: &RetrievalWalk) {
        self.walks.push(KeptWalk::keep(walk));
        self.outcomes.add(self.changes.iter().map(|change| change.replay(walk)));
    }

    /// There was one that was cut short: nobody knows what would have come.
    pub const fn add_cut_short(&mut self) {
        self.cut_short += 1;
    }

    /// There were so many of whose requests none is kept: nobody knows what came.
    pub const fn add_without_requests(&mut self, walks: u64) {
        self.without_requests += walks;
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
        let meant = self.walks.iter().copied().enumerate();
        let meant = meant.filter(move |(_, walk)| walk.age().map_or(of_any_age, is_meant));
        meant.filter_map(move |(number, walk)| Some((walk, self.outcomes.get(number, change)?)))
    }

    /// How many keys there can be.
    pub(super) fn keys(&self) -> usize {
        self.walks.iter().map(|walk| walk.key as usize + 1).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_takes_as_much_room_as_it_is_said_to() {
        // With a byte by change, the place of its outcomes, and three of these.
        assert_eq!(size_of::<KeptWalk>() + 16 + 4 + 3 * 8, 68);
    }
}
