//! What a server of publications and lookups is to be: how it measures, where it is asked, and where its peer is.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, builder::PossibleValuesParser};
use kad::{Multiaddr, Persistence};
use perf::events::EventsPlace;
use schema::{ConnectionPolicy, Strategy};
use serde_json::json;

use super::indexer::PerfIndexerArgs;
use crate::{
    args::{List, ListParser, WatchArgs, watch::socket},
    keeping::KeepArgs,
    reach::ReachArgs,
};

/// What the server is to be, and where.
#[derive(Debug, Args)]
pub(crate) struct PerfServerArgs {
    #[command(flatten)]
    pub(crate) how: HowArgs,

    #[command(flatten)]
    pub(crate) indexer: PerfIndexerArgs,

    #[command(flatten)]
    pub(crate) api: PerfApiArgs,

    #[command(flatten)]
    pub(crate) peer: PerfPeerArgs,

    #[command(flatten)]
    pub(crate) entry: EntryArgs,

    #[command(flatten)]
    pub(crate) events: PerfEventsArgs,

    #[command(flatten)]
    pub(crate) keep: KeepArgs,

    #[command(flatten)]
    pub(crate) reach: ReachArgs,

    #[command(flatten)]
    pub(crate) watch: WatchArgs,
}

/// How it publishes and looks up.
#[derive(Debug, Args)]
#[command(next_help_heading = "Measuring")]
pub(crate) struct HowArgs {
    /// How it publishes and looks up
    #[arg(long, env = "KADSCOPE_PERF_SERVER_ROUTING", value_name = "STRATEGY", default_value = "default",
          value_parser = PossibleValuesParser::new(["default", "optprov", "fullrt", "sweep", "indexer"]))]
    routing: String,

    /// How far a publication goes where nothing else is asked for: as far as Go's libraries, or until each of the closest has the
    /// record
    #[arg(long, env = "KADSCOPE_PERF_SERVER_PERSISTENCE", value_name = "HOW", default_value = "go",
          value_parser = PossibleValuesParser::new(["go", "thorough"]))]
    persistence: String,

    /// Which connections an operation begins with where nothing else is asked for: those that there are, none, or those of a
    /// new peer that is made for it
    #[arg(long, env = "KADSCOPE_PERF_SERVER_CONNECTIONS", value_name = "POLICY", default_value = "warm",
          value_parser = PossibleValuesParser::new(["warm", "cold", "fresh"]))]
    connections: String,

    /// How many peers a lookup asks at a time
    #[arg(long, env = "KADSCOPE_PERF_SERVER_ALPHA", value_name = "N", default_value_t = 10,
          value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) alpha: u8,

    /// After how long a publication is over where nothing else is asked for
    #[arg(long, env = "KADSCOPE_PERF_SERVER_PROVIDE_TIMEOUT", value_name = "TIME", default_value = "3m",
          value_parser = kad::parse::duration)]
    pub(crate) provide_timeout: Duration,

    /// After how long a lookup is over where nothing else is asked for. Parsec's have no end
    #[arg(long, env = "KADSCOPE_PERF_SERVER_RETRIEVE_TIMEOUT", value_name = "TIME", default_value = "3m",
          value_parser = kad::parse::duration)]
    pub(crate) retrieve_timeout: Duration,

    /// Serve the network as well: others list the server, ask it and give it records, which it may find at home then
    #[arg(long, env = "KADSCOPE_PERF_SERVER_SERVER_MODE")]
    pub(crate) server_mode: bool,

    /// Look things up as if the peers in this file were not there: an id a line
    #[arg(long, env = "KADSCOPE_PERF_SERVER_IGNORE_PEERS", value_name = "FILE")]
    pub(crate) ignore_peers: Option<PathBuf>,
}

/// What it tells of.
#[derive(Debug, Args)]
#[command(next_help_heading = "Events")]
pub(crate) struct PerfEventsArgs {
    /// Tell of operations, and of requests of others for records, as lines of JSON: to a file (`file:PATH`) or a URL to which they are posted
    #[arg(long, env = "KADSCOPE_PERF_SERVER_EVENTS", value_name = "file:PATH|URL")]
    pub(crate) events: Option<EventsPlace>,

    /// Mark requests for content on this list: lines of // and the SHA-256 of `CIDv1/`
    #[arg(long, env = "KADSCOPE_PERF_SERVER_BADBITS", value_name = "FILE", requires = "events")]
    pub(crate) badbits: Option<PathBuf>,

    /// The same of a list with `cid,source` a line
    #[arg(long, env = "KADSCOPE_PERF_SERVER_DENIED_CIDS", value_name = "FILE", requires = "events")]
    pub(crate) denied_cids: Option<PathBuf>,
}

/// Where it is told what to do.
#[derive(Debug, Args)]
#[command(next_help_heading = "HTTP")]
pub(crate) struct PerfApiArgs {
    /// Where its HTTP API is answered, and nothing else
    #[arg(long, env = "KADSCOPE_PERF_SERVER_LISTEN", value_name = "IP:PORT", default_value = "127.0.0.1:7070",
          value_parser = socket)]
    pub(crate) listen: SocketAddr,

    /// Answer those only who have the token in this file. `KADSCOPE_PERF_TOKEN` may have the token itself
    #[arg(
        long,
        env = "KADSCOPE_PERF_SERVER_TOKEN_FILE",
        value_name = "FILE",
        conflicts_with = "listen_open"
    )]
    pub(crate) token_file: Option<PathBuf>,

    /// Let everybody who can reach the API publish and look up, without a token, as Parsec's servers do
    #[arg(long, env = "KADSCOPE_PERF_SERVER_LISTEN_OPEN")]
    pub(crate) listen_open: bool,

    /// Answer as Parsec's servers do and say nothing more; records are found at home at once. On PostgreSQL the server stands in
    /// Parsec's tables
    #[arg(long, env = "KADSCOPE_PERF_SERVER_PARSEC_COMPAT")]
    pub(crate) parsec_compat: bool,
}

/// Who its peer is, and where.
#[derive(Debug, Args)]
#[command(next_help_heading = "Peer")]
pub(crate) struct PerfPeerArgs {
    /// The key of its peer, in a file that is made if it is not there [default: a new one each time]
    #[arg(long, env = "KADSCOPE_PERF_SERVER_IDENTITY", value_name = "FILE")]
    pub(crate) identity: Option<PathBuf>,

    /// Where its peer listens, after spaces or commas [default: TCP and QUIC at this machine's addresses of the class of
    /// --addresses, with ports that the system chooses]
    #[arg(long, env = "KADSCOPE_PERF_SERVER_PEER_LISTEN", value_name = "MULTIADDR", num_args = 1..,
          value_parser = ListParser(super::super::provide::address))]
    pub(crate) peer_listen: Vec<List<Multiaddr>>,

    /// Where records say that it is, after spaces or commas [default: where it listens]
    #[arg(long, env = "KADSCOPE_PERF_SERVER_PEER_ANNOUNCE", value_name = "MULTIADDR", num_args = 1..,
          value_parser = ListParser(super::super::provide::address))]
    pub(crate) peer_announce: Vec<List<Multiaddr>>,
}

/// How schedulers find it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Register")]
pub(crate) struct EntryArgs {
    /// The fleet that it belongs to
    #[arg(long, env = "KADSCOPE_PERF_SERVER_FLEET", value_name = "NAME")]
    pub(crate) fleet: String,

    /// Where it is [default: what `AWS_REGION` says]
    #[arg(long, env = "KADSCOPE_PERF_SERVER_REGION", value_name = "NAME")]
    pub(crate) region: Option<String>,

    /// Where schedulers reach its HTTP API [default: where it listens; on ECS at the address of the task]
    #[arg(long, env = "KADSCOPE_PERF_SERVER_ADVERTISE", value_name = "IP:PORT", value_parser = socket)]
    pub(crate) advertise: Option<SocketAddr>,

    /// How long it waits before it says for the first time that it is alive: until then no scheduler asks it
    #[arg(long, env = "KADSCOPE_PERF_SERVER_STARTUP_DELAY", value_name = "TIME", default_value = "1m",
          value_parser = kad::parse::duration)]
    pub(crate) startup_delay: Duration,

    /// What Amazon ECS says of the task, as JSON. `ECS_CONTAINER_METADATA` is read as well
    #[arg(long, env = "KADSCOPE_PERF_SERVER_ECS_METADATA", value_name = "JSON")]
    pub(crate) ecs_metadata: Option<String>,

    /// Where it says that. `ECS_CONTAINER_METADATA_URI_V4` is read as well
    #[arg(long, env = "KADSCOPE_PERF_SERVER_ECS_METADATA_URI_V4", value_name = "URL")]
    pub(crate) ecs_metadata_uri_v4: Option<String>,
}

impl HowArgs {
    /// How it publishes and looks up.
    pub(crate) fn strategy(&self) -> Strategy {
        Strategy::from_name(&self.routing).unwrap_or(Strategy::Default)
    }

    /// How far a publication goes.
    pub(crate) fn persistence(&self) -> Persistence {
        Persistence::from_name(&self.persistence).unwrap_or(Persistence::Go)
    }

    /// Which connections an operation begins with.
    pub(crate) fn policy(&self) -> ConnectionPolicy {
        ConnectionPolicy::from_name(&self.connections).unwrap_or(ConnectionPolicy::Warm)
    }
}

impl PerfServerArgs {
    /// What was asked for, as it is kept with a run: without secrets.
    pub(crate) fn parameters(&self) -> serde_json::Value {
        let Self { how, api, entry, indexer, .. } = self;
        json!({
            "part": "server",
            "fleet": entry.fleet,
            "region": entry.region,
            "routing": how.routing,
            "persistence": how.persistence,
            "connections": how.connections,
            "alpha": how.alpha,
            "provide_timeout": how.provide_timeout.as_secs_f64(),
            "retrieve_timeout": how.retrieve_timeout.as_secs_f64(),
            "server_mode": how.server_mode,
            "indexer": indexer.indexer.as_ref().map(ToString::to_string),
            "listen": api.listen,
            "parsec_compat": api.parsec_compat,
        })
    }
}
