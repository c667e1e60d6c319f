//! Looks a second: each may begin a fixed time after the one before, as the generic cell rate algorithm has it (ITU-T I.371).

use std::time::Duration;

use schema::Timestamp;

/// How late a look may begin and the next ones make up for it: somewhat more than a timer is late on a loaded machine.
const SLACK: Duration = Duration::from_millis(100);

/// When the next look may begin.
#[derive(Debug)]
pub(super) struct LookPace {
    apart: Duration,
    next: Timestamp,
}

impl LookPace {
    /// So many looks a second, between a thousandth and a million.
    pub(super) fn new(per_s: f64) -> Self {
        let per_s = if per_s.is_finite() { per_s.clamp(1e-3, 1e6) } else { 1e-3 };
        Self { apart: Duration::from_secs_f64(1.0 / per_s), next: Timestamp(i64::MIN) }
    }

    /// Whether a look may begin; if so, it has.
    pub(super) fn take(&mut self, now: Timestamp) -> bool {
        if self.next.since(now) > self.apart {
            // Nothing but a clock that was set back puts the next look so far away.
            self.next = now;
        }
        if now < self.next {
            return false;
        }
        let earliest = Timestamp(now.0.saturating_sub(i64::try_from(SLACK.as_micros()).unwrap_or(i64::MAX)));
        self.next = self.next.max(earliest).after(self.apart);
        true
    }

    /// Begins anew: what was not done before is not made up for.
    pub(super) const fn restart(&mut self, now: Timestamp) {
        self.next = now;
    }

    pub(super) const fn next_at(&self) -> Timestamp {
        self.next
    }

    pub(super) fn per_s(&self) -> f64 {
        self.apart.as_secs_f64().recip()
    }
}
