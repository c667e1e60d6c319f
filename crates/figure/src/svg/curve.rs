//! Curves: of steps, and lines from value to value, with the bands of their intervals.

use std::fmt::Write as _;

use super::{
    Canvas,
    drawing::{Drawing, px},
    legend::stroke,
};
use crate::{
    colour,
    series::{Datum, Series},
};

/// With no more values than these each has a mark.
const MAX_MARKED: usize = 31;

/// With more curves than these, bands are sheer.
const MAX_BANDS: usize = 4;

/// Nearer to each other than this, in pixels, two points are one.
const NEAR: f64 = 0.3;

/// A value where it is drawn, with the ends of its interval.
#[derive(Debug, Clone, Copy)]
struct Place {
    x: f64,
    y: f64,
    low: f64,
    high: f64,
}

/// A curve of steps, with ticks where somebody was lost from sight.
pub(super) fn steps(
    drawing: &mut Drawing,
    canvas: &Canvas<'_>,
    series: &Series,
    (curve, censored_at): (&[Datum], &[f64]),
) {
    let index = canvas.colour(series);
    let class = colour::class(index);
    for run in runs(canvas, curve, |at| canvas.x.within(at)) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        if has_band(&run) {
            let upper = stepped(&run, |place| place.high);
            let band = format!("{upper}V{}{}Z", px(last.low), stepped_back(&run, |place| place.low));
            drawing.path(&format!("{} {class}", band_class(canvas)), &band, "");
        }
        drawing.path(&format!("curve {class}"), &stepped(&run, |place| place.y), &stroke(index));
        if run.len() == 1 {
            drawing.marker(&format!("dot {class}"), [first.x, first.y], (index, 2.5), "");
        }
    }
    lost(drawing, canvas, (curve, censored_at), &class);
}

/// To the right, then up or down, from the first place to the last.
fn stepped(run: &[Place], of: fn(&Place) -> f64) -> String {
    let mut commands =
        run.first().map_or_else(String::new, |first| format!("M{} {}", px(first.x), px(of(first))));
    for place in run.iter().skip(1) {
        // A string takes whatever is written.
        _ = write!(commands, "H{}V{}", px(place.x), px(of(place)));
    }
    commands
}

/// The same way back, from the last place to the first: up or down to the value before, then to the left.
fn stepped_back(run: &[Place], of: fn(&Place) -> f64) -> String {
    let mut commands = String::new();
    for place in run.iter().rev().skip(1) {
        _ = write!(commands, "V{}H{}", px(of(place)), px(place.x));
    }
    commands
}

/// A tick on the curve for each place where somebody was lost from sight, as far as they can be told apart.
fn lost(drawing: &mut Drawing, canvas: &Canvas<'_>, (curve, censored_at): (&[Datum], &[f64]), class: &str) {
    let mut sorted = censored_at.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (mut commands, mut before) = (String::new(), f64::NEG_INFINITY);
    for at in sorted {
        let on_curve = curve.iter().take_while(|datum| datum.at <= at).last().or_else(|| curve.first());
        let place = on_curve.and_then(|datum| Some((canvas.x.within(at)?, canvas.y.at(datum.value)?)));
        if let Some((x, y)) = place.filter(|(x, _)| *x - before > 2.0) {
            _ = write!(commands, "M{} {}v5", px(x), px(y - 2.5));
            before = x;
        }
    }
    drawing.path(&format!("thin {class}"), &commands, "");
}

/// A line from value to value, broken where one is no number.
pub(super) fn line(drawing: &mut Drawing, canvas: &Canvas<'_>, series: &Series, datums: &[Datum]) {
    let index = canvas.colour(series);
    let class = colour::class(index);
    for run in runs(canvas, datums, |at| canvas.x.at(at)) {
        let through = |of: fn(&Place) -> f64, places: &mut dyn Iterator<Item = &Place>| {
            places.map(|place| format!("{} {}", px(place.x), px(of(place)))).collect::<Vec<_>>().join("L")
        };
        if has_band(&run) {
            let (there, back) = (
                through(|place| place.high, &mut run.iter()),
                through(|place| place.low, &mut run.iter().rev()),
            );
            drawing.path(&format!("{} {class}", band_class(canvas)), &format!("M{there}L{back}Z"), "");
        }
        drawing.path(
            &format!("curve {class}"),
            &format!("M{}", through(|place| place.y, &mut run.iter())),
            &stroke(index),
        );
        if datums.len() <= MAX_MARKED || run.len() == 1 {
            for place in &run {
                drawing.marker(&format!("dot {class}"), [place.x, place.y], (index, 2.2), "");
            }
        }
    }
}

/// The values that can be drawn, apart where one between them cannot; those that fall on one point are one.
fn runs(canvas: &Canvas<'_>, datums: &[Datum], x: impl Fn(f64) -> Option<f64>) -> Vec<Vec<Place>> {
    let mut runs: Vec<Vec<Place>> = vec![Vec::new()];
    for (number, datum) in datums.iter().enumerate() {
        let Some((x, y)) = x(datum.at).zip(canvas.y.at(datum.value)) else {
            runs.push(Vec::new());
            continue;
        };
        let end = |value: Option<f64>| value.and_then(|value| canvas.y.within(value)).unwrap_or(y);
        let place = Place { x, y, low: end(datum.low), high: end(datum.high) };
        let is_last = number + 1 == datums.len();
        let Some(run) = runs.last_mut() else { continue };
        let is_near = run.last().is_some_and(|last| (last.x - x).abs() < NEAR && (last.y - y).abs() < NEAR);
        if !is_near || is_last {
            run.push(place);
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

/// Bands of many curves lie on each other: the more there are, the less of each is seen.
fn band_class(canvas: &Canvas<'_>) -> &'static str {
    if canvas.panel.series.len() > MAX_BANDS { "band sheer" } else { "band" }
}

/// Whether there is an interval anywhere.
fn has_band(run: &[Place]) -> bool {
    run.iter().any(|place| (place.low - place.high).abs() > 0.05)
}
