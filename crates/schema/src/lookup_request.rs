//! One request of a lookup: a row of its trace.

use std::time::Duration;

use kad::{
    failure::Failure,
    lookup::{LookupKind, Named, Rpc, RpcFate, Trace},
};

use crate::{
    Encounter, PeerNumber, Reveals, RowType, Timestamp,
    cell::{BadCell, Cell, Cells},
    names_of,
    table::{Column, Holds, Table},
};

/// One request of one lookup. Times without a date count from the lookup's start.
#[derive(Debug, Clone, PartialEq)]
pub struct LookupRequest {
    /// Who was asked.
    pub peer: PeerNumber,
    /// What was looked for.
    pub kind: LookupKind,
    /// The key: the bytes of a peer id, a multihash or the key of a record.
    pub key: Vec<u8>,
    /// When the lookup began.
    pub lookup_started_at: Timestamp,
    /// By whom the peer was named; `None` if the lookup began with it.
    pub heard_by: Option<PeerNumber>,
    /// When.
    pub heard_after: Duration,
    /// How many answers led to it: 0 if the lookup began with it.
    pub hop: u8,
    /// How many leading bits its key shares with the target.
    pub common_prefix_len: u32,
    /// When it was decided to ask it.
    pub asked_after: Duration,
    /// When a connection stood and the request left; `None` if that never was.
    pub sent_after: Option<Duration>,
    /// When it was over; `None` if nobody saw its end.
    pub ended_after: Option<Duration>,
    /// What became of it.
    pub fate: RpcFate,
    /// Why it failed; `None` if it did not.
    pub failure: Option<Failure>,
    /// Closer peers in the answer, as far as the lookup took them.
    pub closer: u32,
    /// Those of them with addresses.
    pub closer_with_addresses: u32,
    /// Providers in the answer.
    pub providers: u32,
    /// Those of them with addresses.
    pub providers_with_addresses: u32,
    /// Whether a value that holds was in the answer.
    pub has_value: bool,
}

impl LookupRequest {
    /// The row of a request of a lookup that began then; `peer` is who was asked, `heard_by` who named it.
    pub fn of(
        trace: &Trace,
        rpc: &Rpc,
        (peer, heard_by): (PeerNumber, Option<PeerNumber>),
        lookup_started_at: Timestamp,
    ) -> Self {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let with = |named: &[Named]| count(named.iter().filter(|named| named.has_addresses).count());
        Self {
            peer,
            kind: trace.kind,
            key: trace.preimage.to_vec(),
            lookup_started_at,
            heard_by,
            heard_after: rpc.heard_at,
            hop: rpc.hop,
            common_prefix_len: rpc.common_prefix_len,
            asked_after: rpc.asked,
            sent_after: rpc.sent,
            ended_after: rpc.ended,
            fate: rpc.fate,
            failure: rpc.failure.clone(),
            closer: count(rpc.closer.len()),
            closer_with_addresses: with(&rpc.closer),
            providers: count(rpc.providers.len()),
            providers_with_addresses: with(&rpc.providers),
            has_value: rpc.has_value,
        }
    }
}

impl RowType for LookupRequest {
    const TABLE: Table = Table {
        name: "lookup_request",
        doc: "One request of a lookup, whatever became of it.",
        has_encounter: false,
        columns: &[
            Column::new("peer", Holds::Subject, "who was asked"),
            Column::new("kind", names_of!(LookupKind), "what was looked for"),
            Column::new("key", Holds::Bytes, "the key: a peer id, a multihash or the key of a record")
                .that_says(Reveals::Peer),
            Column::new(
                "lookup_started_at",
                Holds::Time,
                "when the lookup began; the spans below count from it",
            ),
            Column::or_none(
                "heard_by",
                Holds::Peer,
                "who named the peer; absent if the lookup began with it",
            ),
            Column::new("heard_us", Holds::Duration, "when the peer was heard of"),
            Column::new("hop", Holds::Count("answers"), "answers that led to the peer"),
            Column::new(
                "common_prefix_len",
                Holds::Count("bits"),
                "leading bits that its key shares with the target",
            ),
            Column::new("asked_us", Holds::Duration, "when it was decided to ask it"),
            Column::or_none("sent_us", Holds::Duration, "when the request left"),
            Column::or_none("ended_us", Holds::Duration, "when it was over"),
            Column::new("fate", names_of!(RpcFate), "what became of it"),
            Column::or_none("failure", Holds::Failure, "why it failed"),
            Column::new("closer", Holds::Count("peers"), "closer peers in the answer"),
            Column::new("closer_with_addresses", Holds::Count("peers"), "those of them with addresses"),
            Column::new("providers", Holds::Count("peers"), "providers in the answer"),
            Column::new("providers_with_addresses", Holds::Count("peers"), "those of them with addresses"),
            Column::new("has_value", Holds::Flag, "whether a value that holds was in the answer"),
        ],
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![
            self.peer.into(),
            self.kind.name().into(),
            self.key.as_slice().into(),
            self.lookup_started_at.into(),
            self.heard_by.into(),
            self.heard_after.into(),
            self.hop.into(),
            self.common_prefix_len.into(),
            self.asked_after.into(),
            self.sent_after.into(),
            self.ended_after.into(),
            self.fate.name().into(),
            self.failure.as_ref().into(),
            self.closer.into(),
            self.closer_with_addresses.into(),
            self.providers.into(),
            self.providers_with_addresses.into(),
            self.has_value.into(),
        ]
    }

    fn read(cells: &mut Cells<'_>, _: Option<Encounter>) -> Result<Self, BadCell> {
        Ok(Self {
            peer: cells.take()?,
            kind: cells.name(LookupKind::from_name)?,
            key: cells.take()?,
            lookup_started_at: cells.take()?,
            heard_by: cells.take()?,
            heard_after: cells.take()?,
            hop: cells.take()?,
            common_prefix_len: cells.take()?,
            asked_after: cells.take()?,
            sent_after: cells.take()?,
            ended_after: cells.take()?,
            fate: cells.name(RpcFate::from_name)?,
            failure: cells.take()?,
            closer: cells.take()?,
            closer_with_addresses: cells.take()?,
            providers: cells.take()?,
            providers_with_addresses: cells.take()?,
            has_value: cells.take()?,
        })
    }
}
