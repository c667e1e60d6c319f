//! A server in the register: entered when it begins, alive as long as it says so, and away at its end. A register that is away is waited
//! for, and measures go on.

use std::{net::SocketAddr, time::Duration};

use ::perf::PerfServer;
use multiaddr::Protocol;
use net::SocketFabric;
use store::{Register, RegisterConfig, RegisteredServer, ServerEntry, ServerId};
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use super::task::Task;
use crate::{args::PerfServerArgs, clock, exit::Failed};

/// How often a server says that it is alive (Parsec): schedulers ask who said so within two minutes.
const HEARTBEAT: Duration = Duration::from_secs(60);

/// A server that stands in a register.
#[derive(Debug)]
pub(super) struct Entered {
    register: Register,
    id: ServerId,
}

/// What the server says of itself.
pub(super) fn entry(
    args: &PerfServerArgs,
    server: &PerfServer<SocketFabric>,
    task: &Task,
    listens: SocketAddr,
) -> Result<ServerEntry, Failed> {
    let http = args.entry.advertise.or_else(|| Some(SocketAddr::new(task.address?, listens.port())));
    let http = http.unwrap_or(listens);
    if http.ip().is_unspecified() {
        return Err(Failed::usage(format!(
            "--listen {listens} is no address at which a scheduler could ask: --advertise IP:PORT says which one is"
        )));
    }
    let contact = server.contact();
    let (cpu, memory) = task.limits.unwrap_or((1, 1));
    Ok(ServerEntry {
        fleet: args.entry.fleet.clone(),
        region: task.region.clone(),
        peer: contact.peer,
        http,
        peer_port: contact.addrs.iter().find_map(port),
        cpu,
        memory,
        strategy: Some(args.how.strategy()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command: command(),
        dependencies: serde_json::json!({}),
        entered_at: clock::now(),
    })
}

/// How the program was called, without passwords.
fn command() -> String {
    let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    crate::secrets::hidden(&words.join(" ")).into_owned()
}

fn port(addr: &kad::Multiaddr) -> Option<u16> {
    addr.iter().find_map(|part| match part {
        Protocol::Tcp(port) | Protocol::Udp(port) => Some(port),
        _ => None,
    })
}

impl Entered {
    /// Enters the server where rows are kept. An error if that cannot be: nobody would ever ask it.
    pub(super) async fn enter(args: &PerfServerArgs, entry: &ServerEntry) -> anyhow::Result<Self> {
        let tables = RegisterConfig { parsec_tables: parsec_tables(args), ..RegisterConfig::default() };
        let register = Register::open(args.keep.store(), tables).await?;
        let id = register.enter_server(entry).await?;
        Ok(Self { register, id })
    }

    /// The server as it stands there.
    pub(super) fn registered(&self, entry: ServerEntry) -> RegisteredServer {
        RegisteredServer { id: self.id, entry, last_heartbeat: None, offline_since: None }
    }

    /// Says again and again that the server is alive, after a first delay, until it is to end. What fails is tried again the next time.
    pub(super) async fn live(&self, delay: Duration, stop: &CancellationToken) {
        let mut beats = interval_at(Instant::now() + delay, HEARTBEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_away = false;
        while stop.run_until_cancelled(beats.tick()).await.is_some() {
            let told = self.register.heartbeat(self.id, clock::now()).await;
            match &told {
                Ok(()) if is_away => tracing::warn!("the register is there again"),
                Ok(()) => {}
                Err(error) => tracing::warn!(%error, "the register was not told that the server is alive"),
            }
            is_away = told.is_err();
        }
    }

    /// Says that the server is away from now on.
    pub(super) async fn leave(&self) {
        if let Err(error) = self.register.offline(self.id, clock::now()).await {
            tracing::warn!(%error, "the register was not told that the server is away");
        }
    }
}

/// Whether it stands in Parsec's own tables: which only PostgreSQL has.
fn parsec_tables(args: &PerfServerArgs) -> bool {
    args.api.parsec_compat && matches!(args.keep.store(), store::StoreUrl::Postgres(_))
}
