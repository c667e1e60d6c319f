//! Life on real sockets: a task that waits for the next event, and makes it so.
//!
//! * A peer that is *refused* while it is down has sockets of its own while it is up. When it goes they are closed, and
//!   its connections with them.
//! * A peer that is *dropped* or *unreachable* is behind the socket that all share, always. When it goes, packets to its
//!   address must find no way any more, which is for whoever governs the routes; who comes too early meets silence. A
//!   connection that is still open when the peer returns to the same address goes on.

use std::{
    collections::HashMap,
    error::Error,
    fmt, io, iter,
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::Arc,
    time::Duration,
};

use kad::network::Transport;
use net::serve::{self, Interface, ListenLimits, Receivers};
use rustix::process::{Resource, getrlimit};
use tokio::{
    task::JoinSet,
    time::{self, Instant},
};

use super::{
    WireError,
    heads::Heads,
    sockets::{interface, own_files},
};
use crate::{
    event_log::EventLog,
    life::{HostPlace, HostRole, Life, LifeEvent},
    living::{LifeClock, Living},
    scenario::life::Absence,
    world::World,
};

/// Descriptors that are kept free for the shared sockets, the runtime, the threads that receive, files and connections.
const RESERVED_FILES: u64 = 256;

/// The most events that are made so before they are written down.
const MAX_EVENTS: usize = 1024;

/// How long to wait until an address is free again: an endpoint that was closed says goodbye to its peers before.
const REBIND_PAUSE: Duration = Duration::from_millis(20);

/// What becomes of packets to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PacketFate {
    /// They arrive.
    Local,
    /// They vanish.
    Dropped,
    /// Their sender is told that the host cannot be reached.
    Unreachable,
}

/// A change of routes that an event asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteChange {
    /// The address.
    pub ip: IpAddr,
    /// What becomes of packets to it from now on.
    pub reach: PacketFate,
}

/// What came of a change of routes.
pub type Rerouted = Result<(), Box<dyn Error + Send + Sync>>;

/// Where events go, and what time it is for them.
pub struct LifeOutlets {
    /// An instant, and the calendar's time then, in milliseconds since 1970.
    pub calendar: (Instant, f64),
    /// Where the log is written to: see [`event_log`](crate::event_log). `None`: nowhere.
    pub log: Option<Box<dyn io::Write + Send>>,
    /// Changes routes. `None`: they cannot be changed, and all peers that come and go are `refused` while they are down.
    pub routes: Option<Box<dyn FnMut(RouteChange) -> Rerouted + Send>>,
}

impl Default for LifeOutlets {
    /// Nowhere, by a calendar that begins now.
    fn default() -> Self {
        Self { calendar: (Instant::now(), 0.0), log: None, routes: None }
    }
}

impl fmt::Debug for LifeOutlets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LifeOutlets")
            .field("calendar", &self.calendar)
            .field("log", &self.log.is_some())
            .field("routes", &self.routes.is_some())
            .finish()
    }
}

/// How many files this process may have open.
pub(super) fn open_files() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Whether the peers of a world can be here, and come and go, where so many files may be open.
pub(super) fn check(world: &World, outlets: &LifeOutlets, may_open: u64) -> Result<(), WireError> {
    if world.outages().next().is_some() {
        return Err(WireError::VirtualOnly);
    }
    let classes = world.scenario().life.iter().flat_map(|life| &life.classes);
    let mut absent = classes.filter(|class| class.absence != Absence::Refused);
    if let Some(class) = absent.next().filter(|_| outlets.routes.is_none()) {
        return Err(WireError::NeedsRoutes { class: class.name.clone(), absence: class.absence.name() });
    }
    let needed = own_files(world) + most_files(world);
    let allowed = may_open.saturating_sub(RESERVED_FILES);
    if needed > allowed {
        return Err(WireError::TooManySockets { needed, allowed });
    }
    Ok(())
}

/// The most descriptors that peers who come and go take at once for sockets of their own.
fn most_files(world: &World) -> u64 {
    let of_peer = |peer: u32| {
        let (transports, ips) = (world.carrier(peer).transports(), world.location(peer).ips());
        (transports.count() * ips.count()) as u64
    };
    let refused = world.cast.hosts().iter().filter(|host| world.cast.class(host).absence == Absence::Refused);
    let most = |host: &HostRole| {
        let first = host.first_id as usize;
        let ids = &world.cast.ids()[first..first + usize::from(host.ids)];
        ids.iter().map(|&peer| of_peer(peer)).max().unwrap_or(0)
    };
    refused.map(most).sum()
}

/// Makes events so. It lives the same life as the answers, which never wait for it: where it is late, sockets are late,
/// and tables are not.
pub(super) struct Driver {
    world: Arc<World>,
    life: Life,
    /// That of the answers.
    living: Arc<Living>,
    clock: LifeClock,
    heads: Arc<Heads>,
    /// The threads that receive for those of QUIC.
    receivers: Arc<Receivers>,
    /// The sockets of peers that are up, at most one set for each host.
    open: HashMap<u32, JoinSet<()>>,
    log: Option<EventLog<Box<dyn io::Write + Send>>>,
    outlets: LifeOutlets,
}

impl Driver {
    /// Opens the sockets of all who are there at the start, and lets life begin.
    pub(super) fn start(
        living: Arc<Living>,
        life: Life,
        (heads, receivers): (Arc<Heads>, Arc<Receivers>),
        mut outlets: LifeOutlets,
    ) -> Result<Self, WireError> {
        let (world, clock, log) = (Arc::clone(life.world()), living.clock(), outlets.log.take());
        let open = HashMap::new();
        let mut driver = Self { world, life, living, clock, heads, receivers, open, log: None, outlets };
        for peer in driver.world.peers() {
            driver.settle(peer)?;
        }
        driver.living.begin();
        driver.clock = driver.living.clock();
        driver.log = log.map(|out| EventLog::new(Arc::clone(&driver.world), driver.clock, out));
        Ok(driver)
    }

    /// Runs until it is dropped, and then closes all that it opened.
    pub(super) async fn run(mut self) {
        while let Some(due) = self.life.next_due() {
            time::sleep_until(self.clock.instant(due)).await;
            let now = self.clock.now();
            let events: Vec<LifeEvent> = iter::from_fn(|| self.life.next(now)).take(MAX_EVENTS).collect();
            for event in &events {
                self.happen(event).await;
            }
            if let Some(first) = events.first() {
                self.living.note_late(first);
            }
            if let Some(Err(error)) = self.log.as_mut().map(|log| log.write(&events)) {
                tracing::error!(%error, "the log of events is lost");
                self.log = None;
            }
        }
        // Everyone left; what is open stays so.
        std::future::pending::<()>().await;
    }

    /// Puts a peer where it is at the start, if it comes and goes.
    fn settle(&mut self, peer: u32) -> Result<(), WireError> {
        let Some(presence) = self.life.presence(peer).copied() else { return Ok(()) };
        match self.world.cast.absence(peer) {
            Some(Absence::Refused) if presence.is_up() => self
                .listen(peer, presence.last.place)
                .map_err(|source| WireError::Socket { what: "the socket of a peer that comes", source }),
            Some(Absence::Refused) | None => Ok(()),
            Some(absence) => self.close_places(peer, absence),
        }
    }

    /// At the start, packets find no way to where a host is not. Each host is asked for by its first id.
    fn close_places(&mut self, peer: u32, absence: Absence) -> Result<(), WireError> {
        if self.world.siblings(peer).and_then(|ids| ids.first()) != Some(&peer) {
            return Ok(());
        }
        let Some(host) = self.world.cast.host_of(peer) else { return Ok(()) };
        for place in (0..self.world.places(peer)).map(HostPlace) {
            if self.life.occupant(host, place).is_none() {
                self.reroute(peer, place, reach(absence)).map_err(WireError::Routes)?;
            }
        }
        Ok(())
    }

    async fn happen(&mut self, event: &LifeEvent) {
        let Some(absence) = self.world.cast.absence(event.peer) else { return };
        let done: Rerouted = match (absence, event.kind.comes()) {
            (Absence::Refused, true) => self.listen(event.peer, event.place).map_err(Into::into),
            (Absence::Refused, false) => {
                if let Some(mut sockets) = self.open.remove(&event.peer) {
                    sockets.shutdown().await;
                }
                Ok(())
            }
            (_, true) => self.reroute(event.peer, event.place, PacketFate::Local),
            (absence, false) => self.reroute(event.peer, event.place, reach(absence)),
        };
        if let Err(error) = done {
            let peer = self.world.peer_id(event.peer);
            tracing::error!(%error, %peer, event = event.kind.name(), "an event could not be made so");
        }
    }

    fn reroute(&mut self, peer: u32, place: HostPlace, reach: PacketFate) -> Rerouted {
        let Some(routes) = &mut self.outlets.routes else { return Ok(()) };
        self.world.location_at(peer, place).ips().try_for_each(|ip| routes(RouteChange { ip, reach }))
    }

    /// Opens the sockets of a peer that comes.
    fn listen(&mut self, peer: u32, place: HostPlace) -> io::Result<()> {
        let mut sockets = JoinSet::new();
        for ip in self.world.location_at(peer, place).ips() {
            let at = |transport| SocketAddr::new(ip, self.world.port(peer, place, transport));
            if self.world.carrier(peer).speaks(Transport::Tcp) {
                let heads = Arc::clone(&self.heads);
                let at_tcp = move |local: SocketAddr| heads.at(local, Transport::Tcp);
                let socket = serve::bind_on(at(Transport::Tcp), interface(&self.world))?;
                sockets.spawn(serve::listen(socket, at_tcp, ListenLimits::default()));
            }
            if self.world.carrier(peer).speaks(Transport::Quic) {
                let at = at(Transport::Quic);
                let socket = bind_if_free(at, interface(&self.world))?;
                let (heads, receivers) = (Arc::clone(&self.heads), Arc::clone(&self.receivers));
                sockets.spawn(listen_quic(heads, receivers, at, socket));
            }
        }
        self.open.insert(peer, sockets);
        Ok(())
    }
}

/// A socket for QUIC; `None` while the one before says goodbye there.
fn bind_if_free(at: SocketAddr, interface: Interface) -> io::Result<Option<UdpSocket>> {
    match serve::bind_quic_on(at, interface) {
        Ok(socket) => Ok(Some(socket)),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(None),
        Err(error) => Err(error),
    }
}

/// Serves a peer over QUIC, as soon as its address is free.
async fn listen_quic(
    heads: Arc<Heads>,
    receivers: Arc<Receivers>,
    at: SocketAddr,
    mut socket: Option<UdpSocket>,
) {
    let interface = interface(heads.world());
    let serving = async {
        let socket = loop {
            match socket.take() {
                Some(socket) => break socket,
                None => time::sleep(REBIND_PAUSE).await,
            }
            socket = bind_if_free(at, interface)?;
        };
        let at_quic = move |local: SocketAddr| heads.at(local, Transport::Quic);
        let listening = serve::listen_quic_on(&receivers, socket, at_quic, ListenLimits::default());
        listening.await.map_err(io::Error::other)
    };
    if let Err(error) = serving.await {
        tracing::error!(%error, %at, "a peer's QUIC socket is lost");
    }
}

const fn reach(absence: Absence) -> PacketFate {
    match absence {
        Absence::Refused => PacketFate::Local,
        Absence::Dropped => PacketFate::Dropped,
        Absence::Unreachable => PacketFate::Unreachable,
    }
}

#[cfg(test)]
mod tests;
