//! Which sessions to look at.

use std::time::Duration;

use clap::Args;
use kad::PeerId;
use monitor::days::UptimePeriod;

use super::{StorePlace, named, runs::peer};

/// Which store to look into, and what to say of the sessions in it.
#[derive(Debug, Args)]
pub(crate) struct SessionsArgs {
    /// Those of one network, by its name
    #[arg(long, env = "KADSCOPE_SESSIONS_NETWORK", value_name = "NAME")]
    pub(crate) network: Option<String>,

    /// Those of one peer
    #[arg(long, env = "KADSCOPE_SESSIONS_PEER", value_name = "PEER_ID", value_parser = peer)]
    pub(crate) peer: Option<PeerId>,

    /// Those that went on in this time until now: 48h, 90d
    #[arg(long, env = "KADSCOPE_SESSIONS_SINCE", value_name = "TIME", value_parser = kad::parse::duration)]
    pub(crate) since: Option<Duration>,

    /// List so many at most, the last that are known
    #[arg(long, env = "KADSCOPE_SESSIONS_LIMIT", value_name = "N", default_value_t = 1000,
          value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) limit: u32,

    /// Compute all sessions once more, from the visits, and say which differ (exit code 3)
    #[arg(long, env = "KADSCOPE_SESSIONS_CHECK", conflicts_with_all = ["peer", "since", "uptime"])]
    pub(crate) check: bool,

    /// For how long peers were up in each day, month or year at least and at most, in UTC
    #[arg(long, env = "KADSCOPE_SESSIONS_UPTIME", value_name = "PERIOD",
          value_parser = named(UptimePeriod::ALL, |one| one.name(), UptimePeriod::from_name))]
    pub(crate) uptime: Option<UptimePeriod>,

    #[command(flatten)]
    pub(crate) place: StorePlace,
}
