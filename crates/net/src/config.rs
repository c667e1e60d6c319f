//! How peers of ours dial and are dialled: what can be set, and the defaults.

use std::{sync::Arc, time::Duration};

use kad::{Multiaddr, opt_out::OptOut, policy::Addresses};

use crate::{
    admission::Bounds,
    identity::Identity,
    limits::ListenLimits,
    names::{MAX_ASKING, Names},
    pacing::Pacing,
    quic::QuicDialer,
    tls::Roots,
};

/// How peers are dialled.
#[derive(Debug, Clone)]
pub struct DialConfig {
    /// Which addresses may be dialled.
    pub addresses: Addresses,
    /// How long one attempt may take, until the peer has proved who it is. Default 5 s.
    pub dial_timeout: Duration,
    /// How long all attempts of one dial may take together. Default 15 s.
    pub total_timeout: Duration,
    /// How many addresses of a peer are tried. Default 8.
    pub max_addresses: usize,
    /// How many attempts may be under way at once, over all peers. A dial waits for its turn; that time is not
    /// counted. Default 4,096; each takes a descriptor.
    pub max_connecting: usize,
    /// Whether QUIC is dialled. Default true.
    pub quic: bool,
    /// Whether names are resolved, and by whom. What a name resolves to is dialled by the same rules as if it had been
    /// given. Default: by the servers of the system's configuration where public addresses may be dialled, else not at
    /// all.
    pub names: Names,
    /// Who asked not to be measured: never dialled. Default nobody.
    pub opt_out: Arc<OptOut>,
    /// By whom the certificates below a secure WebSocket are verified. None is refused: what was seen is said of the
    /// connection. Default by nobody.
    pub roots: Roots,
    /// How fast hosts are dialled. Waiting for one's turn is not counted in any timeout.
    pub pacing: Pacing,
}

/// A peer of ours that only dials.
#[derive(Debug, Clone)]
pub struct HostConfig {
    /// Who we are.
    pub identity: Identity,
    /// Our agent string, for peers that ask.
    pub agent: String,
    /// The kad protocols that we say we serve, for peers that ask. Default none: we are a client, which no server lists.
    /// Who says otherwise has to serve them, where it says that it listens.
    pub kad_protocols: Vec<String>,
    /// Where we say that we listen, for peers that ask. Default nowhere.
    pub listen_addrs: Vec<Multiaddr>,
    /// How it dials.
    pub dials: DialConfig,
}

/// How the peers on a fabric dial and are dialled. Cheap to clone.
#[derive(Debug, Clone)]
pub struct FabricConfig {
    /// How they dial, all of them together.
    pub dials: DialConfig,
    /// How many connections there may be, over all peers of ours.
    pub bounds: Bounds,
    /// How long peers may take and be idle. How many connections there may be is in `bounds`.
    pub limits: ListenLimits,
}

impl DialConfig {
    /// The defaults.
    pub fn new(addresses: Addresses) -> Self {
        Self {
            addresses,
            dial_timeout: Duration::from_secs(5),
            total_timeout: Duration::from_secs(15),
            max_addresses: 8,
            max_connecting: 4096,
            quic: true,
            names: Names::of(addresses),
            opt_out: Arc::default(),
            roots: Roots::default(),
            pacing: Pacing::default(),
        }
    }

    /// How many descriptors are taken at the most beside one for each attempt and each connection: the sockets of QUIC,
    /// and one for each name that is being asked for.
    pub fn shared_descriptors(&self) -> usize {
        let quic = if self.quic { QuicDialer::MAX_DESCRIPTORS } else { 0 };
        let names = if self.names == Names::Unresolved { 0 } else { MAX_ASKING };
        quic + names
    }
}

impl HostConfig {
    /// The defaults.
    pub fn new(identity: Identity, addresses: Addresses) -> Self {
        Self {
            identity,
            agent: concat!("kadscope/", env!("CARGO_PKG_VERSION")).to_owned(),
            kad_protocols: Vec::new(),
            listen_addrs: Vec::new(),
            dials: DialConfig::new(addresses),
        }
    }
}

impl FabricConfig {
    /// The defaults.
    pub fn new(addresses: Addresses) -> Self {
        DialConfig::new(addresses).into()
    }
}

impl From<DialConfig> for FabricConfig {
    fn from(dials: DialConfig) -> Self {
        Self { dials, bounds: Bounds::default(), limits: ListenLimits::default() }
    }
}
