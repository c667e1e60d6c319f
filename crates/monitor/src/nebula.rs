//! Nebula's rule for sessions, as its database's functions have it, to be tried beside ours: the same looks, or those that its own
//! schedule would have made, come in. How many failures it tolerates is a table of [the page on sessions](../../../docs/methodology/sessions.md)
//! that a test reads; its other numbers are in the tests.

use std::time::Duration;

use kad::failure::FailureClass;
use schema::Timestamp;

use crate::evidence::{PeerLook, UptimeEvidence};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// `calc_next_visit`: 1.2 times the time since the last success after `ended`, not less than a minute and not more than 15.
pub fn nebula_next_visit(ended: Timestamp, last_success: Option<Timestamp>) -> Timestamp {
    let since = last_success.map_or(Duration::ZERO, |last| ended.since(last));
    ended.after(since.mul_f64(1.2).clamp(MINUTE, 15 * MINUTE))
}

/// `calc_max_failed_visits`: how many failures in a row are tolerated after a session of that length.
pub fn nebula_max_failed(uptime: Duration, class: FailureClass) -> u32 {
    match class {
        FailureClass::NoAddress
        | FailureClass::NetworkUnreachable
        | FailureClass::HostUnreachable
        | FailureClass::PeerIdMismatch => 0,
        _ if uptime < HOUR => 0,
        _ if uptime < 6 * HOUR => 1,
        _ if uptime < 24 * HOUR => 2,
        _ => 3,
    }
}

/// How long is waited after the `failed`th failed attempt of a probe, from 1, before the next or before it is reported; `None` if
/// it is reported at once. A probe has three attempts of 15 s each.
pub fn nebula_retry_pause(class: FailureClass, failed: u32) -> Option<Duration> {
    const PAUSE: Duration = Duration::from_secs(10);
    const LONG: Duration = Duration::from_secs(70);
    match class {
        FailureClass::PeerIdMismatch | FailureClass::NoAddress => None,
        FailureClass::ConnectionRefused => (failed < 2).then_some(LONG),
        _ => Some(PAUSE * failed),
    }
}

/// A session as Nebula keeps it: bounded by what was seen to succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NebulaSession {
    /// The start of the first successful visit.
    pub first_success: Timestamp,
    /// The end of the last one.
    pub last_success: Timestamp,
    /// Visits that succeeded.
    pub successes: u32,
    /// Failures in a row.
    pub failed: u32,
    /// How often it was open again after failures.
    pub recovered: u32,
    /// The class of the first of the failures in a row; `None` if there is none.
    pub reason: Option<FailureClass>,
}

/// What Nebula knows of one peer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NebulaUptime {
    session: Option<NebulaSession>,
    due: Option<Timestamp>,
}

impl NebulaUptime {
    /// Takes a look into account. A session that it ends is given back. To Nebula every look that is not up is an error.
    pub fn looked(&mut self, look: &PeerLook) -> Option<NebulaSession> {
        let ended = look.ended_at;
        match (&mut self.session, look.evidence == UptimeEvidence::Up) {
            (None, true) => {
                self.due = Some(nebula_next_visit(ended, None));
                self.session = Some(NebulaSession {
                    first_success: look.started_at,
                    last_success: ended,
                    successes: 1,
                    failed: 0,
                    recovered: 0,
                    reason: None,
                });
                None
            }
            (None, false) => None,
            (Some(session), true) => {
                self.due = Some(nebula_next_visit(ended, Some(session.last_success)));
                session.recovered += u32::from(session.failed > 0);
                session.successes += 1;
                (session.last_success, session.failed, session.reason) = (ended, 0, None);
                None
            }
            (Some(_), false) => self.failed(look),
        }
    }

    fn failed(&mut self, look: &PeerLook) -> Option<NebulaSession> {
        let class = look.failure.as_ref().map_or(FailureClass::NoAddress, |failure| failure.class);
        let session = self.session.as_mut()?;
        let most = nebula_max_failed(session.last_success.since(session.first_success), class);
        let first = *session.reason.get_or_insert(class);
        if session.failed == 0 && most > 0 {
            session.failed = 1;
            self.due = Some(look.ended_at.after(MINUTE * most));
            return None;
        }
        if session.failed > 0 && session.failed < most {
            session.failed += 1;
            self.due = Some(nebula_next_visit(look.ended_at, Some(session.last_success)));
            return None;
        }
        self.due = None;
        self.session.take().map(|session| NebulaSession { reason: Some(first), ..session })
    }

    /// The session that is open or pending; `None` if none is.
    pub const fn session(&self) -> Option<&NebulaSession> {
        self.session.as_ref()
    }

    /// When it is visited next; `None` if no session is open: only a crawl sees it again.
    pub const fn next_visit(&self) -> Option<Timestamp> {
        self.due
    }
}

#[cfg(test)]
mod tests;
