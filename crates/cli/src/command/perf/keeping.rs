//! Attempts become rows of the run.

use std::collections::HashMap;

use kad::PeerId;
use perf::{CallAttempt, attempt_peers, attempt_rows};
use schema::PeerNumber;
use store::SchedulerId;
use tokio::sync::mpsc;

use crate::keeping::ToolRun;

/// Who told a server, in rows that the server keeps itself: none of those in a register, which count from 1.
pub(super) const NO_SCHEDULER: SchedulerId = SchedulerId(0);

/// Keeps every attempt, until there are no more of them or nothing can be kept. Why that is, the run says at its end.
pub(super) async fn keep_attempts(
    run: &mut ToolRun,
    scheduler: SchedulerId,
    mut attempts: mpsc::Receiver<CallAttempt>,
) {
    let rows = run.rows();
    while let Some(attempt) = attempts.recv().await {
        if rows.as_ref().is_some_and(mpsc::Sender::is_closed) {
            return;
        }
        let mut numbers: HashMap<PeerId, PeerNumber> = HashMap::new();
        for peer in attempt_peers(&attempt) {
            numbers.insert(peer, run.peer(peer).await);
        }
        for row in attempt_rows(&attempt, scheduler.0, &|peer| numbers.get(peer).copied()) {
            run.row(row).await;
        }
    }
}
