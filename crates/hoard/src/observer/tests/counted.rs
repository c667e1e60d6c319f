//! A world in which the connections of ours can be counted.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use kad::{
    Multiaddr,
    fabric::{Accepted, Says, Service, Terms},
    failure::{Failure, SkipReason},
    network::{Connection, Dial, Endpoint, Event, Network, RoundTrip, StreamId, Traffic, Transport},
};
use testnet::SimError;

use super::*;

type SimConnection = <SimNetwork as Network>::Connection;

/// The fabric below, and what counts: each connection holds a clone of it.
#[derive(Debug, Clone)]
pub(crate) struct Counted<T> {
    pub(crate) inner: T,
    pub(crate) open: Arc<()>,
    pub(crate) dials: Arc<AtomicUsize>,
    /// Whom our peers asked something of the network's protocol, and when.
    pub(crate) asked: Arc<Mutex<Vec<(PeerId, Instant)>>>,
}

impl<T> Counted<T> {
    /// Of this fabric, nothing yet.
    pub(crate) fn new(inner: T) -> Self {
        Self { inner, open: Arc::default(), dials: Arc::default(), asked: Arc::default() }
    }

    fn around<U>(&self, inner: U) -> Counted<U> {
        let Self { open, dials, asked, .. } = self;
        Counted { inner, open: Arc::clone(open), dials: Arc::clone(dials), asked: Arc::clone(asked) }
    }
}

/// One connection.
pub(crate) struct CountedConnection {
    inner: SimConnection,
    peer: PeerId,
    asked: Arc<Mutex<Vec<(PeerId, Instant)>>>,
    #[expect(dead_code, reason = "it counts while it is held")]
    open: Arc<()>,
}

impl Fabric for Counted<SimFabric> {
    type Member = Counted<SimNetwork>;
    type Error = SimError;

    async fn join<S: Service>(&self, terms: Terms, service: Arc<S>) -> Result<Self::Member, SimError> {
        Ok(self.around(self.inner.join(terms, service).await?))
    }
}

impl Counted<SimNetwork> {
    fn counted(&self, peer: PeerId, inner: SimConnection) -> CountedConnection {
        CountedConnection { inner, peer, asked: Arc::clone(&self.asked), open: Arc::clone(&self.open) }
    }
}

impl Network for Counted<SimNetwork> {
    type Connection = CountedConnection;

    fn local(&self) -> PeerId {
        self.inner.local()
    }

    fn admits(&self, address: &Multiaddr) -> Result<Option<Transport>, SkipReason> {
        self.inner.admits(address)
    }

    async fn connect_within(
        &self,
        peer: PeerId,
        addrs: Vec<Multiaddr>,
        at_most: Option<Duration>,
    ) -> Dial<CountedConnection> {
        self.dials.fetch_add(1, Ordering::Relaxed);
        let Dial { attempts, connection } = self.inner.connect_within(peer, addrs, at_most).await;
        let connection = connection.map(|connection| self.counted(peer, connection));
        Dial { attempts, connection }
    }
}

impl Member for Counted<SimNetwork> {
    fn listens(&self) -> Vec<Multiaddr> {
        self.inner.listens()
    }

    fn say(&self, says: Says) {
        self.inner.say(says);
    }

    fn protect(&self, peer: PeerId, spared: bool) {
        self.inner.protect(peer, spared);
    }

    async fn accept(&self) -> Option<Accepted<CountedConnection>> {
        let Accepted { id, peer, remote, connection } = self.inner.accept().await?;
        Some(Accepted { id, peer, remote, connection: self.counted(peer, connection) })
    }

    async fn leave(self) {
        self.inner.leave().await;
    }
}

impl Connection for CountedConnection {
    fn endpoint(&self) -> &Endpoint {
        self.inner.endpoint()
    }

    fn open(&mut self, protocol: &str, max_message_bytes: usize) -> StreamId {
        if protocol == AMINO_PROTOCOL {
            self.asked.lock().expect("nobody panics").push((self.peer, Instant::now()));
        }
        self.inner.open(protocol, max_message_bytes)
    }

    fn send(&mut self, stream: StreamId, message: &[u8]) {
        self.inner.send(stream, message);
    }

    fn finish(&mut self, stream: StreamId) {
        self.inner.finish(stream);
    }

    fn reset(&mut self, stream: StreamId) {
        self.inner.reset(stream);
    }

    async fn next(&mut self) -> Result<Event, Failure> {
        self.inner.next().await
    }

    fn round_trip(&self) -> Option<RoundTrip> {
        self.inner.round_trip()
    }

    fn traffic(&self) -> Traffic {
        self.inner.traffic()
    }

    async fn close(self) {
        self.inner.close().await;
    }
}
