//! What is kept of a lookup: a row for each request.

use kad::lookup::{Named, Rpc, Trace};
use schema::{LookupRequest, PeerNumber, Timestamp};
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
        let row = request(trace, rpc, (peer, heard_by), run.at(begun));
        run.row(row).await;
    }
}

fn request(
    trace: &Trace,
    rpc: &Rpc,
    (peer, heard_by): (PeerNumber, Option<PeerNumber>),
    lookup_started_at: Timestamp,
) -> LookupRequest {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let with = |named: &[Named]| count(named.iter().filter(|named| named.has_addresses).count());
    LookupRequest {
        peer,
        kind: trace.kind,
        key: trace.preimage.to_vec(),
        lookup_started_at,
        heard_by,
        heard_after: rpc.heard_at,
        hop: rpc.hop,
        common_prefix_len: rpc.common_prefix_len,
        asked_after: rpc.asked,
        sent_after: rpc.sent,
        ended_after: rpc.ended,
        fate: rpc.fate,
        failure: rpc.failure.clone(),
        closer: count(rpc.closer.len()),
        closer_with_addresses: with(&rpc.closer),
        providers: count(rpc.providers.len()),
        providers_with_addresses: with(&rpc.providers),
        has_value: rpc.has_value,
    }
}
