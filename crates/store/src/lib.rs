//! Where rows are kept: one boundary over the backends, of which any number of processes may read and write one at once.
//!
//! [`Store`] opens a store and reads it as typed rows; [`Writer`] appends the rows of one run as they come, in batches,
//! on a thread of its own. What is read back equals what was written, with durations cut to whole microseconds.
//! [`Register`] is who measures, in the same place. No type of a driver leaves the module of its backend. The layout of an SQLite file is `migrations/*.sql`, which also says
//! how to read it with nothing but SQL.
//!
//! ```no_run
//! # use kadscope_store as store;
//! # async fn example(start: schema::RunStart, end: schema::RunEnd) -> Result<(), store::Error> {
//! let url: store::StoreUrl = "sqlite:crawls.sqlite".parse()?;
//! if let Some(store) = store::Store::open(&url)? {
//!     let writer = store.begin_run(&start)?;
//!     let rows = writer.sender(); // the tool sends its rows here
//!     drop(rows);
//!     let totals = writer.finish(end).await?;
//!     println!("{} visits", totals.visits);
//! }
//! # Ok(()) }
//! ```

mod addresses;
pub mod belly;
mod cache;
mod copy;
pub mod decoders;
mod error;
mod limits;
mod number_set;
mod peer_history;
mod peers;
#[cfg(feature = "postgres")]
mod postgres;
mod register;
mod rows;
mod runs;
mod scan;
mod sqlite;
mod store;
mod url;
mod writer;

pub use addresses::StoredAddresses;
pub use belly::{
    Belly, BellyBacklog, BellyConfig, BellyError, BellyUrl, Kept, LATENCY_BOUNDS_US, Latencies,
    ListedProvider, NewProvider, ProvidersHeld, ReadFailure, Reading, RecordCounts, RecordCursor, RecordPage,
    WriteShed,
};
pub use error::Error;
pub use limits::Limits;
pub use peer_history::{KnownRows, PeerHistory};
pub use peers::Peers;
pub use register::{
    HEARTBEAT_PATIENCE, LeaseOutcome, ParsecKind, ParsecRow, Register, RegisterConfig, RegisteredServer,
    SchedulerEntry, SchedulerId, ServerEntry, ServerId, ServerState,
};
pub use rows::{Neighbors, Rows, TableRows};
pub use runs::{Pruned, RunFilter, RunInfo, Totals};
pub use scan::{ColumnBatch, ColumnValues, Scan, Scanned, StorePeer};
pub use store::Store;
pub use url::{PgVariables, PostgresUrl, StoreUrl};
pub use writer::Writer;
