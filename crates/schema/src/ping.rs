//! One address of a peer looked at: whether it can be dialled, who is there, and whether it answers.

use std::time::Duration;

use kad::{Address, failure::Failure};

use crate::{
    Encounter, PeerNumber, RowType, Timestamp,
    cell::{BadCell, Cell, Cells},
    table::{Column, Holds, Table},
};

/// What came of looking at one address of a peer.
#[derive(Debug, Clone, PartialEq)]
pub struct Ping {
    /// Whose address it is.
    pub peer: PeerNumber,
    /// What the contact showed; it has one address.
    pub met: Encounter,
    /// Where the peer sees us; `None` if it did not say.
    pub observed_addr: Option<Address>,
    /// How long a ping of kad took; `None` without an answer.
    pub ping: Option<Duration>,
    /// Why it was not answered; `None` if it was, or if there was no connection.
    pub ping_error: Option<Failure>,
    /// How many peers it named when it was asked for those closest to itself; `None` without an answer.
    pub named: Option<u32>,
    /// Why that was not answered; `None` as above.
    pub request_error: Option<Failure>,
}

impl RowType for Ping {
    const TABLE: Table = Table {
        name: "ping",
        doc: "One address of a peer looked at.",
        has_encounter: true,
        columns: &[
            Column::new("peer", Holds::Subject, "whose address it is"),
            Column::or_none("observed_addr", Holds::Address, "where the peer sees us"),
            Column::or_none("ping_us", Holds::Duration, "how long a ping of kad took"),
            Column::or_none("ping_error", Holds::Failure, "why it was not answered"),
            Column::or_none("named", Holds::Count("peers"), "peers that it named as closest to itself"),
            Column::or_none("request_error", Holds::Failure, "why it named none"),
        ],
    };

    fn encounter(&self) -> Option<&Encounter> {
        Some(&self.met)
    }

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![
            self.peer.into(),
            self.observed_addr.as_ref().into(),
            self.ping.into(),
            self.ping_error.as_ref().into(),
            self.named.into(),
            self.request_error.as_ref().into(),
        ]
    }

    fn read(cells: &mut Cells<'_>, encounter: Option<Encounter>) -> Result<Self, BadCell> {
        Ok(Self {
            peer: cells.take()?,
            met: encounter.unwrap_or(Encounter::begun(Timestamp(0))),
            observed_addr: cells.take()?,
            ping: cells.take()?,
            ping_error: cells.take()?,
            named: cells.take()?,
            request_error: cells.take()?,
        })
    }
}
