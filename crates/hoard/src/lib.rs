//! Publishes provider records, and watches who keeps them, for how long, and with which addresses.
//!
//! How a record is published or found is decided by `kad` and done by `dht`; where rows are kept is left to `store`; what is made of
//! them by way of statistics is in `estimate`, how it is drawn in `figure`; only the program prints.

mod agents;
mod burden;
pub mod content;
mod error;
mod exchange;
mod fact;
mod filters;
mod in_flight;
pub mod life;
mod observer;
mod plan;
mod policy;
mod publishing;
pub mod report;
mod resumed;
mod round;
mod rows;
mod running;
pub mod savings;
mod schedule;
mod sight;
mod study;
mod watch;

pub use agents::AgentBook;
pub use burden::Burden;
pub use error::HoardError;
pub use exchange::{BadExchange, ForeignKeys, exchange_json};
pub use fact::{HoardFact, KeyPublished, PublisherLeft, RecordGiven};
pub use filters::{FilterLevel, Filters};
pub use in_flight::{FlightCounts, InFlight};
pub use observer::{FoundHolder, FoundHolders, Observer, ObserverConfig, ProviderDialTerms};
pub use plan::{
    Arm, BadPlan, HoardPlan, KeySource, LookupSet, MAX_ROUNDS, ObservingTerms, Preset, PublishPace,
    RoundTimes, StudyKeyBytes,
};
pub use policy::{PeerSet, PeerSetRule, Policy, PolicyReading, PolicyRule};
pub use resumed::{Resumed, ResumedKey};
pub use round::{
    HopCounts, KeyRound, ProviderDial, ProviderMention, RoundLookup, RoundOrder, RoundParts, SeekTerms,
    WalkTerms, WatchedKey, hop_counts,
};
pub use rows::{hoard_peers, hoard_rows};
pub use running::{Hoard, HoardEnd, HoardOutlets, HoardSummary};
pub use schedule::{DueRound, Schedule};
pub use sight::{
    HolderDial, HolderSaid, HolderSight, KnownHolder, NamedProvider, ReachedAt, SightTerms, WhereSeen,
    answer_of_failure, whereabouts,
};
pub use study::{
    AgentThen, MAX_STUDY_KEYS, MAX_STUDY_LOOKUPS, MAX_STUDY_RESPONSES, MAX_STUDY_SIGHTS, PassedOver,
    ShortSpan, Study, StudyAgent, StudyArm, StudyDetail, StudyDial, StudyError, StudyHolder, StudyKey,
    StudyLookup, StudyPeer, StudyProvider, StudyResponse, StudyRound, StudySight, StudyWalk, StudyWalks,
};
pub use watch::{HoardNow, HolderStates, LagNow};
