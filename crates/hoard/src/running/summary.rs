//! What a study came to, as far as the run that ends knows.

use schema::{RoundEnd, Timestamp};
use serde::Serialize;

use crate::HoardNow;

kad::named! {
    /// How a run of a study ended.
    pub enum HoardEnd: serde {
        /// All keys were watched for their time.
        Done = "done",
        /// It was stopped; another run may go on with it.
        Stopped = "stopped",
        /// Nobody took what it told any more.
        NotKept = "not_kept",
    }
}

/// What a run of a study came to. Times are in seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HoardSummary {
    /// How it ended.
    pub end: HoardEnd,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Keys that were published or taken in, those of runs before included.
    pub keys: u64,
    /// Those of them whose record nobody was given.
    pub failed_keys: u64,
    /// Rounds that were done to their end.
    pub whole_rounds: u64,
    /// Rounds whose time was over before everything was done.
    pub partial_rounds: u64,
    /// Rounds that were not done, since their time had passed.
    pub missed_rounds: u64,
    /// Rounds that were given up when it was stopped.
    pub stopped_rounds: u64,
    /// How late rounds began: the median of the last 1,024.
    pub lag_p50_s: f64,
    /// Of them, 99 % began no later.
    pub lag_p99_s: f64,
    /// The latest of all.
    pub lag_max_s: f64,
}

impl HoardSummary {
    pub(super) fn of(now: &HoardNow, end: HoardEnd, (began_at, ended_at): (Timestamp, Timestamp)) -> Self {
        Self {
            end,
            began_at,
            ended_at,
            keys: now.keys,
            failed_keys: now.failed_keys,
            whole_rounds: now.rounds_of(RoundEnd::Whole),
            partial_rounds: now.rounds_of(RoundEnd::Partial),
            missed_rounds: now.rounds_of(RoundEnd::Missed),
            stopped_rounds: now.rounds_of(RoundEnd::Stopped),
            lag_p50_s: now.lag.p50.as_secs_f64(),
            lag_p99_s: now.lag.p99.as_secs_f64(),
            lag_max_s: now.lag.max.as_secs_f64(),
        }
    }
}
