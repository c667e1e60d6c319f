//! Records in a PostgreSQL database, which any number of processes write and read at once.
//!
//! Each reader has a connection of its own, and so has who writes. A connection that is lost, or did not answer in time, is replaced by
//! the next statement.

mod statements;
mod tables;

use std::{process, sync::Arc, time::Duration};

use super::{
    BellyError, RecordCounts, RecordPage,
    backend::{Fault, Nature, ReadBatch, ReadReply, WriteBatch},
    page::RecordCursor,
};
use crate::{
    Error, PostgresUrl,
    postgres::{Line, Login, OpenLine, PgClient, error_text, named_error, passes},
};

/// Rows of the table of counts.
const TALLIES: u32 = 16;

/// A database with records.
#[derive(Debug)]
pub(super) struct PostgresBelly {
    store: String,
    readers: [Line; Self::NATURE.readers],
    writer: Line,
    /// Who collects, and who is asked for counts and pages.
    keeper: Line,
    /// Tells this process from all others.
    holder: [u8; 16],
    tally: i32,
}

impl PostgresBelly {
    pub(super) const NATURE: Nature =
        Nature { is_shared: true, keys_a_read: 256, rows_a_write: 4096, readers: 2 };

    /// Connects. Its tables are made if there are none, or [`BellyError::NoTables`].
    pub(super) async fn open(url: &PostgresUrl, makes_tables: bool) -> Result<Self, BellyError> {
        let login = Login::of(url).map_err(|reason| BellyError::Url { url: url.to_string(), reason })?;
        let store = login.to_string();
        let connecting = PgClient::connect(&login).await;
        let mut client = connecting.map_err(|reason| Error::Unreachable { store: store.clone(), reason })?;
        tables::check_or_make(&mut client.sql, &store, makes_tables).await?;
        // The server's own randomness, so that two processes that begin at once differ.
        let row = client
            .sql
            .query_one("SELECT decode(replace(gen_random_uuid()::text, '-', ''), 'hex')", &[])
            .await;
        let drawn: Vec<u8> = row
            .and_then(|row| row.try_get(0))
            .map_err(|error| named_error(&store, "draw a number", &error))?;
        let holder = drawn.try_into().unwrap_or_default();
        let line = || Line::new(login.clone());
        let belly = Self {
            readers: std::array::from_fn(|_| line()),
            writer: line(),
            keeper: line(),
            tally: i32::try_from(process::id() % TALLIES).unwrap_or_default(),
            holder,
            store,
        };
        belly.keeper.put(client).await;
        Ok(belly)
    }

    fn fault(&self, operation: &'static str, error: &tokio_postgres::Error) -> Fault {
        if passes(error) {
            Fault::Away(error_text(error))
        } else {
            Fault::Failed(named_error(&self.store, operation, error))
        }
    }

    async fn take(line: &Line) -> Result<OpenLine<'_>, Fault> {
        line.open().await.map_err(Fault::Away)
    }

    /// Leaves a line to the next one, and names the error if there is one.
    fn done<T>(
        &self,
        line: OpenLine<'_>,
        operation: &'static str,
        done: Result<T, tokio_postgres::Error>,
    ) -> Result<T, Fault> {
        line.leave();
        done.map_err(|error| self.fault(operation, &error))
    }

    pub(super) async fn write(&self, batch: Arc<WriteBatch>) -> Result<(), Fault> {
        let line = Self::take(&self.writer).await?;
        let done = statements::write(line.sql(), &batch, self.tally).await;
        self.done(line, "write records", done)
    }

    pub(super) async fn read(&self, reader: usize, batch: Arc<ReadBatch>) -> Result<ReadReply, Fault> {
        let line = Self::take(self.readers.get(reader).unwrap_or(&self.keeper)).await?;
        let done = statements::read(line.sql(), &batch).await;
        self.done(line, Error::READ, done)
    }

    pub(super) async fn ping(&self) -> Result<(), Fault> {
        let line = Self::take(&self.writer).await?;
        let done = line.sql().simple_query("SELECT 1").await.map(drop);
        self.done(line, "reach it", done)
    }

    pub(super) async fn lease(&self, length: Duration) -> Result<bool, Fault> {
        let line = Self::take(&self.keeper).await?;
        let done = statements::lease(line.sql(), &self.holder, length).await;
        self.done(line, "take the lease", done)
    }

    pub(super) async fn collect(&self, now_us: u64) -> Result<bool, Fault> {
        let line = Self::take(&self.keeper).await?;
        let done = statements::collect(line.sql(), now_us, self.tally).await;
        self.done(line, "delete records", done)
    }

    pub(super) async fn trim(&self, keys: Arc<Vec<Arc<[u8]>>>, per_key: usize) -> Result<(), Fault> {
        let line = Self::take(&self.keeper).await?;
        let done = statements::trim(line.sql(), &keys, per_key, self.tally).await;
        self.done(line, "delete records", done)
    }

    /// Ends the connections, and the lease, so that another process need not wait for its end.
    pub(super) async fn close(&self) {
        if let Ok(line) = Self::take(&self.keeper).await
            && let Err(error) = statements::release(line.sql(), &self.holder).await
        {
            tracing::debug!(%error, "the lease could not be given back");
        }
        for line in self.readers.iter().chain([&self.writer]) {
            line.close().await;
        }
    }

    pub(super) async fn counts(&self) -> Result<RecordCounts, Fault> {
        let line = Self::take(&self.keeper).await?;
        let done = statements::counts(line.sql()).await;
        self.done(line, Error::READ, done)
    }

    pub(super) async fn page(
        &self,
        after: Option<RecordCursor>,
        limit: usize,
        now_us: u64,
    ) -> Result<RecordPage, Fault> {
        let line = Self::take(&self.keeper).await?;
        let done = statements::page(line.sql(), after.as_ref(), limit, now_us).await;
        self.done(line, Error::READ, done)
    }
}
