//! Monitoring, from its beginning to its end: crawls that find everybody, looks at whom they found, sessions that follow from both.
//!
//! What a look says and what follows from it is [`session`](crate::session)'s, when one is due the [`schedule`](crate::schedule)'s; what
//! goes on at once is in `driver`. How a crawl is made, and where its rows go, is its [`Crawler`]'s; keeping what is told is left to
//! whoever listens: as long as nobody takes it, nothing new is begun.

mod arrived;
mod config;
mod crawling;
mod driver;
mod fact;
mod now;
mod peers;
mod untold;

use std::sync::Arc;

use crawl::Clock;
use kad::{Contact, network::Network, opt_out::OptOut};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use self::driver::MonitorDriver;
pub use self::{
    config::MonitorConfig,
    crawling::{CrawlEnded, Crawler, LibraryCrawler},
    fact::{MonitorFact, PeerLooked, monitor_row},
    now::{LookCounts, MonitorEnd, MonitorNow, MonitorSummary},
    peers::{MonitorState, RememberedPeer, UntoldRows},
};

/// A network that is to be monitored.
#[derive(Debug)]
pub struct Monitor<N, C> {
    /// Reaches peers.
    pub network: N,
    /// The names of the network's kad protocol, in the order in which they are tried.
    pub protocols: Arc<[String]>,
    /// Makes crawls.
    pub crawler: C,
    /// The peers that crawls begin with, beside those that are known to be up.
    pub bootstrap: Vec<Contact>,
    /// How.
    pub config: MonitorConfig,
    /// Who asked not to be measured: nobody looks at them, and nothing about them is told.
    pub opt_out: Arc<OptOut>,
    /// The time of the run.
    pub clock: Clock,
}

/// Where a monitor tells what happens, and what stops it.
#[derive(Debug)]
pub struct MonitorOutlets {
    /// Takes what happens, in an order in which it can be kept: a peer before what is seen of it.
    pub facts: mpsc::Sender<MonitorFact>,
    /// What it looks like now.
    pub now: watch::Sender<MonitorNow>,
    /// Cancelled, it ends in order: looks under way are given up and say nothing.
    pub cancel: CancellationToken,
    /// Cancelled, it ends likewise, to be gone on with by a run of its own: the clock was set, or a day is over.
    pub renew: CancellationToken,
}

impl<N: Network, C: Crawler> Monitor<N, C> {
    /// Monitors until it is stopped, or until its time has come; returns what it came to, and what it knows, to go on with.
    pub async fn run(self, state: MonitorState, outlets: MonitorOutlets) -> (MonitorSummary, MonitorState) {
        let MonitorState { peers, gaps, untold } = state;
        MonitorDriver::new(self, peers, outlets).run(gaps, untold).await
    }
}
