//! One walk of a random-walk crawl: a lookup of a key at random.

use std::time::Duration;

use kad::lookup::Termination;

use crate::{
    Encounter, PeerNumber, Reveals, RowType, Timestamp,
    cell::{BadCell, Cell, Cells},
    names_of,
    table::{Column, Holds, List, Table},
};

/// One walk. Each of its nearest peers is visited once in the run.
#[derive(Debug, Clone, PartialEq)]
pub struct CrawlWalk {
    /// The key: the bytes of a peer id that was drawn and that nobody has.
    pub key: Vec<u8>,
    /// When the lookup began.
    pub began_at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// Why its search ended.
    pub ending: Termination,
    /// Requests that it decided to make.
    pub asked: u32,
    /// Those of them that were answered.
    pub answered: u32,
    /// Dials that it made, whatever came of them: a request over a connection that stands needs none.
    pub dialled: u32,
    /// The k closest that were heard of, whether they answered or not. Kept as a set, as the next.
    pub nearest: Vec<PeerNumber>,
    /// The k closest that answered.
    pub closest: Vec<PeerNumber>,
}

impl RowType for CrawlWalk {
    const TABLE: Table = Table {
        name: "crawl_walk",
        doc: "One walk of a random-walk crawl: a lookup of a key at random, whose nearest peers are visited.",
        has_encounter: false,
        columns: &[
            Column::new("key", Holds::Bytes, "the key: a peer id that was drawn, and that nobody has")
                .that_says(Reveals::Nothing),
            Column::new("began_at", Holds::Time, "when the lookup began"),
            Column::new("took_us", Holds::Duration, "how long it took"),
            Column::new("ending", names_of!(Termination), "why its search ended"),
            Column::new("asked", Holds::Count("requests"), "requests that it decided to make"),
            Column::new("answered", Holds::Count("requests"), "those of them that were answered"),
            Column::new("dialled", Holds::Count("dials"), "dials that it made, whatever came of them"),
            Column::new(
                "nearest_peers",
                Holds::List(List::Peers),
                "the 20 closest that were heard of, whether they answered or not",
            ),
            Column::new("closest_peers", Holds::List(List::Peers), "the 20 closest that answered"),
        ],
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![
            self.key.as_slice().into(),
            self.began_at.into(),
            self.took.into(),
            self.ending.name().into(),
            self.asked.into(),
            self.answered.into(),
            self.dialled.into(),
            self.nearest.as_slice().into(),
            self.closest.as_slice().into(),
        ]
    }

    fn read(cells: &mut Cells<'_>, _: Option<Encounter>) -> Result<Self, BadCell> {
        Ok(Self {
            key: cells.take()?,
            began_at: cells.take()?,
            took: cells.take()?,
            ending: cells.name(Termination::from_name)?,
            asked: cells.take()?,
            answered: cells.take()?,
            dialled: cells.take()?,
            nearest: cells.take()?,
            closest: cells.take()?,
        })
    }
}
