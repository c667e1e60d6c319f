//! From looks at keys to numbers.

use std::collections::{BTreeMap, BTreeSet};

use estimate::{Mean, Proportion};
use kad::PeerId;

use super::{
    AvailabilityNumbers, AvailabilityRule, ContentFrame, ContentKey, ContentLook, ContentSection,
    ContentStratum, LookNumbers, arrivals, available::available, provided_again, provider_lives,
};

impl ContentSection {
    /// The numbers of keys that were looked at.
    pub fn of(keys: &[ContentKey], frame: ContentFrame, strata: &[ContentStratum]) -> Self {
        let mut rounds: BTreeMap<u32, Vec<(u16, &ContentLook)>> = BTreeMap::new();
        for key in keys {
            for look in &key.looks {
                rounds.entry(look.round).or_default().push((key.stratum, look));
            }
        }
        let last: Vec<(u16, &ContentLook)> =
            keys.iter().filter_map(|key| Some((key.stratum, key.looks.last()?))).collect();
        Self {
            frame,
            strata: strata.to_vec(),
            keys: keys.len() as u64,
            looks: rounds.into_iter().map(|(round, looks)| numbers(round, &looks, strata)).collect(),
            available: shares(&last, strata),
            available_over_time: AvailabilityRule::ALL.iter().map(|&rule| over_time(keys, rule)).collect(),
            lives: provider_lives(keys),
            provided_again: provided_again(&arrivals(keys)),
        }
    }
}

fn shares(looks: &[(u16, &ContentLook)], strata: &[ContentStratum]) -> Vec<AvailabilityNumbers> {
    let verdicts: Vec<_> = looks.iter().map(|(stratum, look)| (*stratum, look.verdict())).collect();
    AvailabilityRule::ALL.iter().map(|&rule| available(rule, &verdicts, strata)).collect()
}

/// Looks of one key are alike: each key is a cluster.
fn over_time(keys: &[ContentKey], rule: AvailabilityRule) -> Option<Proportion> {
    let of = |key: &ContentKey| {
        let known = key.looks.iter().filter_map(|look| rule.holds(look.verdict()?));
        known.fold((0, 0), |(hits, n), is_available| (hits + u64::from(is_available), n + 1))
    };
    Proportion::of_clusters(&keys.iter().map(of).collect::<Vec<_>>())
}

fn numbers(round: u32, looks: &[(u16, &ContentLook)], strata: &[ContentStratum]) -> LookNumbers {
    let whole: Vec<&ContentLook> = looks.iter().map(|(_, look)| *look).filter(|look| look.is_whole).collect();
    let holders = |look: &&ContentLook| {
        let all: BTreeSet<&PeerId> = look.providers.iter().flat_map(|provider| &provider.holders).collect();
        all.len() as f64
    };
    let seconds: f64 = looks.iter().map(|(_, look)| look.after.as_secs_f64()).sum();
    // Those of one key are as alike as its holders.
    let located = |look: &&ContentLook| {
        let with = look.providers.iter().filter(|provider| provider.with_addresses > 0).count();
        (with as u64, look.providers.len() as u64)
    };
    let reached = |(_, look): &(u16, &ContentLook)| {
        let verdicts = look.providers.iter().filter_map(|provider| provider.verdict);
        verdicts.fold((0, 0), |(hits, n), verdict| {
            (hits + u64::from(AvailabilityRule::Dialled.holds(verdict) == Some(true)), n + 1)
        })
    };
    let provided = whole.iter().filter(|look| !look.providers.is_empty()).count() as u64;
    LookNumbers {
        round,
        after_s: seconds / looks.len().max(1) as f64,
        keys: looks.len() as u64,
        cut_short: (looks.len() - whole.len()) as u64,
        providers: Mean::of(whole.iter().map(|look| look.providers.len() as f64)),
        holders: Mean::of(whole.iter().map(holders)),
        provided: Proportion::of(provided, whole.len() as u64),
        with_addresses: Proportion::of_clusters(&whole.iter().map(located).collect::<Vec<_>>()),
        reached: Proportion::of_clusters(&looks.iter().map(reached).collect::<Vec<_>>()),
        available: shares(looks, strata),
    }
}
