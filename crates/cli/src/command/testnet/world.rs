//! `kadscope testnet --world`: the network in a namespace that nothing can leave, with names, and a program in it.

mod descent;
mod environment;
mod files;
mod inhabitant;

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use anyhow::Context as _;
use jail::{
    Entered, LocalRanges, Namespace, Routes,
    names::{NameServer, Zone},
};
use testnet::{
    Making, Scenario, TestnetConfig, WireConfig, WireTestnet,
    ground::Internet,
    names::{NameData, NameRecord, of_bootstrap},
};

pub(crate) use self::{environment::Described, inhabitant::become_inhabitant};
use self::{environment::Environment, files::Files};
use super::{Announcement, files::write_truth, life, made, network_name, until_ended};
use crate::{
    args::TestnetArgs,
    exit::Code,
    metrics, output,
    outputs::InUse,
    render::text::counted,
    signals::Signals,
    staying::{Staying, Stopped},
    temporary::TemporaryDir,
};

/// Where names are asked for: on the port of DNS.
const NAMES_PORT: u16 = 53;

/// A world that runs.
struct RunningWorld {
    network: WireTestnet,
    environment: Environment,
    _names: Vec<NameServer>,
    _routes: Arc<Routes>,
    /// Where the files are that the user did not name.
    _dir: TemporaryDir,
}

/// Goes into the namespace of a world. Must be called before there is a second thread.
///
/// Nothing is bound before it is certain that no packet can leave.
pub(crate) fn prepare(which: Namespace) -> anyhow::Result<Entered> {
    if which == Namespace::Here {
        // Before anything is asked for that takes rights: that this is the wrong namespace explains more.
        jail::only_loopback()?;
    }
    let entered = jail::enter(which)?;
    jail::only_loopback()?;
    jail::resolve_by_loopback()?;
    Ok(entered)
}

pub(super) async fn run(
    (args, entered): (TestnetArgs, Entered),
    mut in_use: InUse,
    staying: &Staying,
) -> anyhow::Result<Code> {
    let scenario = args.config.scenario(true)?;
    let making = Making::default();
    let start = Box::pin(RunningWorld::start(&args, &scenario, &mut in_use, &making));
    let world = made(staying, &scenario, &making, start).await?;
    staying.hold(metrics::guests(world.network.guest_count()));
    world.announce(&args, entered)?;
    let code = if args.world.command.is_empty() {
        until_ended(staying, args.until_eof).await;
        Code::Done
    } else {
        world.inhabit(&args, staying).await?
    };
    staying.ending();
    world.network.stop().await;
    Ok(code)
}

impl RunningWorld {
    async fn start(
        args: &TestnetArgs,
        scenario: &Scenario,
        in_use: &mut InUse,
        making: &Making,
    ) -> anyhow::Result<Self> {
        let routes = Arc::new(Routes::make_local(ranges())?);
        let Files { truth, events, roots, dir } = Files::of(&args.config, scenario)?;
        let config =
            TestnetConfig { truth: Some(truth.clone()), events: events.clone(), ..args.config.clone() };
        let opened = super::Files::open(&config, in_use)?;
        let life = life::outlets(opened.events, Some(Arc::clone(&routes)));
        let config = WireConfig { life, making: making.clone(), ..WireConfig::default() };
        let network = WireTestnet::start_public(scenario, config).await?;
        let root = network.root_certificate().unwrap_or_default();
        fs::write(&roots, root).with_context(|| format!("cannot write to {}", roots.display()))?;
        let bootstrap = network.bootstrap_addresses();
        let zone = zone(&network).context("cannot name the peers")?;
        let names = name_servers(Arc::new(zone)).await?;
        write_truth(network.world(), opened.truth).await?;
        let protocol = scenario.protocol.clone();
        let bootstrap = bootstrap.iter().map(ToString::to_string).collect();
        let network_name = network_name(args.config.name(true));
        let environment = Environment { bootstrap, network: network_name, protocol, roots, truth, events };
        Ok(Self { network, environment, _names: names, _routes: routes, _dir: dir })
    }

    /// Runs the program that is to live in it. Signals are the program's to hear until it has ended.
    async fn inhabit(&self, args: &TestnetArgs, staying: &Staying) -> anyhow::Result<Code> {
        let mut signals = Signals::listen()?;
        if staying.stop().is_cancelled() {
            return Err(Stopped.into());
        }
        staying.let_go_of_signals();
        inhabitant::run(&args.world.command, &self.environment, &mut signals).await
    }

    /// Says what there is. Where a program runs in the world, stdout is the program's.
    fn announce(&self, args: &TestnetArgs, entered: Entered) -> anyhow::Result<()> {
        let announcement = Announcement::of(&self.network, args.config.name(true));
        let is_inhabited = !args.world.command.is_empty();
        if args.config.json {
            let world = Some(self.environment.described(entered));
            let announcement = Announcement { world, ..announcement };
            if is_inhabited {
                output::note(&serde_json::to_string(&announcement)?);
                return Ok(());
            }
            return output::print_json(&announcement);
        }
        let Announcement { scenario, peers, seed, .. } = &announcement;
        let peers = counted((*peers).into(), "peer", "peers");
        output::note(&format!(
            "{peers} of the scenario {scenario} (seed {seed}), in a world that nothing can leave."
        ));
        if is_inhabited {
            Ok(())
        } else {
            tell(&announcement, &self.environment.how_to_enter_by_shell(entered))
        }
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
fn zone(network: &WireTestnet) -> anyhow::Result<Zone> {
    let mut zone = Zone::default();
    for NameRecord { name, data } in of_bootstrap(&network.bootstrap_addresses())? {
        match data {
            NameData::Ip(ip) => zone.add_ip(&name, ip)?,
            NameData::Text(text) => zone.add_text(&name, &text)?,
        }
    }
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

/// The addresses are the result, as without a world; what to do with them is said beside it.
fn tell(announcement: &Announcement, enter: &str) -> anyhow::Result<()> {
    output::note("Begin with any of these:");
    output::print(&(announcement.bootstrap.join("\n") + "\n"))?;
    output::note(&format!(
        "In another terminal, to run COMMAND in it:\n  {enter} COMMAND\nCtrl-C ends the world."
    ));
    Ok(())
}
