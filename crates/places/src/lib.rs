//! Where an address is, by files that others publish: in which country and city, in whose network, at which cloud.
//!
//! What stands in an address (an IP that is public or private, a relay's, a name) is said by the address alone ([`Standing`]).
//! [`PlaceDatabase`] reads files in the format of `MaxMind`'s databases, whoever made them; [`Clouds`] knows whose networks and
//! ranges are those of clouds. [`PlaceSources`] is all of them together, with the [version](PlaceSources::version) that they are.
//! Files come in as bytes and names are resolved by others: nothing here does IO.

mod clouds;
mod database;
mod error;
mod sources;
mod standing;

pub use clouds::Clouds;
pub use database::{DatabaseFact, DatabaseInfo, PlaceDatabase};
pub use error::SourceError;
pub use sources::{CloudFile, Place, PlaceSources, SourceList};
pub use standing::Standing;
