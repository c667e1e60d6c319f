//! Every bound of the store, with its unit and reason.

use std::time::Duration;

/// Rows that may wait for the writer. A row of a large visit is some kilobytes; a tool that outruns the disk waits.
pub(crate) const QUEUE_ROWS: usize = 1024;

/// How often the writer looks into its queue while it gathers a batch: waking it for each row costs more than the row.
pub(crate) const GATHER_INTERVAL: Duration = Duration::from_millis(10);

/// In so many parts the writer waits for the file: after each it says that it waits.
pub(crate) const LOCK_ATTEMPTS: u32 = 6;

/// Rows that a reader fetches at once.
pub(crate) const READ_CHUNK: i64 = 256;

/// Batches whose place a reader fetches at once.
pub(crate) const READ_BATCHES: i64 = 64;

/// Rows in a batch of a scan, a few more at most than there is room for.
pub(crate) const SCAN_ROWS: i64 = 4096;

/// Batches of writing whose place a scan looks up at once.
pub(crate) const SCAN_BATCHES: i64 = 1024;

/// Batches of writing that are pruned in one transaction: some ten thousand visits of a crawl.
pub(crate) const PRUNE_STEP: i64 = 16;

/// Rows of what is kept once that are looked at in one transaction of a sweep.
pub(crate) const SWEEP_STEP: i64 = 4096;

/// Pages of the file that are given back in one transaction.
pub(crate) const VACUUM_STEP: u32 = 512;

/// Runs of which is said what they know of a peer, for each kind of rows.
pub(crate) const LISTED_RUNS: i64 = 1000;

/// Visits that are shown of a peer.
pub(crate) const LATEST_VISITS: i64 = 20;

/// Peers whose number in the store, and whose last encounter, the writer remembers, and as many of the generation before.
pub(crate) const CACHED_PEERS: usize = 16_384;

/// Addresses whose number the writer remembers, and as many of the generation before.
pub(crate) const CACHED_ADDRESSES: usize = 16_384;

/// The same for agents, sets of protocols and failures, each.
pub(crate) const CACHED_TEXTS: usize = 2_048;

/// Pages of the file that one connection keeps in memory, in KiB.
pub(crate) const PAGE_CACHE_KIB: i64 = 16 * 1024;

/// Prepared statements that one connection keeps.
pub(crate) const STATEMENTS: usize = 64;

/// What can be set of a store. The defaults suit a crawl of a large network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows that are written in one transaction, and as many may be lost by a kill; 1,000 by default.
    pub batch_rows: usize,
    /// How long a row waits for others before it is written; 500 ms by default.
    pub batch_time: Duration,
    /// How long another process is waited for that holds the file, whatever is to be done: opening it, beginning a
    /// run, appending rows, ending it; 30 s by default.
    pub busy_timeout: Duration,
    /// Files up to this size, in bytes, are checked for damage when they are opened; 64 MiB by default, which takes
    /// about 0.15 s. In larger files damage shows when it is met.
    pub check_up_to_bytes: u64,
    /// How long a database is waited for that is away when a run has ended; 5 min by default. Then what it does not have is
    /// left in a file.
    pub outage: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch_rows: 1000,
            batch_time: Duration::from_millis(500),
            busy_timeout: Duration::from_secs(30),
            check_up_to_bytes: 64 * 1024 * 1024,
            outage: Duration::from_secs(300),
        }
    }
}
