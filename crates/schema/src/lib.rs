//! The rows that are kept, and nothing of where they are kept.
//!
//! A *run* groups rows and says how they were made ([`run`]); a *visit* is one attempt to reach one peer and to read
//! its routing table ([`visit`]). Rows are append-only: what can be computed from them is computed from them.

pub mod nat;
pub mod run;
pub mod time;
pub mod visit;

pub use nat::NatClass;
pub use run::{CrawlEnd, CrawlId, CrawlStart, RunState};
pub use time::Timestamp;
pub use visit::{
    AddressVisit, ConnectionInfo, FurtherRequests, PeerNumber, PrefixOutcome, Row, Visit, VisitKind,
};
