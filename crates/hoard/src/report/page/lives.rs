//! How long records, their addresses and holders last, and what programs drop when.

use estimate::BracketedSurvival;
use figure::{Axis, AxisScale, Datum, Figure, PageSection, Series, SeriesData};

use super::{age_axis, figure, panel};
use crate::{
    life::{LifeAspect, LifeCurve, LifeGrouping, LifeSection},
    report::tables,
};

/// `None` of holders of whom nothing lasted.
pub(super) fn section(life: &LifeSection) -> Option<PageSection> {
    let text = "What ended between two looks ended at any time between them: a curve that falls between two looks is straight there, and \
                says no more. Who was not asked, or did not answer, said nothing of the record. Intervals are of peers.";
    let figures = LifeAspect::ALL.iter().filter_map(|aspect| curves(life, *aspect)).collect();
    (!life.curves.is_empty()).then(|| PageSection {
        text: vec![text.to_owned()],
        tables: vec![tables::times_to_live(&life.times), tables::lives(&life.curves)],
        figures,
        ..PageSection::new("How long records, addresses and holders last", 2)
    })
}

/// A panel of all arms, and for each arm one by program and one by cloud; `None` where nothing is known.
fn curves(life: &LifeSection, aspect: LifeAspect) -> Option<Figure> {
    let (name, title, label) = match aspect {
        LifeAspect::Record => ("life-record", "How long records are kept", "holders with the record"),
        LifeAspect::Addresses => {
            ("life-addresses", "How long addresses are given", "holders that give addresses")
        }
        LifeAspect::Reachability => {
            ("life-reachability", "How long holders are reached", "holders that are reached")
        }
    };
    let of_aspect = || life.curves.iter().filter(|curve| curve.aspect == aspect);
    let axis = || Axis::new(label, "", AxisScale::Share).within(0.0, 1.0);
    let all = of_aspect().filter(|curve| curve.by == LifeGrouping::All);
    let all: Vec<Series> = all.map(|curve| series(&curve.arm, &curve.survival)).collect();
    let mut arms: Vec<&str> = of_aspect().map(|curve| &*curve.arm).collect();
    arms.dedup();
    let mut panels = vec![panel("all holders", age_axis(), axis(), all)];
    for arm in arms {
        for by in [LifeGrouping::Program, LifeGrouping::Cloud] {
            let is_meant = |curve: &&LifeCurve| curve.by == by && curve.arm == arm;
            let groups: Vec<Series> =
                of_aspect().filter(is_meant).map(|curve| series(&curve.group, &curve.survival)).collect();
            if !groups.is_empty() {
                panels.push(panel(&format!("{arm}, by {by}"), age_axis(), axis(), groups));
            }
        }
    }
    let how = "Share of all with whom it is known to have begun (nonparametric maximum likelihood); bands are 95 % intervals.";
    of_aspect().next().map(|_| figure((name, title), how, 1, panels))
}

/// From all on, straight through each stretch of time in which some ended, until nobody was looked at any more.
fn series(name: &str, survival: &BracketedSurvival) -> Series {
    let datum =
        |at, share: estimate::ShareGoingOn| Datum::new(at, share.going_on).within(share.low, share.high);
    let (mut line, mut share) = (vec![datum(0.0, survival.first)], survival.first);
    for step in &survival.steps {
        line.extend([datum(step.after, share), datum(step.by, step.share)]);
        share = step.share;
    }
    line.push(datum(survival.last, share));
    line.retain(|datum| datum.at.is_finite());
    Series::new(name, SeriesData::Line(line)).of(survival.n)
}
