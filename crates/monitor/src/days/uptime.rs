//! How long a peer was up in a day, a month or a year, from its days: at least and at most.

use std::{collections::BTreeMap, time::Duration};

use schema::{PeerDay, Timestamp};

use super::DAY_US;

kad::named! {
    /// A period of the calendar, in UTC.
    pub enum UptimePeriod {
        /// A day.
        Day = "day",
        /// A month.
        Month = "month",
        /// A year.
        Year = "year",
    }
}

impl UptimePeriod {
    /// The periods of one kind are told apart by so much of a date as it is printed: `2026-11-21`.
    const fn prefix(self) -> usize {
        match self {
            Self::Day => "2026-11-21".len(),
            Self::Month => "2026-11".len(),
            Self::Year => "2026".len(),
        }
    }

    /// What names the period in which a moment lies: `2026-11-21`, `2026-11`, `2026`.
    pub fn name_at(self, at: Timestamp) -> String {
        at.to_string().chars().take(self.prefix()).collect()
    }

    /// How long the period is in which a day lies.
    fn length(self, day: Timestamp) -> Duration {
        const LONGEST: i64 = 366;
        let name = self.name_at(day);
        let is_within = |away: &i64| self.name_at(Timestamp(day.0.saturating_add(away * DAY_US))) == name;
        let after = (0..LONGEST).take_while(is_within).count();
        let before = (1..LONGEST).map(|away| -away).take_while(is_within).count();
        Duration::from_micros(DAY_US.unsigned_abs()) * u32::try_from(after + before).unwrap_or(u32::MAX)
    }
}

/// How long a peer was up in a period. Of what is neither up nor down nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeriodUptime {
    /// How long the period is.
    pub length: Duration,
    /// For how long the peer was up at least.
    pub up: Duration,
    /// For how long it was down at least.
    pub down: Duration,
}

impl PeriodUptime {
    /// The share of the period for which the peer was up at least, from 0 to 1.
    pub fn at_least(&self) -> f64 {
        self.up.as_secs_f64() / self.length.as_secs_f64()
    }

    /// The share for which it was up at most, from 0 to 1.
    pub fn at_most(&self) -> f64 {
        1.0 - self.down.as_secs_f64() / self.length.as_secs_f64()
    }
}

/// What the days of one peer, in any order, come to in each period of a kind that one of them lies in, by its
/// [name](UptimePeriod::name_at).
pub fn uptimes<'a>(
    days: impl IntoIterator<Item = &'a PeerDay>,
    period: UptimePeriod,
) -> BTreeMap<String, PeriodUptime> {
    let mut all = BTreeMap::new();
    for day in days {
        let of = all.entry(period.name_at(day.day)).or_insert_with(|| PeriodUptime {
            length: period.length(day.day),
            up: Duration::ZERO,
            down: Duration::ZERO,
        });
        of.up += day.up;
        of.down += day.down;
    }
    all
}
