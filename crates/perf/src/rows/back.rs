//! An operation made of its rows.

use kad::{PeerId, Persistence};
use schema::{Measurement, MeasurementRequest, OperationKind, PeerNumber};

use crate::{
    Operation, OperationCounts, OperationDial, OperationId, OperationRequest, OperationTold, UnixNanos,
    explain::known_culprit,
};

/// The operation of an attempt, from the row that speaks for the whole and those of its requests, explained anew. `None` where the
/// server told nothing of what it did, as others' servers do, and of a key that was polled: what was kept is the last poll's.
pub fn kept_operation(
    row: &Measurement,
    requests: &[MeasurementRequest],
    peer_of: impl Fn(PeerNumber) -> Option<PeerId>,
) -> Option<Operation> {
    let (strategy, policy, began_at) = (row.strategy?, row.policy?, row.began_at?);
    if row.kind == OperationKind::Findable {
        return None;
    }
    let told = OperationTold {
        id: OperationId(row.attempt),
        kind: row.kind,
        key: row.key.clone(),
        strategy,
        policy,
        persistence: row.persistence.unwrap_or(Persistence::Go),
        began_at: UnixNanos(u64::try_from(began_at.0).unwrap_or(0).saturating_mul(1_000)),
        deadline: row.took,
        table_size: row.table_size.unwrap_or_default(),
        own_record: row.own_record.unwrap_or_default(),
        left_over: row.left_over.unwrap_or_default(),
        cpu: row.cpu.unwrap_or_default(),
        size_estimate: row.size_estimate,
    };
    let mut operation = Operation {
        failure: row.failure.clone(),
        hops: row.hops,
        counts: counts(row),
        searched_after: row.searched_after,
        requests: requests.iter().filter_map(|request| kept_request(request, &peer_of)).collect(),
        ..Operation::without_requests(told, row.took, row.outcome)
    };
    operation.draw_path();
    let culprit = row.culprit.and_then(peer_of);
    operation.culprit = culprit.and_then(|peer| known_culprit(&operation, peer, row.culprit_time));
    Some(operation)
}

fn counts(row: &Measurement) -> OperationCounts {
    let (asked, failed) = (row.requests.unwrap_or_default(), row.failed_requests.unwrap_or_default());
    OperationCounts {
        asked,
        answered: asked.saturating_sub(failed),
        failed,
        wasted: row.wasted_requests.unwrap_or_default(),
        dials: row.dials.unwrap_or_default(),
        failed_dials: row.failed_dials.unwrap_or_default(),
        bytes_in: row.bytes_in.unwrap_or_default(),
        bytes_out: row.bytes_out.unwrap_or_default(),
        holders: row.holders.unwrap_or_default(),
        holders_sent: row.holders_sent.unwrap_or_default(),
    }
}

fn kept_request(
    row: &MeasurementRequest,
    peer_of: impl Fn(PeerNumber) -> Option<PeerId>,
) -> Option<OperationRequest> {
    let dialled = row.dial_began_after.zip(row.dial_ended_after);
    let dial = dialled.map(|(began_after, ended_after)| OperationDial {
        began_after,
        ended_after,
        transport: row.transport,
        security: None,
        round_trip: None,
    });
    Some(OperationRequest {
        purpose: row.purpose,
        peer: peer_of(row.peer)?,
        agent: row.agent.clone(),
        heard_by: row.heard_by.and_then(peer_of),
        hop: row.hop,
        common_prefix_len: row.common_prefix_len,
        heard_after: row.heard_after,
        asked_after: row.asked_after,
        is_follow_up: row.is_follow_up,
        dial,
        sent_after: row.sent_after,
        ended_after: row.ended_after,
        fate: row.fate,
        failure: row.failure.clone(),
        closer: row.closer,
        providers: row.providers,
        bytes_in: 0,
        bytes_out: 0,
        is_critical: row.is_critical,
        read_back_after: row.read_back_after,
        has_record: row.has_record,
    })
}
