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
    is_new: bool,
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
        let (client, is_new) = match place.take().filter(|client| !client.is_closed()) {
            Some(client) => (client, false),
            None => (PgClient::connect(&self.login).await?, true),
        };
        Ok(OpenLine { place, client, is_new })
    }
}

impl OpenLine<'_> {
    /// Whether it was made just now: one that stood before may have been lost without anybody's noticing.
    pub(crate) const fn is_new(&self) -> bool {
        self.is_new
    }

    pub(crate) const fn sql(&self) -> &Client {
        &self.client.sql
    }

    /// Leaves the connection to the next one.
    pub(crate) fn leave(mut self) {
        *self.place = Some(self.client);
    }
}
