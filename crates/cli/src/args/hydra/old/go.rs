//! Values as Go's programs write them. Source: Go's `flag`, `strconv` and `time` packages.

/// The units of times, with their microseconds.
const UNITS: [(&str, f64); 8] = [
    ("ns", 1e-3),
    ("us", 1.0),
    ("µs", 1.0),
    ("μs", 1.0),
    ("ms", 1e3),
    ("s", 1e6),
    ("m", 60e6),
    ("h", 3600e6),
];

/// The longest time that is read, in microseconds: a year.
const MAX_TIME_US: f64 = 365.0 * 86_400e6;

/// A whole number: in decimal, or as `0x10`, with underscores between its digits.
pub(super) fn whole(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.replace('_', "");
    match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => i64::from_str_radix(&format!("{sign}{hex}"), 16).ok(),
        None if digits.starts_with(|c: char| c.is_ascii_digit()) => format!("{sign}{digits}").parse().ok(),
        None => None,
    }
}

/// Yes or no.
pub(super) fn switch(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// A time in microseconds: numbers with fractions, each with its unit; `0` has none.
pub(super) fn time_us(text: &str) -> Option<u64> {
    if text == "0" {
        return Some(0);
    }
    let (mut rest, mut whole) = (text, 0.0);
    while !rest.is_empty() {
        let is_unit = |c: char| !c.is_ascii_digit() && c != '.';
        let (number, behind) = rest.split_at(rest.find(is_unit)?);
        let (unit, behind) = behind.split_at(behind.find(|c| !is_unit(c)).unwrap_or(behind.len()));
        let (_, each) = UNITS.iter().find(|(name, _)| *name == unit)?;
        whole += number.parse::<f64>().ok()? * each;
        rest = behind;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is from 0 to a year")]
    (!text.is_empty() && whole <= MAX_TIME_US).then_some(whole as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_go_reads_them() {
        for (text, number) in
            [("5", Some(5)), ("-1", Some(-1)), ("+7", Some(7)), ("0x10", Some(16)), ("1_000", Some(1000))]
        {
            assert_eq!(whole(text), number, "{text}");
        }
        for wrong in ["", "-", "x", "1.5", " 1", "0x", "--1"] {
            assert_eq!(whole(wrong), None, "{wrong}");
        }
        for yes in ["1", "t", "T", "TRUE", "true", "True"] {
            assert_eq!(switch(yes), Some(true), "{yes}");
        }
        for no in ["0", "f", "F", "FALSE", "false", "False"] {
            assert_eq!(switch(no), Some(false), "{no}");
        }
        assert!(switch("yes").is_none() && switch("").is_none());
        for (text, us) in
            [("60s", 60_000_000), ("1m30s", 90_000_000), ("24h", 86_400_000_000), ("1.5ms", 1500), ("0", 0)]
        {
            assert_eq!(time_us(text), Some(us), "{text}");
        }
        for wrong in ["", "60", "s", "1x", "1s2", "-1s", "1.2.3s"] {
            assert_eq!(time_us(wrong), None, "{wrong}");
        }
    }
}
