//! Times as text, as records have them: RFC 3339.

use std::time::Duration;

/// The time that has passed since the Unix epoch as RFC 3339 text in UTC, to the nanosecond, as go-libp2p writes it.
pub fn rfc3339(since_epoch: Duration) -> String {
    let seconds = since_epoch.as_secs();
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let nanos = since_epoch.subsec_nanos();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z")
}

/// Year, month and day of the Gregorian calendar, so many days after the first of January 1970.
///
/// Counted from the first of March of the year 0, a leap day is the last day of its year, and months have 153 days in
/// every five (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: u64) -> (u64, u64, u64) {
    const DAYS_IN_400_YEARS: u64 = 146_097;
    let days = days + 719_468;
    let (era, day) = (days / DAYS_IN_400_YEARS, days % DAYS_IN_400_YEARS);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * day + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day - (153 * shifted + 2) / 5 + 1)
}

/// The time of an RFC 3339 text since the Unix epoch; zero for a time before. `None` if it is no such text. As in Go, a
/// comma may stand for the point, there are no leap seconds, and what is finer than nanoseconds is cut.
pub fn parse_rfc3339(text: &str) -> Option<Duration> {
    let (date, clock) = (text.get(..11)?, text.get(11..)?);
    let (clock, offset_minutes) = split_zone(clock)?;
    let (year, month, day) = (field(date, 0, 4)?, field(date, 5, 2)?, field(date, 8, 2)?);
    let (hour, minute, second) = (field(clock, 0, 2)?, field(clock, 3, 2)?, field(clock, 6, 2)?);
    let separators = [(date, 4, "-"), (date, 7, "-"), (date, 10, "T"), (clock, 2, ":"), (clock, 5, ":")];
    let is_date = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
    let is_clock = hour < 24 && minute < 60 && second < 60;
    let is_spelt = separators.iter().all(|&(text, at, sign)| text.get(at..=at) == Some(sign));
    if !(is_date && is_clock && is_spelt) {
        return None;
    }
    let nanos = fraction(clock.get(8..)?)?;
    let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute - offset_minutes) * 60 + second;
    Some(u64::try_from(seconds).map_or(Duration::ZERO, |seconds| Duration::new(seconds, nanos)))
}

/// A clock's text without its zone, and how many minutes that is ahead of UTC.
fn split_zone(clock: &str) -> Option<(&str, i64)> {
    if let Some(clock) = clock.strip_suffix('Z') {
        return Some((clock, 0));
    }
    let (clock, zone) = clock.split_at_checked(clock.len().checked_sub(6)?)?;
    let (hours, minutes) = (field(zone, 1, 2)?, field(zone, 4, 2)?);
    let ahead =
        (zone.get(3..4) == Some(":") && hours < 24 && minutes < 60).then_some(hours * 60 + minutes)?;
    match zone.get(..1)? {
        "+" => Some((clock, ahead)),
        "-" => Some((clock, -ahead)),
        _ => None,
    }
}

/// The number of so many digits from `at` on.
fn field(text: &str, at: usize, digits: usize) -> Option<i64> {
    let digits = text.get(at..at + digits)?;
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

/// Nanoseconds of what follows the seconds: nothing, or a point and digits.
fn fraction(text: &str) -> Option<u32> {
    let Some(digits) = text.strip_prefix(['.', ',']) else { return text.is_empty().then_some(0) };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{digits:0<9}").get(..9)?.parse().ok()
}

const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since the first of January 1970, negative before: [`civil`] the other way.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let shifted = if month <= 2 { month + 9 } else { month - 3 };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap_days + (153 * shifted + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_as_the_calendar_has_them() {
        // As `date -u -d @SECONDS` prints them.
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (951_782_399, "2000-02-28T23:59:59.000000000Z"),
            (951_782_400, "2000-02-29T00:00:00.000000000Z"),
            (1_767_225_600, "2026-01-01T00:00:00.000000000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000000000Z"),
        ] {
            assert_eq!(rfc3339(Duration::from_secs(seconds)), text);
        }
        assert_eq!(rfc3339(Duration::new(1, 5_000)), "1970-01-01T00:00:01.000005000Z");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in 0..253_402_300_800_u64, nanos in 0..1_000_000_000_u32) {
            let time = Duration::new(seconds, nanos);
            prop_assert_eq!(parse_rfc3339(&rfc3339(time)), Some(time));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[^0-9]{0,40}", near in "[0-9TZ:.,+-]{15,35}") {
            prop_assert!(parse_rfc3339(&text).is_none());
            prop_assert!(parse_rfc3339(&near).is_none_or(|time| time < Duration::from_secs(260_000_000_000)));
        }
    }

    #[test]
    fn times_of_other_zones_and_of_before() {
        let parsed = |text| parse_rfc3339(text).map(|time| (time.as_secs(), time.subsec_nanos()));
        assert_eq!(parsed("1970-01-01T01:00:01,5+01:00"), Some((1, 500_000_000)));
        assert_eq!(parsed("1969-12-31T23:00:00-01:30"), Some((1800, 0)));
        assert_eq!(parsed("1969-12-31T23:59:59Z"), Some((0, 0)));
        assert_eq!(parsed("0000-03-01T00:00:00Z"), Some((0, 0)));
        for text in [
            "",
            "1970-01-01",
            "1970-01-01T00:00:00",
            "1970-01-01t00:00:00Z",
            "1970-01-01T00:00:00z",
            "1970-01-01T24:00:00Z",
            "1970-13-01T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "1970-01-01T00:00:00.Z",
            "1970-01-01T00:00:00+0100",
            "1970-01-01T00:00:00+01:60",
            "+970-01-01T00:00:00Z",
            "1970-01-01T00:00:00Zx",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }
}
