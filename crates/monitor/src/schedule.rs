//! When a known peer is looked at next. Pure: what is known of the peer, and chance, come in.
//!
//! A look costs the same at any age, and what it saves is the error of an end, half the interval in which it lies. The sum of both is least
//! where the interval is as the root of the inverse hazard; with the hazard of the heavy mix of new peers, 1 / (age + 2 h), it grows as the
//! root of the age (`docs/methodology/sessions.md` derives it, and says where each constant is from). What a look says is `evidence`'s and
//! `session`'s; who waits for how long where looks are scarce is [`due`](crate::due)'s.

#[cfg(test)]
mod tests;

use std::time::Duration;

use schema::Timestamp;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// How often an interval doubles at most: then it is at its bound anyway.
const MAX_DOUBLINGS: u32 = 16;

/// What is known of a peer that hangs on when it was looked at, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduleFacts {
    /// Whether it is believed to be up: it was when it was last looked at, or a failure since is doubted.
    pub is_up: bool,
    /// Whether the last look failed, and does not yet end the session.
    pub is_doubtful: bool,
    /// The first look of the session under way that found it up; `None` if none is under way.
    pub up_since: Option<Timestamp>,
    /// The last look that found it up; `None` if none ever did.
    pub last_up: Option<Timestamp>,
    /// The first of the looks that found it down since it was last up, or ever if it never was; `None` if it is up without doubt.
    pub down_since: Option<Timestamp>,
    /// The last look.
    pub last_looked: Timestamp,
    /// Sessions that were seen to begin.
    pub sessions: u32,
    /// Looks in a row that did not find it up, up to the last.
    pub failures: u32,
}

/// How long is waited between two looks at a peer. The default was tuned on laws of its own; `docs/methodology/sessions.md` has them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScheduleRules {
    /// From the first look that finds a peer up to the next.
    pub newest: Duration,
    /// The age at which the interval of a peer that is up has grown by the root of 2.
    pub settling: Duration,
    /// The interval of peers that are up, at most.
    pub longest_up: Duration,
    /// From a failure that is doubted to the next look; twice as long after each further one.
    pub confirming: Duration,
    /// The interval of peers that are doubtful, at most.
    pub longest_confirming: Duration,
    /// From the first look that finds a peer down to the next.
    pub just_down: Duration,
    /// The time since then after which the interval of a peer that is down has grown by the root of 2.
    pub settling_down: Duration,
    /// The interval of peers that are down, at most.
    pub longest_down: Duration,
    /// From the first look at a peer that was never found up to the next; twice as long after each further one.
    pub never_up: Duration,
    /// The interval of peers that were never found up, at most.
    pub longest_never_up: Duration,
    /// The share of an interval by which chance makes it shorter or longer, at most; 0 to 1. Peers that one crawl found would all be due at
    /// once otherwise.
    pub jitter: f64,
    /// By what all intervals are longer: 1, and more where the budget does not suffice ([`DueQueue::stretch`](crate::due::DueQueue::stretch)).
    pub stretch: f64,
}

impl Default for ScheduleRules {
    fn default() -> Self {
        Self {
            newest: 270 * SECOND,
            settling: 2 * HOUR,
            longest_up: 15 * MINUTE,
            confirming: 15 * SECOND,
            longest_confirming: 30 * SECOND,
            just_down: 45 * MINUTE,
            settling_down: 2 * HOUR,
            longest_down: 4 * HOUR,
            never_up: HOUR,
            longest_never_up: 24 * HOUR,
            jitter: 0.2,
            stretch: 1.0,
        }
    }
}

impl ScheduleRules {
    /// The same with all intervals longer by a factor; one below 1, or that is no number, counts as 1.
    #[must_use]
    pub fn stretched(self, stretch: f64) -> Self {
        Self { stretch: if stretch.is_finite() { stretch.max(1.0) } else { 1.0 }, ..self }
    }

    /// The same for a network whose life is faster or slower: peers that are up are looked at `newest` after they were first found, and all
    /// other times are longer or shorter by the same factor.
    #[must_use]
    pub fn paced(self, newest: Duration) -> Self {
        let factor = newest.as_secs_f64() / self.newest.as_secs_f64().max(f64::MIN_POSITIVE);
        let [settling, longest_up, confirming, longest_confirming] =
            [self.settling, self.longest_up, self.confirming, self.longest_confirming]
                .map(|time| times(time, factor));
        let [just_down, settling_down, longest_down, never_up, longest_never_up] =
            [self.just_down, self.settling_down, self.longest_down, self.never_up, self.longest_never_up]
                .map(|time| times(time, factor));
        let (jitter, stretch) = (self.jitter, self.stretch);
        Self {
            newest,
            settling,
            longest_up,
            confirming,
            longest_confirming,
            just_down,
            settling_down,
            longest_down,
            never_up,
            longest_never_up,
            jitter,
            stretch,
        }
    }

    /// How long after its last look a peer is to be looked at, before chance and the budget have their say.
    pub fn interval(&self, facts: &ScheduleFacts) -> Duration {
        let before = facts.failures.saturating_sub(1);
        if facts.is_doubtful {
            return doubled(self.confirming, before, self.longest_confirming);
        }
        let looked = facts.last_looked;
        if facts.is_up {
            let age = facts.up_since.map_or(Duration::ZERO, |since| looked.since(since));
            return grown(self.newest, age, self.settling, self.longest_up);
        }
        if facts.last_up.is_none() && facts.sessions == 0 {
            return doubled(self.never_up, before, self.longest_never_up);
        }
        let age = facts.down_since.map_or(Duration::ZERO, |since| looked.since(since));
        grown(self.just_down, age, self.settling_down, self.longest_down)
    }
}

/// When a peer is looked at next; `jitter` is drawn evenly between 0 and 1.
pub fn next_look(facts: &ScheduleFacts, rules: &ScheduleRules, jitter: f64) -> Timestamp {
    let chance = 1.0 + rules.jitter.clamp(0.0, 1.0) * (2.0 * jitter.clamp(0.0, 1.0) - 1.0);
    facts.last_looked.after(times(rules.interval(facts), chance * rules.stretch))
}

/// An interval that grows as the root of the age, up to a bound.
fn grown(first: Duration, age: Duration, settling: Duration, longest: Duration) -> Duration {
    let settled = age.as_secs_f64() / settling.as_secs_f64().max(f64::MIN_POSITIVE);
    times(first, (1.0 + settled).sqrt()).min(longest)
}

/// An interval that was doubled so often, up to a bound.
fn doubled(first: Duration, often: u32, longest: Duration) -> Duration {
    first.saturating_mul(1 << often.min(MAX_DOUBLINGS)).min(longest)
}

/// A multiple of a duration; the longest there is where it is more than that.
fn times(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}
