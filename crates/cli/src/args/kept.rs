//! Where what a study sees is kept, and how it is told.

use clap::Args;
use store::StoreUrl;

use super::{DEFAULT_STORE, store_url};

/// Where rows go, with which note, and in which form the end is told.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct KeptArgs {
    /// Where what is seen is kept: an SQLite file (sqlite:PATH, or a path ending in .sqlite, .sqlite3 or .db), or a database
    /// (`postgres://USER@HOST/DATABASE`, in programs built with the feature `postgres`)
    #[arg(long, env = "KADSCOPE_STORE", value_name = "URL", default_value = DEFAULT_STORE, value_parser = store_url)]
    pub(crate) store: StoreUrl,

    /// A note on where it is made from, kept with the run beside the machine's name
    #[arg(
        long,
        env = "KADSCOPE_VANTAGE",
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) vantage: String,

    /// Print one JSON object instead of text
    #[arg(long, env = "KADSCOPE_JSON")]
    pub(crate) json: bool,
}
