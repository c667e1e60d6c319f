//! In how many of the routing tables that a crawl read a peer stands, and when it was first heard of.

use crate::{
    Encounter, PeerNumber, RowType,
    cell::{BadCell, Cell, Cells},
    table::{Column, Holds, Table},
};

/// What a crawl heard of a peer, counted when it ended. Of a crawl that kept neighbors it can be counted from these, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerInDegree {
    /// Who was heard of.
    pub named: PeerNumber,
    /// In how many of the tables read it stands, at most 65,535.
    pub tables: u16,
    /// How many tables had been read before it was heard of.
    pub heard_after: u32,
    /// Whether the user named it, so that it was known before the first table.
    pub given: bool,
}

impl RowType for PeerInDegree {
    const TABLE: Table = Table {
        name: "in_degree",
        doc: "In how many of the routing tables that a crawl read a peer stands, counted when the crawl ended.",
        has_encounter: false,
        columns: &[
            Column::new("named", Holds::Peer, "who was heard of"),
            Column::new("tables", Holds::Count("tables"), "the tables in which it stands, at most 65,535"),
            Column::new("heard_after", Holds::Count("tables"), "the tables read before it was heard of"),
            Column::new("given", Holds::Flag, "whether the user named it, before the first table"),
        ],
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![self.named.into(), self.tables.into(), self.heard_after.into(), self.given.into()]
    }

    fn read(cells: &mut Cells<'_>, _: Option<Encounter>) -> Result<Self, BadCell> {
        Ok(Self {
            named: cells.take()?,
            tables: cells.take()?,
            heard_after: cells.take()?,
            given: cells.take()?,
        })
    }
}
