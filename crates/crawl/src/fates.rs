//! How many addresses met which fate, counted where others can look on.

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use kad::{
    failure::{Failure, FailureClass, Phase, SkipReason},
    network::AddressOutcome,
};

use crate::summary::Counts;

/// What addresses are counted as that were left out, in the order of the reasons.
static SKIPPED: LazyLock<Vec<String>> =
    LazyLock::new(|| SkipReason::ALL.iter().map(|reason| format!("skipped_{reason}")).collect());

/// How many addresses met each fate. Clones are of the same counts: a crawl adds, and whoever has one reads.
#[derive(Debug, Clone)]
pub struct FateCounts(Arc<[AtomicU64]>);

impl Default for FateCounts {
    fn default() -> Self {
        Self(outcomes().map(|_| AtomicU64::new(0)).collect())
    }
}

impl FateCounts {
    /// How many of the names are those of addresses that were never dialled; they come first.
    pub const NOT_DIALLED: usize = 1 + SkipReason::ALL.len();

    /// The names of all fates, as the summary has them.
    pub fn names() -> Vec<&'static str> {
        outcomes().map(|outcome| name(&outcome)).collect()
    }

    /// How many met each, in the order of the names.
    pub fn values(&self) -> Vec<u64> {
        self.0.iter().map(|count| count.load(Relaxed)).collect()
    }

    /// Counts one address.
    pub(crate) fn add(&self, outcome: &AddressOutcome) {
        if let Some(count) = self.0.get(index(outcome)) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// Those that were met at all.
    pub(crate) fn by_name(&self) -> Counts {
        let counts = Self::names().into_iter().zip(self.values()).filter(|(_, count)| *count > 0);
        counts.map(|(name, count)| (name.to_owned(), count)).collect()
    }
}

/// One of each fate.
fn outcomes() -> impl Iterator<Item = AddressOutcome> {
    let skipped = SkipReason::ALL.iter().map(|&reason| AddressOutcome::Skipped(reason));
    let failed =
        FailureClass::ALL.iter().map(|&class| AddressOutcome::Failed(Failure::new(Phase::Connect, class)));
    [AddressOutcome::NotTried]
        .into_iter()
        .chain(skipped)
        .chain([AddressOutcome::Connected, AddressOutcome::Abandoned])
        .chain(failed)
}

/// Where it stands among them.
fn index(outcome: &AddressOutcome) -> usize {
    match outcome {
        AddressOutcome::NotTried => 0,
        AddressOutcome::Skipped(reason) => 1 + *reason as usize,
        AddressOutcome::Connected => FateCounts::NOT_DIALLED,
        AddressOutcome::Abandoned => FateCounts::NOT_DIALLED + 1,
        AddressOutcome::Failed(failure) => FateCounts::NOT_DIALLED + 2 + failure.class as usize,
    }
}

/// As it is counted.
fn name(outcome: &AddressOutcome) -> &'static str {
    match outcome {
        AddressOutcome::Connected => "connected",
        AddressOutcome::NotTried => "not_tried",
        AddressOutcome::Abandoned => "abandoned",
        AddressOutcome::Skipped(reason) => SKIPPED.get(*reason as usize).map_or("skipped", String::as_str),
        AddressOutcome::Failed(failure) => failure.class.name(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_fate_has_a_place_and_a_name_of_its_own() {
        for (place, outcome) in outcomes().enumerate() {
            assert_eq!(index(&outcome), place, "{outcome:?}");
        }
        let names: BTreeSet<_> = FateCounts::names().into_iter().collect();
        assert_eq!(names.len(), FateCounts::names().len());
        let all = FateCounts::names();
        let (not_dialled, dialled) = all.split_at(FateCounts::NOT_DIALLED);
        assert!(not_dialled.iter().skip(1).all(|name| name.starts_with("skipped_")));
        assert_eq!(name(&AddressOutcome::Skipped(SkipReason::OptedOut)), "skipped_opted_out");
        assert!(dialled.iter().all(|name| !name.starts_with("skipped_")));
    }

    #[test]
    fn clones_are_of_the_same_counts() {
        let counts = FateCounts::default();
        counts.clone().add(&AddressOutcome::Connected);
        assert_eq!(counts.by_name(), [("connected".to_owned(), 1)].into());
    }
}
