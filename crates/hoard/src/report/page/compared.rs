//! Arms beside each other, by age: medians and means, as numbers and as shares of K.

use figure::{Axis, AxisScale, Datum, Figure, PageSection, Series, SeriesData};

use super::{age_axis, figure, linear, panel};
use crate::report::{
    counts::CountNumbers,
    numbers::{AgeNumbers, HoardArmNumbers},
};

/// What of an age is compared.
type Of = fn(&AgeNumbers) -> Option<&CountNumbers>;

/// A value with the ends of its interval.
type Told = fn(&CountNumbers) -> Option<[f64; 3]>;

/// `None` of one arm.
pub(super) fn section(arms: &[HoardArmNumbers]) -> Option<PageSection> {
    let kinds: [((&str, &str), &str, Of); 4] = [
        (("compared-online", "Holders that are online, by arm"), "holders reached", |age| {
            Some(&age.holders.online)
        }),
        (("compared-keeping", "Holders that give the record, by arm"), "holders with the record", |age| {
            Some(&age.holders.keeping)
        }),
        (
            ("compared-addresses", "Holders that give the record with addresses, by arm"),
            "holders with record and addresses",
            |age| Some(&age.holders.with_addresses),
        ),
        (
            ("compared-in-degree", "Holders among the closest peers, by arm"),
            "holders among the K closest",
            |age| Some(&age.in_degree.as_ref()?.overlap),
        ),
    ];
    let figures = kinds.into_iter().map(|(name, label, of)| compared(name, label, arms, of));
    (arms.len() > 1).then(|| PageSection {
        text: vec![
            "Arms on the same keys are not independent of each other, nor are the ages of one arm."
                .to_owned(),
        ],
        figures: figures.collect(),
        ..PageSection::new("Arms beside each other", 2)
    })
}

fn compared(name: (&str, &str), label: &str, arms: &[HoardArmNumbers], of: Of) -> Figure {
    let kinds: [(&str, bool, Told); 4] = [
        ("median", false, median),
        ("median, as a share of K", true, median),
        ("mean", false, mean),
        ("mean, as a share of K", true, mean),
    ];
    let panels = kinds.map(|(title, of_k, told)| {
        let of_arm = |arm: &HoardArmNumbers| {
            let whole = if of_k { f64::from(arm.k.max(1)) } else { 1.0 };
            let line = arm.ages.iter().filter_map(|age| {
                let [value, low, high] = told(of(age)?)?.map(|value| value / whole);
                Some(Datum::new(age.age_s, value).within(low, high).of(of(age)?.n))
            });
            Series::new(&*arm.name, SeriesData::Line(line.collect())).of(arm.keys)
        };
        let y = if of_k { Axis::new(label, "", AxisScale::Share).within(0.0, 1.05) } else { linear(label) };
        panel(title, age_axis(), y, arms.iter().map(of_arm).collect())
    });
    figure(name, "Bands are 95 % intervals.", 2, panels.into())
}

fn median(counts: &CountNumbers) -> Option<[f64; 3]> {
    let median = counts.median?;
    let value = median.value?;
    Some([value, median.low.unwrap_or(value), median.high.unwrap_or(value)])
}

fn mean(counts: &CountNumbers) -> Option<[f64; 3]> {
    let mean = counts.mean?;
    Some([mean.mean, mean.low.unwrap_or(mean.mean), mean.high.unwrap_or(mean.mean)])
}
