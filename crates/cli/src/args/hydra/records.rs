//! Where the records of a hydra are, and where else it asks.

use std::time::Duration;

use clap::{
    ArgAction, Args,
    builder::{BoolishValueParser, PossibleValuesParser, TypedValueParser as _},
};
use http::HttpUrl;
use hydra::FindStrategy;
use serde::{Serialize, Serializer};
use store::BellyUrl;

use super::super::belly_url;

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

    /// Ask this service for providers, too, by HTTP (/routing/v1 below the URL)
    #[arg(long, env = "KADSCOPE_HYDRA_DELEGATED", value_name = "URL", value_parser = url)]
    #[serde(serialize_with = "as_url")]
    pub(crate) delegated: Option<HttpUrl>,

    /// When it is asked: at once, when the belly has answered, or when the belly has nobody
    #[arg(long, env = "KADSCOPE_HYDRA_DELEGATED_STRATEGY", value_name = "WHEN", default_value_t = FindStrategy::OnMiss,
          value_parser = PossibleValuesParser::new(FindStrategy::ALL.iter().map(|strategy| strategy.name())).try_map(strategy))]
    #[serde(serialize_with = "as_name")]
    pub(crate) delegated_strategy: FindStrategy,

    /// How long it may take
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

fn strategy(name: String) -> Result<FindStrategy, String> {
    FindStrategy::from_name(&name).ok_or(name)
}

#[expect(clippy::ref_option, reason = "serde hands the field over")]
fn as_url<S: Serializer>(url: &Option<HttpUrl>, serializer: S) -> Result<S::Ok, S::Error> {
    url.as_ref().map(ToString::to_string).serialize(serializer)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands the field over")]
fn as_name<S: Serializer>(strategy: &FindStrategy, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(strategy.name())
}
