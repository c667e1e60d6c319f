//! Reads the rows of a run as a stream.

use std::{collections::VecDeque, path::Path};

use kad::failure::FailureClass;
use rusqlite::{Connection, Row, params};
use schema::{
    Encounter, PeerNumber, PrefixOutcome, Table, Timestamp,
    cell::Cell,
    table::{Column, Holds, List},
    visit::PREFIXES,
};

use super::{
    codec,
    error::{self, damaged},
    physical,
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
    /// How many columns of a statement's row are the table's own.
    width: usize,
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
            values: Values { path, resolver: Resolver::new(db, path) },
            table,
            select: physical::select(table),
            width: physical::width(table),
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
            let mut rows = select.query(params![first, last]).map_err(fail)?;
            while let Some(row) = rows.next().map_err(fail)? {
                let read = self.values.row(self.table, (self.began, self.width), row)?;
                self.chunk.push_back(read);
            }
        }
        Ok(self.chunk.pop_front())
    }
}

/// Reads values, and looks up what they refer to.
#[derive(Debug)]
pub(super) struct Values<'a> {
    pub(super) path: &'a Path,
    pub(super) resolver: Resolver<'a>,
}

/// Takes the columns of a row one after the other.
pub(super) struct Columns<'r, 'stmt> {
    row: &'r Row<'stmt>,
    next: usize,
    path: &'r Path,
}

impl<'r> Columns<'r, '_> {
    pub(super) fn take<T: rusqlite::types::FromSql>(&mut self) -> Result<T, Error> {
        self.next += 1;
        self.row.get(self.next - 1).map_err(|error| error::reading(self.path, error))
    }

    /// The columns from one on.
    pub(super) const fn from(&self, next: usize) -> Self {
        Self { row: self.row, next, path: self.path }
    }

    pub(super) const fn path(&self) -> &'r Path {
        self.path
    }
}

impl Values<'_> {
    pub(super) fn row(
        &mut self,
        table: &Table,
        (began, width): (Timestamp, usize),
        row: &Row<'_>,
    ) -> Result<Read, Error> {
        let path = self.path;
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

    fn cell(&mut self, column: &Column, columns: &mut Columns<'_, '_>) -> Result<Cell<'static>, Error> {
        Ok(match column.holds {
            Holds::Subject | Holds::Peer => columns.take::<Option<u32>>()?.map(PeerNumber).into(),
            Holds::Time => columns.take::<Option<i64>>()?.map(Timestamp).into(),
            Holds::Duration => columns.take::<Option<u64>>()?.map(std::time::Duration::from_micros).into(),
            Holds::Count(_) => columns.take::<Option<u64>>()?.into(),
            Holds::Flag => columns.take::<Option<bool>>()?.into(),
            Holds::Text => {
                columns.take::<Option<String>>()?.map_or(Cell::Absent, |text| Cell::Text(text.into()))
            }
            Holds::Bytes => {
                columns.take::<Option<Vec<u8>>>()?.map_or(Cell::Absent, |b| Cell::Bytes(b.into()))
            }
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

    fn list(&mut self, list: List, columns: &mut Columns<'_, '_>) -> Result<Cell<'static>, Error> {
        if list == List::Peers {
            let _: Option<i64> = columns.take()?;
        }
        let blob: Option<Vec<u8>> = columns.take()?;
        Ok(match list {
            List::Peers => match blob {
                None => Cell::Absent,
                Some(blob) => Cell::Peers(neighbors(self.path, &blob)?.into()),
            },
            List::Prefixes => Cell::Prefixes(self.prefixes(blob.as_deref())?),
            List::Addresses | List::Fates => Cell::Addresses(self.addresses(blob.as_deref())?.into()),
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
