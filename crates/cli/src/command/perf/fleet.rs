//! `kadscope perf fleet`: the servers that are registered, and whether they are alive.

use std::{net::SocketAddr, time::Duration};

use schema::{Strategy, Timestamp};
use serde::Serialize;
use store::{Register, RegisterConfig, RegisteredServer, ServerState};

use crate::{args::PerfFleetArgs, clock, exit::Code, output, render};

/// How long who is gone is listed.
const LISTED: Duration = Duration::from_secs(24 * 3600);

/// The servers in a register.
#[derive(Debug, Serialize)]
pub(crate) struct ListedFleet {
    /// The store that the register is in.
    pub(crate) store: String,
    /// Its servers, in the order in which they were entered.
    pub(crate) servers: Vec<ListedServer>,
    /// How many more are gone for more than a day.
    pub(crate) gone: usize,
}

/// What is said of a server.
#[derive(Debug, Serialize)]
pub(crate) struct ListedServer {
    /// Its number in the register.
    pub(crate) id: u32,
    /// Its fleet.
    pub(crate) fleet: String,
    /// Where it is, as its operator calls it; empty if nobody says.
    pub(crate) region: String,
    /// How it stands.
    #[serde(serialize_with = "by_name")]
    pub(crate) state: ServerState,
    /// How long ago it last said that it is alive, in seconds; `None` if it never did.
    pub(crate) heartbeat_age_s: Option<u64>,
    /// When that was.
    pub(crate) last_heartbeat: Option<Timestamp>,
    /// Since when it is away; `None` if nobody says so.
    pub(crate) offline_since: Option<Timestamp>,
    /// When it was entered.
    pub(crate) entered_at: Timestamp,
    /// How it publishes and looks up; `None` if it does not say.
    pub(crate) strategy: Option<Strategy>,
    /// Its program's version.
    pub(crate) version: String,
    /// Where it is asked by HTTP.
    pub(crate) http: SocketAddr,
    /// Its peer.
    pub(crate) peer: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "so it is called")]
fn by_name<S: serde::Serializer>(state: &ServerState, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(state.name())
}

pub(super) async fn run(args: &PerfFleetArgs) -> anyhow::Result<Code> {
    let config = RegisterConfig {
        parsec_tables: args.parsec_compat,
        makes_tables: false,
        ..RegisterConfig::default()
    };
    let register = Register::open(&args.place.store, config).await?;
    let now = clock::now();
    let is_wanted =
        |server: &RegisteredServer| args.fleets.is_empty() || args.fleets.contains(&server.entry.fleet);
    let all: Vec<_> = register.all_servers().await?.into_iter().filter(is_wanted).collect();
    let (listed, gone): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|server| args.all || !is_long_gone(server, now));
    let fleet = ListedFleet {
        store: args.place.store.to_string(),
        servers: listed.into_iter().map(|server| said_of(server, now)).collect(),
        gone: gone.len(),
    };
    if args.place.json {
        output::print_json(&fleet)?;
    } else {
        output::print(&render::fleet(&fleet))?;
    }
    Ok(Code::Done)
}

fn is_long_gone(server: &RegisteredServer, now: Timestamp) -> bool {
    let last = server.last_heartbeat.max(server.offline_since).unwrap_or(server.entry.entered_at);
    server.state(now) != ServerState::Alive && now.since(last) > LISTED
}

fn said_of(server: RegisteredServer, now: Timestamp) -> ListedServer {
    ListedServer {
        id: server.id.0,
        state: server.state(now),
        heartbeat_age_s: server.last_heartbeat.map(|last| now.since(last).as_secs()),
        last_heartbeat: server.last_heartbeat,
        offline_since: server.offline_since,
        entered_at: server.entry.entered_at,
        strategy: server.entry.strategy,
        http: server.entry.http,
        peer: server.entry.peer.to_base58(),
        fleet: server.entry.fleet,
        region: server.entry.region,
        version: server.entry.version,
    }
}
