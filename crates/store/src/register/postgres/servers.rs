//! Servers as they are read, from our tables or Parsec's.

use std::{borrow::Cow, net::SocketAddr};

use schema::{Strategy, Timestamp};
use serde_json::Value;
use tokio_postgres::Row;

use super::parsec_values;
use crate::{
    postgres::{Moment, kept, kept_text_read, read_json},
    register::{RegisteredServer, ServerEntry, ServerId, entry::MOST_SERVERS},
};

/// In which tables servers stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// In ours.
    Own,
    /// In Parsec's.
    Parsec,
}

const OWN: &str =
    "SELECT id, fleet, region, peer_id, host(ip), port, peer_port, cpu, memory, command, dependencies::text,
    entered_at, last_heartbeat, offline_since, strategy, version FROM kadscope_register.server";

const PARSEC: &str = "SELECT id, fleet, region, peer_id, host(ip_address), server_port::integer, peer_port::integer,
    cpu::bigint, memory::bigint, cmd, dependencies::text, created_at, last_heartbeat, offline_since FROM public.nodes_ecs";

impl Layout {
    /// The table.
    pub(super) const fn table(self) -> &'static str {
        match self {
            Self::Own => "kadscope_register.server",
            Self::Parsec => "public.nodes_ecs",
        }
    }

    const fn select(self) -> &'static str {
        match self {
            Self::Own => OWN,
            Self::Parsec => PARSEC,
        }
    }

    /// Selects those of the fleets `$1` that said that they are alive since `$2`.
    pub(super) fn alive(self) -> String {
        format!(
            "{} WHERE fleet = ANY($1) AND last_heartbeat >= $2 AND offline_since IS NULL ORDER BY id LIMIT {MOST_SERVERS}",
            self.select()
        )
    }

    /// Selects the last that were entered, the last of them first.
    pub(super) fn all(self) -> String {
        format!("{} ORDER BY id DESC LIMIT {MOST_SERVERS}", self.select())
    }

    /// The names of fleets as they are kept.
    pub(super) fn fleets(self, fleets: &[String]) -> Vec<Cow<'_, str>> {
        let kept = |fleet| match self {
            Self::Own => kept(fleet),
            Self::Parsec => parsec_values::plain(fleet),
        };
        fleets.iter().map(|fleet| kept(fleet)).collect()
    }

    /// Reads rows. One that cannot be a server's is left out: others write into these tables, too.
    pub(super) fn read(self, store: &str, rows: &[Row]) -> Vec<RegisteredServer> {
        let mut servers = Vec::with_capacity(rows.len());
        for row in rows {
            match self.server(row) {
                Ok(server) => servers.push(server),
                Err(error) => {
                    let id: Option<i32> = row.try_get(0).ok();
                    tracing::warn!(
                        store,
                        id,
                        error,
                        "an entry in the register is no server's, and is left out"
                    );
                }
            }
        }
        servers
    }

    fn server(self, row: &Row) -> Result<RegisteredServer, String> {
        let failed = |error: tokio_postgres::Error| error.to_string();
        let text = |column| {
            let text: String = row.try_get(column).map_err(failed)?;
            match self {
                Self::Own => {
                    kept_text_read(text).ok_or_else(|| format!("column {column} was never written so"))
                }
                Self::Parsec => Ok(text),
            }
        };
        let time = |column| {
            Ok::<_, String>(row.try_get::<_, Option<Moment>>(column).map_err(failed)?.map(|at| at.0))
        };
        let count = |column| {
            let count: i64 = row.try_get(column).map_err(failed)?;
            Ok::<_, String>(u32::try_from(count).unwrap_or(0))
        };
        let port = |column| {
            Ok::<_, String>(row.try_get::<_, Option<i32>>(column).map_err(failed)?.map(parsec_values::port))
        };
        let dependencies: Value =
            serde_json::from_str(row.try_get(10).map_err(failed)?).map_err(|e| e.to_string())?;
        let (strategy, version) = match self {
            Self::Own => (Strategy::from_name(&text(14).unwrap_or_default()), text(15)?),
            Self::Parsec => (parsec_values::strategy(&dependencies), parsec_values::version(&dependencies)),
        };
        let ip = text(4)?.parse().map_err(|_| "its address is none".to_owned())?;
        let peer_port = port(6)?.filter(|&port| self == Self::Own || port != 0);
        let entry = ServerEntry {
            fleet: text(1)?,
            region: text(2)?,
            peer: text(3)?.parse().map_err(|_| "its peer id is none".to_owned())?,
            http: SocketAddr::new(ip, port(5)?.unwrap_or_default()),
            peer_port,
            cpu: count(7)?,
            memory: count(8)?,
            strategy,
            version,
            command: text(9)?,
            dependencies: if self == Self::Own { read_json(&dependencies) } else { dependencies },
            entered_at: time(11)?.unwrap_or(Timestamp(0)),
        };
        let id: i32 = row.try_get(0).map_err(failed)?;
        let id = ServerId(id.cast_unsigned());
        Ok(RegisteredServer { id, entry, last_heartbeat: time(12)?, offline_since: time(13)? })
    }
}
