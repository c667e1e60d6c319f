//! Numbers as they are written in tables: in units that fit, with their intervals.

use crate::text;
pub use crate::{
    text::{count, number},
    ticks::elapsed,
};

/// Seconds with three digits that count.
pub fn seconds(value: f64) -> String {
    match value {
        _ if value < 0.000_999_5 => format!("{:.0} µs", value * 1e6),
        _ if value < 0.009_995 => format!("{:.2} ms", value * 1e3),
        _ if value < 0.099_95 => format!("{:.1} ms", value * 1e3),
        _ if value < 0.999_5 => format!("{:.0} ms", value * 1e3),
        _ if value < 9.995 => format!("{value:.2} s"),
        _ if value < 99.95 => format!("{value:.1} s"),
        _ => format!("{value:.0} s"),
    }
}

/// A share as a percentage.
pub fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

/// A number with one digit behind the point.
pub fn tenths(value: f64) -> String {
    text::fixed(value, 1)
}

/// A value with the ends of its interval, as far as there are any. Without a value it is one that was not reached.
pub fn within(value: Option<f64>, [low, high]: [Option<f64>; 2], written: fn(f64) -> String) -> String {
    let end = |end: Option<f64>| end.map_or_else(String::new, written);
    match (value, low, high) {
        (Some(value), None, None) => written(value),
        (Some(value), low, high) => format!("{} ({}–{})", written(value), end(low), end(high)),
        (None, Some(low), _) => format!("not reached ({}–)", written(low)),
        (None, None, _) => "not reached".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_units_that_fit_with_their_intervals() {
        assert_eq!(
            [0.000_5, 0.005, 0.05, 0.5, 5.0, 50.0, 500.0].map(seconds),
            ["500 µs", "5.00 ms", "50.0 ms", "500 ms", "5.00 s", "50.0 s", "500 s"]
        );
        assert_eq!(within(Some(2.0), [Some(1.0), Some(3.0)], tenths), "2.0 (1.0–3.0)");
        assert_eq!(within(Some(2.0), [Some(1.0), None], tenths), "2.0 (1.0–)");
        assert_eq!(within(Some(0.5), [None, None], percent), "50.0%");
        assert_eq!(within(None, [Some(9.0), None], tenths), "not reached (9.0–)");
        assert_eq!(within(None, [None, None], tenths), "not reached");
    }
}
