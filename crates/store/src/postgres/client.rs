//! One connection to the server, set up as every part of the store wants it.

use std::{path::PathBuf, time::Duration};

use tokio::{task::JoinHandle, time};
use tokio_postgres::{Client, Config, config};

use super::{fault, login::Login, tls::MakeTls};
use crate::url::postgres::SslMode;

/// How long a server is waited for that does not answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long what was sent may stay without an acknowledgement until the connection counts as lost.
const SILENCE: Duration = Duration::from_secs(30);

/// What each connection is told first. A transaction that idles belongs to a program whose machine has gone: it would keep
/// its locks until the system noticed. What the store asks has an index each; the planner, which knows nothing yet of tables that
/// were just filled, would rather read them whole.
const SET_UP: &str = "SET search_path = kadscope, pg_catalog; SET timezone = 'UTC'; SET jit = off;
    SET client_min_messages = warning; SET idle_in_transaction_session_timeout = '60s'; SET bytea_output = hex;
    SET enable_seqscan = off; SET enable_sort = off";

/// For what does read whole tables.
pub(super) const WHOLE_TABLES: &str = "SET enable_seqscan = on; SET enable_sort = on";

/// Back from that.
pub(super) const BY_INDEX: &str = "SET enable_seqscan = off; SET enable_sort = off";

/// A connection. Dropped, it is closed.
#[derive(Debug)]
pub(crate) struct PgClient {
    pub(crate) sql: Client,
    driver: JoinHandle<()>,
}

impl PgClient {
    /// Connects; says why that is not possible, in words that hold nothing secret.
    pub(crate) async fn connect(login: &Login) -> Result<Self, String> {
        let connecting = async {
            let tls = MakeTls::new(login)?;
            let (sql, connection) = config(login).connect(tls).await.map_err(|error| fault::text(&error))?;
            let driver = tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(error = fault::text(&error), "the connection to the database has ended");
                }
            });
            let client = Self { sql, driver };
            client.sql.batch_execute(SET_UP).await.map_err(|error| fault::text(&error))?;
            Ok(client)
        };
        let late = || format!("no answer within {CONNECT_TIMEOUT:?}");
        time::timeout(CONNECT_TIMEOUT, connecting).await.unwrap_or_else(|_| Err(late()))
    }

    /// Whether it is over.
    pub(crate) fn is_closed(&self) -> bool {
        self.sql.is_closed()
    }
}

impl Drop for PgClient {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

fn config(login: &Login) -> Config {
    let mut config = Config::new();
    if login.is_socket() {
        config.host_path(PathBuf::from(&login.host));
    } else {
        config.host(&login.host);
    }
    config.port(login.port).user(&login.user).dbname(&login.database).application_name("kadscope");
    config.connect_timeout(CONNECT_TIMEOUT).keepalives_idle(SILENCE).tcp_user_timeout(SILENCE);
    config.channel_binding(config::ChannelBinding::Disable);
    config.ssl_mode(match login.ssl_mode {
        SslMode::Disable => config::SslMode::Disable,
        // Nobody is between two ends of a socket.
        _ if login.is_socket() => config::SslMode::Disable,
        SslMode::Prefer => config::SslMode::Prefer,
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => config::SslMode::Require,
    });
    if let Some(password) = &login.password {
        config.password(&password.0);
    }
    config
}
