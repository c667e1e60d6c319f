//! Reads the addresses of a database, each once.

use kad::Address;
use tokio_postgres::types::{ToSql, Type};

use super::{
    database::Database,
    error::{damaged, named},
    reader::Reader,
    resolve,
};
use crate::{Error, number_set::NumberSet};

/// Addresses that are read at once.
const CHUNK_ADDRESSES: i64 = 4096;

/// Rows of which is read at once whose place they say.
const CHUNK_ROWS: i64 = 16_384;

/// Addresses in the order in which they were first met.
#[derive(Debug)]
pub(crate) struct AddressReader<'a> {
    database: &'a Database,
    left_out: NumberSet,
    after: i32,
}

impl<'a> AddressReader<'a> {
    /// All but those whose place is said by these runs; with how many there are.
    pub(super) fn new(database: &'a Database, runs: Vec<i32>) -> Result<(Self, u64), Error> {
        let mut left_out = NumberSet::default();
        for run in runs {
            let mut next = i64::MIN;
            loop {
                let placed = database.ask(async move |reader: &mut Reader| reader.placed(run, next).await)?;
                let Some(&(last, _)) = placed.last() else { break };
                next = last + 1;
                for (_, address) in placed {
                    left_out.insert(address.into());
                }
            }
        }
        let count = database.ask(async |reader: &mut Reader| reader.address_count().await)?;
        let total = count.saturating_sub(left_out.len());
        Ok((Self { database, left_out, after: i32::MIN }, total))
    }

    /// The next ones; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<Address>>, Error> {
        loop {
            let after = self.after;
            let read = self.database.ask(async move |reader: &mut Reader| reader.addresses(after).await)?;
            let Some(&(last, _)) = read.last() else { return Ok(None) };
            self.after = last;
            let wanted = read.into_iter().filter(|(id, _)| !self.left_out.contains((*id).into()));
            let found: Vec<Address> = wanted.map(|(_, address)| address).collect();
            if !found.is_empty() {
                return Ok(Some(found));
            }
        }
    }
}

impl Reader {
    /// Addresses behind a number, in the order of their numbers.
    async fn addresses(&mut self, after: i32) -> Result<Vec<(i32, Address)>, Error> {
        let (client, store) = self.client().await?;
        let fail = |error: tokio_postgres::Error| named(store, Error::READ, &error);
        let read = "SELECT id, multiaddr, raw FROM address WHERE id > $1 ORDER BY id LIMIT $2";
        let parameters: [(&(dyn ToSql + Sync), Type); 2] =
            [(&after, Type::INT4), (&CHUNK_ADDRESSES, Type::INT8)];
        let found = client.sql.query_typed(read, &parameters).await.map_err(fail)?;
        let mut addresses = Vec::with_capacity(found.len());
        for row in &found {
            let address = resolve::address(row).map_err(fail)?;
            let address = address.ok_or_else(|| damaged(store, "an address that was never written"))?;
            addresses.push((row.try_get(0).map_err(fail)?, address));
        }
        Ok(addresses)
    }

    /// The numbers of rows of a run from one on, and of the addresses whose place they say.
    async fn placed(&mut self, run: i32, next: i64) -> Result<Vec<(i64, i32)>, Error> {
        let (client, store) = self.client().await?;
        let fail = |error: tokio_postgres::Error| named(store, Error::READ, &error);
        let read = "SELECT id, address FROM address_place WHERE run = $1 AND id >= $2 ORDER BY id LIMIT $3";
        let parameters: [(&(dyn ToSql + Sync), Type); 3] =
            [(&run, Type::INT4), (&next, Type::INT8), (&CHUNK_ROWS, Type::INT8)];
        let found = client.sql.query_typed(read, &parameters).await.map_err(fail)?;
        found.iter().map(|row| Ok((row.try_get(0).map_err(fail)?, row.try_get(1).map_err(fail)?))).collect()
    }

    async fn address_count(&mut self) -> Result<u64, Error> {
        let (client, store) = self.client().await?;
        let count = client.sql.query_typed("SELECT count(*) FROM address", &[]).await;
        let count = count.and_then(|rows| rows.first().map_or(Ok(0), |row| row.try_get::<_, i64>(0)));
        count.map(i64::cast_unsigned).map_err(|error| named(store, Error::READ, &error))
    }
}
