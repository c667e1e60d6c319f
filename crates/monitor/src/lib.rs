//! Visits known peers again and again, to see when they are up.
//!
//! What a visit says of a peer ([`evidence`](mod@evidence)), what sessions follow from visits ([`session`]), and when a peer is visited next
//! ([`schedule`]) are decided here without IO and without a clock. A [`Prober`] makes the visits that a schedule asks for, and
//! [`running`] puts them together. How a peer is asked is `dht`'s, how everybody is found is `crawl`'s, where rows are kept is left
//! to `store`; only the program prints.

pub mod days;
pub mod due;
pub mod evidence;
pub mod gap;
mod known;
pub mod lengths;
pub mod nebula;
mod probing;
pub mod recompute;
pub mod running;
pub mod schedule;
pub mod session;
pub mod watching;

pub use evidence::{PeerLook, UptimeEvidence, evidence};
pub use probing::{LookTerms, Prober};
pub use session::{PeerUptime, SessionChange, SessionRules};
