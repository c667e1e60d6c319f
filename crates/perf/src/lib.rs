//! Times publications and lookups: servers that do them, in many places, and schedulers that tell servers when.
//!
//! How a record is published or found is decided by `kad` and done by `dht`; where rows and the register of servers are kept is left to
//! `store`; who asks by HTTP is let in by `http`; only the program prints.

mod acceptance;
mod api;
mod calls;
mod deny;
pub mod events;
pub mod explain;
pub mod indexer;
mod operation;
mod placement;
pub mod report;
mod rows;
mod scheduler;
mod server;
mod wire;

/// The closed names of operations: rows hold them, so `schema` has them.
pub use schema::{ConnectionPolicy, OperationKind, OperationOutcome, RequestPurpose, Strategy};

pub use self::acceptance::{AcceptedShare, accepted_shares};
pub use self::api::{API_ROUTES, BadCid, PerfApi};
pub use self::calls::{
    CALL_MARGIN, CallAttempt, CallFailure, CallFailureClass, CallTerms, Called, HttpCalls, LocalCalls, Poll,
    ServerCalls,
};
pub use self::deny::{BadDenyLine, DenyList};
pub use self::operation::{
    BadOperationId, MAX_KEY_BYTES, MAX_REQUESTS, MAX_STEPS, MAX_TEXT_BYTES, Operation, OperationCounts,
    OperationDial, OperationId, OperationRequest, OperationStep, OperationTold, UnixNanos,
};
pub use self::placement::PlacementScore;
pub use self::rows::{attempt_peers, attempt_rows, kept_operation};
pub use self::scheduler::{
    ArrivalLaw, Arrivals, AttemptCount, CONTENT_BYTES, CallDeadlines, FleetPair, ForeseenRound, IssuedCounts,
    Lead, PARSEC_SCHEDULER_COUNTERS, Pairing, ProbeTerms, Rota, RoundCounts, RoundPace, RoundPlan,
    RoundReport, RoundSeed, RoundTurn, Scheduler, SchedulerConfig, SchedulerNow, SchedulerWatch, Seat,
    alive_since, foreseen, scheduler_metrics,
};
pub use self::server::{
    BadTerms, MAX_DEADLINE, OperationTerms, PerfServer, ServerConfig, ServerCounters, ServerEvents,
};
pub use self::wire::{BadOrder, OperationAnswer, ProvideOrder, RetrieveOrder, StepMeasurement};
