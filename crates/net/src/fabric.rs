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
};
use tokio::sync::Semaphore;

pub(crate) use self::membership::Membership;
use crate::{
    config::FabricConfig,
    dial::Host,
    error::NetError,
    identity::Identity,
    limits::ListenLimits,
    names::{Names, Resolver},
    pacing::Pacer,
    persona::{Persona, Voice},
    quic::{Configs, QuicDialer, Receivers},
    registry::{Counted, Registered, Registry},
    tls::Roots,
};

/// The most sockets for QUIC's dials, for each version of IP. Each has large buffers of its own.
const MAX_SOCKETS: usize = 8;

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
    limits: ListenLimits,
    receivers: Receivers,
    /// Of those who are dialled over QUIC; made with the first of them.
    configs: Mutex<Option<Configs>>,
    members: AtomicU64,
}

impl SocketFabric {
    /// A fabric with nobody on it. Nothing is opened before it is needed.
    pub fn new(config: FabricConfig) -> Self {
        let FabricConfig { dials, bounds, limits } = config;
        let rules = DialRules {
            addresses: dials.addresses,
            opt_out: dials.opt_out,
            max_addresses: dials.max_addresses,
            quic: dials.quic,
            names: dials.names != Names::Unresolved,
        };
        let sockets = || available_parallelism().map_or(1, usize::from).min(MAX_SOCKETS);
        Self(Arc::new(Resources {
            quic: dials.quic.then(|| QuicDialer::new(sockets())),
            names: Resolver::new(dials.names),
            rules,
            dial_timeout: dials.dial_timeout,
            total_timeout: dials.total_timeout,
            connecting: Semaphore::new(dials.max_connecting.clamp(1, Semaphore::MAX_PERMITS)),
            pacer: Mutex::new(Pacer::new(dials.pacing)),
            roots: dials.roots,
            registry: Registry::new(bounds),
            limits,
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
