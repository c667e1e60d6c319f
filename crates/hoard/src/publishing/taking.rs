//! Takes in keys that others have published: their holders are known, or found.

use std::{collections::HashMap, sync::Arc, time::Duration};

use kad::{PeerId, fabric::Member};
use schema::{PublisherEnd, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::{Arm, FoundHolders, KeyPublished, KnownHolder, Observer, RoundParts, WatchedKey};

/// Takes a key in. Where its holders are `known`, nobody is asked; its publication is then when that says, unless it is so long ago that
/// no round would be left. Else whoever holds a record is found, and the provider whom most of them name is whose record is watched;
/// a key that nobody provides is watched in the name of the observer, who never provides anything, and so is one of which nobody is to be
/// asked for the record.
pub(crate) async fn take_in<M: Member>(
    observer: &Observer<M>,
    (key, known): (&[u8], Option<&WatchedKey>),
    (now, span, parts): (Timestamp, Duration, RoundParts),
    cancel: &CancellationToken,
) -> WatchedKey {
    if let Some(known) = known {
        let is_over = now.since(known.published_at) >= span;
        let published_at = if is_over { now } else { known.published_at.min(now) };
        return WatchedKey { published_at, arm: 0, ..known.clone() };
    }
    if parts == RoundParts::Lookups {
        let provider = observer.node().contact().peer;
        return WatchedKey { key: key.into(), arm: 0, provider, published_at: now, holders: Arc::default() };
    }
    let FoundHolders { holders, .. } = observer.find_holders(key, cancel).await;
    let mut named: HashMap<PeerId, usize> = HashMap::new();
    for provider in holders.iter().flat_map(|holder| &holder.said.providers) {
        *named.entry(provider.peer).or_default() += 1;
    }
    let most = named.into_iter().max_by_key(|&(peer, count)| (count, std::cmp::Reverse(peer)));
    let provider = most.map_or_else(|| observer.node().contact().peer, |(peer, _)| peer);
    let has = |providers: &[crate::NamedProvider]| providers.iter().any(|named| named.peer == provider);
    let holders: Arc<[KnownHolder]> =
        holders.into_iter().filter(|holder| has(&holder.said.providers)).map(|holder| holder.known).collect();
    WatchedKey { key: key.into(), arm: 0, provider, published_at: now, holders }
}

/// What is told of a key that was taken in.
pub(crate) fn taken_in(watched: WatchedKey, arm: &Arm, position: u32, took: Duration) -> KeyPublished {
    KeyPublished {
        k: u16::try_from(watched.holders.len()).unwrap_or(u16::MAX),
        watched,
        arm_name: arm.name.as_str().into(),
        position,
        strategy: None,
        persistence: None,
        publisher_end: PublisherEnd::Foreign,
        took,
        outcome: Ok(()),
        given: Vec::new(),
    }
}
