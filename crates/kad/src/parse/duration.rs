//! Times as people write them: `500ms`, `30m`, `1h30m`, `90d`. The one parser of every command.

use std::time::Duration;

/// The longest that is taken: ten years.
const MAX: Duration = Duration::from_secs(10 * 365 * 86_400);

/// Names of units, and how long each is in microseconds. Months and years are of different lengths, so there are none.
const UNITS: [(&[&str], u64); 7] = [
    (&["us", "µs"], 1),
    (&["ms"], 1_000),
    (&["s", "sec", "secs", "second", "seconds"], 1_000_000),
    (&["m", "min", "mins", "minute", "minutes"], 60_000_000),
    (&["h", "hr", "hrs", "hour", "hours"], 3_600_000_000),
    (&["d", "day", "days"], 86_400_000_000),
    (&["w", "week", "weeks"], 604_800_000_000),
];

/// Why a text is no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadDuration {
    /// It is not made of whole numbers with units.
    #[error("write whole numbers with their units, such as 500ms, 30m, 1h30m or 90d")]
    Form,
    /// It is nothing, or longer than ten years.
    #[error("the time must be above zero and at most 3650d")]
    Length,
}

/// Reads a time: whole numbers, each with its unit, one after the other; blanks between them say nothing.
pub fn duration(text: &str) -> Result<Duration, BadDuration> {
    let (mut rest, mut whole) = (text.trim(), 0_u64);
    if rest.is_empty() {
        return Err(BadDuration::Form);
    }
    while !rest.is_empty() {
        let (number, behind) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
        let behind = behind.trim_start();
        let (unit, behind) =
            behind.split_at(behind.find(|c: char| !c.is_alphabetic()).unwrap_or(behind.len()));
        let each = UNITS.iter().find(|(names, _)| names.contains(&unit)).ok_or(BadDuration::Form)?.1;
        let number: u64 = match number.parse() {
            Ok(number) => number,
            Err(_) if number.is_empty() => return Err(BadDuration::Form),
            Err(_) => return Err(BadDuration::Length),
        };
        let part = number.checked_mul(each).ok_or(BadDuration::Length)?;
        whole = whole.checked_add(part).ok_or(BadDuration::Length)?;
        rest = behind.trim_start();
    }
    let whole = Duration::from_micros(whole);
    if whole.is_zero() || whole > MAX { Err(BadDuration::Length) } else { Ok(whole) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("90d", 90 * 86_400),
            ("48h", 48 * 3_600),
            ("30m", 1_800),
            ("1h30m", 5_400),
            ("1h 30min", 5_400),
            ("2 weeks", 14 * 86_400),
            ("1d12h30m5s", 131_405),
            ("1500ms1500ms", 3),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(duration(" 250us "), Ok(Duration::from_micros(250)));
    }

    #[test]
    fn what_has_no_unit_or_no_end_is_no_time() {
        for wrong in ["", " ", "5", "-1s", "s", "1.5h", "1h30", "1mo", "1y", "1M", "soon", "5 ", "1h-30m"] {
            assert_eq!(duration(wrong), Err(BadDuration::Form), "{wrong}");
        }
        for wrong in ["0s", "0h0m", "3651d", "99999999999999999999d", "9999999999999d"] {
            assert_eq!(duration(wrong), Err(BadDuration::Length), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,30}") {
            prop_assert!(duration(&text).is_ok_and(|time| time <= MAX) || duration(&text).is_err());
        }
    }
}
