//! Many heads over one belly: peers of ours, in one process, that answer as servers of a network from one routing table and
//! one store of records.
//!
//! What is kept, and where, is left to `store`; who asks by HTTP is let in by `http`; only the program prints. What happens
//! when more is asked than can be done is in `load`.

mod load;
mod popular;

pub use self::load::{
    Allowed, AskedType, BadLadder, Ladder, LoadConfig, LoadControl, LoadCounts, Measures, Rung, RungChange,
    RungRule, ShareConfig, ShedReason, Thresholds, TypeCounts,
};
pub use self::popular::{HeldShare, MAX_KEYS as MAX_POPULAR_KEYS, PopularKeys};
