//! The peers that listen, as heads of `net`'s listening side.

use std::{
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use dht::DialBacks;
use kad::{
    PeerId,
    fabric::{Attending, OtherProtocol, PeerStream},
    failure::Phase,
    network::Transport,
};
use net::{
    Authority, Host, HostConfig, Identity, NamedCertificate, Names, NetError,
    serve::{Action, Answer, Disruption, Head, HeadProfile, Notice, Pace, Request, Service},
};

use super::{WireError, back_dialler::BackDialler};
use crate::{
    answers::{Answers, Watched},
    life::HostPlace,
    living::Living,
    luck::Luck,
    making::Making,
    parallel,
    scenario::{holder::HolderShare, life::Absence},
    state::{Stage, State},
    world::World,
};

/// The most attempts to dial peers back at once, over all peers of a world.
const MAX_DIALLING_BACK: usize = 64;

/// All peers that listen.
#[derive(Debug)]
pub(super) struct Heads {
    world: Arc<World>,
    answers: Arc<Answers>,
    living: Option<Arc<Living>>,
    /// Dials back for all who do; `None` where nobody does.
    back_dialler: Option<Host>,
    /// By number; `None` for those that do not listen.
    all: Vec<Option<Listening>>,
}

/// A peer that listens.
#[derive(Debug)]
struct Listening {
    head: Arc<Head<PeerService>>,
    shown: Shown,
    /// How often it was connected to: each attempt has its own luck.
    attempts: AtomicU32,
}

/// By what a peer says who it is, and what it dials back with.
#[derive(Debug, Clone)]
struct Shown {
    identity: Identity,
    /// For the name that it has on the web.
    certificate: Option<NamedCertificate>,
    dial_backs: Option<Arc<DialBacks<BackDialler>>>,
}

/// What answers the requests to one peer.
#[derive(Debug)]
pub(super) struct PeerService {
    answers: Arc<Answers>,
    number: u32,
    state: State,
    dial_backs: Option<Arc<DialBacks<BackDialler>>>,
    /// For a holder that remembers when a connection ended: once something was asked on it. Each has a head of its own.
    watched: OnceLock<Option<Watched>>,
}

impl Heads {
    /// Makes the identities of all peers that listen, on all cores, and their certificates where somebody signs them.
    pub(super) fn new(
        world: Arc<World>,
        living: Option<Arc<Living>>,
        authority: Option<&Authority>,
        making: &Making,
    ) -> Result<Self, WireError> {
        let answers = Arc::new(Answers::new(Arc::clone(&world)).living(living.clone()));
        let back_dialler = back_dialler(&world)?;
        let mut heads = Self { world, answers, living, back_dialler, all: Vec::new() };
        let count = heads.world.peers().end;
        let made = parallel::parts(count, |range| {
            let made = range.map(|peer| {
                making.did(1);
                heads.listening(peer, authority)
            });
            made.collect::<Result<Vec<_>, _>>()
        });
        for part in made {
            heads.all.extend(part?);
        }
        Ok(heads)
    }

    /// The world that they live in.
    pub(super) const fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// What all of them answer with.
    pub(super) const fn answers(&self) -> &Arc<Answers> {
        &self.answers
    }

    /// Who was dialled at a local address; `None` if nobody is there who speaks that transport.
    pub(super) fn at(&self, local: SocketAddr, transport: Transport) -> Option<Arc<Head<PeerService>>> {
        let (number, place) = match self.world.host_at(local, transport) {
            Some((host, place)) => match self.occupant(host, place, (local.port(), transport)) {
                Some(peer) => (peer, place),
                None => return self.silence(host),
            },
            None => (self.world.resident(local, transport)?, HostPlace::default()),
        };
        self.reached(number, place, transport)
    }

    /// Who of a host is at a place, for who came to this port.
    fn occupant(&self, host: usize, place: HostPlace, (port, transport): (u16, Transport)) -> Option<u32> {
        let peer = self.living.as_ref()?.look(|life, _| life.occupant(host, place))?;
        (self.world.port(peer, place, transport) == port).then_some(peer)
    }

    /// What packets meet that came before their way was closed; `None` for a host that refuses.
    fn silence(&self, host: usize) -> Option<Arc<Head<PeerService>>> {
        let first = self.world.cast.ids()[self.world.cast.hosts()[host].first_id as usize];
        self.world.cast.absence(first).filter(|absence| *absence != Absence::Refused)?;
        let shown = self.all.get(first as usize)?.as_ref()?.shown.clone();
        let disruption = Disruption { phase: Phase::Connect, action: Action::Silence };
        let head = self.head(first, HostPlace::default(), shown, Duration::ZERO);
        Some(Arc::new(head.with_disruption(disruption)))
    }

    /// A peer at a place; `None` if it does not speak that transport.
    fn reached(&self, number: u32, place: HostPlace, transport: Transport) -> Option<Arc<Head<PeerService>>> {
        if !self.world.carrier(number).speaks(transport) {
            return None;
        }
        let listening = self.all.get(number as usize)?.as_ref()?;
        let attempts = self.world.scenario().attempts;
        let attempt = listening.attempts.fetch_add(1, Ordering::Relaxed);
        let mut luck = Luck::new(self.world.scenario().seed, number, attempt);
        if luck.strikes(attempts.late_share.get()) {
            let late = Duration::from_millis(attempts.late_ms.into());
            return Some(Arc::new(self.head(number, place, listening.shown.clone(), late)));
        }
        let is_watched = self.world.holder(number).is_some_and(HolderShare::watches_connections);
        if place != HostPlace::default() || is_watched {
            let shown = listening.shown.clone();
            return Some(Arc::new(self.head(number, place, shown, Duration::ZERO)));
        }
        Some(Arc::clone(&listening.head))
    }

    fn listening(&self, number: u32, authority: Option<&Authority>) -> Result<Option<Listening>, WireError> {
        if !self.world.state(number).listens() {
            return Ok(None);
        }
        let name = self.world.certified_name(number);
        let certificate =
            authority.zip(name).map(|(authority, name)| authority.certify(&name)).transpose()?;
        let dial_backs = self.dial_backs(number)?;
        let shown = Shown { identity: Identity::new(self.world.keypair(number))?, certificate, dial_backs };
        let head = Arc::new(self.head(number, HostPlace::default(), shown.clone(), Duration::ZERO));
        Ok(Some(Listening { head, shown, attempts: AtomicU32::new(0) }))
    }

    /// What a peer dials back with; `None` for one that does not.
    fn dial_backs(&self, number: u32) -> Result<Option<Arc<DialBacks<BackDialler>>>, NetError> {
        let dials_back = self.world.dials_back(number);
        let Some(host) = self.back_dialler.as_ref().filter(|_| dials_back) else { return Ok(None) };
        let world = (Arc::clone(&self.world), self.living.clone());
        let dialler = BackDialler::new(world, number, Identity::generate()?, host.clone());
        Ok(Some(Arc::new(DialBacks::new(dialler, self.world.scenario().seed ^ u64::from(number)))))
    }

    /// A peer whose first bytes come `late` on top of its distance.
    fn head(&self, number: u32, place: HostPlace, shown: Shown, late: Duration) -> Head<PeerService> {
        let world = &self.world;
        let state = world.state(number);
        let (answers, dial_backs) = (Arc::clone(&self.answers), shown.dial_backs);
        let service = PeerService { answers, number, state, dial_backs, watched: OnceLock::new() };
        let others = Service::others(&service);
        let mut protocols = world.kad_protocols(number);
        protocols.retain(|name| others.iter().all(|other| other.name != *name));
        let profile = HeadProfile::new(world.agent(number), &protocols);
        let map = Arc::clone(world);
        let distance = move |from| map.rtt_from(map.region_at(from), number);
        let head = Head::new(shown.identity, &profile, &world.addresses_at(number, place), service)
            .with_pace(Pace { accept: late, flight: Duration::ZERO })
            .with_distance(distance)
            .with_securities(world.securities(number))
            .with_certificate(shown.certificate);
        match disruption(state) {
            Some(disruption) => head.with_disruption(disruption),
            None => head,
        }
    }
}

/// Whose limits all who dial back share; `None` in a world where nobody does.
fn back_dialler(world: &World) -> Result<Option<Host>, NetError> {
    if !world.peers().any(|peer| world.dials_back(peer)) {
        return Ok(None);
    }
    let mut config = HostConfig::new(Identity::generate()?, world.admitted());
    config.dials.max_connecting = MAX_DIALLING_BACK;
    config.dials.names = Names::Unresolved;
    Host::new(config).map(Some)
}

/// What `net` is told to do wrong. The faults in requests are done by [`PeerService`].
const fn disruption(state: State) -> Option<Disruption> {
    let (at, action) = match state {
        State::Silent(at) => (at, Action::Silence),
        State::Reset(at) => (at, Action::Reset),
        State::Garbage(at) => (at, Action::Garbage),
        _ => return None,
    };
    let phase = match at {
        Stage::Accept => Phase::Connect,
        Stage::Secure => Phase::Secure,
        Stage::Multiplex => Phase::Multiplex,
        Stage::Stream => Phase::Stream,
        Stage::Request => return None,
    };
    Some(Disruption { phase, action })
}

impl Service for PeerService {
    async fn answer(&self, request: Request) -> Answer {
        match self.state {
            State::Slow(ms) => {
                tokio::time::sleep(Duration::from_millis(ms.into()).saturating_sub(request.waited)).await;
            }
            State::Silent(Stage::Request) => std::future::pending().await,
            _ => {}
        }
        // The network's protocol is the first one, where it is spoken at all; nothing is said on the others.
        let is_kad = request.protocol == 0 && self.state != State::WrongProtocol;
        if !is_kad || matches!(self.state, State::Reset(Stage::Request)) {
            return Answer::Reset;
        }
        let from = request.from.to_bytes();
        self.watched.get_or_init(|| self.answers.watch(self.number, &from));
        self.answers.answer(self.number, &from, &request.message)
    }

    fn others(&self) -> Vec<OtherProtocol> {
        self.dial_backs.as_ref().map_or_else(Vec::new, |_| DialBacks::<BackDialler>::protocols().into())
    }

    fn attend(&self, stream: PeerStream) -> Option<Attending> {
        self.dial_backs.as_ref()?.attend(stream)
    }

    fn asks(&self, from: PeerId) -> bool {
        self.answers.asks(self.number, &from)
    }

    fn notice(&self, notice: Notice) {
        if let Notice::Introduced(introduced) = notice {
            self.answers.met(self.number, introduced);
        }
    }
}
