//! Of which study a report is made, and where it goes.

use std::path::PathBuf;

use clap::Args;
use schema::RunId;
use store::StoreUrl;

/// Of what, and where to.
#[derive(Debug, Args)]
pub(crate) struct HoardReportArgs {
    /// Where the study is kept
    #[arg(long, env = "KADSCOPE_STORE", value_name = "URL", hide_env_values = true)]
    pub(crate) store: StoreUrl,

    /// A run of the study: with it come those that it continues and those that continue it
    #[arg(long, env = "KADSCOPE_HOARD_REPORT_RUN", value_name = "ID", value_parser = run_id)]
    pub(crate) run: RunId,

    /// A crawl in the same store whose peers are taken for the truth of who was closest
    #[arg(long, env = "KADSCOPE_HOARD_REPORT_CRAWL", value_name = "ID", value_parser = run_id)]
    pub(crate) crawl: Option<RunId>,

    /// Count holders apart whose agent has this text in its name, and all others, too
    #[arg(long, env = "KADSCOPE_HOARD_REPORT_APART", value_name = "TEXT")]
    pub(crate) apart: Option<String>,

    /// A file that says whose addresses are whose, a range and a name on each line (`192.0.2.0/24 example`): lives are told by these, too
    #[arg(long, env = "KADSCOPE_HOARD_REPORT_CLOUDS", value_name = "FILE")]
    pub(crate) clouds: Option<PathBuf>,

    /// Write the keys with their holders into this file, too, in the JSON of CID Hoarder: `hoard run --keys FILE --foreign` watches them
    #[arg(long, env = "KADSCOPE_HOARD_REPORT_HOLDERS", value_name = "FILE")]
    pub(crate) holders: Option<PathBuf>,

    /// The directory of the report: it is made, or is one in which nothing but a report is
    #[arg(long, env = "KADSCOPE_HOARD_REPORT_OUT", value_name = "DIR")]
    pub(crate) out: PathBuf,

    /// Print the numbers as JSON
    #[arg(long, env = "KADSCOPE_JSON")]
    pub(crate) json: bool,
}

/// A run as it is written.
pub(super) fn run_id(text: &str) -> Result<RunId, String> {
    RunId::parse(text).ok_or_else(|| "write the 32 digits that `kadscope runs` shows".to_owned())
}
