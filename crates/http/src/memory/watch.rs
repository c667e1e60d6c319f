//! Looks at how much memory the process has, and writes down once what holds it.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::PathBuf,
    time::Duration,
};

use rustix::param::page_size;
use serde::Serialize;
use tokio::time::{MissedTickBehavior, interval};

use super::{HoldingRow, Holdings};

/// How often memory is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// Memory of this process that is resident, in bytes; `None` where the system has no `/proc`. Source: `proc_pid_statm(5)`.
pub fn resident_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * page_size() as u64)
}

/// What holds memory, at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemoryReport {
    /// Memory of the process that is resident, in bytes.
    pub resident_bytes: u64,
    /// What it may have, in bytes.
    pub limit_bytes: u64,
    /// From which share of that on the report was to be written, in percent.
    pub share_percent: u8,
    /// What each queue, cache and pool holds, by its bound.
    pub holdings: Vec<HoldingRow>,
}

/// When what is to be written where.
#[derive(Debug, Clone)]
pub struct MemoryWatch {
    /// What the process may have, in bytes.
    pub limit_bytes: u64,
    /// The share of it from which on a report is written, in percent.
    pub share_percent: u8,
    /// Where to. A file that is there is left as it is.
    pub file: PathBuf,
}

impl MemoryWatch {
    /// Looks every second, until there was something to write. It ends when it is dropped.
    pub async fn run(self, holdings: Holdings) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let Some(resident_bytes) = resident_bytes() else { return };
            if resident_bytes.saturating_mul(100)
                >= self.limit_bytes.saturating_mul(self.share_percent.into())
            {
                self.report(resident_bytes, holdings.rows());
                return;
            }
        }
    }

    fn report(&self, resident_bytes: u64, holdings: Vec<HoldingRow>) {
        let Self { limit_bytes, share_percent, .. } = *self;
        let report = MemoryReport { resident_bytes, limit_bytes, share_percent, holdings };
        let file = self.file.display();
        match self.write(&report) {
            Ok(()) => {
                tracing::warn!(resident_bytes, limit_bytes, "memory gets short; what holds it is in {file}");
            }
            Err(error) => {
                tracing::warn!(resident_bytes, limit_bytes, %error, ?report, "memory gets short; {file} stays unwritten");
            }
        }
    }

    fn write(&self, report: &MemoryReport) -> io::Result<()> {
        let text = serde_json::to_string_pretty(report)?;
        let mut file = OpenOptions::new().write(true).create_new(true).open(&self.file)?;
        file.write_all((text + "\n").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Holding;

    #[tokio::test(start_paused = true)]
    #[cfg(target_os = "linux")]
    async fn a_report_is_written_once_and_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("report.json");
        let holdings = Holdings::default();
        holdings.add(Holding::new("rows_waiting", 10, || 4).each_of(100));
        let watch = |limit_bytes| MemoryWatch { limit_bytes, share_percent: 80, file: file.clone() };
        // Half a TiB is never reached by a test, and seconds of a paused clock pass at once.
        let never = tokio::time::timeout(EVERY * 100, watch(1 << 39).run(holdings.clone())).await;
        assert!(never.is_err() && !file.exists());
        watch(1).run(holdings.clone()).await;
        let first = fs::read_to_string(&file).unwrap();
        let report: serde_json::Value = serde_json::from_str(&first).unwrap();
        assert_eq!(report["limit_bytes"], 1);
        assert_eq!(report["holdings"][0]["bytes"], 400);
        assert!(report["resident_bytes"].as_u64() > Some(1 << 20), "{report}");
        watch(2).run(holdings).await;
        assert_eq!(fs::read_to_string(&file).unwrap(), first);
    }
}
