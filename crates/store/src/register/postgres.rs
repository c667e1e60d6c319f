//! A register in a PostgreSQL database, which any number of processes on any number of machines have: in tables of its own, or, servers
//! and schedulers, in Parsec's.
//!
//! Each call is a statement, over a connection that is made anew when it was lost. A statement that met the end of the old
//! connection is said once more over a new one: said twice, each does what it does said once.

mod keeper;
mod measured;
mod own;
mod parsec_courier;
mod parsec_tables;
mod parsec_values;
mod servers;
mod tables;

use std::time::Duration;

use schema::Timestamp;
use tokio::time::timeout;
use tokio_postgres::{
    Row,
    types::{ToSql, Type},
};

pub(crate) use self::measured::Measured;
use self::{keeper::Keeper, measured::MeasuredRow, servers::Layout};
use super::{
    ParsecRow, RegisterConfig,
    entry::{RegisteredServer, SchedulerEntry, SchedulerId, ServerEntry, ServerId},
    lease::LeaseOutcome,
};
use crate::{
    Error, PostgresUrl,
    postgres::{Line, Login, Moment, PgClient, named_error, passes},
};

/// What a statement is given.
type Parameters<'a> = &'a [(&'a (dyn ToSql + Sync), Type)];

/// A database with a register.
#[derive(Debug)]
pub(super) struct PostgresRegister {
    store: String,
    line: Line,
    patience: Duration,
    layout: Layout,
    /// Where Parsec's tables are.
    keeper: Option<Keeper>,
}

impl PostgresRegister {
    /// Connects; its tables are made if there are none.
    pub(super) async fn open(url: &PostgresUrl, config: RegisterConfig) -> Result<Self, Error> {
        let login = Login::of(url).map_err(|reason| Error::Url { url: url.to_string(), reason })?;
        let store = login.to_string();
        let unreachable = |reason| Error::Unreachable { store: store.clone(), reason };
        let opening = async {
            let mut client = PgClient::connect(&login).await.map_err(unreachable)?;
            if config.parsec_tables {
                parsec_tables::check_or_make(&mut client.sql, &store, config.makes_tables).await?;
            }
            // Who only reads Parsec's tables needs none of ours.
            if config.makes_tables || !config.parsec_tables {
                tables::check_or_make(&mut client.sql, &store, config.makes_tables).await?;
            }
            let keeper = if config.parsec_tables && config.makes_tables {
                Some(Keeper::begin(login.clone(), &client, url.spills()).await?)
            } else {
                None
            };
            Ok((client, keeper))
        };
        let (client, keeper) = timeout(config.patience, opening)
            .await
            .unwrap_or_else(|_| Err(unreachable(late(config.patience))))?;
        let line = Line::new(login);
        line.put(client).await;
        let layout = if config.parsec_tables { Layout::Parsec } else { Layout::Own };
        Ok(Self { line, patience: config.patience, layout, keeper, store })
    }

    /// Says a statement; fails with [`Error::Unreachable`] when there is no answer in time.
    async fn ask(
        &self,
        operation: &'static str,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, Error> {
        let unreachable = |reason| Error::Unreachable { store: self.store.clone(), reason };
        let asking = async {
            loop {
                let line = self.line.open().await.map_err(unreachable)?;
                let is_new = line.is_new();
                let done = line.sql().query_typed(sql, parameters).await;
                match done {
                    Err(error) if !is_new && passes(&error) => drop(line),
                    done => {
                        line.leave();
                        return done.map_err(|error| named_error(&self.store, operation, &error));
                    }
                }
            }
        };
        timeout(self.patience, asking).await.unwrap_or_else(|_| Err(unreachable(late(self.patience))))
    }

    /// The number in the first row.
    fn number(&self, operation: &'static str, rows: &[Row]) -> Result<u32, Error> {
        let none = || Error::Layout {
            store: self.store.clone(),
            operation,
            detail: "an entry has no number".to_owned(),
        };
        let row = rows.first().ok_or_else(none)?;
        let number: i32 = row.try_get(0).map_err(|error| named_error(&self.store, operation, &error))?;
        Ok(number.cast_unsigned())
    }

    pub(super) async fn enter_server(&self, entry: &ServerEntry) -> Result<ServerId, Error> {
        const OPERATION: &str = "enter a server";
        let rows = match self.layout {
            Layout::Own => own::enter_server(self, OPERATION, entry).await?,
            Layout::Parsec => parsec_values::enter_server(self, OPERATION, entry).await?,
        };
        self.number(OPERATION, &rows).map(ServerId)
    }

    pub(super) async fn enter_scheduler(&self, entry: &SchedulerEntry) -> Result<SchedulerId, Error> {
        const OPERATION: &str = "enter a scheduler";
        let rows = match self.layout {
            Layout::Own => own::enter_scheduler(self, OPERATION, entry).await?,
            Layout::Parsec => parsec_values::enter_scheduler(self, OPERATION, entry).await?,
        };
        self.number(OPERATION, &rows).map(SchedulerId)
    }

    /// Changes what changes of a server, and nothing else: others may have changed the rest.
    async fn change(
        &self,
        operation: &'static str,
        set: &str,
        (ServerId(id), time): (ServerId, Timestamp),
    ) -> Result<(), Error> {
        let write = format!("UPDATE {} SET {set} WHERE id = $1 RETURNING id", self.layout.table());
        let changed = self
            .ask(operation, &write, &[(&id.cast_signed(), Type::INT4), (&Moment(time), Type::TIMESTAMPTZ)])
            .await?;
        if changed.is_empty() {
            return Err(Error::UnknownServer { store: self.store.clone(), id });
        }
        Ok(())
    }

    pub(super) async fn heartbeat(&self, id: ServerId, now: Timestamp) -> Result<(), Error> {
        self.change("write a heartbeat", "last_heartbeat = $2, offline_since = NULL", (id, now)).await
    }

    pub(super) async fn offline(&self, id: ServerId, since: Timestamp) -> Result<(), Error> {
        self.change("call a server offline", "offline_since = $2", (id, since)).await
    }

    pub(super) async fn servers(
        &self,
        fleets: &[String],
        alive_since: Timestamp,
    ) -> Result<Vec<RegisteredServer>, Error> {
        let fleets = self.layout.fleets(fleets);
        let select = self.layout.alive();
        let parameters: Parameters<'_> =
            &[(&fleets, Type::TEXT_ARRAY), (&Moment(alive_since), Type::TIMESTAMPTZ)];
        let rows = self.ask(Error::READ, &select, parameters).await?;
        Ok(self.layout.read(&self.store, &rows))
    }

    pub(super) async fn all_servers(&self) -> Result<Vec<RegisteredServer>, Error> {
        let mut rows = self.ask(Error::READ, &self.layout.all(), &[]).await?;
        rows.reverse();
        Ok(self.layout.read(&self.store, &rows))
    }

    /// By the clock of the database alone.
    pub(super) async fn lease(
        &self,
        name: &str,
        holder: &str,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<LeaseOutcome, Error> {
        const OPERATION: &str = "take a lease";
        let length = i64::try_from(until.since(now).as_micros()).unwrap_or(i64::MAX);
        let taken = self
            .ask(
                OPERATION,
                own::TAKE_LEASE,
                &[(&name, Type::TEXT), (&holder, Type::TEXT), (&length, Type::INT8)],
            )
            .await?;
        let failed = |error: tokio_postgres::Error| named_error(&self.store, OPERATION, &error);
        if let Some(row) = taken.first() {
            let fence: i64 = row.try_get(0).map_err(failed)?;
            return Ok(LeaseOutcome::Held { fence: fence.cast_unsigned() });
        }
        let found = self.ask(OPERATION, own::FIND_LEASE, &[(&name, Type::TEXT)]).await?;
        let gone = || Error::Layout {
            store: self.store.clone(),
            operation: OPERATION,
            detail: "somebody took the lease away".to_owned(),
        };
        let row = found.first().ok_or_else(gone)?;
        let left: i64 = row.try_get(1).map_err(failed)?;
        let until = now.after(Duration::from_micros(u64::try_from(left).unwrap_or(0)));
        Ok(LeaseOutcome::HeldBy { holder: row.try_get(0).map_err(failed)?, until })
    }

    pub(super) async fn release(&self, name: &str, holder: &str) -> Result<(), Error> {
        let parameters: Parameters<'_> = &[(&name, Type::TEXT), (&holder, Type::TEXT)];
        self.ask("give a lease back", own::RELEASE_LEASE, parameters).await.map(drop)
    }

    pub(super) async fn keep(&self, row: ParsecRow) -> Result<(), Error> {
        let Some(keeper) = &self.keeper else { return Ok(()) };
        keeper.keep(MeasuredRow::of(row)?).await
    }

    pub(super) async fn close(&self, patience: Duration) -> Result<(), Error> {
        let Some(keeper) = &self.keeper else { return Ok(()) };
        keeper.close(patience).await?;
        // Nothing will be sent again. One that had nothing to send has no connection by which it could say so.
        let forget = "DELETE FROM kadscope_register.keeper WHERE id = $1";
        if let Err(error) = self.ask("forget a keeper", forget, &[(&keeper.number, Type::INT4)]).await {
            tracing::debug!(%error, "a keeper that has ended is still in the register");
        }
        Ok(())
    }
}

fn late(patience: Duration) -> String {
    format!("no answer within {patience:?}")
}
