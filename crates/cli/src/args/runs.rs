//! Which runs to look at, and what to do with a store.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand, builder::PossibleValuesParser};
use kad::PeerId;
use schema::Tool;
use store::StoreUrl;

use super::{CrawlName, DEFAULT_STORE, store_url};

/// Which store to look into, and which runs.
#[derive(Debug, Args)]
pub(crate) struct RunsArgs {
    /// A run, by its id or `latest` [default: list all]
    #[arg(value_name = "ID|latest", conflicts_with = "peer")]
    pub(crate) run: Option<CrawlName>,

    /// Those of one tool
    #[arg(long, env = "KADSCOPE_RUNS_TOOL", value_name = "TOOL", value_parser = tools())]
    pub(crate) tool: Option<String>,

    /// Those of one network, by its name
    #[arg(long, env = "KADSCOPE_RUNS_NETWORK", value_name = "NAME")]
    pub(crate) network: Option<String>,

    /// Those that were under way in this time until now: 48h, 90d
    #[arg(long, env = "KADSCOPE_RUNS_SINCE", value_name = "TIME", value_parser = kad::parse::duration)]
    pub(crate) since: Option<Duration>,

    /// What all of them know of one peer
    #[arg(long, env = "KADSCOPE_RUNS_PEER", value_name = "PEER_ID", value_parser = peer)]
    pub(crate) peer: Option<PeerId>,

    /// Count the numbers of a crawl's summary once more, from its rows, and say which differ (exit code 3)
    #[arg(long, env = "KADSCOPE_RUNS_RECOUNT", requires = "run", conflicts_with = "delete")]
    pub(crate) recount: bool,

    /// Delete the run, with all of its rows
    #[arg(long, env = "KADSCOPE_RUNS_DELETE", requires = "run")]
    pub(crate) delete: bool,

    /// Delete without asking
    #[arg(long, env = "KADSCOPE_RUNS_YES", requires = "delete")]
    pub(crate) yes: bool,

    #[command(flatten)]
    pub(crate) place: StorePlace,
}

/// Which store, and what to print.
#[derive(Debug, Args)]
pub(crate) struct StorePlace {
    /// The store: an SQLite file (sqlite:PATH, or a path ending in .sqlite, .sqlite3 or .db), or a database
    /// (`postgres://USER@HOST/DATABASE`, in programs built with the feature `postgres`)
    #[arg(long, env = "KADSCOPE_STORE", value_name = "URL", default_value = DEFAULT_STORE, value_parser = store_url)]
    pub(crate) store: StoreUrl,

    /// Print one JSON object instead of text
    #[arg(long, env = "KADSCOPE_JSON")]
    pub(crate) json: bool,
}

/// What to do with a store.
#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    /// What.
    #[command(subcommand)]
    pub(crate) what: StoreCommand,
}

/// What can be done with a store.
#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Read the structure of the whole store, and say whether it is sound
    Check(StorePlace),

    /// Delete old visits of all runs, also while others write; runs, their summaries and peers stay
    Prune {
        /// How old a visit may be that is kept: 90d, 48h
        #[arg(long, env = "KADSCOPE_STORE_PRUNE_KEEP_VISITS", value_name = "TIME", value_parser = kad::parse::duration)]
        keep_visits: Duration,

        #[command(flatten)]
        place: StorePlace,
    },

    /// Copy runs to another store, of any kind, and compare them there row by row
    Copy(CopyArgs),

    /// Copy the store, as it is at one moment, to a new file, also while others write
    Backup {
        /// The file; it must not exist
        #[arg(value_name = "FILE")]
        to: PathBuf,

        #[command(flatten)]
        place: StorePlace,
    },
}

/// From where, and where to.
#[derive(Debug, Args)]
pub(crate) struct CopyArgs {
    /// The store with the runs: an SQLite file, or a database
    /// (`postgres://USER@HOST/DATABASE`, in programs built with the feature `postgres`)
    #[arg(value_name = "FROM", value_parser = store_url)]
    pub(crate) from: StoreUrl,

    /// The store that gets them, made if it is not there. Runs that it has are compared, not copied
    #[arg(value_name = "TO", value_parser = store_url)]
    pub(crate) to: StoreUrl,

    /// Print one JSON object
    #[arg(long, env = "KADSCOPE_JSON")]
    pub(crate) json: bool,
}

/// The names of the tools.
pub(super) fn tools() -> PossibleValuesParser {
    PossibleValuesParser::new(Tool::ALL.iter().map(|tool| tool.name()))
}

pub(super) fn peer(text: &str) -> Result<PeerId, String> {
    kad::parse::peer_id(text).map_err(|bad| format!("it is no peer id: {bad}"))
}
