//! What a kind of rows is like, as data: the table, its columns, their units and closed names.
//!
//! Each kind is described once, beside its type. From the description follow the tables and views of every store, the
//! names by which columns are asked for, [the page](../../../docs/schema.md) that documents them, and the exports.

use crate::{Reveals, encounter};

/// A kind of rows.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Its name, in the singular.
    pub name: &'static str,
    /// What one row says, as a sentence.
    pub doc: &'static str,
    /// Whether a row begins with an [`Encounter`](crate::Encounter), whose columns then follow the peer.
    pub has_encounter: bool,
    /// The columns of its own. The first is the peer that the row is about, if it is about one ([`Holds::Subject`]).
    pub columns: &'static [Column],
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name; durations end in `_us`.
    pub name: &'static str,
    /// What it holds.
    pub holds: Holds,
    /// Whether it can be absent.
    pub nullable: bool,
    /// What it means, as a phrase.
    pub doc: &'static str,
    /// What it reveals of who was measured, where that does not follow from what it holds.
    pub says: Option<Reveals>,
}

/// What a column holds.
#[derive(Debug, Clone, Copy)]
pub enum Holds {
    /// The peer that the row is about, by its number within the run.
    Subject,
    /// Another peer, likewise.
    Peer,
    /// A moment.
    Time,
    /// A span of time.
    Duration,
    /// A number of something.
    Count(&'static str),
    /// Yes or no.
    Flag,
    /// One of a closed list of names.
    Name(fn() -> Vec<&'static str>),
    /// Text as somebody else wrote it.
    Text,
    /// Several such texts, in order.
    Texts,
    /// Bytes.
    Bytes,
    /// An address.
    Address,
    /// What went wrong: a phase, a class, and a text where these do not say it all.
    Failure,
    /// A list, which has rows of its own in a store that is read with SQL.
    List(List),
}

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// Addresses, and what came of each.
    Fates,
    /// Addresses.
    Addresses,
    /// What came of the request for each prefix.
    Prefixes,
    /// Distinct peers of the run.
    Peers,
}

impl Column {
    /// A column that is always there.
    pub const fn new(name: &'static str, holds: Holds, doc: &'static str) -> Self {
        Self { name, holds, nullable: false, doc, says: None }
    }

    /// One that can be absent.
    pub const fn or_none(name: &'static str, holds: Holds, doc: &'static str) -> Self {
        Self { nullable: true, ..Self::new(name, holds, doc) }
    }

    /// The same, with what it reveals: texts and bytes do not say it of themselves.
    #[must_use]
    pub const fn that_says(self, reveals: Reveals) -> Self {
        Self { says: Some(reveals), ..self }
    }

    /// What it reveals of who was measured. `None` if nobody has said it: a test forbids that, and it is shown to those alone
    /// who see everything.
    pub fn reveals(&self) -> Option<Reveals> {
        self.says.or(match self.holds {
            Holds::Subject | Holds::Peer | Holds::List(List::Peers) => Some(Reveals::Peer),
            Holds::Address | Holds::List(List::Addresses | List::Fates) => Some(Reveals::Address),
            // Its detail does, its phase and class do not.
            Holds::Failure => Some(Reveals::Text),
            Holds::Time | Holds::Duration | Holds::Count(_) | Holds::Flag | Holds::Name(_) => {
                Some(Reveals::Nothing)
            }
            Holds::List(List::Prefixes) => Some(Reveals::Nothing),
            Holds::Text | Holds::Texts | Holds::Bytes => None,
        })
    }
}

impl Table {
    /// Whether its rows are about a peer each.
    pub fn has_subject(&self) -> bool {
        self.columns.first().is_some_and(|column| matches!(column.holds, Holds::Subject))
    }

    /// All that a row says, in order: the peer that it is about, the encounter, then the rest.
    pub fn all_columns(&self) -> impl Iterator<Item = &'static Column> + use<> {
        let about = usize::from(self.has_subject());
        let (subject, own) = self.columns.split_at(about);
        let encounter: &[Column] = if self.has_encounter { encounter::COLUMNS } else { &[] };
        subject.iter().chain(encounter).chain(own)
    }
}

/// The names of a closed list, for [`Holds::Name`].
#[macro_export]
macro_rules! names_of {
    ($names:ty) => {
        $crate::table::Holds::Name(|| <$names>::ALL.iter().map(|name| name.name()).collect())
    };
}
