//! Publishing many keys region by region of the key space, as go-libp2p-kad-dht's sweeping provider does it (`provider`, v0.42): where
//! many keys lie close together, the peers there are looked up once for all of them.
//!
//! A [`SweepPlan`] says which keys are given away together, an [`Exploration`] what to look up until all peers under a
//! [prefix](KeyPrefix) are known, [`regions`] how these are divided, and a [`ReprovideSchedule`] when each region is due again. What is
//! sent is left to whoever has a network, and so are time and what lookups find.

mod allocation;
mod connectivity;
mod cover;
mod exploration;
mod plan;
mod prefix;
mod region;
mod schedule;

use std::time::Duration;

pub use self::{
    allocation::{Allocation, allocate_as_go},
    connectivity::{Connectivity, ConnectivityRules, ConnectivityState, ConnectivityStep},
    cover::PrefixSet,
    exploration::{Exploration, Explored, MAX_DRY_LOOKUPS, MAX_EXPLORATION_LOOKUPS},
    plan::{INDIVIDUAL_KEYS, PREFIX_LEN_LOOKUPS, SweepJob, SweepPlan, mean_prefix_len, prefix_len_targets},
    prefix::KeyPrefix,
    region::{KeyRegion, MIN_REACHED_PERCENT, regions},
    schedule::{MAX_TIMED_BITS, REPROVIDE_INTERVAL, RETRY_INTERVAL, ReprovideSchedule, reprovide_offset},
};

/// How long a measured prefix length holds (`defaultPrefixLenValidity`).
pub const PREFIX_LEN_VALIDITY: Duration = Duration::from_secs(5 * 60);

/// How long one record may take to be given to one peer (`DefaultSendProviderRecordTimeout`).
pub const RECORD_PATIENCE: Duration = Duration::from_secs(10);

/// With which failure in a row a peer is given nothing more: two are allowed (`maxConsecutiveProvideFailuresAllowed`).
pub const FAILURES_IN_A_ROW: usize = 3;

/// How many regions are worked on at a time (`maxWorkers`; Kubo has 16).
pub const WORKERS: usize = 4;

/// How many peers a worker gives records to at a time (`maxProvideConnsPerWorker`).
pub const CONNECTIONS_PER_WORKER: usize = 20;
