//! When an operation would have been over without one of its peers, by the same rules and from what was seen of the others.
//!
//! What nobody asked nobody knows: where a lookup would have gone on to peers that it never asked, it is said when it would have been
//! over, had the peer answered at once.

use std::time::Duration;

use dht::{Found, Gift, Publication};
use kad::{
    PeerId,
    lookup::{Replayed, replay_prompt, replay_without},
};

/// When a lookup of providers would have been over; `None` if what was seen does not tell.
pub(crate) fn faster_found(found: &Found, peer: &PeerId) -> Option<Duration> {
    let replayed = lookup_without(found, peer)?;
    match found.providers.is_empty() {
        true => Some(replayed.took),
        // It would have been told when the first was heard of. Whether that ends the search is the caller's choice.
        false if replayed.outcome.providers.is_empty() => None,
        false => first_provider(found, peer).or(replayed.searched),
    }
}

/// When the first provider was heard of from somebody else, of those that were asked without the peer's help.
fn first_provider(found: &Found, peer: &PeerId) -> Option<Duration> {
    let trace = &found.trace;
    let without = trace.number_of(&peer.to_bytes());
    let others = trace.rpcs.iter().filter(|rpc| Some(rpc.peer) != without && rpc.heard_by != without);
    others.filter(|rpc| !rpc.providers.is_empty()).filter_map(|rpc| rpc.ended).min()
}

/// When a publication would have been over; `None` if what was seen does not tell.
pub(crate) fn faster_published(publication: &Publication, peer: &PeerId) -> Option<Duration> {
    let [found] = &publication.lookups[..] else { return gifts_without(publication, peer, Duration::ZERO) };
    let without = lookup_without(found, peer)?.took;
    let earlier = found.took.saturating_sub(without);
    Some(gifts_without(publication, peer, earlier)?.max(without))
}

/// When as many gifts as had let it end would have done so without this peer, if they had begun so much earlier. Where all are waited
/// for, all but the peer's.
fn gifts_without(publication: &Publication, peer: &PeerId, earlier: Duration) -> Option<Duration> {
    let done = |gift: &Gift| {
        let until = |at: &Duration| *at <= publication.took;
        gift.ended_after.filter(until).or_else(|| gift.sent_after.filter(until))
    };
    let count = publication.gifts.iter().filter_map(done).count();
    // By Go's rules it is done with a gift that has left.
    let is_ended = |gift: &Gift| gift.ended_after.is_some_and(|ended| ended <= publication.took);
    let awaits_ends = publication.gifts.iter().all(is_ended);
    let others = publication.gifts.iter().filter(|gift| gift.to.peer != *peer);
    let left = |gift: &Gift| gift.sent_after.filter(|_| !awaits_ends);
    let mut times: Vec<Duration> = others.filter_map(|gift| left(gift).or(gift.ended_after)).collect();
    times.sort_unstable();
    let last = times.get(count.min(times.len()).checked_sub(1)?)?;
    Some(last.saturating_sub(earlier))
}

fn lookup_without(found: &Found, peer: &PeerId) -> Option<Replayed> {
    let number = found.trace.number_of(&peer.to_bytes())?;
    let is_known = |replayed: &Replayed| replayed.unknown == 0;
    let without = Some(replay_without(&found.trace, number)).filter(is_known);
    without.or_else(|| Some(replay_prompt(&found.trace, number)).filter(is_known))
}
