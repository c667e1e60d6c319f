//! What a study tells becomes rows of the run.

use std::collections::HashMap;

use hoard::{HoardFact, hoard_peers, hoard_rows};
use kad::PeerId;
use schema::PeerNumber;
use tokio::sync::mpsc;

use crate::keeping::ToolRun;

/// Keeps every fact, until there are no more of them or nothing can be kept. Why that is, the run says at its end.
pub(super) async fn keep_facts(run: &mut ToolRun, mut facts: mpsc::Receiver<HoardFact>) {
    let rows = run.rows();
    while let Some(fact) = facts.recv().await {
        if rows.as_ref().is_some_and(mpsc::Sender::is_closed) {
            return;
        }
        let mut numbers: HashMap<PeerId, PeerNumber> = HashMap::new();
        for peer in hoard_peers(&fact) {
            numbers.insert(peer, run.peer(peer).await);
        }
        for row in hoard_rows(&fact, &|peer| numbers.get(peer).copied()) {
            run.row(row).await;
        }
    }
}
