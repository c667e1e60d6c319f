//! Distributions: the share of all operations that had done what they were to do, by time.

use figure::{Axis, AxisScale, Datum, Figure, Panel, Series, SeriesData};

use super::{stem, words};
use crate::report::numbers::{GroupNumbers, KindNumbers};

/// What bands and ends of curves mean.
const HOW: &str = "Share of operations that had succeeded; bands are 95 % intervals. A curve that ends below 100% leaves what failed or was cut short.";

/// A panel for each fleet, a curve for each region.
pub(super) fn by_region(numbers: &KindNumbers) -> Figure {
    let panel = |fleet: &GroupNumbers| {
        let places = numbers.places.iter().filter(|place| place.fleet == fleet.fleet);
        let series = places.map(|place| curve(place, place.region.as_deref().unwrap_or_default()));
        panel(numbers, &fleet.fleet, series.collect())
    };
    let panels: Vec<Panel> = numbers.fleets.iter().map(panel).collect();
    let (what, _) = words(numbers.kind);
    figure(numbers, "regions-cdf", &format!("{what} by region and fleet"), panels)
}

/// A panel for each fleet, a curve for each kind of connections.
pub(super) fn by_policy(numbers: &KindNumbers) -> Figure {
    let panel = |fleet: &GroupNumbers| {
        let policies = numbers.policies.iter().filter(|policy| policy.fleet == fleet.fleet);
        let series = policies.map(|policy| curve(policy, policy.policy.as_deref().unwrap_or("not said")));
        panel(numbers, &fleet.fleet, series.collect())
    };
    let panels: Vec<Panel> = numbers.fleets.iter().map(panel).collect();
    let (what, _) = words(numbers.kind);
    figure(numbers, "connections-cdf", &format!("{what} by connections and fleet"), panels)
}

/// A curve for each fleet.
pub(super) fn by_fleet(numbers: &KindNumbers) -> Figure {
    let series = numbers.fleets.iter().map(|fleet| curve(fleet, &fleet.fleet)).collect();
    let (what, _) = words(numbers.kind);
    figure(numbers, "fleets-cdf", &format!("{what} by fleet"), vec![panel(numbers, "", series)])
}

fn figure(numbers: &KindNumbers, name: &str, title: &str, panels: Vec<Panel>) -> Figure {
    let nothing = panel(numbers, "", Vec::new());
    let columns = if panels.len() > 1 { 2 } else { 1 };
    let name = format!("{}-{name}", stem(numbers.kind));
    Figure { subtitle: HOW.to_owned(), columns, panels, ..Figure::of(name, title, nothing) }
}

fn panel(numbers: &KindNumbers, title: &str, series: Vec<Series>) -> Panel {
    let (_, time) = words(numbers.kind);
    Panel {
        title: title.to_owned(),
        // The same for all panels: they are compared.
        x: Axis { range: range(numbers), ..Axis::new(time, "s", AxisScale::Log) },
        y: Axis::new("operations that had succeeded", "", AxisScale::Share).within(0.0, 1.0),
        series,
        references: Vec::new(),
    }
}

/// From the fastest to the longest that anybody was watched, over all fleets; `None` where nothing ended.
fn range(numbers: &KindNumbers) -> Option<[f64; 2]> {
    let steps =
        || numbers.fleets.iter().flat_map(|fleet| &fleet.curve).map(|step| step.at).filter(|at| *at > 0.0);
    let fastest = steps().fold(f64::INFINITY, f64::min);
    let slowest = steps().chain(numbers.fleets.iter().map(|fleet| fleet.watched_s)).fold(0.0, f64::max);
    (fastest < slowest).then_some([fastest * 0.8, slowest * 1.1])
}

/// The share that had succeeded, from nothing on until nobody was watched any more.
fn curve(group: &GroupNumbers, name: &str) -> Series {
    let mut curve = vec![Datum::new(0.0, 0.0)];
    curve.extend(group.curve.iter().map(|step| {
        let high = 1.0 - step.high.unwrap_or(0.0);
        Datum::new(step.at, 1.0 - step.going_on).within(high, 1.0 - step.low).of(step.at_risk)
    }));
    if let Some(last) = curve.last().copied() {
        curve.push(Datum { at: group.watched_s.max(last.at), ..last });
    }
    let n = group.succeeded.map_or(0, |succeeded| succeeded.n);
    Series::new(name, SeriesData::Steps { curve, censored_at: Vec::new() }).of(n)
}
