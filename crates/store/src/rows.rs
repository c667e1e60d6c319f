//! Reads the rows of one run as a stream.

use std::marker::PhantomData;

use schema::{Encounter, PeerNumber, Row, RowType, Table, cell::Cells};

#[cfg(feature = "postgres")]
use crate::postgres;
use crate::{Error, sqlite};

/// What is read of one row: the values of its own columns, and its encounter if its table has them.
pub(crate) type Read = (Vec<schema::cell::Cell<'static>>, Option<Encounter>);

/// Where rows are read from.
#[derive(Debug)]
pub(crate) enum Source<'a> {
    Sqlite(Box<sqlite::RowReader<'a>>),
    #[cfg(feature = "postgres")]
    Postgres(postgres::RowReader<'a>),
}

impl Source<'_> {
    /// The values of the next row; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Read>, Error> {
        match self {
            Self::Sqlite(reader) => reader.next(),
            #[cfg(feature = "postgres")]
            Self::Postgres(reader) => reader.next(),
        }
    }
}

/// The rows of one kind of one run, in the order in which they were written. Those that are written meanwhile come too;
/// after an error or the first `None` it ends. Memory is bounded by some thousand rows.
#[derive(Debug)]
pub struct Rows<'a, T> {
    source: Source<'a>,
    store: String,
    is_over: bool,
    of: PhantomData<T>,
}

impl<'a, T: RowType> Rows<'a, T> {
    pub(crate) const fn new(source: Source<'a>, store: String) -> Self {
        Self { source, store, is_over: false, of: PhantomData }
    }

    /// After the last row: what is written from now on comes, too, once it is there.
    pub const fn go_on(&mut self) {
        self.is_over = false;
    }

    fn read(&mut self) -> Result<Option<T>, Error> {
        let Some((cells, encounter)) = self.source.next()? else { return Ok(None) };
        let bad = |bad| Error::bad_cell(&self.store, &T::TABLE, bad);
        T::read(&mut Cells::new(cells), encounter).map(Some).map_err(bad)
    }
}

impl<T: RowType> Iterator for Rows<'_, T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let read = self.read();
        self.is_over = !matches!(read, Ok(Some(_)));
        read.transpose()
    }
}

/// The rows of one run that are kept in a table, whatever it is, in the order in which they were written; likewise.
#[derive(Debug)]
pub struct TableRows<'a> {
    source: Source<'a>,
    table: &'static Table,
    store: String,
    is_over: bool,
}

impl<'a> TableRows<'a> {
    pub(crate) const fn new(source: Source<'a>, table: &'static Table, store: String) -> Self {
        Self { source, table, store, is_over: false }
    }

    fn read(&mut self) -> Result<Option<Row>, Error> {
        let Some((cells, encounter)) = self.source.next()? else { return Ok(None) };
        let row = Row::read(self.table, &mut Cells::new(cells), encounter).transpose();
        row.map_err(|bad| Error::bad_cell(&self.store, self.table, bad))
    }
}

impl Iterator for TableRows<'_> {
    type Item = Result<Row, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let read = self.read();
        self.is_over = !matches!(read, Ok(Some(_)));
        read.transpose()
    }
}

/// The neighbors of every visit of one run that kept them, in the order in which they were written: who was visited,
/// and the peers in its answers, ascending. After an error it ends.
#[derive(Debug)]
pub struct Neighbors<'a> {
    pub(crate) source: NeighborSource<'a>,
    pub(crate) is_over: bool,
}

/// Where neighbors are read from.
#[derive(Debug)]
pub(crate) enum NeighborSource<'a> {
    Sqlite(sqlite::NeighborReader<'a>),
    #[cfg(feature = "postgres")]
    Postgres(postgres::NeighborReader<'a>),
}

impl Iterator for Neighbors<'_> {
    type Item = Result<(PeerNumber, Vec<PeerNumber>), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let read = match &mut self.source {
            NeighborSource::Sqlite(reader) => reader.next(),
            #[cfg(feature = "postgres")]
            NeighborSource::Postgres(reader) => reader.next(),
        };
        self.is_over = !matches!(read, Ok(Some(_)));
        read.transpose()
    }
}
