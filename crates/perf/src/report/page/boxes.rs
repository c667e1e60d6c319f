//! Box plots: by region, and by day.

use std::collections::BTreeSet;

use figure::{Axis, AxisScale, BoxPlot, Figure, Panel, Series, SeriesData};

use super::{stem, words};
use crate::report::numbers::{GroupNumbers, KindNumbers};

/// What a box shows.
const HOW: &str = "Boxes: quartiles of all operations, those that failed or were cut short above all others; whiskers: to 1.5 times their distance; above: how \
many each stands on.";

/// A box for each region and fleet.
pub(super) fn by_region(numbers: &KindNumbers, regions: &[String]) -> Figure {
    let (what, _) = words(numbers.kind);
    let place =
        |group: &GroupNumbers| regions.iter().position(|region| Some(region) == group.region.as_ref());
    let series = series(numbers, &numbers.places, place);
    let panel = panel(numbers, Axis::of_categories("", regions), series);
    figure(format!("{}-regions-boxplot", stem(numbers.kind)), format!("{what} by region"), panel)
}

/// A box for each day and fleet.
pub(super) fn by_day(numbers: &KindNumbers) -> Figure {
    let (what, _) = words(numbers.kind);
    let days: BTreeSet<&str> = numbers.days.iter().filter_map(|group| group.day.as_deref()).collect();
    let days: Vec<&str> = days.into_iter().collect();
    let place = |group: &GroupNumbers| days.iter().position(|day| Some(*day) == group.day.as_deref());
    let series = series(numbers, &numbers.days, place);
    // The year stands in the subtitle of the page.
    let short = days.iter().map(|day| day.get(5..).unwrap_or(day));
    let panel = panel(numbers, Axis::of_categories("day (UTC)", short), series);
    figure(format!("{}-boxplot-daily", stem(numbers.kind)), format!("{what} a day"), panel)
}

fn figure(name: String, title: String, panel: Panel) -> Figure {
    Figure { subtitle: HOW.to_owned(), ..Figure::of(name, title, panel) }
}

fn panel(numbers: &KindNumbers, x: Axis, series: Vec<Series>) -> Panel {
    let (_, time) = words(numbers.kind);
    Panel { title: String::new(), x, y: Axis::new(time, "s", AxisScale::Log), series, references: Vec::new() }
}

/// A series for each fleet.
fn series(
    numbers: &KindNumbers,
    groups: &[GroupNumbers],
    place: impl Fn(&GroupNumbers) -> Option<usize>,
) -> Vec<Series> {
    let of_fleet = |fleet: &GroupNumbers| {
        let groups = groups.iter().filter(|group| group.fleet == fleet.fleet);
        let boxes = groups.filter_map(|group| boxed(group, place(group)?)).collect();
        let n = fleet.succeeded.map_or(0, |succeeded| succeeded.n);
        Series::new(&*fleet.fleet, SeriesData::Boxes(boxes)).of(n)
    };
    numbers.fleets.iter().map(of_fleet).collect()
}

fn boxed(group: &GroupNumbers, at: usize) -> Option<BoxPlot> {
    let boxed = group.boxed.as_ref()?;
    Some(BoxPlot {
        at: at as f64,
        n: boxed.n,
        censored: boxed.censored,
        low: boxed.low,
        q1: boxed.q1,
        median: boxed.median,
        q3: boxed.q3,
        high: boxed.high,
        outliers: boxed.outliers.clone(),
        outliers_left_out: boxed.outliers_left_out,
    })
}
