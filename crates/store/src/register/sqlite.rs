//! A register in an SQLite file, which any number of processes on one machine have open: the file with the rows.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};
use schema::{Strategy, Timestamp};

use super::{
    RegisterConfig,
    entry::{MOST_SERVERS, RegisteredServer, SchedulerEntry, SchedulerId, ServerEntry, ServerId},
    lease::{Lease, LeaseOutcome},
};
use crate::{
    Error, Limits,
    sqlite::{Absent, ROWS, SqliteDesk, named_error, open_file},
};

const SERVERS: &str =
    "SELECT id, fleet, region, peer_id, ip, port, peer_port, cpu, memory, strategy, version, command,
    dependencies, entered_at_us, last_heartbeat_us, offline_since_us FROM server";

/// A file with a register.
#[derive(Debug)]
pub(super) struct SqliteRegister {
    path: PathBuf,
    patience: Duration,
    desk: SqliteDesk,
}

impl SqliteRegister {
    /// Opens the file. Whoever holds it is waited for as long as the patience that was set.
    pub(super) async fn open(path: &Path, config: RegisterConfig) -> Result<Self, Error> {
        let patience = config.patience;
        let limits = Limits { busy_timeout: patience, ..Limits::default() };
        let absent = if config.makes_tables { Absent::Create } else { Absent::Refuse };
        let at = path.to_owned();
        let opening = tokio::task::spawn_blocking(move || open_file(&at, absent, &limits, &ROWS));
        let store = || path.display().to_string();
        let connection = opening.await.map_err(|_| Error::WriterDied { store: store() })??;
        let desk = SqliteDesk::new("register", connection);
        let desk =
            desk.map_err(|source| Error::Io { path: path.to_owned(), operation: "start a thread", source })?;
        Ok(Self { path: path.to_owned(), patience, desk })
    }

    async fn ask<T: Send + 'static>(
        &self,
        operation: &'static str,
        job: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        match self.desk.ask(job).await {
            Some(done) => done.map_err(|error| named_error(&self.path, operation, self.patience, error)),
            None => Err(Error::WriterDied { store: self.path.display().to_string() }),
        }
    }

    pub(super) async fn enter_server(&self, server: &ServerEntry) -> Result<ServerId, Error> {
        let entry = server.clone();
        self.ask("enter a server", move |sql| enter_server(sql, &entry)).await
    }

    pub(super) async fn heartbeat(&self, id: ServerId, now: Timestamp) -> Result<(), Error> {
        let write = "UPDATE server SET last_heartbeat_us = ?2, offline_since_us = NULL WHERE id = ?1";
        self.change("write a heartbeat", write, (id, now)).await
    }

    pub(super) async fn offline(&self, id: ServerId, since: Timestamp) -> Result<(), Error> {
        let write = "UPDATE server SET offline_since_us = ?2 WHERE id = ?1";
        self.change("call a server offline", write, (id, since)).await
    }

    async fn change(
        &self,
        operation: &'static str,
        write: &'static str,
        (id, time): (ServerId, Timestamp),
    ) -> Result<(), Error> {
        let changed =
            self.ask(operation, move |sql| sql.prepare_cached(write)?.execute((id.0, time.0))).await?;
        if changed == 0 {
            return Err(Error::UnknownServer { store: self.path.display().to_string(), id: id.0 });
        }
        Ok(())
    }

    pub(super) async fn servers(
        &self,
        fleets: &[String],
        alive_since: Timestamp,
    ) -> Result<Vec<RegisteredServer>, Error> {
        let fleets = serde_json::Value::from(fleets).to_string();
        let select = format!(
            "{SERVERS} WHERE fleet IN (SELECT value FROM json_each(?1)) AND last_heartbeat_us >= ?2
             AND offline_since_us IS NULL ORDER BY id LIMIT {MOST_SERVERS}"
        );
        self.ask(Error::READ, move |sql| {
            let mut select = sql.prepare_cached(&select)?;
            select.query_map((fleets, alive_since.0), read)?.collect()
        })
        .await
    }

    pub(super) async fn all_servers(&self) -> Result<Vec<RegisteredServer>, Error> {
        let select = format!("SELECT * FROM ({SERVERS} ORDER BY id DESC LIMIT {MOST_SERVERS}) ORDER BY id");
        self.ask(Error::READ, move |sql| sql.prepare_cached(&select)?.query_map((), read)?.collect()).await
    }

    pub(super) async fn enter_scheduler(&self, scheduler: &SchedulerEntry) -> Result<SchedulerId, Error> {
        let fleets = serde_json::Value::from(scheduler.fleets.as_slice()).to_string();
        let SchedulerEntry { version, dependencies, entered_at, .. } = scheduler.clone();
        let insert = "INSERT INTO scheduler (fleets, version, dependencies, entered_at_us)
            VALUES (?1, ?2, ?3, ?4) RETURNING id";
        self.ask("enter a scheduler", move |sql| {
            let values = params![fleets, version, dependencies.to_string(), entered_at.0];
            sql.query_row(insert, values, |row| row.get(0)).map(SchedulerId)
        })
        .await
    }

    pub(super) async fn lease(
        &self,
        name: &str,
        holder: &str,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<LeaseOutcome, Error> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        self.ask("take a lease", move |sql| lease(sql, &name, &holder, (until, now))).await
    }

    pub(super) async fn release(&self, name: &str, holder: &str) -> Result<(), Error> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        let write = "UPDATE lease SET until_us = ?3 WHERE name = ?1 AND holder = ?2";
        self.ask("give a lease back", move |sql| sql.execute(write, (name, holder, i64::MIN)).map(drop)).await
    }
}

fn enter_server(sql: &mut Connection, entry: &ServerEntry) -> rusqlite::Result<ServerId> {
    let transaction = sql.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let peer = entry.peer.to_base58();
    let call_offline =
        "UPDATE server SET offline_since_us = ?2 WHERE peer_id = ?1 AND offline_since_us IS NULL";
    transaction.execute(call_offline, (&peer, entry.entered_at.0))?;
    let insert = "INSERT INTO server (fleet, region, peer_id, ip, port, peer_port, cpu, memory, strategy, version, command,
            dependencies, entered_at_us)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) RETURNING id";
    let values = params![
        entry.fleet,
        entry.region,
        peer,
        entry.http.ip().to_string(),
        entry.http.port(),
        entry.peer_port,
        entry.cpu,
        entry.memory,
        entry.strategy.map(Strategy::name),
        entry.version,
        entry.command,
        entry.dependencies.to_string(),
        entry.entered_at.0,
    ];
    let id = transaction.query_row(insert, values, |row| row.get(0))?;
    transaction.commit()?;
    Ok(ServerId(id))
}

fn lease(
    sql: &mut Connection,
    name: &str,
    holder: &str,
    (until, now): (Timestamp, Timestamp),
) -> rusqlite::Result<LeaseOutcome> {
    let transaction = sql.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let select = "SELECT holder, fence, until_us FROM lease WHERE name = ?1";
    let found = transaction
        .query_row(select, (name,), |row| {
            Ok(Lease { holder: row.get(0)?, fence: row.get(1)?, until: Timestamp(row.get(2)?) })
        })
        .optional()?;
    match Lease::taken(found.as_ref(), holder, until, now) {
        Ok(lease) => {
            let write = "INSERT INTO lease (name, holder, fence, until_us) VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, fence = excluded.fence, until_us = excluded.until_us";
            transaction.execute(write, (name, &lease.holder, lease.fence, lease.until.0))?;
            transaction.commit()?;
            Ok(lease.outcome())
        }
        Err(outcome) => Ok(outcome),
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<RegisteredServer> {
    let (peer, ip, dependencies): (String, String, String) = (row.get(3)?, row.get(4)?, row.get(12)?);
    let strategy: Option<String> = row.get(9)?;
    let http = SocketAddr::new(ip.parse::<IpAddr>().map_err(|error| never_written(4, error))?, row.get(5)?);
    let entry = ServerEntry {
        fleet: row.get(1)?,
        region: row.get(2)?,
        peer: peer.parse().map_err(|error| never_written(3, error))?,
        http,
        peer_port: row.get(6)?,
        cpu: row.get(7)?,
        memory: row.get(8)?,
        // One that a newer program knows is nothing that this one could say of it.
        strategy: strategy.as_deref().and_then(Strategy::from_name),
        version: row.get(10)?,
        command: row.get(11)?,
        dependencies: serde_json::from_str(&dependencies).map_err(|error| never_written(12, error))?,
        entered_at: Timestamp(row.get(13)?),
    };
    Ok(RegisteredServer {
        id: ServerId(row.get(0)?),
        entry,
        last_heartbeat: row.get::<_, Option<i64>>(14)?.map(Timestamp),
        offline_since: row.get::<_, Option<i64>>(15)?.map(Timestamp),
    })
}

/// A column holds what was never written there.
fn never_written(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
}
