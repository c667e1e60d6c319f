//! Who was there over a period: RFM 2's partition of peers, the classes of the weekly report's SQL, and those by the share of time.
//!
//! All of it is pure: stays of one peer in, its class out. Definitions, and where they differ, are in `docs/methodology/presence.md`.

mod partition;
mod share;
mod weekly;

#[cfg(test)]
mod tests;

pub use self::{
    partition::{PresenceClass, partition},
    share::{AvailabilityClass, UpShare},
    weekly::weekly_sql,
};
