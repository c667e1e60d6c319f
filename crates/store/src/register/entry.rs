//! What stands in the register.

use std::{net::SocketAddr, time::Duration};

use kad::PeerId;
use schema::{Strategy, Timestamp};

/// How many servers are listed at most.
pub(super) const MOST_SERVERS: usize = 10_000;

/// How old a server's last heartbeat may be for it to count as alive: twice what lies between two, as Parsec has it.
pub const HEARTBEAT_PATIENCE: Duration = Duration::from_secs(120);

kad::named! {
    /// How a server stands.
    pub enum ServerState {
        /// It was entered, and has not said yet that it is alive.
        Starting = "starting",
        /// It said lately that it is alive.
        Alive = "alive",
        /// It said so, but not lately: nobody knows what became of it.
        Late = "late",
        /// It ended, or was not there when it was asked.
        Offline = "offline",
    }
}

/// The number of a server in its register; from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerId(pub u32);

/// The number of a scheduler in its register; from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SchedulerId(pub u32);

/// What a server says of itself when it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerEntry {
    /// Its fleet.
    pub fleet: String,
    /// Where it is, as its operator calls it; empty if nobody says.
    pub region: String,
    /// Its peer.
    pub peer: PeerId,
    /// Where it is asked by HTTP.
    pub http: SocketAddr,
    /// Where it listens for peers; `None` if it does not.
    pub peer_port: Option<u16>,
    /// What it may use of the machine, in 1,024ths of a core, as containers count; 1 if nobody says.
    pub cpu: u32,
    /// Memory that it may use, in MiB; 1 if nobody says.
    pub memory: u32,
    /// How it publishes and looks up; `None` for a server of others, which does not say.
    pub strategy: Option<Strategy>,
    /// Its program's version.
    pub version: String,
    /// How it was started.
    pub command: String,
    /// What it was built from.
    pub dependencies: serde_json::Value,
    /// When it was entered, by its own clock.
    pub entered_at: Timestamp,
}

/// A server in the register.
#[derive(Debug, Clone, PartialEq)]
pub struct RegisteredServer {
    /// Its number.
    pub id: ServerId,
    /// What it said of itself.
    pub entry: ServerEntry,
    /// When it last said that it is alive, by its own clock; `None` if it never did.
    pub last_heartbeat: Option<Timestamp>,
    /// Since when it is away; `None` if nobody says so.
    pub offline_since: Option<Timestamp>,
}

impl RegisteredServer {
    /// How it stands at a moment.
    pub fn state(&self, now: Timestamp) -> ServerState {
        match (self.offline_since, self.last_heartbeat) {
            (Some(_), _) => ServerState::Offline,
            (None, None) if now.since(self.entry.entered_at) > HEARTBEAT_PATIENCE => ServerState::Late,
            (None, None) => ServerState::Starting,
            (None, Some(heartbeat)) if now.since(heartbeat) > HEARTBEAT_PATIENCE => ServerState::Late,
            (None, Some(_)) => ServerState::Alive,
        }
    }

    /// Whether it counts as alive: with a heartbeat since then, and not offline.
    pub fn is_alive(&self, since: Timestamp) -> bool {
        self.offline_since.is_none() && self.last_heartbeat.is_some_and(|heartbeat| heartbeat >= since)
    }
}

/// What a scheduler says of itself when it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct SchedulerEntry {
    /// The fleets that it measures.
    pub fleets: Vec<String>,
    /// Its program's version.
    pub version: String,
    /// What it was built from.
    pub dependencies: serde_json::Value,
    /// When it was entered, by its own clock.
    pub entered_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_stands_as_its_heartbeats_say() {
        let at = |seconds| Timestamp(0).after(Duration::from_secs(seconds));
        let entry = ServerEntry {
            fleet: "default".to_owned(),
            region: String::new(),
            peer: PeerId::random(),
            http: ([127, 0, 0, 1], 7070).into(),
            peer_port: None,
            cpu: 1,
            memory: 1,
            strategy: None,
            version: String::new(),
            command: String::new(),
            dependencies: serde_json::Value::Null,
            entered_at: at(10),
        };
        let mut server =
            RegisteredServer { id: ServerId(1), entry, last_heartbeat: None, offline_since: None };
        assert_eq!([at(11), at(130), at(131)].map(|now| server.state(now)), {
            use ServerState::{Late, Starting};
            [Starting, Starting, Late]
        });
        server.last_heartbeat = Some(at(200));
        assert_eq!([at(320), at(321)].map(|now| server.state(now)), [ServerState::Alive, ServerState::Late]);
        server.offline_since = Some(at(201));
        assert_eq!(server.state(at(202)), ServerState::Offline);
    }
}
