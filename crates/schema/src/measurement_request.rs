//! One request of an operation that was measured: a row of its trace.

use std::time::Duration;

use kad::{failure::Failure, lookup::RpcFate, network::Transport};

use crate::{
    Encounter, PeerNumber, RequestPurpose, Reveals, RowType, Timestamp,
    cell::{BadCell, Cell, Cells},
    names_of,
    table::{Column, Holds, Table},
};

/// One request of one operation, whatever became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasurementRequest {
    /// Who was asked.
    pub peer: PeerNumber,
    /// The attempt that it belongs to.
    pub attempt: [u8; 16],
    /// What it was for.
    pub purpose: RequestPurpose,
    /// When the operation began, by the clock of the server: all spans below count from it.
    pub began_at: Timestamp,
    /// What the peer calls its program; `None` if it did not say.
    pub agent: Option<String>,
    /// By whom the peer was named; `None` if the operation began with it.
    pub heard_by: Option<PeerNumber>,
    /// Answers that led to the peer.
    pub hop: u32,
    /// Leading bits that its key shares with the target.
    pub common_prefix_len: u32,
    /// When the peer was heard of.
    pub heard_after: Duration,
    /// When it was decided to ask it.
    pub asked_after: Duration,
    /// Whether the search was over then: it is one of the follow-up.
    pub is_follow_up: bool,
    /// When it was dialled; `None` if a connection stood, or if it never was.
    pub dial_began_after: Option<Duration>,
    /// When there was a connection, or none to be had.
    pub dial_ended_after: Option<Duration>,
    /// The transport of the connection; `None` if there was none, or if nobody knows.
    pub transport: Option<Transport>,
    /// When the request left; `None` if it never did.
    pub sent_after: Option<Duration>,
    /// When it was over; `None` if nobody saw its end.
    pub ended_after: Option<Duration>,
    /// What became of it.
    pub fate: RpcFate,
    /// Why it failed; `None` if it did not.
    pub failure: Option<Failure>,
    /// Closer peers in the answer.
    pub closer: u32,
    /// Providers in the answer.
    pub providers: u32,
    /// Whether the operation waited for it: it lies on the critical path.
    pub is_critical: bool,
    /// Of a reading back: how long after the publication it was to be made.
    pub read_back_after: Option<Duration>,
    /// Of a reading back: whether the peer says that it has the record; `None` if it did not say.
    pub has_record: Option<bool>,
}

impl MeasurementRequest {
    /// A request of which nothing is known yet but whom it is to go to, and what for.
    pub fn begun(peer: PeerNumber, attempt: [u8; 16], purpose: RequestPurpose, began_at: Timestamp) -> Self {
        Self {
            peer,
            attempt,
            purpose,
            began_at,
            agent: None,
            heard_by: None,
            hop: 0,
            common_prefix_len: 0,
            heard_after: Duration::ZERO,
            asked_after: Duration::ZERO,
            is_follow_up: false,
            dial_began_after: None,
            dial_ended_after: None,
            transport: None,
            sent_after: None,
            ended_after: None,
            fate: RpcFate::Open,
            failure: None,
            closer: 0,
            providers: 0,
            is_critical: false,
            read_back_after: None,
            has_record: None,
        }
    }
}

impl RowType for MeasurementRequest {
    const TABLE: Table = Table {
        name: "measurement_request",
        doc: "One request of an operation that was measured, whatever became of it.",
        has_encounter: false,
        columns: &[
            Column::new("peer", Holds::Subject, "who was asked"),
            Column::new("attempt", Holds::Bytes, "the attempt that it belongs to: that of a measurement")
                .that_says(Reveals::Nothing),
            Column::new("purpose", names_of!(RequestPurpose), "what it was for"),
            Column::new(
                "began_at",
                Holds::Time,
                "when the operation began, by the clock of the server; the spans below count from it",
            ),
            Column::or_none("agent", Holds::Text, "what the peer calls its program")
                .that_says(Reveals::Program),
            Column::or_none(
                "heard_by",
                Holds::Peer,
                "who named the peer; absent if the operation began with it",
            ),
            Column::new("hop", Holds::Count("answers"), "answers that led to the peer"),
            Column::new(
                "common_prefix_len",
                Holds::Count("bits"),
                "leading bits that its key shares with the target",
            ),
            Column::new("heard_us", Holds::Duration, "when the peer was heard of"),
            Column::new("asked_us", Holds::Duration, "when it was decided to ask it"),
            Column::new("is_follow_up", Holds::Flag, "whether the search was over then"),
            Column::or_none(
                "dial_began_us",
                Holds::Duration,
                "when it was dialled; absent if a connection stood, or if it never was",
            ),
            Column::or_none(
                "dial_ended_us",
                Holds::Duration,
                "when there was a connection, or none to be had",
            ),
            Column::or_none("transport", names_of!(Transport), "the transport of the connection"),
            Column::or_none("sent_us", Holds::Duration, "when the request left; absent if it never did"),
            Column::or_none("ended_us", Holds::Duration, "when it was over; absent if nobody saw its end"),
            Column::new("fate", names_of!(RpcFate), "what became of it"),
            Column::or_none("failure", Holds::Failure, "why it failed"),
            Column::new("closer", Holds::Count("peers"), "closer peers in the answer"),
            Column::new("providers", Holds::Count("peers"), "providers in the answer"),
            Column::new("is_critical", Holds::Flag, "whether the operation waited for it"),
            Column::or_none(
                "read_back_us",
                Holds::Duration,
                "of a reading back: how long after the publication it was to be made",
            ),
            Column::or_none(
                "has_record",
                Holds::Flag,
                "of a reading back: whether the peer says that it has the record; absent if it did not say",
            ),
        ],
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![
            self.peer.into(),
            self.attempt.as_slice().into(),
            self.purpose.name().into(),
            self.began_at.into(),
            self.agent.as_deref().map(Cell::text).into(),
            self.heard_by.into(),
            self.hop.into(),
            self.common_prefix_len.into(),
            self.heard_after.into(),
            self.asked_after.into(),
            self.is_follow_up.into(),
            self.dial_began_after.into(),
            self.dial_ended_after.into(),
            self.transport.map(Transport::name).into(),
            self.sent_after.into(),
            self.ended_after.into(),
            self.fate.name().into(),
            self.failure.as_ref().into(),
            self.closer.into(),
            self.providers.into(),
            self.is_critical.into(),
            self.read_back_after.into(),
            self.has_record.into(),
        ]
    }

    fn read(cells: &mut Cells<'_>, _: Option<Encounter>) -> Result<Self, BadCell> {
        Ok(Self {
            peer: cells.take()?,
            attempt: cells.take()?,
            purpose: cells.name(RequestPurpose::from_name)?,
            began_at: cells.take()?,
            agent: cells.take()?,
            heard_by: cells.take()?,
            hop: cells.take()?,
            common_prefix_len: cells.take()?,
            heard_after: cells.take()?,
            asked_after: cells.take()?,
            is_follow_up: cells.take()?,
            dial_began_after: cells.take()?,
            dial_ended_after: cells.take()?,
            transport: cells.name_or_none(Transport::from_name)?,
            sent_after: cells.take()?,
            ended_after: cells.take()?,
            fate: cells.name(RpcFate::from_name)?,
            failure: cells.take()?,
            closer: cells.take()?,
            providers: cells.take()?,
            is_critical: cells.take()?,
            read_back_after: cells.take()?,
            has_record: cells.take()?,
        })
    }
}
