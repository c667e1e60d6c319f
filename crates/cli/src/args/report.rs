//! Of what a report is made, over which period, and where it goes.

use std::path::PathBuf;

use clap::{
    Args,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};
use report::period::PeriodLength;
use schema::{Privacy, Timestamp};
use store::StoreUrl;

use super::{DEFAULT_STORE, export::levels, moment::moment};
use crate::manners::OptOutArgs;

/// Of what, and where to.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The store: an SQLite file (sqlite:PATH, or a path ending in .sqlite, .sqlite3 or .db), or a database
    /// (`postgres://USER@HOST/DATABASE`, in programs built with the feature `postgres`)
    #[arg(long, env = "KADSCOPE_STORE", value_name = "URL", default_value = DEFAULT_STORE, value_parser = super::store_url)]
    pub(crate) store: StoreUrl,

    /// Which network, by its name [default: the one that the store has]
    #[arg(long, env = "KADSCOPE_REPORT_NETWORK", value_name = "NAME")]
    pub(crate) network: Option<String>,

    /// What a monitor saw that watches apart from others (`kadscope monitor --apart`), by its vantage point [default: what
    /// all others saw together]
    #[arg(long, env = "KADSCOPE_REPORT_APART", value_name = "VANTAGE")]
    pub(crate) apart: Option<String>,

    /// The last period of this length in which the network was looked at: a day, an ISO week or a month of UTC, or all
    #[arg(long, env = "KADSCOPE_REPORT_PERIOD", value_name = "LENGTH", default_value = "all", value_parser = lengths())]
    pub(crate) period: PeriodLength,

    /// The first moment: 2026-11-23, or 2026-11-23T12:00:00Z (UTC)
    #[arg(long, env = "KADSCOPE_REPORT_FROM", value_name = "TIME", value_parser = moment, requires = "to", conflicts_with = "period")]
    pub(crate) from: Option<Timestamp>,

    /// The moment before which it ends
    #[arg(long, env = "KADSCOPE_REPORT_TO", value_name = "TIME", value_parser = moment, requires = "from")]
    pub(crate) to: Option<Timestamp>,

    /// The directory of the report: it is made, or is one in which nothing but a report is
    #[arg(long, env = "KADSCOPE_REPORT_OUT", value_name = "DIR")]
    pub(crate) out: PathBuf,

    /// Print the numbers as JSON
    #[arg(long, env = "KADSCOPE_JSON")]
    pub(crate) json: bool,

    /// How much to say of who was measured
    #[arg(long, env = "KADSCOPE_REPORT_PRIVACY", value_name = "LEVEL", default_value = "without-ips", value_parser = levels())]
    pub(crate) privacy: Privacy,

    /// The secret key of the pseudonyms: a file of at least 32 bytes. The same key gives the same pseudonyms
    #[arg(
        long,
        env = "KADSCOPE_REPORT_KEY_FILE",
        value_name = "FILE",
        required_if_eq("privacy", "pseudonymised")
    )]
    pub(crate) key_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) opt_out: OptOutArgs,
}

fn lengths() -> impl TypedValueParser<Value = PeriodLength> {
    let names = PeriodLength::ALL.iter().map(|length| PossibleValue::new(length.name()));
    PossibleValuesParser::new(names).try_map(|name| {
        PeriodLength::from_name(&name).ok_or_else(|| format!("there is no period of the length {name}"))
    })
}
