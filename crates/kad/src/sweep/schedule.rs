//! When each region is given its keys again: spread evenly over a cycle, in the order of the distances of their prefixes to `order`, which
//! is the provider's own key, so that providers do not all begin at the same place.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use super::{KeyPrefix, PrefixSet};
use crate::key::Key;

/// How long a cycle is (`amino.DefaultReprovideInterval`): records hold for 48 h.
pub const REPROVIDE_INTERVAL: Duration = Duration::from_secs(22 * 3600);

/// How often what failed is tried again (`retryInterval`).
pub const RETRY_INTERVAL: Duration = Duration::from_secs(5 * 60);

/// How many bits of a prefix its time depends on (`maxPrefixSize`).
pub const MAX_TIMED_BITS: u32 = 24;

/// When in a cycle a prefix is due: the share of the cycle is that of the prefix, exclusive-or with as many bits of `order`, among all
/// prefixes of its length. The whole key space is due at its beginning.
pub fn reprovide_offset(prefix: &KeyPrefix, order: &Key, interval: Duration) -> Duration {
    let bits = prefix.len().min(MAX_TIMED_BITS);
    let place = (0..bits).fold(0_u32, |place, at| place << 1 | u32::from(prefix.bit(at) != order.bit(at)));
    // Nanoseconds, as Go has them, rounded down: 22 h times 2^24 do not fit into 64 bits, where Go's overflow.
    let nanos = (interval.as_nanos() * u128::from(place)) >> bits;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// When regions are due. Times count from the beginning of the first cycle; whoever resumes after a restart goes on with its own.
///
/// What is due is asked for with [`due`](Self::due). A region that could not be given its keys, or whose time passed while nobody looked, is
/// [late](Self::next_late): those are given theirs as soon as it goes, in the order in which they were noted, whatever their time.
#[derive(Debug, Clone)]
pub struct ReprovideSchedule {
    order: Key,
    interval: Duration,
    /// Until when what was due is known.
    seen: Duration,
    prefixes: PrefixSet,
    /// Each prefix by when it is due in a cycle.
    times: BTreeSet<(Duration, KeyPrefix)>,
    late: LateQueue,
}

/// Prefixes in the order in which they came, none of which lies in another.
#[derive(Debug, Clone, Default)]
struct LateQueue {
    queue: VecDeque<KeyPrefix>,
    known: PrefixSet,
}

impl ReprovideSchedule {
    /// An empty schedule, looked at first at `now`.
    pub fn new(order: Key, interval: Duration, now: Duration) -> Self {
        let (prefixes, times, late) = (PrefixSet::default(), BTreeSet::new(), LateQueue::default());
        // A cycle of no length would be over before it begins.
        Self { order, interval: interval.max(Duration::from_nanos(1)), seen: now, prefixes, times, late }
    }

    /// Plans a prefix. Those that lie in it are planned no longer; `false` if it lies in one that is.
    pub fn add(&mut self, prefix: KeyPrefix) -> bool {
        if self.prefixes.covering(&prefix).is_some() {
            return false;
        }
        self.remove_within(&prefix);
        self.times.insert((self.offset(&prefix), prefix));
        self.prefixes.add(prefix)
    }

    /// Plans the keys that lie in none of its prefixes: in prefixes of so many bits.
    pub fn add_keys<'a>(&mut self, keys: impl IntoIterator<Item = &'a Key>, prefix_len: u32) {
        for key in keys {
            if self.prefixes.of_key(key).is_none() {
                self.add(KeyPrefix::of(key, prefix_len));
            }
        }
    }

    /// What was explored is planned anew by the regions that were found there: what lies in `covered` is planned no longer, and is not
    /// late.
    pub fn explored(&mut self, covered: &KeyPrefix, regions: impl IntoIterator<Item = KeyPrefix>) {
        self.remove_within(covered);
        self.late.remove_within(covered);
        for region in regions {
            self.add(region);
        }
    }

    /// Plans nothing any longer that lies in this prefix: there are no keys.
    pub fn remove_within(&mut self, prefix: &KeyPrefix) {
        for gone in self.prefixes.take_within(prefix) {
            self.times.remove(&(self.offset(&gone), gone));
        }
    }

    /// When the next one is due; `None` if nothing is planned.
    pub fn next_due(&self) -> Option<Duration> {
        let seen = self.in_cycle(self.seen);
        let later = self.times.iter().map(|&(at, _)| at).find(|&at| at > seen);
        match later {
            Some(at) => Some(self.seen + at.saturating_sub(seen)),
            None => self.times.first().map(|&(at, _)| self.seen + self.interval.saturating_sub(seen) + at),
        }
    }

    /// Those whose time has come since it was last asked, in the order of their times, each once. Whoever comes late has all of them,
    /// and none twice: of a whole cycle that passed unseen every prefix is there.
    pub fn due(&mut self, now: Duration) -> Vec<KeyPrefix> {
        let passed = now.saturating_sub(self.seen);
        let (from, to) = (self.in_cycle(self.seen), self.in_cycle(now));
        self.seen = self.seen.max(now);
        let all = self.times.iter().copied();
        let (before, after): (Vec<_>, Vec<_>) = all.partition(|&(at, _)| at <= from);
        let in_order = after.into_iter().chain(before);
        let is_due = |at: Duration| if from < to { from < at && at <= to } else { at > from || at <= to };
        let is_all = passed >= self.interval;
        let due: Vec<KeyPrefix> = in_order
            .filter(|&(at, _)| is_all || !passed.is_zero() && is_due(at))
            .map(|(_, prefix)| prefix)
            .collect();
        for prefix in &due {
            self.late.remove_within(prefix);
        }
        due
    }

    /// A prefix could not be given its keys now: it is late.
    pub fn failed(&mut self, prefix: KeyPrefix) {
        self.late.push(prefix);
    }

    /// The first that is late, which is taken out; `None` if nothing is.
    pub fn next_late(&mut self) -> Option<KeyPrefix> {
        let first = self.late.queue.pop_front()?;
        self.late.known.take_within(&first);
        Some(first)
    }

    /// How many are late.
    pub fn late(&self) -> usize {
        self.late.queue.len()
    }

    /// What is planned, in the order of the key space.
    pub const fn prefixes(&self) -> &PrefixSet {
        &self.prefixes
    }

    /// How many bits the planned prefixes have on average, rounded down; `None` if nothing is planned.
    pub fn mean_prefix_len(&self) -> Option<u32> {
        let sum: u32 = self.prefixes.iter().map(|prefix| prefix.len()).sum();
        sum.checked_div(u32::try_from(self.prefixes.len()).unwrap_or(u32::MAX))
    }

    /// How far a moment is into its cycle.
    pub fn in_cycle(&self, at: Duration) -> Duration {
        let nanos = at.as_nanos() % self.interval.as_nanos();
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    fn offset(&self, prefix: &KeyPrefix) -> Duration {
        reprovide_offset(prefix, &self.order, self.interval)
    }
}

impl LateQueue {
    /// At the place of the first of those that lie in it, which are no longer there of their own; at the end, if there are none.
    fn push(&mut self, prefix: KeyPrefix) {
        if self.known.covering(&prefix).is_some() {
            return;
        }
        let first = self.queue.iter().position(|other| other.is_within(&prefix));
        self.remove_within(&prefix);
        self.queue.insert(first.unwrap_or(self.queue.len()).min(self.queue.len()), prefix);
        self.known.add(prefix);
    }

    fn remove_within(&mut self, prefix: &KeyPrefix) {
        if !self.known.take_within(prefix).is_empty() {
            self.queue.retain(|other| !other.is_within(prefix));
        }
    }
}

#[cfg(test)]
mod tests;
