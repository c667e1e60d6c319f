//! The command line: what can be asked for. The doc comments are the help.

use std::{path::PathBuf, time::Duration};

use clap::{
    ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
    builder::BoolishValueParser,
};
use serde::Serialize;
use store::StoreUrl;

use crate::{bootstrap::BootstrapAddress, help};

/// Where crawls are kept if nobody says otherwise.
const DEFAULT_STORE: &str = "kadscope.sqlite";

/// Observes libp2p Kademlia networks, and shows how well
#[derive(Debug, Parser)]
#[command(name = "kadscope", version, after_help = help::program(), max_term_width = 100)]
#[command(arg_required_else_help = true)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a network on this machine, crawl it, and show the result beside the truth
    #[command(after_help = help::DEMO)]
    Demo(DemoArgs),

    /// Visit every peer of a network once
    #[command(after_help = help::CRAWL)]
    Crawl(Box<CrawlArgs>),

    /// Run a network on this machine until Ctrl-C, for any client to use
    #[command(after_help = help::TESTNET)]
    Testnet(TestnetArgs),

    /// List the crawls in a store
    #[command(after_help = help::CRAWLS)]
    Crawls(CrawlsArgs),

    /// Print a script that completes commands and options in a shell
    #[command(after_help = help::COMPLETIONS)]
    Completions(CompletionsArgs),
}

/// Which demo.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// How many peers the network has
    #[arg(long, env = "KADSCOPE_DEMO_PEERS", value_name = "N", default_value_t = 1000,
          value_parser = clap::value_parser!(u32).range(20..=100_000))]
    pub(crate) peers: u32,

    /// Where to put the crawl and the truth; made if it does not exist
    #[arg(long, env = "KADSCOPE_DEMO_DIR", value_name = "DIR", default_value = "kadscope-demo")]
    pub(crate) dir: PathBuf,

    /// Seed of the network and of the order of visits [default: the same network each time, visited in another order]
    #[arg(long, env = "KADSCOPE_SEED", value_name = "N")]
    pub(crate) seed: Option<u64>,

    /// Print one JSON object instead of the summary: the crawl's numbers, and in `truth` how right they are
    #[arg(long, env = "KADSCOPE_JSON")]
    pub(crate) json: bool,
}

/// What to crawl, and what to print.
#[derive(Debug, Args)]
pub(crate) struct CrawlArgs {
    #[command(flatten)]
    pub(crate) order: Order,

    /// Print one JSON object instead of the summary
    #[arg(long, env = "KADSCOPE_JSON", help_heading = "Output")]
    pub(crate) json: bool,
}

/// What is to be crawled, how, and where it is kept. As JSON it is kept with the crawl.
#[derive(Debug, Clone, Args, Serialize)]
pub(crate) struct Order {
    /// Peers to begin with: addresses that end in `/p2p/PEER_ID`, after spaces or commas. A peer may be given with several
    #[arg(long, env = "KADSCOPE_BOOTSTRAP", value_name = "MULTIADDR", required = true, num_args = 1..,
          value_delimiter = ',')]
    pub(crate) bootstrap: Vec<BootstrapAddress>,

    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) network: NetworkArgs,

    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) config: crawl::Config,

    /// Where to keep the crawl: an SQLite file (sqlite:PATH, or a path ending in .sqlite, .sqlite3 or .db), or `none`
    #[arg(long, env = "KADSCOPE_STORE", value_name = "URL", default_value = DEFAULT_STORE, help_heading = "Output")]
    #[serde(serialize_with = "as_text")]
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
}

/// Which network, and how to reach its peers.
#[derive(Debug, Clone, Args, Serialize)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkArgs {
    /// The name under which the network is kept
    #[arg(long, env = "KADSCOPE_NETWORK_NAME", value_name = "NAME", default_value = "ipfs")]
    pub(crate) network_name: String,

    /// The network's Kademlia protocol
    #[arg(long, env = "KADSCOPE_PROTOCOL", value_name = "NAME", default_value = kad::message::AMINO_PROTOCOL)]
    pub(crate) protocol: String,

    /// Which addresses to dial; all others are named and counted, never dialled
    #[arg(long, env = "KADSCOPE_ADDRESSES", value_name = "WHICH", value_enum, default_value_t = Policy::Public)]
    pub(crate) addresses: Policy,

    /// How long a dial of one address may take, until the peer has proved who it is
    #[arg(long, env = "KADSCOPE_DIAL_TIMEOUT", value_name = "TIME", default_value = "5s",
          value_parser = crawl::parse_duration)]
    #[serde(serialize_with = "crawl::as_seconds")]
    pub(crate) dial_timeout: Duration,
}

/// Which addresses to dial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
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

impl From<Policy> for net::Addresses {
    fn from(policy: Policy) -> Self {
        match policy {
            Policy::Public => Self::Public,
            Policy::Private => Self::Private,
            Policy::Loopback => Self::Loopback,
            Policy::Any => Self::Any,
        }
    }
}

/// Which testnet.
#[derive(Debug, Args)]
pub(crate) struct TestnetArgs {
    #[command(flatten)]
    pub(crate) config: testnet::Config,

    /// End when stdin does: with the process that holds its other end.
    #[arg(long, hide = true)]
    pub(crate) until_eof: bool,
}

/// Which store to look into.
#[derive(Debug, Args)]
pub(crate) struct CrawlsArgs {
    /// The store: an SQLite file (sqlite:PATH, or a path ending in .sqlite, .sqlite3 or .db)
    #[arg(long, env = "KADSCOPE_STORE", value_name = "URL", default_value = DEFAULT_STORE)]
    pub(crate) store: StoreUrl,

    /// Print one JSON object instead of a table
    #[arg(long, env = "KADSCOPE_JSON")]
    pub(crate) json: bool,
}

/// For which shell.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// Reads the command line.
pub(crate) fn parse() -> Result<Cli, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(std::env::args_os())?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// The command line with what holds for all options: their variables are named without their values, and a switch can
/// be set by a variable that says 1, true, yes or on.
pub(crate) fn command() -> clap::Command {
    Cli::command().mut_subcommands(|command| {
        command.mut_args(|arg| match arg.get_action() {
            ArgAction::SetTrue => arg.hide_env_values(true).value_parser(BoolishValueParser::new()),
            _ => arg.hide_env_values(true),
        })
    })
}

fn as_text<S: serde::Serializer>(url: &StoreUrl, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn every_option_has_an_environment_variable_of_ours() {
        for sub in command().get_subcommands() {
            for arg in sub.get_arguments().filter(|arg| arg.get_long().is_some() && !arg.is_hide_set()) {
                let variable = arg.get_env().and_then(|name| name.to_str()).unwrap_or("none");
                assert!(variable.starts_with("KADSCOPE_"), "{}: {variable}", arg.get_id());
            }
        }
    }
}
