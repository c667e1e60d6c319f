//! A connection over whichever transport won the dial.

use kad::{
    failure::Failure,
    network::{Connection, Endpoint, Event, RoundTrip, StreamId, Traffic},
};

use crate::{dialled::Dialled, link::Link, quic::QuicLink};

/// A connection that we opened.
#[derive(Debug)]
pub struct AnyConnection(Kind);

#[derive(Debug)]
enum Kind {
    Tcp(Box<Dialled<Link>>),
    Quic(Box<Dialled<QuicLink>>),
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
    pub(crate) fn tcp(connection: Dialled<Link>) -> Self {
        Self(Kind::Tcp(Box::new(connection)))
    }

    pub(crate) fn quic(connection: Dialled<QuicLink>) -> Self {
        Self(Kind::Quic(Box::new(connection)))
    }

    /// Says which of the addresses it was.
    pub(crate) fn set_address(&mut self, index: usize) {
        each!(&mut self.0, connection => connection.endpoint.address = index);
    }
}

impl Connection for AnyConnection {
    fn endpoint(&self) -> &Endpoint {
        each!(&self.0, connection => connection.endpoint())
    }

    fn open(&mut self, protocol: &str, max_message_bytes: usize) -> StreamId {
        each!(&mut self.0, connection => connection.open(protocol, max_message_bytes))
    }

    fn send(&mut self, stream: StreamId, message: &[u8]) {
        each!(&mut self.0, connection => connection.send(stream, message));
    }

    fn finish(&mut self, stream: StreamId) {
        each!(&mut self.0, connection => connection.finish(stream));
    }

    fn reset(&mut self, stream: StreamId) {
        each!(&mut self.0, connection => connection.reset(stream));
    }

    async fn next(&mut self) -> Result<Event, Failure> {
        each!(&mut self.0, connection => connection.next().await)
    }

    fn round_trip(&self) -> Option<RoundTrip> {
        each!(&self.0, connection => connection.round_trip())
    }

    fn traffic(&self) -> Traffic {
        each!(&self.0, connection => connection.traffic())
    }

    async fn close(self) {
        each!(self.0, connection => connection.close().await);
    }
}
