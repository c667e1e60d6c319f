//! What can be asked of a crawl.

use std::{path::PathBuf, str::FromStr as _, time::Duration};

use clap::{Args, ValueEnum};
use crawl::{CrawlStrategy, RandomWalkTerms};
use kad::policy::Addresses;
use serde::{Deserialize, Serialize};
use store::StoreUrl;

use super::{DEFAULT_STORE, List, ListParser, WatchArgs};
use crate::{
    bootstrap::BootstrapAddress, exit::Failed, manners::Manners, network, place_files::PlaceFileArgs,
};

/// What to crawl, how, where it is kept, and what to print.
#[derive(Debug, Args)]
pub(crate) struct CrawlArgs {
    #[command(flatten)]
    pub(crate) network: NetworkArgs,

    /// How long a dial of one address may take, until the peer has proved who it is
    #[arg(long, env = "KADSCOPE_DIAL_TIMEOUT", value_name = "TIME", default_value = "5s", help_heading = "Network",
          value_parser = crawl::parse_duration)]
    pub(crate) dial_timeout: Duration,

    /// Root certificates (PEM) by which those below a secure WebSocket are verified. None is refused: rows and summary say
    /// what was seen [default: none, everything is unverified]
    #[arg(long, env = "KADSCOPE_TLS_ROOTS", value_name = "FILE", help_heading = "Network")]
    pub(crate) tls_roots: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) strategy: StrategyArgs,

    #[command(flatten)]
    pub(crate) config: crawl::CrawlConfig,

    #[command(flatten)]
    pub(crate) manners: Manners,

    /// Looked up after the crawl, as `kadscope enrich` does
    #[command(flatten)]
    pub(crate) places: PlaceFileArgs,

    /// Where to keep the crawl: an SQLite file (sqlite:PATH, or a path ending in .sqlite, .sqlite3 or .db), a database
    /// (`postgres://USER@HOST/DATABASE`, in programs built with the feature `postgres`), or `none`
    #[arg(long, env = "KADSCOPE_STORE", value_name = "URL", default_value = DEFAULT_STORE, help_heading = "Output",
          value_parser = super::store_url)]
    pub(crate) store: StoreUrl,

    /// A note on where the crawl is made from, kept with it beside the machine's name
    #[arg(
        long,
        env = "KADSCOPE_VANTAGE",
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true,
        help_heading = "Output"
    )]
    pub(crate) vantage: String,

    /// Print one JSON object instead of the summary
    #[arg(long, env = "KADSCOPE_JSON", help_heading = "Output")]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) watch: WatchArgs,
}

/// How peers are found.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Crawl")]
pub(crate) struct StrategyArgs {
    /// How peers are found
    #[arg(long, env = "KADSCOPE_CRAWL_STRATEGY", value_name = "HOW", value_enum, default_value = "tables")]
    pub(crate) strategy: FoundBy,

    /// For how long a random walk goes on
    #[arg(long = "for", env = "KADSCOPE_CRAWL_FOR", value_name = "TIME", value_parser = crawl::parse_duration,
          required_if_eq("strategy", "random-walk"))]
    pub(crate) lasts: Option<Duration>,

    /// How many lookups a random walk makes at once
    #[arg(long, env = "KADSCOPE_CRAWL_WALKERS", value_name = "N", default_value_t = 8,
          value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(crate) walkers: u32,
}

/// How peers are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FoundBy {
    /// Every peer is asked for its routing table, and whoever is named there is visited: everybody who can be found
    Tables,
    /// Keys are drawn and looked up, and whoever is closest to one is visited: a sample, and an estimate of the network's size
    RandomWalk,
}

impl StrategyArgs {
    /// What they say to a crawl that is otherwise as in `config`.
    pub(crate) fn strategy(&self, config: &crawl::CrawlConfig) -> Result<CrawlStrategy, Failed> {
        let reads = [
            (config.neighbors, "--neighbors"),
            (config.all_prefixes, "--all-prefixes"),
            (config.whole_tables, "--whole-tables"),
        ];
        match (self.strategy, self.lasts) {
            (FoundBy::Tables, None) => Ok(CrawlStrategy::Tables),
            (FoundBy::Tables, Some(_)) => Err(Failed::usage(
                "--for says how long a random walk goes on (--strategy random-walk); a crawl of tables ends when everybody was \
                 visited, or after --limit visits",
            )),
            (FoundBy::RandomWalk, lasts) => {
                if let Some((_, option)) = reads.into_iter().find(|(is_asked, _)| *is_asked) {
                    return Err(Failed::usage(format!(
                        "{option} is about routing tables, and --strategy random-walk reads none"
                    )));
                }
                let lasts = lasts.ok_or_else(|| Failed::usage("--strategy random-walk needs --for TIME"))?;
                Ok(CrawlStrategy::RandomWalk(RandomWalkTerms { lasts, walkers: self.walkers }))
            }
        }
    }
}

/// Which network, and what is different from what is known of it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkArgs {
    /// The network: a name that `kadscope networks` lists, or a file of the same form. The options below say otherwise
    /// than it does
    #[arg(long, env = "KADSCOPE_NETWORK", value_name = "NAME|FILE.toml", default_value = "ipfs")]
    pub(crate) network: String,

    /// Peers to begin with instead: addresses that end in `/p2p/PEER_ID`, or `/dnsaddr/NAME` for all that it lists, after
    /// spaces or commas. A peer may be given with several
    #[arg(long, env = "KADSCOPE_BOOTSTRAP", value_name = "MULTIADDR", num_args = 1..,
          value_parser = ListParser(BootstrapAddress::from_str))]
    pub(crate) bootstrap: Vec<List<BootstrapAddress>>,

    /// The name under which the network is kept [default: the network's]
    #[arg(long, env = "KADSCOPE_NETWORK_NAME", value_name = "NAME")]
    pub(crate) network_name: Option<String>,

    /// The network's Kademlia protocol [default: the network's]
    #[arg(long, env = "KADSCOPE_PROTOCOL", value_name = "NAME", value_parser = network::check_protocol)]
    pub(crate) protocol: Option<String>,

    /// Which addresses to dial; all others are named and counted, never dialled [default: the network's]
    #[arg(long, env = "KADSCOPE_ADDRESSES", value_name = "WHICH", value_enum)]
    pub(crate) addresses: Option<Policy>,
}

/// Which addresses to dial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Policy {
    /// Those that can be reached from everywhere
    Public,
    /// Those of private networks
    Private,
    /// Those of this machine
    Loopback,
    /// All of these
    Any,
}

impl Policy {
    /// As it is written on the command line and in files.
    pub(crate) fn name(self) -> &'static str {
        Addresses::from(self).name()
    }
}

impl From<Policy> for Addresses {
    fn from(policy: Policy) -> Self {
        match policy {
            Policy::Public => Self::Public,
            Policy::Private => Self::Private,
            Policy::Loopback => Self::Loopback,
            Policy::Any => Self::Any,
        }
    }
}
