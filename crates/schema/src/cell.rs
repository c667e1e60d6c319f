//! One value of a row on its way into a store or out of it, and how a row is put together from them again.

use std::{borrow::Cow, time::Duration, vec};

use kad::{Address, failure::Failure};

use crate::{PeerNumber, PrefixOutcome, Timestamp, visit::PREFIXES};

/// What a row says in one column.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// Nothing.
    Absent,
    /// A peer.
    Peer(PeerNumber),
    /// A moment.
    Time(Timestamp),
    /// A span of time; kept in whole microseconds, up to 2^63 - 1 of them.
    Duration(Duration),
    /// A number; kept up to 2^63 - 1.
    Count(u64),
    /// Yes or no.
    Flag(bool),
    /// A closed name.
    Name(Cow<'static, str>),
    /// Text.
    Text(Cow<'a, str>),
    /// Texts.
    Texts(Cow<'a, [String]>),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
    /// An address.
    Address(Cow<'a, Address>),
    /// What went wrong.
    Failure(Cow<'a, Failure>),
    /// Addresses.
    Addresses(Cow<'a, [Address]>),
    /// The outcome of each prefix.
    Prefixes([PrefixOutcome; PREFIXES]),
    /// Peers; kept as a set, ascending.
    Peers(Cow<'a, [PeerNumber]>),
}

impl<T: Into<Self>> From<Option<T>> for Cell<'_> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Into::into)
    }
}

macro_rules! cells {
    ($($from:ty => $variant:ident $(, $convert:path)?;)+) => {$(
        impl<'a> From<$from> for Cell<'a> {
            fn from(value: $from) -> Self {
                Self::$variant($($convert)?(value))
            }
        }
    )+};
}

cells! {
    PeerNumber => Peer;
    Timestamp => Time;
    Duration => Duration;
    bool => Flag;
    &'static str => Name, Cow::Borrowed;
    u64 => Count;
    u32 => Count, u64::from;
    u16 => Count, u64::from;
    u8 => Count, u64::from;
    &'a [String] => Texts, Cow::Borrowed;
    &'a [u8] => Bytes, Cow::Borrowed;
    &'a Address => Address, Cow::Borrowed;
    &'a Failure => Failure, Cow::Borrowed;
    &'a [Address] => Addresses, Cow::Borrowed;
    [PrefixOutcome; PREFIXES] => Prefixes;
    &'a [PeerNumber] => Peers, Cow::Borrowed;
}

impl<'a> Cell<'a> {
    /// Text as somebody else wrote it.
    pub const fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

/// A row cannot be put together: a value is missing, is of another kind, or is no name that is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCell {
    /// The value is not of the kind that the column holds.
    #[error("column {0} of a row holds what was never written there")]
    Kind(usize),
    /// The name is none that this version knows.
    #[error("column {0} of a row holds the name `{1}`, which is not known")]
    Name(usize, String),
}

/// The values of a row, taken one after the other.
#[derive(Debug)]
pub struct Cells<'a> {
    rest: vec::IntoIter<Cell<'a>>,
    taken: usize,
}

impl<'a> Cells<'a> {
    /// Of one row, in the order of its columns.
    pub fn new(cells: Vec<Cell<'a>>) -> Self {
        Self { rest: cells.into_iter(), taken: 0 }
    }

    /// Takes a value; [`BadCell`] if it is absent or of another kind.
    pub fn take<T: FromCell>(&mut self) -> Result<T, BadCell> {
        self.taken += 1;
        let cell = self.rest.next().unwrap_or(Cell::Absent);
        T::from_cell(cell).ok_or(BadCell::Kind(self.taken - 1))
    }

    /// Takes a closed name; `known` says what it stands for.
    pub fn name<T>(&mut self, known: fn(&str) -> Option<T>) -> Result<T, BadCell> {
        let name: String = self.take()?;
        known(&name).ok_or_else(|| BadCell::Name(self.taken - 1, name))
    }

    /// The same, if there is one.
    pub fn name_or_none<T>(&mut self, known: fn(&str) -> Option<T>) -> Result<Option<T>, BadCell> {
        let name: Option<String> = self.take()?;
        let unknown = |name: String| known(&name).ok_or_else(|| BadCell::Name(self.taken - 1, name));
        name.map(unknown).transpose()
    }
}

/// What can be taken out of a cell.
pub trait FromCell: Sized {
    /// `None` if the cell holds something else.
    fn from_cell(cell: Cell<'_>) -> Option<Self>;
}

impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        if cell == Cell::Absent { Some(None) } else { T::from_cell(cell).map(Some) }
    }
}

macro_rules! from_cells {
    ($($to:ty : $pattern:pat => $value:expr;)+) => {$(
        impl FromCell for $to {
            fn from_cell(cell: Cell<'_>) -> Option<Self> {
                match cell { $pattern => $value, _ => None }
            }
        }
    )+};
}

from_cells! {
    PeerNumber: Cell::Peer(peer) => Some(peer);
    Timestamp: Cell::Time(time) => Some(time);
    Duration: Cell::Duration(duration) => Some(duration);
    bool: Cell::Flag(flag) => Some(flag);
    u64: Cell::Count(count) => Some(count);
    u32: Cell::Count(count) => u32::try_from(count).ok();
    u16: Cell::Count(count) => u16::try_from(count).ok();
    u8: Cell::Count(count) => u8::try_from(count).ok();
    String: Cell::Text(text) | Cell::Name(text) => Some(text.into_owned());
    Vec<String>: Cell::Texts(texts) => Some(texts.into_owned());
    Vec<u8>: Cell::Bytes(bytes) => Some(bytes.into_owned());
    [u8; 16]: Cell::Bytes(bytes) => bytes.as_ref().try_into().ok();
    Address: Cell::Address(address) => Some(address.into_owned());
    Failure: Cell::Failure(failure) => Some(failure.into_owned());
    Vec<Address>: Cell::Addresses(addresses) => Some(addresses.into_owned());
    [PrefixOutcome; PREFIXES]: Cell::Prefixes(prefixes) => Some(prefixes);
    Vec<PeerNumber>: Cell::Peers(peers) => Some(peers.into_owned());
}
