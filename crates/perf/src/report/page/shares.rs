//! What came of operations as shares, and quantiles of fleets beside each other.

use figure::{Axis, AxisScale, Datum, Figure, Panel, Series, SeriesData};
use schema::{OperationKind, OperationOutcome};

use super::words;
use crate::report::numbers::{GroupNumbers, KindNumbers, PerfSection};

/// Bars for everything but success, by fleet; a panel for each kind of operation.
pub(super) fn errors(kinds: &[&KindNumbers]) -> Figure {
    let is_error = |outcome: &&OperationOutcome| **outcome != OperationOutcome::Done;
    let happened = |outcome: &&OperationOutcome| {
        kinds.iter().any(|numbers| numbers.outcomes.iter().any(|found| found.outcome == **outcome))
    };
    let outcomes: Vec<_> = OperationOutcome::ALL.iter().filter(is_error).filter(happened).copied().collect();
    let names = || outcomes.iter().map(|outcome| outcome.name().replace('_', " "));
    let panel = |numbers: &&KindNumbers| {
        let of_fleet = |fleet: &GroupNumbers| {
            let of_outcome = |(at, outcome): (usize, &OperationOutcome)| {
                let mut found = numbers.outcomes.iter().filter(|found| found.fleet == fleet.fleet);
                let share = found.find(|found| found.outcome == *outcome)?.share;
                Some(Datum::new(at as f64, share.share).within(share.low, share.high).of(share.n))
            };
            let bars = outcomes.iter().enumerate().filter_map(of_outcome).collect();
            Series::new(&*fleet.fleet, SeriesData::Bars(bars)).of(fleet.attempts)
        };
        Panel {
            title: words(numbers.kind).0.to_owned(),
            x: Axis::of_categories("", names()),
            y: Axis::new("share of all attempts", "", AxisScale::Share),
            series: numbers.fleets.iter().map(of_fleet).collect(),
            references: Vec::new(),
        }
    };
    let nothing = Panel {
        title: String::new(),
        x: Axis::of_categories("", [""; 0]),
        y: Axis::of_categories("", [""; 0]),
        series: Vec::new(),
        references: Vec::new(),
    };
    Figure {
        subtitle: "Whiskers are 95 % intervals (Wilson).".to_owned(),
        columns: 2,
        panels: kinds.iter().map(panel).collect(),
        ..Figure::of("error-rate", "What went wrong", nothing)
    }
}

/// The quantiles of each fleet with their intervals; a panel for each kind of operation.
pub(super) fn quantiles(section: &PerfSection) -> Figure {
    let panel = |numbers: &KindNumbers| {
        let names = ["p50", "p90", "p99"].iter().enumerate();
        let series = names.map(|(index, name)| {
            let of_fleet = |(at, fleet): (usize, &GroupNumbers)| {
                let quantile = fleet.quantiles.get(index)?;
                let value = quantile.value?;
                let datum = Datum::new(at as f64, value).of(quantile.n);
                // Without an upper end the whisker goes as far as anybody was watched.
                Some(datum.within(quantile.low.unwrap_or(value), quantile.high.unwrap_or(fleet.watched_s)))
            };
            let dots = numbers.fleets.iter().enumerate().filter_map(of_fleet).collect();
            Series::new(*name, SeriesData::Dots(dots))
        });
        Panel {
            title: words(numbers.kind).0.to_owned(),
            x: Axis::new(words(numbers.kind).1, "s", AxisScale::Log),
            y: Axis::of_categories("", numbers.fleets.iter().map(|fleet| &*fleet.fleet)),
            series: series.collect(),
            references: Vec::new(),
        }
    };
    let kinds = section
        .kinds
        .iter()
        .filter(|numbers| matches!(numbers.kind, OperationKind::Provide | OperationKind::Retrieve));
    let panels: Vec<Panel> = kinds.map(panel).collect();
    let nothing = Axis::of_categories("", [""; 0]);
    let nothing = Panel {
        title: String::new(),
        x: nothing.clone(),
        y: nothing,
        series: Vec::new(),
        references: Vec::new(),
    };
    Figure {
        subtitle: "Half, nine tenths and 99 of 100 had succeeded; whiskers are 95 % intervals. What is missing was not reached.".to_owned(),
        columns: 2,
        panels,
        ..Figure::of("quantiles-fleets", "Quantiles by fleet", nothing)
    }
}
