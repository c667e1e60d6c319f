//! The rules that are compared: ours, and Nebula's.

use kad::failure::{Failure, FailureClass, Phase};
use kadscope_monitor::{
    PeerLook, PeerUptime, SessionChange, SessionRules,
    evidence::UptimeEvidence,
    nebula::{NebulaSession, NebulaUptime},
    schedule::{ScheduleFacts, ScheduleRules, next_look},
};
use schema::{SeenSession, Timestamp};

use super::watched::{Look, Seen, WatchRule};

/// Our rule, with our schedule.
#[derive(Debug)]
pub(crate) struct Ours {
    schedule: ScheduleRules,
    sessions: SessionRules,
    uptime: PeerUptime,
    failures: u32,
    not_met: Option<Timestamp>,
    /// The last crawl before the open session that did not meet it.
    not_met_before: Option<Timestamp>,
    next: Option<Timestamp>,
}

impl Ours {
    pub(crate) fn new(schedule: ScheduleRules) -> Self {
        let sessions = SessionRules::default();
        let uptime = PeerUptime::new();
        Self { schedule, sessions, uptime, failures: 0, not_met: None, not_met_before: None, next: None }
    }

    fn facts(&self, last_looked: Timestamp) -> ScheduleFacts {
        let uptime = &self.uptime;
        ScheduleFacts {
            is_up: uptime.is_up(),
            is_doubtful: uptime.is_doubtful(),
            up_since: uptime.up_since(),
            last_up: uptime.last_up(),
            down_since: uptime.down_since(),
            last_looked,
            sessions: uptime.sessions(),
            failures: self.failures,
        }
    }

    fn seen(&self, session: &SeenSession, decided: Option<Timestamp>) -> Seen {
        Seen {
            began_after: session.began_after.max(self.not_met_before),
            first_up: session.first_successful,
            last_up: session.ended_after,
            first_failed: session.ended_by,
            decided,
        }
    }
}

impl WatchRule for Ours {
    const PAUSES: &'static [f64] = &[0.0];

    fn looked(&mut self, look: &Look, chance: f64) -> Option<Seen> {
        let evidence = match (look.is_up, look.is_spoiled) {
            (true, _) => UptimeEvidence::Up,
            (false, true) => UptimeEvidence::Unclear,
            (false, false) => UptimeEvidence::Down,
        };
        self.failures = if look.is_up { 0 } else { self.failures.saturating_add(1) };
        let this = PeerLook {
            started_at: look.at,
            ended_at: look.ended,
            evidence,
            failure: None,
            is_answered: look.is_up || look.is_sure,
            is_sure: look.is_sure,
        };
        let ended = match self.uptime.looked(&this, &self.sessions) {
            SessionChange::Began => {
                self.not_met_before = self.not_met;
                None
            }
            SessionChange::Ended(session) => Some(self.seen(&session, Some(look.ended))),
            _ => None,
        };
        self.next = Some(next_look(&self.facts(look.ended), &self.schedule, chance));
        ended
    }

    fn not_met(&mut self, at: Timestamp) {
        self.not_met = Some(at);
    }

    fn next(&self) -> Option<Timestamp> {
        self.next
    }

    fn open(&self) -> Option<Seen> {
        self.uptime.session(&self.sessions).map(|session| self.seen(&session, None))
    }
}

/// Nebula's rule, and what is known beside it of when a peer came and went.
#[derive(Debug, Default)]
pub(crate) struct Nebula {
    rule: NebulaUptime,
    known_down: Option<Timestamp>,
    /// The last moment before the open session at which the peer was known not to be up.
    began_after: Option<Timestamp>,
    /// The first of the failures in a row of the open session.
    first_failed: Option<Timestamp>,
}

impl Nebula {
    fn seen(&self, session: &NebulaSession) -> Seen {
        Seen {
            began_after: self.began_after,
            first_up: session.first_success,
            last_up: session.last_success,
            first_failed: None,
            decided: None,
        }
    }
}

impl WatchRule for Nebula {
    const PAUSES: &'static [f64] = &[10.0, 20.0, 30.0];

    fn looked(&mut self, look: &Look, _chance: f64) -> Option<Seen> {
        let was_open = self.rule.session().is_some();
        let failure = Failure::new(Phase::Connect, FailureClass::Timeout);
        let this = PeerLook {
            started_at: look.at,
            ended_at: look.ended,
            evidence: if look.is_up { UptimeEvidence::Up } else { UptimeEvidence::Down },
            failure: (!look.is_up).then_some(failure),
            is_answered: look.is_up || look.is_sure,
            is_sure: look.is_sure,
        };
        let ended = self.rule.looked(&this);
        if look.is_up {
            self.first_failed = None;
            if !was_open {
                self.began_after = self.known_down;
            }
            return None;
        }
        self.known_down = Some(look.at);
        if was_open {
            self.first_failed.get_or_insert(look.ended);
        }
        let session = ended?;
        let (first_failed, decided) = (self.first_failed.take(), Some(look.ended));
        Some(Seen { first_failed, decided, ..self.seen(&session) })
    }

    fn not_met(&mut self, at: Timestamp) {
        if self.rule.session().is_none() {
            self.known_down = Some(at);
        }
    }

    /// It asks for those that are due every ten seconds.
    fn next(&self) -> Option<Timestamp> {
        const POLL_US: i64 = 10_000_000;
        self.rule.next_visit().map(|at| Timestamp((at.0 + POLL_US - 1) / POLL_US * POLL_US))
    }

    fn open(&self) -> Option<Seen> {
        self.rule.session().map(|session| self.seen(session))
    }
}
