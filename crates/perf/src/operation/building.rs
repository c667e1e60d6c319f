//! Operations made of what `dht` says of publications and lookups, on one clock: that of the operation.

use std::{collections::HashSet, time::Duration};

use dht::{Found, Gift, Publication, PublishFailure};
use kad::{
    Key, Persistence,
    failure::FailureClass,
    lookup::{Rpc, RpcDial, RpcFate, Termination, Trace},
};
use schema::{ConnectionPolicy, OperationKind, OperationOutcome, RequestPurpose, Strategy};

use crate::explain::{faster_found, faster_published};

use super::{
    MAX_REQUESTS, Operation, OperationCounts, OperationDial, OperationId, OperationRequest, UnixNanos,
};

/// What a server knows of an operation beside its requests.
#[derive(Debug, Clone)]
pub struct OperationTold {
    /// Names it.
    pub id: OperationId,
    /// What was to be done.
    pub kind: OperationKind,
    /// What was published or looked for: a multihash.
    pub key: Vec<u8>,
    /// How.
    pub strategy: Strategy,
    /// Which connections there were when it began.
    pub policy: ConnectionPolicy,
    /// How far it goes to reach all of the closest.
    pub persistence: Persistence,
    /// When it began, by the server's clock.
    pub began_at: UnixNanos,
    /// After how long it is over, whatever came of it.
    pub deadline: Duration,
    /// Peers in the server's routing table afterwards.
    pub table_size: u64,
    /// Whether the record was found in the server's own store.
    pub own_record: bool,
    /// Whether it came by a connection to its publisher that was left over.
    pub left_over: bool,
    /// The time of the threads that did it; zero if it was not measured.
    pub cpu: Duration,
    /// How large the server takes the network to be; `None` if it does not know.
    pub size_estimate: Option<u64>,
}

impl Operation {
    /// One that made no request: it was denied, answered from the server's own store, or over before it began.
    pub fn without_requests(told: OperationTold, took: Duration, outcome: OperationOutcome) -> Self {
        Self {
            id: told.id,
            kind: told.kind,
            key: told.key,
            strategy: told.strategy,
            policy: told.policy,
            persistence: told.persistence,
            began_at: told.began_at,
            took,
            outcome,
            failure: None,
            steps: Vec::new(),
            table_size: told.table_size,
            own_record: told.own_record,
            left_over: told.left_over,
            hops: None,
            requests: Vec::new(),
            counts: OperationCounts::default(),
            cpu: told.cpu,
            searched_after: None,
            critical_path: Vec::new(),
            culprit: None,
            size_estimate: told.size_estimate,
        }
    }

    /// A publication, explained. Of records that are still on their way it is not known how their peers were dialled: more is known of
    /// a publication that has [settled](Publication::settle), which takes no longer by this.
    pub fn of_publication(told: OperationTold, publication: &Publication) -> Self {
        let outcome = match publication.outcome {
            Ok(()) => OperationOutcome::Done,
            Err(PublishFailure::TimedOut) => OperationOutcome::TimedOut,
            Err(PublishFailure::Cancelled) => OperationOutcome::Cancelled,
            Err(_) => OperationOutcome::Failed,
        };
        let failure = publication.outcome.err().map(|failure| failure.name().to_owned());
        let key = told.key.clone();
        let mut operation = Self { failure, ..Self::without_requests(told, publication.took, outcome) };
        // Lookups tell their times from their own beginning, and the first begins with the publication.
        let begun = publication.lookups.first().map(|found| found.begun);
        for found in &publication.lookups {
            let offset = begun.map_or(Duration::ZERO, |begun| found.begun.saturating_duration_since(begun));
            operation.take_lookup(found, offset);
        }
        let heard = operation.requests.clone();
        operation.requests.extend(publication.gifts.iter().map(|gift| given(gift, &key, &heard)));
        operation.requests.truncate(MAX_REQUESTS);
        operation.hops =
            publication.lookups.iter().filter_map(|found| found.outcome.hops).max().map(u32::from);
        let closest = publication.gifts.iter().map(|gift| gift.to.peer).collect();
        let how = (operation.strategy, operation.persistence);
        operation.explain(&closest, |peer| faster_published(how, publication, peer));
        operation
    }

    /// A lookup of providers, explained. It took until the first provider was heard of, or, if none was, until it was over.
    pub fn of_found(told: OperationTold, found: &Found) -> Self {
        let first = found.providers.iter().map(|provider| provider.heard_at).min();
        let took = first.unwrap_or(found.took);
        let outcome = match (first, found.outcome.termination) {
            (Some(_), _) => OperationOutcome::Done,
            (None, Termination::Cancelled) if took >= told.deadline => OperationOutcome::TimedOut,
            (None, Termination::Cancelled) => OperationOutcome::Cancelled,
            (None, _) => OperationOutcome::NotFound,
        };
        let mut operation = Self::without_requests(told, took, outcome);
        operation.take_lookup(found, Duration::ZERO);
        operation.requests.truncate(MAX_REQUESTS);
        let finder = operation.requests.iter().find(|request| request.providers > 0 && first.is_some());
        operation.hops = finder.map(|finder| finder.hop).or_else(|| found.outcome.hops.map(u32::from));
        // Who is found needs nobody else.
        let closest = match first {
            Some(_) => HashSet::new(),
            None => found.outcome.closest.iter().map(|closest| closest.peer).collect(),
        };
        operation.explain(&closest, |peer| faster_found(found, peer));
        operation
    }

    fn take_lookup(&mut self, found: &Found, offset: Duration) {
        let Found { trace, .. } = found;
        let requests = trace.rpcs.iter().filter_map(|rpc| found_by(trace, rpc, offset));
        self.requests.extend(requests);
        self.searched_after = trace.searched.map(|searched| offset + searched).or(self.searched_after);
    }
}

/// A request of a lookup; `None` for a peer whose id is none.
fn found_by(trace: &Trace, rpc: &Rpc, offset: Duration) -> Option<OperationRequest> {
    Some(OperationRequest {
        purpose: RequestPurpose::Find,
        peer: trace.peer(rpc.peer)?,
        agent: None,
        heard_by: rpc.heard_by.and_then(|by| trace.peer(by)),
        hop: rpc.hop.into(),
        common_prefix_len: rpc.common_prefix_len,
        heard_after: offset + rpc.heard_at,
        asked_after: offset + rpc.asked,
        is_follow_up: rpc.is_follow_up,
        dial: rpc.dial.map(|dial| later_dial(dial, offset)),
        sent_after: rpc.sent.map(|sent| offset + sent),
        ended_after: rpc.ended.map(|ended| offset + ended),
        fate: rpc.fate,
        failure: rpc.failure.clone(),
        closer: count(rpc.closer.len()),
        providers: count(rpc.providers.len()),
        bytes_in: rpc.traffic.received_bytes,
        bytes_out: rpc.traffic.sent_bytes,
        is_critical: false,
        read_back_after: None,
        has_record: None,
    })
}

/// A record on its way to a peer, of which the requests before it say where it was heard of.
fn given(gift: &Gift, key: &[u8], heard: &[OperationRequest]) -> OperationRequest {
    let known = heard.iter().find(|request| request.peer == gift.to.peer);
    let (fate, failure) = match &gift.sent {
        None => (RpcFate::Open, None),
        Some(Ok(())) => (RpcFate::Unconfirmed, None),
        Some(Err(failure)) if failure.class == FailureClass::Cancelled => (RpcFate::Cancelled, None),
        Some(Err(failure)) => (RpcFate::Failed, Some(failure.clone())),
    };
    let handshake = gift.dialled.as_ref().map(|dialled| dialled.traffic).unwrap_or_default();
    let dial = gift.dialled.as_ref().map(|dialled| dial_row(dialled.row(gift.begun_after)));
    OperationRequest {
        purpose: RequestPurpose::Give,
        peer: gift.to.peer,
        agent: None,
        heard_by: known.and_then(|known| known.heard_by),
        hop: known.map_or(0, |known| known.hop),
        common_prefix_len: Key::of(key).common_prefix_len(&Key::of(&gift.to.peer.to_bytes())),
        heard_after: known.map_or(gift.begun_after, |known| known.heard_after),
        asked_after: gift.begun_after,
        is_follow_up: false,
        dial,
        sent_after: gift.sent_after,
        ended_after: gift.ended_after,
        fate,
        failure,
        closer: 0,
        providers: 0,
        bytes_in: handshake.received_bytes,
        bytes_out: handshake.sent_bytes,
        is_critical: false,
        read_back_after: None,
        has_record: None,
    }
}

/// A dial on the operation's clock.
pub(super) fn dial_row(dial: RpcDial) -> OperationDial {
    later_dial(dial, Duration::ZERO)
}

fn later_dial(dial: RpcDial, offset: Duration) -> OperationDial {
    OperationDial {
        began_after: offset + dial.began,
        ended_after: offset + dial.ended,
        transport: dial.over.map(|(transport, _)| transport),
        security: dial.over.map(|(_, security)| security),
        round_trip: dial.round_trip,
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
