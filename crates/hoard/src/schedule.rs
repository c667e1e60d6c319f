//! Which key is due when. Pure: what time it is is told.
//!
//! Rounds are planned from the publication of their key, whatever became of the rounds before, so nothing drifts. A key has one round under
//! way at most; a round that has not begun when the next one of its key is due is missed, so that whoever was away for a while does not
//! catch up with what can no longer be seen. What a round is, and who does it, is left to others.

#[cfg(test)]
mod tests;

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    sync::Arc,
    time::Duration,
};

use schema::Timestamp;

/// The rounds of all keys of a study that are to come. A key takes some 70 bytes as long as it has rounds to come.
#[derive(Debug)]
pub struct Schedule {
    /// The ages of a key at its rounds: round 1 first.
    offsets: Arc<[Duration]>,
    at_once: usize,
    waiting: BinaryHeap<Reverse<Waiting>>,
    keys: HashMap<u64, Scheduled>,
    under_way: usize,
    left: u64,
}

/// A key that waits for its next round. The first planned comes first, then that of the key that was taken in first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    planned: Timestamp,
    key: u64,
}

/// How far a key is.
#[derive(Debug, Clone, Copy)]
struct Scheduled {
    published: Timestamp,
    /// Its next round, or the one under way.
    round: u32,
    is_under_way: bool,
}

/// A round whose time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueRound {
    /// The key, by the number under which it was taken in.
    pub key: u64,
    /// Its round, from 1.
    pub round: u32,
    /// When it was to begin.
    pub planned: Timestamp,
    /// Whether it is missed: its time has passed, and it is not to be done any more.
    pub is_missed: bool,
    /// Whether the key has no round after it.
    pub is_last: bool,
}

impl Schedule {
    /// One without a key. A key is looked at at these ages, and so many keys are at once; at least one.
    pub fn new(offsets: Arc<[Duration]>, at_once: usize) -> Self {
        let (waiting, keys) = (BinaryHeap::new(), HashMap::new());
        Self { offsets, at_once: at_once.max(1), waiting, keys, under_way: 0, left: 0 }
    }

    /// Takes a key in, by a number that no other has, whose rounds until `done` were done: 0 for a new one. Says whether it has any
    /// round to come; it is forgotten where it has none.
    pub fn take_in(&mut self, key: u64, published: Timestamp, done: u32) -> bool {
        let rounds = u32::try_from(self.offsets.len()).unwrap_or(u32::MAX);
        if done >= rounds || self.keys.contains_key(&key) {
            return false;
        }
        let round = done + 1;
        self.keys.insert(key, Scheduled { published, round, is_under_way: false });
        self.left += u64::from(rounds - done);
        self.wait(key, published, round);
        true
    }

    fn wait(&mut self, key: u64, published: Timestamp, round: u32) {
        if let Some(planned) = self.planned(published, round) {
            self.waiting.push(Reverse(Waiting { planned, key }));
        }
    }

    /// When a round of a key is to begin; `None` beyond its last.
    fn planned(&self, published: Timestamp, round: u32) -> Option<Timestamp> {
        let offset = self.offsets.get(usize::try_from(round.checked_sub(1)?).ok()?)?;
        Some(published.after(*offset))
    }

    /// Until when a round may begin: until the next one of its key is due; the last one for as long as it is after the one before.
    fn until(&self, published: Timestamp, round: u32) -> Option<Timestamp> {
        if let Some(next) = self.planned(published, round + 1) {
            return Some(next);
        }
        let at = usize::try_from(round.checked_sub(1)?).ok()?;
        let offset = *self.offsets.get(at)?;
        let before = at.checked_sub(1).and_then(|at| self.offsets.get(at)).copied().unwrap_or_default();
        Some(published.after(offset + offset.saturating_sub(before)))
    }

    /// The next round whose time has come, those planned first first; `None` if there is none, or if as many as may are under way. One that
    /// is not missed is under way from now on, until it has [ended](Self::ended).
    pub fn take(&mut self, now: Timestamp) -> Option<DueRound> {
        let &Reverse(Waiting { planned, key }) = self.waiting.peek()?;
        let scheduled = *self.keys.get(&key)?;
        if planned > now {
            return None;
        }
        let Scheduled { published, round, .. } = scheduled;
        let is_missed = self.until(published, round).is_some_and(|until| until <= now);
        if !is_missed && self.under_way >= self.at_once {
            return None;
        }
        self.waiting.pop();
        self.left = self.left.saturating_sub(1);
        let is_last = self.planned(published, round + 1).is_none();
        if is_missed {
            self.next(key, published, round);
        } else {
            self.under_way += 1;
            self.keys.insert(key, Scheduled { is_under_way: true, ..scheduled });
        }
        Some(DueRound { key, round, planned, is_missed, is_last })
    }

    /// The round of a key that was under way is over.
    pub fn ended(&mut self, key: u64) {
        if let Some(&Scheduled { published, round, is_under_way: true }) = self.keys.get(&key) {
            self.under_way = self.under_way.saturating_sub(1);
            self.next(key, published, round);
        }
    }

    fn next(&mut self, key: u64, published: Timestamp, round: u32) {
        let round = round + 1;
        if self.planned(published, round).is_none() {
            self.keys.remove(&key);
        } else {
            self.keys.insert(key, Scheduled { published, round, is_under_way: false });
            self.wait(key, published, round);
        }
    }

    /// When [`take`](Self::take) is to be called again: the time of the next round, or, where as many as may are under way and it has come
    /// already, when it is missed; `None` if nobody waits.
    pub fn next_at(&self, now: Timestamp) -> Option<Timestamp> {
        let Reverse(first) = self.waiting.peek()?;
        if first.planned > now || self.under_way < self.at_once {
            return Some(first.planned);
        }
        let scheduled = self.keys.get(&first.key)?;
        self.until(scheduled.published, scheduled.round)
    }

    /// Whether a key has a round to come or under way.
    pub fn has(&self, key: u64) -> bool {
        self.keys.contains_key(&key)
    }

    /// Rounds under way.
    pub const fn under_way(&self) -> usize {
        self.under_way
    }

    /// Rounds that have not begun, of the keys that were taken in.
    pub const fn rounds_left(&self) -> u64 {
        self.left
    }

    /// Keys with rounds to come or under way.
    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// How long the first of those whose time has come waits; nothing if none does.
    pub fn lag(&self, now: Timestamp) -> Duration {
        self.next_planned().map_or(Duration::ZERO, |planned| now.since(planned))
    }

    /// When the first of the rounds that wait was planned; `None` if nobody waits.
    pub fn next_planned(&self) -> Option<Timestamp> {
        self.waiting.peek().map(|Reverse(first)| first.planned)
    }
}
