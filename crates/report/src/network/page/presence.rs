//! Who was there, for how long, and how soon they came back.

use estimate::SurvivalStep;
use figure::{Axis, AxisScale, Datum, Figure, PageSection, Series, SeriesData};

use super::drawing::{figure, panel};
use crate::network::{
    numbers::{ArrivalNumbers, ChurnCurve, ChurnNumbers, ClassNumbers, ClassShare, DrawnPoint},
    tables,
};

/// Until how many hours curves are drawn: as the originals do.
const CHURN_HOURS: f64 = 24.0;
const ARRIVAL_HOURS: f64 = 48.0;

pub(super) fn classes(classes: &ClassNumbers) -> PageSection {
    let mut section = PageSection::new("Who was there", 2);
    section.text.push(
        "RFM 2's partition puts each peer that was visited into one class, by how it was last seen to stand at the beginning and at the end. The SQL of \
         the weekly reports puts some into another one, and some into none."
            .to_owned(),
    );
    section.tables.push(tables::classes(classes));
    section.tables.push(tables::availability(classes));
    let names = || classes.partition.iter().map(|share| share.class.name());
    let datums = datums(&classes.partition);
    let n = classes.partition.first().map_or(0, |share| share.share.n);
    section.figures.push(figure(
        ("peer-classifications", "Peers by how they came and went"),
        "Share of all peers that were visited; whiskers are 95 % intervals.",
        vec![panel(
            "",
            Axis::of_categories("", names()),
            share_axis("share of peers"),
            vec![Series::new("RFM 2's partition", SeriesData::Bars(datums)).of(n)],
        )],
    ));
    section.figures.extend(by_agent(classes));
    section
}

fn datums<C>(shares: &[ClassShare<C>]) -> Vec<Datum> {
    let datum = |(at, share): (usize, &ClassShare<C>)| {
        Datum::new(at as f64, share.share.share)
            .within(share.share.low, share.share.high)
            .of(share.share.hits)
    };
    shares.iter().enumerate().map(datum).collect()
}

/// The partition of each program as bars on top of each other.
fn by_agent(classes: &ClassNumbers) -> Option<Figure> {
    let groups = &classes.by_agent;
    let class_series = |(at, of_all): (usize, &ClassShare<_>)| {
        let class: crate::presence::PresenceClass = of_all.class;
        let datum = |(place, group): (usize, &crate::network::numbers::GroupClasses)| {
            let share = group.partition.get(at)?.share;
            Some(Datum::new(place as f64, share.share).of(share.n))
        };
        let datums = groups.iter().enumerate().filter_map(datum).collect();
        Series::new(class.name(), SeriesData::StackedBars(datums))
    };
    let series: Vec<Series> = classes.partition.iter().enumerate().map(class_series).collect();
    (!groups.is_empty()).then(|| {
        figure(
            ("agents-classification", "How peers of each program came and went"),
            "Share of all peers of a program; those that never said theirs are in none.",
            vec![panel(
                "",
                share_axis("share of peers"),
                Axis::of_categories("", groups.iter().map(|group| &*group.group)),
                series,
            )],
        )
    })
}

pub(super) fn churn(churn: &ChurnNumbers) -> PageSection {
    let mut section = PageSection::new("Churn", 2);
    section.text.push(
        "Stays that began within the period. The estimate takes in those that go on, as long as they were watched; the curve as RFM 2 drew it takes \
         those for over, and has the first half of the period alone."
            .to_owned(),
    );
    section.tables.push(tables::stays(churn));
    section.tables.extend(tables::versions(churn));
    section.figures.push(drawn(churn));
    let (how, last) = ("Product-limit estimate; bands are 95 % intervals.", last_of(&churn.overall));
    let panels = vec![
        panel(
            "all peers, and by program",
            hours("time stayed", CHURN_HOURS, last),
            share_axis("share that stays longer"),
            survival(&churn.overall),
        ),
        panel(
            "by version",
            hours("time stayed", CHURN_HOURS, last),
            share_axis("share that stays longer"),
            survival(&churn.versions),
        ),
    ];
    let panels = panels.into_iter().filter(|panel| !panel.series.is_empty()).collect();
    section.figures.push(figure(("churn-survival", "How long peers stay"), how, panels));
    section
}

fn drawn(churn: &ChurnNumbers) -> Figure {
    let series = |curves: &[ChurnCurve]| -> Vec<Series> {
        let drawn = curves.iter().filter(|curve| curve.drawn_n > 0);
        drawn.map(|curve| steps(&curve.group, &curve.drawn, curve.drawn_n)).collect()
    };
    let axis = || hours("time seen", CHURN_HOURS, last_of(&churn.overall));
    let panels = vec![
        panel("all peers, and by program", axis(), share_axis("share of stays"), series(&churn.overall)),
        panel("by version", axis(), share_axis("share of stays"), series(&churn.versions)),
    ];
    let panels = panels.into_iter().filter(|panel| !panel.series.is_empty()).collect();
    figure(
        ("peer-churn", "How long peers were seen, as RFM 2 drew it"),
        "Share of stays that were seen for no longer, those that go on taken for over: too short by these.",
        panels,
    )
}

fn survival(curves: &[ChurnCurve]) -> Vec<Series> {
    curves.iter().map(|curve| falling(&curve.group, &curve.survival, curve.quantiles[0].n)).collect()
}

/// A share that goes on, from all on.
fn falling(name: &str, steps: &[SurvivalStep], n: u64) -> Series {
    let datum = |step: &SurvivalStep| {
        let datum = Datum::new(step.at, step.going_on).of(step.at_risk);
        step.high.map_or(datum, |high| datum.within(step.low, high))
    };
    let curve = std::iter::once(Datum::new(0.0, 1.0)).chain(steps.iter().map(datum)).collect();
    Series::new(name, SeriesData::Steps { curve, censored_at: Vec::new() }).of(n)
}

fn steps(name: &str, points: &[DrawnPoint], n: u64) -> Series {
    let curve = points.iter().map(|point| Datum::new(point.at, point.share)).collect();
    Series::new(name, SeriesData::Steps { curve, censored_at: Vec::new() }).of(n)
}

pub(super) fn arrivals(arrivals: &ArrivalNumbers) -> PageSection {
    let mut section = PageSection::new("Inter-arrival", 2);
    section.text.push(
        "The weekly report draws the time from one beginning to the next, which has the stay in it. What it is taken for, how soon peers come back, is \
         the time from an end to the next beginning; who did not come back counts as away until the last look."
            .to_owned(),
    );
    section.text.push(tables::away(arrivals));
    let mut panels = vec![panel(
        "from an end to the next beginning",
        hours("time away", ARRIVAL_HOURS, arrivals.away.last().map_or(0.0, |step| step.at)),
        share_axis("share that is away for longer"),
        vec![falling("away", &arrivals.away, arrivals.away_median_h.n)],
    )];
    if arrivals.start_to_start_n > 0 {
        panels.push(panel(
            "from a beginning to the next, as it was drawn",
            hours("time", ARRIVAL_HOURS, arrivals.start_to_start.last().map_or(0.0, |point| point.at)),
            share_axis("share of pairs"),
            vec![steps("start to start", &arrivals.start_to_start, arrivals.start_to_start_n)],
        ));
    }
    section.figures.push(figure(
        ("peer-inter-arrival-time", "How soon peers come back"),
        "Above: product-limit estimate, the band is the 95 % interval.",
        panels,
    ));
    section
}

/// As far as the originals draw, or as far as there is anything.
fn hours(label: &str, until: f64, last: f64) -> Axis {
    let last = if last > 0.0 { last.min(until) } else { until };
    Axis::new(label, "h", AxisScale::Linear).within(0.0, last)
}

/// The last value of the curves.
fn last_of(curves: &[ChurnCurve]) -> f64 {
    let ends = curves.iter().flat_map(|curve| {
        [curve.drawn.last().map(|point| point.at), curve.survival.last().map(|step| step.at)]
    });
    ends.flatten().fold(0.0, f64::max)
}

fn share_axis(label: &str) -> Axis {
    Axis::new(label, "", AxisScale::Share).within(0.0, 1.0)
}
