//! Since when and until when somebody provided a key, as far as looks can tell: between two of them.

use std::{collections::BTreeMap, time::Duration};

use kad::PeerId;
use serde::Serialize;

use super::ContentKey;

/// One provider of one key, from the first look that saw it to the last.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProviderLife {
    /// The place of the key in its list.
    pub key: u32,
    /// Who it is.
    #[serde(serialize_with = "as_text")]
    pub provider: PeerId,
    /// The last look before that did not see it, in seconds from the study's start; `None` if it was there from the first on.
    pub began_after_s: Option<f64>,
    /// The first look that saw it.
    pub began_by_s: f64,
    /// The last look that saw it.
    pub ended_after_s: f64,
    /// The first look behind that which did not see it; `None` if it was there to the last.
    pub ended_by_s: Option<f64>,
    /// How many looks saw it.
    pub seen: u64,
    /// How many between its first and its last did not: it came back.
    pub unseen: u64,
    /// How many dialled it.
    pub dialled: u64,
    /// How many of these reached it.
    pub reached: u64,
    /// The most who named it in one look.
    pub most_holders: u64,
}

fn as_text<S: serde::Serializer>(peer: &PeerId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(peer)
}

/// The providers of keys. A look that did not ask everybody says nothing of whom it did not see.
pub fn provider_lives(keys: &[ContentKey]) -> Vec<ProviderLife> {
    let mut lives = Vec::new();
    for (number, key) in (0..).zip(keys) {
        let mut seen: BTreeMap<PeerId, Vec<usize>> = BTreeMap::new();
        for (place, look) in key.looks.iter().enumerate() {
            for provider in &look.providers {
                seen.entry(provider.provider).or_default().push(place);
            }
        }
        lives.extend(seen.into_iter().filter_map(|(provider, places)| life(number, key, provider, &places)));
    }
    lives
}

/// From the looks that saw it, in the order of time.
fn life(number: u32, key: &ContentKey, provider: PeerId, places: &[usize]) -> Option<ProviderLife> {
    let (&first, &last) = (places.first()?, places.last()?);
    let looks = &key.looks;
    let seconds = |after: Duration| after.as_secs_f64();
    let whole_before = looks[..first].iter().rfind(|look| look.is_whole);
    let whole_behind = looks[last + 1..].iter().find(|look| look.is_whole);
    let between = looks[first..=last].iter().enumerate();
    let unseen = between.filter(|(place, look)| look.is_whole && !places.contains(&(first + place)));
    let sights = places.iter().flat_map(|&place| &looks[place].providers);
    let sights: Vec<_> = sights.filter(|sight| sight.provider == provider).collect();
    let dialled = sights.iter().filter_map(|sight| sight.verdict);
    Some(ProviderLife {
        key: number,
        provider,
        began_after_s: whole_before.map(|look| seconds(look.after)),
        began_by_s: seconds(looks[first].after),
        ended_after_s: seconds(looks[last].after),
        ended_by_s: whole_behind.map(|look| seconds(look.after)),
        seen: places.len() as u64,
        unseen: unseen.count() as u64,
        dialled: dialled.clone().count() as u64,
        reached: dialled.filter(|&verdict| verdict >= kad::retrieval::RetrievalVerdict::NoContent).count()
            as u64,
        most_holders: sights.iter().map(|sight| sight.holders.len() as u64).max().unwrap_or(0),
    })
}
