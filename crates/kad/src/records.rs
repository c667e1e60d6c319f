//! What DHT servers keep for others: who provides a key, and values. In memory, with a lifetime and a bound on
//! everything, without IO and without a clock.
//!
//! One store serves any number of servers, told apart by a number of the caller's choice: what one of them was not
//! given it does not have. A store that holds nothing takes no memory. Times are given as the time since the Unix
//! epoch, and do not go backwards.
//!
//! What exceeds a bound is dropped, **the oldest first**, rather than refused: whoever means it announces a record again
//! within its lifetime, so the oldest is the one whose announcer is most likely gone, while a full store that refused
//! would stay with those who came first for two days. A sender of `ADD_PROVIDER` would not even learn of a refusal.
//!
//! Whether something may be kept at all is decided before, by [`answer`](crate::answer); which of two values stays, by
//! [`values`](crate::values).

mod providers;
mod shelf;
mod values;

use std::time::Duration;

pub use self::{
    providers::{Provided, Providers},
    values::{Values, kept_record, received_at},
};

/// How long a provider record is kept (go-libp2p-kad-dht, `amino.DefaultProvideValidity`; libp2p specification,
/// `kad-dht/README.md`, "Content provider advertisement").
pub const PROVIDE_VALIDITY: Duration = Duration::from_secs(48 * 3600);

/// How long the addresses of a provider are given out, counted from its record; after that only its id is
/// (go-libp2p-kad-dht, `amino.DefaultProviderAddrTTL`).
pub const PROVIDER_ADDRESS_LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// How long a value is kept (go-libp2p-kad-dht, `amino.DefaultMaxRecordAge`).
pub const MAX_VALUE_AGE: Duration = Duration::from_secs(48 * 3600);

/// The bounds of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordLimits {
    /// How many records one server keeps.
    pub per_server: usize,
    /// How many providers of one key one server keeps. Values have one record a key always.
    pub per_key: usize,
    /// How much all servers keep together, in bytes of memory, estimated from above.
    pub total_bytes: usize,
}

impl RecordLimits {
    /// Bounds for provider records, of our own choice: servers of the field have none. A program that provides 50,000
    /// keys in a network of 100 servers gives 10,000 to each.
    pub const PROVIDERS: Self = Self { per_server: 16_384, per_key: 1024, total_bytes: 256 << 20 };

    /// Bounds for values. 1,024 a server is the default of rust-libp2p's store (`MemoryStoreConfig::max_records`).
    pub const VALUES: Self = Self { per_server: 1024, per_key: 1, total_bytes: 64 << 20 };
}
