//! One request of an operation, and how it went. Times count from the beginning of the operation.

use std::time::Duration;

use kad::{
    PeerId,
    failure::Failure,
    lookup::RpcFate,
    network::{Security, Transport},
};
use schema::RequestPurpose;
use serde::{Deserialize, Serialize};

use super::written;

/// One request, whatever became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OperationRequest {
    /// What it was for.
    pub purpose: RequestPurpose,
    /// Whom it went to.
    #[serde(with = "written")]
    pub peer: PeerId,
    /// What the peer calls its program; `None` if nobody knows.
    #[serde(default, with = "written", skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Who named the peer; `None` if the operation began with it.
    #[serde(default, with = "written", skip_serializing_if = "Option::is_none")]
    pub heard_by: Option<PeerId>,
    /// Answers that led to the peer.
    pub hop: u32,
    /// Leading bits that its key shares with the target.
    pub common_prefix_len: u32,
    /// When the peer was heard of.
    #[serde(rename = "heard_ns", with = "written")]
    pub heard_after: Duration,
    /// When it was decided to ask it.
    #[serde(rename = "asked_ns", with = "written")]
    pub asked_after: Duration,
    /// Whether the search was over then: it is one of the follow-up, or of what comes after.
    #[serde(default)]
    pub is_follow_up: bool,
    /// The dial that was made for it; `None` if a connection stood, if it was dialled for another, or if it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dial: Option<OperationDial>,
    /// When there was a connection and it left; `None` if it never did.
    #[serde(rename = "sent_ns", default, with = "written")]
    pub sent_after: Option<Duration>,
    /// When it was over; `None` if nobody saw its end.
    #[serde(rename = "ended_ns", default, with = "written")]
    pub ended_after: Option<Duration>,
    /// What became of it.
    #[serde(with = "written")]
    pub fate: RpcFate,
    /// Why it failed; `None` if it did not.
    #[serde(default, with = "written", skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Closer peers in the answer.
    #[serde(default)]
    pub closer: u32,
    /// Providers in the answer.
    #[serde(default)]
    pub providers: u32,
    /// Received for it, in bytes.
    #[serde(default)]
    pub bytes_in: u64,
    /// Sent for it, in bytes.
    #[serde(default)]
    pub bytes_out: u64,
    /// Whether the operation waited for it: it lies on the critical path.
    #[serde(default)]
    pub is_critical: bool,
    /// Of a reading back: how long after the publication it was to be made.
    #[serde(rename = "read_back_ns", default, with = "written")]
    pub read_back_after: Option<Duration>,
    /// Of a reading back: whether the peer says that it has the record; `None` if it did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_record: Option<bool>,
}

/// A dial that was made for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationDial {
    /// When it began: the wait for a place among the connections was over.
    #[serde(rename = "began_ns", with = "written")]
    pub began_after: Duration,
    /// When there was a connection, or it was known that there would be none.
    #[serde(rename = "ended_ns", with = "written")]
    pub ended_after: Duration,
    /// The transport; `None` if there was no connection.
    #[serde(default, with = "written", skip_serializing_if = "Option::is_none")]
    pub transport: Option<Transport>,
    /// What authenticates the peer; `None` if there was no connection.
    #[serde(default, with = "written", skip_serializing_if = "Option::is_none")]
    pub security: Option<Security>,
    /// The round trip to the peer, as far as one was seen by then: what the dial took beyond a few of them went into its handshake.
    #[serde(rename = "round_trip_ns", default, with = "written")]
    pub round_trip: Option<Duration>,
}

impl OperationRequest {
    /// Whether it ended as it should: with an answer, or, where there is none, without a refusal.
    pub fn is_answered(&self) -> bool {
        matches!(self.fate, RpcFate::Answered | RpcFate::Unconfirmed)
    }

    /// Whether the record was given by it.
    pub fn is_gift(&self) -> bool {
        self.purpose == RequestPurpose::Give
    }

    /// Whether it left, and nobody refused it so far: all that a publisher by Go's rules waits for.
    pub const fn has_left(&self) -> bool {
        self.sent_after.is_some() && self.failure.is_none()
    }

    /// How long it took from when it was decided on; `None` if nobody saw its end.
    pub fn took(&self) -> Option<Duration> {
        Some(self.ended_after?.saturating_sub(self.asked_after))
    }
}
