//! Attempts as rows and back: what a scheduler keeps of each, and an operation made of what was kept.
//!
//! Rows count in microseconds, so an operation that is read back is cut to them; its critical path is drawn anew and adds up to
//! the time that the row has.

mod back;
#[cfg(test)]
mod tests;

use std::time::Duration;

use kad::PeerId;
use schema::{Measurement, MeasurementRequest, PeerNumber, Row, Timestamp};

pub use self::back::kept_operation;
use crate::{
    CallAttempt, Operation, OperationRequest, OperationStep, explain::Culprit, operation::UnixNanos,
};

/// Everybody whom the rows of an attempt name, each once: who keeps them introduces each and numbers it.
pub fn attempt_peers(attempt: &CallAttempt) -> Vec<PeerId> {
    let publisher = attempt.publisher.iter().map(|publisher| publisher.entry.peer);
    let mut peers: Vec<PeerId> = std::iter::once(attempt.server.entry.peer).chain(publisher).collect();
    if let Some(operation) = operation_of(attempt) {
        let requests = operation.requests.iter();
        peers.extend(requests.flat_map(|request| std::iter::once(request.peer).chain(request.heard_by)));
        peers.extend(operation.culprit.iter().map(|culprit| culprit.peer));
    }
    peers.sort_unstable();
    peers.dedup();
    peers
}

/// The rows of an attempt: one for each part that was measured alone, the last of which speaks for the whole, and one for each
/// request, where the server tells of them. `scheduler` is its number in the register; a peer without a number is left out.
pub fn attempt_rows(
    attempt: &CallAttempt,
    scheduler: u32,
    number_of: &impl Fn(&PeerId) -> Option<PeerNumber>,
) -> Vec<Row> {
    let Some(peer) = number_of(&attempt.server.entry.peer) else { return Vec::new() };
    let whole = whole(attempt, scheduler, peer, number_of);
    let operation = operation_of(attempt);
    let steps = steps_of(attempt);
    let last = steps.len().saturating_sub(1);
    let mut rows: Vec<Row> = (0..)
        .zip(&steps)
        .map(|(number, step)| part(&whole, number, step, usize::from(number) == last).into())
        .collect();
    if steps.is_empty() {
        rows.push(whole.into());
    }
    let requests = operation.iter().flat_map(|operation| {
        operation.requests.iter().filter_map(|request| request_row(operation, request, number_of))
    });
    rows.extend(requests.map(|request| Row::from(MeasurementRequest { attempt: attempt.id.0, ..request })));
    rows
}

fn operation_of(attempt: &CallAttempt) -> Option<&Operation> {
    attempt.result.as_ref().ok()?.operation.as_deref()
}

/// The parts that the server measured, as it says them to anybody.
fn steps_of(attempt: &CallAttempt) -> Vec<OperationStep> {
    let measurements = attempt.result.iter().flat_map(|answer| &answer.measurements);
    let step = |step: &crate::StepMeasurement| OperationStep {
        step: step.step.clone(),
        took: Duration::from_nanos(step.duration_ns),
        error: Some(step.error.clone()).filter(|error| !error.is_empty()),
    };
    measurements.take(crate::MAX_STEPS).map(step).collect()
}

/// The row that speaks for the attempt.
fn whole(
    attempt: &CallAttempt,
    scheduler: u32,
    peer: PeerNumber,
    number_of: &impl Fn(&PeerId) -> Option<PeerNumber>,
) -> Measurement {
    let entry = &attempt.server.entry;
    let publisher = attempt.publisher.as_ref().map(|publisher| &publisher.entry);
    let answer = attempt.result.as_ref().ok();
    let row = Measurement {
        server: attempt.server.id.0,
        fleet: entry.fleet.clone(),
        region: entry.region.clone(),
        version: Some(entry.version.clone()).filter(|version| !version.is_empty()),
        scheduler,
        round: attempt.round,
        position: attempt.position,
        publisher: publisher.and_then(|publisher| number_of(&publisher.peer)),
        publisher_fleet: publisher.map(|publisher| publisher.fleet.clone()),
        publisher_region: publisher.map(|publisher| publisher.region.clone()),
        key: attempt.key.clone(),
        cid: answer.map_or_else(|| attempt.cid.clone(), |answer| answer.cid.clone()),
        strategy: entry.strategy,
        policy: attempt.connections,
        asked_at: attempt.asked_at,
        took: attempt.took(),
        more_than: attempt.more_than(),
        is_censored: attempt.is_censored(),
        outcome: attempt.outcome(),
        failure: attempt.result.as_ref().err().map(ToString::to_string),
        table_size: answer.map(|answer| answer.routing_table_size as u64),
        clock_offset: attempt.clock_offset_us.map(|offset| Duration::from_micros(offset.unsigned_abs())),
        clock_is_ahead: attempt.clock_offset_us.map(|offset| offset > 0),
        ..Measurement::planned(peer, attempt.id.0, attempt.kind, attempt.planned_at)
    };
    match operation_of(attempt) {
        Some(operation) => with_operation(row, operation, number_of),
        None => row,
    }
}

/// The same, with what the server tells of the operation.
fn with_operation(
    row: Measurement,
    operation: &Operation,
    number_of: &impl Fn(&PeerId) -> Option<PeerNumber>,
) -> Measurement {
    let Operation { counts, culprit, .. } = operation;
    Measurement {
        strategy: Some(operation.strategy),
        policy: Some(operation.policy),
        persistence: Some(operation.persistence),
        began_at: Some(timestamp(operation.began_at)),
        failure: row.failure.or_else(|| operation.failure.clone()),
        table_size: Some(operation.table_size),
        own_record: Some(operation.own_record),
        left_over: Some(operation.left_over),
        hops: operation.hops,
        requests: Some(counts.asked),
        failed_requests: Some(counts.failed),
        wasted_requests: Some(counts.wasted),
        dials: Some(counts.dials),
        failed_dials: Some(counts.failed_dials),
        bytes_in: Some(counts.bytes_in),
        bytes_out: Some(counts.bytes_out),
        cpu: Some(operation.cpu).filter(|cpu| !cpu.is_zero()),
        searched_after: operation.searched_after,
        holders: Some(counts.holders),
        holders_sent: Some(counts.holders_sent),
        size_estimate: operation.size_estimate,
        culprit: culprit.as_ref().and_then(|culprit| number_of(&culprit.peer)),
        culprit_reason: culprit.as_ref().map(Culprit::reason),
        culprit_time: culprit.as_ref().and_then(|culprit| culprit.faster_by),
        ..row
    }
}

/// The row of a part. Whatever is known of the whole stands in the last one alone.
fn part(whole: &Measurement, number: u16, step: &OperationStep, is_whole: bool) -> Measurement {
    let named = Some(step.step.clone()).filter(|step| !step.is_empty());
    if is_whole {
        let failure = whole.failure.clone().or_else(|| step.error.clone());
        return Measurement { step: named, step_number: number, is_whole, failure, ..whole.clone() };
    }
    let outcome = match &step.error {
        None => schema::OperationOutcome::Done,
        Some(_) => schema::OperationOutcome::Failed,
    };
    Measurement {
        server: whole.server,
        fleet: whole.fleet.clone(),
        region: whole.region.clone(),
        version: whole.version.clone(),
        scheduler: whole.scheduler,
        round: whole.round,
        position: whole.position,
        key: whole.key.clone(),
        cid: whole.cid.clone(),
        strategy: whole.strategy,
        asked_at: whole.asked_at,
        step: named,
        step_number: number,
        is_whole,
        took: step.took,
        outcome,
        failure: step.error.clone(),
        ..Measurement::planned(whole.peer, whole.attempt, whole.kind, whole.planned_at)
    }
}

fn request_row(
    operation: &Operation,
    request: &OperationRequest,
    number_of: &impl Fn(&PeerId) -> Option<PeerNumber>,
) -> Option<MeasurementRequest> {
    let peer = number_of(&request.peer)?;
    let dial = request.dial.as_ref();
    Some(MeasurementRequest {
        agent: request.agent.clone(),
        heard_by: request.heard_by.and_then(|by| number_of(&by)),
        hop: request.hop,
        common_prefix_len: request.common_prefix_len,
        heard_after: request.heard_after,
        asked_after: request.asked_after,
        is_follow_up: request.is_follow_up,
        dial_began_after: dial.map(|dial| dial.began_after),
        dial_ended_after: dial.map(|dial| dial.ended_after),
        transport: dial.and_then(|dial| dial.transport),
        sent_after: request.sent_after,
        ended_after: request.ended_after,
        fate: request.fate,
        failure: request.failure.clone(),
        closer: request.closer,
        providers: request.providers,
        is_critical: request.is_critical,
        read_back_after: request.read_back_after,
        has_record: request.has_record,
        ..MeasurementRequest::begun(peer, operation.id.0, request.purpose, timestamp(operation.began_at))
    })
}

fn timestamp(UnixNanos(nanos): UnixNanos) -> Timestamp {
    Timestamp(i64::try_from(nanos / 1_000).unwrap_or(i64::MAX))
}
