//! What others read of the rows that are kept: every kind by its description, behind a veil, without those who asked not to be
//! measured.
//!
//! Nothing here knows a kind of rows by name: [`Export`] writes whatever `schema` describes, as JSON or as lines of a table.
//! Where it is written is for the program to say.

mod described;
mod export;
mod names;
mod run;
mod values;

pub use described::Described;
pub use export::{Export, RowKind};
pub use names::ExportedPeers;
