//! The rows of a run on their way to a store: peers as they are heard of, and whatever else is described.

use kad::PeerId;

use crate::{
    AddressPlace, ClockStep, CrawlWalk, Encounter, HoardDial, HoardHolder, HoardKey, HoardProvider,
    HoardPublisher, HoardRound, HoardSight, HoardWalk, LookupRequest, Measurement, MeasurementRequest,
    ObserverGap, PeerDay, PeerInDegree, PeerSession, Ping, RecordHolder, Visit,
    cell::{BadCell, Cell, Cells},
    table::Table,
};

/// Numbers the peers of one run, in the order in which they were first heard of, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerNumber(pub u32);

/// A type of rows: what it is like, and how it comes apart and together.
pub trait RowType: Sized {
    /// Its description.
    const TABLE: Table;

    /// The encounter that it begins with; `None` for a type whose table has none.
    fn encounter(&self) -> Option<&Encounter> {
        None
    }

    /// The values of its own columns, in their order.
    fn cells(&self) -> Vec<Cell<'_>>;

    /// The row of these values. Whoever reads a table with encounters gives one with each row.
    fn read(cells: &mut Cells<'_>, encounter: Option<Encounter>) -> Result<Self, BadCell>;
}

/// Lists the types of rows: an enum of all of them, and what can be asked of any.
macro_rules! row_types {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// One row on its way to a store. A number is always introduced by a `Peer` row before another row uses it.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Row {
            /// A peer was heard of for the first time in this run.
            Peer(PeerNumber, PeerId),
            $($(#[$doc])* $name(Box<$name>),)+
        }

        /// Every table, in the order in which they are shown.
        pub const TABLES: &[Table] = &[$($name::TABLE),+];

        impl Row {
            /// The table in which it is kept; `None` for a peer, which is kept once for all runs.
            pub const fn table(&self) -> Option<&'static Table> {
                match self {
                    Self::Peer(..) => None,
                    $(Self::$name(_) => Some(&$name::TABLE),)+
                }
            }

            /// The encounter that it begins with; `None` if it has none.
            pub fn encounter(&self) -> Option<&Encounter> {
                match self {
                    Self::Peer(..) => None,
                    $(Self::$name(row) => row.encounter(),)+
                }
            }

            /// The row of these values in a table; `None` if no type of rows is kept there.
            pub fn read(
                table: &Table,
                cells: &mut Cells<'_>,
                encounter: Option<Encounter>,
            ) -> Option<Result<Self, BadCell>> {
                match table.name {
                    $(name if name == $name::TABLE.name => Some($name::read(cells, encounter).map(Into::into)),)+
                    _ => None,
                }
            }

            /// The values of its own columns, in their order.
            pub fn cells(&self) -> Vec<Cell<'_>> {
                match self {
                    Self::Peer(..) => Vec::new(),
                    $(Self::$name(row) => row.cells(),)+
                }
            }
        }

        $(impl From<$name> for Row {
            fn from(row: $name) -> Self {
                Self::$name(Box::new(row))
            }
        })+
    };
}

row_types! {
    /// A peer was visited.
    Visit,
    /// One address of a peer was looked at.
    Ping,
    /// A lookup asked a peer.
    LookupRequest,
    /// A peer was given a provider record.
    RecordHolder,
    /// What a crawl heard of a peer was counted.
    PeerInDegree,
    /// The wall clock was set.
    ClockStep,
    /// A server was told to publish or to look up.
    Measurement,
    /// What it was told made a server ask a peer.
    MeasurementRequest,
    /// A key of a study was published.
    HoardKey,
    /// A publisher of a study left.
    HoardPublisher,
    /// A peer was to hold the record of a key.
    HoardHolder,
    /// A round saw a holder.
    HoardSight,
    /// A round of a key was over.
    HoardRound,
    /// A lookup of a round was over.
    HoardWalk,
    /// An answer in a lookup of a study named a provider.
    HoardProvider,
    /// A round of a study dialled a provider.
    HoardDial,
    /// A session began, or was over.
    PeerSession,
    /// A day of a peer was over.
    PeerDay,
    /// A monitor saw nothing for a while.
    ObserverGap,
    /// An address was looked up in databases.
    AddressPlace,
    /// A walk of a crawl was over.
    CrawlWalk,
}
