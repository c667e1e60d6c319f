//! One operation of a server, a publication or a lookup, with every request that was made for it: what is kept, sent and explained.
//!
//! It is made of what `dht` says ([`Operation::of_publication`], [`Operation::of_found`]) or read back from what another server
//! wrote: everything in it has a bound, since that server may be anybody's. What held it up is found in
//! [`explain`](crate::explain).

mod building;
mod readings;
mod request;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod written;

use std::{fmt, str::FromStr, time::Duration};

use kad::Persistence;
use schema::{ConnectionPolicy, OperationKind, OperationOutcome, Strategy};
use serde::{Deserialize, Serialize};

pub use self::{
    building::OperationTold,
    request::{OperationDial, OperationRequest},
};
use crate::explain::{Culprit, PathPiece};

/// The longest text of an operation, in bytes: of longer ones the beginning is kept.
pub const MAX_TEXT_BYTES: usize = 1024;

/// The most requests of an operation that are kept. A lookup asks a few hundred peers in the worst network, and each of the twenty
/// closest is given a record and asked for it four times.
pub const MAX_REQUESTS: usize = 8192;

/// The most steps of an operation: an indexer's publication has four.
pub const MAX_STEPS: usize = 16;

/// The longest key, in bytes. Servers take no longer ones.
pub const MAX_KEY_BYTES: usize = 80;

/// One operation: what was done, how long it took, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Names it, in every store and for ever.
    pub id: OperationId,
    /// What was to be done.
    pub kind: OperationKind,
    /// What was published or looked for: a multihash.
    #[serde(with = "written")]
    pub key: Vec<u8>,
    /// How.
    pub strategy: Strategy,
    /// Which connections there were when it began.
    pub policy: ConnectionPolicy,
    /// How far it goes to reach all of the closest.
    #[serde(with = "written")]
    pub persistence: Persistence,
    /// When it began, by the server's clock.
    pub began_at: UnixNanos,
    /// How long it took until its caller was told. In nanoseconds, as all times of an operation.
    #[serde(rename = "took_ns", with = "written")]
    pub took: Duration,
    /// What came of it.
    pub outcome: OperationOutcome,
    /// Why it failed; `None` if it did not.
    #[serde(default, with = "written", skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Parts of it that were measured alone, in their order; none where it has no parts.
    #[serde(default, deserialize_with = "written::steps")]
    pub steps: Vec<OperationStep>,
    /// Peers in the server's routing table afterwards.
    pub table_size: u64,
    /// Whether the record was found in the server's own store.
    pub own_record: bool,
    /// Whether it came by a connection to its publisher that was left over.
    pub left_over: bool,
    /// Answers that led to what was found, or to the farthest of the closest peers; `None` if nobody answered.
    pub hops: Option<u32>,
    /// Every request, in the order in which they were decided on.
    #[serde(default, deserialize_with = "written::requests")]
    pub requests: Vec<OperationRequest>,
    /// What became of them, and what they cost.
    pub counts: OperationCounts,
    /// The time of the threads that did it, as far as it was measured: zero if it was not.
    #[serde(rename = "cpu_ns", with = "written")]
    pub cpu: Duration,
    /// When the search for peers was over; `None` if there was none, or if it was not over.
    #[serde(rename = "searched_ns", default, with = "written")]
    pub searched_after: Option<Duration>,
    /// What it waited for, piece by piece: from its beginning to its end, without a gap.
    #[serde(default, deserialize_with = "written::pieces")]
    pub critical_path: Vec<PathPiece>,
    /// Who held it up most; `None` if nobody stands out.
    #[serde(default)]
    pub culprit: Option<Culprit>,
    /// How large the server takes the network to be; `None` if it does not know.
    pub size_estimate: Option<u64>,
}

/// A part of an operation that was measured alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationStep {
    /// What the server calls it.
    #[serde(with = "written")]
    pub step: String,
    /// How long it took.
    #[serde(rename = "took_ns", with = "written")]
    pub took: Duration,
    /// Why it failed; `None` if it did not.
    #[serde(default, with = "written", skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What became of the requests of an operation until its caller was told, and what they cost. Those that read records back are no part of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OperationCounts {
    /// Decided on.
    pub asked: u32,
    /// Ended as they should: with an answer, or, where there is none, without a refusal.
    pub answered: u32,
    /// Failed.
    pub failed: u32,
    /// Answered, and nothing hung on it: nobody was asked, given or found because of it, and it was not what the end waited for.
    pub wasted: u32,
    /// Peers that were dialled.
    pub dials: u32,
    /// Those of them that could not be reached.
    pub failed_dials: u32,
    /// Received, in bytes: answers, and handshakes of dials that came to a connection.
    pub bytes_in: u64,
    /// Sent, in bytes, likewise.
    pub bytes_out: u64,
    /// Peers to which the record was to be given.
    pub holders: u32,
    /// Those of them that were sent it, and did not refuse it.
    pub holders_sent: u32,
}

/// Names an operation: 16 bytes, written as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperationId(pub [u8; 16]);

/// A moment of wall-clock time: nanoseconds since 1970-01-01T00:00:00 UTC, without leap seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixNanos(pub u64);

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&written::to_hex(&self.0))
    }
}

/// What is no id of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an operation is named by 32 hexadecimal digits")]
pub struct BadOperationId;

impl FromStr for OperationId {
    type Err = BadOperationId;

    fn from_str(text: &str) -> Result<Self, BadOperationId> {
        let bytes = written::from_hex(text, 16).ok_or(BadOperationId)?;
        bytes.try_into().map(Self).map_err(|_| BadOperationId)
    }
}

impl Serialize for OperationId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for OperationId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        written::parsed(deserializer)
    }
}
