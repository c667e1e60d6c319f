//! What a table needs to stay true: which prefixes are to be looked up, and for how long a peer may be silent.

use std::time::Duration;

use super::RoutingTable;
use crate::preimage::MAX_PREFIX_BITS;

/// How often a table is refreshed (go-libp2p-kad-dht, `RoutingTable.RefreshInterval`).
pub const REFRESH_INTERVAL: Duration = Duration::from_secs(600);

/// How long one lookup of a refresh may take (go-libp2p-kad-dht, `RoutingTable.RefreshQueryTimeout`). One that takes
/// longer is ended and counts as done.
pub const REFRESH_LOOKUP_TIMEOUT: Duration = Duration::from_secs(10);

/// As many prefix lengths as targets can be made for: 0 to [`MAX_PREFIX_BITS`].
const PREFIXES: usize = MAX_PREFIX_BITS as usize + 1;

/// How long a peer may go without answering before it is tested: so long that each of the peers of a bucket is asked by
/// then with a probability of 1 - 1/`bucket_size`, if every refresh asks `parallelism` of them
/// (go-libp2p-kad-dht, `maxLastSuccessfulOutboundThreshold`).
pub fn answer_grace(bucket_size: usize, parallelism: usize, interval: Duration) -> Duration {
    if parallelism >= bucket_size {
        return interval;
    }
    let (size, asked) = (bucket_size as f64, parallelism.max(1) as f64);
    interval.mul_f64((1.0 / size).ln() / (1.0 - asked / size).ln())
}

/// When each prefix was last looked up.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RefreshTimes([Option<Duration>; PREFIXES]);

impl RefreshTimes {
    pub(super) fn note(&mut self, shared: u32, now: Duration) {
        if let Some(time) = self.0.get_mut(shared as usize) {
            *time = Some(now);
        }
    }

    pub(super) fn up_to(&self, depth: u32) -> &[Option<Duration>] {
        &self.0[..=(depth as usize).min(PREFIXES - 1)]
    }
}

/// A lookup that a refresh takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshStep {
    /// Of the table's owner.
    Own,
    /// Of a target that shares exactly so many bits with the owner ([`preimage`](crate::preimage)).
    Prefix(u32),
}

/// One refresh of a table, lookup by lookup, as go-libp2p-kad-dht takes them: first of its owner, then of each prefix
/// from the shallowest on that was not looked up within the interval.
///
/// Where a prefix has no peers even so, only some more are looked up: up to twice its length and two. There are few
/// peers in the network that deep, and a table that holds one of them by chance need not be searched up to there.
#[derive(Debug, Clone)]
pub struct Refresh {
    interval: Duration,
    is_forced: bool,
    has_begun: bool,
    /// When each prefix had been looked up before this refresh came to the first of them; empty until then.
    times: Vec<Option<Duration>>,
    next: u32,
    end: u32,
    has_gap: bool,
}

impl Refresh {
    /// A refresh that is due every `interval`. A forced one looks up every prefix, whenever it was looked up before.
    pub const fn new(interval: Duration, is_forced: bool) -> Self {
        Self { interval, is_forced, has_begun: false, times: Vec::new(), next: 0, end: 0, has_gap: false }
    }

    /// The next lookup; `None` when the table is refreshed. `is_done` says whether the one before was brought to an end,
    /// by its timeout too: it was not if nobody could be asked.
    pub fn next<T>(&mut self, table: &RoutingTable<T>, now: Duration, is_done: bool) -> Option<RefreshStep> {
        if !self.has_begun {
            self.has_begun = true;
            return Some(RefreshStep::Own);
        }
        if self.times.is_empty() {
            self.times = table.refreshed().to_vec();
            self.end = u32::try_from(self.times.len()).unwrap_or(u32::MAX);
        } else if is_done {
            self.look_for_gap(table);
        }
        while self.next < self.end {
            let looked_up = self.times.get(self.next as usize).copied().flatten();
            self.next += 1;
            if self.is_forced || looked_up.is_none_or(|time| now.saturating_sub(time) > self.interval) {
                return Some(RefreshStep::Prefix(self.next - 1));
            }
            self.look_for_gap(table);
        }
        None
    }

    /// Whether no prefix was found to be empty. A table whose refresh has a gap does not settle ([`Settling`](super::Settling)).
    pub const fn is_whole(&self) -> bool {
        !self.has_gap
    }

    /// Looks whether there are peers at the prefix that was dealt with last.
    fn look_for_gap<T>(&mut self, table: &RoutingTable<T>) {
        let Some(prefix) = self.next.checked_sub(1) else { return };
        if !self.has_gap && table.len_at(prefix) == 0 {
            self.has_gap = true;
            self.end = self.end.min(2 * (prefix + 1) + 1);
        }
    }
}
