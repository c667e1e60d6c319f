//! Reads columns of one kind of rows over many runs, in typed batches.

use std::sync::Arc;

use schema::{RunId, Table, Timestamp};

#[cfg(feature = "postgres")]
use crate::postgres;
use crate::{Error, RunFilter, sqlite};

/// What to read.
#[derive(Debug, Clone)]
pub struct Scan<'a> {
    /// Of which runs. Of rows with an encounter, those are read that began between its `since` and its `until`.
    pub runs: RunFilter,
    /// Which kind of rows.
    pub table: &'static Table,
    /// Which columns, by the names that [`Table::flat`] gives.
    pub columns: &'a [&'a str],
}

/// Names a peer within one store: over all of its runs, and nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StorePeer(pub(crate) i64);

/// The values of one column, one for each row of a batch.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnValues {
    /// Runs.
    Runs(Vec<RunId>),
    /// Peers; [`Store::peer_id`](crate::Store::peer_id) says who each is.
    Peers(Vec<StorePeer>),
    /// Moments; `None` where there is none.
    Times(Vec<Option<Timestamp>>),
    /// Numbers, durations in microseconds, 0 and 1; `None` where there is none.
    Numbers(Vec<Option<i64>>),
    /// Names and texts, of which each is in memory once; `None` where there is none.
    Texts(Vec<Option<Arc<str>>>),
}

/// Some thousand rows at most.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnBatch {
    /// The columns, in the order in which they were asked for.
    pub columns: Vec<ColumnValues>,
    /// How many rows there are.
    pub rows: usize,
}

/// The batches of a scan, in the order in which the rows were written. After an error it ends. Memory is bounded by a batch.
#[derive(Debug)]
pub struct Scanned<'a> {
    pub(crate) source: ScanSource<'a>,
    pub(crate) is_over: bool,
}

/// Where batches are read from.
#[derive(Debug)]
pub(crate) enum ScanSource<'a> {
    Sqlite(Box<sqlite::ColumnReader<'a>>),
    #[cfg(feature = "postgres")]
    Postgres(postgres::ColumnReader<'a>),
}

impl Iterator for Scanned<'_> {
    type Item = Result<ColumnBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let read = match &mut self.source {
            ScanSource::Sqlite(reader) => reader.next(),
            #[cfg(feature = "postgres")]
            ScanSource::Postgres(reader) => reader.next(),
        };
        self.is_over = !matches!(read, Ok(Some(_)));
        read.transpose()
    }
}
