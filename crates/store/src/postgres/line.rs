//! A connection that is made anew when it is lost.

use tokio::sync::{Mutex, MutexGuard};
use tokio_postgres::Client;

use super::{Login, PgClient};

/// A connection, or how to make one.
#[derive(Debug)]
pub(crate) struct Line {
    login: Login,
    client: Mutex<Option<PgClient>>,
}

/// A connection that somebody uses. Dropped, it is closed: nobody would read what it answers later.
#[derive(Debug)]
pub(crate) struct OpenLine<'a> {
    place: MutexGuard<'a, Option<PgClient>>,
    client: PgClient,
}

impl Line {
    pub(crate) fn new(login: Login) -> Self {
        Self { login, client: Mutex::new(None) }
    }

    /// Uses a connection that is there.
    pub(crate) async fn put(&self, client: PgClient) {
        *self.client.lock().await = Some(client);
    }

    /// Closes it.
    pub(crate) async fn close(&self) {
        drop(self.client.lock().await.take());
    }

    /// Takes the connection, or makes one; says why that is not possible.
    pub(crate) async fn open(&self) -> Result<OpenLine<'_>, String> {
        let mut place = self.client.lock().await;
        let client = match place.take().filter(|client| !client.is_closed()) {
            Some(client) => client,
            None => PgClient::connect(&self.login).await?,
        };
        Ok(OpenLine { place, client })
    }
}

impl OpenLine<'_> {
    pub(crate) const fn sql(&self) -> &Client {
        &self.client.sql
    }

    /// Leaves the connection to the next one.
    pub(crate) fn leave(mut self) {
        *self.place = Some(self.client);
    }
}
