//! What stands in the register.

use std::net::SocketAddr;

use kad::PeerId;
use schema::{Strategy, Timestamp};

/// How many servers are listed at most.
pub(super) const MOST_SERVERS: usize = 10_000;

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
