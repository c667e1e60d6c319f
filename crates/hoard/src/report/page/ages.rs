//! What changes with the age of records: box plots and shares, a panel for each arm.

use std::collections::BTreeSet;

use estimate::{BoxStatistics, Proportion};
use figure::{Axis, AxisScale, BoxPlot, Datum, Figure, Panel, Series, SeriesData};

use super::{BOXES, age_axis, by_arm, figure, linear, panel};
use crate::report::{
    counts::CountNumbers,
    numbers::{AgeNumbers, FinalShares, HoardArmNumbers, NamedShare},
};

/// Ages that are nearer to each other than such a part of all that is shown stand beside each other in order: as one they would be
/// drawn on each other.
const NEAREST: f64 = 1.0 / 250.0;

/// What shares show.
const SHARES: &str =
    "Shares of all at one age; the numbers and their 95 % intervals (keys are clusters) are in the data.";

/// Where the ages of an arm stand.
struct Places {
    axis: Axis,
    ages: Vec<f64>,
    is_in_order: bool,
}

impl Places {
    fn of(arm: &HoardArmNumbers) -> Self {
        let ages: Vec<f64> = arm.ages.iter().map(|age| age.age_s).collect();
        let span = ages.last().zip(ages.first()).map_or(0.0, |(last, first)| last - first);
        let nearest = ages.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
        let is_in_order = nearest < span * NEAREST;
        let axis = if is_in_order {
            let label = format!("{}, in order", age_axis().label);
            Axis::of_categories(label, ages.iter().map(|age| figure::written::elapsed(*age)))
        } else {
            age_axis()
        };
        Self { axis, ages, is_in_order }
    }

    fn at(&self, number: usize) -> f64 {
        if self.is_in_order { number as f64 } else { self.ages.get(number).copied().unwrap_or(f64::NAN) }
    }
}

/// A box for each age.
pub(super) fn boxes(
    name: (&str, &str),
    label: &str,
    arms: &[HoardArmNumbers],
    of: impl Fn(&AgeNumbers) -> Option<&CountNumbers>,
) -> Figure {
    let of_arm = |arm: &HoardArmNumbers| {
        let places = Places::of(arm);
        let counted = arm.ages.iter().enumerate().filter_map(|(number, age)| Some((number, of(age)?)));
        let plots =
            counted.filter_map(|(number, counts)| Some(boxed(counts.boxed.as_ref()?, places.at(number))));
        let plots: Vec<BoxPlot> = plots.collect();
        let n = plots.iter().map(|plot| plot.n).sum();
        let y = from_zero(label, &plots);
        panel("", places.axis, y, vec![Series::new("all keys", SeriesData::Boxes(plots)).of(n)])
    };
    figure(name, BOXES, 1, by_arm(arms, of_arm))
}

/// An axis of values that begins at zero, whatever the lowest is.
fn from_zero(label: &str, plots: &[BoxPlot]) -> Axis {
    let tops = plots.iter().flat_map(|plot| plot.outliers.iter().copied().chain(plot.high).chain(plot.q3));
    let top = tops.fold(0.0, f64::max);
    if top > 0.0 { linear(label).within(-top * 0.02, top * 1.05) } else { linear(label) }
}

/// What a box plot shows, at its place.
pub(super) fn boxed(boxed: &BoxStatistics, at: f64) -> BoxPlot {
    BoxPlot {
        at,
        n: boxed.n,
        censored: boxed.censored,
        low: boxed.low,
        q1: boxed.q1,
        median: boxed.median,
        q3: boxed.q3,
        high: boxed.high,
        outliers: boxed.outliers.clone(),
        outliers_left_out: boxed.outliers_left_out,
    }
}

/// What lookups end with, by age.
pub(super) fn finals(
    name: (&str, &str),
    arms: &[HoardArmNumbers],
    of: impl Fn(&AgeNumbers) -> Option<FinalShares>,
) -> Figure {
    type Of = fn(&FinalShares) -> Proportion;
    let kinds: [(&str, Of); 3] = [
        ("provider with addresses", |shares| shares.with_addresses),
        ("provider without addresses", |shares| shares.id_only),
        ("nothing", |shares| shares.nothing),
    ];
    let of_arm = |arm: &HoardArmNumbers| {
        let places = Places::of(arm);
        let series = kinds.iter().map(|(name, share)| {
            let found = arm.ages.iter().enumerate().filter_map(|(number, age)| Some((number, of(age)?)));
            let bars = found.map(|(number, shares)| bar(places.at(number), share(&shares)));
            Series::new(*name, SeriesData::StackedBars(bars.collect()))
        });
        let series = series.collect();
        shares_panel(places, "share of lookups", series)
    };
    figure(name, SHARES, 1, by_arm(arms, of_arm))
}

/// Closed names by age, in the order of `names`: those that never happened are not there.
pub(super) fn shares(
    name: (&str, &str),
    arms: &[HoardArmNumbers],
    names: impl IntoIterator<Item = &'static str>,
    of: impl Fn(&AgeNumbers) -> &[NamedShare],
) -> Figure {
    let all = arms.iter().flat_map(|arm| &arm.ages).flat_map(&of);
    let happened: BTreeSet<&str> = all.map(|share| share.name).collect();
    let names: Vec<&str> = names.into_iter().filter(|name| happened.contains(name)).collect();
    let of_arm = |arm: &HoardArmNumbers| {
        let places = Places::of(arm);
        let series = names.iter().map(|name| {
            let bars = arm.ages.iter().enumerate().filter_map(|(number, age)| {
                let found = of(age).iter().find(|share| share.name == *name)?;
                Some(bar(places.at(number), found.share))
            });
            Series::new(name.replace('_', " "), SeriesData::StackedBars(bars.collect()))
        });
        let series = series.collect();
        shares_panel(places, "share of holders", series)
    };
    figure(name, SHARES, 1, by_arm(arms, of_arm))
}

fn shares_panel(places: Places, label: &str, series: Vec<Series>) -> Panel {
    panel("", places.axis, Axis::new(label, "", AxisScale::Share).within(0.0, 1.0), series)
}

/// A share with its interval, at its place.
pub(super) const fn bar(at: f64, share: Proportion) -> Datum {
    Datum::new(at, share.share).within(share.low, share.high).of(share.n)
}
