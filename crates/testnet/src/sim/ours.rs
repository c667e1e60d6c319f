//! A peer of ours in a world: who it is, what it says of itself, what answers for it, and which connections it has.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use kad::{
    answer::Answer,
    fabric::{AnyService, Introduced, Request, Says, Service},
    identify::{IDENTIFY_PROTOCOL, IDENTIFY_PUSH_PROTOCOL, Identify, append_observed_addr},
    network::Connection,
    policy::Target,
};
use libp2p_identity::PeerId;
use multiaddr::Multiaddr;
use net::{ListenLimits, quic_multiaddr, tcp_multiaddr, ws_multiaddr, wss_multiaddr};
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Shared, SimConnection,
    member::Handed,
    ticket::{Entry, Other},
};
use crate::world::PING_PROTOCOL;

/// The port from which peers of ours are seen to dial.
const DIALLING_PORT: u16 = 40_000;

/// The most connections of one peer of ours: as many as a whole fabric has on sockets.
const MAX_CONNECTIONS: usize = 16_384;

/// A peer of ours.
pub(super) struct Ours {
    /// Among those that joined; 0 for one that only dials in a world of its own.
    number: u64,
    id: PeerId,
    id_bytes: Vec<u8>,
    /// Its key, encoded; empty for one that only dials.
    public_key: Vec<u8>,
    region: usize,
    says: RwLock<Arc<Says>>,
    service: Arc<dyn AnyService>,
    /// Where it is.
    ip: IpAddr,
    /// Where connections are handed out; `None` where they are served.
    hand_out: Option<mpsc::Sender<Handed>>,
    leaving: CancellationToken,
    tasks: TaskTracker,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    open: BTreeMap<u64, Arc<Entry>>,
    protected: HashSet<PeerId>,
}

impl fmt::Debug for Ours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ours").field("number", &self.number).field("id", &self.id).finish_non_exhaustive()
    }
}

/// Answers for a peer that only dials.
struct Mute;

impl Service for Mute {
    async fn answer(&self, _: Request) -> Answer {
        Answer::Reset
    }
}

impl Ours {
    /// One that only dials, and is in a region.
    pub(super) fn dialler(id: PeerId, region: usize) -> Self {
        Self::new((0, region), (id, Vec::new()), Says::default(), Arc::new(Mute))
    }

    /// One that joins, by its number and region, its id and its encoded key.
    pub(super) fn new(
        (number, region): (u64, usize),
        (id, public_key): (PeerId, Vec<u8>),
        says: Says,
        service: Arc<dyn AnyService>,
    ) -> Self {
        Self {
            number,
            id,
            id_bytes: id.to_bytes(),
            public_key,
            region,
            says: RwLock::new(Arc::new(says)),
            service,
            ip: Ipv4Addr::LOCALHOST.into(),
            hand_out: None,
            leaving: CancellationToken::new(),
            tasks: TaskTracker::new(),
            state: Mutex::default(),
        }
    }

    /// The same, but at this address of IP, and handing out connections that others open, where that is wanted.
    pub(super) fn at(self, ip: IpAddr, hand_out: Option<mpsc::Sender<Handed>>) -> Self {
        Self { ip, hand_out, ..self }
    }

    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    pub(super) const fn id(&self) -> PeerId {
        self.id
    }

    pub(super) fn id_bytes(&self) -> &[u8] {
        &self.id_bytes
    }

    pub(super) const fn region(&self) -> usize {
        self.region
    }

    pub(super) const fn service(&self) -> &Arc<dyn AnyService> {
        &self.service
    }

    /// Whether it joined, or only dials.
    pub(super) const fn is_member(&self) -> bool {
        self.number > 0
    }

    pub(super) const fn leaving(&self) -> &CancellationToken {
        &self.leaving
    }

    pub(super) fn has_left(&self) -> bool {
        self.leaving.is_cancelled()
    }

    /// What it says of itself now.
    pub(super) fn says(&self) -> Arc<Says> {
        Arc::clone(&self.says.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Where others see it when it dials a socket.
    pub(super) fn seen(&self, target: Target) -> Multiaddr {
        place(target, self.seen_at(target).addr())
    }

    /// The same as a socket.
    pub(super) const fn seen_at(&self, target: Target) -> Target {
        let socket = SocketAddr::new(self.ip, DIALLING_PORT);
        match target {
            Target::Tcp(_) => Target::Tcp(socket),
            Target::Quic(_) => Target::Quic(socket),
            Target::Ws(_) => Target::Ws(socket),
            Target::Wss(_) => Target::Wss(socket),
        }
    }

    /// The answer to identify of a peer that sees it at an address.
    pub(super) fn identify(&self, observed: &Multiaddr) -> Vec<u8> {
        let says = self.says();
        let own = [IDENTIFY_PROTOCOL, PING_PROTOCOL, IDENTIFY_PUSH_PROTOCOL].map(str::to_owned);
        let mut message = Identify {
            public_key: self.public_key.clone(),
            listen_addrs: says.addresses.clone(),
            protocols: own.into_iter().chain(says.kad_protocols.iter().cloned()).collect(),
            protocol_version: Some("ipfs/0.1.0".to_owned()),
            agent_version: Some(says.agent.clone()),
            ..Identify::default()
        }
        .encode();
        append_observed_addr(&mut message, observed);
        message
    }

    /// It says something else of itself from now on, and tells those whom it has connections with.
    pub(super) fn say(&self, says: Says, shared: &Shared) {
        *self.says.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(says);
        let open: Vec<_> = self.lock().open.values().map(Arc::clone).collect();
        for entry in open {
            match &entry.other {
                Other::Ours(end) => end.push(self.identify(&entry.remote)),
                Other::Virtual(peer, target) if entry.is_interested() => {
                    self.introduce(*peer, *target, shared);
                }
                Other::Virtual(..) => {}
            }
        }
    }

    /// Tells a peer of the world who it is. The size of what it says, in bytes.
    pub(super) fn introduce(&self, peer: u32, target: Target, shared: &Shared) -> usize {
        let remote = self.seen(target);
        let said = self.identify(&remote);
        if let Ok(identify) = Identify::decode(&said) {
            let local = place(target, target.addr());
            shared
                .answers
                .met(peer, Introduced { peer: self.id, remote, local, identify: Box::new(identify) });
        }
        said.len()
    }

    /// Whether connections with that peer are spared.
    pub(super) fn protect(&self, peer: PeerId, spared: bool) {
        let protected = &mut self.lock().protected;
        if spared {
            protected.insert(peer);
        } else {
            protected.remove(&peer);
        }
    }

    pub(super) fn is_protected(&self, peer: &PeerId) -> bool {
        self.lock().protected.contains(peer)
    }

    /// A connection stands.
    pub(super) fn register(&self, id: u64, entry: &Arc<Entry>) {
        self.lock().open.insert(id, Arc::clone(entry));
    }

    /// A connection is over.
    pub(super) fn forget(&self, id: u64) {
        self.lock().open.remove(&id);
    }

    /// Whether it takes no further connection.
    pub(super) fn is_full(&self) -> bool {
        self.lock().open.len() >= MAX_CONNECTIONS
    }

    /// Holds a connection that another one opened as long as it lasts, or hands it out.
    pub(super) fn hold(&self, mut connection: SimConnection) {
        let hand_out = self.hand_out.clone();
        self.tasks.spawn(async move {
            match hand_out {
                None => while connection.next().await.is_ok() {},
                Some(hand_out) => {
                    // What nobody takes is closed by the drop.
                    let Some(accepted) = connection.into_accepted() else { return };
                    let handed = hand_out.send_timeout(Box::new(accepted), ListenLimits::default().handshake);
                    drop(handed.await);
                }
            }
        });
    }

    /// What serves its connections.
    pub(super) const fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// It leaves: its connections end.
    pub(super) fn leave(&self) {
        self.leaving.cancel();
        self.tasks.close();
        let open = self.lock().open.clone();
        for entry in open.values() {
            if let Other::Ours(end) = &entry.other {
                end.hang_up(false);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A socket as an address of the same transport as the target's.
pub(super) fn place(target: Target, socket: SocketAddr) -> Multiaddr {
    match target {
        Target::Tcp(_) => tcp_multiaddr(socket),
        Target::Quic(_) => quic_multiaddr(socket),
        Target::Ws(_) => ws_multiaddr(socket),
        Target::Wss(_) => wss_multiaddr(socket),
    }
}
