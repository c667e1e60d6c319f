//! Reads a database, over one connection that is made anew when it was lost.

use schema::{PeerNumber, RunId, Table};
use tokio_postgres::types::{ToSql, Type};

use super::{
    client::PgClient,
    desk::Clerk,
    error::{damaged, named},
    login::Login,
    migrate::{self, Found},
    read::{self, Columns},
    resolve::Resolver,
    runs::{self, Stored},
    values::Moment,
};
use crate::{Error, Peers, copy::Created, rows::Read};

/// Rows that are read at once.
pub(super) const CHUNK_ROWS: i64 = 1000;

/// Who reads.
#[derive(Debug)]
pub(crate) struct Reader {
    login: Login,
    store: String,
    client: Option<PgClient>,
    /// Whether the tables are there.
    is_open: bool,
    resolver: Resolver,
}

impl Clerk for Reader {
    async fn wait(&mut self) {
        std::future::pending::<()>().await;
    }

    async fn work(&mut self) {}

    async fn leave(&mut self) {}
}

/// Rows with their numbers within the run.
pub(super) type Chunk = Vec<(i64, Read)>;

/// Who was visited and who was in the answers, with the number of the row.
pub(super) type NeighborChunk = Vec<(i64, PeerNumber, Vec<PeerNumber>)>;

impl Reader {
    pub(super) fn new(login: Login) -> Self {
        Self { store: login.to_string(), login, client: None, is_open: false, resolver: Resolver::default() }
    }

    /// The connection and what speaks of it in errors.
    pub(super) async fn client(&mut self) -> Result<(&mut PgClient, &str), Error> {
        if self.client.as_ref().is_none_or(PgClient::is_closed) {
            let unreachable = |reason| Error::Unreachable { store: self.store.clone(), reason };
            let client = PgClient::connect(&self.login).await.map_err(unreachable)?;
            if self.is_open {
                migrate::learn_types(&client.sql)
                    .await
                    .map_err(|error| named(&self.store, Error::READ, &error))?;
            }
            self.client = Some(client);
        }
        let store = self.store.as_str();
        self.client
            .as_mut()
            .map(|client| (client, store))
            .ok_or_else(|| Error::WriterDied { store: store.to_owned() })
    }

    /// Opens the database; its tables are made if there are none and that is wanted.
    pub(super) async fn open(&mut self, makes: bool) -> Result<(), Error> {
        const OPERATION: &str = "bring its layout up to date";
        let (client, store) = self.client().await?;
        let fail = |error: tokio_postgres::Error| named(store, OPERATION, &error);
        let found = if makes {
            migrate::migrate(&mut client.sql).await.map_err(fail)?
        } else {
            migrate::look(&client.sql).await.map_err(fail)?
        };
        let store = store.to_owned();
        match found {
            Found::Nothing if !makes => Err(Error::Empty { store }),
            Found::Foreign => Err(Error::Layout {
                store,
                operation: OPERATION,
                detail: "the schema kadscope is there, and none of ours".to_owned(),
            }),
            Found::Version(version) if version > migrate::VERSION => {
                let (version, supported) = (version.cast_unsigned(), migrate::VERSION.cast_unsigned());
                Err(Error::NewerDatabase { store, version, supported })
            }
            Found::Nothing | Found::Version(_) => {
                self.is_open = true;
                // The next connection learns the types of the tables.
                self.client = None;
                Ok(())
            }
        }
    }

    /// Every run.
    pub(super) async fn runs(&mut self) -> Result<Vec<Stored>, Error> {
        let (client, store) = self.client().await?;
        let mut all = Vec::new();
        for stored in runs::all(&client.sql, store).await? {
            all.push(settled(client, store, stored).await?);
        }
        Ok(all)
    }

    /// One run; [`Error::UnknownRun`] if it is not there.
    pub(super) async fn run(&mut self, id: RunId) -> Result<Stored, Error> {
        let (client, store) = self.client().await?;
        let stored = runs::one(&client.sql, store, id).await?;
        let stored = stored.ok_or_else(|| Error::UnknownRun { store: store.to_owned(), id })?;
        settled(client, store, stored).await
    }

    /// The peers of a run.
    pub(super) async fn peers(&mut self, id: RunId) -> Result<Peers, Error> {
        let run = self.run(id).await?.id;
        let (client, store) = self.client().await?;
        let read = "SELECT number, peer_id FROM run_peer JOIN peer ON peer.id = run_peer.peer WHERE run = $1";
        let found = client.sql.query_typed(read, &[(&run, Type::INT4)]).await;
        let mut peers = Vec::new();
        for row in found.map_err(|error| named(store, Error::READ, &error))? {
            let pair = row.try_get::<_, i32>(0).and_then(|number| Ok((number, row.try_get::<_, &str>(1)?)));
            let (number, text) = pair.map_err(|error| named(store, Error::READ, &error))?;
            let peer = text.parse().map_err(|_| damaged(store, "a peer id that is none"))?;
            peers.push((PeerNumber(number.cast_unsigned()), peer));
        }
        peers.sort_unstable_by_key(|&(number, _)| number);
        Ok(Peers::new(peers))
    }

    /// Rows of one kind from a number on.
    pub(super) async fn rows(&mut self, table: &'static Table, run: i32, from: i64) -> Result<Chunk, Error> {
        let which = "WHERE run = $1 AND id >= $2 ORDER BY id LIMIT $3";
        self.select(table, which, &[(&run, Type::INT4), (&from, Type::INT8), (&CHUNK_ROWS, Type::INT8)]).await
    }

    /// The rows of a table for which a condition holds, as far as it lets them.
    pub(super) async fn select(
        &mut self,
        table: &'static Table,
        which: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Chunk, Error> {
        self.client().await?;
        let Self { client, store, resolver, .. } = self;
        let Some(client) = client else { return Ok(Vec::new()) };
        let columns = read::columns(table);
        let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
        let statement = format!("SELECT id, {} FROM {} {which}", names.join(", "), table.name);
        let fail = |error: tokio_postgres::Error| named(store, Error::READ, &error);
        let found = client.sql.query_typed(&statement, parameters).await.map_err(fail)?;
        resolver.begin();
        for row in &found {
            read::want(row, &columns, resolver).map_err(fail)?;
        }
        resolver.resolve((&client.sql, store)).await?;
        found
            .iter()
            .map(|row| Ok((row.try_get(0).map_err(fail)?, Columns::new(row, store, resolver).read(table)?)))
            .collect()
    }

    /// When the rows of one kind were created, in their order.
    pub(super) async fn created(&mut self, id: RunId, table: &'static Table) -> Result<Vec<Created>, Error> {
        let run = self.run(id).await?.id;
        let (client, store) = self.client().await?;
        let read = format!(
            "SELECT count(*), created_at FROM {} WHERE run = $1 GROUP BY created_at ORDER BY min(id)",
            table.name
        );
        let found = client.sql.query_typed(&read, &[(&run, Type::INT4)]).await;
        let created = |row: &tokio_postgres::Row| {
            let rows: i64 = row.try_get(0)?;
            Ok(Created { rows: rows.cast_unsigned(), at: row.try_get::<_, Moment>(1)?.0 })
        };
        found
            .and_then(|rows| rows.iter().map(created).collect())
            .map_err(|error| named(store, Error::READ, &error))
    }

    /// Neighbors from a row on.
    pub(super) async fn neighbors(&mut self, run: i32, from: i64) -> Result<NeighborChunk, Error> {
        let (client, store) = self.client().await?;
        let read = "SELECT id, number, neighbors FROM visit
            WHERE run = $1 AND id >= $2 AND neighbors IS NOT NULL ORDER BY id LIMIT $3";
        let found = client
            .sql
            .query_typed(read, &[(&run, Type::INT4), (&from, Type::INT8), (&CHUNK_ROWS, Type::INT8)])
            .await;
        let read = |row: &tokio_postgres::Row| {
            let number: i32 = row.try_get(1)?;
            let neighbors: Vec<i32> = row.try_get(2)?;
            Ok((row.try_get(0)?, PeerNumber(number.cast_unsigned()), read::peers(&neighbors)))
        };
        let found = found.and_then(|rows| rows.iter().map(read).collect());
        found.map_err(|error| named(store, Error::READ, &error))
    }
}

/// A run whose lock nobody holds may have ended after it was read: the lock is let go after that.
async fn settled(client: &PgClient, store: &str, stored: Stored) -> Result<Stored, Error> {
    if !stored.is_doubtful() {
        return Ok(stored);
    }
    let again = runs::one(&client.sql, store, stored.start.id).await?;
    Ok(again.unwrap_or(stored))
}
