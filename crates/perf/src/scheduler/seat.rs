//! Where a server stands, whoever runs there.

use std::net::SocketAddr;

use serde::Serialize;
use store::RegisteredServer;

/// The place of a server among those that are measured: what remains the same when it is started anew, with another number and
/// another peer id. Sorted, which no database promises of its rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Seat {
    /// Its fleet.
    pub fleet: String,
    /// Its region; empty if it said none.
    pub region: String,
    /// Where it is asked by HTTP.
    pub http: SocketAddr,
}

impl Seat {
    /// That of a server.
    pub fn of(server: &RegisteredServer) -> Self {
        let entry = &server.entry;
        Self { fleet: entry.fleet.clone(), region: entry.region.clone(), http: entry.http }
    }
}
