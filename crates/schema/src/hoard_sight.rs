//! What one round of a key saw of one of its holders.

use std::time::Duration;

use kad::{Address, failure::Failure, network::Transport};

use crate::{
    Encounter, HolderAnswer, PeerNumber, Reveals, RowType, Whereabouts,
    cell::{BadCell, Cell, Cells},
    names_of,
    table::{Column, Holds, List, Table},
};

/// One holder of one key as it was met in one round. The readings back are sights of round 0.
#[derive(Debug, Clone, PartialEq)]
pub struct HoardSight {
    /// The holder.
    pub peer: PeerNumber,
    /// What is provided: a multihash.
    pub key: Vec<u8>,
    /// The arm of the study, by its number in the plan, from 0.
    pub arm: u16,
    /// The round of the key: 0 is the publication with its readings back.
    pub round: u32,
    /// When it was to be looked at, from the beginning of the publication.
    pub planned_after: Duration,
    /// When it was looked at, likewise.
    pub after: Duration,
    /// Where it was, beside where it was when it was chosen.
    pub whereabouts: Whereabouts,
    /// Why it was not connected to at its first addresses; `None` if it was, or if it was not dialled there.
    pub first_dial_error: Option<Failure>,
    /// How long that dial took; `None` if there was none.
    pub first_dial_took: Option<Duration>,
    /// Why it was not connected to at its current addresses; `None` if it was, or if it was not dialled there.
    pub current_dial_error: Option<Failure>,
    /// How long that dial took; `None` if there was none: they are the first ones, or were not needed.
    pub current_dial_took: Option<Duration>,
    /// Where others say that it is; empty if that is where it was first, or if nobody says.
    pub current_addresses: Vec<Address>,
    /// The transport of the connection over which it was asked; `None` without one.
    pub transport: Option<Transport>,
    /// The shortest round trip of it; `None` if none was seen.
    pub round_trip: Option<Duration>,
    /// What it calls its program now; `None` if it did not say.
    pub agent: Option<String>,
    /// What it says of the record.
    pub answer: HolderAnswer,
    /// Why it did not say; `None` if it did.
    pub answer_error: Option<Failure>,
    /// How long it was waited for after it was asked; `None` if it was not asked.
    pub answer_took: Option<Duration>,
    /// Addresses of the provider in the answer.
    pub provider_addresses: u16,
    /// Other providers in the answer.
    pub other_providers: u16,
    /// Closer peers in the answer.
    pub closer: u16,
    /// Dials of it in the round.
    pub attempts: u8,
}

impl RowType for HoardSight {
    const TABLE: Table = Table {
        name: "hoard_sight",
        doc: "What one round saw of one holder.",
        has_encounter: false,
        columns: &[
            Column::new("peer", Holds::Subject, "the holder"),
            Column::new("key", Holds::Bytes, "the key: a multihash").that_says(Reveals::Peer),
            Column::new("arm", Holds::Count("arm"), "the number of the arm in the plan"),
            Column::new(
                "round",
                Holds::Count("round"),
                "the round of the key; 0 is the publication with its readings back",
            ),
            Column::new(
                "planned_us",
                Holds::Duration,
                "when it was to be looked at, from the beginning of the publication",
            ),
            Column::new("after_us", Holds::Duration, "when it was looked at, likewise"),
            Column::new(
                "whereabouts",
                names_of!(Whereabouts),
                "where it was, beside where it was when it was chosen",
            ),
            Column::or_none(
                "first_dial_error",
                Holds::Failure,
                "why it was not connected to at its first addresses",
            ),
            Column::or_none(
                "first_dial_us",
                Holds::Duration,
                "how long that dial took; absent if there was none",
            ),
            Column::or_none(
                "current_dial_error",
                Holds::Failure,
                "why it was not connected to at its current addresses",
            ),
            Column::or_none(
                "current_dial_us",
                Holds::Duration,
                "how long that dial took; absent if there was none: they are the first, or were not needed",
            ),
            Column::new(
                "current_addresses",
                Holds::List(List::Addresses),
                "where others say that it is, where that is not where it was first",
            ),
            Column::or_none(
                "transport",
                names_of!(Transport),
                "the transport of the connection over which it was asked",
            ),
            Column::or_none("round_trip_us", Holds::Duration, "the shortest round trip of it"),
            Column::or_none("agent", Holds::Text, "what it calls its program now; absent if it did not say")
                .that_says(Reveals::Program),
            Column::new("answer", names_of!(HolderAnswer), "what it says of the record"),
            Column::or_none("answer_error", Holds::Failure, "why it did not say"),
            Column::or_none(
                "answer_us",
                Holds::Duration,
                "how long it was waited for after it was asked; absent if it was not",
            ),
            Column::new(
                "provider_addresses",
                Holds::Count("addresses"),
                "addresses of the provider in the answer",
            ),
            Column::new("other_providers", Holds::Count("peers"), "other providers in the answer"),
            Column::new("closer", Holds::Count("peers"), "closer peers in the answer"),
            Column::new("attempts", Holds::Count("dials"), "dials of it in the round"),
        ],
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![
            self.peer.into(),
            self.key.as_slice().into(),
            self.arm.into(),
            self.round.into(),
            self.planned_after.into(),
            self.after.into(),
            self.whereabouts.name().into(),
            self.first_dial_error.as_ref().into(),
            self.first_dial_took.into(),
            self.current_dial_error.as_ref().into(),
            self.current_dial_took.into(),
            self.current_addresses.as_slice().into(),
            self.transport.map(Transport::name).into(),
            self.round_trip.into(),
            self.agent.as_deref().map(Cell::text).into(),
            self.answer.name().into(),
            self.answer_error.as_ref().into(),
            self.answer_took.into(),
            self.provider_addresses.into(),
            self.other_providers.into(),
            self.closer.into(),
            self.attempts.into(),
        ]
    }

    fn read(cells: &mut Cells<'_>, _: Option<Encounter>) -> Result<Self, BadCell> {
        Ok(Self {
            peer: cells.take()?,
            key: cells.take()?,
            arm: cells.take()?,
            round: cells.take()?,
            planned_after: cells.take()?,
            after: cells.take()?,
            whereabouts: cells.name(Whereabouts::from_name)?,
            first_dial_error: cells.take()?,
            first_dial_took: cells.take()?,
            current_dial_error: cells.take()?,
            current_dial_took: cells.take()?,
            current_addresses: cells.take()?,
            transport: cells.name_or_none(Transport::from_name)?,
            round_trip: cells.take()?,
            agent: cells.take()?,
            answer: cells.name(HolderAnswer::from_name)?,
            answer_error: cells.take()?,
            answer_took: cells.take()?,
            provider_addresses: cells.take()?,
            other_providers: cells.take()?,
            closer: cells.take()?,
            attempts: cells.take()?,
        })
    }
}
