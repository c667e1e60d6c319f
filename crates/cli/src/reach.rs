//! How peers of a network are reached: what the commands have in common that ask peers something and keep no crawl.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use clap::{Args, ValueEnum as _};
use dht::{ANSWER_PATIENCE, BlockDesk, Finder, FinderTerms, Pool, PoolConfig};
use kad::{
    Contact, Keypair,
    fabric::{Fabric as _, Inward, Says, Terms},
};
use net::{Host, HostConfig, Identity, NetError, SocketFabric};

use crate::{args::NetworkArgs, bootstrap, exit::Failed, manners::Manners, network::Network, outputs::InUse};

/// Which network, and how to behave there.
#[derive(Debug, Args)]
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
    /// Makes lookups in it, as a client that nobody lists.
    pub(crate) finder: Finder<Host>,
    /// The peers to begin with.
    pub(crate) bootstrap: Vec<Contact>,
    /// How peers are dialled.
    config: HostConfig,
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
}

impl Reach {
    /// Reads what the options say, and lists the peers to begin with.
    pub(crate) async fn of(args: ReachArgs) -> anyhow::Result<Self> {
        let network = Network::of(args.network)?;
        check(&network)?;
        let identity = Identity::generate()?;
        let own = identity.peer_id();
        let mut config = HostConfig::new(identity, network.addresses.into());
        config.dial_timeout = args.dial_timeout;
        config.total_timeout = args.dial_timeout * 3;
        config.opt_out = args.manners.opt_out.load()?;
        config.pacing = args.manners.pacing();
        config.agent = match &network.agent {
            None => args.manners.agent(&config.agent),
            Some(agent) => agent.clone(),
        };
        let host = Host::new(config.clone()).context("could not open a socket to dial from")?;
        let given = bootstrap::gather(&network.bootstrap, &host).await?;
        let bootstrap =
            given.into_iter().map(|given| Contact { peer: given.id, addrs: given.addrs }).collect();
        let protocols: Arc<[String]> = network.protocols.clone().into();
        let terms = FinderTerms { own, protocols, patience: ANSWER_PATIENCE };
        let finder = Finder::new(Pool::new(host, PoolConfig::default()), terms);
        Ok(Self { network, finder, bootstrap, config })
    }

    /// A peer of ours beside the one that makes lookups, to ask providers for blocks.
    pub(crate) async fn block_asker(&self) -> Result<BlockAsker, NetError> {
        let terms = Terms {
            keypair: Keypair::generate_ed25519(),
            says: Says { agent: self.config.agent.clone(), ..Says::default() },
            listen: Vec::new(),
            inward: Inward::Served,
        };
        let desk = Arc::new(BlockDesk::default());
        let fabric = SocketFabric::new(self.config.clone().into());
        Ok(BlockAsker { host: fabric.join(terms, Arc::clone(&desk)).await?, desk })
    }

    /// The error for who wanted an answer, if none of the peers to begin with gave one.
    pub(crate) fn nobody(&self, reasons: &[String]) -> Failed {
        let mut text = format!("none of the peers to begin with of {} answered", self.network.name);
        for reason in reasons {
            text += "\n  ";
            text += reason;
        }
        Failed::network(text)
    }
}

/// Refuses a list of which nothing may be dialled.
fn check(network: &Network) -> Result<(), Failed> {
    let policy = network.addresses;
    let named = policy.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    bootstrap::check_policy(&network.bootstrap, policy.into(), &named)
}
