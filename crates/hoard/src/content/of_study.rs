//! What a study saw of its keys, as looks at content: who provides it by whom. What came of dialling
//! them is what the rounds say of it.

use std::collections::{BTreeMap, BTreeSet};

use kad::{
    PeerId,
    lookup::{RpcFate, Termination},
};
use schema::{HoardLookup, PublisherEnd};

use super::{ContentFrame, ContentKey, ContentLook, ContentSection, ProviderLook};
use crate::{Study, StudyArm, StudyLookup, StudyPeer, StudyRound};

impl ContentSection {
    /// The life of keys that somebody else published, as far as the answers of walks are in memory. `None` without any.
    pub fn of_study(study: &Study) -> Option<Self> {
        let is_foreign = |arm: &StudyArm| arm.publisher_end == PublisherEnd::Foreign;
        let has_any = study.arms.iter().any(is_foreign);
        let keys = has_any
            .then(|| content_keys(study))
            .filter(|keys| keys.iter().any(|key| !key.looks.is_empty()))?;
        let frame = study.frame().unwrap_or_else(|| ContentFrame::unsaid(keys.len() as u64));
        Some(Self::of(&keys, frame, &[]))
    }
}

/// The keys of a study whose responses are in memory, by their lookups for all providers. Looks count from the first publication, or, of
/// somebody else's keys, from when the first was taken in.
pub fn content_keys(study: &Study) -> Vec<ContentKey> {
    let start = study.keys.iter().map(|key| key.published_at).min();
    let of = |key: &crate::StudyKey| {
        let look = |round: &StudyRound| {
            let lookup = round.lookup(HoardLookup::Exhaustive)?;
            // Where its requests were not read, nobody knows who answered what.
            let is_read = lookup.asked == 0 || !lookup.responses.is_empty();
            let lookup = Some(lookup).filter(|_| is_read)?;
            Some(ContentLook {
                round: round.round,
                after: start.map(|start| lookup.began_at.since(start)).unwrap_or_default(),
                ..content_look(study, (round, lookup))
            })
        };
        let looks = key.rounds.iter().filter_map(look).collect();
        ContentKey { key: key.key.clone(), stratum: 0, looks }
    };
    study.keys.iter().map(of).collect()
}

fn content_look(study: &Study, (round, lookup): (&StudyRound, &StudyLookup)) -> ContentLook {
    let verdict_of = |named| round.dials.iter().find(|dial| dial.provider == named).map(|dial| dial.verdict);
    let mut providers: BTreeMap<PeerId, ProviderLook> = BTreeMap::new();
    let closest: BTreeSet<StudyPeer> = lookup.closest.iter().copied().collect();
    let (mut without, id) = (Vec::new(), |peer| study.peer(peer).copied());
    for response in lookup.responses.iter().filter(|response| response.fate == RpcFate::Answered) {
        let Some(from) = id(response.from) else { continue };
        // Whoever is on the way was never to have it.
        if response.providers.is_empty() && closest.contains(&response.from) {
            without.push(from);
        }
        for named in &response.providers {
            let Some(provider) = id(named.peer) else { continue };
            let verdict = verdict_of(named.peer);
            let none = || ProviderLook { provider, holders: Vec::new(), with_addresses: 0, verdict };
            let look = providers.entry(provider).or_insert_with(none);
            // By Go's rules some are asked twice.
            if !look.holders.contains(&from) {
                look.holders.push(from);
                look.with_addresses += u32::from(named.addresses > 0);
            }
        }
    }
    ContentLook {
        round: 0,
        after: std::time::Duration::ZERO,
        is_whole: matches!(lookup.ending, Termination::Completed | Termination::Starvation),
        providers: providers.into_values().collect(),
        without,
    }
}
