//! What follows from looks and is not told at once: sessions a little later, days when they are over. Pure.

use std::{collections::VecDeque, time::Duration};

use schema::{PeerDay, PeerNumber, SeenSession, Timestamp};

use crate::days::midnight;

/// How long it takes until what follows from a look is told. By then a crawl's visit is kept, which its own run keeps (a batch waits for
/// half a second), and a look is there that ended before another one and was taken after it.
const SETTLES: Duration = Duration::from_secs(2);

/// A session that began or ended.
#[derive(Debug)]
pub(super) struct UntoldSession {
    /// Whose, by the number in the monitor's own book.
    pub(super) peer: PeerNumber,
    /// As it ended; `None` for one that began, which is told as it stands then.
    pub(super) ended: Option<SeenSession>,
    /// When the peer is to be looked at next.
    pub(super) next_dial: Option<Timestamp>,
}

/// What waits to be told, in its order.
#[derive(Debug)]
pub(super) struct Untold {
    sessions: VecDeque<(Timestamp, UntoldSession)>,
    /// Days that are over.
    pub(super) days: VecDeque<PeerDay>,
    today: Timestamp,
}

impl Untold {
    pub(super) const fn new(now: Timestamp) -> Self {
        Self { sessions: VecDeque::new(), days: VecDeque::new(), today: midnight(now) }
    }

    /// A session began or ended just now.
    pub(super) fn session(&mut self, now: Timestamp, session: UntoldSession) {
        self.sessions.push_back((now.after(SETTLES), session));
    }

    /// The next session whose time has come by a moment; the next one at all if there is none.
    pub(super) fn next_session(&mut self, by: Option<Timestamp>) -> Option<UntoldSession> {
        let (at, _) = self.sessions.front()?;
        if by.is_some_and(|by| *at > by) {
            return None;
        }
        Some(self.sessions.pop_front()?.1)
    }

    /// Whether a day has begun since that was asked last.
    pub(super) fn is_new_day(&mut self, now: Timestamp) -> bool {
        let today = midnight(now);
        std::mem::replace(&mut self.today, today) != today
    }
}
