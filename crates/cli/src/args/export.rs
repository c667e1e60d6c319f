//! What can be asked of an export.

use std::{path::PathBuf, str::FromStr, time::Duration};

use clap::{
    Args, ValueEnum,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};
use report::RowKind;
use schema::{Privacy, RunId, TABLES};
use store::StoreUrl;

use super::{DEFAULT_STORE, List, ListParser, runs::tools};
use crate::manners::OptOutArgs;

/// What to export, where to, and what to leave out.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The store: an SQLite file (sqlite:PATH, or a path ending in .sqlite, .sqlite3 or .db), or a database
    /// (`postgres://USER@HOST/DATABASE`, in programs built with the feature `postgres`)
    #[arg(long, env = "KADSCOPE_STORE", value_name = "URL", default_value = DEFAULT_STORE, value_parser = super::store_url)]
    pub(crate) store: StoreUrl,

    /// Which run: its id, or `latest` of those that the options below admit [default: all that they admit; without any of
    /// them, the latest]
    #[arg(long, env = "KADSCOPE_EXPORT_RUN", value_name = "ID|latest")]
    pub(crate) run: Option<CrawlName>,

    /// Runs of one tool
    #[arg(long, env = "KADSCOPE_EXPORT_TOOL", value_name = "TOOL", value_parser = tools())]
    pub(crate) tool: Option<String>,

    /// Runs of one network, by its name
    #[arg(long, env = "KADSCOPE_EXPORT_NETWORK", value_name = "NAME")]
    pub(crate) network: Option<String>,

    /// Runs that were under way in this time until now: 48h, 90d
    #[arg(long, env = "KADSCOPE_EXPORT_SINCE", value_name = "TIME", value_parser = kad::parse::duration)]
    pub(crate) since: Option<Duration>,

    /// Runs that had begun this long ago: 24h
    #[arg(long, env = "KADSCOPE_EXPORT_UNTIL", value_name = "TIME", value_parser = kad::parse::duration)]
    pub(crate) until: Option<Duration>,

    /// Where to: a directory (it exists, or ends in `/`) with a file for each kind of rows, one file, or `-` for stdout
    #[arg(long, env = "KADSCOPE_EXPORT_OUT", value_name = "DIR|FILE|-")]
    pub(crate) out: PathBuf,

    /// In which format
    #[arg(long, env = "KADSCOPE_EXPORT_FORMAT", value_name = "FORMAT", value_enum, default_value_t = Format::Ndjson)]
    pub(crate) format: Format,

    /// Which rows, after commas [default: all that there are]
    #[arg(long, env = "KADSCOPE_EXPORT_ROWS", value_name = "KIND", value_parser = ListParser(kinds()))]
    pub(crate) rows: Vec<List<String>>,

    /// Columns that are left out, after commas: `neighbors`, for instance
    #[arg(long, env = "KADSCOPE_EXPORT_WITHOUT", value_name = "COLUMN", value_parser = ListParser(column))]
    pub(crate) without: Vec<List<String>>,

    /// How much to say of who was measured
    #[arg(long, env = "KADSCOPE_EXPORT_PRIVACY", value_name = "LEVEL", value_parser = levels())]
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

/// Which run.
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
    /// One line of a table for each row, under headings; lists are JSON
    Csv,
}

impl Format {
    /// What the names of files end in.
    pub(crate) const fn extension(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }
}

/// The kinds of rows, by what is described.
fn kinds() -> PossibleValuesParser {
    let kind = |kind: RowKind| PossibleValue::new(kind.name()).help(kind.doc().trim_end_matches('.'));
    PossibleValuesParser::new(RowKind::all().into_iter().map(kind))
}

/// A column of any kind.
fn column(name: &str) -> Result<String, String> {
    let is_column = TABLES.iter().any(|table| table.all_columns().any(|column| column.name == name));
    if is_column { Ok(name.to_owned()) } else { Err("no kind of rows has such a column".to_owned()) }
}

pub(super) fn levels() -> impl TypedValueParser<Value = Privacy> {
    let help = |level| match level {
        Privacy::AsIs => "Everything as it was seen",
        Privacy::Pseudonymised => {
            "Peer ids, IP addresses and names replaced by keyed hashes; no ports, no texts of errors"
        }
        Privacy::WithoutIps => "Addresses reduced to their transports; peer ids stay",
    };
    let values = Privacy::ALL.iter().map(|&level| PossibleValue::new(level.name()).help(help(level)));
    PossibleValuesParser::new(values).try_map(|name| Privacy::from_name(&name).ok_or("no level"))
}
