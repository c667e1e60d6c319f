//! The command line: what can be asked for. The doc comments are the help.

mod complete;
mod crawl;
mod database;
mod enrich;
mod export;
mod health;
mod hoard;
mod hydra;
mod kept;
mod list;
mod lookup;
mod moment;
mod monitor;
mod network_watch;
mod origin;
mod parse;
mod perf;
mod ping;
mod provide;
mod report;
mod runs;
mod sessions;
mod size;
mod watch;
mod world;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use store::StoreUrl;

pub(crate) use self::{
    complete::{VARIABLE as COMPLETE_VARIABLE, complete},
    crawl::{CrawlArgs, NetworkArgs, Policy},
    database::{belly_url, store_url},
    enrich::{EnrichArgs, RangesFile},
    export::{CrawlName, ExportArgs, Format},
    health::HealthArgs,
    hoard::{
        HoardArgs, HoardCommand, HoardContentArgs, HoardDemoArgs, HoardReportArgs, HoardRunArgs,
        HoardSavingsArgs,
    },
    hydra::{HeadsArgs, HydraArgs, IdgenArgs, ListenPlace, SEED_VARIABLE, StatePlace, UiTheme},
    kept::KeptArgs,
    list::{List, ListParser, named},
    lookup::{LookupArgs, TypedKey, Until},
    monitor::MonitorArgs,
    network_watch::NetworkWatchArgs,
    origin::Variables,
    parse::{Parsed, command, parse},
    perf::{
        EntryArgs, PerfArgs, PerfCommand, PerfDemoArgs, PerfEventsArgs, PerfExplainArgs, PerfFleetArgs,
        PerfHealthArgs, PerfReportArgs, PerfSchedulerArgs, PerfServerArgs,
    },
    ping::{PingArgs, Pinged},
    provide::{PlaceArgs, ProvideArgs},
    report::ReportArgs,
    runs::{CopyArgs, RunsArgs, StoreArgs, StoreCommand, StorePlace},
    sessions::SessionsArgs,
    size::parse_size,
    watch::WatchArgs,
    world::{InhabitantArgs, WorldArgs},
};
use crate::{help, log::LogArgs, manners::OptOutArgs};

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

    #[command(flatten)]
    pub(crate) log: LogArgs,
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

    /// Revisit the peers of a network for weeks, to see when they are up
    #[command(after_help = help::MONITOR)]
    Monitor(Box<MonitorArgs>),

    /// Look something up: the peers closest to a key, a peer, the providers of content, a value
    #[command(after_help = help::LOOKUP)]
    Lookup(Box<LookupArgs>),

    /// Publish that content is provided here, and see who has the record
    #[command(after_help = help::PROVIDE)]
    Provide(Box<ProvideArgs>),

    /// Run many heads over one belly: servers of a network that answer from one store of records
    #[command(after_help = help::HYDRA)]
    Hydra(Box<HydraArgs>),

    /// Time publications and lookups: servers that do them, and who tells servers when
    Perf(Box<PerfArgs>),

    /// Publish provider records, and watch who keeps them, for how long, and with which addresses
    Hoard(Box<HoardArgs>),

    /// Report on a network over a period: who was there, for how long, and what they run
    #[command(after_help = help::REPORT)]
    Report(ReportArgs),

    /// Look at peers whole: each address, transport and protocol
    #[command(after_help = help::PING)]
    Ping(Box<PingArgs>),

    /// See a network live: who is there, who came and who left
    #[command(after_help = help::WATCH)]
    Watch(Box<NetworkWatchArgs>),

    /// Run a network on this machine until Ctrl-C, for any client to use
    #[command(after_help = help::TESTNET)]
    Testnet(TestnetArgs),

    /// List the crawls in a store, show one again, or delete it
    #[command(after_help = help::CRAWLS)]
    Crawls(CrawlsArgs),

    /// List what tools did, show a run, delete it, or say what all of them know of a peer
    #[command(after_help = help::RUNS)]
    Runs(RunsArgs),

    /// List the sessions that monitors saw, for how long peers were up, or compute all once more from the visits
    #[command(after_help = help::SESSIONS)]
    Sessions(SessionsArgs),

    /// See whether a store is sound, make it smaller, or copy it
    #[command(after_help = help::STORE)]
    Store(StoreArgs),

    /// Look up where addresses are: country, city, network, cloud
    #[command(after_help = help::ENRICH)]
    Enrich(Box<EnrichArgs>),

    /// Write rows of any kind and run to files, at a level of privacy
    #[command(after_help = help::EXPORT)]
    Export(ExportArgs),

    /// List the networks that are known by name, or show one
    #[command(after_help = help::NETWORKS)]
    Networks(NetworksArgs),

    /// Ask a command that stays up whether all is well: exit code 0 or 1
    #[command(after_help = help::HEALTH)]
    Health(HealthArgs),

    /// Print a script that completes commands and options in a shell
    #[command(after_help = help::COMPLETIONS)]
    Completions(CompletionsArgs),

    /// Become a program that ends with the world that it was started in
    #[command(hide = true)]
    Inhabitant(InhabitantArgs),
}

impl Command {
    /// The lists of who is left alone, of a command that has them.
    fn opt_out(&mut self) -> Option<&mut OptOutArgs> {
        match self {
            Self::Demo(args) => Some(&mut args.opt_out),
            Self::Crawl(args) => Some(&mut args.manners.opt_out),
            Self::Monitor(args) => Some(&mut args.reach.manners.opt_out),
            Self::Lookup(args) => Some(&mut args.reach.manners.opt_out),
            Self::Provide(args) => Some(&mut args.reach.manners.opt_out),
            Self::Hydra(args) => Some(&mut args.reach.manners.opt_out),
            Self::Ping(args) => Some(&mut args.reach.manners.opt_out),
            Self::Watch(args) => Some(&mut args.reach.manners.opt_out),
            Self::Export(args) => Some(&mut args.opt_out),
            Self::Report(args) => Some(&mut args.opt_out),
            Self::Perf(args) => args.what.opt_out(),
            Self::Hoard(args) => args.what.opt_out(),
            Self::Testnet(_)
            | Self::Crawls(_)
            | Self::Runs(_)
            | Self::Sessions(_)
            | Self::Store(_)
            | Self::Enrich(_)
            | Self::Networks(_)
            | Self::Health(_)
            | Self::Completions(_)
            | Self::Inhabitant(_) => None,
        }
    }
}

/// Which demo.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The network: a built-in scenario, or a TOML file [default: demo, or world in a world]
    #[arg(long, env = "KADSCOPE_DEMO_SCENARIO", value_name = "NAME|FILE")]
    pub(crate) scenario: Option<String>,

    /// How many peers the network has [default: the scenario's own]
    #[arg(long, env = "KADSCOPE_DEMO_PEERS", value_name = "N",
          value_parser = clap::value_parser!(u32).range(20..=100_000))]
    pub(crate) peers: Option<u32>,

    /// Show heads over one belly in the network instead of a crawl of it: a record that one head is given, asked of the others
    #[arg(long, env = "KADSCOPE_DEMO_HYDRA", conflicts_with = "world")]
    pub(crate) hydra: bool,

    #[command(flatten)]
    pub(crate) ground: DemoGround,

    /// Where to put the crawl and what is true; made if it does not exist
    #[arg(long, env = "KADSCOPE_DEMO_DIR", value_name = "DIR", default_value = "kadscope-demo")]
    pub(crate) dir: PathBuf,

    /// Replace a truth or log in the directory even if another program wrote it
    #[arg(long, env = "KADSCOPE_FORCE")]
    pub(crate) force: bool,

    /// Seed of the network and of the order of visits [default: the same network each time, visited in another order]
    #[arg(long, env = "KADSCOPE_DEMO_SEED", value_name = "N")]
    pub(crate) seed: Option<u64>,

    #[command(flatten)]
    pub(crate) opt_out: OptOutArgs,

    /// Print one JSON object instead of the summary: the crawl's numbers, and in `truth` how right they are
    #[arg(long, env = "KADSCOPE_JSON")]
    pub(crate) json: bool,
}

/// Where the network of a demo is: on loopback, unless it is said otherwise.
#[derive(Debug, Args)]
pub(crate) struct DemoGround {
    /// Show it on public addresses: the network, its names and the crawl in a network namespace that has nothing but
    /// loopback
    #[arg(long, env = "KADSCOPE_DEMO_WORLD")]
    pub(crate) world: bool,

    /// Put all peers at 127.0.0.1, each on ports of its own, as is done where this machine has no more of 127.0.0.0/8
    #[arg(long, env = "KADSCOPE_DEMO_ONE_ADDRESS", conflicts_with = "world")]
    pub(crate) one_address: bool,
}

/// Which testnet.
#[derive(Debug, Args)]
pub(crate) struct TestnetArgs {
    #[command(flatten)]
    pub(crate) config: testnet::TestnetConfig,

    #[command(flatten)]
    pub(crate) world: WorldArgs,

    #[command(flatten)]
    pub(crate) watch: WatchArgs,

    /// End when stdin does: with the process that holds its other end.
    #[arg(long, hide = true)]
    pub(crate) until_eof: bool,
}

/// Which store to look into, and which crawl.
#[derive(Debug, Args)]
pub(crate) struct CrawlsArgs {
    /// A crawl, by its id or `latest`: its summary is shown again [default: list all]
    #[arg(value_name = "ID|latest")]
    pub(crate) crawl: Option<CrawlName>,

    /// Delete the crawl, with all of its rows
    #[arg(long, env = "KADSCOPE_CRAWLS_DELETE", requires = "crawl")]
    pub(crate) delete: bool,

    /// Delete without asking
    #[arg(long, env = "KADSCOPE_CRAWLS_YES", requires = "delete")]
    pub(crate) yes: bool,

    /// The store: an SQLite file (sqlite:PATH, or a path ending in .sqlite, .sqlite3 or .db), or a database
    /// (`postgres://USER@HOST/DATABASE`, in programs built with the feature `postgres`)
    #[arg(long, env = "KADSCOPE_STORE", value_name = "URL", default_value = DEFAULT_STORE, value_parser = store_url)]
    pub(crate) store: StoreUrl,

    /// Print one JSON object instead of text
    #[arg(long, env = "KADSCOPE_JSON")]
    pub(crate) json: bool,
}

/// Which networks.
#[derive(Debug, Args)]
pub(crate) struct NetworksArgs {
    /// A network's name: shown whole, as a file to save and edit. Or a file of the same form: whether `crawl` takes it, and
    /// if not, every reason [default: list all]
    #[arg(value_name = "NAME|FILE.toml")]
    pub(crate) network: Option<String>,

    /// Print one JSON object
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
