//! What others read of the rows that are kept.
//!
//! [`Export`] knows no kind of rows by name: it writes whatever `schema` describes, as JSON or as lines of a table, behind a veil and without
//! those who asked not to be measured. The report on a network knows visits and sessions: [`gathered`] reads what they say of each
//! peer over a [`period`], [`network`] makes numbers of it, each with its interval and what it stands on, and a page of these. Where anything
//! is written is for the program to say.

mod described;
mod export;
pub mod gathered;
mod names;
pub mod network;
pub mod period;
pub mod presence;
mod run;
pub mod stay;
mod values;

pub use described::Described;
pub use export::{Export, RowKind};
pub use names::ExportedPeers;
