//! `kadscope testnet`: a network on this machine, until Ctrl-C or, in a world, until a program there ends.

mod files;
mod life;
mod making;
mod world;

use std::path::Path;

use serde::{Deserialize, Serialize};
use testnet::{
    Making, Scenario, WireConfig, WireTestnet,
    ground::{Ports, Sharing},
    life::Moment,
};

pub(crate) use self::world::{become_inhabitant, prepare};
use self::{files::Files, making::MakingProgress};
use crate::{
    args::TestnetArgs,
    command::WorldEntered,
    exit::Code,
    metrics, output,
    outputs::InUse,
    render::text::counted,
    resources,
    shell::{program, quoted},
    staying::Staying,
};

/// What is said of a network that runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Announcement {
    /// The scenario, as it was asked for.
    pub(crate) scenario: String,
    /// The name of the network, for those who keep what they find in it.
    pub(crate) network: String,
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
    /// How far the ports of one peer are from those of the next, the first one's being those above. Missing where each peer
    /// has an address of its own instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) port_step: Option<u16>,
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
        let Ports { listen, ws, wss, dead, dropping, sharing } = world.ports();
        let port_step = match sharing {
            Sharing::Slots => None,
            Sharing::OneAddress { step } => Some(step),
        };
        Self {
            scenario: scenario.to_owned(),
            network: network_name(scenario),
            peers: world.scenario().peers,
            seed: world.scenario().seed,
            protocol: world.scenario().protocol.clone(),
            port: listen,
            ws_port: ws,
            wss_port: wss,
            refusing_port: dead,
            dropping_port: dropping,
            port_step,
            bootstrap: world.bootstrap_addresses().iter().map(ToString::to_string).collect(),
            life_began_unix_ms: network.life_clock().map(|clock| clock.unix_ms(Moment::START)),
            world: None,
        }
    }

    /// The ports of the network.
    pub(crate) const fn ports(&self) -> Ports {
        let sharing = match self.port_step {
            None => Sharing::Slots,
            Some(step) => Sharing::OneAddress { step },
        };
        Ports {
            sharing,
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
    entered: Option<WorldEntered>,
    mut in_use: InUse,
) -> anyhow::Result<Code> {
    if let Some(scenario) = &args.config.scenario {
        in_use.read("the scenario", Path::new(scenario));
    }
    let not_yet = "the network is made";
    if let Some(WorldEntered { entered, door }) = entered {
        let staying = Staying::behind(door, &args.watch, not_yet)?;
        return staying.around(async |staying| world::run((args, entered), in_use, staying).await).await;
    }
    let staying = Staying::begin(&args.watch, not_yet)?;
    staying.around(async |staying| serve(&args, in_use, staying).await).await
}

async fn serve(args: &TestnetArgs, mut in_use: InUse, staying: &Staying) -> anyhow::Result<Code> {
    let scenario = args.config.scenario(false)?;
    let files = Files::open(&args.config, &mut in_use)?;
    let making = Making::default();
    let start = Box::pin(start(args, &scenario, files, &making));
    let network = made(staying, &scenario, &making, start).await?;
    staying.hold(metrics::guests(network.guest_count()));
    let announcement = Announcement::of(&network, args.config.name(false));
    if args.config.json {
        output::print_json(&announcement)?;
    } else {
        announce(&announcement)?;
    }
    if files::is_stdout(args.config.truth.as_deref())
        && let Ok(line) = staying.unless_stopped(files::truth_line(network.world())).await
    {
        output::print(&line?)?;
    }
    until_ended(staying, args.until_eof).await;
    staying.ending();
    network.stop().await;
    Ok(Code::Done)
}

/// Waits for a network that is made, and says how far it is; then it can be dialled.
async fn made<T>(
    staying: &Staying,
    scenario: &Scenario,
    making: &Making,
    made: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let limit = resources::raise_open_files();
    let display = staying.tell(MakingProgress { making: making.clone(), peers: scenario.peers });
    let made = staying.unless_stopped(made).await;
    display.end().await;
    let made = made??;
    note_room(limit);
    staying.hold(metrics::files_open(limit));
    staying.show([metrics::testnet_peers(scenario.peers)]);
    staying.ready();
    Ok(made)
}

/// Waits until nobody wants the network any more.
async fn until_ended(staying: &Staying, until_eof: bool) {
    tokio::select! {
        () = staying.stop().cancelled() => {}
        () = end_of_stdin(), if until_eof => {}
    }
}

/// Makes the network, and writes down what is true of it.
async fn start(
    args: &TestnetArgs,
    scenario: &Scenario,
    Files { truth, events }: Files,
    making: &Making,
) -> anyhow::Result<WireTestnet> {
    let life = life::outlets(events, None);
    let config = WireConfig { life, one_address: args.config.one_address, making: making.clone() };
    let network = WireTestnet::start_with(scenario, config).await?;
    files::write_truth(network.world(), truth).await?;
    Ok(network)
}

/// The name under which crawls of a scenario are kept: its own, of a file that of the file.
pub(crate) fn network_name(scenario: &str) -> String {
    Path::new(scenario)
        .file_stem()
        .map_or_else(|| scenario.to_owned(), |stem| stem.to_string_lossy().into_owned())
}

/// Says how many connections there is room for, where whoever dials could meet that limit: to them it looks like peers
/// that do not answer.
fn note_room(limit: u64) {
    let usual = crawl::CrawlConfig::default();
    let room = limit.saturating_sub(resources::open_files());
    if room < u64::from(usual.max_dials) + u64::from(usual.parallelism) {
        output::note(&format!(
            "only {limit} files may be open at once: more than {room} connections at once are not answered \
             (raise it with `ulimit -n`)"
        ));
    }
}

/// The addresses are the result; what to do with them is said beside it.
fn announce(announcement: &Announcement) -> anyhow::Result<()> {
    let Announcement { scenario, network, peers, seed, protocol, bootstrap, .. } = announcement;
    output::note(&format!(
        "{} of the scenario {scenario} (seed {seed}). Begin with any of these:",
        counted((*peers).into(), "peer", "peers")
    ));
    output::print(&(bootstrap.join("\n") + "\n"))?;
    let protocol = match protocol.as_str() {
        kad::message::AMINO_PROTOCOL => String::new(),
        other => format!(" --protocol {}", quoted(other)),
    };
    let first = bootstrap.first().map_or("MULTIADDR", String::as_str);
    let crawl = format!(
        "{} crawl --network-name {} --addresses loopback{protocol} --bootstrap {first}",
        program(),
        quoted(network)
    );
    output::note(&format!("In another terminal:\n  {crawl}\nCtrl-C ends the network."));
    Ok(())
}

/// Resolves when nobody holds the other end of stdin any more.
async fn end_of_stdin() {
    // An error ends it as well: then there is no other end.
    drop(tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await);
}
