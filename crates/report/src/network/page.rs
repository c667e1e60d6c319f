//! The numbers as a page, in the order of the weekly report.

mod drawing;
mod presence;
mod programs;

use figure::{Axis, AxisScale, Datum, Page, PageSection, Series, SeriesData};

use self::drawing::{figure, panel};
use super::{NetworkSection, numbers::CrawlPoint, tables};

/// The most kinds of failures that are drawn.
const MAX_FAILURES: usize = 8;

impl NetworkSection {
    /// The section as a page of its own.
    pub fn page(&self, title: &str) -> Page {
        Page { title: title.to_owned(), preamble: self.preamble(), sections: self.sections() }
    }

    fn preamble(&self) -> Vec<String> {
        let Some(watched) = self.watched else {
            return vec![format!(
                "Nobody looked at the network `{}` within the period: there is nothing to report.",
                self.network
            )];
        };
        let mut lines = vec![format!(
            "The network `{}`, watched from {} until {}.",
            self.network, watched.from, watched.until
        )];
        let crawls = self.headline.crawls;
        if crawls == 1 {
            lines.push("There is one crawl: nothing is said of how anything changes.".to_owned());
        }
        if self.headline.monitors == 0 {
            lines.push(
                "No monitor looked at peers between crawls: who came and went between two of them was not seen, and stays are known no better than \
                 crawls are apart."
                    .to_owned(),
            );
        }
        if self.crawls.iter().any(|crawl| crawl.state == schema::RunState::Running) {
            lines.push("A crawl is under way: it is in no mean.".to_owned());
        }
        lines.push("Numbers in brackets are 95 % intervals; n is what a number stands on.".to_owned());
        lines
    }

    /// Every section of the page.
    pub fn sections(&self) -> Vec<PageSection> {
        if self.watched.is_none() {
            return Vec::new();
        }
        let mut sections = vec![self.general(), self.course()];
        sections.extend(self.classes.as_ref().map(presence::classes));
        sections.extend(self.churn.as_ref().map(presence::churn));
        sections.extend(self.arrivals.as_ref().map(presence::arrivals));
        sections.push(programs::section(self));
        sections
    }

    fn general(&self) -> PageSection {
        let mut section = PageSection::new("General information", 2);
        section.tables.push(tables::headline(&self.headline));
        section.tables.extend(tables::rotating(&self.rotating));
        section.text.extend(tables::updating(&self.updating));
        section
    }

    fn course(&self) -> PageSection {
        let mut section = PageSection::new("Crawls", 2);
        if self.crawls.is_empty() {
            section.text.push("No crawl began within the period.".to_owned());
            return section;
        }
        section.text.push(
            "Of several visits of one crawl to one peer the one that reached it counts, else the last."
                .to_owned(),
        );
        section.figures.push(figure(
            ("crawl-overview", "Peers that each crawl visited and reached"),
            "A crawl at the moment at which it began.",
            vec![
                panel("", time(), Axis::new("peers", "", AxisScale::Linear), self.course_series()),
                panel(
                    "",
                    time(),
                    Axis::new("share reached", "", AxisScale::Share).within(0.0, 1.0),
                    vec![self.reached()],
                ),
            ],
        ));
        section.figures.push(figure(
            ("crawl-errors", "Why peers were not reached"),
            "The last failure of each peer, by its class; the most frequent ones.",
            vec![panel("", time(), Axis::new("peers", "", AxisScale::Linear), self.failures())],
        ));
        section.figures.push(figure(
            ("crawl-unresponsive", "Peers that were reached and did not answer what they were asked"),
            "A crawl at the moment at which it began.",
            vec![panel(
                "",
                time(),
                Axis::new("peers", "", AxisScale::Linear),
                vec![self.line("unresponsive", |crawl| crawl.unresponsive as f64)],
            )],
        ));
        section
    }

    fn line(&self, name: &str, value: impl Fn(&CrawlPoint) -> f64) -> Series {
        let datum = |crawl: &CrawlPoint| Datum::new(begun(crawl), value(crawl));
        Series::new(name, SeriesData::Line(self.crawls.iter().map(datum).collect()))
    }

    fn course_series(&self) -> Vec<Series> {
        let reached = |crawl: &CrawlPoint| crawl.reached.map_or(0, |share| share.hits);
        vec![
            self.line("visited", |crawl| crawl.visited as f64),
            self.line("reached", |crawl| reached(crawl) as f64),
            self.line("not reached", |crawl| crawl.visited.saturating_sub(reached(crawl)) as f64),
        ]
    }

    fn reached(&self) -> Series {
        let datums = self.crawls.iter().filter_map(|crawl| {
            let share = crawl.reached?;
            Some(Datum::new(begun(crawl), share.share).within(share.low, share.high).of(share.n))
        });
        Series::new("reached", SeriesData::Line(datums.collect()))
    }

    fn failures(&self) -> Vec<Series> {
        let mut names: Vec<(&'static str, u64)> = Vec::new();
        for (name, count) in self.crawls.iter().flat_map(|crawl| &crawl.failures) {
            match names.iter_mut().find(|(known, _)| known == name) {
                Some((_, all)) => *all += count,
                None => names.push((name, *count)),
            }
        }
        names.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
        names.truncate(MAX_FAILURES);
        let of = |crawl: &CrawlPoint, name: &str| {
            crawl.failures.iter().find(|(known, _)| *known == name).map_or(0, |(_, count)| *count)
        };
        names
            .iter()
            .map(|(name, _)| self.line(&name.replace('_', " "), |crawl| of(crawl, name) as f64))
            .collect()
    }
}

fn begun(crawl: &CrawlPoint) -> f64 {
    crawl.started_at.0 as f64 / 1e6
}

fn time() -> Axis {
    Axis::new("", "", AxisScale::Time)
}
