//! Reads the addresses of a file, each once.

use std::path::Path;

use kad::Address;
use rusqlite::Connection;
use schema::{AddressPlace, RowType as _};

use super::{error, ranges::Ranges, resolve::read_address};
use crate::{Error, limits::SCAN_ROWS, number_set::NumberSet};

/// Some addresses, as SQL.
pub(super) const SELECT: &str = "SELECT id, multiaddr FROM address WHERE id > ?1 ORDER BY id LIMIT ?2";

/// Of which addresses some rows say the place, as SQL.
pub(super) const SELECT_PLACED: &str = "SELECT address FROM address_place WHERE id BETWEEN ?1 AND ?2";

/// Addresses in the order in which they were first met.
#[derive(Debug)]
pub(crate) struct AddressReader<'a> {
    db: &'a Connection,
    path: &'a Path,
    left_out: NumberSet,
    after: i64,
}

impl<'a> AddressReader<'a> {
    /// All but those whose place is said by these runs; with how many there are.
    pub(super) fn new(db: &'a Connection, path: &'a Path, runs: &[i64]) -> Result<(Self, u64), Error> {
        let fail = |error| error::reading(path, error);
        let mut left_out = NumberSet::default();
        for &run in runs {
            let mut ranges = Ranges::new(db, &AddressPlace::TABLE, run);
            while let Some((first, last)) = ranges.next(SCAN_ROWS).map_err(fail)? {
                let mut select = db.prepare_cached(SELECT_PLACED).map_err(fail)?;
                let mut rows = select.query((first, last)).map_err(fail)?;
                while let Some(row) = rows.next().map_err(fail)? {
                    left_out.insert(row.get(0).map_err(fail)?);
                }
            }
        }
        let count: u64 = db.query_row("SELECT count(*) FROM address", (), |row| row.get(0)).map_err(fail)?;
        let total = count.saturating_sub(left_out.len());
        Ok((Self { db, path, left_out, after: i64::MIN }, total))
    }

    /// The next ones; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<Address>>, Error> {
        let fail = |error| error::reading(self.path, error);
        loop {
            let mut select = self.db.prepare_cached(SELECT).map_err(fail)?;
            let mut rows = select.query((self.after, SCAN_ROWS)).map_err(fail)?;
            let (mut found, before) = (Vec::new(), self.after);
            while let Some(row) = rows.next().map_err(fail)? {
                self.after = row.get(0).map_err(fail)?;
                if !self.left_out.contains(self.after) {
                    found.push(read_address(self.path, row, self.after)?);
                }
            }
            if !found.is_empty() || self.after == before {
                return Ok(Some(found).filter(|found| !found.is_empty()));
            }
        }
    }
}
