//! Who waits for what from the backend, and whose turn it is.
//!
//! Each asker has a line of its own, and the lines take turns: one with thousands of questions delays nobody's first. A key that
//! several ask for is asked for once. What waits has a bound; where it is reached, the longest line gives up its last.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use tokio::time::Instant;

/// A key of providers, or of a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct InquiryKey {
    pub(super) is_value: bool,
    pub(super) key: Arc<[u8]>,
}

/// Who waits for a key.
#[derive(Debug)]
pub(super) struct Waiter<W> {
    asker: u64,
    /// Since when.
    pub(super) since: Instant,
    /// Whom to tell.
    pub(super) outlet: W,
}

/// All who wait.
#[derive(Debug)]
pub(super) struct Inquiries<W> {
    limit: usize,
    /// By key; those that are being asked for stand here as well.
    waiters: HashMap<InquiryKey, Vec<Waiter<W>>, RandomState>,
    lines: HashMap<u64, Line, RandomState>,
    /// The askers whose lines hold something, in the order of their turns.
    turns: VecDeque<u64>,
    /// The askers by how many of theirs wait.
    lengths: BTreeSet<(usize, u64)>,
    waiting: usize,
}

/// What one asker waits for.
#[derive(Debug, Default)]
struct Line {
    keys: VecDeque<InquiryKey>,
    /// How many of its questions wait, those that are being asked among them.
    waiting: usize,
}

impl<W> Inquiries<W> {
    /// Room for so many questions.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit: limit.max(1),
            waiters: HashMap::default(),
            lines: HashMap::default(),
            turns: VecDeque::new(),
            lengths: BTreeSet::new(),
            waiting: 0,
        }
    }

    /// How many questions wait.
    pub(super) const fn len(&self) -> usize {
        self.waiting
    }

    /// Whether there is a key that nobody asks for yet.
    pub(super) fn has_next(&self) -> bool {
        !self.turns.is_empty()
    }

    /// Since when the one waits whose turn is next.
    pub(super) fn oldest(&self) -> Option<Instant> {
        let first = self.lines.get(self.turns.front()?)?.keys.front()?;
        self.waiters.get(first)?.first().map(|waiter| waiter.since)
    }

    /// Puts a question at the end of its asker's line. Returns who has to go without an answer for it: the last of the longest
    /// line, maybe this one.
    pub(super) fn ask(&mut self, key: InquiryKey, asker: u64, since: Instant, outlet: W) -> Option<W> {
        let waiter = Waiter { asker, since, outlet };
        let own = self.lines.get(&asker).map_or(0, |line| line.waiting);
        let given_up = if self.waiting < self.limit {
            None
        } else {
            match self.lengths.last().copied() {
                Some((longest, other)) if longest > own + 1 => self.give_up_last(other),
                _ => return Some(waiter.outlet),
            }
        };
        let waiters = self.waiters.entry(key.clone()).or_default();
        waiters.push(waiter);
        self.waiting += 1;
        self.count(asker, 1);
        let line = self.lines.entry(asker).or_default();
        if line.keys.is_empty() {
            self.turns.push_back(asker);
        }
        line.keys.push_back(key);
        given_up
    }

    /// Changes how many of an asker's questions wait.
    fn count(&mut self, asker: u64, change: isize) {
        let line = self.lines.entry(asker).or_default();
        self.lengths.remove(&(line.waiting, asker));
        line.waiting = line.waiting.saturating_add_signed(change);
        if line.waiting > 0 {
            self.lengths.insert((line.waiting, asker));
        }
    }

    /// Ends the last question of an asker's line.
    fn give_up_last(&mut self, asker: u64) -> Option<W> {
        loop {
            let key = self.lines.get_mut(&asker)?.keys.pop_back()?;
            let Some(waiters) = self.waiters.get_mut(&key) else { continue };
            let Some(at) = waiters.iter().rposition(|waiter| waiter.asker == asker) else { continue };
            let waiter = waiters.remove(at);
            if waiters.is_empty() {
                self.waiters.remove(&key);
            }
            self.waiting -= 1;
            self.count(asker, -1);
            return Some(waiter.outlet);
        }
    }

    /// The keys that are asked for next, at most `limit`: one of each asker in turn. Those whom nobody waits for any more are left
    /// out, by what `has_gone` says; they are counted.
    pub(super) fn take(&mut self, limit: usize, has_gone: impl Fn(&W) -> bool) -> (Vec<InquiryKey>, usize) {
        let (mut taken, mut gone) = (Vec::new(), 0);
        let mut asked = hashbrown::HashSet::<InquiryKey, RandomState>::default();
        while taken.len() < limit
            && let Some(asker) = self.turns.pop_front()
        {
            let Some(line) = self.lines.get_mut(&asker) else { continue };
            let key = line.keys.pop_front();
            if line.keys.is_empty() {
                line.keys.shrink_to_fit();
                if line.waiting == 0 {
                    self.lines.remove(&asker);
                }
            } else {
                self.turns.push_back(asker);
            }
            let Some(key) = key else { continue };
            gone += self.drop_gone(&key, &has_gone);
            if self.waiters.contains_key(&key) && asked.insert(key.clone()) {
                taken.push(key);
            }
        }
        (taken, gone)
    }

    fn drop_gone(&mut self, key: &InquiryKey, has_gone: impl Fn(&W) -> bool) -> usize {
        let Some(waiters) = self.waiters.get_mut(key) else { return 0 };
        let gone: Vec<_> = waiters.extract_if(.., |waiter| has_gone(&waiter.outlet)).collect();
        if waiters.is_empty() {
            self.waiters.remove(key);
        }
        self.end(&gone);
        gone.len()
    }

    fn end(&mut self, waiters: &[Waiter<W>]) {
        self.waiting -= waiters.len();
        for waiter in waiters {
            self.count(waiter.asker, -1);
            let is_over = |line: &Line| line.waiting == 0 && line.keys.is_empty();
            if self.lines.get(&waiter.asker).is_some_and(is_over) {
                self.lines.remove(&waiter.asker);
            }
        }
    }

    /// Who waits for a key that was answered: all who do.
    pub(super) fn answered(&mut self, key: &InquiryKey) -> Vec<Waiter<W>> {
        let waiters = self.waiters.remove(key).unwrap_or_default();
        self.end(&waiters);
        waiters
    }

    /// Puts keys that were taken back to the front of the lines.
    pub(super) fn put_back(&mut self, keys: Vec<InquiryKey>) {
        for key in keys {
            let Some(asker) =
                self.waiters.get(&key).and_then(|waiters| waiters.first()).map(|first| first.asker)
            else {
                continue;
            };
            let line = self.lines.entry(asker).or_default();
            if line.keys.is_empty() {
                self.turns.push_front(asker);
            }
            line.keys.push_front(key);
        }
    }

    /// Ends all questions.
    pub(super) fn clear(&mut self) -> Vec<Waiter<W>> {
        (self.waiting, self.lines) = (0, HashMap::default());
        self.turns.clear();
        self.lengths.clear();
        std::mem::take(&mut self.waiters).into_values().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u32) -> InquiryKey {
        InquiryKey { is_value: false, key: number.to_be_bytes().as_slice().into() }
    }

    fn numbers(keys: &[InquiryKey]) -> Vec<u32> {
        keys.iter().map(|key| u32::from_be_bytes((&*key.key).try_into().unwrap())).collect()
    }

    fn ask(all: &mut Inquiries<u32>, asker: u64, number: u32) -> Option<u32> {
        all.ask(key(number), asker, Instant::now(), number)
    }

    #[test]
    fn one_with_thousands_of_questions_does_not_delay_the_first_of_others() {
        let mut all = Inquiries::new(10_000);
        for number in 0..5000 {
            assert_eq!(ask(&mut all, 1, number), None);
        }
        assert_eq!(ask(&mut all, 2, 9001), None);
        assert_eq!(ask(&mut all, 3, 9002), None);
        let (taken, _) = all.take(4, |_| false);
        assert_eq!(numbers(&taken), [0, 9001, 9002, 1]);
    }

    #[test]
    fn the_longest_line_gives_up_its_last() {
        let mut all = Inquiries::new(6);
        for number in 0..6 {
            assert_eq!(ask(&mut all, 1, number), None);
        }
        assert_eq!(ask(&mut all, 1, 6), Some(6), "it is the longest itself");
        assert_eq!(ask(&mut all, 2, 20), Some(5));
        assert_eq!(ask(&mut all, 2, 21), Some(4));
        assert_eq!(ask(&mut all, 2, 22), Some(3));
        assert_eq!(ask(&mut all, 2, 23), Some(23), "all are alike");
        assert_eq!(all.len(), 6);
        let (taken, _) = all.take(10, |_| false);
        assert_eq!(numbers(&taken), [0, 20, 1, 21, 2, 22]);
        for key in &taken {
            assert_eq!(all.answered(key).len(), 1);
        }
        assert_eq!((all.len(), all.lines.len(), all.lengths.len(), all.waiters.len()), (0, 0, 0, 0));
    }

    #[test]
    fn a_key_is_asked_for_once_and_answered_to_all() {
        let mut all = Inquiries::new(100);
        for asker in 0..5 {
            assert_eq!(ask(&mut all, asker, 7), None);
        }
        let (taken, _) = all.take(10, |_| false);
        assert_eq!(numbers(&taken), [7]);
        assert_eq!(ask(&mut all, 9, 7), None);
        assert_eq!(all.answered(&key(7)).len(), 6);
        assert_eq!(all.len(), 0);
        let (taken, _) = all.take(10, |_| false);
        assert!(taken.is_empty(), "what was asked meanwhile is answered");
        assert_eq!((all.lines.len(), all.turns.len()), (0, 0));
    }

    #[test]
    fn who_has_gone_is_not_asked_for() {
        let mut all = Inquiries::new(100);
        for number in 0..10 {
            ask(&mut all, 1, number);
        }
        let (taken, gone) = all.take(10, |number| number % 2 == 0);
        assert_eq!((numbers(&taken), gone), (vec![1, 3, 5, 7, 9], 5));
        all.put_back(taken);
        assert_eq!(numbers(&all.take(1, |_| false).0), [9]);
        assert_eq!(all.clear().len(), 5);
        assert_eq!(all.len(), 0);
    }
}
