//! `kadscope testnet`: a network on this machine, until Ctrl-C or, in a world, until a program there ends.

mod life;
mod world;

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use testnet::{Truth, WireTestnet, World, ground::Ports, life::Moment, namespace::Entered};

pub(crate) use self::world::{become_inhabitant, prepare};
use crate::{
    args::TestnetArgs,
    exit::{Code, Failed},
    output,
    outputs::{InUse, Kind, Output},
    render::text::counted,
    resources, signals,
};

/// What is said of a network that runs.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Announcement {
    /// The scenario, as it was asked for.
    pub(crate) scenario: String,
    /// How many peers there are, departed ones left out.
    pub(crate) peers: u32,
    /// The seed of everything random.
    pub(crate) seed: u64,
    /// The Kademlia protocol.
    pub(crate) protocol: String,
    /// The port where peers listen, TCP and QUIC.
    pub(crate) port: u16,
    /// The port where they listen for WebSocket.
    pub(crate) ws_port: u16,
    /// The port where they listen for WebSocket over TLS.
    pub(crate) wss_port: u16,
    /// The port where all attempts are refused.
    pub(crate) refusing_port: u16,
    /// The port where all attempts are dropped.
    pub(crate) dropping_port: u16,
    /// Where to begin: addresses with peer ids.
    pub(crate) bootstrap: Vec<String>,
    /// When its peers began to come and go, in milliseconds since 1970; missing where nobody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) life_began_unix_ms: Option<f64>,
    /// The world that it runs in; missing if in none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) world: Option<world::Described>,
}

impl Announcement {
    fn of(network: &WireTestnet, scenario: &str) -> Self {
        let world = network.world();
        let Ports { listen, ws, wss, dead, dropping } = world.ports();
        Self {
            scenario: scenario.to_owned(),
            peers: world.scenario().peers,
            seed: world.scenario().seed,
            protocol: world.scenario().protocol.clone(),
            port: listen,
            ws_port: ws,
            wss_port: wss,
            refusing_port: dead,
            dropping_port: dropping,
            bootstrap: world.bootstrap_addresses().iter().map(ToString::to_string).collect(),
            life_began_unix_ms: network.life_clock().map(|clock| clock.unix_ms(Moment::START)),
            world: None,
        }
    }

    /// The ports of the network.
    pub(crate) const fn ports(&self) -> Ports {
        Ports {
            listen: self.port,
            ws: self.ws_port,
            wss: self.wss_port,
            dead: self.refusing_port,
            dropping: self.dropping_port,
        }
    }
}

pub(crate) async fn run(
    args: TestnetArgs,
    entered: Option<Entered>,
    mut in_use: InUse,
) -> anyhow::Result<Code> {
    if let Some(scenario) = &args.config.scenario {
        in_use.read("the scenario", Path::new(scenario));
    }
    match entered {
        Some(entered) => world::run(args, entered, in_use).await,
        None => run_on_loopback(args, in_use).await,
    }
}

async fn run_on_loopback(args: TestnetArgs, mut in_use: InUse) -> anyhow::Result<Code> {
    let stop = signals::stop_on_signal()?;
    let scenario = args.config.scenario(false)?;
    let limit = resources::raise_open_files();
    let files = Files::open(&args.config, &mut in_use)?;
    let outlets = life::outlets(files.events, None);
    let network = WireTestnet::start_with(&scenario, outlets).await?;
    note_room(limit);
    if let Some((file, path)) = files.truth {
        write_truth(network.world(), file, &path)?;
    }
    let announcement = Announcement::of(&network, args.config.name(false));
    if args.config.json {
        output::print_json(&announcement)?;
    } else {
        announce(&announcement)?;
    }
    if is_stdout(args.config.truth.as_deref()) {
        print_truth(network.world())?;
    }
    tokio::select! {
        () = stop.cancelled() => {}
        () = end_of_stdin(), if args.until_eof => {}
    }
    network.stop().await;
    Ok(Code::Done)
}

/// Says how many connections there is room for, where whoever dials could meet that limit: to them it looks like peers
/// that do not answer.
fn note_room(limit: u64) {
    let usual = crawl::Config::default();
    let room = limit.saturating_sub(resources::open_files());
    if room < u64::from(usual.max_dials) + u64::from(usual.parallelism) {
        output::note(&format!(
            "only {limit} files may be open at once: more than {room} connections at once are not answered \
             (raise it with `ulimit -n`)"
        ));
    }
}

/// What is written beside the network; opened before it starts, so that what cannot be written is said at once.
#[derive(Debug)]
struct Files {
    truth: Option<(File, PathBuf)>,
    events: Option<File>,
}

impl Files {
    fn open(config: &testnet::Config, in_use: &mut InUse) -> Result<Self, Failed> {
        let truth = config.truth.as_deref().filter(|path| !is_stdout(Some(path)));
        let mut create = |what, path, kind| in_use.create(Output { what, path, kind, force: config.force });
        let truth =
            truth.map(|path| Ok((create("the truth", path, Kind::Truth)?, path.to_owned()))).transpose()?;
        let events = config.events.as_deref();
        let events = events.map(|path| create("the events", path, Kind::Events)).transpose()?;
        Ok(Self { truth, events })
    }
}

/// Whether a file is named as `-`.
fn is_stdout(path: Option<&Path>) -> bool {
    path == Some(Path::new("-"))
}

fn write_truth(world: &Arc<World>, file: File, path: &Path) -> anyhow::Result<()> {
    let failed = |error| Failed::usage(format!("cannot write the truth to {}: {error}", path.display()));
    Ok(Truth::of(Arc::clone(world)).write_json(file).map_err(failed)?)
}

/// The truth as one more line of the result.
fn print_truth(world: &Arc<World>) -> io::Result<()> {
    let mut line = Vec::new();
    Truth::of(Arc::clone(world)).write_json(&mut line)?;
    output::print(&(String::from_utf8_lossy(&line) + "\n"))
}

/// The addresses are the result; what to do with them is said beside it.
fn announce(announcement: &Announcement) -> anyhow::Result<()> {
    let Announcement { scenario, peers, seed, protocol, bootstrap, .. } = announcement;
    output::note(&format!(
        "{} of the scenario {scenario} (seed {seed}). Begin with any of these:",
        counted((*peers).into(), "peer", "peers")
    ));
    output::print(&(bootstrap.join("\n") + "\n"))?;
    let protocol = match protocol.as_str() {
        kad::message::AMINO_PROTOCOL => String::new(),
        other => format!(" --protocol {other}"),
    };
    let first = bootstrap.first().map_or("MULTIADDR", String::as_str);
    output::note(&format!(
        "In another terminal:\n  kadscope crawl --addresses loopback{protocol} --bootstrap {first}\nCtrl-C ends the network."
    ));
    Ok(())
}

/// Resolves when nobody holds the other end of stdin any more.
async fn end_of_stdin() {
    // An error ends it as well: then there is no other end.
    drop(tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await);
}
