//! The critical path, found backwards from the end of an operation.

use std::{cmp::Reverse, time::Duration};

use kad::{PeerId, lookup::RpcFate};
use schema::{OperationOutcome, RequestPurpose, Strategy};

use super::{MAX_PIECES, PathPart, PathPiece, PathWait};
use crate::operation::{Operation, OperationRequest};

/// How long go-libp2p-kad-dht's full routing table waits for those who are asked (`timeoutPerOp`).
const FULL_TABLE_LIMIT: Duration = Duration::from_secs(5);

/// What an operation waited for, in order: from its beginning to its end, without a gap.
pub(super) fn path(operation: &Operation) -> Vec<PathPiece> {
    let mut walk = Walk {
        operation,
        cursor: operation.took,
        pieces: Vec::new(),
        is_passed: vec![false; operation.requests.len()],
    };
    let mut next = walk.end();
    while let Some(request) = next.filter(|_| walk.has_room()) {
        next = walk.through(request);
    }
    walk.close()
}

/// The way backwards.
struct Walk<'a> {
    operation: &'a Operation,
    /// How far it came.
    cursor: Duration,
    /// The last piece first.
    pieces: Vec<PathPiece>,
    /// Whether it went through the request in this position.
    is_passed: Vec<bool>,
}

/// Something that let an operation go on: a request ended, or a record left.
struct Turn {
    at: Duration,
    request: usize,
}

impl<'a> Walk<'a> {
    /// The request whose end let the operation end; `None` if none was made.
    fn end(&mut self) -> Option<usize> {
        let Operation { took, outcome, .. } = *self.operation;
        if matches!(outcome, OperationOutcome::TimedOut | OperationOutcome::Cancelled)
            && let Some(held) = self.longest_under_way(took)
        {
            return Some(held);
        }
        let last = self.latest(took, None)?;
        if last.at < took {
            let held = self.longest_under_way(took);
            let wait = match (self.operation.strategy, held) {
                (Strategy::FullRt, Some(_)) if took < FULL_TABLE_LIMIT => PathWait::Tick,
                (Strategy::FullRt, Some(_)) => PathWait::Limit,
                _ => PathWait::Own,
            };
            let held = held.filter(|_| wait != PathWait::Own);
            let part = part_of(self.request(last.request)?);
            self.back_to(last.at, (part, wait), held, held.and_then(|held| Some(self.request(held)?.peer)));
        }
        Some(last.request)
    }

    /// Goes through a request, to whatever let it be made; `None` at the beginning.
    fn through(&mut self, position: usize) -> Option<usize> {
        *self.is_passed.get_mut(position)? = true;
        let request = self.request(position)?;
        let (part, asked) = (part_of(request), request.asked_after);
        let is_search = part == PathPart::Search;
        let searched = self.operation.searched_after.filter(|&searched| is_search && asked < searched);
        let (held, peer) = (Some(position), Some(request.peer));
        let mut phase = |from: Duration, wait| self.back_to(from, (part, wait), held, peer);
        if let Some(searched) = searched {
            phase(searched, PathWait::InFlight);
        }
        if let Some(sent) = request.sent_after {
            phase(sent, PathWait::Answer);
        }
        if let Some(dial) = request.dial {
            phase(dial.ended_after, PathWait::Own);
            phase(dial.began_after, PathWait::Dial);
        }
        phase(asked, PathWait::Queue);
        let (from, by) = (request.heard_after.min(asked), request.heard_by);
        if is_search && from < self.cursor {
            let held = self.longest_within(from, self.cursor).map(|held| held.peer);
            self.back_to(from, (part, PathWait::Slot), Some(position), held);
        }
        if self.cursor.is_zero() {
            return None;
        }
        let named_by = by.filter(|_| is_search).and_then(|by| self.latest_of(self.cursor, &by));
        let before = named_by.or_else(|| self.latest(self.cursor, by.as_ref()))?;
        self.back_to(before.at, (part, PathWait::Own), None, None);
        Some(before.request)
    }

    fn request(&self, position: usize) -> Option<&'a OperationRequest> {
        self.operation.requests.get(position)
    }

    /// The last thing until then that let the operation go on. Of those at the same time who named the peer in question comes first,
    /// then who named a provider, then who was asked last.
    fn latest(&self, until: Duration, by: Option<&PeerId>) -> Option<Turn> {
        let turns = self.turns(until).max_by_key(|(turn, request)| {
            (turn.at, Some(&request.peer) == by, request.providers > 0, turn.request)
        });
        turns.map(|(turn, _)| turn)
    }

    /// The same, of one peer that named others.
    fn latest_of(&self, until: Duration, peer: &PeerId) -> Option<Turn> {
        let is_it =
            |request: &OperationRequest| request.peer == *peer && request.purpose == RequestPurpose::Find;
        let turns = self.turns(until).filter(|(_, request)| is_it(request));
        turns.max_by_key(|(turn, _)| turn.at).map(|(turn, _)| turn)
    }

    fn turns(&self, until: Duration) -> impl Iterator<Item = (Turn, &'a OperationRequest)> {
        let counted = self.operation.requests.iter().enumerate().zip(&self.is_passed);
        counted.filter(|(_, is_passed)| !**is_passed).filter_map(move |((position, request), _)| {
            Some((Turn { at: turned(request, until)?, request: position }, request))
        })
    }

    /// Of those that were under way at that time the one that was made first.
    fn longest_under_way(&self, at: Duration) -> Option<usize> {
        // Of a publication that was not given up those that have left are done, whatever their peers make of them.
        let is_done = self.operation.outcome == OperationOutcome::Done;
        let is_under_way = |request: &OperationRequest| {
            request.purpose != RequestPurpose::ReadBack
                && request.asked_after < at
                && request.ended_after.is_none_or(|ended| ended >= at)
                && !(is_done
                    && request.purpose == RequestPurpose::Give
                    && request.sent_after.is_some_and(|sent| sent <= at))
        };
        let under_way =
            self.operation.requests.iter().enumerate().filter(|(_, request)| is_under_way(request));
        under_way.min_by_key(|(_, request)| request.asked_after).map(|(position, _)| position)
    }

    /// Who was asked for most of that time, of those who took up a place in the search.
    fn longest_within(&self, from: Duration, until: Duration) -> Option<&'a OperationRequest> {
        let overlap = |request: &OperationRequest| {
            let ended = request.ended_after.unwrap_or(until).min(until);
            ended.saturating_sub(request.asked_after.max(from))
        };
        let asked = self.operation.requests.iter().filter(|request| part_of(request) == PathPart::Search);
        asked.max_by_key(|request| (overlap(request), Reverse(request.asked_after)))
    }

    /// Goes back in time; nowhere if it is there already.
    fn back_to(
        &mut self,
        from: Duration,
        (part, wait): (PathPart, PathWait),
        request: Option<usize>,
        peer: Option<PeerId>,
    ) {
        if from < self.cursor {
            self.pieces.push(PathPiece { part, wait, from, until: self.cursor, request, peer });
            self.cursor = from;
        }
    }

    /// Whether there is room for all pieces of one more request, and the first one.
    const fn has_room(&self) -> bool {
        self.pieces.len() + 8 <= MAX_PIECES
    }

    fn close(mut self) -> Vec<PathPiece> {
        let part = self.pieces.last().map_or(PathPart::Search, |piece| piece.part);
        self.back_to(Duration::ZERO, (part, PathWait::Own), None, None);
        self.pieces.reverse();
        self.pieces
    }
}

/// When a request let the operation go on, until then at the latest: with its end, or, of a record on its way, when it left, since
/// publishers by Go's rules await no more. What was given up lets nobody go on.
fn turned(request: &OperationRequest, until: Duration) -> Option<Duration> {
    let is_given = request.purpose == RequestPurpose::Give;
    let ended = request.ended_after.filter(|_| request.fate != RpcFate::Cancelled);
    match request.purpose {
        RequestPurpose::ReadBack => None,
        _ => ended
            .filter(|&ended| ended <= until)
            .or(request.sent_after.filter(|&sent| is_given && sent <= until)),
    }
}

fn part_of(request: &OperationRequest) -> PathPart {
    match request.purpose {
        RequestPurpose::Find if request.is_follow_up => PathPart::FollowUp,
        RequestPurpose::Find => PathPart::Search,
        RequestPurpose::Give | RequestPurpose::ReadBack => PathPart::Give,
    }
}
