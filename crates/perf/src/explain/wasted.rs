//! What became of the requests of an operation, what they cost, and which of their answers nobody needed.

use std::collections::HashSet;

use kad::{PeerId, lookup::RpcFate};
use schema::RequestPurpose;

use crate::operation::{Operation, OperationCounts, OperationRequest};

/// Counts the requests. Those that read records back cost nothing that belongs to the operation.
pub(super) fn counts(operation: &Operation, closest: &HashSet<PeerId>) -> OperationCounts {
    let needed = Needed::of(operation, closest);
    let mut answered_before = HashSet::new();
    let mut counts = OperationCounts::default();
    for request in operation.requests.iter().filter(|request| request.purpose != RequestPurpose::ReadBack) {
        counts.asked += 1;
        counts.answered += u32::from(request.is_answered());
        counts.failed += u32::from(request.fate == RpcFate::Failed);
        counts.dials += u32::from(request.dial.is_some());
        let is_in_vain = request.dial.is_some_and(|dial| dial.transport.is_none());
        counts.failed_dials += u32::from(is_in_vain && request.fate != RpcFate::Cancelled);
        counts.bytes_in += request.bytes_in;
        counts.bytes_out += request.bytes_out;
        if request.is_gift() {
            counts.holders += 1;
            counts.holders_sent += u32::from(request.has_left());
        } else if request.fate == RpcFate::Answered {
            // By Go's rules some are asked for what they have said.
            let is_first = answered_before.insert(request.peer);
            counts.wasted += u32::from(!is_first || !needed.is(request));
        }
    }
    counts
}

/// On whose answers something hung.
struct Needed<'a> {
    /// Who was to be found, or named somebody who was asked or given something.
    peers: HashSet<&'a PeerId>,
    /// Whether providers were looked for.
    finds_providers: bool,
}

impl<'a> Needed<'a> {
    fn of(operation: &'a Operation, closest: &'a HashSet<PeerId>) -> Self {
        let named_by = operation.requests.iter().filter_map(|request| request.heard_by.as_ref());
        Self { peers: named_by.chain(closest).collect(), finds_providers: operation.counts_providers() }
    }

    fn is(&self, request: &OperationRequest) -> bool {
        let found = self.finds_providers && request.providers > 0;
        found || request.is_critical || self.peers.contains(&request.peer)
    }
}

impl Operation {
    /// Whether it looks for providers.
    const fn counts_providers(&self) -> bool {
        !matches!(self.kind, schema::OperationKind::Provide)
    }
}
