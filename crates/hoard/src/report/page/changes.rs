//! What changes would save, and the life of what others published.

use estimate::{Mean, Proportion};
use figure::{Axis, AxisScale, Datum, Figure, Page, PageSection, Series, SeriesData, written};

use super::{ages::bar, figure, linear, panel};
use crate::{
    content::{AvailabilityRule, ContentFrame, ContentSection, LookNumbers, SamplingFrame},
    report::tables,
    savings::{AgeSavings, ChangeNumbers, LookAgain, SavingsSection},
};

impl SavingsSection {
    /// The section as a page of its own.
    pub fn page(&self, title: &str) -> Page {
        let left_out = format!(
            "{} retrievals of {} keys, each decided anew under every change. Left out: {} walks that were cut short, {} of whose requests none \
             is kept. Numbers in brackets are 95 % intervals, keys are clusters.",
            written::count(self.retrievals),
            written::count(self.keys),
            written::count(self.cut_short),
            written::count(self.without_requests)
        );
        Page { title: title.to_owned(), preamble: vec![left_out], sections: vec![savings(self)] }
    }
}

pub(super) fn savings(savings: &SavingsSection) -> PageSection {
    PageSection {
        text: savings.assumptions.clone(),
        tables: savings.tables(),
        figures: [Some(second_walks(savings)), by_age(savings)].into_iter().flatten().collect(),
        ..PageSection::new("What changes would save", 2)
    }
}

/// The share of walks that bring the id alone by the age of the record, by change; `None` where no age is known.
fn by_age(savings: &SavingsSection) -> Option<Figure> {
    let known = savings.changes.iter().filter(|change| !change.ages.is_empty());
    let mut ages: Vec<&AgeSavings> = known.clone().flat_map(|change| &change.ages).collect();
    ages.sort_by_key(|age| age.from_s);
    ages.dedup_by_key(|age| age.from_s);
    let place = |age: &AgeSavings| ages.iter().position(|known| known.from_s == age.from_s);
    let series = |change: &ChangeNumbers| {
        let of_age = |age: &AgeSavings| Some(bar(place(age)? as f64, age.numbers.id_only));
        let dots = change.ages.iter().filter_map(of_age).collect();
        Series::new(named(change), SeriesData::Bars(dots)).of(change.all.n)
    };
    let as_seen = known.filter(|change| change.address_lifetime_s.is_none()).map(series).collect();
    let x = Axis::of_categories("age of the record", ages.iter().map(|age| age.written()));
    let y = Axis::new("share of walks that bring the id alone", "", AxisScale::Share).within(0.0, 1.0);
    let how = "On addresses as servers gave them: who has the id alone has to walk again. Whiskers are 95 % intervals, keys are clusters.";
    let title = "Walks that bring no addresses, by the age of the record and by who is told";
    (!ages.is_empty()).then(|| figure(("savings-by-age", title), how, 1, vec![panel("", x, y, as_seen)]))
}

/// What a change is called.
fn named(change: &ChangeNumbers) -> String {
    let policy = change.policy.replace('_', " ");
    let kept = change.address_lifetime_s.map(|seconds| written::elapsed(seconds as f64));
    kept.map_or_else(|| policy.clone(), |kept| format!("{policy}, {kept}"))
}

/// The share of retrievals that walk twice, by change.
fn second_walks(savings: &SavingsSection) -> Figure {
    let shares = |look_again: LookAgain| -> Vec<Datum> {
        let of_change = |(at, change): (usize, &ChangeNumbers)| {
            let way = change.all.ways.iter().find(|way| way.look_again == look_again)?;
            Some(bar(at as f64, way.second_walk))
        };
        savings.changes.iter().enumerate().filter_map(of_change).collect()
    };
    let ways = [LookAgain::WithoutAddresses, LookAgain::AfterFailedDial];
    let mut drawn = ways.map(|way| (way, shares(way))).to_vec();
    // Where nobody dialled the provider no dial failed: both are the same bars.
    drawn.dedup_by(|(_, second), (_, first)| second == first);
    let series = drawn.into_iter().filter(|(_, bars)| !bars.is_empty()).map(|(look_again, bars)| {
        Series::new(look_again.name().replace('_', " "), SeriesData::Bars(bars)).of(savings.retrievals)
    });
    let series: Vec<Series> = series.collect();
    let y = Axis::of_categories("", savings.changes.iter().map(named));
    let x = Axis::new("share of retrievals that walk a second time", "", AxisScale::Share);
    let how = "Each retrieval under every change; whiskers are 95 % intervals, keys are clusters.";
    let panels = vec![panel("", x, y, series)];
    figure(
        ("savings-second-walks", "Second walks by change, and by when the caller walks again"),
        how,
        1,
        panels,
    )
}

pub(super) fn content(content: &ContentSection) -> PageSection {
    PageSection {
        text: vec![frame(content)],
        tables: vec![tables::available(content), tables::provided_again(content)],
        figures: vec![providers(content), provided(content), reached(content), available(content)],
        ..PageSection::new("What others published", 2)
    }
}

/// Of what a share is, in words.
fn frame(content: &ContentSection) -> String {
    let ContentFrame { words, kind, keys } = &content.frame;
    let how = match kind {
        SamplingFrame::Listed => "which somebody listed",
        SamplingFrame::Requested => "which heads were asked for, popular ones more often",
    };
    let (all, looked_at) = (written::count(*keys), written::count(content.keys));
    format!(
        "The keys are a sample of “{words}”, {all} in all, {how}; {looked_at} of them were watched. A share says something of that, and of nothing \
         else. A key of which nobody knows is left out of the share, and bounds it in the last two columns."
    )
}

/// A line of shares over looks.
fn shares_over_time(
    name: &str,
    content: &ContentSection,
    of: impl Fn(&LookNumbers) -> Option<Proportion>,
) -> Series {
    let line = content.looks.iter().filter_map(|look| Some(bar(look.after_s, of(look)?)));
    Series::new(name, SeriesData::Line(line.collect())).of(content.keys)
}

/// Providers that can be dialled.
fn reached(content: &ContentSection) -> Figure {
    let y = Axis::new("providers that can be dialled, of all dialled", "", AxisScale::Share).within(0.0, 1.0);
    let series = vec![shares_over_time("can be dialled", content, |look| look.reached)];
    let how = "Bands are 95 % intervals; keys are clusters.";
    let panels = vec![panel("", time_axis(), y, series)];
    figure(("content-reached", "Providers that can be dialled over time"), how, 1, panels)
}

/// Content that is available, by what that means.
fn available(content: &ContentSection) -> Figure {
    let y = Axis::new("share of keys that is available", "", AxisScale::Share).within(0.0, 1.0);
    let series = AvailabilityRule::ALL.iter().map(|rule| {
        shares_over_time(rule.name(), content, |look| {
            look.available.iter().find(|found| found.rule == *rule)?.share
        })
    });
    let how = "Of the keys of which it is known; bands are 95 % intervals.";
    let panels = vec![panel("", time_axis(), y, series.collect())];
    figure(("content-available", "Content that is available over time"), how, 1, panels)
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
    let y = Axis::new("keys of which somebody has a record", "", AxisScale::Share).within(0.0, 1.0);
    let series = vec![shares_over_time("provided", content, |look| look.provided)];
    let panels = vec![panel("", time_axis(), y, series)];
    figure(("content-provided", "Keys that are provided over time"), "Bands are 95 % intervals.", 1, panels)
}
