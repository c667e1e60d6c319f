//! Which peer's look is due, for many peers, few looks a second and few at once. Pure: what time it is is told.
//!
//! Peers wait in three lanes: those believed up, those in doubt and those down. Each lane has looks under way of its own, so a look that
//! waits for a silent host takes nothing from a peer that answers; and where looks a second are scarce, who is up comes first. That those
//! behind have their turn all the same is [`stretch`](DueQueue::stretch): by that factor all intervals are to be longer, so that the looks
//! that are wanted are as many as may be. When a peer is due is the [`schedule`](crate::schedule)'s; who a peer is, is the caller's, who
//! gives each a number.

mod heap;
mod pace;
#[cfg(test)]
mod tests;

use std::time::Duration;

use schema::Timestamp;

use self::{
    heap::{DueHeap, Waiting},
    pace::LookPace,
};
use crate::schedule::ScheduleFacts;

/// What the looks of a peer compete with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LookLane {
    /// Those of other peers that are believed up: they answer soon.
    Up,
    /// Those of others whose last look failed and is doubted: they answer soon or not at all.
    Doubtful,
    /// Those of others that are down or never were up: most are silent until a deadline.
    Down,
}

/// The lanes; whose looks go first where looks a second are scarce.
const LANES: [LookLane; 3] = [LookLane::Up, LookLane::Doubtful, LookLane::Down];

/// What a [`DueQueue`] is bounded by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DueLimits {
    /// Peers that may wait; their numbers are below that.
    pub peers: u32,
    /// Looks a second: between a thousandth and a million.
    pub looks_per_s: f64,
    /// Looks under way at peers that are believed up.
    pub up_at_once: u32,
    /// Looks under way at peers in doubt.
    pub doubtful_at_once: u32,
    /// Looks under way at peers that are down.
    pub down_at_once: u32,
}

/// A look whose time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DuePeer {
    /// At whom.
    pub peer: u32,
    /// When it was to be.
    pub planned: Timestamp,
    /// Among whom the peer waited: the lane is told when the look has [ended](DueQueue::ended).
    pub lane: LookLane,
}

/// A peer has no place in the queue: its number is not below the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("peer {peer} has no place among {bound} that may wait to be looked at")]
pub struct NoPlace {
    /// The number of the peer.
    pub peer: u32,
    /// How many may wait.
    pub bound: u32,
}

/// Peers by the time of their next look. A peer takes 20 bytes while it waits, and 4 while it does not.
#[derive(Debug)]
pub struct DueQueue {
    limits: DueLimits,
    heaps: [DueHeap; 3],
    under_way: [u32; 3],
    /// Where each peer waits.
    places: Vec<Place>,
    pace: LookPace,
    /// The sum of what those who wait want, in billionths of looks a second.
    wanted: u64,
}

/// The lane in which a peer waits and its place in the heap of that lane, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place(u32);

impl Place {
    const NOWHERE: Self = Self(u32::MAX);
    const INDEX_BITS: u32 = 30;

    const fn new(lane: LookLane, index: u32) -> Self {
        Self(((lane as u32) << Self::INDEX_BITS) | index)
    }

    fn lane(self) -> Option<LookLane> {
        LANES.get((self.0 >> Self::INDEX_BITS) as usize).copied()
    }

    const fn index(self) -> usize {
        (self.0 & ((1 << Self::INDEX_BITS) - 1)) as usize
    }
}

impl ScheduleFacts {
    /// Among whom a peer waits of which this is known.
    pub const fn lane(&self) -> LookLane {
        if self.is_doubtful {
            LookLane::Doubtful
        } else if self.is_up {
            LookLane::Up
        } else {
            LookLane::Down
        }
    }
}

impl DueQueue {
    /// Peers at most, whatever is asked for: their places have 30 bits.
    pub const MAX_PEERS: u32 = 1 << Place::INDEX_BITS;

    /// One in which nobody waits.
    pub fn new(limits: DueLimits) -> Self {
        let limits = DueLimits { peers: limits.peers.min(Self::MAX_PEERS), ..limits };
        Self {
            limits,
            heaps: LANES.map(DueHeap::new),
            under_way: [0; 3],
            places: Vec::new(),
            pace: LookPace::new(limits.looks_per_s),
            wanted: 0,
        }
    }

    /// A peer is to be looked at then, and every so often while nothing changes; `every` is what the schedule has before it is stretched.
    /// What was planned for it before is not any more.
    pub fn plan(&mut self, peer: u32, at: Timestamp, every: Duration, lane: LookLane) -> Result<(), NoPlace> {
        let bound = self.limits.peers;
        if peer >= bound {
            return Err(NoPlace { peer, bound });
        }
        self.forget(peer);
        let known = peer as usize + 1;
        if known > self.places.len() {
            heap::make_room(&mut self.places, known);
            self.places.resize(known, Place::NOWHERE);
        }
        let waiting = Waiting::new(peer, at, every);
        self.wanted += u64::from(waiting.wanted);
        if let Some(heap) = self.heaps.get_mut(lane as usize) {
            heap.push(waiting, &mut self.places);
        }
        Ok(())
    }

    /// Takes a peer out; says whether it waited.
    pub fn forget(&mut self, peer: u32) -> bool {
        let place = self.places.get(peer as usize).copied().unwrap_or(Place::NOWHERE);
        let Some(heap) = place.lane().and_then(|lane| self.heaps.get_mut(lane as usize)) else {
            return false;
        };
        let Some(waiting) = heap.remove(place.index(), &mut self.places) else { return false };
        self.wanted = self.wanted.saturating_sub(u64::from(waiting.wanted));
        true
    }

    /// The next look whose time has come; `None` if there is none, or if it may not begin yet. It is under way from now on, until it has
    /// [ended](Self::ended), and its peer waits no more until it is planned anew.
    pub fn take(&mut self, now: Timestamp) -> Option<DuePeer> {
        let lane = LANES.into_iter().find(|lane| self.first(*lane).is_some_and(|at| at <= now))?;
        let first = self.heaps.get(lane as usize)?.first()?;
        if !self.pace.take(now) {
            return None;
        }
        self.forget(first.peer);
        if let Some(under_way) = self.under_way.get_mut(lane as usize) {
            *under_way += 1;
        }
        Some(DuePeer { peer: first.peer, planned: first.due, lane })
    }

    /// When the first of a lane is due; `None` if nobody waits there or as many looks as may are under way.
    fn first(&self, lane: LookLane) -> Option<Timestamp> {
        let most = match lane {
            LookLane::Up => self.limits.up_at_once,
            LookLane::Doubtful => self.limits.doubtful_at_once,
            LookLane::Down => self.limits.down_at_once,
        };
        let first = self.heaps.get(lane as usize)?.first()?.due;
        (self.under_way(lane) < most.max(1)).then_some(first)
    }

    /// A look that was under way is over.
    pub fn ended(&mut self, lane: LookLane) {
        if let Some(under_way) = self.under_way.get_mut(lane as usize) {
            *under_way = under_way.saturating_sub(1);
        }
    }

    /// When [`take`](Self::take) has something if nothing changes until then; `None` if nobody waits who may be looked at before another
    /// look has ended.
    pub fn next_at(&self) -> Option<Timestamp> {
        let first = LANES.into_iter().filter_map(|lane| self.first(lane)).min()?;
        Some(first.max(self.pace.next_at()))
    }

    /// Nobody looked for a while: those whose time has passed are spread evenly from now on over so much time, in the order in which they
    /// were due, so that they do not all come at once.
    pub fn spread(&mut self, now: Timestamp, over: Duration) {
        self.pace.restart(now);
        for heap in &mut self.heaps {
            heap.spread(now, over, &mut self.places);
        }
    }

    /// By what factor all intervals are to be longer so that no more looks are wanted than there may be; 1 where there are enough.
    pub fn stretch(&self) -> f64 {
        (self.wanted_per_s() / self.pace.per_s()).max(1.0)
    }

    /// How many looks a second those who wait want, before intervals are stretched.
    pub fn wanted_per_s(&self) -> f64 {
        self.wanted as f64 / f64::from(heap::BILLIONTHS)
    }

    /// Looks under way in a lane.
    pub fn under_way(&self, lane: LookLane) -> u32 {
        self.under_way.get(lane as usize).copied().unwrap_or_default()
    }

    /// Peers that wait in a lane.
    pub fn waiting(&self, lane: LookLane) -> usize {
        self.heaps.get(lane as usize).map_or(0, DueHeap::len)
    }

    /// How long the first of a lane has been due; nothing if none is.
    pub fn lag(&self, lane: LookLane, now: Timestamp) -> Duration {
        let first = self.heaps.get(lane as usize).and_then(DueHeap::first);
        first.map_or(Duration::ZERO, |first| now.since(first.due))
    }

    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        let places = self.places.capacity() * size_of::<Place>();
        places + self.heaps.iter().map(DueHeap::bytes).sum::<usize>() + size_of::<Self>()
    }
}
