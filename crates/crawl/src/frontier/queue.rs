//! Who is next: peers whose turn has come, in their order, and beside them turns that are not to be taken before a time.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, binary_heap::PeekMut},
    time::Duration,
};

use schema::PeerNumber;

/// Peers that wait for their turn. Entries of peers that have had another turn since stay until they come up.
#[derive(Debug, Default)]
pub(super) struct Queue {
    ready: BinaryHeap<Turn>,
    later: BinaryHeap<Reverse<Later>>,
}

/// A turn that has come: those that several peers have named first, then in the seed's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    pub(super) trusted: bool,
    pub(super) order: u64,
    pub(super) peer: PeerNumber,
}

/// A turn that is not to be taken before a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Later {
    /// The crawl's age at which it may be taken.
    pub(super) at: Duration,
    pub(super) peer: PeerNumber,
    /// The peer's visits so far: once there are more, another turn took the place of this one.
    pub(super) turns: u8,
    pub(super) when_idle: WhenIdle,
}

/// What becomes of a later turn once the crawl has nothing else to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum WhenIdle {
    /// The crawl waits for it.
    Wait,
    /// The crawl waits for it until this age, and takes it then at the latest; a crawl that is older does without.
    Until(Duration),
    /// It is taken at once.
    AtOnce,
    /// The crawl does without.
    Drop,
}

impl Queue {
    pub(super) fn push(&mut self, turn: Turn) {
        self.ready.push(turn);
    }

    pub(super) fn pop(&mut self) -> Option<Turn> {
        self.ready.pop()
    }

    pub(super) fn push_later(&mut self, later: Later) {
        self.later.push(Reverse(later));
    }

    /// The next turn whose time has come.
    pub(super) fn pop_due(&mut self, now: Duration) -> Option<Later> {
        let first = self.later.peek_mut()?;
        (first.0.at <= now).then(|| PeekMut::pop(first).0)
    }

    /// The crawl's age at which the next turn comes; `None` if none is to come.
    pub(super) fn next_at(&self) -> Option<Duration> {
        self.later.peek().map(|later| later.0.at)
    }

    /// The crawl has nothing else to do. Brings forward what need not be waited for, and hands out what it does
    /// without.
    pub(super) fn hurry(&mut self, now: Duration) -> Vec<Later> {
        let mut dropped = Vec::new();
        for Reverse(mut later) in std::mem::take(&mut self.later) {
            match later.when_idle {
                WhenIdle::Wait => {}
                WhenIdle::Until(last) if last >= now => later.at = later.at.min(last),
                WhenIdle::AtOnce => later.at = later.at.min(now),
                WhenIdle::Until(_) | WhenIdle::Drop => {
                    dropped.push(later);
                    continue;
                }
            }
            self.push_later(later);
        }
        dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(at_s: u64, peer: u32, when_idle: WhenIdle) -> Later {
        Later { at: Duration::from_secs(at_s), peer: PeerNumber(peer), turns: 1, when_idle }
    }

    #[test]
    fn who_has_nothing_else_to_do_waits_for_what_is_worth_it() {
        let mut queue = Queue::default();
        let (ten, twenty) = (Duration::from_secs(10), Duration::from_secs(20));
        let turns = [
            at(30, 1, WhenIdle::Wait),
            at(25, 2, WhenIdle::Until(twenty)),
            at(25, 3, WhenIdle::AtOnce),
            at(11, 4, WhenIdle::Drop),
            at(25, 5, WhenIdle::Until(Duration::from_secs(9))),
        ];
        for later in turns {
            queue.push_later(later);
        }
        assert_eq!(queue.pop_due(ten), None);
        assert_eq!(queue.next_at(), Some(Duration::from_secs(11)));
        let mut dropped: Vec<u32> = queue.hurry(ten).iter().map(|later| later.peer.0).collect();
        dropped.sort_unstable();
        assert_eq!(dropped, [4, 5]);
        let mut left =
            std::iter::from_fn(|| queue.pop_due(Duration::MAX)).map(|later| (later.at, later.peer.0));
        assert_eq!(left.next(), Some((ten, 3)));
        assert_eq!(left.next(), Some((twenty, 2)));
        assert_eq!(left.next(), Some((Duration::from_secs(30), 1)));
    }
}
