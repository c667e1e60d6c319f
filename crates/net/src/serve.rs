//! Answers peers: any number of heads (virtual peers) behind one listening socket.
//!
//! [`listen`] (and [`listen_ws`], [`listen_wss`], [`listen_quic`]) accepts connections and asks a closure which [`Head`] was reached at the socket's local address;
//! [`serve_connection`] talks to one peer. Identify and ping are answered here, requests of kad by the head's
//! [`Service`], which can also ask whoever sends requests who it is ([`Service::met`]). A head can be made to misbehave at any phase ([`Disruption`]) or to be far away ([`Pace`]).

mod accept;
mod asking;
mod connection;
mod quic;
mod requests;
mod serving;

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use kad::{Multiaddr, PeerId, failure::Phase, identify::Identify};
use tokio::time::Instant;

pub use accept::{bind, bind_on, listen, listen_ws, listen_wss};
pub use connection::serve_connection;
pub use quic::listen_quic;

pub use crate::{
    interface::Interface,
    quic::{bind_quic, bind_quic_on},
};

use crate::{
    identity::Identity,
    introduction::{Introduction, protocols},
    session::{Protocol, Securities},
    tls::NamedCertificate,
};

/// Answers requests of kad.
pub trait Service: Send + Sync + 'static {
    /// Answers one request. Requests of one stream are answered one after the other, those of different streams at
    /// the same time.
    fn answer(&self, request: Request) -> impl Future<Output = Answer> + Send;

    /// Whether a peer is to be asked who it is; decided when its first request comes on a connection. If so, the
    /// connection has one stream of identify more, and what comes of it goes to [`met`](Self::met). By default nobody is
    /// asked.
    fn asks(&self, from: PeerId) -> bool {
        let _ = from;
        false
    }

    /// A peer that has sent a request says who it is: at most once a connection because it was asked, and whenever it
    /// says unasked that something has changed. Must not take long: the connection waits.
    fn met(&self, introduced: Introduced) {
        drop(introduced);
    }
}

/// One request of a peer.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who asks, authenticated.
    pub from: PeerId,
    /// Where the asker is.
    pub remote: SocketAddr,
    /// The address at which the head was reached.
    pub local: SocketAddr,
    /// On which of the head's kad protocols, by its position in the list given to [`Profile::new`].
    pub protocol: usize,
    /// When the request came, so that a delay can count from there.
    pub received: Instant,
    /// The message, without its length.
    pub message: Vec<u8>,
}

/// Who a peer says it is. Its id is proved, all else is what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Introduced {
    /// Who it is, authenticated.
    pub peer: PeerId,
    /// Where it is seen. Of a connection that the peer opened this is no address at which it listens.
    pub remote: SocketAddr,
    /// The address at which the head was reached.
    pub local: SocketAddr,
    /// What it says. What it pushed unasked may leave out what has not changed: a list that is empty, a text that is
    /// `None`.
    pub identify: Identify,
}

/// What to do about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Send this message; its length is put before it.
    Reply(Vec<u8>),
    /// Send nothing: the request asks for no answer.
    Nothing,
    /// Close our half of the stream; further requests on it are dropped.
    CloseStream,
    /// Reset the stream.
    ResetStream,
    /// Reset the connection (TCP RST).
    ResetConnection,
}

/// What heads of one kind have in common.
#[derive(Debug, Clone)]
pub struct Profile {
    agent: String,
    protocols: Arc<[Protocol]>,
}

impl Profile {
    /// An agent string and the names of the kad protocols that are served.
    pub fn new(agent: &str, kad_protocols: &[&str]) -> Self {
        Self { agent: agent.to_owned(), protocols: protocols(kad_protocols) }
    }
}

/// One peer that is served here.
#[derive(Debug)]
pub struct Head<S> {
    identity: Identity,
    introduction: Introduction,
    protocols: Arc<[Protocol]>,
    service: S,
    disruption: Option<Disruption>,
    pace: Pace,
    securities: Securities,
    certificate: Option<NamedCertificate>,
}

impl<S: Service> Head<S> {
    /// A head that announces `listen_addrs` and answers by `service`.
    pub fn new(identity: Identity, profile: &Profile, listen_addrs: &[Multiaddr], service: S) -> Self {
        let introduction = Introduction::new(&identity, &profile.agent, &profile.protocols, listen_addrs);
        let protocols = Arc::clone(&profile.protocols);
        let (disruption, pace, securities) = (None, Pace::default(), Securities::Any);
        let certificate = None;
        Self { identity, introduction, protocols, service, disruption, pace, securities, certificate }
    }

    /// The same head, but misbehaving.
    #[must_use]
    pub fn with_disruption(mut self, disruption: Disruption) -> Self {
        self.disruption = Some(disruption);
        self
    }

    /// The same head, but slow.
    #[must_use]
    pub fn with_pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// The same head, but with only this to secure connections over TCP and WebSocket. QUIC has TLS always.
    #[must_use]
    pub fn with_securities(mut self, securities: Securities) -> Self {
        self.securities = securities;
        self
    }

    /// The same head, but showing this certificate below a secure WebSocket instead of libp2p's own.
    #[must_use]
    pub fn with_certificate(mut self, certificate: Option<NamedCertificate>) -> Self {
        self.certificate = certificate;
        self
    }

    /// The head's peer id.
    pub fn peer_id(&self) -> PeerId {
        self.identity.peer_id()
    }

    /// What answers the requests.
    pub fn service(&self) -> &S {
        &self.service
    }
}

/// A fault of a head, for testnets.
///
/// | phase | when it happens |
/// |---|---|
/// | `Dns`, `Connect` | the connection was accepted |
/// | `Secure` | the peer's first bytes came; none of ours was sent |
/// | `Multiplex` | the peer is authenticated; its proposal of a multiplexer stays without an answer |
/// | `Stream` | the multiplexer was agreed on; proposals on streams stay without an answer |
/// | `Identify` | instead of the answer to identify (the stream, not the connection, is disrupted) |
/// | `Request` | instead of the answer to the first request |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disruption {
    /// When.
    pub phase: Phase,
    /// What.
    pub action: Action,
}

/// What a disrupted head does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Resets the connection (in phase `Identify` the stream).
    Reset,
    /// Closes the connection in good order (in phase `Identify` the stream).
    Close,
    /// Says nothing more, and keeps the connection open.
    Silence,
    /// Sends bytes that are no protocol (in phases `Identify` and `Request` a message that does not decode).
    Garbage,
}

/// How far away a head seems.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pace {
    /// Before the first bytes are sent on a connection, on top of `flight`.
    pub accept: Duration,
    /// Before each flight of bytes is sent.
    pub flight: Duration,
}

/// Bounds of a listening side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most connections at once; further ones are reset on arrival.
    pub connections: usize,
    /// How long a peer may take to prove who it is.
    pub handshake: Duration,
    /// How long a stream may be without a message.
    pub idle_stream: Duration,
    /// How long a connection may be without a stream.
    pub idle_connection: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 16_384,
            handshake: Duration::from_secs(15),
            idle_stream: Duration::from_secs(60),
            idle_connection: Duration::from_secs(300),
        }
    }
}
