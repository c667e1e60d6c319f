//! Of which attempts a report is made, and where it goes.

use std::path::PathBuf;

use clap::Args;
use schema::Timestamp;
use store::StoreUrl;

use crate::args::moment::moment;

/// Of what, and where to.
#[derive(Debug, Args)]
pub(crate) struct PerfReportArgs {
    /// Where the attempts are kept
    #[arg(long, env = "KADSCOPE_STORE", value_name = "URL", hide_env_values = true)]
    pub(crate) store: StoreUrl,

    /// The first moment: 2026-11-23, or 2026-11-23T12:00:00Z (UTC) [default: that of the first attempt]
    #[arg(long, env = "KADSCOPE_PERF_REPORT_FROM", value_name = "TIME", value_parser = moment)]
    pub(crate) from: Option<Timestamp>,

    /// The moment before which it ends [default: after the last attempt]
    #[arg(long, env = "KADSCOPE_PERF_REPORT_TO", value_name = "TIME", value_parser = moment)]
    pub(crate) to: Option<Timestamp>,

    /// The directory of the report: it is made, or is one in which nothing but a report is
    #[arg(long, env = "KADSCOPE_PERF_REPORT_OUT", value_name = "DIR")]
    pub(crate) out: PathBuf,

    /// Print the numbers as JSON
    #[arg(long, env = "KADSCOPE_JSON")]
    pub(crate) json: bool,
}
