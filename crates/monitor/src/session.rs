//! The sessions of one peer, folded from looks at it: pure, and small enough to be kept for every peer that is known.
//!
//! What a look says is [`evidence`](mod@crate::evidence)'s, when the next one is due is the schedule's. The rule is in
//! [the page on sessions](../../../docs/methodology/sessions.md).

use std::time::Duration;

use kad::failure::{Failure, FailureClass, Phase};
use schema::{ObserverGap, OnlineCriterion, SeenSession, SessionEnd, SessionState, Timestamp};

use crate::{
    evidence::{PeerLook, UptimeEvidence},
    schedule::ScheduleFacts,
};

/// When a session begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionRules {
    /// What a peer has to do to count as up, in crawls' visits and in monitors' alike.
    pub criterion: OnlineCriterion,
    /// How many silent looks in a row a session survives.
    pub tolerated: u8,
    /// For how long looks may say nothing clear before sight of the peer is lost; the observer's gaps do not count.
    pub lost_after: Duration,
}

/// A handshake is what a crawl calls reached, what nobody else can feign, and what peers at the limits of their streams still do. Three
/// silent looks are tolerated, as in the calibration: behind NAT three dials of ten can be lost. The end is dated by the first of them.
impl Default for SessionRules {
    fn default() -> Self {
        const HOUR: u64 = 3600;
        Self {
            criterion: OnlineCriterion::Handshake,
            tolerated: 3,
            lost_after: Duration::from_secs(24 * HOUR),
        }
    }
}

impl SessionRules {
    /// Those of a run, as its parameters say; what they do not say is as usual.
    pub fn of(parameters: &serde_json::Value) -> Self {
        let usual = Self::default();
        let online = parameters.get("online").and_then(|name| name.as_str());
        let tolerated = parameters.get("tolerated").and_then(serde_json::Value::as_u64);
        Self {
            criterion: online.and_then(OnlineCriterion::from_name).unwrap_or(usual.criterion),
            tolerated: tolerated.and_then(|count| u8::try_from(count).ok()).unwrap_or(usual.tolerated),
            ..usual
        }
    }
}

/// What a look changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionChange {
    /// Nothing: the look says nothing of the peer, or what was known.
    Nothing,
    /// A session began.
    Began,
    /// The peer is still up.
    Continued,
    /// The peer was not seen up, and may be nevertheless.
    Doubted,
    /// The peer is up, after looks that failed.
    Recovered,
    /// The session is over.
    Ended(Box<SeenSession>),
}

/// How a peer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Standing {
    /// It was never seen up, or sight of it was lost.
    #[default]
    Unknown,
    /// The last clear look saw it up.
    Up,
    /// The last looks failed, too few to say that it is down.
    Doubtful,
    /// Its last session is over.
    Down,
}

/// What is known of the uptime of one peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerUptime {
    /// When the last look began that found it down while no session was open.
    down_at: Timestamp,
    /// The same, when the present or the last session began.
    began_after: Timestamp,
    first_up: Timestamp,
    began_by: Timestamp,
    last_up: Timestamp,
    /// The first failed look since it was last seen up, and its end.
    failed_at: Timestamp,
    failed_by: Timestamp,
    /// The end of the last look that was clear, and of the last look.
    clear_at: Timestamp,
    looked_at: Timestamp,
    unwatched_us: u64,
    /// Of the observer's gaps since it was last seen up.
    pending_us: u64,
    sessions: u32,
    successes: u32,
    failures: u32,
    recoveries: u16,
    gaps: u16,
    pending_gaps: u16,
    /// Failed looks in a row.
    doubts: u8,
    failure: Option<(Phase, FailureClass)>,
    standing: Standing,
}

/// Stands for a moment that is not known: half the size of an `Option`.
const NEVER: Timestamp = Timestamp(i64::MIN);

fn known(moment: Timestamp) -> Option<Timestamp> {
    (moment != NEVER).then_some(moment)
}

impl Default for PeerUptime {
    fn default() -> Self {
        Self::new()
    }
}

impl PeerUptime {
    /// Of a peer that nobody looked at.
    pub const fn new() -> Self {
        Self {
            down_at: NEVER,
            began_after: NEVER,
            first_up: NEVER,
            began_by: NEVER,
            last_up: NEVER,
            failed_at: NEVER,
            failed_by: NEVER,
            clear_at: NEVER,
            looked_at: NEVER,
            unwatched_us: 0,
            pending_us: 0,
            sessions: 0,
            successes: 0,
            failures: 0,
            recoveries: 0,
            gaps: 0,
            pending_gaps: 0,
            doubts: 0,
            failure: None,
            standing: Standing::Unknown,
        }
    }

    /// How a peer stands of which a row says this, and no visit: its looks until a moment were pruned. Of a session that was not over by
    /// then it is known that it began, so it is counted from there.
    pub fn of_row(seen: &SeenSession, pruned_until: Timestamp) -> Self {
        let is_over = seen.state == SessionState::Closed
            && seen.ended_by.is_none_or(|ended_by| ended_by < pruned_until);
        let began = Self {
            began_after: seen.began_after.unwrap_or(NEVER),
            first_up: seen.first_successful,
            began_by: seen.began_by,
            last_up: seen.first_successful,
            clear_at: seen.began_by,
            looked_at: seen.began_by,
            sessions: 1,
            successes: 1,
            standing: Standing::Up,
            ..Self::new()
        };
        let Some((ended_by, first_failed)) = seen.ended_by.zip(seen.first_failed).filter(|_| is_over) else {
            let is_lost = seen.end == Some(SessionEnd::LostSight) && seen.ended_after < pruned_until;
            return if is_lost { Self { standing: Standing::Unknown, ..began } } else { began };
        };
        Self {
            down_at: first_failed,
            failed_at: first_failed,
            failed_by: ended_by,
            last_up: seen.ended_after,
            clear_at: ended_by,
            looked_at: ended_by,
            standing: Standing::Down,
            ..began
        }
    }

    /// Takes a look into account. Looks come in their [order](PeerLook::order); one that ended before the last clear one changes nothing.
    pub fn looked(&mut self, look: &PeerLook, rules: &SessionRules) -> SessionChange {
        self.looked_at = self.looked_at.max(look.ended_at);
        if look.ended_at < self.clear_at {
            return SessionChange::Nothing;
        }
        match look.evidence {
            UptimeEvidence::Up => self.seen_up(look),
            UptimeEvidence::Down => self.seen_down(look, rules),
            UptimeEvidence::Unclear => self.seen_unclearly(look, rules),
        }
    }

    /// The observer did not see for a while. Gaps come before the looks that ended when they did, or later.
    pub fn gap(&mut self, gap: &ObserverGap) {
        let missed = gap.until.since(gap.from.max(self.last_up));
        if self.is_up() && !missed.is_zero() {
            self.pending_us = self.pending_us.saturating_add(micros(missed));
            self.pending_gaps = self.pending_gaps.saturating_add(1);
        }
    }

    fn seen_up(&mut self, look: &PeerLook) -> SessionChange {
        self.clear_at = look.ended_at;
        let before = std::mem::replace(&mut self.standing, Standing::Up);
        if !matches!(before, Standing::Up | Standing::Doubtful) {
            self.begin(look);
            return SessionChange::Began;
        }
        self.last_up = self.last_up.max(look.started_at);
        self.successes = self.successes.saturating_add(1);
        self.unwatched_us = self.unwatched_us.saturating_add(self.pending_us);
        self.gaps = self.gaps.saturating_add(self.pending_gaps);
        self.forget_doubts();
        if before == Standing::Up {
            return SessionChange::Continued;
        }
        self.recoveries = self.recoveries.saturating_add(1);
        SessionChange::Recovered
    }

    fn begin(&mut self, look: &PeerLook) {
        *self = Self {
            down_at: NEVER,
            began_after: self.down_at,
            first_up: look.started_at,
            began_by: look.ended_at,
            last_up: look.started_at,
            clear_at: look.ended_at,
            looked_at: self.looked_at,
            sessions: self.sessions.saturating_add(1),
            successes: 1,
            standing: Standing::Up,
            ..Self::new()
        };
    }

    fn forget_doubts(&mut self) {
        (self.failed_at, self.failed_by, self.failure) = (NEVER, NEVER, None);
        (self.doubts, self.pending_us, self.pending_gaps) = (0, 0, 0);
    }

    fn seen_down(&mut self, look: &PeerLook, rules: &SessionRules) -> SessionChange {
        if !self.is_up() {
            self.clear_at = look.ended_at;
            self.down_at = look.started_at;
            self.doubts = self.doubts.saturating_add(1);
            if self.failed_at == NEVER {
                (self.failed_at, self.failed_by) = (look.started_at, look.ended_at);
            }
            return SessionChange::Nothing;
        }
        // It failed while another look that began later succeeded, or repeats one that ended at the same moment.
        if look.started_at <= self.last_up || (self.doubts > 0 && look.ended_at == self.clear_at) {
            return SessionChange::Nothing;
        }
        self.clear_at = look.ended_at;
        if self.doubts == 0 {
            (self.failed_at, self.failed_by) = (look.started_at, look.ended_at);
            self.failure = look.failure.as_ref().map(|failure| (failure.phase, failure.class));
        }
        self.doubts = self.doubts.saturating_add(1);
        self.failures = self.failures.saturating_add(1);
        if !look.is_sure && self.doubts <= rules.tolerated {
            self.standing = Standing::Doubtful;
            return SessionChange::Doubted;
        }
        self.down_at = look.started_at;
        self.standing = Standing::Down;
        self.ended(SessionEnd::Gone, rules)
    }

    fn seen_unclearly(&mut self, look: &PeerLook, rules: &SessionRules) -> SessionChange {
        let unseen = look.ended_at.since(self.last_up).saturating_sub(Duration::from_micros(self.pending_us));
        if !self.is_up() || unseen <= rules.lost_after {
            return SessionChange::Nothing;
        }
        let change = self.ended(SessionEnd::LostSight, rules);
        (self.standing, self.down_at) = (Standing::Unknown, NEVER);
        self.forget_doubts();
        change
    }

    fn ended(&self, end: SessionEnd, rules: &SessionRules) -> SessionChange {
        let ended_by = if end == SessionEnd::Gone { known(self.failed_by) } else { None };
        let state = SessionState::Closed;
        SessionChange::Ended(Box::new(SeenSession { state, ended_by, end: Some(end), ..self.seen(rules) }))
    }

    /// The session that is open; `None` if none is.
    pub fn session(&self, rules: &SessionRules) -> Option<SeenSession> {
        self.is_up().then(|| self.seen(rules))
    }

    fn seen(&self, rules: &SessionRules) -> SeenSession {
        let is_doubtful = self.standing == Standing::Doubtful;
        SeenSession {
            criterion: rules.criterion,
            state: if is_doubtful { SessionState::Doubtful } else { SessionState::Open },
            began_after: known(self.began_after),
            first_successful: self.first_up,
            began_by: self.began_by,
            ended_after: self.last_up,
            first_failed: known(self.failed_at),
            ended_by: None,
            successes: self.successes,
            failures: self.failures,
            recoveries: self.recoveries.into(),
            gaps: self.gaps.into(),
            unwatched: Duration::from_micros(self.unwatched_us),
            end: None,
            failure: self.failure.map(|(phase, class)| Failure::new(phase, class)),
        }
    }
}

/// What a schedule asks.
impl PeerUptime {
    /// Whether a session is open, doubtful ones included.
    pub const fn is_up(&self) -> bool {
        matches!(self.standing, Standing::Up | Standing::Doubtful)
    }

    /// Whether the last looks failed, too few to end the session.
    pub const fn is_doubtful(&self) -> bool {
        matches!(self.standing, Standing::Doubtful)
    }

    /// When the first successful look of the open session began; `None` if none is open.
    pub fn up_since(&self) -> Option<Timestamp> {
        self.is_up().then_some(self.first_up)
    }

    /// When the last successful look began; `None` if it was never seen up.
    pub fn last_up(&self) -> Option<Timestamp> {
        known(self.last_up)
    }

    /// When the first failed look ended after the last session; `None` if a session is open or there was none that is known to be over.
    pub fn down_since(&self) -> Option<Timestamp> {
        if self.standing == Standing::Down { known(self.failed_by) } else { None }
    }

    /// When the last look ended, whatever it said; `None` if there was none.
    pub fn looked_at(&self) -> Option<Timestamp> {
        known(self.looked_at)
    }

    /// How many sessions it had, the open one included.
    pub const fn sessions(&self) -> u32 {
        self.sessions
    }

    /// Until when the open session is known to have lasted; `None` if none is open.
    pub(crate) fn up_until(&self) -> Option<Timestamp> {
        self.is_up().then(|| self.last_up.max(self.began_by))
    }

    /// Until when a peer that was up once is known to have been down since; `None` if a session is open, or if no look said so.
    pub(crate) fn down_until(&self) -> Option<Timestamp> {
        if self.is_up() || self.sessions == 0 { None } else { known(self.down_at) }
    }

    /// What a schedule is told; `None` if nobody looked at the peer yet.
    pub fn facts(&self) -> Option<ScheduleFacts> {
        Some(ScheduleFacts {
            is_up: self.is_up(),
            is_doubtful: self.is_doubtful(),
            up_since: self.up_since(),
            last_up: self.last_up(),
            down_since: known(self.failed_by),
            last_looked: self.looked_at()?,
            sessions: self.sessions,
            failures: self.doubts.into(),
        })
    }

    /// The probability that a look at it is met by silence while the observer's network stands: of a peer that is up by its own
    /// looks (Laplace's rule of succession), else 1, as its silence says nothing of us.
    pub fn expected_silence(&self) -> f64 {
        if self.standing != Standing::Up {
            return 1.0;
        }
        (f64::from(self.failures) + 1.0) / (f64::from(self.failures) + f64::from(self.successes) + 2.0)
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
