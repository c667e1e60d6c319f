//! A holder's life: what becomes of a record at each peer that was to keep it, and what is estimated from that.
//!
//! Sights come in; out come states, changes (each between the two sights that bound it), and what many lives say together: how long records,
//! their addresses and their holders last, and after which time programs drop them. Who was not asked, or did not answer, said nothing of
//! the record: nothing here takes silence for a loss. All of it is pure; the estimators are in `estimate`, figures are left to the report.

mod agents;
mod aspects;
mod census;
mod curves;
mod history;
mod pairs;
mod reading;
mod rows;
mod section;
mod states;
#[cfg(test)]
mod tests;
mod ttl;

pub use self::{
    agents::{program_name_of, program_of},
    aspects::{LifeAspect, Lifespan},
    census::{HolderCensus, HolderCounts, RoundMeans},
    curves::{LifeCurve, LifeGrouping},
    history::{HolderLife, LifeChange, LifeSight},
    pairs::ArmPair,
    rows::{LifeHolder, LifeKey, LifeRows},
    section::LifeSection,
    states::{HolderChange, HolderPresence, HolderRecord, Saying},
    ttl::{ClockFit, TtlClock, TtlNumbers},
};
