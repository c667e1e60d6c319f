//! Who held an operation up most.

use std::{cmp::Reverse, time::Duration};

use kad::PeerId;
use schema::RequestPurpose;

use super::{Culprit, PathPiece, PathWait, median};
use crate::operation::{Operation, OperationRequest};

/// So many of those for whom the path waits longest are looked at: for each the operation is decided anew.
const MAX_SUSPECTS: usize = 8;

/// A part of the whole below which nobody is worth naming.
const LEAST_SHARE: u32 = 10;

/// So many times what others take in the middle is slow: a dial and its handshakes take three round trips more than a request on a
/// connection that stands.
const SLOW: u32 = 4;

/// Who held it up most; `None` where nobody took longer than is usual in it. `over_without` says when it would have been over
/// without a peer, as far as what was seen tells.
pub(super) fn culprit(
    operation: &Operation,
    over_without: impl Fn(&PeerId) -> Option<Duration>,
) -> Option<Culprit> {
    let usual = usual(operation).unwrap_or_default();
    let mut suspects = suspects(operation);
    suspects.retain(|(peer, held)| {
        let slow = if is_answered(operation, peer) { SLOW * usual } else { usual };
        *held > slow && *held * LEAST_SHARE >= operation.took
    });
    suspects.truncate(MAX_SUSPECTS);
    let named = suspects.into_iter().map(|(peer, held)| {
        let faster_by = over_without(&peer).map(|over| operation.took.saturating_sub(over));
        (peer, held, faster_by)
    });
    // Of those without whom it would have been as fast the one counts for whom it waited longest, and that is the first.
    let (peer, held, faster_by) =
        named.min_by_key(|(_, held, faster_by)| Reverse(faster_by.unwrap_or(*held)))?;
    describe(operation, (peer, held), faster_by)
}

/// What is to be said of a peer that held an operation up, as somebody has found before.
pub(crate) fn known_culprit(
    operation: &Operation,
    peer: PeerId,
    faster_by: Option<Duration>,
) -> Option<Culprit> {
    let (peer, held) = suspects(operation).into_iter().find(|(known, _)| *known == peer)?;
    describe(operation, (peer, held), faster_by)
}

fn describe(
    operation: &Operation,
    (peer, held): (PeerId, Duration),
    faster_by: Option<Duration>,
) -> Option<Culprit> {
    let longest = pieces_of(operation, &peer).max_by_key(|piece| piece.took())?;
    Some(Culprit {
        peer,
        phase: phase(operation, &peer, longest),
        wait: longest.wait,
        part: longest.part,
        failure: failure(operation, &peer, longest.until),
        held,
        alike: alike(operation, &peer, longest),
        faster_by,
    })
}

fn pieces_of<'a>(operation: &'a Operation, peer: &'a PeerId) -> impl Iterator<Item = &'a PathPiece> {
    operation.critical_path.iter().filter(move |piece| piece.peer.as_ref() == Some(peer))
}

/// For whom the path waits, and how long: the longest first.
fn suspects(operation: &Operation) -> Vec<(PeerId, Duration)> {
    let mut suspects: Vec<(PeerId, Duration)> = Vec::new();
    for piece in &operation.critical_path {
        let Some(peer) = piece.peer else { continue };
        match suspects.iter_mut().find(|(known, _)| *known == peer) {
            Some((_, held)) => *held += piece.took(),
            None => suspects.push((peer, piece.took())),
        }
    }
    suspects.sort_by_key(|(_, held)| Reverse(*held));
    suspects
}

/// Whether the last request to a peer was answered.
fn is_answered(operation: &Operation, peer: &PeerId) -> bool {
    let last = operation.requests.iter().rfind(|request| request.peer == *peer);
    last.is_some_and(OperationRequest::is_answered)
}

/// How long requests that were answered took in the middle; `None` if none was.
fn usual(operation: &Operation) -> Option<Duration> {
    let answered = operation.requests.iter().filter(|request| request.is_answered());
    median(answered.filter_map(OperationRequest::took).collect())
}

/// What a peer was at for most of a piece.
fn phase(operation: &Operation, peer: &PeerId, piece: &PathPiece) -> PathWait {
    let requests = operation.requests.iter().filter(|request| request.peer == *peer);
    let phases = requests.flat_map(|request| {
        let ended = request.ended_after.unwrap_or(operation.took);
        let sent = request.sent_after.unwrap_or(ended);
        let dial = request.dial.map_or((sent, sent), |dial| (dial.began_after, dial.ended_after));
        [
            (PathWait::Queue, request.asked_after, dial.0),
            (PathWait::Dial, dial.0, dial.1),
            (PathWait::Answer, sent, ended),
        ]
    });
    let overlap =
        |from: Duration, until: Duration| until.min(piece.until).saturating_sub(from.max(piece.from));
    let longest = phases.max_by_key(|&(_, from, until)| overlap(from, until));
    longest
        .filter(|&(_, from, until)| !overlap(from, until).is_zero())
        .map_or(piece.wait, |(phase, ..)| phase)
}

/// Why the last request to a peer until then failed.
fn failure(operation: &Operation, peer: &PeerId, until: Duration) -> Option<kad::failure::Failure> {
    let until_then = |request: &&OperationRequest| {
        request.peer == *peer && request.ended_after.is_some_and(|ended| ended <= until)
    };
    operation.requests.iter().rfind(until_then)?.failure.clone()
}

/// How many other peers were waited for as long: asked no later, over no earlier.
fn alike(operation: &Operation, peer: &PeerId, piece: &PathPiece) -> u32 {
    let about = piece.took() / 20;
    let is_alike = |request: &&OperationRequest| {
        request.purpose != RequestPurpose::ReadBack
            && request.peer != *peer
            && request.asked_after <= piece.from + about
            && request.ended_after.is_none_or(|ended| ended + about >= piece.until)
    };
    let count = operation.requests.iter().filter(is_alike).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}
