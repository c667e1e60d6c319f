//! What can be asked of an export.

use std::{path::PathBuf, str::FromStr};

use clap::{Args, ValueEnum, builder::EnumValueParser};
use schema::RunId;
use serde::Serialize;
use store::StoreUrl;

use super::{DEFAULT_STORE, List, ListParser};
use crate::manners::OptOutArgs;

/// What to export, where to, and what to leave out.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The store: an SQLite file (sqlite:PATH, or a path ending in .sqlite, .sqlite3 or .db), or a database
    /// (`postgres://USER@HOST/DATABASE`, in programs built with the feature `postgres`)
    #[arg(long, env = "KADSCOPE_STORE", value_name = "URL", default_value = DEFAULT_STORE, value_parser = super::store_url)]
    pub(crate) store: StoreUrl,

    /// Which crawl: its id, or `latest`
    #[arg(long, env = "KADSCOPE_EXPORT_CRAWL", value_name = "ID|latest", default_value = "latest")]
    pub(crate) crawl: CrawlName,

    /// Where to: a directory (it exists, or ends in `/`) with a file for each kind of rows, one file, or `-` for stdout
    #[arg(long, env = "KADSCOPE_EXPORT_OUT", value_name = "DIR|FILE|-")]
    pub(crate) out: PathBuf,

    /// In which format
    #[arg(long, env = "KADSCOPE_EXPORT_FORMAT", value_name = "FORMAT", value_enum, default_value_t = Format::Ndjson)]
    pub(crate) format: Format,

    /// Which rows, after commas
    #[arg(long, env = "KADSCOPE_EXPORT_WHAT", value_name = "KIND", value_parser = ListParser(EnumValueParser::<What>::new()),
          default_value = "crawl,peers,visits,neighbors")]
    pub(crate) what: Vec<List<What>>,

    /// How much to say of who was measured
    #[arg(long, env = "KADSCOPE_EXPORT_PRIVACY", value_name = "LEVEL", value_enum)]
    pub(crate) privacy: Privacy,

    /// The secret key of the pseudonyms: a file of at least 32 bytes. The same key gives the same pseudonyms
    #[arg(
        long,
        env = "KADSCOPE_EXPORT_KEY_FILE",
        value_name = "FILE",
        required_if_eq("privacy", "pseudonymised")
    )]
    pub(crate) key_file: Option<PathBuf>,

    /// Replace a file even if it is no export
    #[arg(long, env = "KADSCOPE_FORCE")]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) opt_out: OptOutArgs,
}

/// Which crawl.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CrawlName {
    /// The one that began last.
    Latest,
    /// The one with this id.
    Id(RunId),
}

impl FromStr for CrawlName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, RunId::parse(text)) {
            ("latest", _) => Ok(Self::Latest),
            (_, Some(id)) => Ok(Self::Id(id)),
            _ => Err("write the 32 digits that `kadscope crawls` shows, or `latest`".to_owned()),
        }
    }
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One JSON object a line
    Ndjson,
}

/// A kind of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// The crawl: one row that says how the others were made
    Crawl,
    /// The peers that were heard of
    Peers,
    /// What each visit showed
    Visits,
    /// Who has whom in its routing table
    Neighbors,
}

impl What {
    /// Every kind, in the order in which they are written.
    pub(crate) const ALL: [Self; 4] = [Self::Crawl, Self::Peers, Self::Visits, Self::Neighbors];

    /// What one of its rows is called.
    pub(crate) const fn one(self) -> &'static str {
        match self {
            Self::Crawl => "crawl",
            Self::Peers => "peer",
            Self::Visits => "visit",
            Self::Neighbors => "list of neighbors",
        }
    }

    /// The stem of its file.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Crawl => "crawl",
            Self::Peers => "peers",
            Self::Visits => "visits",
            Self::Neighbors => "neighbors",
        }
    }
}

/// How much is said of who was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Privacy {
    /// Everything as it was seen
    AsIs,
    /// Peer ids, IP addresses and names replaced by keyed hashes; no ports, no texts of errors
    Pseudonymised,
    /// Addresses reduced to their transports; peer ids stay
    WithoutIps,
}
