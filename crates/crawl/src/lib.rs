//! Visits every peer of a Kademlia network once.
//!
//! [`Crawl::run`] pops a peer from the frontier, visits it (dial, identify beside FIND_NODE for each prefix, hang up),
//! takes what the answers named into the frontier, and sends the row on. It decides; a
//! [`Network`](kad::network::Network) talks. A [`FullTableKeeper`] does so again and again, for whoever publishes by a table of everybody.
//! Instead of reading tables a crawl can walk ([`CrawlStrategy::RandomWalk`]): it looks keys up that are drawn, and visits whom it meets.

mod bare;
mod clock;
mod config;
mod fates;
mod found;
mod frontier;
mod full_table;
mod introduction;
mod manner;
mod miss;
mod pending;
mod recount;
mod run;
mod strategy;
mod summary;
mod talk;
mod tally;
mod visit;
mod walked;

pub use clock::Clock;
pub use config::{CrawlConfig, as_seconds, parse_duration};
pub use fates::FateCounts;
pub use full_table::{FullTableConfig, FullTableKeeper};
pub use introduction::introduce;
pub use recount::{Difference, Recount, Recounted};
pub use run::{BootstrapOutcome, Crawl, Crawled, Outlets, Progress};
pub use strategy::{CrawlStrategy, CrawlStrategyName, RandomWalkTerms};
pub use summary::{ByteCounts, Counts, LeftOut, PeerCounts, Quantiles, RequestCounts, Summary, VisitCounts};
pub use walked::{NoWalkedSize, WalkSummary, WalkedSize};
