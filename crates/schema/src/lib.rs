//! The rows that are kept, and nothing of where they are kept.
//!
//! A *run* groups rows and says how they were made ([`run`]); a *visit* is one attempt to reach one peer and to read
//! its routing table ([`visit`]). What every contact with a peer shows is one part that several kinds of rows share
//! ([`encounter`]). Each kind is described once, as data ([`table`]); what is said of it to others is said at a level of
//! [`privacy`]. Rows are append-only: what can be computed from them
//! is computed from them.

mod address_place;
pub mod cell;
mod clock_step;
mod crawl_walk;
pub mod encounter;
pub mod flat;
mod hoard_dial;
mod hoard_holder;
mod hoard_key;
mod hoard_provider;
mod hoard_publisher;
mod hoard_round;
mod hoard_sight;
mod hoard_walk;
mod hoarding;
mod lookup_request;
mod measurement;
mod measurement_request;
pub mod nat;
mod observer_gap;
mod operation;
mod peer_day;
mod peer_in_degree;
mod peer_session;
mod ping;
pub mod privacy;
mod record_holder;
mod row;
pub mod run;
mod session;
pub mod table;
pub mod time;
mod value;
pub mod visit;

pub use address_place::{AddressKind, AddressPlace, CloudEvidence};
pub use clock_step::{ClockStep, StepCause};
pub use crawl_walk::CrawlWalk;
pub use encounter::{AddressVisit, ConnectionInfo, Encounter};
pub use hoard_dial::HoardDial;
pub use hoard_holder::HoardHolder;
pub use hoard_key::HoardKey;
pub use hoard_provider::HoardProvider;
pub use hoard_publisher::HoardPublisher;
pub use hoard_round::HoardRound;
pub use hoard_sight::HoardSight;
pub use hoard_walk::HoardWalk;
pub use hoarding::{HoardLookup, HolderAnswer, PublisherEnd, RoundEnd, Whereabouts};
pub use lookup_request::LookupRequest;
pub use measurement::Measurement;
pub use measurement_request::MeasurementRequest;
pub use nat::NatClass;
pub use observer_gap::{GapCause, ObserverGap};
pub use operation::{ConnectionPolicy, OperationKind, OperationOutcome, RequestPurpose, Strategy};
pub use peer_day::PeerDay;
pub use peer_in_degree::PeerInDegree;
pub use peer_session::PeerSession;
pub use ping::Ping;
pub use privacy::{Privacy, Pseudonyms, Reveals, Veil};
pub use record_holder::RecordHolder;
pub use row::{PeerNumber, Row, RowType, TABLES};
pub use run::{RunEnd, RunId, RunStart, RunState, Tool};
pub use session::{OnlineCriterion, SeenSession, SessionEnd, SessionState};
pub use table::Table;
pub use time::Timestamp;
pub use value::ColumnValue;
pub use visit::{FurtherRequests, PrefixOutcome, Visit, VisitKind, VisitType};
