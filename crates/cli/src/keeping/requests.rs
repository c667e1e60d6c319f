//! What is kept of a lookup: a row for each request.

use kad::lookup::Trace;
use schema::LookupRequest;
use tokio::time::Instant;

use super::ToolRun;

/// Keeps the requests of a lookup that began at `begun`, if rows are kept.
pub(crate) async fn trace(run: &mut ToolRun, trace: &Trace, begun: Instant) {
    if !run.is_kept() {
        return;
    }
    for rpc in &trace.rpcs {
        let Some(peer) = trace.peer(rpc.peer) else { continue };
        let peer = run.peer(peer).await;
        let heard_by = match rpc.heard_by.and_then(|by| trace.peer(by)) {
            None => None,
            Some(by) => Some(run.peer(by).await),
        };
        let row = LookupRequest::of(trace, rpc, (peer, heard_by), run.at(begun));
        run.row(row).await;
    }
}
