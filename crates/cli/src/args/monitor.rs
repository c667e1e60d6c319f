//! What can be asked of a monitor.

use std::time::Duration;

use clap::Args;
use schema::OnlineCriterion;

use super::{KeptArgs, WatchArgs, named};
use crate::reach::ReachArgs;

/// Which network, how it is watched, and where it is kept.
#[derive(Debug, Args)]
pub(crate) struct MonitorArgs {
    #[command(flatten)]
    pub(crate) reach: ReachArgs,

    #[command(flatten)]
    pub(crate) terms: MonitorTerms,

    #[command(flatten)]
    pub(crate) crawl: crawl::CrawlConfig,

    #[command(flatten)]
    pub(crate) kept: KeptArgs,

    #[command(flatten)]
    pub(crate) watch: WatchArgs,
}

/// How a network is monitored.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Monitor")]
pub(crate) struct MonitorTerms {
    /// From the beginning of one crawl to that of the next
    #[arg(long, env = "KADSCOPE_MONITOR_CRAWL_EVERY", value_name = "TIME", default_value = "30m",
          value_parser = crawl::parse_duration)]
    pub(crate) crawl_every: Duration,

    /// For how long, such as 7d [default: until it is stopped]
    #[arg(long = "for", env = "KADSCOPE_MONITOR_FOR", value_name = "TIME", value_parser = kad::parse::duration)]
    pub(crate) lasts: Option<Duration>,

    /// What a peer has to do to count as up: prove its identity (handshake), say who it is as well (identify), or answer a request as
    /// well (kad)
    #[arg(long, env = "KADSCOPE_MONITOR_ONLINE", value_name = "CRITERION", default_value = OnlineCriterion::Handshake.name(),
          value_parser = named(OnlineCriterion::ALL, |one| one.name(), OnlineCriterion::from_name))]
    pub(crate) online: OnlineCriterion,

    /// From the first look that finds a peer up to the next; all other times of the schedule are longer or shorter by the same factor.
    /// The default is calibrated on networks like that of IPFS
    #[arg(long, env = "KADSCOPE_MONITOR_LOOK_AFTER", value_name = "TIME", default_value = "270s",
          value_parser = crawl::parse_duration)]
    pub(crate) look_after: Duration,

    /// Looks a second at most, crawls apart; where they do not suffice all peers are looked at more rarely
    #[arg(long, env = "KADSCOPE_MONITOR_LOOKS_PER_S", value_name = "N", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) looks_per_s: u32,

    /// Watch as a vantage point of its own, by the machine's name and --vantage: others may watch the same network in the same store, and
    /// sessions follow from what is seen from here alone
    #[arg(long, env = "KADSCOPE_MONITOR_APART")]
    pub(crate) apart: bool,
}
