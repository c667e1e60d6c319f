//! What all heads count. Each is read when somebody asks.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use http::Histogram;
use kad::{
    Key, PeerId,
    fabric::Closed,
    lookup::{LookupKind, Rpc, RpcFate},
    message::MessageType,
};

use super::uniques::Uniques;
use crate::{
    load::AskedType,
    popular::{HeldShare, SampledKeys},
};

/// Upper bounds of how long requests of others took, in microseconds (hydra-booster, `metrics.defaultMillisecondsDistribution`).
const ANSWERED_US: [u64; 39] = [
    10, 50, 100, 300, 600, 800, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 8_000, 10_000, 13_000, 16_000,
    20_000, 25_000, 30_000, 40_000, 50_000, 65_000, 80_000, 100_000, 130_000, 160_000, 200_000, 250_000,
    300_000, 400_000, 500_000, 650_000, 800_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000, 20_000_000,
    50_000_000,
];

/// Upper bounds of how long our own requests took, in milliseconds (hydra-booster, `metrics.coarseMillisecondsDistribution`).
const ASKED_MS: [u64; 14] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000];

/// Upper bounds of sizes, in bytes (hydra-booster, `metrics.defaultBytesDistribution`).
const BYTES: [u64; 13] = [
    1 << 10,
    2 << 10,
    4 << 10,
    16 << 10,
    64 << 10,
    256 << 10,
    1 << 20,
    4 << 20,
    16 << 20,
    64 << 20,
    256 << 20,
    1 << 30,
    4 << 30,
];

/// What came of the requests of one type that others made.
#[derive(Debug)]
pub struct AnsweredCounts {
    /// How large the requests were, in bytes.
    pub received: Histogram,
    /// How large the answers were, in bytes. Those alone that were sent.
    pub sent: Histogram,
    /// How long each took, in nanoseconds: from when it was read until its answer was there.
    pub latency: Histogram,
    /// Requests that were answered by resetting the stream: no message, or one that no server answers, or shed.
    pub failed: AtomicU64,
}

/// What came of the requests of one type that we made for lookups.
#[derive(Debug)]
pub struct AskedCounts {
    /// Requests that were sent.
    pub sent: AtomicU64,
    /// Requests that were not answered, sent or not.
    pub failed: AtomicU64,
    /// How long those took that were answered, in nanoseconds, the dial included.
    pub latency: Histogram,
}

/// What all heads count.
#[derive(Debug)]
pub struct HydraCounters {
    answered: [AnsweredCounts; AskedType::ALL.len()],
    asked: [AskedCounts; AskedType::ALL.len()],
    /// Questions for providers that the belly had records for.
    pub belly_hits: AtomicU64,
    /// The same of those that it had none for.
    pub belly_misses: AtomicU64,
    pub(super) popular: SampledKeys,
    /// Heads that some server of the network has answered under their own identity.
    pub bootstrapped: AtomicU64,
    /// Times that the bootstrap peers were tried and none of them answered.
    pub bootstraps_failed: AtomicU64,
    /// Peers that were dialled by a head that they should know, and answered it.
    pub announced: AtomicU64,
    /// The same, of those who did not.
    pub announcements_failed: AtomicU64,
    /// Bytes that were sent on connections that are over, with all framing above the transport.
    pub closed_sent_bytes: AtomicU64,
    /// The same of bytes received.
    pub closed_received_bytes: AtomicU64,
    uniques: Uniques,
    /// How many connections there are with each peer, whichever head has them. A peer is known by the first bits of its key.
    connected: Mutex<HashMap<u64, u32, RandomState>>,
}

impl Default for HydraCounters {
    fn default() -> Self {
        Self {
            answered: std::array::from_fn(|_| AnsweredCounts::new()),
            asked: std::array::from_fn(|_| AskedCounts::new()),
            belly_hits: AtomicU64::new(0),
            belly_misses: AtomicU64::new(0),
            popular: SampledKeys::default(),
            bootstrapped: AtomicU64::new(0),
            bootstraps_failed: AtomicU64::new(0),
            announced: AtomicU64::new(0),
            announcements_failed: AtomicU64::new(0),
            closed_sent_bytes: AtomicU64::new(0),
            closed_received_bytes: AtomicU64::new(0),
            uniques: Uniques::default(),
            connected: Mutex::default(),
        }
    }
}

impl AnsweredCounts {
    fn new() -> Self {
        Self {
            received: Histogram::new(&BYTES),
            sent: Histogram::new(&BYTES),
            latency: Histogram::of_times(&ANSWERED_US.map(Duration::from_micros)),
            failed: AtomicU64::new(0),
        }
    }
}

impl AskedCounts {
    fn new() -> Self {
        Self {
            sent: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            latency: Histogram::of_times(&ASKED_MS.map(Duration::from_millis)),
        }
    }
}

impl HydraCounters {
    /// What came of the requests of a type that others made. What could not be read is of an unknown type.
    pub const fn answered(&self, kind: AskedType) -> &AnsweredCounts {
        &self.answered[kind as usize]
    }

    /// What came of the requests of a type that we made.
    pub const fn asked(&self, kind: AskedType) -> &AskedCounts {
        &self.asked[kind as usize]
    }

    /// About how many different peers had a connection with any head so far: off by 0.81 % (one standard error).
    pub fn unique_peers(&self) -> f64 {
        self.uniques.count()
    }

    /// Of the `top` keys whose providers are asked for most: how many the belly had when they were last asked for. One question in
    /// eight is looked at.
    pub fn popular_keys(&self, top: usize) -> HeldShare {
        self.popular.share(top)
    }

    /// A question for providers that the belly was asked.
    pub(super) fn asked_belly(&self, key: &[u8], is_held: bool) {
        let count = if is_held { &self.belly_hits } else { &self.belly_misses };
        count.fetch_add(1, Relaxed);
        self.popular.note(key, is_held);
    }

    /// How many peers have a connection with any head: each once, however many it has.
    pub fn connected_peers(&self) -> usize {
        self.connected.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(super) fn connected(&self, peer: &PeerId) {
        let key = Key::of_peer(peer);
        self.uniques.see(&key);
        let mut connected = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        *connected.entry(key.prefix64()).or_default() += 1;
    }

    pub(super) fn closed(&self, closed: &Closed) {
        self.closed_sent_bytes.fetch_add(closed.traffic.sent_bytes, Relaxed);
        self.closed_received_bytes.fetch_add(closed.traffic.received_bytes, Relaxed);
        let key = Key::of_peer(&closed.peer).prefix64();
        let mut connected = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = connected.get_mut(&key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                connected.remove(&key);
            }
        }
    }

    /// A request of a lookup has ended.
    pub(super) fn sent(&self, kind: LookupKind, rpc: &Rpc) {
        let kind = match kind {
            LookupKind::Closest | LookupKind::Peer => MessageType::FindNode,
            LookupKind::Providers => MessageType::GetProviders,
            LookupKind::Value => MessageType::GetValue,
        };
        let took = rpc.ended.map(|ended| ended.saturating_sub(rpc.asked));
        self.outbound(kind, rpc.sent.is_some(), took.filter(|_| rpc.fate == RpcFate::Answered));
        if rpc.fate == RpcFate::Failed {
            self.asked(kind.into()).failed.fetch_add(1, Relaxed);
        }
    }

    /// A question for a peer itself has ended, answered after this time.
    pub(super) fn tested(&self, took: Option<Duration>) {
        self.outbound(MessageType::FindNode, took.is_some(), took);
        if took.is_none() {
            self.asked(AskedType::FindNode).failed.fetch_add(1, Relaxed);
        }
    }

    fn outbound(&self, kind: MessageType, is_sent: bool, took: Option<Duration>) {
        let counts = self.asked(kind.into());
        counts.sent.fetch_add(is_sent.into(), Relaxed);
        if let Some(took) = took {
            counts.latency.observe_time(took);
        }
    }
}
