//! Which operations are explained.

use clap::Args;
use perf::OperationId;
use store::StoreUrl;

/// The most operations that are explained one by one.
const MAX_SHOWN: u64 = 1_000;

/// Which.
#[derive(Debug, Args)]
pub(crate) struct PerfExplainArgs {
    /// Where the attempts are kept
    #[arg(long, env = "KADSCOPE_STORE", value_name = "URL", hide_env_values = true)]
    pub(crate) store: StoreUrl,

    /// Explain this operation alone: its 32 hexadecimal digits
    #[arg(long, env = "KADSCOPE_PERF_EXPLAIN_OPERATION", value_name = "ID", conflicts_with_all = ["slowest", "failed"])]
    pub(crate) operation: Option<OperationId>,

    /// Explain the N slowest
    #[arg(
        long,
        env = "KADSCOPE_PERF_EXPLAIN_SLOWEST",
        value_name = "N",
        default_value_t = 1,
        value_parser = clap::value_parser!(u64).range(1..=MAX_SHOWN)
    )]
    pub(crate) slowest: u64,

    /// Of those alone that came to nothing: failed, timed out, or found nothing of what was published
    #[arg(long, env = "KADSCOPE_PERF_EXPLAIN_FAILED")]
    pub(crate) failed: bool,

    /// Print them, with every request, as JSON
    #[arg(long, env = "KADSCOPE_JSON")]
    pub(crate) json: bool,
}
