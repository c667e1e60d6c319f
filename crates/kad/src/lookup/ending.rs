//! When a lookup is over: the end of its search, and the follow-up.

use super::{Candidate, Enough, FollowUp, Lookup, LookupKind, PeerState, Termination};

/// What is under way with a candidate, and what came of it after the search.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OwnRequests {
    pub(super) is_open: bool,
    /// The lookup is not over before this one is.
    pub(super) is_awaited: bool,
    /// Whether it answered, for requests that ended after the search.
    pub(super) later: Option<bool>,
}

/// How far a lookup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    /// It comes closer.
    Search,
    /// The search is over, and all that it asked is waited for.
    Drain,
    /// The rest of the closest peers are asked.
    FollowUp,
    /// It is over.
    Done,
}

/// How the search ended.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    pub(super) termination: Termination,
    pub(super) is_complete: bool,
    /// The k closest that were not unreachable then.
    pub(super) closest: Vec<Candidate>,
    /// Those to be asked in the follow-up, the closest last.
    pub(super) queue: Vec<Candidate>,
    /// How many of the follow-up are waited for.
    pub(super) awaited: usize,
}

impl Lookup {
    pub(super) fn end_request(&mut self, candidate: Candidate, has_answered: bool) {
        if self.course == Course::Search {
            let state = if has_answered { PeerState::Queried } else { PeerState::Unreachable };
            self.candidates.set(candidate, state);
            self.is_unsettled = true;
            return self.settle();
        }
        let Some(request) = self.requests.get_mut(candidate.0 as usize) else { return };
        request.later = Some(has_answered);
        let was_awaited = std::mem::take(&mut request.is_awaited);
        if let Some(ending) = self.ending.as_mut().filter(|_| was_awaited) {
            ending.awaited -= 1;
        }
        self.settle_follow_up();
    }

    /// Whether there is enough of what is looked for.
    fn has_enough(&mut self) -> bool {
        let found = match self.kind {
            LookupKind::Closest => return self.is_close_enough(),
            LookupKind::Peer => return self.is_connected,
            LookupKind::Providers => self.providers.len(),
            LookupKind::Value => self.values,
        };
        match self.rules.enough {
            Enough::All => false,
            Enough::Count(count) => found > 0 && found >= count,
        }
    }

    /// Decides whether it is over, if anything speaks for that since the last time.
    pub(super) fn settle(&mut self) {
        if !std::mem::take(&mut self.is_unsettled) {
            return;
        }
        let has_enough = self.course == Course::Search && self.has_enough();
        match self.course {
            Course::Search if has_enough => self.terminate(Termination::Stopped),
            Course::Search if self.is_starved() => self.terminate(Termination::Starvation),
            Course::Search if self.have_closest_answered() => self.terminate(Termination::Completed),
            Course::FollowUp => self.settle_follow_up(),
            Course::Search | Course::Drain | Course::Done => {}
        }
    }

    const fn is_starved(&self) -> bool {
        self.candidates.heard() == 0 && self.candidates.waiting() == 0
    }

    fn have_closest_answered(&self) -> bool {
        self.candidates.closest_answered(self.rules.beta.max(1))
    }

    pub(super) fn terminate(&mut self, termination: Termination) {
        let closest: Vec<_> = self.candidates.reachable().map(|(peer, _)| peer).take(self.rules.k).collect();
        let is_complete =
            termination != Termination::Cancelled && (self.is_starved() || self.have_closest_answered());
        self.ending = Some(Ending { termination, is_complete, closest, queue: Vec::new(), awaited: 0 });
        self.course = Course::Drain;
        if self.rules.follow_up != FollowUp::Go {
            self.begin_follow_up();
        }
    }

    pub(super) fn begin_follow_up(&mut self) {
        let has_enough = self.has_enough();
        self.course = Course::Done;
        let Some(ending) = &mut self.ending else { return };
        for &candidate in ending.closest.iter().rev() {
            let request = &mut self.requests[candidate.0 as usize];
            let is_asked = match (self.candidates.state(candidate), self.rules.follow_up) {
                (Some(PeerState::Heard), FollowUp::Rest | FollowUp::Go)
                | (Some(PeerState::Waiting), FollowUp::Go) => true,
                (Some(PeerState::Waiting), FollowUp::Rest) => false,
                _ => continue,
            };
            request.is_awaited = is_asked || request.is_open;
            ending.awaited += usize::from(request.is_awaited);
            if is_asked {
                ending.queue.push(candidate);
            }
        }
        if ending.awaited == 0 {
            return;
        }
        if has_enough {
            ending.is_complete = false;
        } else {
            self.course = Course::FollowUp;
        }
    }

    /// Ends the follow-up when everybody was heard, or there is enough.
    fn settle_follow_up(&mut self) {
        if self.course != Course::FollowUp {
            return;
        }
        let has_enough = self.has_enough();
        let Some(ending) = &mut self.ending else { return };
        if ending.awaited == 0 {
            self.course = Course::Done;
        } else if has_enough {
            ending.is_complete = false;
            self.course = Course::Done;
        }
    }
}
