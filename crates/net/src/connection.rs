//! A connection over whichever transport it is, and whoever opened it.

use kad::{
    Multiaddr,
    failure::Failure,
    network::{Connection, Endpoint, Event, RoundTrip, StreamId, Traffic},
};

use crate::{
    carrier::Carrier, duplex::Duplex, limits::ListenLimits, link::Link, quic::QuicLink, registry::Ticket,
};

/// A connection with a peer that has proved who it is.
#[derive(Debug)]
pub struct AnyConnection(Kind);

/// How the peer was reached, and what is said.
type Held<C> = Box<(Endpoint, Duplex<C>)>;

#[derive(Debug)]
enum Kind {
    Tcp(Held<Link>),
    Quic(Held<QuicLink>),
}

/// The same call on whichever it is.
macro_rules! each {
    ($kind:expr, $connection:ident => $call:expr) => {
        match $kind {
            Kind::Tcp($connection) => $call,
            Kind::Quic($connection) => $call,
        }
    };
}

impl AnyConnection {
    pub(crate) fn tcp(connection: (Endpoint, Duplex<Link>)) -> Self {
        Self(Kind::Tcp(Box::new(connection)))
    }

    pub(crate) fn quic(connection: (Endpoint, Duplex<QuicLink>)) -> Self {
        Self(Kind::Quic(Box::new(connection)))
    }

    /// Says which of the addresses it was.
    pub(crate) fn set_address(&mut self, index: usize) {
        each!(&mut self.0, held => held.0.address = index);
    }
}

impl AnyConnection {
    /// Where the peer is seen.
    pub(crate) fn remote(&self) -> Multiaddr {
        each!(&self.0, held => held.1.carrier().observed())
    }

    /// Puts a connection that we opened among those of a peer that serves.
    pub(crate) fn join(&mut self, ticket: Ticket, limits: ListenLimits) {
        each!(&mut self.0, held => held.1.join(ticket, limits));
    }
}

impl Connection for AnyConnection {
    fn endpoint(&self) -> &Endpoint {
        each!(&self.0, held => &held.0)
    }

    fn open(&mut self, protocol: &str, max_message_bytes: usize) -> StreamId {
        each!(&mut self.0, held => held.1.open(protocol, max_message_bytes))
    }

    fn send(&mut self, stream: StreamId, message: &[u8]) {
        each!(&mut self.0, held => held.1.send(stream, message));
    }

    fn finish(&mut self, stream: StreamId) {
        each!(&mut self.0, held => held.1.finish(stream));
    }

    fn reset(&mut self, stream: StreamId) {
        each!(&mut self.0, held => held.1.reset(stream));
    }

    async fn next(&mut self) -> Result<Event, Failure> {
        each!(&mut self.0, held => held.1.next().await)
    }

    fn round_trip(&self) -> Option<RoundTrip> {
        each!(&self.0, held => held.1.round_trip())
    }

    fn traffic(&self) -> Traffic {
        each!(&self.0, held => held.1.traffic())
    }

    async fn close(self) {
        each!(self.0, held => held.1.close().await);
    }
}
