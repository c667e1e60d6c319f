//! The fabric on sockets: what all peers of ours in a process share, and how one joins.
//!
//! Resources are the sockets for QUIC's dials, the threads that receive, pacing, names, the budget of dials and the registry of
//! connections. A peer of ours, a [`Host`], is what it says of itself and its listening sockets. `listening` opens those,
//! `reception` takes who connects; how a host dials is in [`dial`](crate::dial).

mod listening;
mod membership;
mod reception;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread::available_parallelism,
    time::Duration,
};

use kad::{
    fabric::{AnyService, Fabric, Service, Terms},
    plan::DialRules,
    policy::Addresses,
};
use tokio::sync::Semaphore;

pub(crate) use self::membership::Membership;
use crate::{
    admission::Bounds,
    dial::Host,
    error::NetError,
    identity::Identity,
    limits::Limits,
    names::{Names, Resolver},
    pacing::{Pacer, Pacing},
    persona::{Persona, Voice},
    quic::{Configs, QuicDialer, Receivers},
    registry::{Counted, Registered, Registry},
    tls::Roots,
};

/// The most sockets for QUIC's dials, for each version of IP. Each has large buffers of its own.
const MAX_SOCKETS: usize = 8;

/// How the peers on a fabric dial and are dialled. Cheap to clone.
#[derive(Debug, Clone)]
pub struct FabricConfig {
    /// Which addresses may be dialled.
    pub addresses: Addresses,
    /// How long one attempt to dial may take, until the peer has proved who it is. Default 5 s.
    pub dial_timeout: Duration,
    /// How long all attempts of one dial may take together. Default 15 s.
    pub total_timeout: Duration,
    /// How many addresses of a peer are tried. Default 8.
    pub max_addresses: usize,
    /// How many attempts may be under way at once, over all peers of ours. Default 4,096; each takes a descriptor.
    pub max_connecting: usize,
    /// Whether QUIC is dialled. Default true.
    pub quic: bool,
    /// Whether names are resolved, and by whom. Default as in [`HostConfig::names`](crate::HostConfig::names).
    pub names: Names,
    /// Who asked not to be measured: never dialled. Default nobody.
    pub opt_out: Arc<kad::opt_out::OptOut>,
    /// By whom certificates of names below secure web sockets are verified. Default nobody.
    pub roots: Roots,
    /// How fast hosts are dialled, by all peers of ours together.
    pub pacing: Pacing,
    /// How many connections there may be, over all peers of ours.
    pub bounds: Bounds,
    /// How long peers may take and be idle. How many connections there may be is in `bounds`.
    pub limits: Limits,
}

impl FabricConfig {
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
            bounds: Bounds::default(),
            limits: Limits::default(),
        }
    }
}

/// Where peers of ours live on sockets. Needs a tokio runtime with IO and time.
#[derive(Debug, Clone)]
pub struct SocketFabric(Arc<Resources>);

/// What all peers of ours have in common.
#[derive(Debug)]
pub(crate) struct Resources {
    /// `None` where QUIC is not dialled.
    pub(crate) quic: Option<QuicDialer>,
    pub(crate) names: Resolver,
    pub(crate) rules: DialRules,
    pub(crate) dial_timeout: Duration,
    pub(crate) total_timeout: Duration,
    pub(crate) connecting: Semaphore,
    pub(crate) pacer: Mutex<Pacer>,
    pub(crate) roots: Roots,
    pub(crate) registry: Arc<Registry>,
    limits: Limits,
    receivers: Receivers,
    /// Of those who are dialled over QUIC; made with the first of them.
    configs: Mutex<Option<Configs>>,
    members: AtomicU64,
}

impl SocketFabric {
    /// A fabric with nobody on it. Nothing is opened before it is needed.
    pub fn new(config: FabricConfig) -> Self {
        let rules = DialRules {
            addresses: config.addresses,
            opt_out: config.opt_out,
            max_addresses: config.max_addresses,
            quic: config.quic,
            names: config.names != Names::Unresolved,
        };
        let sockets = || available_parallelism().map_or(1, usize::from).min(MAX_SOCKETS);
        Self(Arc::new(Resources {
            quic: config.quic.then(|| QuicDialer::new(sockets())),
            names: Resolver::new(config.names),
            rules,
            dial_timeout: config.dial_timeout,
            total_timeout: config.total_timeout,
            connecting: Semaphore::new(config.max_connecting.clamp(1, Semaphore::MAX_PERMITS)),
            pacer: Mutex::new(Pacer::new(config.pacing)),
            roots: config.roots,
            registry: Registry::new(config.bounds),
            limits: config.limits,
            receivers: Receivers::new(),
            configs: Mutex::new(None),
            members: AtomicU64::new(0),
        }))
    }

    /// A peer of ours that only dials and serves nothing. Its connections are not in the registry, and are as cheap as can be.
    pub(crate) fn dialler(&self, persona: Arc<Persona>) -> Host {
        Host::on(Arc::clone(&self.0), persona, None)
    }

    /// All connections of the peers that joined.
    pub fn connections(&self) -> Vec<Registered> {
        self.0.registry.all()
    }

    /// How many connections there are, and what became of those that were or wanted to be.
    pub fn counted(&self) -> Counted {
        self.0.registry.counted()
    }
}

impl Fabric for SocketFabric {
    type Member = Host;
    type Error = NetError;

    async fn join<S: Service>(&self, terms: Terms, service: Arc<S>) -> Result<Host, NetError> {
        let identity = Identity::new(terms.keypair)?;
        let service = service as Arc<dyn AnyService>;
        let voice = |identity: &Identity, others: &[_]| Voice::of(identity, &terms.says, others);
        let persona = Arc::new(Persona::new(identity, service, voice));
        let number = self.0.members.fetch_add(1, Ordering::Relaxed);
        let (shared, listen) = (Arc::clone(&self.0), &terms.listen);
        let membership = Membership::new(shared, number, Arc::clone(&persona), (listen, terms.inward))?;
        Ok(Host::on(Arc::clone(&self.0), persona, Some(membership)))
    }
}
