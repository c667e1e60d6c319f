//! Publishing and finding with the whole network at hand, as the accelerated client of go-libp2p-kad-dht (`fullrt`, v0.42)
//! does it: the closest peers of a key are known from a crawl, so nobody is asked for them.
//!
//! [`SortedKeys`] knows them, a [`TableFilter`] says whom a table takes in, [`FanOut`] when enough of them have answered or taken what
//! they were given, and [`BulkPlan`] who is given what where there are many keys. Who crawls, and what is sent, is left to whoever has
//! a network.

mod bulk;
mod fan_out;
mod filter;
mod sorted;

pub use self::{
    bulk::{BULK_PATIENCE, BULK_WORKERS, BulkJob, BulkPlan, KeyProgress, chunk_size},
    fan_out::{FanOut, FanOutEnd, FanOutRules, RECALL},
    filter::{GroupTally, TableFilter},
    sorted::{Nearest, SortedKeys},
};
