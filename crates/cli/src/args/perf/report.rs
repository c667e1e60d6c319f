//! Of which attempts a report is made, and where it goes.

use std::path::PathBuf;

use clap::Args;
use schema::Timestamp;
use store::StoreUrl;

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

/// A day or a moment of UTC.
fn moment(text: &str) -> Result<Timestamp, String> {
    let wrong = || format!("`{text}` is no time: 2026-11-23 and 2026-11-23T12:00:00Z are");
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let time = humantime::parse_rfc3339(&whole).map_err(|_| wrong())?;
    let since_epoch = time.duration_since(std::time::UNIX_EPOCH).map_err(|_| wrong())?;
    i64::try_from(since_epoch.as_micros()).map(Timestamp).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_moments_are_times_and_nothing_else_is() {
        assert_eq!(moment("2026-11-23"), Ok(Timestamp(1_795_392_000_000_000)));
        assert_eq!(moment("2026-11-23T00:00:01.5Z"), Ok(Timestamp(1_795_392_001_500_000)));
        for wrong in ["", "yesterday", "2026-13-01", "2026-11-23 12:00", "1969-12-31", "23.11.2026"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }
}
