//! Why an operation took as long as it did: its critical path, who held it up, and which of its requests nobody needed.
//!
//! Everything here follows from the operation's requests and the rules of its strategy: it reads no clock and asks nobody, so an
//! operation that was kept is explained in the same way as one that has just ended. The path goes backwards from the end: the
//! request whose end let it end, whoever named the peer of that request, and so on to the beginning. Its pieces follow each other
//! without a gap, so that they add up to what the operation took, to the nanosecond.

mod culprit;
mod path;
mod tally;
#[cfg(test)]
mod tests;
mod wasted;
mod without;

use std::{collections::HashSet, time::Duration};

use kad::{PeerId, failure::Failure};
use serde::{Deserialize, Serialize};

pub(crate) use self::culprit::known_culprit;
pub use self::tally::{ExplainSummary, ExplainTally, HeldUpBy, WaitShare};
pub(crate) use self::without::{faster_found, faster_published};
use crate::operation::{Operation, written};

/// The most pieces of a path: four for each answer that can lead to a peer.
pub const MAX_PIECES: usize = 1280;

kad::named! {
    /// What an operation was waiting for, for a while.
    pub enum PathWait: serde {
        /// For a place among the connections, or for the dial that somebody else had begun.
        Queue = "queue",
        /// For a dial.
        Dial = "dial",
        /// For what was asked of a peer: from when it was sent until it ended.
        Answer = "answer",
        /// For one of the lookup's few requests at a time to end, before the next peer was asked.
        Slot = "slot",
        /// The search was over, and what it had asked was waited for, as Go's rules have it.
        InFlight = "in_flight",
        /// For the next tick of a strategy that looks around from time to time.
        Tick = "tick",
        /// For a limit of time.
        Limit = "limit",
        /// For this program.
        Own = "own",
    }
}

kad::named! {
    /// The part of an operation to which a piece of its path belongs.
    pub enum PathPart: serde {
        /// The search for the closest peers, or for what is looked for.
        Search = "search",
        /// The rest of the closest are asked.
        FollowUp = "follow_up",
        /// The record is given to the closest.
        Give = "give",
    }
}

/// A piece of a critical path: what the operation was waiting for meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathPiece {
    /// To which part it belongs.
    pub part: PathPart,
    /// For what it waited.
    pub wait: PathWait,
    /// From when, since the beginning of the operation.
    #[serde(rename = "from_ns", with = "written")]
    pub from: Duration,
    /// Until when.
    #[serde(rename = "until_ns", with = "written")]
    pub until: Duration,
    /// The position of the request that it belongs to; `None` where it waited for no peer.
    pub request: Option<usize>,
    /// Who held it up: the peer of the request, or the one whose request had to end first; `None` where it waited for nobody.
    #[serde(default, with = "written", skip_serializing_if = "Option::is_none")]
    pub peer: Option<PeerId>,
}

impl PathPiece {
    /// How long it is.
    pub fn took(&self) -> Duration {
        self.until.saturating_sub(self.from)
    }
}

/// Who held an operation up most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Culprit {
    /// Who.
    #[serde(with = "written")]
    pub peer: PeerId,
    /// What of it took so long: its dial, its answer, or the wait before either.
    pub phase: PathWait,
    /// By what rule the operation waited for it: the same, or one that waits for some of many.
    pub wait: PathWait,
    /// In which part of the operation.
    pub part: PathPart,
    /// Why it was waited for in vain; `None` if it answered in the end, or was not waited for any longer.
    #[serde(default, with = "written", skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// How long the critical path waits for it, in all.
    #[serde(rename = "held_ns", with = "written")]
    pub held: Duration,
    /// How many others held it up just as long beside this one.
    pub alike: u32,
    /// How much faster it would have been without this peer, by the same rules; `None` where what was seen does not tell.
    #[serde(rename = "faster_by_ns", default, with = "written")]
    pub faster_by: Option<Duration>,
}

impl Culprit {
    /// What of it took so long and what came of that, as rows keep it: `dial: timeout`, `answer: slow`.
    pub fn reason(&self) -> String {
        let end = self.failure.as_ref().map_or("slow", |failure| failure.class.name());
        format!("{}: {end}", self.phase)
    }
}

impl Operation {
    /// Finds out why it took so long. `closest` are the peers that it was to find, and `faster` says when it would have been over
    /// without a peer, as far as what was seen tells.
    pub(crate) fn explain(
        &mut self,
        closest: &HashSet<PeerId>,
        faster: impl Fn(&PeerId) -> Option<Duration>,
    ) {
        self.draw_path();
        self.counts = wasted::counts(self, closest);
        self.culprit = culprit::culprit(self, faster);
    }

    /// Finds the critical path anew, from the requests alone.
    pub fn draw_path(&mut self) {
        self.critical_path = path::path(self);
        for request in &mut self.requests {
            request.is_critical = false;
        }
        for position in self.critical_path.iter().filter_map(|piece| piece.request) {
            if let Some(request) = self.requests.get_mut(position) {
                request.is_critical = true;
            }
        }
    }
}

/// The one in the middle; `None` of none.
fn median(mut times: Vec<Duration>) -> Option<Duration> {
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}
