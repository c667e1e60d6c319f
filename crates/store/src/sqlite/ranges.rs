//! Which rows of a table a run made: the batches in which they were written.

use std::collections::VecDeque;

use rusqlite::{Connection, params};
use schema::Table;

use crate::limits::READ_BATCHES;

/// The batches of one run in one table, as SQL.
pub(super) const SELECT_OF_RUN: &str = "SELECT first, last FROM batch
    WHERE run = ?1 AND kind = (SELECT id FROM name WHERE name = ?2) AND first > ?3 ORDER BY first LIMIT ?4";

/// The ranges of numbers of the rows of one run in one table, in order.
#[derive(Debug)]
pub(super) struct Ranges<'a> {
    db: &'a Connection,
    table: &'static str,
    run: i64,
    /// The first row of the last batch that was looked up.
    after: i64,
    found: VecDeque<(i64, i64)>,
}

impl<'a> Ranges<'a> {
    pub(super) const fn new(db: &'a Connection, table: &Table, run: i64) -> Self {
        Self { db, table: table.name, run, after: i64::MIN, found: VecDeque::new() }
    }

    pub(super) const fn db(&self) -> &'a Connection {
        self.db
    }

    /// The next range, of so many numbers at most; `None` if there is none by now.
    pub(super) fn next(&mut self, at_most: i64) -> rusqlite::Result<Option<(i64, i64)>> {
        if self.found.is_empty() {
            self.look_up()?;
        }
        let Some((first, mut last)) = self.found.pop_front() else { return Ok(None) };
        // Small batches that follow each other are read at once.
        while let Some(&(next_first, next_last)) = self.found.front()
            && next_first == last + 1
            && next_last - first < at_most
        {
            last = next_last;
            self.found.pop_front();
        }
        if last - first >= at_most {
            self.found.push_front((first + at_most, last));
            last = first + at_most - 1;
        }
        Ok(Some((first, last)))
    }

    fn look_up(&mut self) -> rusqlite::Result<()> {
        let mut select = self.db.prepare_cached(SELECT_OF_RUN)?;
        let mut rows = select.query(params![self.run, self.table, self.after, READ_BATCHES])?;
        while let Some(row) = rows.next()? {
            self.after = row.get(0)?;
            self.found.push_back((self.after, row.get(1)?));
        }
        Ok(())
    }
}
