//! A world in which the connections of ours can be counted.

use std::sync::atomic::{AtomicUsize, Ordering};

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
pub(super) struct Counted<T> {
    pub(super) inner: T,
    pub(super) open: Arc<()>,
    pub(super) dials: Arc<AtomicUsize>,
}

impl<T> Counted<T> {
    fn around<U>(&self, inner: U) -> Counted<U> {
        Counted { inner, open: Arc::clone(&self.open), dials: Arc::clone(&self.dials) }
    }
}

/// One connection.
pub(super) struct CountedConnection(
    SimConnection,
    #[expect(dead_code, reason = "it counts while it is held")] Arc<()>,
);

impl Fabric for Counted<SimFabric> {
    type Member = Counted<SimNetwork>;
    type Error = SimError;

    async fn join<S: Service>(&self, terms: Terms, service: Arc<S>) -> Result<Self::Member, SimError> {
        Ok(self.around(self.inner.join(terms, service).await?))
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
        let connection = connection.map(|connection| CountedConnection(connection, Arc::clone(&self.open)));
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
        Some(Accepted { id, peer, remote, connection: CountedConnection(connection, Arc::clone(&self.open)) })
    }

    async fn leave(self) {
        self.inner.leave().await;
    }
}

impl Connection for CountedConnection {
    fn endpoint(&self) -> &Endpoint {
        self.0.endpoint()
    }

    fn open(&mut self, protocol: &str, max_message_bytes: usize) -> StreamId {
        self.0.open(protocol, max_message_bytes)
    }

    fn send(&mut self, stream: StreamId, message: &[u8]) {
        self.0.send(stream, message);
    }

    fn finish(&mut self, stream: StreamId) {
        self.0.finish(stream);
    }

    fn reset(&mut self, stream: StreamId) {
        self.0.reset(stream);
    }

    async fn next(&mut self) -> Result<Event, Failure> {
        self.0.next().await
    }

    fn round_trip(&self) -> Option<RoundTrip> {
        self.0.round_trip()
    }

    fn traffic(&self) -> Traffic {
        self.0.traffic()
    }

    async fn close(self) {
        self.0.close().await;
    }
}
