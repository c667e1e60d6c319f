//! How peers of a network are reached: what the commands have in common that ask peers something and keep no crawl.

use std::{net::IpAddr, path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use clap::{Args, ValueEnum as _};
use dht::{ANSWER_PATIENCE, AsksOnly, BlockDesk, Finder, FinderTerms, Found, Pool, PoolConfig};
use http::Holding;
use kad::{
    Contact, Keypair, PeerId,
    fabric::{Fabric as _, Inward, Member as _, Says, Terms},
    network::{Connection as _, Network as _},
};
use net::{DialConfig, FabricConfig, Host, HostConfig, Identity, NetError, Roots, SocketFabric};
use schema::Tool;
use tokio_util::sync::CancellationToken;

use crate::{
    args::NetworkArgs, bootstrap, exit::Failed, keeping::RunOrder, manners::Manners, network::Network,
    outputs::InUse, place::Place,
};

/// How many of the peers to begin with are dialled to see where one of them is.
const FIRST_PEERS: usize = 3;

/// Which network, and how to behave there.
#[derive(Debug, Clone, Args)]
pub(crate) struct ReachArgs {
    #[command(flatten)]
    pub(crate) network: NetworkArgs,

    /// How long a dial of one address may take, until the peer has proved who it is
    #[arg(long, env = "KADSCOPE_DIAL_TIMEOUT", value_name = "TIME", default_value = "5s", help_heading = "Network",
          value_parser = crawl::parse_duration)]
    pub(crate) dial_timeout: Duration,

    #[command(flatten)]
    pub(crate) manners: Manners,
}

/// A network that can be asked.
#[derive(Debug)]
pub(crate) struct Reach {
    /// What is known of it.
    pub(crate) network: Network,
    /// Makes lookups in it, as a client that nobody lists: one that listens, too, or only dials.
    pub(crate) finder: Finder<Host>,
    /// The peers to begin with.
    pub(crate) bootstrap: Vec<Contact>,
    /// How peers are dialled.
    fabric: FabricConfig,
    agent: String,
}

/// Who asks providers for blocks: a peer of ours that hears what they say on streams of theirs.
#[derive(Debug)]
pub(crate) struct BlockAsker {
    pub(crate) host: Host,
    pub(crate) desk: Arc<BlockDesk>,
}

impl ReachArgs {
    /// Remembers the files that are read.
    pub(crate) fn note_inputs(&self, in_use: &mut InUse) {
        self.manners.opt_out.note(in_use);
        in_use.read("the network", Path::new(&self.network.network));
    }

    /// What is known of the network.
    pub(crate) fn network(&self) -> anyhow::Result<Network> {
        let network = Network::of(self.network.clone())?;
        check(&network)?;
        Ok(network)
    }

    /// Everything that a command was asked for: its own options, and how peers are reached.
    fn parameters(&self, own: serde_json::Value, network: &Network) -> serde_json::Result<serde_json::Value> {
        let mut all = serde_json::to_value(network)?;
        let others = [own, serde_json::to_value(&self.manners)?];
        if let Some(all) = all.as_object_mut() {
            for others in others {
                all.extend(others.as_object().cloned().unwrap_or_default());
            }
            all.insert("dial_timeout".to_owned(), self.dial_timeout.as_secs_f64().into());
        }
        Ok(all)
    }

    /// The run that this is a part of: with everything that its command was asked for, `own` being its own options.
    pub(crate) fn order(
        &self,
        tool: Tool,
        own: serde_json::Value,
        network: &Network,
    ) -> serde_json::Result<RunOrder> {
        let parameters = self.parameters(own, network)?;
        let (network, vantage) = (network.name.clone(), String::new());
        Ok(RunOrder { tool, network, seed: 0, vantage, parameters })
    }

    /// The peers to begin with, whose names are resolved.
    pub(crate) async fn first_peers(&self, network: &Network) -> anyhow::Result<Vec<Contact>> {
        let mut config = HostConfig::new(Identity::generate()?, network.addresses.into());
        config.dials = self.dials(network)?;
        let host: Host = Host::new(config).context("could not open a socket to dial from")?;
        Ok(bootstrap::gather(&network.bootstrap, &host).await?)
    }

    /// How peers of the network are dialled.
    pub(crate) fn dials(&self, network: &Network) -> Result<DialConfig, Failed> {
        Ok(self.manners.dials(network, self.dial_timeout, self.manners.opt_out.load()?))
    }
}

impl Reach {
    /// Reads what the options say, and lists the peers to begin with.
    pub(crate) async fn of(args: ReachArgs) -> anyhow::Result<Self> {
        let network = args.network()?;
        let identity = Identity::generate()?;
        let own = identity.peer_id();
        let mut config = HostConfig::new(identity, network.addresses.into());
        config.dials = args.dials(&network)?;
        config.agent = args.manners.agent(&network);
        let terms = (config.dials.clone().into(), config.agent.clone());
        let host = Host::new(config).context("could not open a socket to dial from")?;
        Self::by((host, own), network, terms).await
    }

    /// The same by a peer that also listens, so that others can dial it; with who that is, and where.
    pub(crate) async fn listening(
        args: &ReachArgs,
        network: Network,
        place: Place,
    ) -> anyhow::Result<(Self, Contact)> {
        let config = FabricConfig::from(args.dials(&network)?);
        let keypair = Keypair::generate_ed25519();
        let peer = keypair.public().to_peer_id();
        let mut says =
            Says { agent: args.manners.agent(&network), kad_protocols: Vec::new(), addresses: Vec::new() };
        let terms = Terms { keypair, says: says.clone(), listen: place.listen, inward: Inward::Served };
        let host = SocketFabric::new(config.clone()).join(terms, Arc::new(AsksOnly)).await?;
        says.addresses = if place.announce.is_empty() { host.listens() } else { place.announce };
        let own = Contact { peer, addrs: says.addresses.clone() };
        let terms = (config, says.agent.clone());
        host.say(says);
        Ok((Self::by((host, peer), network, terms).await?, own))
    }

    async fn by(
        (host, own): (Host, PeerId),
        network: Network,
        (fabric, agent): (FabricConfig, String),
    ) -> anyhow::Result<Self> {
        let bootstrap = bootstrap::gather(&network.bootstrap, &host).await?;
        let protocols: Arc<[String]> = network.protocols.clone().into();
        let terms = FinderTerms { own, protocols, patience: ANSWER_PATIENCE };
        let finder = Finder::new(Pool::new(host, PoolConfig::default()), terms);
        Ok(Self { network, finder, bootstrap, fabric, agent })
    }

    /// The run that this is a part of: with everything that its command was asked for, `own` being its own options.
    pub(crate) fn order(
        &self,
        tool: Tool,
        own: serde_json::Value,
        given: &ReachArgs,
    ) -> serde_json::Result<RunOrder> {
        given.order(tool, own, &self.network)
    }

    /// What has a bound in it.
    pub(crate) fn holding(&self) -> Holding {
        let pool = self.finder.pool().clone();
        connections_open(move || pool.connections())
    }

    /// What peers are told that we are.
    pub(crate) fn agent(&self) -> &str {
        &self.agent
    }

    /// A peer of ours beside the one that makes lookups, to ask providers for blocks. Certificates of the web are verified by
    /// `roots`.
    pub(crate) async fn block_asker(&self, roots: Roots) -> Result<BlockAsker, NetError> {
        let terms = Terms {
            keypair: Keypair::generate_ed25519(),
            says: Says { agent: self.agent.clone(), ..Says::default() },
            listen: Vec::new(),
            inward: Inward::Served,
        };
        let desk = Arc::new(BlockDesk::default());
        let mut config = self.fabric.clone();
        config.dials.roots = roots;
        let fabric = SocketFabric::new(config);
        Ok(BlockAsker { host: fabric.join(terms, Arc::clone(&desk)).await?, desk })
    }

    /// Where the first of the peers to begin with is that can be reached; `None` if the first few cannot.
    pub(crate) async fn first_socket(&self) -> Option<IpAddr> {
        for contact in self.bootstrap.iter().take(FIRST_PEERS) {
            let dial = self.finder.pool().network().connect(contact.peer, contact.addrs.clone()).await;
            if let Some(connection) = dial.connection {
                let socket = connection.endpoint().socket;
                connection.close().await;
                return Some(socket.ip());
            }
        }
        None
    }

    /// An error if nobody answered in a lookup that went to its end: nothing can be said of its key then.
    pub(crate) fn check_answered(&self, found: &Found, stop: &CancellationToken) -> Result<(), Failed> {
        let counts = found.trace.counts();
        if stop.is_cancelled() || counts.answered > 0 || counts.asked == counts.cancelled {
            return Ok(());
        }
        let failed = found.trace.rpcs.iter().filter_map(|rpc| {
            let peer = found.trace.peer(rpc.peer)?;
            Some(format!("{peer}: {}", rpc.failure.as_ref()?))
        });
        Err(self.nobody(&failed.collect::<Vec<_>>()))
    }

    /// The error for who wanted an answer, if none of the peers to begin with gave one.
    fn nobody(&self, reasons: &[String]) -> Failed {
        let mut text = format!("none of the peers to begin with of {} answered", self.network.name);
        for reason in reasons {
            text += "\n  ";
            text += reason;
        }
        Failed::network(text)
    }
}

/// The connections that requests go over.
pub(crate) fn connections_open(count: impl Fn() -> usize + Send + Sync + 'static) -> Holding {
    let bound = PoolConfig::default().connections as u64;
    Holding::new("connections_open", bound, move || count() as u64)
}

/// Refuses a list of which nothing may be dialled.
fn check(network: &Network) -> Result<(), Failed> {
    let policy = network.addresses;
    let named = policy.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    bootstrap::check_policy(&network.bootstrap, policy.into(), &named)
}
