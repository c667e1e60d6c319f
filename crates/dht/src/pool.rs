//! Connections for requests: at most one dialled to a peer, a bounded number in all, each kept while it is of use.
//!
//! Whoever asks names the peer, its addresses and the request. If a connection stands, the request goes over it on a
//! stream of its own; else the peer is dialled, once, however many ask for it meanwhile. A connection that has been
//! without a request for a while is closed, and so is the one that was used the longest ago when another one needs its
//! place. Dropping the future of a request resets its stream: nothing of it stays behind.
//!
//! Who is dialled as well can [take in](Pool::accept) what peers open: requests go over these connections, too. How many there
//! may be, and how long they last, is the network's to say.

mod exchange;
mod place;
#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use kad::{
    Contact, PeerId,
    fabric::Accepted,
    network::{Network, Traffic},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::Instant,
};
use tokio_util::sync::CancellationToken;

pub(crate) use self::exchange::connection_of;
pub use self::exchange::{Dialling, Exchange, dial_failure};
use self::place::Place;
use crate::{
    RequestPace,
    conversation::{Ask, Broken, Conversation, Meter, TalkLimits},
};

/// Bounds of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolConfig {
    /// The most connections at once, those included that are being dialled.
    pub connections: usize,
    /// Those of each connection.
    pub limits: TalkLimits,
}

impl Default for PoolConfig {
    /// 256 connections: as many peers as go-libp2p-kad-dht checks at once.
    fn default() -> Self {
        Self { connections: 256, limits: TalkLimits::default() }
    }
}

/// Connections for requests. Cheap to clone; all clones share them.
#[derive(Debug, Clone)]
pub struct Pool<N> {
    network: N,
    shared: Arc<Shared>,
    pace: Option<Arc<RequestPace>>,
}

#[derive(Debug)]
struct Shared {
    config: PoolConfig,
    places: Mutex<HashMap<PeerId, Arc<Place>, RandomState>>,
    /// How many places there may be before those are dropped that are of no use.
    sweep_above: AtomicUsize,
    room: Arc<Semaphore>,
    /// Counts uses: whose number is the smallest was used the longest ago.
    uses: AtomicU64,
    meter: Arc<Meter>,
}

impl<N: Network> Pool<N> {
    /// A pool without connections.
    pub fn new(network: N, config: PoolConfig) -> Self {
        let shared = Shared {
            room: Arc::new(Semaphore::new(config.connections.clamp(1, Semaphore::MAX_PERMITS))),
            config,
            places: Mutex::default(),
            sweep_above: AtomicUsize::new(2 * config.connections),
            uses: AtomicU64::new(0),
            meter: Arc::default(),
        };
        Self { network, shared: Arc::new(shared), pace: None }
    }

    /// The same, but its requests, with the dials that they need, wait for their turn; nobody waits for any of `None`.
    #[must_use]
    pub fn paced(self, pace: Option<Arc<RequestPace>>) -> Self {
        Self { pace, ..self }
    }

    /// The network below.
    pub const fn network(&self) -> &N {
        &self.network
    }

    /// Bytes that went over all connections so far, with all framing above the transport.
    pub fn traffic(&self) -> Traffic {
        self.shared.meter.traffic()
    }

    /// Makes one request of a peer, and says what came of it. It ends by itself. Dials that are under way when `give_up`
    /// says so are given up; what was asked is awaited. `sent` is called when the question is on its way.
    ///
    /// A request that finds its connection gone is made once more on a new one: the peer may have closed it for having
    /// been idle.
    pub async fn request(
        &self,
        to: &Contact,
        ask: Ask,
        give_up: &CancellationToken,
        sent: impl FnOnce(),
    ) -> Exchange {
        let mut sent = Some(sent);
        let leaves = || {
            if let Some(sent) = sent.take() {
                sent();
            }
            true
        };
        self.request_if(to, ask, give_up, leaves).await
    }

    /// The same, but once it could be sent `leaves` says whether it is; else it is given up, and the connection stands.
    pub(crate) async fn request_if(
        &self,
        to: &Contact,
        ask: Ask,
        give_up: &CancellationToken,
        mut leaves: impl FnMut() -> bool,
    ) -> Exchange {
        let begun = Instant::now();
        let place = self.place(to.peer);
        loop {
            let mut dial_begun = None;
            let found = tokio::select! {
                // What is there at the moment at which it is given up is there.
                biased;
                found = self.turn_with(&place, to, &mut dial_begun) => found,
                () = give_up.cancelled() => {
                    let dial_begun = dial_begun.map(|dial| dial - begun);
                    return Exchange::given_up(begun.elapsed(), &to.addrs, dial_begun);
                }
            };
            let waited = dial_begun.map_or(Duration::ZERO, |dial| dial - begun);
            let (talk, dialled) = match found {
                Ok((talk, dialled)) => (talk, dialled.map(|dialled| dialled.after(waited))),
                Err(dialled) => return Exchange::not_begun(begun.elapsed(), dialled.after(waited)),
            };
            if !leaves() {
                return Exchange::not_sent(begun.elapsed(), dialled);
            }
            place.touch(self.shared.uses.fetch_add(1, Ordering::Relaxed));
            let sent_after = begun.elapsed();
            let reply = talk.ask(ask.clone()).await;
            if dialled.is_none() && matches!(reply, Err(Broken::Connection(_))) {
                place.leave(&talk).await;
                continue;
            }
            let outcome = reply.map_err(Broken::into_failure);
            let handshake = dialled.as_ref().map(|dialled| dialled.traffic).unwrap_or_default();
            let answers = outcome.iter().flatten().map(Vec::as_slice);
            let traffic = Traffic {
                sent_bytes: handshake.sent_bytes + Exchange::bytes(ask.message.as_deref()),
                received_bytes: handshake.received_bytes + Exchange::bytes(answers),
            };
            return Exchange {
                dialled,
                sent_after: Some(sent_after),
                took: begun.elapsed(),
                traffic,
                outcome,
            };
        }
    }

    /// Takes in a connection that a peer opened: it is served as long as it lasts, and carries requests to that peer.
    pub fn accept(&self, accepted: Accepted<N::Connection>) {
        let Shared { config, meter, .. } = &*self.shared;
        let talk = Conversation::accepted(accepted.connection, config.limits, Arc::clone(meter));
        self.place(accepted.peer).accept(talk);
    }

    /// Whether a connection to the peer stands, as far as is known.
    pub fn is_connected(&self, peer: &PeerId) -> bool {
        self.shared.places().get(peer).is_some_and(|place| place.is_open())
    }

    /// Hangs up on a peer, whoever opened the connection, and waits until the requests on it have ended.
    pub async fn hang_up(&self, peer: &PeerId) {
        let place = self.shared.places().remove(peer);
        if let Some(place) = place {
            vacate(place).await;
        }
    }

    /// Hangs up on everybody likewise: whoever is asked next is dialled.
    pub async fn hang_up_on_all(&self) {
        let leaving: JoinSet<()> = self.shared.places().drain().map(|(_, place)| vacate(place)).collect();
        leaving.join_all().await;
    }

    /// How many connections stand, as far as is known, whoever opened them.
    pub fn connections(&self) -> usize {
        self.shared.places().values().filter(|place| place.is_open()).count()
    }

    fn place(&self, peer: PeerId) -> Arc<Place> {
        let mut places = self.shared.places();
        if places.len() > self.shared.sweep_above.load(Ordering::Relaxed) {
            places.retain(|_, place| Arc::strong_count(place) > 1 || place.is_open());
            // Not again with the next one, where peers hold many connections open.
            let above = 2 * places.len().max(self.shared.config.connections);
            self.shared.sweep_above.store(above, Ordering::Relaxed);
        }
        Arc::clone(places.entry(peer).or_default())
    }

    /// The same, once a request may be made.
    async fn turn_with(
        &self,
        place: &Place,
        to: &Contact,
        dial_begun: &mut Option<Instant>,
    ) -> Result<(Conversation, Option<Dialling>), Dialling> {
        if let Some(pace) = &self.pace {
            pace.turn().await;
        }
        self.conversation(place, to, dial_begun).await
    }

    /// The conversation with a peer, and how it was dialled, if it was dialled for this: when that began is noted. An error is
    /// a dial in vain.
    async fn conversation(
        &self,
        place: &Place,
        to: &Contact,
        dial_begun: &mut Option<Instant>,
    ) -> Result<(Conversation, Option<Dialling>), Dialling> {
        if let Some(talk) = place.accepted() {
            return Ok((talk, None));
        }
        let mut talk = place.talk.lock().await;
        if let Some(talk) = talk.as_ref().filter(|talk| !talk.is_over()) {
            return Ok((talk.clone(), None));
        }
        let permit = self.permit().await;
        let begun = *dial_begun.insert(Instant::now());
        let dial = self.network.connect(to.peer, to.addrs.clone()).await;
        let dialled = Dialling::of(to.addrs.clone(), begun.elapsed(), &dial);
        let Some(connection) = dial.connection else { return Err(dialled) };
        let Shared { config, meter, .. } = &*self.shared;
        let begun = Conversation::begin(connection, config.limits, Arc::clone(meter), permit);
        Ok((talk.insert(begun).clone(), Some(dialled)))
    }

    /// Room for one more connection: that of the one that was used the longest ago, if there is none. The semaphore is
    /// never closed.
    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        let room = Arc::clone(&self.shared.room);
        if let Ok(permit) = Arc::clone(&room).try_acquire_owned() {
            return Some(permit);
        }
        self.shared.hang_up_on_the_idlest();
        room.acquire_owned().await.ok()
    }
}

async fn vacate(place: Arc<Place>) {
    for talk in place.vacate().await.iter().flatten() {
        talk.hang_up().await;
    }
}

impl Shared {
    fn places(&self) -> std::sync::MutexGuard<'_, HashMap<PeerId, Arc<Place>, RandomState>> {
        // Nothing in it breaks halfway: what panicked elsewhere does not matter here.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the connection go, of those that we opened, that was used the longest ago. One with requests under way ends
    /// after them.
    fn hang_up_on_the_idlest(&self) {
        let places = self.places();
        let open = places.iter().filter(|(_, place)| place.is_dialled());
        // Of those that are as idle, always the same one.
        if let Some((_, place)) = open.min_by_key(|(peer, place)| (place.last_used(), **peer)) {
            place.hang_up();
        }
    }
}
