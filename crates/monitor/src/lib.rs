//! Visits known peers again and again, to see when they are up.
//!
//! What a visit says of a peer, what sessions follow from visits, and when a peer is visited next are decided here without IO and without
//! a clock; how a peer is asked is `dht`'s, how everybody is found is `crawl`'s, where rows are kept is left to `store`; only the
//! program prints.

pub mod due;
pub mod schedule;
