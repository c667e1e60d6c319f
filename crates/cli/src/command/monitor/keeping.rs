//! What a monitor tells becomes rows of the run.

use monitor::running::{MonitorFact, monitor_row};
use tokio::sync::mpsc;

use crate::keeping::ToolRun;

/// Keeps every fact, until there are no more of them or nothing can be kept. Why that is, the run says at its end.
pub(super) async fn keep_facts(run: &ToolRun, mut facts: mpsc::Receiver<MonitorFact>) {
    let rows = run.rows();
    while let Some(fact) = facts.recv().await {
        if rows.as_ref().is_some_and(mpsc::Sender::is_closed) {
            return;
        }
        if let Some(row) = monitor_row(fact) {
            run.row(row).await;
        }
    }
}
