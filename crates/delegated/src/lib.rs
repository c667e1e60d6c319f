//! Asks services of delegated routing (`/routing/v1`) who provides a key: indexers, routers in front of a DHT, whoever speaks it.
//!
//! A service is asked within bounds of time, size and number, and is left alone for a while if it fails again and again. What comes is
//! timed: the head, the first record, the last one. What an answer says is read in `kad`; what is done with it, and who else is asked
//! beside, is left to the tools.

mod asking;
mod breaker;
mod failure;
mod marks;
mod service;

pub use self::{
    asking::RoutingReply,
    breaker::{Breaker, BreakerRules, BreakerTurn},
    failure::{RoutingFailure, RoutingFailureClass},
    marks::{CacheMarks, MAX_MARK_BYTES},
    service::{LATENCY_BOUNDS, RoutingService, RoutingServiceConfig, ServiceCounts},
};
