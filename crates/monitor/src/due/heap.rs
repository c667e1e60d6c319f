//! The peers of one lane as a binary heap that knows where each of them is, so that one can be taken out or planned anew.
//!
//! Ties are broken by the number of the peer: what comes out hangs on what is in it alone. Room is made and given back in pieces
//! of a fixed size, not by doubling: what is held beyond those who wait is bounded by a constant.

use std::time::Duration;

use schema::Timestamp;

use super::{LookLane, Place};

/// So many looks a second are counted as one.
pub(super) const BILLIONTHS: u32 = 1_000_000_000;

/// Entries by which a list grows: 32 KiB of those who wait.
const PIECE: usize = 2048;

/// A peer that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Waiting {
    pub(super) due: Timestamp,
    pub(super) peer: u32,
    /// Billionths of looks a second.
    pub(super) wanted: u32,
}

impl Waiting {
    pub(super) fn new(peer: u32, due: Timestamp, every: Duration) -> Self {
        let wanted = u128::from(BILLIONTHS) * 1_000_000 / every.as_micros().max(1);
        Self { due, peer, wanted: u32::try_from(wanted).unwrap_or(u32::MAX) }
    }
}

/// The peers of a lane, the first due on top.
#[derive(Debug)]
pub(super) struct DueHeap {
    lane: LookLane,
    list: Vec<Waiting>,
}

impl DueHeap {
    pub(super) const fn new(lane: LookLane) -> Self {
        Self { lane, list: Vec::new() }
    }

    pub(super) fn first(&self) -> Option<Waiting> {
        self.list.first().copied()
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.list.capacity() * size_of::<Waiting>()
    }

    /// Takes in a peer that does not wait anywhere.
    pub(super) fn push(&mut self, waiting: Waiting, places: &mut [Place]) {
        let last = self.list.len();
        make_room(&mut self.list, last + 1);
        self.list.push(waiting);
        self.rise(last, places);
    }

    /// Takes out who is at a place.
    pub(super) fn remove(&mut self, index: usize, places: &mut [Place]) -> Option<Waiting> {
        if index >= self.list.len() {
            return None;
        }
        let removed = self.list.swap_remove(index);
        if let Some(place) = places.get_mut(removed.peer as usize) {
            *place = Place::NOWHERE;
        }
        if index < self.list.len() {
            // Who came from the end may be due before those above, or after those below.
            let index = self.rise(index, places);
            self.sink(index, places);
        }
        if self.list.capacity() > self.list.len() + 2 * PIECE {
            self.list.shrink_to(self.list.len() + PIECE);
        }
        Some(removed)
    }

    /// Gives new times to all that are due before a moment: evenly from then on over so much time, in their order.
    pub(super) fn spread(&mut self, now: Timestamp, over: Duration, places: &mut [Place]) {
        self.list.sort_unstable();
        let late = self.list.partition_point(|waiting| waiting.due < now);
        let over = over.as_micros();
        for (index, waiting) in self.list.iter_mut().take(late).enumerate() {
            let wait = over * index as u128 / late as u128;
            waiting.due = now.after(Duration::from_micros(u64::try_from(wait).unwrap_or(u64::MAX)));
        }
        // What is sorted is a heap; those who had time left may now come before some that had not.
        self.list.sort_unstable();
        for index in 0..self.list.len() {
            self.settle(index, places);
        }
    }

    /// Lets the entry at a place rise past those that are due after it; says where it is then.
    fn rise(&mut self, mut index: usize, places: &mut [Place]) -> usize {
        while let Some(above) = index.checked_sub(1).map(|index| index / 2) {
            if self.list.get(above) <= self.list.get(index) {
                break;
            }
            self.list.swap(above, index);
            self.settle(index, places);
            index = above;
        }
        self.settle(index, places);
        index
    }

    /// Lets the entry at a place sink past those that are due before it.
    fn sink(&mut self, mut index: usize, places: &mut [Place]) {
        loop {
            let below = [2 * index + 1, 2 * index + 2].into_iter().filter(|below| *below < self.list.len());
            let Some(first) = below.min_by_key(|below| self.list.get(*below)) else { break };
            if self.list.get(index) <= self.list.get(first) {
                break;
            }
            self.list.swap(first, index);
            self.settle(index, places);
            index = first;
        }
        self.settle(index, places);
    }

    /// Writes down where the entry at a place is.
    fn settle(&self, index: usize, places: &mut [Place]) {
        let Some(waiting) = self.list.get(index) else { return };
        if let (Some(place), Ok(index)) = (places.get_mut(waiting.peer as usize), u32::try_from(index)) {
            *place = Place::new(self.lane, index);
        }
    }
}

/// Makes room for so many entries, and a piece more where there was none.
pub(super) fn make_room<T>(list: &mut Vec<T>, needed: usize) {
    if needed > list.capacity() {
        list.reserve_exact(needed + PIECE - list.len());
    }
}
