//! Matrices: publisher's fleet by retriever's, and regions by fleets.

use std::collections::BTreeSet;

use estimate::{Proportion, Quantile};
use figure::{Axis, AxisScale, Figure, HeatCell, Panel, Series, SeriesData};

use super::{stem, words};
use crate::report::numbers::{KindNumbers, PairNumbers};

/// Publisher's fleet by retriever's: how fast, and how often at all.
pub(super) fn fleets(pairs: &[PairNumbers], fleets: &[String]) -> Figure {
    // Those that publish alone are columns as well.
    let publishers: BTreeSet<&str> = pairs.iter().map(|pair| &*pair.publisher_fleet).collect();
    let publishers: Vec<&str> = publishers.into_iter().collect();
    let place = |pair: &PairNumbers| {
        let column = publishers.iter().position(|name| *name == pair.publisher_fleet)?;
        Some((column, fleets.iter().position(|name| *name == pair.fleet)?))
    };
    let axes = || {
        (
            Axis::of_categories("publisher's fleet", publishers.clone()),
            Axis::of_categories("retriever's fleet", fleets),
        )
    };
    let medians = pairs.iter().filter_map(|pair| Some(of_quantile(place(pair)?, pair.median?)));
    let shares = pairs.iter().filter_map(|pair| Some(of_share(place(pair)?, pair.succeeded?)));
    let panels = vec![
        matrix("median of a lookup", axes(), medians.collect(), Axis::new("median", "s", AxisScale::Linear)),
        matrix("share that found it", axes(), shares.collect(), Axis::new("found", "", AxisScale::Share)),
    ];
    Figure { columns: 2, panels, ..of("matrix-fleets", "Who finds what whom published") }
}

/// Regions by fleets: how fast, and how often at all.
pub(super) fn places(numbers: &KindNumbers, (regions, fleets): (&[String], &[String])) -> Figure {
    let (what, _) = words(numbers.kind);
    let groups = || {
        numbers.places.iter().filter_map(|group| {
            let column = fleets.iter().position(|name| *name == group.fleet)?;
            let row = regions.iter().position(|name| Some(name) == group.region.as_ref())?;
            Some(((column, row), group))
        })
    };
    let axes = || (Axis::of_categories("fleet", fleets), Axis::of_categories("region", regions));
    let medians = groups().filter_map(|(place, group)| Some(of_quantile(place, *group.quantiles.first()?)));
    let late = groups().filter_map(|(place, group)| Some(of_quantile(place, *group.quantiles.get(1)?)));
    let panels = vec![
        matrix("median", axes(), medians.collect(), Axis::new("median", "s", AxisScale::Linear)),
        matrix("9 of 10", axes(), late.collect(), Axis::new("p90", "s", AxisScale::Linear)),
    ];
    let name = format!("{}-matrix-regions", stem(numbers.kind));
    Figure { columns: 2, panels, ..of(&name, &format!("{what}: regions and fleets")) }
}

fn of(name: &str, title: &str) -> Figure {
    let nothing = matrix(
        "",
        (Axis::of_categories("", [""; 0]), Axis::of_categories("", [""; 0])),
        Vec::new(),
        Axis::of_categories("", [""; 0]),
    );
    Figure {
        subtitle: "Fields with a dash were not measured, or not reached by as many as it takes.".to_owned(),
        ..Figure::of(name, title, nothing)
    }
}

fn matrix(title: &str, (x, y): (Axis, Axis), cells: Vec<HeatCell>, colours: Axis) -> Panel {
    let series = vec![Series::new(title, SeriesData::Heat { cells, colours })];
    Panel { title: title.to_owned(), x, y, series, references: Vec::new() }
}

fn of_quantile((column, row): (usize, usize), quantile: Quantile) -> HeatCell {
    let value = quantile.value.unwrap_or(f64::NAN);
    HeatCell { column, row, value, low: quantile.low, high: quantile.high, n: Some(quantile.n) }
}

const fn of_share((column, row): (usize, usize), share: Proportion) -> HeatCell {
    HeatCell {
        column,
        row,
        value: share.share,
        low: Some(share.low),
        high: Some(share.high),
        n: Some(share.n),
    }
}
