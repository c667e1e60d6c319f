//! The numbers as a page: sections in the order of the weekly report, and then what it did not have.

mod boxes;
mod curves;
mod matrices;
mod shares;

use figure::{Figure, Page, PageSection, PageTable};
use schema::OperationKind;

use super::{
    numbers::{KindNumbers, PerfSection},
    tables,
};

impl PerfSection {
    /// The section as a page of its own, with tables and figures.
    pub fn page(&self, title: &str) -> Page {
        let mut preamble = vec![self.when()];
        preamble.push(
            "Every attempt counts. A time is that until an operation did what it was to do: one that failed never does, one at its deadline is cut \
             short there (product-limit estimate). Numbers in brackets are 95 % intervals, n is how many operations a number stands on; \
             \"not reached\" says that fewer had succeeded by the end of all that was watched."
                .to_owned(),
        );
        Page { title: title.to_owned(), preamble, sections: self.sections() }
    }

    /// The quantiles of a kind of operation by fleet, for people; `None` if there was none of that kind.
    pub fn quantile_table(&self, kind: OperationKind) -> Option<PageTable> {
        self.kind(kind).map(|numbers| tables::quantiles(numbers, &numbers.fleets))
    }

    /// When it was measured, and how much.
    fn when(&self) -> String {
        let (Some(from), Some(to)) = (self.from, self.to) else {
            return "There was no attempt in this time.".to_owned();
        };
        format!(
            "{} attempts from {from} to {to}, by {} fleets ({}) in {} regions ({}).",
            self.attempts,
            self.fleets.len(),
            self.fleets.join(", "),
            self.regions.len(),
            self.regions.join(", ")
        )
    }

    /// The numbers of a kind of operation, if there was any.
    pub(super) fn kind(&self, kind: OperationKind) -> Option<&KindNumbers> {
        self.kinds.iter().find(|numbers| numbers.kind == kind)
    }

    fn sections(&self) -> Vec<PageSection> {
        let (provide, retrieve) = (self.kind(OperationKind::Provide), self.kind(OperationKind::Retrieve));
        let both: Vec<&KindNumbers> = provide.into_iter().chain(retrieve).collect();
        let mut sections = vec![PageSection::new("DHT performance", 2)];
        if self.attempts == 0 {
            return sections;
        }
        sections.push(PageSection {
            text: vec!["By the region of the server that published or looked, and by fleet.".to_owned()],
            tables: both.iter().map(|numbers| tables::quantiles(numbers, &numbers.fleets)).collect(),
            figures: both
                .iter()
                .flat_map(|numbers| [curves::by_region(numbers), boxes::by_region(numbers, &self.regions)])
                .collect(),
            ..PageSection::new("Weekly", 3)
        });
        sections.push(PageSection {
            figures: both.iter().map(|numbers| boxes::by_day(numbers)).collect(),
            ..PageSection::new("Daily", 3)
        });
        sections.push(PageSection {
            text: vec!["What came of all attempts, those included that no server began.".to_owned()],
            tables: both.iter().map(|numbers| tables::outcomes(numbers)).collect(),
            figures: vec![shares::errors(&both)],
            ..PageSection::new("Error rate", 3)
        });
        sections.extend([self.beside(), self.by_place(&both)]);
        sections.extend(by_connections(&both));
        sections.extend(self.of_kind(OperationKind::Negative, "Lookups of what nobody provides"));
        sections.extend(self.of_kind(OperationKind::Findable, "Time until findable"));
        sections.extend(self.placed());
        sections
    }

    /// Fleets beside each other.
    fn beside(&self) -> PageSection {
        let mut figures: Vec<Figure> = vec![shares::quantiles(self)];
        if !self.matrix.is_empty() {
            figures.push(matrices::fleets(&self.matrix, &self.fleets));
        }
        let has_others = !self.differences.is_empty();
        PageSection {
            tables: has_others.then(|| tables::differences(&self.differences)).into_iter().collect(),
            figures,
            ..PageSection::new("Fleets beside each other", 2)
        }
    }

    /// Regions by fleets.
    fn by_place(&self, both: &[&KindNumbers]) -> PageSection {
        PageSection {
            tables: both.iter().map(|numbers| tables::quantiles(numbers, &numbers.places)).collect(),
            figures: both
                .iter()
                .map(|numbers| matrices::places(numbers, (&self.regions, &self.fleets)))
                .collect(),
            ..PageSection::new("Regions and fleets", 2)
        }
    }

    /// A kind of operation that the weekly report did not have.
    fn of_kind(&self, kind: OperationKind, title: &str) -> Option<PageSection> {
        let numbers = self.kind(kind)?;
        Some(PageSection {
            tables: vec![tables::quantiles(numbers, &numbers.fleets), tables::outcomes(numbers)],
            figures: vec![curves::by_fleet(numbers)],
            ..PageSection::new(title, 2)
        })
    }

    fn placed(&self) -> Option<PageSection> {
        (!self.placements.is_empty()).then(|| PageSection {
            tables: vec![tables::placements(&self.placements)],
            ..PageSection::new("Where records went, and how large the network is taken to be", 2)
        })
    }
}

/// With warm connections and with cold ones, where there were both.
fn by_connections(both: &[&KindNumbers]) -> Option<PageSection> {
    let both: Vec<_> = both.iter().filter(|numbers| !numbers.policies.is_empty()).collect();
    (!both.is_empty()).then(|| PageSection {
        text: vec!["Warm: connections as they were; cold: all closed before, the table kept; fresh: a new peer each time.".to_owned()],
        tables: both.iter().map(|numbers| tables::quantiles(numbers, &numbers.policies)).collect(),
        figures: both.iter().map(|numbers| curves::by_policy(numbers)).collect(),
        ..PageSection::new("Warm and cold connections", 2)
    })
}

/// What a kind of operation is called: one of them, and the time of one.
pub(super) const fn words(kind: OperationKind) -> (&'static str, &'static str) {
    match kind {
        OperationKind::Provide => ("Publications", "time until published"),
        OperationKind::Retrieve => ("Retrievals", "time until the first provider record"),
        OperationKind::Negative => ("Lookups of what nobody provides", "time until it was clear"),
        OperationKind::Findable => ("Until findable", "time until it was found, at most"),
    }
}

/// The beginning of the names of a kind's files.
pub(super) const fn stem(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Provide => "publications",
        OperationKind::Retrieve => "retrievals",
        OperationKind::Negative => "negative",
        OperationKind::Findable => "findable",
    }
}
