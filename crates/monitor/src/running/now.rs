//! What a monitor looks like while it goes on, and what it came to.

use std::time::Duration;

use schema::Timestamp;
use serde::Serialize;

use crate::{evidence::UptimeEvidence, session::SessionChange};

kad::named! {
    /// How monitoring ended.
    pub enum MonitorEnd: serde {
        /// Its time was over.
        Done = "done",
        /// It was stopped.
        Stopped = "stopped",
        /// It is gone on with by the next run.
        Renewed = "renewed",
        /// Nobody takes any more what is to be kept.
        NotKept = "not_kept",
    }
}

/// Looks, and what they said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LookCounts {
    /// That found the peer up.
    pub up: u64,
    /// That did not.
    pub down: u64,
    /// That said nothing.
    pub unclear: u64,
}

impl LookCounts {
    /// All of them.
    pub const fn all(&self) -> u64 {
        self.up + self.down + self.unclear
    }

    const fn add(&mut self, more: &Self) {
        self.up += more.up;
        self.down += more.down;
        self.unclear += more.unclear;
    }

    pub(super) const fn count(&mut self, evidence: UptimeEvidence) {
        let count = match evidence {
            UptimeEvidence::Up => &mut self.up,
            UptimeEvidence::Down => &mut self.down,
            UptimeEvidence::Unclear => &mut self.unclear,
        };
        *count += 1;
    }
}

/// A monitor at a moment. Counts are of this run.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct MonitorNow {
    /// Whether anybody was seen up.
    pub is_ready: bool,
    /// Peers that are known.
    pub known: u64,
    /// Those of them that are believed up, those in doubt included.
    pub up: u64,
    /// Those in doubt.
    pub doubtful: u64,
    /// Looks of the monitor.
    pub looks: LookCounts,
    /// Looks in which somebody else answered at an address of the peer.
    pub met_others: u64,
    /// Visits of crawls.
    pub crawl_visits: LookCounts,
    /// Sessions that began.
    pub began: u64,
    /// Sessions that ended.
    pub ended: u64,
    /// How often a peer in doubt was seen up again.
    pub recovered: u64,
    /// The observer's gaps.
    pub gaps: u64,
    /// Crawls that came to their end.
    pub crawls: u64,
    /// Whether one is under way.
    pub is_crawling: bool,
    /// Looks under way.
    pub under_way: u64,
    /// Looks a second that are wanted, before intervals are stretched.
    pub wanted_per_s: f64,
    /// By what factor intervals are longer than they should be; 1 where the looks a second suffice.
    pub stretch: f64,
    /// How late the looks that are due are: the latest of those that wait.
    pub lag: Duration,
    /// The latest that a look has begun.
    pub worst_lag: Duration,
    /// Facts that wait to be kept.
    pub facts_waiting: u64,
    /// Peers that were heard of and had no place.
    pub left_out: u64,
}

impl MonitorNow {
    /// Adds what a run counted, of which this is the next one. How peers stand is left as it is.
    pub const fn count_in(&mut self, run: &Self) {
        self.looks.add(&run.looks);
        self.met_others += run.met_others;
        self.crawl_visits.add(&run.crawl_visits);
        self.began += run.began;
        self.ended += run.ended;
        self.recovered += run.recovered;
        self.gaps += run.gaps;
        self.crawls += run.crawls;
        self.left_out += run.left_out;
    }

    /// As the next run begins with it: how peers stand, and nothing counted.
    #[must_use]
    pub fn gone_on_with(&self) -> Self {
        let Self { is_ready, known, up, doubtful, .. } = *self;
        Self { is_ready, known, up, doubtful, ..Self::default() }
    }

    /// What a look says is known, and what it changes.
    pub(super) const fn concluded(&mut self, evidence: UptimeEvidence, change: &SessionChange) {
        match change {
            SessionChange::Began => self.began += 1,
            SessionChange::Recovered => self.recovered += 1,
            SessionChange::Ended(_) => self.ended += 1,
            SessionChange::Nothing | SessionChange::Continued | SessionChange::Doubted => {}
        }
        if matches!(evidence, UptimeEvidence::Up) {
            self.is_ready = true;
        }
    }
}

/// What a run of a monitor came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MonitorSummary {
    /// How it ended.
    pub end: MonitorEnd,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// The counts at its end.
    #[serde(flatten)]
    pub counts: MonitorNow,
}
