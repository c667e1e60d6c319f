//! Publications: to how many holders, and in which time.

use estimate::SurvivalStep;
use figure::{Axis, AxisScale, Datum, Figure, PageSection, Series, SeriesData};

use super::{
    ages::{bar, boxed},
    figure, panel,
};
use crate::report::{
    numbers::{HoardArmNumbers, PublicationNumbers},
    tables,
};

pub(super) fn section(arms: &[HoardArmNumbers]) -> PageSection {
    let mut figures = vec![holders(arms), times(arms), boxes(arms)];
    if arms.iter().any(|arm| !arm.publication.gift_failures.is_empty()) {
        figures.push(failures(arms));
    }
    let text = "A holder that was sent the record need not have stored it: it is asked for it right after, and ten seconds later. A \
                publication that reached nobody never ends.";
    PageSection {
        text: vec![text.to_owned()],
        tables: vec![tables::gifts(arms), tables::times(arms)],
        figures,
        ..PageSection::new("Publications", 2)
    }
}

/// Holders of a key that were sent the record, and that gave it when it was read back: as numbers, and as shares of K.
fn holders(arms: &[HoardArmNumbers]) -> Figure {
    type Curve = fn(&PublicationNumbers) -> Option<(&[SurvivalStep], u64)>;
    let kinds: [(&str, bool, Curve); 4] = [
        ("sent the record", false, sent),
        ("sent the record, as a share of K", true, sent),
        ("with the record when it was read back", false, read_back),
        ("with the record when it was read back, as a share of K", true, read_back),
    ];
    let has_any = |of: Curve| arms.iter().any(|arm| of(&arm.publication).is_some());
    let panels = kinds.into_iter().filter(|(_, _, of)| has_any(*of)).map(|(title, of_k, of)| {
        let of_arm = |arm: &HoardArmNumbers| {
            let whole = if of_k { f64::from(arm.k.max(1)) } else { 1.0 };
            let (curve, n) = of(&arm.publication)?;
            Some(Series::new(&*arm.name, steps(curve, whole)).of(n))
        };
        let scale = if of_k { AxisScale::Share } else { AxisScale::Linear };
        let y = Axis::new("keys with so many or fewer", "", AxisScale::Share).within(0.0, 1.0);
        panel(title, Axis::new("holders of a key", "", scale), y, arms.iter().filter_map(of_arm).collect())
    });
    let how = "Share of keys with so many or fewer; bands are 95 % intervals.";
    figure(("publication-holders-cdf", "Holders that were given the record"), how, 2, panels.collect())
}

fn sent(numbers: &PublicationNumbers) -> Option<(&[SurvivalStep], u64)> {
    Some((&numbers.sent_curve[..], numbers.sent.n)).filter(|(_, n)| *n > 0)
}

fn read_back(numbers: &PublicationNumbers) -> Option<(&[SurvivalStep], u64)> {
    Some((&numbers.read_back_curve[..], numbers.read_back.as_ref()?.n))
}

/// A distribution from the shares above each value: what is at or below it, from nothing on.
fn steps(curve: &[SurvivalStep], whole: f64) -> SeriesData {
    let begins = curve.first().is_some_and(|first| first.at > 0.0).then(|| Datum::new(0.0, 0.0));
    let of_step = |step: &SurvivalStep| {
        let low = 1.0 - step.high.unwrap_or(0.0);
        Datum::new(step.at / whole, 1.0 - step.going_on).within(low, 1.0 - step.low).of(step.at_risk)
    };
    let curve = begins.into_iter().chain(curve.iter().map(of_step)).collect();
    SeriesData::Steps { curve, censored_at: Vec::new() }
}

fn times(arms: &[HoardArmNumbers]) -> Figure {
    let of_arm = |arm: &HoardArmNumbers| {
        let n = arm.publication.took_boxed.as_ref().map_or(0, |boxed| boxed.n);
        Series::new(&*arm.name, steps(&arm.publication.took_curve, 1.0)).of(n)
    };
    let y = Axis::new("publications that had ended", "", AxisScale::Share).within(0.0, 1.0);
    let panels = vec![panel("", time_axis(), y, arms.iter().map(of_arm).collect())];
    let how = "Share of publications that had ended; bands are 95 % intervals. A curve that ends below 100% leaves those that failed.";
    figure(("publication-time-cdf", "How long publications take"), how, 1, panels)
}

fn boxes(arms: &[HoardArmNumbers]) -> Figure {
    let of_arm = |(number, arm): (usize, &HoardArmNumbers)| {
        Some(boxed(arm.publication.took_boxed.as_ref()?, number as f64))
    };
    let plots = SeriesData::Boxes(arms.iter().enumerate().filter_map(of_arm).collect());
    let x = Axis::of_categories("arm", arms.iter().map(|arm| &*arm.name));
    let panels = vec![panel("", x, time_axis(), vec![Series::new("publications", plots)])];
    let how = "Boxes: quartiles of all publications, those that failed above all others; whiskers: to 1.5 times their distance.";
    figure(("publication-time-boxplot", "How long publications take, by arm"), how, 1, panels)
}

fn time_axis() -> Axis {
    Axis::new("time of a publication", "s", AxisScale::Log)
}

/// Why gifts were not sent.
fn failures(arms: &[HoardArmNumbers]) -> Figure {
    let all = arms.iter().flat_map(|arm| &arm.publication.gift_failures);
    let mut names: Vec<&str> = all.map(|share| share.name).collect();
    names.sort_unstable();
    names.dedup();
    let of_arm = |arm: &HoardArmNumbers| {
        let failures = &arm.publication.gift_failures;
        let of_name = |(at, name): (usize, &&str)| {
            Some(bar(at as f64, failures.iter().find(|share| share.name == *name)?.share))
        };
        Series::new(&*arm.name, SeriesData::Bars(names.iter().enumerate().filter_map(of_name).collect()))
    };
    let x = Axis::of_categories("", names.iter().map(|name| name.replace('_', " ")));
    let y = Axis::new("share of all gifts", "", AxisScale::Share);
    let panels = vec![panel("", x, y, arms.iter().map(of_arm).collect())];
    let how = "Whiskers are 95 % intervals; holders of one key are one cluster.";
    figure(("publication-failures", "Why holders were not sent the record"), how, 1, panels)
}
