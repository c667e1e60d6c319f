//! A session of a peer as a report takes it in: between which two looks it came, and between which two it went.

use schema::{SessionEnd, Timestamp};

/// What looks said of one stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenStay {
    /// The last look before it that found the peer down began; `None` if no look did.
    pub came_after: Option<Timestamp>,
    /// The first successful look began.
    pub first_up: Timestamp,
    /// That look ended: the peer was up by then.
    pub came_by: Timestamp,
    /// The last successful look began: the peer was still up.
    pub last_up: Timestamp,
    /// How it ended; `None` while it is not over.
    pub end: Option<StayEnd>,
}

/// How a stay ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StayEnd {
    /// The first of the failed looks that ended it ended: the peer was gone by then.
    GoneBy(Timestamp),
    /// Nothing clear was heard of the peer for too long: when it went, or whether, is not known.
    LostSight,
}

impl SeenStay {
    /// How it ended, by what a row says of it.
    pub(crate) fn ended(ended_by: Option<Timestamp>, end: Option<SessionEnd>) -> Option<StayEnd> {
        match (end?, ended_by) {
            (SessionEnd::Gone, Some(at)) => Some(StayEnd::GoneBy(at)),
            (SessionEnd::Gone | SessionEnd::LostSight, _) => Some(StayEnd::LostSight),
        }
    }

    /// When it was seen to be over, or for the last time if nobody saw that; `None` while it is not over.
    pub fn over_by(&self) -> Option<Timestamp> {
        match self.end? {
            StayEnd::GoneBy(at) => Some(at),
            StayEnd::LostSight => Some(self.last_up),
        }
    }

    /// When it began, half-way between the two looks; where nothing bounds it from below, by the first look that saw it.
    pub fn came(&self) -> Timestamp {
        midpoint(self.came_after.unwrap_or(self.came_by), self.came_by)
    }

    /// When it ended, half-way between the two looks; `None` if nobody saw that.
    pub fn went(&self) -> Option<Timestamp> {
        match self.end? {
            StayEnd::GoneBy(at) => Some(midpoint(self.last_up, at)),
            StayEnd::LostSight => None,
        }
    }

    /// How long it lasted, by [`came`](Self::came) and [`went`](Self::went), in seconds; where nobody saw the end, how long it was seen to last.
    pub fn length_s(&self) -> f64 {
        seconds(self.came(), self.went().unwrap_or(self.last_up))
    }
}

const fn midpoint(one: Timestamp, other: Timestamp) -> Timestamp {
    Timestamp(i64::midpoint(one.0, other.0))
}

/// From one moment until another; zero if that is earlier.
pub(crate) fn seconds(from: Timestamp, until: Timestamp) -> f64 {
    until.since(from).as_secs_f64()
}
