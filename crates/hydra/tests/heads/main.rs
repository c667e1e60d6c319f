//! Heads of ours that live in simulated networks, whose truth is known: in virtual time, but where they are asked by HTTP.

#![expect(clippy::expect_used, reason = "a test ends at the first error")]

mod answers;
mod api;
mod asking;
mod beside_nodes;
mod churn;
mod crowd;
#[cfg(feature = "prometheus")]
mod dashboard;
mod joining;
mod metrics;
mod overload;
mod prefetching;
mod settlement;

use std::time::Duration;

/// A bucket of a table holds so many peers (go-libp2p-kad-dht, `amino.DefaultBucketSize`).
const K: usize = 20;

/// So many minutes.
const fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}
