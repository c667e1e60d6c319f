//! `kadscope testnet --world`: the network in a namespace that nothing can leave, with names, and a program in it.

mod descent;
mod environment;
mod inhabitant;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use anyhow::Context as _;
use tempfile::TempDir;
use testnet::{
    Scenario, WireTestnet,
    ground::Internet,
    names::{NameServer, Zone, ZoneError},
    namespace::{self, Entered, LocalRanges, Place, Routes},
};

use self::environment::Environment;
pub(crate) use self::{environment::Described, inhabitant::become_inhabitant};
use super::{Announcement, end_of_stdin, write_truth};
use crate::{
    args::{TestnetArgs, WorldArgs},
    exit::{Code, Failed},
    output,
    render::text::grouped,
    resources,
    signals::Signals,
};

/// Where names are asked for: on the port of DNS.
const NAMES_PORT: u16 = 53;

/// A world that runs.
struct World {
    network: WireTestnet,
    environment: Environment,
    _names: Vec<NameServer>,
    _routes: Routes,
    /// Where the truth is if the user named no file.
    _dir: Option<TempDir>,
}

/// Goes into the namespace, if a world is asked for. Must be called before there is a second thread.
///
/// Nothing is bound before it is certain that no packet can leave.
pub(crate) fn prepare(args: &WorldArgs) -> anyhow::Result<Option<Entered>> {
    let Some(place) = args.world.map(Place::from) else { return Ok(None) };
    if place == Place::Here {
        // Before anything is asked for that takes rights: that this is the wrong namespace explains more.
        namespace::only_loopback()?;
    }
    let entered = namespace::enter(place)?;
    namespace::only_loopback()?;
    namespace::resolve_by_loopback()?;
    Ok(Some(entered))
}

pub(super) async fn run(args: TestnetArgs, entered: Entered) -> anyhow::Result<Code> {
    let mut signals = Signals::listen()?;
    let scenario = args.config.scenario()?;
    resources::raise_open_files();
    let world = tokio::select! {
        world = World::start(&args, &scenario) => world?,
        _ = signals.next() => return Ok(Code::Cancelled),
    };
    let announcement = Announcement::of(world.network.world(), &args.config.scenario);
    let code = if args.world.command.is_empty() {
        let enter = world.environment.how_to_enter(entered);
        if args.config.json {
            output::print_json(&Announcement {
                world: Some(world.environment.described(enter)),
                ..announcement
            })?;
        } else {
            tell(&announcement, &enter)?;
        }
        tokio::select! {
            _ = signals.next() => {}
            () = end_of_stdin(), if args.until_eof => {}
        }
        Code::Done
    } else {
        // Stdout is the program's.
        output::note(&welcome(&announcement));
        inhabitant::run(&args.world.command, &world.environment, &mut signals).await?
    };
    world.network.stop().await;
    Ok(code)
}

impl World {
    async fn start(args: &TestnetArgs, scenario: &Scenario) -> anyhow::Result<Self> {
        let routes = Routes::make_local(ranges())?;
        let network = WireTestnet::start_public(scenario).await?;
        let bootstrap = network.bootstrap_addresses();
        let zone = zone(&network).context("cannot name the peers")?;
        let names = name_servers(Arc::new(zone)).await?;
        let (truth, dir) = truth_file(args.config.truth.clone())?;
        write_truth(network.world(), &truth)?;
        let protocol = scenario.protocol.clone();
        let environment =
            Environment { bootstrap: bootstrap.iter().map(ToString::to_string).collect(), protocol, truth };
        Ok(Self { network, environment, _names: names, _routes: routes, _dir: dir })
    }
}

/// What is local in a world: all of its internet, and where programs come from that bind no address.
fn ranges() -> LocalRanges {
    let internet = Internet::get();
    LocalRanges {
        prefixes: internet.routed().map(|prefix| (prefix.ip, prefix.bits)).collect(),
        sources: internet.observers().collect(),
    }
}

/// The names of the bootstrap peers, and of the hosts that are announced by names.
fn zone(network: &WireTestnet) -> Result<Zone, ZoneError> {
    let mut zone = Zone::of_world(&network.bootstrap_addresses())?;
    for (name, ips) in network.world().named_hosts() {
        for ip in ips {
            zone.add_ip(&name, ip)?;
        }
    }
    Ok(zone)
}

/// Who answers for the names: on loopback, where programs inside ask, and at an address of the world, for programs that
/// have a loopback of their own and a cable into the world.
async fn name_servers(zone: Arc<Zone>) -> anyhow::Result<Vec<NameServer>> {
    let mut servers = Vec::new();
    let of_world = Internet::get().observers().find(IpAddr::is_ipv4);
    for ip in [IpAddr::V4(Ipv4Addr::LOCALHOST)].into_iter().chain(of_world) {
        let at = SocketAddr::new(ip, NAMES_PORT);
        let server = NameServer::start(Arc::clone(&zone), at).await;
        servers.push(server.with_context(|| format!("cannot answer for names at {at}"))?);
    }
    Ok(servers)
}

/// Where the truth goes: to the file that was named, or to a temporary one, which goes with the world.
fn truth_file(named: Option<PathBuf>) -> anyhow::Result<(PathBuf, Option<TempDir>)> {
    if let Some(path) = named {
        let failed = |error| Failed::usage(format!("cannot write the truth to {}: {error}", path.display()));
        return Ok((std::path::absolute(&path).map_err(failed)?, None));
    }
    let dir = tempfile::Builder::new().prefix("kadscope-world-").tempdir();
    let dir = dir.context("cannot make a directory for the truth; --truth FILE puts it elsewhere")?;
    Ok((dir.path().join("truth.json"), Some(dir)))
}

fn welcome(announcement: &Announcement) -> String {
    let Announcement { scenario, peers, seed, .. } = announcement;
    let peers = grouped((*peers).into());
    format!("{peers} peers of the scenario {scenario} (seed {seed}), in a world that nothing can leave.")
}

/// The addresses are the result, as without a world; what to do with them is said beside it.
fn tell(announcement: &Announcement, enter: &[String]) -> anyhow::Result<()> {
    output::note(&format!("{} Begin with any of these:", welcome(announcement)));
    output::print(&(announcement.bootstrap.join("\n") + "\n"))?;
    let enter = environment::as_shell_words(enter);
    output::note(&format!(
        "In another terminal, to run COMMAND in it:\n  {enter} COMMAND\nCtrl-C ends the world."
    ));
    Ok(())
}
