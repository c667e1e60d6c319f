//! How a belly fares, as counters that are read when somebody asks.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// The upper bounds of the classes of latencies, in microseconds: 1 to about 3 apart, from what memory takes to what nobody waits for.
pub const LATENCY_BOUNDS_US: [u64; 14] = [
    100, 300, 1_000, 3_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000,
    5_000_000, 10_000_000,
];

/// Counts latencies by classes, from any thread.
#[derive(Debug, Default)]
pub struct LatencyMeter {
    classes: [AtomicU64; LATENCY_BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

impl LatencyMeter {
    /// Counts one.
    pub fn note(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let class = LATENCY_BOUNDS_US.partition_point(|&bound| bound < took);
        if let Some(class) = self.classes.get(class) {
            class.fetch_add(1, Relaxed);
        }
        self.sum_us.fetch_add(took, Relaxed);
    }

    /// What was counted.
    pub fn read(&self) -> Latencies {
        Latencies {
            classes: std::array::from_fn(|class| {
                self.classes.get(class).map_or(0, |count| count.load(Relaxed))
            }),
            sum: Duration::from_micros(self.sum_us.load(Relaxed)),
        }
    }
}

/// How long something took, as a histogram.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Latencies {
    /// How many took as long as each of [`LATENCY_BOUNDS_US`] at most and longer than the one before; the last ones took longer
    /// than all of them.
    pub classes: [u64; LATENCY_BOUNDS_US.len() + 1],
    /// How long all of them took together.
    pub sum: Duration,
}

/// How many records are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordCounts {
    /// Records of providers, expired ones among them that were not collected yet.
    pub providers: u64,
    /// The same of values.
    pub values: u64,
    /// Whether that was counted, and not estimated.
    pub is_exact: bool,
}

/// What waits for a belly's backend, and what was asked of it since it was opened. All zero without a backend, but for the memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BellyBacklog {
    /// Keys that wait for a read.
    pub reads_waiting: usize,
    /// How long the oldest of them has waited.
    pub oldest_read: Duration,
    /// Records that wait to be written.
    pub writes_waiting: usize,
    /// What these take, in bytes.
    pub write_bytes: usize,
    /// Whether the backend did not answer when it was last asked.
    pub is_away: bool,
    /// What is kept in memory, in bytes.
    pub memory_bytes: usize,
    /// Statements that the backend was asked.
    pub statements: u64,
    /// Statements that failed.
    pub failed_statements: u64,
    /// Reads that were shed, by [`ReadFailure::ALL`](super::ReadFailure::ALL).
    pub shed_reads: [u64; super::ReadFailure::ALL.len()],
    /// Records that were shed, by [`WriteShed::ALL`](super::WriteShed::ALL).
    pub shed_writes: [u64; super::WriteShed::ALL.len()],
    /// How often two providers of a key came in one second, where the backend has one place for that, and another place was found.
    pub collisions: u64,
    /// How often the backend refused a request since more is asked than was paid for.
    pub throttled: u64,
    /// Records that the backend could not keep, since all places where they may stand are others'.
    pub unplaced: u64,
    /// How long reads took, each with its waiting.
    pub reads: Latencies,
    /// How long batches took to be written.
    pub writes: Latencies,
}
