//! Where an axis has marks, and what is written beside them.

use std::time::{Duration, UNIX_EPOCH};

use crate::{
    description::{Axis, AxisScale},
    text,
};

/// A mark on an axis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub(crate) at: f64,
    /// Empty for a mark between others.
    pub(crate) label: String,
}

/// Seconds in the steps that clocks and calendars have.
const TIME_STEPS: [f64; 19] = [
    1.0,
    5.0,
    15.0,
    60.0,
    300.0,
    900.0,
    1800.0,
    3600.0,
    10_800.0,
    21_600.0,
    43_200.0,
    86_400.0,
    172_800.0,
    604_800.0,
    1_209_600.0,
    2_592_000.0,
    7_776_000.0,
    31_557_600.0,
    315_576_000.0,
];

/// The most marks of an axis.
const MAX_TICKS: usize = 1000;

/// The marks of an axis that shows these values, about `most` with a label.
pub(crate) fn ticks(axis: &Axis, [low, high]: [f64; 2], most: usize) -> Vec<Tick> {
    let most = most.max(2);
    match &axis.scale {
        AxisScale::Categories(names) => {
            let all = names.iter().enumerate();
            all.map(|(index, name)| Tick { at: index as f64, label: text::shortened(name) }).collect()
        }
        AxisScale::Linear => even(low, high, most, 1.0, ""),
        AxisScale::Share => even(low, high, most, 100.0, "%"),
        AxisScale::Log => decades(low, high, most),
        AxisScale::Time => times(low, high, most),
        AxisScale::Elapsed => spans(low, high, most),
    }
}

/// Multiples of 1, 2 or 5 times a power of ten.
fn even(low: f64, high: f64, most: usize, factor: f64, unit: &str) -> Vec<Tick> {
    let raw = (high / most as f64 - low / most as f64) * factor;
    let power = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * power).find(|step| *step >= raw * 0.999);
    let step = step.unwrap_or(power * 10.0);
    let digits = text::whole(-step.log10().floor()).min(9);
    let (first, last) = ((low * factor / step - 1e-9).ceil(), (high * factor / step + 1e-9).floor());
    let label = |value: f64| {
        if step.abs() >= 1e9 || step < 1e-9 { text::number(value) } else { text::fixed(value, digits) }
    };
    let count = text::whole(last - first).min(MAX_TICKS);
    (0..=count)
        .map(|index| (first + index as f64) * step)
        .map(|value| Tick { at: value / factor, label: label(value) + unit })
        .collect()
}

/// Powers of ten; with 2 and 5 between them where there are few.
fn decades(low: f64, high: f64, most: usize) -> Vec<Tick> {
    let [first, last] = [low.log10().floor(), high.log10().ceil()].map(exponent);
    let whole = usize::try_from(last - first).unwrap_or(1).max(1);
    let labelled: &[u32] = if whole * 3 <= most + 2 { &[1, 2, 5] } else { &[1] };
    let every = i32::try_from(whole.div_ceil(most)).unwrap_or(1).max(1);
    let is_shown = |value: f64| value >= low * (1.0 - 1e-9) && value <= high * (1.0 + 1e-9);
    let mut ticks = Vec::new();
    for exponent in first..=last {
        for digit in 1..10_u32 {
            let at = power(exponent) * f64::from(digit);
            let has_label = labelled.contains(&digit) && (exponent - first) % every == 0;
            if is_shown(at) && (has_label || every == 1) {
                ticks.push(Tick { at, label: if has_label { text::number(at) } else { String::new() } });
            }
        }
    }
    let labels = ticks.iter().filter(|tick| !tick.label.is_empty()).count();
    if labels < 2 {
        even(low, high, most.min(5), 1.0, "").into_iter().filter(|tick| tick.at > 0.0).collect()
    } else {
        ticks
    }
}

/// A whole number of tens, as far as numbers reach.
#[expect(clippy::cast_possible_truncation, reason = "logarithms of numbers are between -324 and 309")]
const fn exponent(log: f64) -> i32 {
    log as i32
}

/// A power of ten, as exact as it is written.
fn power(exponent: i32) -> f64 {
    if exponent < 0 { 1.0 / 10_f64.powi(-exponent) } else { 10_f64.powi(exponent) }
}

/// Full minutes, hours and days of UTC.
fn times(low: f64, high: f64, most: usize) -> Vec<Tick> {
    let fits = TIME_STEPS.into_iter().find(|step| (high - low) / step <= most as f64);
    // Beyond millennia there are no dates.
    let Some(step) = fits else { return Vec::new() };
    let count = text::whole(((high - low) / step).ceil()).min(MAX_TICKS);
    let first = (low / step).ceil();
    let at = (0..=count).map(|index| (first + index as f64) * step).filter(|at| *at <= high);
    at.map(|at| Tick { at, label: moment(at, step) }).collect()
}

/// Full seconds, minutes, hours and days since something began, all in one unit.
fn spans(low: f64, high: f64, most: usize) -> Vec<Tick> {
    let fits = TIME_STEPS.into_iter().find(|step| (high - low) / step <= most as f64);
    let unit = unit_of(low.abs().max(high.abs()));
    let tick = |at: f64| Tick { at, label: in_unit(at, unit) };
    let Some(step) = fits.filter(|step| (high - low) / step >= 1.0) else {
        return even(low, high, most, 1.0, "").into_iter().map(|even| tick(even.at)).collect();
    };
    let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
    let count = text::whole(last - first).min(MAX_TICKS);
    (0..=count).map(|index| tick((first + index as f64) * step)).collect()
}

/// How long something lasted, in a unit in which it is a number of few digits: hours up to ten days.
pub fn elapsed(at: f64) -> String {
    in_unit(at, unit_of(at.abs()))
}

fn in_unit(at: f64, (unit, name): (f64, &str)) -> String {
    if at == 0.0 { "0".to_owned() } else { format!("{} {name}", text::number(at / unit)) }
}

const fn unit_of(size: f64) -> (f64, &'static str) {
    match size {
        _ if size <= 120.0 => (1.0, "s"),
        _ if size <= 7200.0 => (60.0, "min"),
        _ if size <= 864_000.0 => (3600.0, "h"),
        _ => (86_400.0, "d"),
    }
}

/// A moment as finely as the step between moments needs.
fn moment(at: f64, step: f64) -> String {
    let text = date_and_time(at);
    let is_midnight = at.rem_euclid(86_400.0) == 0.0;
    let part = if step >= 31_557_600.0 {
        text.get(..4)
    } else if step >= 86_400.0 || is_midnight {
        text.get(5..10)
    } else if step >= 60.0 {
        text.get(11..16)
    } else {
        text.get(11..19)
    };
    part.unwrap_or_default().to_owned()
}

/// Seconds since 1970 as RFC 3339 in UTC; of times before, or after the year 9999, nothing.
pub(crate) fn date_and_time(at: f64) -> String {
    if !(0.0..253_402_300_799.0).contains(&at) {
        return String::new();
    }
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs_f64(at.floor())).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: AxisScale, range: [f64; 2], most: usize) -> Vec<String> {
        let ticks = ticks(&Axis::new("", "", scale), range, most);
        ticks.into_iter().map(|tick| tick.label).filter(|label| !label.is_empty()).collect()
    }

    #[test]
    fn marks_are_where_people_expect_them() {
        assert_eq!(labels(AxisScale::Linear, [0.0, 1.0], 5), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(AxisScale::Linear, [0.0, 12_000.0], 4), ["0", "5,000", "10,000"]);
        assert_eq!(labels(AxisScale::Share, [0.0, 1.0], 5), ["0%", "20%", "40%", "60%", "80%", "100%"]);
        assert_eq!(labels(AxisScale::Log, [0.01, 100.0], 5), ["0.01", "0.1", "1", "10", "100"]);
        assert_eq!(labels(AxisScale::Log, [0.1, 10.0], 8), ["0.1", "0.2", "0.5", "1", "2", "5", "10"]);
        assert_eq!(labels(AxisScale::Log, [2.1, 2.9], 8), ["2.2", "2.4", "2.6", "2.8"]);
        let day = 1_764_288_000.0;
        assert_eq!(
            labels(AxisScale::Time, [day, day + 86_400.0 * 3.0], 4),
            ["11-28", "11-29", "11-30", "12-01"]
        );
        assert_eq!(
            labels(AxisScale::Time, [day, day + 7200.0], 4),
            ["11-28", "00:30", "01:00", "01:30", "02:00"]
        );
    }

    #[test]
    fn what_has_passed_is_in_one_unit_of_clocks() {
        assert_eq!(labels(AxisScale::Elapsed, [-90.0, 3090.0], 6), ["0", "15 min", "30 min", "45 min"]);
        assert_eq!(labels(AxisScale::Elapsed, [0.0, 129_600.0], 8)[..3], ["0", "6 h", "12 h"]);
        assert_eq!(labels(AxisScale::Elapsed, [0.0, 80.0 * 3600.0], 8).last().unwrap(), "72 h");
        assert_eq!((elapsed(0.25), elapsed(900.0)), ("0.25 s".to_owned(), "15 min".to_owned()));
    }

    #[test]
    fn there_are_never_too_many() {
        for scale in
            [AxisScale::Linear, AxisScale::Log, AxisScale::Time, AxisScale::Share, AxisScale::Elapsed]
        {
            for range in [[1e-300, 1e300], [1.0, 1.0 + 1e-12], [1e9, 1e12], [5.0, 5.1]] {
                let count = labels(scale.clone(), range, 6).len();
                assert!(count <= 14, "{count} of {scale:?} in {range:?}");
            }
        }
    }
}
