//! Where the records of a hydra are, and where else it asks.

use std::time::Duration;

use clap::{ArgAction, Args, builder::BoolishValueParser};
use http::HttpUrl;
use serde::{Serialize, Serializer};
use store::BellyUrl;

use super::super::{List, ListParser, belly_url};

/// Where records are kept if nobody says otherwise.
const DEFAULT_BELLY: &str = "kadscope-belly.sqlite";

/// Which records.
#[derive(Debug, Args, Serialize)]
#[command(next_help_heading = "Records")]
pub(crate) struct RecordsArgs {
    /// Where the records of all heads are kept: an SQLite file (sqlite:PATH, or a path ending in .sqlite, .sqlite3 or .db), a
    /// database that several hydras share (`postgres://USER@HOST/DATABASE` or `dynamodb://table=NAME`, in programs built with the feature
    /// `postgres` or `dynamodb`), or `memory`
    #[arg(long, env = "KADSCOPE_HYDRA_BELLY", value_name = "URL", default_value = DEFAULT_BELLY, value_parser = belly)]
    #[serde(serialize_with = "as_text")]
    pub(crate) belly: BellyUrl,

    /// Use the tables of a database as they are, and make none
    #[arg(long, env = "KADSCOPE_HYDRA_NO_TABLES", value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", default_value = "false", hide_default_value = true, action = ArgAction::Set,
          value_parser = BoolishValueParser::new())]
    pub(crate) no_tables: bool,

    /// Look nothing up in the background that was asked for and is not known
    #[arg(long, env = "KADSCOPE_HYDRA_NO_PREFETCH", value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", default_value = "false", hide_default_value = true, action = ArgAction::Set,
          value_parser = BoolishValueParser::new())]
    pub(crate) no_prefetch: bool,

    /// Ask these services for providers, too, by HTTP (/routing/v1): URLs, after spaces or commas
    #[arg(long, env = "KADSCOPE_HYDRA_DELEGATED", value_name = "URL", num_args = 1..,
          value_parser = ListParser(url))]
    #[serde(serialize_with = "as_texts")]
    pub(crate) delegated: Vec<List<HttpUrl>>,

    /// How long such a service may take
    #[arg(long, env = "KADSCOPE_HYDRA_DELEGATED_TIMEOUT", value_name = "TIME", default_value = "1s",
          value_parser = crawl::parse_duration)]
    #[serde(serialize_with = "crawl::as_seconds")]
    pub(crate) delegated_timeout: Duration,
}

fn belly(text: &str) -> Result<BellyUrl, String> {
    belly_url(text).map_err(|error| error.to_string())
}

fn url(text: &str) -> Result<HttpUrl, String> {
    text.parse().map_err(|error: http::HttpError| error.to_string())
}

fn as_text<S: Serializer>(belly: &BellyUrl, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(belly)
}

fn as_texts<S: Serializer>(lists: &[List<HttpUrl>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(lists.iter().flat_map(|list| &list.0).map(ToString::to_string))
}
