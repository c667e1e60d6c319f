//! Publishes provider records, and watches who keeps them, for how long, and with which addresses.
//!
//! How a record is published or found is decided by `kad` and done by `dht`; where rows are kept is left to `store`; what is made of
//! them by way of statistics is in `estimate`, how it is drawn in `figure`; only the program prints.

mod plan;
mod policy;
pub mod savings;

pub use plan::{
    Arm, BadPlan, HoardPlan, KeySource, LookupSet, MAX_ROUNDS, ObservingTerms, Preset, PublishPace,
    RoundTimes, StudyKeyBytes,
};
pub use policy::{PeerSet, PeerSetRule, Policy, PolicyReading};
