//! `kadscope testnet`: a network on this machine, until Ctrl-C.

use std::{fs::File, path::Path, sync::Arc};

use serde::{Deserialize, Serialize};
use testnet::{LifeOutlets, Truth, WireTestnet, World, world::Ports};

use crate::{
    args::TestnetArgs,
    clock,
    exit::{Code, Failed},
    output,
    render::text::grouped,
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
    /// The port where peers listen.
    pub(crate) port: u16,
    /// The port where all attempts are refused.
    pub(crate) refusing_port: u16,
    /// The port where all attempts are dropped.
    pub(crate) dropping_port: u16,
    /// Where to begin: addresses with peer ids.
    pub(crate) bootstrap: Vec<String>,
}

impl Announcement {
    fn of(world: &World, scenario: &str) -> Self {
        let Ports { listen, dead, dropping } = world.ports();
        Self {
            scenario: scenario.to_owned(),
            peers: world.scenario().peers,
            seed: world.scenario().seed,
            protocol: world.scenario().protocol.clone(),
            port: listen,
            refusing_port: dead,
            dropping_port: dropping,
            bootstrap: world.bootstrap_addresses().iter().map(ToString::to_string).collect(),
        }
    }

    /// The ports of the network.
    pub(crate) const fn ports(&self) -> Ports {
        Ports { listen: self.port, dead: self.refusing_port, dropping: self.dropping_port }
    }
}

pub(crate) async fn run(args: TestnetArgs) -> anyhow::Result<Code> {
    let stop = signals::stop_on_signal()?;
    let scenario = args.config.scenario()?;
    resources::raise_open_files();
    let network = WireTestnet::start_with(&scenario, outlets(args.config.events.as_deref())?).await?;
    if let Some(path) = &args.config.truth {
        write_truth(network.world(), path)?;
    }
    let announcement = Announcement::of(network.world(), &args.config.scenario);
    if args.config.json {
        output::print_json(&announcement)?;
    } else {
        announce(&announcement)?;
    }
    tokio::select! {
        () = stop.cancelled() => {}
        () = end_of_stdin(), if args.until_eof => {}
    }
    network.stop().await;
    Ok(Code::Done)
}

/// Where it goes what peers do that come and go.
fn outlets(events: Option<&Path>) -> anyhow::Result<LifeOutlets> {
    let mut outlets = LifeOutlets { start_unix_ms: clock::now().0 as f64 / 1e3, ..LifeOutlets::default() };
    if let Some(path) = events {
        let failed = |error| Failed::usage(format!("cannot write events to {}: {error}", path.display()));
        outlets.log = Some(Box::new(File::create(path).map_err(failed)?));
    }
    Ok(outlets)
}

fn write_truth(world: &Arc<World>, path: &Path) -> anyhow::Result<()> {
    let failed = |error| Failed::usage(format!("cannot write the truth to {}: {error}", path.display()));
    let file = File::create(path).map_err(failed)?;
    Ok(Truth::of(Arc::clone(world)).write_json(file).map_err(failed)?)
}

/// The addresses are the result; what to do with them is said beside it.
fn announce(announcement: &Announcement) -> anyhow::Result<()> {
    let Announcement { scenario, peers, seed, protocol, bootstrap, .. } = announcement;
    output::note(&format!(
        "{} peers of the scenario {scenario} (seed {seed}). Begin with any of these:",
        grouped((*peers).into())
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
