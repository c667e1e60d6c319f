//! How many dials back a peer makes for others.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use foldhash::fast::RandomState;
use libp2p_identity::PeerId;

/// The time that the limits are for.
const WINDOW: Duration = Duration::from_secs(60);

/// How many requests to dial back are granted within any minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetLimits {
    /// In all.
    pub total: usize,
    /// Of one peer.
    pub per_peer: usize,
    /// Of those to an IP address that the asker does not come from, in all.
    pub with_data: usize,
    /// Of one peer at once.
    pub at_once: usize,
}

impl BudgetLimits {
    /// For version 1 (go-libp2p, `autonat.defaults`; its minutes are longer by up to 15 s, and begin together for all).
    pub const V1: Self = Self { total: 30, per_peer: 3, with_data: 0, at_once: 3 };

    /// For version 2 (go-libp2p, `autonatv2.defaultSettings`).
    pub const V2: Self = Self { total: 60, per_peer: 12, with_data: 12, at_once: 2 };
}

/// The requests of the last minute and those under way. It never holds more than its limits.
#[derive(Debug, Clone)]
pub struct DialBackBudget {
    limits: BudgetLimits,
    granted: VecDeque<(Duration, PeerId)>,
    with_data: VecDeque<Duration>,
    under_way: HashMap<PeerId, usize, RandomState>,
}

impl DialBackBudget {
    /// A budget of which nothing has been spent.
    pub fn new(limits: BudgetLimits) -> Self {
        Self { limits, granted: VecDeque::new(), with_data: VecDeque::new(), under_way: HashMap::default() }
    }

    /// Whether a peer's request is granted at `now`. If so, [`end`](Self::end) says when it is over.
    pub fn begin(&mut self, asker: &PeerId, now: Duration) -> bool {
        self.forget(now);
        let before = self.granted.iter().filter(|(_, peer)| peer == asker).count();
        let at_once = self.under_way.get(asker).copied().unwrap_or(0);
        let is_granted = self.granted.len() < self.limits.total
            && self.under_way.values().sum::<usize>() < self.limits.total
            && before < self.limits.per_peer
            && at_once < self.limits.at_once;
        if is_granted {
            self.granted.push_back((now, *asker));
            self.under_way.insert(*asker, at_once + 1);
        }
        is_granted
    }

    /// Whether a granted request may be for an IP address that the asker does not come from.
    pub fn takes_data(&mut self, now: Duration) -> bool {
        self.forget(now);
        let is_granted = self.with_data.len() < self.limits.with_data;
        if is_granted {
            self.with_data.push_back(now);
        }
        is_granted
    }

    /// A granted request is over.
    pub fn end(&mut self, asker: &PeerId) {
        if let Some(count) = self.under_way.get_mut(asker) {
            *count -= 1;
            if *count == 0 {
                self.under_way.remove(asker);
            }
        }
    }

    /// Forgets what was granted a minute ago.
    fn forget(&mut self, now: Duration) {
        let is_over = |time: Duration| now.saturating_sub(time) >= WINDOW;
        while self.granted.front().is_some_and(|&(time, _)| is_over(time)) {
            self.granted.pop_front();
        }
        while self.with_data.front().is_some_and(|&time| is_over(time)) {
            self.with_data.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: BudgetLimits = BudgetLimits { total: 5, per_peer: 3, with_data: 1, at_once: 2 };

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_peer_has_its_share_of_any_minute() {
        let (mut budget, asker) = (DialBackBudget::new(LIMITS), PeerId::random());
        assert!(budget.begin(&asker, at(0)) && budget.begin(&asker, at(1)));
        assert!(!budget.begin(&asker, at(2)), "two are under way");
        budget.end(&asker);
        assert!(budget.begin(&asker, at(3)));
        budget.end(&asker);
        budget.end(&asker);
        assert!(!budget.begin(&asker, at(59)), "three within a minute");
        assert!(budget.begin(&asker, at(60)) && !budget.begin(&asker, at(60)));
        assert!(budget.takes_data(at(0)) && !budget.takes_data(at(59)) && budget.takes_data(at(60)));
    }

    #[test]
    fn all_have_one_budget_and_what_never_ends_uses_it_up() {
        let mut budget = DialBackBudget::new(LIMITS);
        let askers: Vec<PeerId> = (0..5).map(|_| PeerId::random()).collect();
        assert!(askers.iter().all(|asker| budget.begin(asker, at(0))));
        let another = PeerId::random();
        assert!(!budget.begin(&another, at(59)) && !budget.begin(&another, at(100)));
        budget.end(&askers[0]);
        budget.end(&askers[0]);
        assert!(budget.begin(&another, at(100)));
        assert_eq!((budget.under_way.len(), budget.granted.len()), (5, 1));
    }
}
