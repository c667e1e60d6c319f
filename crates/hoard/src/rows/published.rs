//! The rows of a publication: one for each holder, then that of the key.

use kad::{Address, Key, PeerId};
use schema::{HoardHolder, HoardKey, PeerNumber, Row};

use super::count;
use crate::KeyPublished;

pub(super) fn peers(published: &KeyPublished) -> Vec<PeerId> {
    let holders = published.watched.holders.iter().map(|holder| holder.peer);
    holders.chain([published.watched.provider]).collect()
}

pub(super) fn rows(published: &KeyPublished, number_of: &impl Fn(&PeerId) -> Option<PeerNumber>) -> Vec<Row> {
    let watched = &published.watched;
    let Some(provider) = number_of(&watched.provider) else { return Vec::new() };
    let target = Key::of(&watched.key);
    let holder_row = |(rank, holder, given): (u16, &crate::KnownHolder, Option<&crate::RecordGiven>)| {
        let prefix = Key::of(&holder.peer.to_bytes()).common_prefix_len(&target);
        Some(HoardHolder {
            peer: number_of(&holder.peer)?,
            key: watched.key.to_vec(),
            arm: watched.arm,
            rank,
            common_prefix_len: u16::try_from(prefix).unwrap_or(u16::MAX),
            agent: holder.agent.as_deref().map(str::to_owned),
            first_addresses: holder.addresses.iter().cloned().map(Address::from).collect(),
            chosen_after: given.map(|given| given.chosen_after).unwrap_or_default(),
            sent_after: given.and_then(|given| given.sent_after),
            send_error: given.and_then(|given| given.failure.clone()),
        })
    };
    let mut rows: Vec<Row> = published.holders().filter_map(holder_row).map(Row::from).collect();
    let sent = published.given.iter().filter(|given| given.sent_after.is_some() && given.failure.is_none());
    rows.push(Row::from(HoardKey {
        peer: provider,
        key: watched.key.to_vec(),
        arm: watched.arm,
        arm_name: published.arm_name.to_string(),
        position: published.position,
        strategy: published.strategy,
        persistence: published.persistence,
        k: published.k,
        publisher_end: published.publisher_end,
        published_at: watched.published_at,
        took: published.took,
        failure: published.outcome.as_ref().err().map(|failure| failure.name().to_owned()),
        holders: count(watched.holders.len(), u32::MAX),
        sent: count(sent.count(), u32::MAX),
    }));
    rows
}
