//! Whether content is available, by a definition that is said, and of how much of what it is the share.

use estimate::Proportion;
use kad::retrieval::RetrievalVerdict;
use serde::Serialize;

use super::numbers::{AvailabilityNumbers, VerdictCount};

kad::named! {
    /// When content counts as available.
    pub enum AvailabilityRule: serde {
        /// One of its providers at least can be dialled, and proves who it is.
        Dialled = "dialled",
        /// One of its providers at least says that it has the block.
        Retrievable = "retrievable",
    }
}

impl AvailabilityRule {
    /// Whether content of which this is true is available. `None` where that was not asked: it has a provider that can be dialled, and
    /// nobody asked it for a block, or it did not say.
    pub fn holds(self, verdict: RetrievalVerdict) -> Option<bool> {
        match (self, verdict) {
            (Self::Dialled, verdict) => Some(verdict >= RetrievalVerdict::NoContent),
            (Self::Retrievable, RetrievalVerdict::NoContent | RetrievalVerdict::NoAnswer) => None,
            (Self::Retrievable, verdict) => Some(verdict == RetrievalVerdict::Retrievable),
        }
    }
}

/// A part of the frame that was sampled apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContentStratum {
    /// What it is called.
    pub name: String,
    /// How many keys there are in it.
    pub keys: u64,
}

/// The share of the frame that is available. Each key is its stratum and what is true of it; `None` where nobody knows.
pub(super) fn available(
    rule: AvailabilityRule,
    keys: &[(u16, Option<RetrievalVerdict>)],
    strata: &[ContentStratum],
) -> AvailabilityNumbers {
    let holds = |verdict: &Option<RetrievalVerdict>| verdict.and_then(|verdict| rule.holds(verdict));
    let share = |unknown: Option<bool>| {
        let mut counts = vec![(0_u64, 0_u64); strata.len().max(1)];
        for (stratum, verdict) in keys {
            let Some(is_available) = holds(verdict).or(unknown) else { continue };
            if let Some((hits, n)) = counts.get_mut(usize::from(*stratum)) {
                *hits += u64::from(is_available);
                *n += 1;
            }
        }
        if strata.is_empty() {
            return counts.first().and_then(|&(hits, n)| Proportion::of(hits, n));
        }
        let sized = strata.iter().zip(counts).map(|(stratum, (hits, n))| (stratum.keys, hits, n));
        Proportion::of_strata(&sized.collect::<Vec<_>>())
    };
    let counted = RetrievalVerdict::ALL.iter().filter_map(|&verdict| {
        let keys = keys.iter().filter(|(_, found)| *found == Some(verdict)).count() as u64;
        (keys > 0).then_some(VerdictCount { verdict: verdict.name(), keys })
    });
    AvailabilityNumbers {
        rule,
        keys: keys.len() as u64,
        unknown: keys.iter().filter(|(_, verdict)| holds(verdict).is_none()).count() as u64,
        share: share(None),
        if_unknown_are_not: share(Some(false)),
        if_unknown_are: share(Some(true)),
        verdicts: counted.collect(),
    }
}
