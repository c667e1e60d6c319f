//! `kadscope perf server`: a peer that publishes and looks up when it is told to by HTTP.

mod entering;
mod identity;
mod indexing;
mod lists;
mod task;
mod telling;

use std::{sync::Arc, time::Duration};

use ::perf::{CallAttempt, PerfApi, PerfServer, ServerConfig};
use anyhow::Context as _;
use dht::NodeProfile;
use http::{Access, HttpError, Listening, Room, TakenAddress, Token};
use kad::Multiaddr;
use net::{FabricConfig, SocketFabric};
use schema::{RunState, Tool};
use serde::Serialize;
use tokio::sync::mpsc;

use self::{entering::Entered, task::Task};
use super::{
    health::TOKEN_VARIABLE,
    keeping::{NO_SCHEDULER, keep_attempts},
};
use crate::{
    args::{List, PerfServerArgs, PlaceArgs},
    clock,
    exit::{Code, Failed},
    keeping::{ToolRun, waiting},
    network::Network,
    output,
    outputs::InUse,
    place::{Place, PlaceOptions},
    resources,
    staying::Staying,
    token,
};

/// Attempts that wait to be kept: as many as may be under way; with more, answers wait.
const QUEUED_ATTEMPTS: usize = 64;

/// What is kept as the summary of a run.
#[derive(Debug, Serialize)]
struct Served {
    /// The peer.
    peer: String,
    /// How many peers it knew at the end.
    table_size: usize,
}

pub(super) async fn run(args: PerfServerArgs, in_use: &mut InUse) -> anyhow::Result<Code> {
    args.reach.note_inputs(in_use);
    args.keep.note(in_use);
    let network = indexing::network(&args)?;
    let staying = Staying::begin(&args.watch, "the server knows nobody in its network yet")?;
    staying.around(async |staying| Box::pin(serve(&args, network, staying)).await).await
}

async fn serve(args: &PerfServerArgs, network: Network, staying: &Staying) -> anyhow::Result<Code> {
    let (address, access) = door(args)?;
    let mut config = Box::pin(staying.unless_stopped(config(args, &network))).await??;
    let task = Box::pin(staying.unless_stopped(Task::read(&args.entry))).await??;
    let events = telling::begin(args, &task, &mut config)?;
    let order = args.reach.order(Tool::Perf, args.parameters(), &network)?;
    let mut run = ToolRun::begin(staying, args.keep.store(), order).await?;
    let fabric = SocketFabric::new(FabricConfig::from(args.reach.dials(&network)?));
    let api = PerfApi::<SocketFabric>::new(args.api.parsec_compat);
    let listening = Room::bare(access, api.routes(), PerfApi::<SocketFabric>::bounds()).open(address)?;
    output::note(&format!("the HTTP API is at http://{}", listening.address()));
    let server = staying.unless_stopped(PerfServer::join(&fabric, config)).await?;
    let server = server.context("the server's peer cannot join")?;
    indexing::begin(args, &server)?;
    let (sender, attempts) = mpsc::channel(QUEUED_ATTEMPTS);
    let sender = run.is_kept().then_some(sender);
    let living = async {
        let lived = live(args, (&server, &api, &task), (&listening, sender), staying).await;
        staying.ending();
        listening.close().await;
        api.stop_keeping();
        lived
    };
    let (lived, ()) = tokio::join!(Box::pin(living), keep_attempts(&mut run, NO_SCHEDULER, attempts));
    let summary = Served { peer: server.contact().peer.to_string(), table_size: server.table_size() };
    drop(api);
    server.leave().await;
    if let Some(events) = events {
        events.end().await;
    }
    // It has no other end than to be told to.
    run.end(if lived.is_ok() { RunState::Succeeded } else { RunState::Failed }, &summary).await?;
    lived?;
    Ok(Code::Done)
}

/// Answers until it is told to end, and says meanwhile that it is alive.
async fn live(
    args: &PerfServerArgs,
    (server, api, task): (&PerfServer<SocketFabric>, &PerfApi<SocketFabric>, &Task),
    (listening, attempts): (&Listening, Option<mpsc::Sender<CallAttempt>>),
    staying: &Staying,
) -> anyhow::Result<()> {
    let entry = entering::entry(args, server, task, listening.address())?;
    let entered = staying.unless_stopped(Entered::enter(args, &entry)).await??;
    output::note(&format!("{} is {} of the fleet {}", entry.peer, entry.http, entry.fleet));
    if let Some(attempts) = attempts {
        staying.hold(waiting("attempts_waiting", &attempts));
        api.keep(Arc::new(entered.registered(entry)), attempts);
    }
    api.open(server.clone());
    staying.show(server.metrics());
    if args.api.parsec_compat {
        staying.show(api.parsec_metrics());
    }
    let is_known = server.clone();
    let heartbeats = entered.live(args.entry.startup_delay, staying.stop());
    let first = async {
        // A table that is filled says so by its refreshes alone.
        let mut refreshes = 1;
        while !is_known.is_ready() {
            is_known.node().refreshed(refreshes).await;
            refreshes += 1;
        }
        staying.ready();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = heartbeats => {}
        () = first => {}
    }
    entered.leave().await;
    Ok(())
}

/// Where it is asked, and by whom. The address is taken, and nobody answers there yet.
fn door(args: &PerfServerArgs) -> anyhow::Result<(TakenAddress, Access)> {
    let address = args.api.listen;
    let token = token::text_of(args.api.token_file.as_deref(), TOKEN_VARIABLE)?;
    let token = token.map(|text| Token::new(&text)).transpose();
    let token = token.map_err(|error| Failed::usage(format!("cannot use the token of the API: {error}")))?;
    let access = Access::at(address, token, args.api.listen_open).map_err(|error| match error {
        HttpError::NeedsToken { .. } => Failed::usage(format!(
            "--listen {address}: {error}\n--token-file FILE (or {TOKEN_VARIABLE}) says which token, --listen-open lets everybody ask"
        )),
        other => Failed::usage(other.to_string()),
    })?;
    Ok((TakenAddress::bind(address)?, access))
}

/// How the server is set up.
async fn config(args: &PerfServerArgs, network: &Network) -> anyhow::Result<ServerConfig> {
    let keypair = identity::of(args.peer.identity.as_deref())?;
    let place = PlaceArgs {
        listen: args.peer.peer_listen.iter().map(copied).collect(),
        announce: args.peer.peer_announce.iter().map(copied).collect(),
    };
    let place = Place::find((place, PlaceOptions::OF_PEER), &args.reach, network).await?;
    let protocols: Arc<[String]> = network.protocols.clone().into();
    let profile =
        NodeProfile { agent: args.reach.manners.agent(network), protocols, announce: place.announce };
    let first = args.reach.first_peers(network).await?;
    let mut config = ServerConfig::new(keypair, profile, first, clock::since_epoch());
    config.node.listen = place.listen;
    config.node.rules.alpha = args.how.alpha.into();
    config.node.serves = args.how.server_mode;
    config.node.checks_addresses = args.how.server_mode;
    config.node.seed = clock::seed();
    config.node.ignored = lists::ignored(args.how.ignore_peers.as_deref())?;
    config.strategy = args.how.strategy();
    config.persistence = args.how.persistence();
    config.policy = args.how.policy();
    config.provide_time = args.how.provide_timeout.min(::perf::MAX_DEADLINE);
    config.retrieve_time = args.how.retrieve_timeout.min(::perf::MAX_DEADLINE);
    config.looks_at_home = args.api.parsec_compat;
    config.crawls = config.strategy == schema::Strategy::FullRt;
    config.cpu = Some(cpu);
    Ok(config)
}

fn copied(list: &List<Multiaddr>) -> List<Multiaddr> {
    List(list.0.clone())
}

/// How much CPU time the process has had.
fn cpu() -> Duration {
    resources::cpu_time()
}
