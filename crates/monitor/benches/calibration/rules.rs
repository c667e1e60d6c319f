//! The rules that are compared: ours, and Nebula's.

use std::time::Duration;

use kadscope_monitor::{
    PeerLook, PeerUptime, SessionChange, SessionRules,
    evidence::UptimeEvidence,
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
        let sessions = SessionRules { tolerated_young: 3, tolerated_old: 3, ..SessionRules::default() };
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

/// Nebula's rule (`upsert_session` and `calc_next_visit` of its migrations, and its dialler).
#[derive(Debug, Default)]
pub(crate) struct Nebula {
    open: Option<Seen>,
    failures: u32,
    most: u32,
    known_down: Option<Timestamp>,
    next: Option<Timestamp>,
}

impl Nebula {
    /// A look after 1.2 times what the last one was after, between one minute and a quarter of an hour.
    fn after(now: Timestamp, last: Timestamp) -> Timestamp {
        let wait = now.since(last).mul_f64(1.2);
        now.after(wait.clamp(Duration::from_secs(60), Duration::from_secs(900)))
    }

    fn tolerated(seen: &Seen) -> u32 {
        match seen.last_up.since(seen.first_up).as_secs() / 3600 {
            0 => 0,
            1..6 => 1,
            6..24 => 2,
            _ => 3,
        }
    }
}

impl WatchRule for Nebula {
    const PAUSES: &'static [f64] = &[10.0, 20.0, 30.0];

    fn looked(&mut self, look: &Look, _chance: f64) -> Option<Seen> {
        let ended = look.ended;
        if look.is_up {
            self.failures = 0;
            let last = self.open.map(|seen| seen.last_up);
            let seen = self.open.get_or_insert(Seen {
                began_after: self.known_down,
                first_up: look.at,
                last_up: ended,
                first_failed: None,
                decided: None,
            });
            (seen.last_up, seen.first_failed) = (ended, None);
            self.next = Some(Self::after(ended, last.unwrap_or(ended)));
            return None;
        }
        self.known_down = Some(look.at);
        let seen = self.open.as_mut()?;
        seen.first_failed.get_or_insert(ended);
        if self.failures == 0 {
            self.most = Self::tolerated(seen);
        }
        self.failures += 1;
        if self.failures > self.most {
            self.failures = 0;
            self.next = None;
            return self.open.take().map(|seen| Seen { decided: Some(ended), ..seen });
        }
        self.next = Some(if self.failures == 1 {
            ended.after(Duration::from_secs(60 * u64::from(self.most)))
        } else {
            Self::after(ended, seen.last_up)
        });
        None
    }

    fn not_met(&mut self, at: Timestamp) {
        if self.open.is_none() {
            self.known_down = Some(at);
        }
    }

    /// It asks for those that are due every ten seconds.
    fn next(&self) -> Option<Timestamp> {
        const POLL_US: i64 = 10_000_000;
        self.next.map(|at| Timestamp((at.0 + POLL_US - 1) / POLL_US * POLL_US))
    }

    fn open(&self) -> Option<Seen> {
        self.open.map(|seen| Seen { first_failed: None, ..seen })
    }
}
