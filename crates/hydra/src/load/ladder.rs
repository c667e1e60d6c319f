//! The ladder of degradation as it is configured: which rungs, in which order, and when each is in force.
//!
//! It has one form as text, `RUNG=MEASURE:THRESHOLD,...` for each rung, with a semicolon between two of them.

use std::{fmt, str::FromStr, time::Duration};

use humantime::{format_duration, parse_duration};
use thiserror::Error;

use super::{Measures, Rung};

/// How long a rung stays in force after its thresholds are no longer near, where the ladder does not say. Shorter than the
/// second within which all must be as before when a belly that had stalled is back.
const CALM: Duration = Duration::from_millis(250);

/// The same for service that was declined: everybody was told of it.
const CALM_DECLINED: Duration = Duration::from_secs(30);

/// How much of a threshold must not be reached for a rung to be left, in eighths.
const NEAR_EIGHTHS: u32 = 7;

/// What is said where no ladder is.
const DEFAULT: &str = "cached=waiting:1000,age:500ms,lag:500ms,memory:80%;near=lag:1s,memory:85%;\
                       closer_peers=lag:2s,memory:90%;refuse=lag:4s,memory:95%;decline=lag:8s,memory:98%,after:10s";

/// From when on something is too much; `None` where it does not matter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Thresholds {
    /// Of [`Measures::waiting`].
    pub waiting: Option<usize>,
    /// Of [`Measures::age`].
    pub age: Option<Duration>,
    /// Of [`Measures::lag`].
    pub lag: Option<Duration>,
    /// Of [`Measures::memory_percent`].
    pub memory_percent: Option<u32>,
}

impl Thresholds {
    /// Whether any of them is reached.
    pub(super) fn is_exceeded(&self, measures: &Measures) -> bool {
        let is_over = |limit: Option<Duration>, measured| limit.is_some_and(|limit| measured >= limit);
        self.waiting.is_some_and(|limit| measures.waiting >= limit)
            || is_over(self.age, measures.age)
            || is_over(self.lag, measures.lag)
            || self.memory_percent.is_some_and(|limit| measures.memory_percent >= limit)
    }

    /// Whether any of them is reached, or nearly.
    pub(super) fn is_near(&self, measures: &Measures) -> bool {
        let nearly = |limit: Duration| limit * NEAR_EIGHTHS / 8;
        let near = Self {
            waiting: self.waiting.map(|limit| limit - limit / 8),
            age: self.age.map(nearly),
            lag: self.lag.map(nearly),
            memory_percent: self.memory_percent.map(|limit| limit * NEAR_EIGHTHS / 8),
        };
        near.is_exceeded(measures)
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// When one rung is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RungRule {
    /// Which rung; never [`Rung::Belly`], which is in force where no other is.
    pub rung: Rung,
    /// What is too much.
    pub thresholds: Thresholds,
    /// How long it has to be too much. By default one look is enough.
    pub after: Duration,
    /// How long it must not be too much any more, nor nearly, before the rung is left. By default a quarter of a second, and
    /// half a minute for [`Rung::Decline`].
    pub calm: Duration,
}

/// The rungs in the order in which they come into force: where one is, those before it are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ladder(Vec<RungRule>);

impl Ladder {
    /// Nothing is ever left out.
    pub const NONE: Self = Self(Vec::new());

    /// Its rungs.
    pub fn rules(&self) -> &[RungRule] {
        &self.0
    }

    pub(super) fn into_rules(self) -> Vec<RungRule> {
        self.0
    }
}

impl Default for Ladder {
    /// Records from memory alone where 1,000 reads wait, one waits for half a second, the executor is late by as much or 80 % of
    /// memory are in use; service declined where it is late by 8 s or memory is full for 10 s; the others between these.
    fn default() -> Self {
        // A test holds it to be one.
        DEFAULT.parse().unwrap_or(Self::NONE)
    }
}

/// Why a text is no ladder.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadLadder {
    /// No rung has this name.
    #[error("`{0}` is no rung: there are {names}", names = rungs())]
    Rung(String),
    /// A rung stands there twice.
    #[error("`{0}` stands there twice")]
    Twice(Rung),
    /// It does not say when a rung is in force.
    #[error("`{0}` needs a threshold: waiting, age, lag or memory")]
    NoThreshold(Rung),
    /// No measure has this name.
    #[error("`{0}` is not measured: there are waiting, age, lag and memory, and after and calm beside them")]
    Measure(String),
    /// This is no value of a measure.
    #[error(
        "`{1}` is no value for `{0}`: waiting takes a number, memory a percentage, the others a time as `250ms`"
    )]
    Value(String, String),
}

fn rungs() -> String {
    let names: Vec<_> = Rung::ALL.iter().skip(1).map(|rung| rung.name()).collect();
    names.join(", ")
}

impl FromStr for Ladder {
    type Err = BadLadder;

    /// `none` is [`Ladder::NONE`].
    fn from_str(text: &str) -> Result<Self, BadLadder> {
        if text.trim() == "none" {
            return Ok(Self::NONE);
        }
        let mut rules: Vec<RungRule> = Vec::new();
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let rule: RungRule = part.parse()?;
            if rules.iter().any(|other| other.rung == rule.rung) {
                return Err(BadLadder::Twice(rule.rung));
            }
            rules.push(rule);
        }
        Ok(Self(rules))
    }
}

impl fmt::Display for Ladder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        for (n, rule) in self.0.iter().enumerate() {
            write!(f, "{}{rule}", if n == 0 { "" } else { ";" })?;
        }
        Ok(())
    }
}

impl FromStr for RungRule {
    type Err = BadLadder;

    fn from_str(text: &str) -> Result<Self, BadLadder> {
        let (name, measures) = text.split_once('=').unwrap_or((text, ""));
        let known = Rung::from_name(name.trim()).filter(|rung| *rung != Rung::Belly);
        let rung = known.ok_or_else(|| BadLadder::Rung(name.trim().to_owned()))?;
        let calm = if rung == Rung::Decline { CALM_DECLINED } else { CALM };
        let mut rule = Self { rung, thresholds: Thresholds::default(), after: Duration::ZERO, calm };
        for part in measures.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (measure, value) = part.split_once(':').unwrap_or((part, ""));
            rule.set(measure.trim(), value.trim())?;
        }
        if rule.thresholds.is_empty() {
            return Err(BadLadder::NoThreshold(rung));
        }
        Ok(rule)
    }
}

impl RungRule {
    fn set(&mut self, measure: &str, value: &str) -> Result<(), BadLadder> {
        let bad = || BadLadder::Value(measure.to_owned(), value.to_owned());
        let time = || parse_duration(value).map_err(|_| bad());
        match measure {
            "waiting" => self.thresholds.waiting = Some(value.parse().map_err(|_| bad())?),
            "age" => self.thresholds.age = Some(time()?),
            "lag" => self.thresholds.lag = Some(time()?),
            "memory" => {
                let percent = value.strip_suffix('%').and_then(|number| number.trim().parse().ok());
                self.thresholds.memory_percent = Some(percent.filter(|n| *n <= 100).ok_or_else(bad)?);
            }
            "after" => self.after = time()?,
            "calm" => self.calm = time()?,
            _ => return Err(BadLadder::Measure(measure.to_owned())),
        }
        Ok(())
    }
}

impl fmt::Display for RungRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Thresholds { waiting, age, lag, memory_percent } = self.thresholds;
        let time = |name: &str, time: Duration| format!("{name}:{}", format_duration(time));
        let parts = [
            waiting.map(|waiting| format!("waiting:{waiting}")),
            age.map(|age| time("age", age)),
            lag.map(|lag| time("lag", lag)),
            memory_percent.map(|percent| format!("memory:{percent}%")),
            Some(time("after", self.after)),
            Some(time("calm", self.calm)),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        write!(f, "{}={}", self.rung, parts.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_has_all_rungs_and_is_read_back_from_its_text() {
        let ladder = Ladder::default();
        let rungs: Vec<_> = ladder.rules().iter().map(|rule| rule.rung).collect();
        assert_eq!(rungs, Rung::ALL[1..]);
        assert_eq!(ladder.to_string().parse(), Ok(ladder));
        assert_eq!(Ladder::NONE.to_string().parse(), Ok(Ladder::NONE));
    }

    #[test]
    fn rungs_stand_in_any_order_and_each_may_be_left_out() {
        let ladder: Ladder =
            " refuse = memory:50% ; cached=waiting: 7, age:1s 500ms,after:2s,calm:3s".parse().unwrap();
        let [refuse, cached] = ladder.rules() else { panic!("two") };
        assert_eq!((refuse.rung, refuse.thresholds.memory_percent), (Rung::Refuse, Some(50)));
        assert_eq!((refuse.after, refuse.calm), (Duration::ZERO, CALM));
        assert_eq!(cached.thresholds.age, Some(Duration::from_millis(1500)));
        assert_eq!((cached.after, cached.calm), (Duration::from_secs(2), Duration::from_secs(3)));
        assert_eq!(ladder.to_string().parse(), Ok(ladder));
    }

    #[test]
    fn what_is_no_ladder_is_refused_with_what_is_wrong() {
        for (text, expected) in [
            ("belly=waiting:1", "`belly` is no rung: there are cached, near, closer_peers, refuse, decline"),
            ("", ""),
            ("cached", "`cached` needs a threshold: waiting, age, lag or memory"),
            ("cached=after:1s", "`cached` needs a threshold: waiting, age, lag or memory"),
            ("near=lag:1s;near=lag:2s", "`near` stands there twice"),
            ("near=load:1", "`load` is not measured: "),
            ("near=memory:101%", "`101%` is no value for `memory`"),
            ("near=memory:90", "`90` is no value for `memory`"),
            ("near=lag:5", "`5` is no value for `lag`"),
            ("near=waiting:-1", "`-1` is no value for `waiting`"),
        ] {
            let error = text.parse::<Ladder>().map_or_else(|error| error.to_string(), |_| String::new());
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }
}
