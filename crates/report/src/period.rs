//! Periods of UTC: days, ISO weeks, months, and all that there is.

use std::time::Duration;

use schema::Timestamp;
use serde::Serialize;

const DAY: i64 = 86_400_000_000;

kad::named! {
    /// How long a period is.
    pub enum PeriodLength: serde {
        /// A day of UTC.
        Day = "day",
        /// From Monday to Sunday, by ISO 8601.
        Week = "week",
        /// A month of the calendar.
        Month = "month",
        /// From the first row to the last.
        All = "all",
    }
}

/// From one moment until just before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Period {
    /// Its first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
}

/// The part of a period in which anybody looked: what was seen at its beginning is how peers stood then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Watched {
    /// When a first view of everybody was complete.
    pub from: Timestamp,
    /// When the last look ended.
    pub until: Timestamp,
}

impl Period {
    /// The period of a length that a moment lies in; of [`All`](PeriodLength::All) the longest that there is.
    pub fn around(length: PeriodLength, at: Timestamp) -> Self {
        let day = at.0.div_euclid(DAY);
        let days =
            |from: i64, until: i64| Self { from: Timestamp(from * DAY), until: Timestamp(until * DAY) };
        match length {
            PeriodLength::Day => days(day, day + 1),
            PeriodLength::Week => {
                // 1970-01-01 was a Thursday.
                let monday = day - (day + 3).rem_euclid(7);
                days(monday, monday + 7)
            }
            PeriodLength::Month => {
                let first = day - (day_of_month(day) - 1);
                // No month is longer: this is a day of the next one.
                let next = first + 31;
                days(first, next - (day_of_month(next) - 1))
            }
            PeriodLength::All => Self { from: Timestamp(i64::MIN), until: Timestamp(i64::MAX) },
        }
    }

    /// The one after it, of the same length.
    #[must_use]
    pub fn next(self, length: PeriodLength) -> Self {
        Self::around(length, self.until)
    }

    /// Whether a moment lies in it.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }

    /// The part of it that lies within another one.
    #[must_use]
    pub fn within(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), until: self.until.min(other.until) }
    }

    /// How long it is.
    pub fn length(&self) -> Duration {
        self.until.since(self.from)
    }

    /// Its name as part of a file's: `2026-11-27`, `2026-W48`, `2026-11`, `all`.
    pub fn name(&self, length: PeriodLength) -> String {
        let date = |at: Timestamp, letters: usize| at.to_string().chars().take(letters).collect::<String>();
        match length {
            PeriodLength::Day => date(self.from, 10),
            PeriodLength::Week => {
                // The year of a week is that of its Thursday, and its number counts Thursdays.
                let thursday = Timestamp(self.from.0 + 3 * DAY);
                let year = date(thursday, 4);
                let first = Timestamp::parse(&format!("{year}-01-01T00:00:00.000Z")).unwrap_or(thursday);
                let number = (thursday.0 - first.0) / (7 * DAY) + 1;
                format!("{year}-W{number:02}")
            }
            PeriodLength::Month => date(self.from, 7),
            PeriodLength::All => "all".to_owned(),
        }
    }
}

/// 1 to 31, of a day since 1970.
fn day_of_month(day: i64) -> i64 {
    Timestamp(day * DAY).to_string().get(8..10).and_then(|day| day.parse().ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(&format!("{text}.000Z")).unwrap()
    }

    fn around(length: PeriodLength, text: &str) -> (String, String, String) {
        let period = Period::around(length, at(text));
        (period.name(length), period.from.to_string(), period.until.to_string())
    }

    #[test]
    fn weeks_have_the_names_that_iso_8601_gives_them() {
        // The weeks around new years that begin on different days: ISO 8601, and Python's `isocalendar`.
        for (day, name) in [
            ("2026-11-27T12:00:00", "2026-W48"),
            ("2021-01-03T23:59:59", "2020-W53"),
            ("2021-01-04T00:00:00", "2021-W01"),
            ("2023-01-01T00:00:00", "2022-W52"),
            ("2024-12-30T00:00:00", "2025-W01"),
            ("2026-12-31T00:00:00", "2026-W53"),
        ] {
            assert_eq!(around(PeriodLength::Week, day).0, name, "{day}");
        }
        let (_, from, until) = around(PeriodLength::Week, "2026-11-27T12:00:00");
        assert_eq!((&*from, &*until), ("2026-11-23T00:00:00.000Z", "2026-11-30T00:00:00.000Z"));
    }

    #[test]
    fn months_are_as_long_as_they_are() {
        for (day, name, from, until) in [
            ("2024-02-29T12:00:00", "2024-02", "2024-02-01", "2024-03-01"),
            ("2023-02-01T00:00:00", "2023-02", "2023-02-01", "2023-03-01"),
            ("2026-12-31T23:59:59", "2026-12", "2026-12-01", "2027-01-01"),
            ("2026-04-30T00:00:00", "2026-04", "2026-04-01", "2026-05-01"),
        ] {
            let told = around(PeriodLength::Month, day);
            let of = |date: &str| format!("{date}T00:00:00.000Z");
            assert_eq!(told, (name.to_owned(), of(from), of(until)));
        }
        assert_eq!(around(PeriodLength::Day, "2026-12-31T23:59:59").2, "2027-01-01T00:00:00.000Z");
    }

    #[test]
    fn periods_follow_each_other_without_a_gap() {
        for length in [PeriodLength::Day, PeriodLength::Week, PeriodLength::Month] {
            let mut period = Period::around(length, at("2019-12-30T05:00:00"));
            for _ in 0..60 {
                let next = period.next(length);
                assert_eq!(period.until, next.from);
                assert!(period.name(length) < next.name(length));
                period = next;
            }
        }
    }
}
