//! Rows in a PostgreSQL database, which any number of programs on any number of machines write and read at once.
//!
//! What is written goes from the [`appender`] to a [`forwarder`], on a thread of its own: it keeps what waits while the database is
//! away, and has a [`courier`] bring it, a batch a transaction. What is read comes from a [`reader`] on another thread. The layout is
//! made by [`migrate`] from the descriptions of the rows.

mod addresses;
mod appender;
mod backlog;
mod batch;
mod carrier;
mod client;
mod copy;
mod courier;
mod database;
mod desk;
mod dictionary;
mod encode;
mod error;
mod fault;
mod forwarder;
mod history;
mod layout;
mod left;
mod line;
mod login;
mod migrate;
mod months;
mod numbers;
mod once;
mod passfile;
mod prune;
mod read;
mod reader;
mod resolve;
mod runs;
mod scan;
mod spill;
mod text;
mod tls;
mod upkeep;
mod values;
mod views;
mod wire;
mod wire_cell;
mod wire_encounter;

pub(crate) use addresses::AddressReader;
pub(crate) use appender::Appender;
pub(crate) use batch::Load;
pub(crate) use carrier::{Brought, Carrier};
pub(crate) use client::PgClient;
pub(crate) use database::{Database, NeighborReader, RowReader};
pub(crate) use desk::Clerk;
pub(crate) use error::named as named_error;
pub(crate) use fault::{passes, text as error_text};
pub(crate) use forwarder::{Forwarder, Refused};
pub(crate) use left::bring_one;
pub(crate) use line::{Line, OpenLine};
pub(crate) use login::Login;
pub(crate) use migrate::LOCKS;
pub(crate) use passfile::{Wanted, password as password_of};
pub(crate) use scan::ColumnReader;
pub(crate) use spill::Spill;
pub(crate) use text::{each_text, kept, kept_json, read as kept_text_read, read_json};
pub(crate) use values::Moment;
pub(crate) use wire::{In, Out, decode as unspilled, encode as spilled};
