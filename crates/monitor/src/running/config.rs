//! What can be set of a monitor.

use std::time::Duration;

use crate::{due::DueLimits, schedule::ScheduleRules, session::SessionRules};

/// How a network is monitored.
#[derive(Debug, Clone)]
pub struct MonitorConfig {
    /// From the beginning of one crawl to that of the next.
    pub crawl_every: Duration,
    /// For how long; `None` until it is stopped.
    pub lasts: Option<Duration>,
    /// When a session begins and ends.
    pub sessions: SessionRules,
    /// When a peer is looked at.
    pub schedule: ScheduleRules,
    /// How many peers are known, and how many looks there are.
    pub due: DueLimits,
    /// How long a dial may take, until the peer has proved who it is.
    pub dial_timeout: Duration,
    /// How long an answer is awaited.
    pub answer_timeout: Duration,
    /// Of the peers known to be up, with how many a crawl begins beside those that were given: it finds its way also when all of these are
    /// down.
    pub begin_with: usize,
    /// Seed of everything random.
    pub seed: u64,
}

impl Default for MonitorConfig {
    fn default() -> Self {
        Self {
            crawl_every: Duration::from_secs(1800),
            lasts: None,
            sessions: SessionRules::default(),
            schedule: ScheduleRules::default(),
            due: DueLimits {
                peers: 1_000_000,
                looks_per_s: 100.0,
                up_at_once: 256,
                doubtful_at_once: 128,
                down_at_once: 1024,
            },
            dial_timeout: Duration::from_secs(5),
            answer_timeout: Duration::from_secs(10),
            begin_with: 64,
            seed: 0,
        }
    }
}
