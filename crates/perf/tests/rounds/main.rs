//! A scheduler over servers that answer, fail and hang as they are told, in virtual time: what must hold whatever becomes of a server, a
//! register or another scheduler.

#![expect(clippy::unwrap_used, reason = "a test ends at the first error")]

mod arrivals;
mod findable;
mod leases;
mod manners;
mod outages;
mod unwell;
mod world;
