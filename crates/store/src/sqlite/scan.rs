//! Reads columns of many runs in batches: no statement a row, and no table but that of the rows where it can be helped.

use std::{collections::HashMap, path::Path, sync::Arc};

use rusqlite::{Connection, Row, params, types::ValueRef};
use schema::{Table, Timestamp};

use super::{
    error::{self, damaged},
    runs::StoredRun,
    shown::{self, Shown, StandsFor},
};
use crate::{
    ColumnBatch, ColumnValues, Error, Scan, StorePeer,
    cache::Cache,
    limits::{CACHED_TEXTS, SCAN_BATCHES, SCAN_ROWS},
};

/// The batches of writing of all runs in one table, as SQL.
pub(super) const SELECT_BATCHES: &str = "SELECT first, last, run, earliest_us, latest_us FROM batch
    WHERE kind = (SELECT id FROM name WHERE name = ?1) AND first > ?2 ORDER BY first LIMIT ?3";

/// Reads the batches of a scan.
#[derive(Debug)]
pub(crate) struct ColumnReader<'a> {
    db: &'a Connection,
    path: &'a Path,
    table: &'static Table,
    columns: Vec<Column>,
    pub(super) select: String,
    runs: HashMap<i64, StoredRun>,
    /// The starts that are wanted, if the rows have one and not all are.
    started: Option<(i64, i64)>,
    /// The first row of the last batch of writing that was looked up.
    after: i64,
    ranges: std::collections::VecDeque<(i64, i64)>,
}

/// A column that is read.
#[derive(Debug)]
struct Column {
    shown: Shown,
    texts: Cache<i64, Arc<str>>,
}

impl<'a> ColumnReader<'a> {
    pub(super) fn new(
        db: &'a Connection,
        path: &'a Path,
        scan: &Scan<'_>,
        runs: Vec<StoredRun>,
    ) -> Result<Self, Error> {
        let known = shown::columns(scan.table);
        let column = |name: &&str| {
            let shown = known.iter().find(|shown| shown.name == **name).cloned();
            let shown = shown.ok_or_else(|| Error::UnknownColumn {
                table: scan.table.name,
                column: (**name).to_owned(),
            })?;
            Ok(Column { shown, texts: Cache::new(CACHED_TEXTS) })
        };
        let columns = scan.columns.iter().map(column).collect::<Result<Vec<_>, Error>>()?;
        let raw: Vec<_> = columns.iter().map(|column| column.shown.raw.as_str()).collect();
        let start = if scan.table.has_encounter { "t.started_after_us" } else { "NULL" };
        let select = format!(
            "SELECT t.run, {start}, {} FROM {} AS t WHERE t.id BETWEEN ?1 AND ?2 ORDER BY t.id",
            raw.join(", "),
            scan.table.name
        );
        let (since, until) = (scan.runs.since, scan.runs.until);
        let is_cut = scan.table.has_encounter && (since, until) != (None, None);
        let bounds = (since.map_or(i64::MIN, |since| since.0), until.map_or(i64::MAX, |until| until.0));
        Ok(Self {
            db,
            path,
            table: scan.table,
            columns,
            select,
            runs: runs.into_iter().map(|run| (run.row, run)).collect(),
            started: is_cut.then_some(bounds),
            after: i64::MIN,
            ranges: std::collections::VecDeque::new(),
        })
    }

    /// The next batch; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<ColumnBatch>, Error> {
        let fail = |error| error::reading(self.path, error);
        let mut values: Vec<ColumnValues> = self.columns.iter().map(Column::empty).collect();
        let mut rows = 0;
        while rows < SCAN_ROWS {
            let Some((first, last)) = self.range(SCAN_ROWS - rows).map_err(fail)? else { break };
            let Self { db, path, columns, select, runs, started, .. } = self;
            let mut select = db.prepare_cached(select).map_err(fail)?;
            let mut found = select.query(params![first, last]).map_err(fail)?;
            while let Some(row) = found.next().map_err(fail)? {
                let run: i64 = row.get(0).map_err(fail)?;
                let Some(run) = runs.get(&run) else { continue };
                if !is_within(*started, run, row).map_err(fail)? {
                    continue;
                }
                for (position, (column, values)) in columns.iter_mut().zip(&mut values).enumerate() {
                    column.push(values, (row, position + 2), run, (db, path))?;
                }
                rows += 1;
            }
        }
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        Ok((rows > 0).then_some(ColumnBatch { columns: values, rows }))
    }

    /// The next rows of the runs that are wanted, so many at most; `None` after the last.
    fn range(&mut self, at_most: i64) -> rusqlite::Result<Option<(i64, i64)>> {
        while self.ranges.is_empty() {
            if !self.look_up()? {
                return Ok(None);
            }
        }
        let Some((first, mut last)) = self.ranges.pop_front() else { return Ok(None) };
        // What was written one after the other is read at once, whoever wrote it.
        while let Some(&(next_first, next_last)) = self.ranges.front()
            && next_first == last + 1
            && next_last - first < at_most
        {
            last = next_last;
            self.ranges.pop_front();
        }
        if last - first >= at_most {
            self.ranges.push_front((first + at_most, last));
            last = first + at_most - 1;
        }
        Ok(Some((first, last)))
    }

    /// Looks up the next batches of writing; `false` if there is none.
    fn look_up(&mut self) -> rusqlite::Result<bool> {
        let mut select = self.db.prepare_cached(SELECT_BATCHES)?;
        let mut rows = select.query(params![self.table.name, self.after, SCAN_BATCHES])?;
        let mut is_any = false;
        while let Some(row) = rows.next()? {
            is_any = true;
            self.after = row.get(0)?;
            let (earliest, latest): (Option<i64>, Option<i64>) = (row.get(3)?, row.get(4)?);
            let is_in_time = match (self.started, earliest.zip(latest)) {
                (Some((since, until)), Some((earliest, latest))) => latest >= since && earliest < until,
                _ => true,
            };
            if is_in_time && self.runs.contains_key(&row.get(2)?) {
                self.ranges.push_back((self.after, row.get(1)?));
            }
        }
        Ok(is_any)
    }
}

impl Column {
    fn empty(&self) -> ColumnValues {
        match self.shown.stands_for {
            StandsFor::Run => ColumnValues::Runs(Vec::new()),
            StandsFor::Peer => ColumnValues::Peers(Vec::new()),
            StandsFor::Time | StandsFor::TimeOfRun => ColumnValues::Times(Vec::new()),
            StandsFor::Itself | StandsFor::PeerOfRun if !self.shown.is_text => {
                ColumnValues::Numbers(Vec::new())
            }
            _ => ColumnValues::Texts(Vec::new()),
        }
    }

    fn push(
        &mut self,
        values: &mut ColumnValues,
        (row, position): (&Row<'_>, usize),
        run: &StoredRun,
        (db, path): (&Connection, &Path),
    ) -> Result<(), Error> {
        let fail = |error| error::reading(path, error);
        match values {
            ColumnValues::Runs(runs) => runs.push(run.start.id),
            ColumnValues::Peers(peers) => peers.push(StorePeer(row.get(position).map_err(fail)?)),
            ColumnValues::Numbers(numbers) => numbers.push(row.get(position).map_err(fail)?),
            ColumnValues::Times(times) => {
                let began = match self.shown.stands_for {
                    StandsFor::TimeOfRun => run.start.started_at.0,
                    _ => 0,
                };
                let time: Option<i64> = row.get(position).map_err(fail)?;
                times.push(time.map(|time| Timestamp(began.wrapping_add(time))));
            }
            ColumnValues::Texts(texts) => {
                let text = match row.get_ref(position).map_err(fail)? {
                    ValueRef::Null => None,
                    ValueRef::Integer(id) => self.text(id, (db, path))?,
                    ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into()),
                    ValueRef::Blob(blob) => Some(hexadecimal(blob)),
                    ValueRef::Real(_) => {
                        return Err(damaged(path, "a number that was never written".to_owned()));
                    }
                };
                texts.push(text);
            }
        }
        Ok(())
    }

    /// The text that a number stands for; `None` if there is none, as of a failure without a detail.
    fn text(&mut self, id: i64, (db, path): (&Connection, &Path)) -> Result<Option<Arc<str>>, Error> {
        if let Some(text) = self.texts.get(&id) {
            return Ok(Some(text));
        }
        let fail = |error| error::reading(path, error);
        let sql = format!("SELECT {}", self.shown.stands_for.sql("?1"));
        let mut select = db.prepare_cached(&sql).map_err(fail)?;
        let text: Option<String> = select.query_row((id,), |row| row.get(0)).map_err(fail)?;
        let text: Option<Arc<str>> = text.map(Into::into);
        if let Some(text) = &text {
            self.texts.put(id, Arc::clone(text));
        }
        Ok(text)
    }
}

/// Whether a row of a run began at a time that is wanted.
fn is_within(started: Option<(i64, i64)>, run: &StoredRun, row: &Row<'_>) -> rusqlite::Result<bool> {
    let Some((since, until)) = started else { return Ok(true) };
    let at = run.start.started_at.0.wrapping_add(row.get::<_, i64>(1)?);
    Ok((since..until).contains(&at))
}

fn hexadecimal(bytes: &[u8]) -> Arc<str> {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")).into()
}
