//! What is told of a key that was published: its holders in the order of their distance, and what became of the record of each.

use std::{collections::BTreeMap, sync::Arc};

use dht::{Gift, Publication};
use kad::{Key, PeerId};
use schema::Timestamp;

use crate::{AgentBook, Arm, KeyPublished, KnownHolder, RecordGiven, WatchedKey};

/// What whoever published knows beside what came of it.
#[derive(Clone, Copy)]
pub(super) struct PublicationTold<'a> {
    pub(super) key: &'a [u8],
    pub(super) position: u32,
    pub(super) provider: PeerId,
    pub(super) began: Timestamp,
    pub(super) arm: u16,
    pub(super) of: &'a Arm,
    pub(super) agents: &'a AgentBook,
}

/// What is told of a publication. Who was to be given the record twice is one holder, by the gift that was taken, if one was.
pub(super) fn published(told: PublicationTold<'_>, publication: &Publication) -> KeyPublished {
    let target = Key::of(told.key);
    let mut gifts: BTreeMap<_, &Gift> = BTreeMap::new();
    for gift in &publication.gifts {
        let distance = Key::of(&gift.to.peer.to_bytes()).distance(&target);
        let kept = gifts.entry(distance).or_insert(gift);
        if kept.sent != Some(Ok(())) && gift.sent == Some(Ok(())) {
            *kept = gift;
        }
    }
    let holders: Vec<KnownHolder> = gifts
        .values()
        .map(|gift| KnownHolder {
            peer: gift.to.peer,
            addresses: Arc::from(gift.to.addrs.as_slice()),
            agent: told.agents.of(&gift.to.peer),
        })
        .collect();
    let given = gifts
        .values()
        .map(|gift| RecordGiven {
            chosen_after: gift.begun_after,
            sent_after: gift.sent_after,
            failure: gift.sent.clone().and_then(Result::err),
        })
        .collect();
    KeyPublished {
        watched: WatchedKey {
            key: told.key.into(),
            arm: told.arm,
            provider: told.provider,
            published_at: told.began,
            holders: holders.into(),
        },
        arm_name: told.of.name.as_str().into(),
        position: told.position,
        strategy: Some(told.of.strategy),
        persistence: Some(told.of.persistence),
        k: told.of.k,
        publisher_end: told.of.end,
        took: publication.took,
        outcome: publication.outcome,
        given,
    }
}
