//! Days of peers: what the looks of a day say of how long a peer was up and down, kept when the visits are pruned. Pure.
//!
//! When the days that are counted are written is left to whoever counts: rows of the same day add up, so at any time.

mod uptime;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use schema::{ObserverGap, PeerDay, PeerNumber, SessionEnd, Timestamp};

pub use self::uptime::{PeriodUptime, UptimePeriod, uptimes};
use crate::{
    evidence::{PeerLook, UptimeEvidence},
    session::{PeerUptime, SessionChange},
};

/// A day in UTC, without leap seconds.
const DAY_US: i64 = 86_400_000_000;

/// How many of the last gaps are remembered: looks at a peer are hours apart at most, and an hour has few.
const RECENT_GAPS: usize = 256;

/// How many days are counted at most for one stretch between two looks. What lies before is unknown.
const MOST_DAYS: i64 = 32;

/// What is counted of one day of one peer.
#[derive(Debug, Clone, Copy, Default)]
struct DayCounts {
    up: Duration,
    down: Duration,
    looks: u32,
    begun: u32,
    ended: u32,
}

/// Counts days until they are taken. Memory: some 50 bytes for each peer and day that is not.
#[derive(Debug, Clone, Default)]
pub struct DayBook {
    counts: BTreeMap<(i64, PeerNumber), DayCounts>,
    gaps: VecDeque<ObserverGap>,
}

impl DayBook {
    /// The observer did not see for a while: what lies in it is neither up nor down.
    pub fn gap(&mut self, gap: ObserverGap) {
        if self.gaps.len() == RECENT_GAPS {
            self.gaps.pop_front();
        }
        self.gaps.push_back(gap);
    }

    /// A look at a peer changed how it stands from `before` to something else.
    pub fn looked(&mut self, peer: PeerNumber, before: &PeerUptime, look: &PeerLook, change: &SessionChange) {
        if look.evidence != UptimeEvidence::Unclear {
            self.at(look.ended_at, peer).looks += 1;
        }
        match change {
            SessionChange::Began => self.at(look.ended_at, peer).begun += 1,
            SessionChange::Continued | SessionChange::Recovered => {
                if let Some(from) = before.up_until() {
                    self.add((from, look.started_at), |day, time| day.up += time, peer);
                }
            }
            SessionChange::Ended(session) => {
                self.at(look.ended_at, peer).ended += 1;
                if let Some(from) = session.ended_by.filter(|_| session.end == Some(SessionEnd::Gone)) {
                    self.add((from, look.started_at), |day, time| day.down += time, peer);
                }
            }
            SessionChange::Nothing if look.evidence == UptimeEvidence::Down => {
                if let Some(from) = before.down_until() {
                    self.add((from, look.started_at), |day, time| day.down += time, peer);
                }
            }
            SessionChange::Nothing | SessionChange::Doubted => {}
        }
    }

    /// Takes what was counted so far, days in their order. What is counted of the same days later adds up to it.
    pub fn take(&mut self) -> impl Iterator<Item = PeerDay> + use<> {
        std::mem::take(&mut self.counts).into_iter().map(|((day, peer), counts)| PeerDay {
            peer,
            day: Timestamp(day * DAY_US),
            up: counts.up,
            down: counts.down,
            looks: counts.looks,
            begun: counts.begun,
            ended: counts.ended,
        })
    }

    fn at(&mut self, at: Timestamp, peer: PeerNumber) -> &mut DayCounts {
        self.counts.entry((at.0.div_euclid(DAY_US), peer)).or_default()
    }

    /// Adds a stretch to the days in which it lies, without what lies in gaps.
    fn add(
        &mut self,
        (from, until): (Timestamp, Timestamp),
        add: impl Fn(&mut DayCounts, Duration),
        peer: PeerNumber,
    ) {
        let last = until.0.div_euclid(DAY_US);
        for day in from.0.div_euclid(DAY_US).max(last - MOST_DAYS)..=last {
            let begins = from.max(Timestamp(day * DAY_US));
            let ends = until.min(Timestamp((day + 1) * DAY_US));
            let seen = ends.since(begins).saturating_sub(self.unseen(begins, ends));
            if !seen.is_zero() {
                add(self.counts.entry((day, peer)).or_default(), seen);
            }
        }
    }

    /// How much of a time lies in gaps, each moment once.
    fn unseen(&self, from: Timestamp, until: Timestamp) -> Duration {
        let within = self.gaps.iter().filter(|gap| gap.overlaps(from, until));
        let mut within: Vec<_> = within.map(|gap| (gap.from.max(from), gap.until.min(until))).collect();
        within.sort_unstable();
        let mut covered = from;
        let mut unseen = Duration::ZERO;
        for (begins, ends) in within {
            unseen += ends.since(begins.max(covered));
            covered = covered.max(ends);
        }
        unseen
    }
}

#[cfg(test)]
mod tests;
