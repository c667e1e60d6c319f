//! The register of who measures: servers with their heartbeats, schedulers, and leases, of which any number of processes on any number
//! of machines have one.
//!
//! It is kept where the rows are: in the same SQLite file or PostgreSQL database, or in memory, where it answers at once and to one
//! process. On PostgreSQL it can be Parsec's own tables ([`RegisterConfig::parsec_tables`]): then Go's servers and ours are found by
//! Go's schedulers and ours alike. Whom to ask, and when, is for others to decide.

mod entry;
mod lease;
mod memory;
mod parsec;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
mod sqlite;

use std::{sync::Arc, time::Duration};

use schema::Timestamp;

#[cfg(feature = "postgres")]
use self::postgres::PostgresRegister;
pub use self::{
    entry::{
        HEARTBEAT_PATIENCE, RegisteredServer, SchedulerEntry, SchedulerId, ServerEntry, ServerId, ServerState,
    },
    lease::LeaseOutcome,
    parsec::{ParsecKind, ParsecRow},
};
use self::{memory::MemoryRegister, sqlite::SqliteRegister};
use crate::{Error, StoreUrl};

/// What can be set of a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegisterConfig {
    /// Whether servers and schedulers stand in Parsec's tables, and measurements too ([`Register::keep`]); no by default. Only
    /// a PostgreSQL database has them.
    pub parsec_tables: bool,
    /// Whether tables are made, and a file, where there are none; yes by default. If not, a register that is not there is
    /// [`Error::NoRegister`], and measurements are not kept ([`Register::keep`]).
    pub makes_tables: bool,
    /// How long a call waits for a database that is away or a file that somebody else holds, until it fails; 10 s by default.
    pub patience: Duration,
}

impl Default for RegisterConfig {
    fn default() -> Self {
        Self { parsec_tables: false, makes_tables: true, patience: Duration::from_secs(10) }
    }
}

/// An open register. Its copies are one and the same.
#[derive(Debug, Clone)]
pub struct Register {
    backend: Arc<Backend>,
}

/// What keeps it.
#[derive(Debug)]
enum Backend {
    Memory(MemoryRegister),
    Sqlite(SqliteRegister),
    #[cfg(feature = "postgres")]
    Postgres(Box<PostgresRegister>),
}

impl Register {
    /// Opens the register that stands where rows are kept, made if there is none; in memory for `none`.
    ///
    /// Fails as [`Store::open`](crate::Store::open) does, and with [`Error::ParsecTables`] where Parsec's tables are asked for and
    /// cannot be had.
    pub async fn open(url: &StoreUrl, config: RegisterConfig) -> Result<Self, Error> {
        if config.parsec_tables && !matches!(url, StoreUrl::Postgres(_)) {
            let detail = "they are kept in PostgreSQL alone".to_owned();
            return Err(Error::ParsecTables { store: url.to_string(), detail });
        }
        let backend = match url {
            StoreUrl::None => Backend::Memory(MemoryRegister::default()),
            StoreUrl::Sqlite(path) => Backend::Sqlite(SqliteRegister::open(path, config).await?),
            #[cfg(feature = "postgres")]
            StoreUrl::Postgres(url) => {
                Backend::Postgres(Box::new(PostgresRegister::open(url, config).await?))
            }
            #[cfg(not(feature = "postgres"))]
            StoreUrl::Postgres(url) => return Err(crate::store::not_built(url)),
        };
        Ok(Self { backend: Arc::new(backend) })
    }

    /// One in memory, which nobody else sees.
    pub fn memory() -> Self {
        Self { backend: Arc::new(Backend::Memory(MemoryRegister::default())) }
    }

    /// Has a register in memory be away, as a database can be, until it is told to be back: what others do then can be tried without one,
    /// in virtual time. Nothing happens to registers of another kind.
    pub fn set_away(&self, is_away: bool) {
        if let Backend::Memory(register) = &*self.backend {
            register.set_away(is_away);
        }
    }

    /// What keeps it, unless it is away.
    fn reached(&self) -> Result<&Backend, Error> {
        match &*self.backend {
            Backend::Memory(register) if register.is_away() => Err(Error::Away {
                store: "memory".to_owned(),
                waited: Duration::ZERO,
                reason: "it was told to be".to_owned(),
                left: None,
            }),
            backend => Ok(backend),
        }
    }

    /// Enters a server. Earlier entries of the same peer that nobody called offline are called so from now on. Until its first
    /// heartbeat it does not count as alive.
    ///
    /// Fails with [`Error::ParsecValue`] if Parsec's tables cannot hold what it says of itself.
    pub async fn enter_server(&self, server: &ServerEntry) -> Result<ServerId, Error> {
        match self.reached()? {
            Backend::Memory(register) => Ok(register.enter_server(server)),
            Backend::Sqlite(register) => register.enter_server(server).await,
            #[cfg(feature = "postgres")]
            Backend::Postgres(register) => register.enter_server(server).await,
        }
    }

    /// Writes that a server is alive, and not offline any more. Fails with [`Error::UnknownServer`] if it was never entered.
    pub async fn heartbeat(&self, id: ServerId, now: Timestamp) -> Result<(), Error> {
        match self.reached()? {
            Backend::Memory(register) => register.heartbeat(id, now),
            Backend::Sqlite(register) => register.heartbeat(id, now).await,
            #[cfg(feature = "postgres")]
            Backend::Postgres(register) => register.heartbeat(id, now).await,
        }
    }

    /// Writes that a server is away, until its next heartbeat. Fails with [`Error::UnknownServer`] if it was never entered.
    pub async fn offline(&self, id: ServerId, since: Timestamp) -> Result<(), Error> {
        match self.reached()? {
            Backend::Memory(register) => register.offline(id, since),
            Backend::Sqlite(register) => register.offline(id, since).await,
            #[cfg(feature = "postgres")]
            Backend::Postgres(register) => register.offline(id, since).await,
        }
    }

    /// The servers of some fleets that are alive: with a heartbeat since then, and not offline. In the order in which they
    /// were entered.
    pub async fn servers(
        &self,
        fleets: &[String],
        alive_since: Timestamp,
    ) -> Result<Vec<RegisteredServer>, Error> {
        match self.reached()? {
            Backend::Memory(register) => Ok(register.servers(fleets, alive_since)),
            Backend::Sqlite(register) => register.servers(fleets, alive_since).await,
            #[cfg(feature = "postgres")]
            Backend::Postgres(register) => register.servers(fleets, alive_since).await,
        }
    }

    /// All servers, alive or not, in the order in which they were entered: the last 10,000.
    pub async fn all_servers(&self) -> Result<Vec<RegisteredServer>, Error> {
        match self.reached()? {
            Backend::Memory(register) => Ok(register.all_servers()),
            Backend::Sqlite(register) => register.all_servers().await,
            #[cfg(feature = "postgres")]
            Backend::Postgres(register) => register.all_servers().await,
        }
    }

    /// Enters a scheduler.
    pub async fn enter_scheduler(&self, scheduler: &SchedulerEntry) -> Result<SchedulerId, Error> {
        match self.reached()? {
            Backend::Memory(register) => Ok(register.enter_scheduler()),
            Backend::Sqlite(register) => register.enter_scheduler(scheduler).await,
            #[cfg(feature = "postgres")]
            Backend::Postgres(register) => register.enter_scheduler(scheduler).await,
        }
    }

    /// Takes the lease of this name, or renews it, for as long as lies between two moments: a database counts from its own
    /// clock. A holder that is renewed in time keeps its number; whoever takes a lease that was over has a greater one,
    /// also who had it before.
    pub async fn lease(
        &self,
        name: &str,
        holder: &str,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<LeaseOutcome, Error> {
        match self.reached()? {
            Backend::Memory(register) => Ok(register.lease(name, holder, until, now)),
            Backend::Sqlite(register) => register.lease(name, holder, until, now).await,
            #[cfg(feature = "postgres")]
            Backend::Postgres(register) => register.lease(name, holder, until, now).await,
        }
    }

    /// Gives a lease back, so that others need not wait for its end; nothing happens if somebody else has it by now.
    pub async fn release(&self, name: &str, holder: &str) -> Result<(), Error> {
        match self.reached()? {
            Backend::Memory(register) => {
                register.release(name, holder);
                Ok(())
            }
            Backend::Sqlite(register) => register.release(name, holder).await,
            #[cfg(feature = "postgres")]
            Backend::Postgres(register) => register.release(name, holder).await,
        }
    }

    /// Has a measurement written into Parsec's tables. It is handed over, and waits while the database is away: 10,000 rows in
    /// memory, where a kill loses them, and then in a file, so that nothing is lost and nothing is there twice. Nothing happens
    /// where the register has no such tables.
    ///
    /// Fails with [`Error::ParsecValue`] if they cannot hold it, and with [`Error::WriterDied`] once the database has refused
    /// measurements: [`close`](Self::close) says why.
    pub async fn keep(&self, row: ParsecRow) -> Result<(), Error> {
        match &*self.backend {
            Backend::Memory(_) | Backend::Sqlite(_) => {
                drop(row);
                std::future::ready(Ok(())).await
            }
            #[cfg(feature = "postgres")]
            Backend::Postgres(register) => register.keep(row).await,
        }
    }

    /// Writes the measurements that were handed over. A database that is away is waited for as long as `patience`; then what it
    /// does not have is left in a file, which whoever opens the register next brings, and [`Error::Away`] says where.
    pub async fn close(&self, patience: Duration) -> Result<(), Error> {
        match &*self.backend {
            Backend::Memory(_) | Backend::Sqlite(_) => {
                std::future::ready(patience).await;
                Ok(())
            }
            #[cfg(feature = "postgres")]
            Backend::Postgres(register) => register.close(patience).await,
        }
    }
}
