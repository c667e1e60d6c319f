//! What the checks of one address together say, and how many more it takes.

use std::{collections::VecDeque, time::Duration};

use crate::autonat::Reachability;

/// By how many the outcomes of one kind have to lead for an address to count as reachable or not (go-libp2p,
/// `basichost.minConfidence`, as all here).
const MIN_CONFIDENCE: usize = 2;

/// By how many they lead when nothing more is asked for a while (`targetConfidence`).
pub const TARGET_CONFIDENCE: usize = 3;

/// How many outcomes count, the last ones (`maxRecentDialsWindow`).
pub const MAX_OUTCOMES: usize = TARGET_CONFIDENCE + 2;

/// After how long a sure address is checked again (`highConfidenceAddrProbeInterval`).
pub const CHECK_INTERVAL: Duration = Duration::from_secs(3600);

/// How long an outcome counts (`maxProbeResultTTL`).
const OUTCOME_AGE: Duration = Duration::from_secs(3600 * MAX_OUTCOMES as u64);

/// The time for which dials and refusals are counted (`recentProbeInterval`).
const RECENT: Duration = Duration::from_secs(600);

/// How many dials within [`RECENT`] are enough, whatever they say (`maxRecentDialsPerAddr`).
const MAX_RECENT_DIALS: usize = 10;

/// How many servers in a row may refuse before an address rests for [`RECENT`] (`maxConsecutiveRefusals`).
const MAX_REFUSALS: u32 = 5;

/// What is known of one address.
#[derive(Debug, Clone, Default)]
pub struct AddressRecord {
    /// When it was reached, or not: the oldest first.
    outcomes: VecDeque<(Duration, bool)>,
    /// When it was dialled, the oldest first.
    dials: VecDeque<Duration>,
    refusals: u32,
    refused_at: Duration,
}

impl AddressRecord {
    /// Takes the outcome of a dial in; `Unknown` if it came to nothing.
    pub fn dialled(&mut self, seen: Reachability, now: Duration) {
        self.refusals = 0;
        push(&mut self.dials, now, MAX_RECENT_DIALS);
        self.forget(now);
        if seen != Reachability::Unknown {
            push(&mut self.outcomes, (now, seen == Reachability::Public), MAX_OUTCOMES);
        }
    }

    /// A server would not dial it, though it was the first of a request.
    pub fn refused(&mut self, now: Duration) {
        self.refusals = self.refusals.saturating_add(1);
        self.refused_at = now;
    }

    /// Whether it can be reached.
    pub fn reachability(&mut self, now: Duration) -> Reachability {
        self.forget(now);
        let (reached, failed) = self.counts();
        if reached >= failed + MIN_CONFIDENCE {
            Reachability::Public
        } else if failed >= reached + MIN_CONFIDENCE {
            Reachability::Private
        } else {
            Reachability::Unknown
        }
    }

    /// How many more checks it takes now.
    pub fn checks_due(&mut self, now: Duration) -> usize {
        if self.refusals >= MAX_REFUSALS {
            if now.saturating_sub(self.refused_at) < RECENT {
                return 0;
            }
            self.refusals = 0;
        }
        let recent = self.dials.iter().filter(|&&time| now.saturating_sub(time) <= RECENT).count();
        if recent >= MAX_RECENT_DIALS {
            return 0;
        }
        let reachability = self.reachability(now);
        let (reached, failed) = self.counts();
        let missing = TARGET_CONFIDENCE.saturating_sub(reached.abs_diff(failed));
        if missing > 0 {
            return missing;
        }
        let is_settled = self.outcomes.back().is_some_and(|&(time, was_reached)| {
            now.saturating_sub(time) <= CHECK_INTERVAL
                && was_reached == (reachability == Reachability::Public)
        });
        usize::from(!is_settled)
    }

    fn counts(&self) -> (usize, usize) {
        let reached = self.outcomes.iter().filter(|&&(_, was_reached)| was_reached).count();
        (reached, self.outcomes.len() - reached)
    }

    fn forget(&mut self, now: Duration) {
        while self.outcomes.front().is_some_and(|&(time, _)| now.saturating_sub(time) > OUTCOME_AGE) {
            self.outcomes.pop_front();
        }
    }
}

fn push<T>(list: &mut VecDeque<T>, entry: T, most: usize) {
    if list.len() == most {
        list.pop_front();
    }
    list.push_back(entry);
}
