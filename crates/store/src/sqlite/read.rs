//! Reads the rows of a run as a stream.

use std::{collections::VecDeque, path::Path};

use kad::failure::FailureClass;
use rusqlite::{
    Connection, Rows, params,
    types::{FromSql, Value, ValueRef},
};
use schema::{
    Encounter, PeerNumber, PrefixOutcome, Table, Timestamp,
    cell::Cell,
    table::{Column, Holds, List},
    visit::PREFIXES,
};

use super::{
    codec,
    error::{self, damaged},
    physical::{self, Refers},
    ranges::Ranges,
    resolve::Resolver,
};
use crate::{Error, limits::READ_CHUNK, rows::Read};

/// The rows of one table of one run in the order in which they were written. Those that are written meanwhile come too.
#[derive(Debug)]
pub(crate) struct RowReader<'a> {
    values: Values<'a>,
    table: &'static Table,
    select: String,
    began: Timestamp,
    ranges: Ranges<'a>,
    chunk: VecDeque<Read>,
}

impl<'a> RowReader<'a> {
    pub(super) fn new(
        db: &'a Connection,
        path: &'a Path,
        table: &'static Table,
        (run, began): (i64, Timestamp),
    ) -> Self {
        Self {
            values: Values::new(db, path, table),
            table,
            select: physical::select(table),
            began,
            ranges: Ranges::new(db, table, run),
            chunk: VecDeque::new(),
        }
    }

    /// The next row; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Read>, Error> {
        while self.chunk.is_empty() {
            let path = self.values.path;
            let fail = |error| error::reading(path, error);
            let Some((first, last)) = self.ranges.next(READ_CHUNK).map_err(fail)? else { return Ok(None) };
            let mut select = self.ranges.db().prepare_cached(&self.select).map_err(fail)?;
            let rows = select.query(params![first, last]).map_err(fail)?;
            let rows = self.values.rows(rows)?;
            self.values.look_up(&rows)?;
            for row in &rows {
                self.chunk.push_back(self.values.row(self.table, self.began, row)?);
            }
        }
        Ok(self.chunk.pop_front())
    }
}

/// Reads the rows of one table: first as they are kept, then what all of them refer to at once, then what they say.
#[derive(Debug)]
pub(super) struct Values<'a> {
    pub(super) path: &'a Path,
    pub(super) resolver: Resolver<'a>,
    /// How many columns of a statement's row are the table's own.
    width: usize,
    refers: Vec<(usize, Refers)>,
}

/// Takes the columns of a row one after the other.
pub(super) struct Columns<'r> {
    row: &'r [Value],
    next: usize,
    path: &'r Path,
}

impl<'r> Columns<'r> {
    fn raw(&mut self) -> ValueRef<'r> {
        self.next += 1;
        self.row.get(self.next - 1).map_or(ValueRef::Null, ValueRef::from)
    }

    pub(super) fn take<T: FromSql>(&mut self) -> Result<T, Error> {
        let value = self.raw();
        T::column_result(value).map_err(|error| self.never_written(&error.to_string()))
    }

    /// Bytes as they are; `None` for NULL.
    pub(super) fn blob(&mut self) -> Result<Option<&'r [u8]>, Error> {
        let value = self.raw();
        value.as_blob_or_null().map_err(|error| self.never_written(&error.to_string()))
    }

    fn never_written(&self, what: &str) -> Error {
        damaged(self.path, format!("column {} of a row: {what}", self.next - 1))
    }

    /// The columns from one on.
    pub(super) const fn from(&self, next: usize) -> Self {
        Self { row: self.row, next, path: self.path }
    }

    pub(super) const fn path(&self) -> &'r Path {
        self.path
    }
}

impl<'a> Values<'a> {
    pub(super) fn new(db: &'a Connection, path: &'a Path, table: &Table) -> Self {
        let (width, refers) = (physical::width(table), physical::refers(table));
        Self { path, resolver: Resolver::new(db, path), width, refers }
    }

    /// The rows of a statement that [`physical::select`] is, as they are kept.
    pub(super) fn rows(&self, mut rows: Rows<'_>) -> Result<Vec<Vec<Value>>, Error> {
        let fail = |error| error::reading(self.path, error);
        let columns = self.width + physical::BESIDE.len();
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(fail)? {
            let mut values = Vec::with_capacity(columns);
            while values.len() < row.as_ref().column_count() {
                values.push(row.get(values.len()).map_err(fail)?);
            }
            found.push(values);
        }
        Ok(found)
    }

    /// Looks up at once what rows refer to.
    pub(super) fn look_up(&mut self, rows: &[Vec<Value>]) -> Result<(), Error> {
        for row in rows {
            for &(position, refers) in &self.refers {
                if let Some(value) = row.get(position) {
                    want(&mut self.resolver, refers, value);
                }
            }
        }
        self.resolver.look_up()
    }

    /// What a row says, of a run that began then.
    pub(super) fn row(&mut self, table: &Table, began: Timestamp, row: &[Value]) -> Result<Read, Error> {
        let (path, width) = (self.path, self.width);
        let mut columns = Columns { row, next: 1, path };
        let mut cells = Vec::with_capacity(table.columns.len());
        let (subject, own) = table.columns.split_at(usize::from(table.has_subject()));
        if !subject.is_empty() {
            let _: i64 = columns.take()?;
            cells.push(Cell::Peer(PeerNumber(columns.take()?)));
        }
        let mut encounter: Option<Encounter> = None;
        if table.has_encounter {
            let beside = columns.from(width);
            encounter = Some(self.encounter(&mut columns, beside, began)?);
        }
        for column in own {
            cells.push(self.cell(column, &mut columns)?);
        }
        Ok((cells, encounter))
    }

    fn cell(&mut self, column: &Column, columns: &mut Columns<'_>) -> Result<Cell<'static>, Error> {
        Ok(match column.holds {
            Holds::Subject | Holds::Peer => columns.take::<Option<u32>>()?.map(PeerNumber).into(),
            Holds::Time => columns.take::<Option<i64>>()?.map(Timestamp).into(),
            Holds::Duration => columns.take::<Option<u64>>()?.map(std::time::Duration::from_micros).into(),
            Holds::Count(_) => columns.take::<Option<u64>>()?.into(),
            Holds::Flag => columns.take::<Option<bool>>()?.into(),
            Holds::Text => {
                columns.take::<Option<String>>()?.map_or(Cell::Absent, |text| Cell::Text(text.into()))
            }
            Holds::Bytes => columns.blob()?.map_or(Cell::Absent, |bytes| Cell::Bytes(bytes.to_vec().into())),
            Holds::Name(_) => match columns.take::<Option<i64>>()? {
                None => Cell::Absent,
                Some(id) => Cell::Name(self.resolver.name(id)?.into()),
            },
            Holds::Failure => match columns.take::<Option<i64>>()? {
                None => Cell::Absent,
                Some(id) => Cell::Failure(std::borrow::Cow::Owned(self.resolver.failure(id)?)),
            },
            Holds::Address => match columns.take::<Option<i64>>()? {
                None => Cell::Absent,
                Some(id) => Cell::Address(std::borrow::Cow::Owned(self.resolver.address(id)?)),
            },
            Holds::Texts => {
                let id: Option<i64> = columns.take()?;
                let texts = id.map_or_else(|| Ok(Vec::new()), |id| self.resolver.protocols(id))?;
                Cell::Texts(texts.into())
            }
            Holds::List(list) => self.list(list, columns)?,
        })
    }

    fn list(&mut self, list: List, columns: &mut Columns<'_>) -> Result<Cell<'static>, Error> {
        if list == List::Peers {
            let _: Option<i64> = columns.take()?;
        }
        let blob = columns.blob()?;
        Ok(match list {
            List::Peers => match blob {
                None => Cell::Absent,
                Some(blob) => Cell::Peers(neighbors(self.path, blob)?.into()),
            },
            List::Prefixes => Cell::Prefixes(self.prefixes(blob)?),
            List::Addresses | List::Fates => Cell::Addresses(self.addresses(blob)?.into()),
        })
    }

    fn prefixes(&mut self, blob: Option<&[u8]>) -> Result<[PrefixOutcome; PREFIXES], Error> {
        codec::decode_prefixes(blob, |id| {
            self.resolver.variant(id, "failure class", FailureClass::from_name)
        })?
        .ok_or_else(|| damaged(self.path, "prefixes that were never written".to_owned()))
    }

    pub(super) fn addresses(&mut self, blob: Option<&[u8]>) -> Result<Vec<kad::Address>, Error> {
        codec::decode_ids(blob.unwrap_or_default())
            .ok_or_else(|| damaged(self.path, "addresses that were never written".to_owned()))?
            .into_iter()
            .map(|id| self.resolver.address(id))
            .collect()
    }
}

/// Notes what a value refers to. What is no list is noticed when the row is read.
fn want(resolver: &mut Resolver<'_>, refers: Refers, value: &Value) {
    match (refers, value) {
        (_, &Value::Integer(id)) => resolver.want(refers, id),
        (Refers::Fates, Value::Blob(blob)) => {
            for fate in codec::decode_fates(blob).unwrap_or_default() {
                resolver.want(Refers::Address, fate.address);
                if fate.outcome == codec::FAILED {
                    resolver.want(Refers::Failure, fate.cause);
                }
            }
        }
        (_, Value::Blob(blob)) => {
            for id in codec::decode_ids(blob).unwrap_or_default() {
                resolver.want(Refers::Address, id);
            }
        }
        _ => {}
    }
}

fn neighbors(path: &Path, blob: &[u8]) -> Result<Vec<PeerNumber>, Error> {
    codec::decode_neighbors(blob).ok_or_else(|| damaged(path, "neighbors that were never written".to_owned()))
}

/// Reads who was visited and who was in its answers, and nothing else.
#[derive(Debug)]
pub(crate) struct NeighborReader<'a> {
    path: &'a Path,
    ranges: Ranges<'a>,
    chunk: VecDeque<(PeerNumber, Vec<PeerNumber>)>,
}

impl<'a> NeighborReader<'a> {
    pub(super) fn new(db: &'a Connection, path: &'a Path, table: &'static Table, run: i64) -> Self {
        Self { path, ranges: Ranges::new(db, table, run), chunk: VecDeque::new() }
    }

    /// The next visit that kept them; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<(PeerNumber, Vec<PeerNumber>)>, Error> {
        let fail = |error| error::reading(self.path, error);
        while self.chunk.is_empty() {
            let Some((first, last)) = self.ranges.next(READ_CHUNK).map_err(fail)? else { return Ok(None) };
            let sql = "SELECT number, neighbors FROM visit
                WHERE id BETWEEN ?1 AND ?2 AND neighbors IS NOT NULL ORDER BY id";
            let mut select = self.ranges.db().prepare_cached(sql).map_err(fail)?;
            let mut rows = select.query(params![first, last]).map_err(fail)?;
            while let Some(row) = rows.next().map_err(fail)? {
                let blob = row.get_ref(1).and_then(|value| Ok(value.as_blob()?)).map_err(fail)?;
                let peer = PeerNumber(row.get(0).map_err(fail)?);
                self.chunk.push_back((peer, neighbors(self.path, blob)?));
            }
        }
        Ok(self.chunk.pop_front())
    }
}
