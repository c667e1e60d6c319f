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
const MOST_DAYS: u32 = 32;

/// What is counted of one day of one peer, small: there is one for each peer that is known.
#[derive(Debug, Clone, Copy, Default)]
struct DayCounts {
    up_us: u64,
    down_us: u64,
    looks: u32,
    begun: u16,
    ended: u16,
}

/// Which day of whom: its number since 1970.
type DayKey = (u32, PeerNumber);

/// Counts days until they are taken. Memory: some 45 bytes for each peer and day that is not.
#[derive(Debug, Clone, Default)]
pub struct DayBook {
    counts: BTreeMap<DayKey, DayCounts>,
    gaps: VecDeque<ObserverGap>,
    /// Days before are not counted.
    first_day: u32,
}

/// The day in which a moment lies, by its number since 1970; what lies before is day 0.
fn day_of(at: Timestamp) -> u32 {
    u32::try_from(at.0.div_euclid(DAY_US).max(0)).unwrap_or(u32::MAX)
}

/// The beginning of a day.
const fn begin_of(day: u32) -> Timestamp {
    Timestamp((day as i64).saturating_mul(DAY_US))
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// The midnight before a moment, UTC.
pub const fn midnight(at: Timestamp) -> Timestamp {
    Timestamp(at.0.div_euclid(DAY_US).saturating_mul(DAY_US))
}

impl DayBook {
    /// One in which days before that of a moment are not counted; before 1970 there are none.
    pub fn since(at: Timestamp) -> Self {
        Self { first_day: day_of(at), ..Self::default() }
    }

    /// Counts in what is known of a day otherwise.
    pub fn add_day(&mut self, day: &PeerDay) {
        self.count(day.day, day.peer, |counts| {
            counts.up_us = counts.up_us.saturating_add(micros(day.up));
            counts.down_us = counts.down_us.saturating_add(micros(day.down));
            counts.looks = counts.looks.saturating_add(day.looks);
            counts.begun = counts.begun.saturating_add(u16::try_from(day.begun).unwrap_or(u16::MAX));
            counts.ended = counts.ended.saturating_add(u16::try_from(day.ended).unwrap_or(u16::MAX));
        });
    }

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
            self.count(look.ended_at, peer, |day| day.looks = day.looks.saturating_add(1));
        }
        match change {
            SessionChange::Began => {
                self.count(look.ended_at, peer, |day| day.begun = day.begun.saturating_add(1));
            }
            SessionChange::Continued | SessionChange::Recovered => {
                if let Some(from) = before.up_until() {
                    self.add((from, look.started_at), |day, us| day.up_us += us, peer);
                }
            }
            SessionChange::Ended(session) => {
                self.count(look.ended_at, peer, |day| day.ended = day.ended.saturating_add(1));
                if let Some(from) = session.ended_by.filter(|_| session.end == Some(SessionEnd::Gone)) {
                    self.add((from, look.started_at), |day, us| day.down_us += us, peer);
                }
            }
            SessionChange::Nothing if look.evidence == UptimeEvidence::Down => {
                if let Some(from) = before.down_until() {
                    self.add((from, look.started_at), |day, us| day.down_us += us, peer);
                }
            }
            SessionChange::Nothing | SessionChange::Doubted => {}
        }
    }

    /// Takes what was counted so far, days in their order. What is counted of the same days later adds up to it.
    pub fn take(&mut self) -> impl Iterator<Item = PeerDay> + use<> {
        std::mem::take(&mut self.counts).into_iter().map(|((day, peer), counts)| PeerDay {
            peer,
            day: begin_of(day),
            up: Duration::from_micros(counts.up_us),
            down: Duration::from_micros(counts.down_us),
            looks: counts.looks,
            begun: counts.begun.into(),
            ended: counts.ended.into(),
        })
    }

    /// Counts something of the day in which a moment lies.
    fn count(&mut self, at: Timestamp, peer: PeerNumber, count: impl FnOnce(&mut DayCounts)) {
        let day = day_of(at);
        if day >= self.first_day {
            count(self.counts.entry((day, peer)).or_default());
        }
    }

    /// Adds a stretch to the days in which it lies, without what lies in gaps.
    fn add(
        &mut self,
        (from, until): (Timestamp, Timestamp),
        add: impl Fn(&mut DayCounts, u64),
        peer: PeerNumber,
    ) {
        let last = day_of(until);
        for day in day_of(from).max(last.saturating_sub(MOST_DAYS)).max(self.first_day)..=last {
            let begins = from.max(begin_of(day));
            let ends = until.min(begin_of(day.saturating_add(1)));
            let seen = ends.since(begins).saturating_sub(self.unseen(begins, ends));
            if !seen.is_zero() {
                self.count(begins, peer, |day| add(day, micros(seen)));
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
