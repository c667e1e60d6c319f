//! The closest peers: holders among them, how much of a difference is no churn, and how far lookups go.

use estimate::Mean;
use figure::{Axis, AxisScale, Datum, Figure, PageSection, Series, SeriesData};

use super::{
    ages::{self, bar},
    figure, linear, panel,
};
use crate::report::{
    numbers::{HoardArmNumbers, HopCountNumbers, HopNumbers, NoiseNumbers},
    tables,
};

pub(super) fn in_degree(arms: &[HoardArmNumbers]) -> PageSection {
    let figures = vec![
        ages::boxes(
            ("in-degree", "Holders among the closest peers"),
            "holders among the K closest",
            arms,
            |age| Some(&age.in_degree.as_ref()?.overlap),
        ),
        ages::boxes(
            ("in-degree-jaccard", "What holders and the closest peers share"),
            "those in both, of those in either (Jaccard)",
            arms,
            |age| Some(&age.in_degree.as_ref()?.jaccard),
        ),
        ages::boxes(
            ("in-degree-displacement", "By how many ranks holders are displaced"),
            "ranks (mean of a look)",
            arms,
            |age| Some(&age.in_degree.as_ref()?.displacement),
        ),
        ages::boxes(
            ("closest-last-distance", "How near the last of the closest is"),
            "times that the longest distance was halved (bits)",
            arms,
            |age| Some(&age.in_degree.as_ref()?.last_bits),
        ),
        noise(arms),
    ];
    let mut tables = vec![tables::lookups(arms), tables::noise(arms)];
    tables.extend(arms.iter().any(|arm| arm.against_crawl.is_some()).then(|| tables::crawl(arms)));
    let text = "Of each look the peers that are closest now, beside those that were given the record. A lookup that failed is in no box, \
                and one that finds no holder is a 0 in it: both are counted below. What two lookups of one round differ by, begun right \
                after one another, is no churn.";
    PageSection { text: vec![text.to_owned()], tables, figures, ..PageSection::new("The closest peers", 2) }
}

/// Shares of the closest that differ, as bars.
fn noise(arms: &[HoardArmNumbers]) -> Figure {
    type Of = fn(&NoiseNumbers) -> Option<Mean>;
    let kinds: [(&str, Of); 3] = [
        ("two lookups of one round", |noise| noise.back_to_back),
        ("a round and the next", |noise| noise.next_round),
        ("publication, first round", |noise| noise.first_round),
    ];
    let of_arm = |arm: &HoardArmNumbers| {
        let bars = kinds.iter().enumerate().filter_map(|(at, (_, of))| {
            let mean = of(&arm.noise)?;
            let (low, high) = (mean.low.unwrap_or(mean.mean), mean.high.unwrap_or(mean.mean));
            Some(Datum::new(at as f64, mean.mean).within(low.max(0.0), high.min(1.0)).of(mean.n))
        });
        Series::new(&*arm.name, SeriesData::Bars(bars.collect()))
    };
    let x = Axis::of_categories("between", kinds.iter().map(|(name, _)| *name));
    let y = Axis::new("share of the K closest that is missing", "", AxisScale::Share);
    let panels = vec![panel("", x, y, arms.iter().map(of_arm).collect())];
    let how = "The mean over keys of each key's mean, n is how many keys; whiskers are 95 % intervals.";
    figure(("closest-noise", "How much the closest peers differ"), how, 1, panels)
}

/// How far lookups went; `None` without one.
pub(super) fn hops(arms: &[HoardArmNumbers]) -> Option<PageSection> {
    let text = "Of lookups of the closest peers. What CID Hoarder kept as total hops are its query updates until a walk ends: contacted \
                peers without those that are asked after that, and one more for the beginning. Its tree depth is the longest chain, as \
                here. Its fewest hops until all of the closest are known were never counted (they are 0 wherever it kept them); here \
                they are what they were to be.";
    arms.iter().any(|arm| arm.hops.is_some()).then(|| PageSection {
        text: vec![text.to_owned()],
        tables: vec![tables::hops(arms)],
        figures: vec![hop_shares(arms)],
        ..PageSection::new("How far lookups go", 2)
    })
}

fn hop_shares(arms: &[HoardArmNumbers]) -> Figure {
    type Of = fn(&HopNumbers) -> &HopCountNumbers;
    let kinds: [(&str, Of); 3] = [
        ("longest chain of who named whom (tree depth)", |hops| &hops.depth),
        ("answers on the way until all of the closest are known", |hops| &hops.to_closest),
        ("peers contacted", |hops| &hops.contacted),
    ];
    let panels = kinds.iter().map(|(label, of)| {
        let counts = arms.iter().filter_map(|arm| arm.hops.as_ref()).flat_map(|hops| &of(hops).shares);
        let (x, first) = whole_numbers(label, counts.map(|(at, _)| *at));
        let of_arm = |arm: &HoardArmNumbers| {
            let hops = arm.hops.as_ref()?;
            let shares = of(hops).shares.iter();
            let bars = shares.map(|(at, share)| bar(f64::from(*at) - f64::from(first), *share)).collect();
            Some(Series::new(&*arm.name, SeriesData::Bars(bars)).of(hops.lookups))
        };
        let y = Axis::new("share of lookups", "", AxisScale::Share);
        panel("", x, y, arms.iter().filter_map(of_arm).collect())
    });
    let how = "Whiskers are 95 % intervals; lookups of one key are one cluster.";
    figure(("lookup-hops", "How far lookups of the closest peers go"), how, 1, panels.collect())
}

/// An axis of whole numbers, and the number at its zero: one place for each number as long as there are few.
fn whole_numbers(label: &str, counts: impl Iterator<Item = u32>) -> (Axis, u32) {
    const FEW: u32 = 40;
    let (low, high) = counts.fold((u32::MAX, 0), |(low, high), count| (low.min(count), high.max(count)));
    if low > high || high - low > FEW {
        return (linear(label), 0);
    }
    (Axis::of_categories(label, (low..=high).map(|count| count.to_string())), low)
}
