//! What changes would save, and the life of what others published.

use estimate::Mean;
use figure::{Axis, AxisScale, Datum, Figure, PageSection, Series, SeriesData};

use super::{ages::bar, figure, linear, panel};
use crate::{
    content::{ContentSection, LookNumbers},
    report::tables,
    savings::{ChangeNumbers, LookAgain, SavingsSection},
};

pub(super) fn savings(savings: &SavingsSection) -> PageSection {
    PageSection {
        text: savings.assumptions.clone(),
        tables: vec![savings.change_table(), savings.way_table(), savings.interaction_table()],
        figures: vec![second_walks(savings)],
        ..PageSection::new("What changes would save", 2)
    }
}

/// The share of retrievals that walk twice, by change.
fn second_walks(savings: &SavingsSection) -> Figure {
    let ways = [LookAgain::WithoutAddresses, LookAgain::AfterFailedDial];
    let series = ways.map(|look_again| {
        let of_change = |(at, change): (usize, &ChangeNumbers)| {
            let way = change.all.ways.iter().find(|way| way.look_again == look_again)?;
            Some(bar(at as f64, way.second_walk))
        };
        let bars = savings.changes.iter().enumerate().filter_map(of_change).collect();
        Series::new(look_again.name().replace('_', " "), SeriesData::Bars(bars)).of(savings.retrievals)
    });
    let named = |change: &ChangeNumbers| {
        let policy = change.policy.replace('_', " ");
        let kept = change.address_lifetime_s.map(|seconds| figure::written::elapsed(seconds as f64));
        kept.map_or_else(|| policy.clone(), |kept| format!("{policy}, {kept}"))
    };
    let y = Axis::of_categories("", savings.changes.iter().map(named));
    let x = Axis::new("share of retrievals that walk a second time", "", AxisScale::Share);
    let how = "Each retrieval under every change; whiskers are 95 % intervals, keys are clusters.";
    let panels = vec![panel("", x, y, series.into())];
    figure(
        ("savings-second-walks", "Second walks by change, and by when the caller walks again"),
        how,
        1,
        panels,
    )
}

pub(super) fn content(content: &ContentSection) -> PageSection {
    PageSection {
        tables: vec![tables::available(content)],
        figures: vec![providers(content), provided(content)],
        ..PageSection::new("What others published", 2)
    }
}

fn time_axis() -> Axis {
    Axis::new("since the study began", "", AxisScale::Elapsed)
}

fn providers(content: &ContentSection) -> Figure {
    type Of = fn(&LookNumbers) -> Option<Mean>;
    let kinds: [(&str, Of); 2] =
        [("providers of a key", |look| look.providers), ("holders of a key", |look| look.holders)];
    let series = kinds.map(|(name, of)| {
        let line = content.looks.iter().filter_map(|look| {
            let mean = of(look)?;
            let (low, high) = (mean.low.unwrap_or(mean.mean), mean.high.unwrap_or(mean.mean));
            Some(Datum::new(look.after_s, mean.mean).within(low, high).of(mean.n))
        });
        Series::new(name, SeriesData::Line(line.collect()))
    });
    let panels = vec![panel("", time_axis(), linear("mean over keys"), series.into())];
    figure(("content-providers", "Providers and holders over time"), "Bands are 95 % intervals.", 1, panels)
}

fn provided(content: &ContentSection) -> Figure {
    let line = content.looks.iter().filter_map(|look| Some(bar(look.after_s, look.provided?)));
    let y = Axis::new("keys of which somebody has a record", "", AxisScale::Share).within(0.0, 1.0);
    let series = vec![Series::new("provided", SeriesData::Line(line.collect())).of(content.keys)];
    let panels = vec![panel("", time_axis(), y, series)];
    figure(("content-provided", "Keys that are provided over time"), "Bands are 95 % intervals.", 1, panels)
}
