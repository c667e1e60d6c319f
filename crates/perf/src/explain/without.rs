//! When an operation would have been over without one of its peers, by the same rules and from what was seen of the others.
//!
//! What nobody asked nobody knows. Where a lookup would have gone on to peers that it never asked, these are taken to answer as fast as
//! is usual in it and to name nobody new; where there would be many of them, nothing is said.

use std::time::Duration;

use dht::{Found, Gift, Publication};
use kad::{
    PeerId, Persistence,
    failure::{Failure, FailureClass},
    fullrt::{FanOut, FanOutRules},
    lookup::{Replayed, RpcFate, replay_without},
};
use schema::Strategy;

use super::median;

/// Of so many requests one may be to a peer that was never asked.
const MOST_UNKNOWN: usize = 4;

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
pub(crate) fn faster_published(
    (strategy, persistence): (Strategy, Persistence),
    publication: &Publication,
    peer: &PeerId,
) -> Option<Duration> {
    if (strategy, persistence) == (Strategy::FullRt, Persistence::Go) {
        return Some(fanned_out(&publication.gifts, peer));
    }
    // By optimistic rules the lookup is no more than a way to hear of peers: it is taken to go on as it did.
    let is_classic = strategy != Strategy::OptProv;
    let Some(found) = publication.lookups.first().filter(|_| is_classic && publication.lookups.len() == 1)
    else {
        return gifts_without(publication, peer, Duration::ZERO);
    };
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

/// When a fan-out by Go's rules would have been over, had this peer been sent its record at once.
fn fanned_out(gifts: &[Gift], peer: &PeerId) -> Duration {
    let told = |gift: &Gift| match gift.sent_after {
        _ if gift.to.peer == *peer => Some((gift.begun_after, true)),
        Some(sent) => Some((sent, true)),
        None => gift.ended_after.map(|ended| (ended, false)),
    };
    let is_known = |gift: &&Gift| !gift.sent.as_ref().is_some_and(|sent| is_given_up(sent.as_ref().err()));
    let mut told: Vec<(Duration, bool)> =
        gifts.iter().filter(|gift| gift.to.peer == *peer || is_known(gift)).filter_map(told).collect();
    told.sort_unstable();
    let mut fan = FanOut::new(gifts.len(), FanOutRules::go());
    for (at, is_sent) in told {
        while fan.end().is_none() && fan.until() < at {
            let until = fan.until();
            fan.look(until);
            if fan.end().is_some() {
                return until;
            }
        }
        if is_sent {
            fan.succeeded(at);
        } else {
            fan.failed(at);
        }
        if fan.end().is_some() {
            return at;
        }
    }
    loop {
        let until = fan.until();
        fan.look(until);
        if fan.end().is_some() || fan.until() <= until {
            return until;
        }
    }
}

fn is_given_up(failure: Option<&Failure>) -> bool {
    failure.is_some_and(|failure| failure.class == FailureClass::Cancelled)
}

fn lookup_without(found: &Found, peer: &PeerId) -> Option<Replayed> {
    let trace = &found.trace;
    let number = trace.number_of(&peer.to_bytes())?;
    let answered = trace.rpcs.iter().filter(|rpc| rpc.fate == RpcFate::Answered);
    let took = answered.filter_map(|rpc| Some(rpc.ended?.saturating_sub(rpc.asked)));
    let replayed = replay_without(trace, number, median(took.collect()).unwrap_or_default());
    let is_known = replayed.unknown * MOST_UNKNOWN <= replayed.outcome.asked;
    Some(replayed).filter(|_| is_known)
}
