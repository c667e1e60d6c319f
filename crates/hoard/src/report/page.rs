//! The numbers as a page: publications, holders, lookups, the closest peers, programs, outcomes, arms beside each other.

mod agents;
mod ages;
mod changes;
mod closeness;
mod compared;
mod key_space;
mod lives;
mod publication;

use figure::{Axis, AxisScale, Figure, Page, PageSection, Panel, Series};
use kad::failure::FailureClass;

use schema::{HolderAnswer, PublisherEnd, Whereabouts, run::RunState};

use super::{
    numbers::{HoardArmNumbers, HoardSection},
    tables,
};

/// What a box shows.
const BOXES: &str = "A box for all keys at one age: quartiles; whiskers: to 1.5 times their distance; above: how many looks it stands on.";

impl HoardSection {
    /// The section as a page of its own, with tables and figures.
    pub fn page(&self, title: &str) -> Page {
        let mut preamble = self.preamble();
        preamble.push(
            "A look is one round of one key. A count of holders is of one look; a look that could not ask every holder is in none, and is told \
             apart. Numbers in brackets are 95 % intervals, n is how many looks, keys or lookups a number stands on. An age counts from the \
             beginning of the publication to the look itself, not to when it was planned."
                .to_owned(),
        );
        Page { title: title.to_owned(), preamble, sections: self.sections() }
    }

    /// Every section of the page.
    pub fn sections(&self) -> Vec<PageSection> {
        if self.keys() == 0 {
            return vec![PageSection::new("Records and who keeps them", 2)];
        }
        if !self.has_holders() {
            let content = self.content.as_ref().map(changes::content);
            return [self.course(), key_space::section(&self.arms)].into_iter().chain(content).collect();
        }
        let mut sections =
            vec![self.course(), key_space::section(&self.arms), publication::section(&self.arms)];
        if self.has_looks() {
            sections.extend([self.online(), self.keeping(), self.walks()]);
            sections.push(closeness::in_degree(&self.arms));
            sections.extend(closeness::hops(&self.arms));
            sections.push(agents::section(&self.arms));
            sections.push(self.outcomes());
            sections.extend(compared::section(&self.arms));
            sections.extend(lives::section(&self.life));
            sections.extend(self.savings.as_ref().map(changes::savings));
            sections.extend(self.content.as_ref().map(changes::content));
        } else {
            sections.push(agents::section(&self.arms));
        }
        sections
    }

    /// Of what, when, and what is missing from it.
    fn preamble(&self) -> Vec<String> {
        let (keys, arms) = (self.keys(), self.arms.len());
        let (Some(from), true) = (self.from, keys > 0) else {
            return vec!["No key was published: there is nothing to report.".to_owned()];
        };
        let until = self.to.map_or_else(String::new, |to| format!(" and watched until {to}"));
        let names: Vec<&str> = self.arms.iter().map(|arm| &*arm.name).collect();
        let mut lines = vec![format!(
            "{keys} {} in {arms} {} ({}), published from {from} on{until}.",
            if keys == 1 { "key" } else { "keys" },
            if arms == 1 { "arm" } else { "arms" },
            names.join(", ")
        )];
        match self.state {
            Some(RunState::Running) => {
                lines.push("The study goes on: what is to come is in no number.".to_owned());
            }
            Some(RunState::Cancelled | RunState::Failed | RunState::Interrupted) => {
                lines.push(
                    "The study was stopped before its end: what was to come is in no number.".to_owned(),
                );
            }
            Some(RunState::Succeeded) | None => {}
        }
        if keys == 1 {
            lines.push("It is one key: what is said of it says nothing of others, and no interval is wider for that.".to_owned());
        }
        if !self.has_looks() {
            lines.push("No round was done yet: there are publications alone.".to_owned());
        } else if self.arms.iter().all(|arm| arm.ages.len() < 2) {
            lines.push("There is one round: nothing is said of how anything changes.".to_owned());
        }
        if self.arms.iter().any(|arm| arm.is_by_age) {
            lines.push(
                "Rounds overlap in age, since some looks were late: each look stands at the planned age that is nearest to its own."
                    .to_owned(),
            );
        }
        lines
    }

    fn keys(&self) -> u64 {
        self.arms.iter().map(|arm| arm.keys).sum()
    }

    /// Whether anybody was asked for a record apart: else nothing is said of holders.
    fn has_holders(&self) -> bool {
        self.arms.iter().any(|arm| arm.publisher_end != PublisherEnd::Foreign || !arm.agents.is_empty())
    }

    fn has_looks(&self) -> bool {
        self.arms.iter().any(|arm| !arm.ages.is_empty())
    }

    fn course(&self) -> PageSection {
        PageSection {
            text: (!self.passed_over.is_nothing())
                .then(|| tables::passed_over(&self.passed_over))
                .into_iter()
                .collect(),
            tables: vec![tables::arms(&self.arms), tables::course(&self.arms)],
            ..PageSection::new("The study", 2)
        }
    }

    fn online(&self) -> PageSection {
        let title = "Holders that are online";
        let mut figures = vec![
            ages::boxes(("holders-online", title), "holders reached", &self.arms, |age| {
                Some(&age.holders.online)
            }),
            ages::boxes(
                ("holders-at-first-addresses", "Holders that are where they were at publication"),
                "holders reached at first addresses",
                &self.arms,
                |age| Some(&age.holders.at_first_addresses),
            ),
        ];
        if let Some(text) = &self.apart {
            let [apart, others] = apart_titles(title, text);
            figures.push(ages::boxes(
                ("holders-online-apart", &apart),
                "holders reached",
                &self.arms,
                |age| age.holders_apart.as_ref().map(|holders| &holders.online),
            ));
            figures.push(ages::boxes(
                ("holders-online-others", &others),
                "holders reached",
                &self.arms,
                |age| age.holders_others.as_ref().map(|holders| &holders.online),
            ));
        }
        let text = "Online is who answers a dial, wherever it is by then. Who failed to be given the record is among the holders: it was chosen.";
        PageSection { text: vec![text.to_owned()], figures, ..PageSection::new(title, 2) }
    }

    fn keeping(&self) -> PageSection {
        let title = "Holders that give the record";
        let mut figures = vec![
            ages::boxes(
                ("holders-keeping", title),
                "holders whose own answer has the record",
                &self.arms,
                |age| Some(&age.holders.keeping),
            ),
            ages::boxes(
                ("holders-keeping-addresses", "Holders that give the record with addresses"),
                "holders whose own answer has it with addresses",
                &self.arms,
                |age| Some(&age.holders.with_addresses),
            ),
        ];
        if let Some(text) = &self.apart {
            let [apart, others] = apart_titles(title, text);
            figures.push(ages::boxes(
                ("holders-keeping-apart", &apart),
                "holders with the record",
                &self.arms,
                |age| age.holders_apart.as_ref().map(|holders| &holders.keeping),
            ));
            figures.push(ages::boxes(
                ("holders-keeping-others", &others),
                "holders with the record",
                &self.arms,
                |age| age.holders_others.as_ref().map(|holders| &holders.keeping),
            ));
        }
        let text = "Asked directly, over a connection of its own. No answer is no record here; the outcomes below tell them apart.";
        PageSection { text: vec![text.to_owned()], figures, ..PageSection::new(title, 2) }
    }

    fn walks(&self) -> PageSection {
        let figures = vec![
            ages::boxes(
                ("walk-returned", "Peers that name the provider during a walk"),
                "peers",
                &self.arms,
                |age| age.lookups.as_ref()?.returned.as_ref(),
            ),
            ages::boxes(
                ("walk-returned-addresses", "Peers that name the provider with addresses during a walk"),
                "peers",
                &self.arms,
                |age| age.lookups.as_ref()?.returned_with_addresses.as_ref(),
            ),
            ages::finals(
                ("lookup-result", "What a lookup gives if the first answer wins"),
                &self.arms,
                |age| age.lookups.as_ref()?.first,
            ),
            ages::finals(
                ("lookup-result-upgraded", "What a lookup gives if addresses that come later are taken"),
                &self.arms,
                |age| age.lookups.as_ref()?.upgraded,
            ),
        ];
        let text = "A walk goes on to its end whatever it found, so that both results are replayed on the same answers.";
        PageSection { text: vec![text.to_owned()], figures, ..PageSection::new("What lookups find", 2) }
    }

    fn outcomes(&self) -> PageSection {
        let places = Whereabouts::ALL.iter().map(|place| place.name());
        let answers = HolderAnswer::ALL.iter().map(|answer| answer.name());
        let failures = FailureClass::ALL.iter().map(|class| class.name());
        let figures = vec![
            ages::shares(("outcome-dials", "Where holders are"), &self.arms, places, |age| &age.whereabouts),
            ages::shares(("outcome-answers", "What holders answer"), &self.arms, answers, |age| &age.answers),
            ages::shares(
                ("outcome-dial-failures", "Why holders are not reached where they were"),
                &self.arms,
                failures,
                |age| &age.dial_failures,
            ),
        ];
        let text = "Shares of all holders of all looks, those included that were not asked.";
        PageSection {
            text: vec![text.to_owned()],
            figures,
            ..PageSection::new("Outcomes of dials and answers", 2)
        }
    }
}

fn apart_titles(title: &str, text: &str) -> [String; 2] {
    [format!("{title}: agents with “{text}”"), format!("{title}: all other agents")]
}

/// A panel without lines of reference.
fn panel(title: &str, x: Axis, y: Axis, series: Vec<Series>) -> Panel {
    Panel { title: title.to_owned(), x, y, series, references: Vec::new() }
}

/// A figure of panels.
fn figure((name, title): (&str, &str), how: &str, columns: usize, panels: Vec<Panel>) -> Figure {
    let nothing = panel("", linear(""), linear(""), Vec::new());
    Figure { subtitle: how.to_owned(), columns, panels, ..Figure::of(name, title, nothing) }
}

fn linear(label: &str) -> Axis {
    Axis::new(label, "", AxisScale::Linear)
}

fn age_axis() -> Axis {
    Axis::new("age of the record", "", AxisScale::Elapsed)
}

/// A panel for each arm, which has its name where there are several.
fn by_arm(arms: &[HoardArmNumbers], of_arm: impl Fn(&HoardArmNumbers) -> Panel) -> Vec<Panel> {
    let named = |arm: &HoardArmNumbers| {
        let title = if arms.len() > 1 { arm.name.clone() } else { String::new() };
        Panel { title, ..of_arm(arm) }
    };
    arms.iter().map(named).collect()
}
