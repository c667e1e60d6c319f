//! Where keys lie in the space of keys.

use figure::{Axis, AxisScale, Datum, Figure, PageSection, Panel, ReferenceLine, Series, SeriesData};

use super::{by_arm, figure, linear, panel};
use crate::report::{
    numbers::{HoardArmNumbers, KeySpaceNumbers},
    tables,
};

pub(super) fn section(arms: &[HoardArmNumbers]) -> PageSection {
    let text = "A key lies where its record goes: at the SHA-256 of its multihash. The space goes from 0 to 1, in 256 equal parts.";
    PageSection {
        text: vec![text.to_owned()],
        tables: vec![tables::key_space(arms)],
        figures: vec![distribution(arms), parts(arms)],
        ..PageSection::new("Where keys lie", 2)
    }
}

fn space() -> Axis {
    linear("space of keys").within(0.0, 1.0)
}

/// Where each part begins, and one end more, with something of each.
fn ends(numbers: &KeySpaceNumbers) -> impl Fn(usize) -> f64 {
    let parts = numbers.parts.len().max(1) as f64;
    move |number| number as f64 / parts
}

fn distribution(arms: &[HoardArmNumbers]) -> Figure {
    let even = Series::new("even", SeriesData::Line(vec![Datum::new(0.0, 0.0), Datum::new(1.0, 1.0)]));
    let of_arm = |arm: &HoardArmNumbers| {
        let (all, end) = (arm.keys.max(1) as f64, ends(&arm.key_space));
        let mut so_far = 0;
        let curve = arm.key_space.parts.iter().zip(1..).map(|(keys, number)| {
            so_far += keys;
            Datum::new(end(number), so_far as f64 / all).of(arm.keys)
        });
        let curve = std::iter::once(Datum::new(0.0, 0.0).of(arm.keys)).chain(curve).collect();
        Series::new(&*arm.name, SeriesData::Line(curve)).of(arm.keys)
    };
    let series = std::iter::once(even).chain(arms.iter().map(of_arm)).collect();
    let y = Axis::new("keys up to there", "", AxisScale::Share).within(0.0, 1.0);
    let how = "Share of keys up to each end of a part.";
    figure(("keys-cdf", "Keys over the space of keys"), how, 1, vec![panel("", space(), y, series)])
}

fn parts(arms: &[HoardArmNumbers]) -> Figure {
    let of_arm = |arm: &HoardArmNumbers| {
        let (numbers, end) = (&arm.key_space, ends(&arm.key_space));
        let of_part = |(number, keys): (usize, &u64)| Datum::new(end(number), *keys as f64).of(arm.keys);
        let last = numbers.parts.last().map(|keys| Datum::new(1.0, *keys as f64).of(arm.keys));
        let curve = numbers.parts.iter().enumerate().map(of_part).chain(last).collect();
        let top = numbers.most.map_or(1.0, |part| part.keys as f64);
        let y = linear("keys in a part").within(0.0, top * 1.05);
        let steps = SeriesData::Steps { curve, censored_at: Vec::new() };
        let mean = ReferenceLine { is_upright: false, at: numbers.mean, label: "mean".to_owned() };
        let panel = panel("", space(), y, vec![Series::new("keys", steps).of(arm.keys)]);
        Panel { references: vec![mean], ..panel }
    };
    let how = "How many keys lie in each of 256 equal parts of the space.";
    figure(("keys-parts", "Keys in each part of the space of keys"), how, 1, by_arm(arms, of_arm))
}
