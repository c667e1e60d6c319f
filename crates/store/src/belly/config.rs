//! What can be set of a belly.

use std::time::Duration;

/// What can be set of a belly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BellyConfig {
    /// How much of the provider records is kept in memory, in bytes: all of them without a backend, else those that were read or
    /// written lately; 256 MiB by default.
    pub provider_bytes: usize,
    /// The same for values; 64 MiB by default.
    pub value_bytes: usize,
    /// How many providers of one key are given out; 1,024 by default, the newest ones.
    pub per_key: usize,
    /// How much may wait to be written, in bytes of memory; 16 MiB by default.
    pub backlog_bytes: usize,
    /// How long a record waits for others before it is written; 200 ms by default.
    pub write_interval: Duration,
    /// How many statements the backend is asked in any second, reads and writes, whatever is asked of the belly; 200 by default.
    pub statements_per_s: u32,
    /// How many keys wait for a read at most; 16,384 by default.
    pub waiting_reads: usize,
    /// How long a read waits for its answer; 2 s by default.
    pub read_deadline: Duration,
    /// For how long a list that was read is answered with, where others write the same backend; 500 ms by default. What they are told is
    /// known here that much later at most, and their `write_interval`, and what the two statements take.
    pub freshness: Duration,
    /// How often what has expired is collected; 10 s by default. Of several processes one does it.
    pub collect_interval: Duration,
    /// Whether tables are made if there are none; by default they are.
    pub makes_tables: bool,
}

impl Default for BellyConfig {
    fn default() -> Self {
        Self {
            provider_bytes: 256 << 20,
            value_bytes: 64 << 20,
            per_key: 1024,
            backlog_bytes: 16 << 20,
            write_interval: Duration::from_millis(200),
            statements_per_s: 200,
            waiting_reads: 16_384,
            read_deadline: Duration::from_secs(2),
            freshness: Duration::from_millis(500),
            collect_interval: Duration::from_secs(10),
            makes_tables: true,
        }
    }
}
