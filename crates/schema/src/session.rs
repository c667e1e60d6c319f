//! A session: the time for which a peer stayed, known between looks only.

use std::time::Duration;

use kad::failure::Failure;

use crate::Timestamp;

kad::named! {
    /// What a peer has to do to count as up.
    pub enum OnlineCriterion: serde {
        /// It proves its identity over one of its addresses.
        Handshake = "handshake",
        /// It says who it is as well.
        Identify = "identify",
        /// It answers a request of Kademlia as well.
        Kad = "kad",
    }
}

kad::named! {
    /// How a session stands.
    pub enum SessionState: serde {
        /// The last clear look saw the peer up.
        Open = "open",
        /// The last looks failed, too few to end it.
        Doubtful = "doubtful",
        /// It is over.
        Closed = "closed",
    }
}

kad::named! {
    /// Why a session is over.
    pub enum SessionEnd: serde {
        /// Looks found the peer gone; the failure says how.
        Gone = "gone",
        /// No look said anything clear of the peer for too long: when it ended, or whether, is not known.
        LostSight = "lost_sight",
    }
}

/// What looks said of one session. The peer came up in the time from [`began_after`](Self::began_after) until
/// [`began_by`](Self::began_by), and went in the time from [`ended_after`](Self::ended_after) until [`ended_by`](Self::ended_by).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenSession {
    /// What the peer had to do to count as up.
    pub criterion: OnlineCriterion,
    /// How it stands.
    pub state: SessionState,
    /// When the last look before it began that found the peer down; `None` if no look did: it may have been up for any time.
    pub began_after: Option<Timestamp>,
    /// When the first successful look began (RFM 2: `first_successful_dial`).
    pub first_successful: Timestamp,
    /// When the first successful look ended: the peer was up by then. The session is known since (RFM 2: `created_at`).
    pub began_by: Timestamp,
    /// When the last successful look began: the peer was still up then (RFM 2: `last_successful_dial`).
    pub ended_after: Timestamp,
    /// When the first of the failed looks began that doubt or end it (RFM 2: `first_failed_dial`); `None` if there is none.
    pub first_failed: Option<Timestamp>,
    /// When that look ended: the peer was gone by then. `None` while it is not over, and if sight of the peer was lost.
    pub ended_by: Option<Timestamp>,
    /// Successful looks (RFM 2: `successful_dials`).
    pub successes: u32,
    /// Failed looks, those that ended it among them.
    pub failures: u32,
    /// How often the peer was seen up again after looks that failed.
    pub recoveries: u32,
    /// How often the observer did not see between two successful looks.
    pub gaps: u32,
    /// For how long it did not, altogether.
    pub unwatched: Duration,
    /// Why it is over; `None` while it is not.
    pub end: Option<SessionEnd>,
    /// What the first of the failed looks met that doubt or end it; `None` if there is none.
    pub failure: Option<Failure>,
}

impl SeenSession {
    /// How long the peer stayed at least, the observer's gaps within included (RFM 2: `min_duration`); zero if it was seen once.
    pub fn min_duration(&self) -> Duration {
        self.ended_after.since(self.began_by)
    }

    /// How long the peer stayed at most (RFM 2: `max_duration`); `None` if it is not known when it came or went.
    pub fn max_duration(&self) -> Option<Duration> {
        Some(self.ended_by?.since(self.began_after?))
    }
}
