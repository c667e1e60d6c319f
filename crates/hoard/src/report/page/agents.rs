//! The programs of holders.

use figure::{Axis, AxisScale, Figure, PageSection, Series, SeriesData};

use super::{
    ages::{bar, boxed},
    by_arm, figure, linear, panel,
};
use crate::report::{numbers::HoardArmNumbers, tables};

/// The most programs that are drawn.
const MAX_DRAWN: usize = 12;

pub(super) fn section(arms: &[HoardArmNumbers]) -> PageSection {
    let text = "By what holders said of themselves, without their version.";
    PageSection {
        text: vec![text.to_owned()],
        tables: vec![tables::agents(arms)],
        figures: vec![shares(arms), per_key(arms)],
        ..PageSection::new("Programs of holders", 2)
    }
}

/// The programs that most holders of all arms run.
fn drawn(arms: &[HoardArmNumbers]) -> Vec<&str> {
    let mut names: Vec<(u64, &str)> = Vec::new();
    for agent in arms.iter().flat_map(|arm| &arm.agents) {
        match names.iter_mut().find(|(_, name)| *name == agent.program) {
            Some((holders, _)) => *holders += agent.share.hits,
            None => names.push((agent.share.hits, &agent.program)),
        }
    }
    names.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(other.1)));
    names.into_iter().take(MAX_DRAWN).map(|(_, name)| name).collect()
}

fn shares(arms: &[HoardArmNumbers]) -> Figure {
    let names = drawn(arms);
    let of_arm = |arm: &HoardArmNumbers| {
        let of_name = |(at, name): (usize, &&str)| {
            Some(bar(at as f64, arm.agents.iter().find(|agent| agent.program == *name)?.share))
        };
        Series::new(&*arm.name, SeriesData::Bars(names.iter().enumerate().filter_map(of_name).collect()))
    };
    let x = Axis::new("share of holders", "", AxisScale::Share);
    let y = Axis::of_categories("", names.iter().copied());
    let panels = vec![panel("", x, y, arms.iter().map(of_arm).collect())];
    let how =
        "Holders of all keys, each as often as it holds one; whiskers are 95 % intervals, keys are clusters.";
    figure(("holders-agents", "Programs of holders"), how, 1, panels)
}

fn per_key(arms: &[HoardArmNumbers]) -> Figure {
    let names = drawn(arms);
    let of_arm = |arm: &HoardArmNumbers| {
        let of_name = |(at, name): (usize, &&str)| {
            let agent = arm.agents.iter().find(|agent| agent.program == *name)?;
            Some(boxed(agent.per_key.boxed.as_ref()?, at as f64))
        };
        let boxes = SeriesData::Boxes(names.iter().enumerate().filter_map(of_name).collect());
        let x = Axis::of_categories("", names.iter().copied());
        panel("", x, linear("holders of a key"), vec![Series::new("holders of a key", boxes)])
    };
    let how = "A box over all keys, those without such a holder included.";
    figure(("holders-agents-per-key", "Holders of a key by program"), how, 1, by_arm(arms, of_arm))
}
