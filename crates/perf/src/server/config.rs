//! How a server is set up.

use std::{sync::Arc, time::Duration};

use dht::{NodeConfig, NodeProfile};
use kad::{Contact, Keypair, Multiaddr, PeerId, Persistence};
use multiaddr::Protocol;
use schema::{ConnectionPolicy, Strategy};
use sha2::{Digest as _, Sha256};

use super::ServerEvents;
use crate::OperationId;

/// The longest deadline that somebody may ask for.
pub const MAX_DEADLINE: Duration = Duration::from_secs(600);

/// How long an operation may take if nobody says: for a publication as Parsec has it (`server/dht.go`). It bounds no retrieval.
const DEADLINE: Duration = Duration::from_secs(180);

/// How many peers are asked at a time (Parsec, `--alpha`).
const ALPHA: usize = 10;

/// How a server is set up.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// How its peer lives. What is said below is put in its place.
    pub node: NodeConfig,
    /// How it publishes and looks up.
    pub strategy: Strategy,
    /// How far a publication goes, where nothing else is asked for.
    pub persistence: Persistence,
    /// Which connections an operation begins with, where nothing else is asked for.
    pub policy: ConnectionPolicy,
    /// After how long a publication is over, where nothing else is asked for. Default 3 min.
    pub provide_time: Duration,
    /// The same of a retrieval. Default 3 min.
    pub retrieve_time: Duration,
    /// Whether it finds records in its own store at once, as Parsec's servers do, and keeps its own there.
    pub looks_at_home: bool,
    /// How much CPU time the process has had; `None` where nobody measures that, as in virtual time.
    pub cpu: Option<fn() -> Duration>,
    /// Whether it has the network crawled every hour, to know everybody in it; else whoever joined it says who there is.
    pub crawls: bool,
    /// Who is told of its operations; `None` for nobody.
    pub events: Option<ServerEvents>,
}

impl ServerConfig {
    /// The defaults of a client with this key that begins with these peers: it asks 10 at a time, and goes as far as Go does.
    pub fn new(keypair: Keypair, profile: NodeProfile, bootstrap: Vec<Contact>, now: Duration) -> Self {
        let mut node = NodeConfig { bootstrap, serves: false, ..NodeConfig::new(keypair, profile, now) };
        node.rules.alpha = ALPHA;
        Self {
            node,
            strategy: Strategy::Default,
            persistence: Persistence::Go,
            policy: ConnectionPolicy::Warm,
            provide_time: DEADLINE,
            retrieve_time: DEADLINE,
            looks_at_home: false,
            cpu: None,
            crawls: false,
            events: None,
        }
    }

    /// The same, where its lookups do without these peers.
    #[must_use]
    pub fn ignoring(mut self, peers: Vec<PeerId>) -> Self {
        self.node.ignored = peers;
        self
    }

    /// How its peer lives.
    pub(super) fn node(&self) -> NodeConfig {
        NodeConfig { keeps_own: self.looks_at_home, ..self.node.clone() }
    }

    /// How a peer lives that is made for one operation: with a key of its own, which `number` and the seed determine, at ports that the
    /// system chooses, as a client.
    pub(super) fn fresh(&self, number: u64) -> Option<NodeConfig> {
        let drawn = self.drawn(b"kadscope perf: a fresh peer", number);
        let keypair = Keypair::ed25519_from_bytes(drawn).ok()?;
        let listen = self.node.listen.iter().map(at_any_port).collect();
        let profile = NodeProfile { announce: Vec::new(), ..self.node.profile.clone() };
        let seed = self.node.seed.wrapping_add(number).wrapping_add(1);
        Some(NodeConfig { keypair, listen, profile, serves: false, watch: None, seed, ..self.node() })
    }

    /// The name of the operation with this number.
    pub(super) fn operation_id(&self, number: u64) -> OperationId {
        let drawn = self.drawn(b"kadscope perf: an operation", number);
        OperationId(std::array::from_fn(|index| drawn[index]))
    }

    /// What its seed and its peer determine: the same again, and nobody else's.
    fn drawn(&self, what: &[u8], number: u64) -> [u8; 32] {
        let peer = self.node.keypair.public().to_peer_id();
        let sha = Sha256::new().chain_update(what).chain_update(peer.to_bytes());
        sha.chain_update(self.node.seed.to_be_bytes()).chain_update(number.to_be_bytes()).finalize().into()
    }

    /// The names of the network's protocol.
    pub fn protocols(&self) -> &Arc<[String]> {
        &self.node.profile.protocols
    }
}

fn at_any_port(addr: &Multiaddr) -> Multiaddr {
    let freed = |part| match part {
        Protocol::Tcp(_) => Protocol::Tcp(0),
        Protocol::Udp(_) => Protocol::Udp(0),
        other => other,
    };
    addr.iter().map(freed).collect()
}
