//! The other half of the seam: a network whose peers of ours are dialled as well as dial.
//!
//! [`network`](crate::network) is for those who only ask. A [`Fabric`] is where peers of ours live: sockets or a simulation,
//! with names, limits and counters that all of them share. A peer that [joins](Fabric::join) it becomes a [`Member`]: a
//! [`Network`] that also listens. What others ask of it is answered by its [`Service`], on every connection, whoever opened
//! it. Whoever holds a connection can ask on it, whoever opened it, and answers by asking: what the peer wants is dealt with
//! on the way, while [`next`](crate::network::Connection::next) is awaited. A service may attend to protocols beside kad,
//! too: see [`PeerStream`].
//!
//! What is answered, and what to make of who comes and goes, is left to the service; which rules servers follow is in
//! [`answer`](crate::answer).

mod beside;

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use libp2p_identity::{Keypair, PeerId};
use multiaddr::Multiaddr;

pub use self::beside::{Attending, Carried, OtherProtocol, PeerStream, Reset};
use crate::{
    answer::Answer,
    failure::Failure,
    identify::Identify,
    named,
    network::{Network, Traffic},
};

/// Where peers of ours live. All clones are the same one.
pub trait Fabric: Clone + Send + Sync + 'static {
    /// A peer of ours.
    type Member: Member;

    /// Why a peer cannot join: an address that cannot be listened on, a key that cannot sign.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Lets a peer of ours in. When this returns, it listens. `service` answers what is asked of it.
    fn join<S: Service>(
        &self,
        terms: Terms,
        service: Arc<S>,
    ) -> impl Future<Output = Result<Self::Member, Self::Error>> + Send;
}

/// A peer of ours on a fabric. It leaves by [`leave`](Self::leave), or when its last clone is dropped; connections that
/// it dialled, or that were handed out by [`accept`](Self::accept), end with it.
pub trait Member: Network {
    /// Where it listens: the addresses of [`Terms::listen`] in their order, with the port that the system chose where that
    /// was left to it.
    fn listens(&self) -> Vec<Multiaddr>;

    /// What it says of itself from now on. Peers at the other end of its connections are told (identify's push).
    fn say(&self, says: Says);

    /// Whether connections with that peer are spared when there are too many.
    fn protect(&self, peer: PeerId, spared: bool);

    /// The next connection that a peer opened, where connections are [handed out](Inward::HandedOut); else it waits
    /// until the member leaves. `None` once it has left. Cancel-safe. A connection that nobody takes in time is closed.
    fn accept(&self) -> impl Future<Output = Option<Accepted<Self::Connection>>> + Send;

    /// Leaves: nobody listens any more when this returns, and all connections are closed. Bounded in time.
    fn leave(self) -> impl Future<Output = ()> + Send;
}

/// What a peer of ours does with what others ask of it.
pub trait Service: Send + Sync + 'static {
    /// Answers one request. Requests of one stream are answered one after the other, those of different streams at
    /// the same time.
    fn answer(&self, request: Request) -> impl Future<Output = Answer> + Send;

    /// The protocols beside kad that it attends to, in the order of their numbers. Asked once, when the peer joins. By
    /// default there are none.
    fn others(&self) -> Vec<OtherProtocol> {
        Vec::new()
    }

    /// A peer opened a stream of one of [these](Self::others) protocols: what is done about it, while the connection is
    /// held. Dropped when the stream is over. `None` resets the stream, as by default.
    fn attend(&self, stream: PeerStream) -> Option<Attending> {
        drop(stream);
        None
    }

    /// Whether a peer is to be asked who it is; decided when its first request comes on a connection. If so, what it says
    /// comes as [`Notice::Introduced`]. By default nobody is asked.
    fn asks(&self, from: PeerId) -> bool {
        let _ = from;
        false
    }

    /// Something happened. Must not take long: the connection waits. By default nobody listens.
    fn notice(&self, notice: Notice) {
        drop(notice);
    }
}

/// An answer under way.
pub type Answering = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// A [`Service`] whose type is forgotten: on a fabric the connections of all peers of ours are of one kind.
pub trait AnyService: Send + Sync {
    /// [`Service::answer`].
    fn answer(self: Arc<Self>, request: Request) -> Answering;

    /// [`Service::others`].
    fn others(&self) -> Vec<OtherProtocol>;

    /// [`Service::attend`].
    fn attend(&self, stream: PeerStream) -> Option<Attending>;

    /// [`Service::asks`].
    fn asks(&self, from: PeerId) -> bool;

    /// [`Service::notice`].
    fn notice(&self, notice: Notice);
}

impl<S: Service> AnyService for S {
    fn answer(self: Arc<Self>, request: Request) -> Answering {
        Box::pin(async move { Service::answer(&*self, request).await })
    }

    fn others(&self) -> Vec<OtherProtocol> {
        Service::others(self)
    }

    fn attend(&self, stream: PeerStream) -> Option<Attending> {
        Service::attend(self, stream)
    }

    fn asks(&self, from: PeerId) -> bool {
        Service::asks(self, from)
    }

    fn notice(&self, notice: Notice) {
        Service::notice(self, notice);
    }
}

/// On which terms a peer of ours joins a fabric.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Who it is.
    pub keypair: Keypair,
    /// What it says of itself, until it [says](Member::say) something else.
    pub says: Says,
    /// Where it listens; nowhere, if it only dials.
    pub listen: Vec<Multiaddr>,
    /// What becomes of connections that peers open.
    pub inward: Inward,
}

/// What a peer of ours says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Says {
    /// Its agent string.
    pub agent: String,
    /// The protocols of kad that it serves. None: it is a client, which no server lists.
    pub kad_protocols: Vec<String>,
    /// Where it says that it can be dialled.
    pub addresses: Vec<Multiaddr>,
}

/// What becomes of connections that peers open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Inward {
    /// The fabric holds them as long as they last, and the service answers.
    #[default]
    Served,
    /// They are handed out by [`Member::accept`], to be held, and asked on, by whoever takes them.
    HandedOut,
}

/// A connection of a fabric. Never used twice on the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// A connection that a peer opened.
#[derive(Debug)]
pub struct Accepted<C> {
    /// Its number.
    pub id: ConnectionId,
    /// Who opened it, authenticated.
    pub peer: PeerId,
    /// Where the peer is seen. This is no address at which it listens.
    pub remote: Multiaddr,
    /// The connection itself.
    pub connection: C,
}

/// A request of a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who asks, authenticated.
    pub from: PeerId,
    /// Where the asker is seen.
    pub remote: Multiaddr,
    /// The address of ours at which it is connected.
    pub local: Multiaddr,
    /// On which of our protocols of kad, by its position in [`Says::kad_protocols`].
    pub protocol: usize,
    /// How long the request has waited for its turn on its stream.
    pub waited: Duration,
    /// The message, without its length.
    pub message: Vec<u8>,
}

/// What happens to a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A connection stands.
    Connected(Connected),
    /// A peer says who it is: at most once a connection because it was asked, and whenever it says unasked that something has
    /// changed.
    Introduced(Introduced),
    /// A connection is over.
    Closed(Closed),
}

/// A connection that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// Its number.
    pub id: ConnectionId,
    /// Who is at the other end, authenticated.
    pub peer: PeerId,
    /// Where the peer is seen.
    pub remote: Multiaddr,
    /// Who opened it.
    pub direction: Direction,
}

/// Who a peer says it is. Its id is proved, all else is what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Introduced {
    /// Who it is, authenticated.
    pub peer: PeerId,
    /// Where it is seen. Of a connection that the peer opened this is no address at which it listens.
    pub remote: Multiaddr,
    /// The address of ours at which it is connected.
    pub local: Multiaddr,
    /// What it says. What it pushed unasked may leave out what has not changed: a list that is empty, a text that is
    /// `None`.
    pub identify: Box<Identify>,
}

/// A connection that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// Its number.
    pub id: ConnectionId,
    /// Who was at the other end.
    pub peer: PeerId,
    /// Who opened it.
    pub direction: Direction,
    /// How long it stood.
    pub lasted: Duration,
    /// What went over it.
    pub traffic: Traffic,
    /// Why it ended.
    pub reason: CloseReason,
    /// What went wrong; `None` unless it [failed](CloseReason::Failed).
    pub failure: Option<Failure>,
}

named! {
    /// Who opened a connection.
    pub enum Direction {
        /// We did.
        Outbound = "outbound",
        /// The peer did.
        Inbound = "inbound",
    }
}

named! {
    /// Why a connection ended.
    pub enum CloseReason {
        /// Whoever held it here hung up.
        HungUp = "hung_up",
        /// The peer hung up in good order.
        PeerHungUp = "peer_hung_up",
        /// Something went wrong on it.
        Failed = "failed",
        /// Nothing had happened on it for long.
        Idle = "idle",
        /// There were too many connections.
        Trimmed = "trimmed",
        /// All connections together held too much that waited, and this one much of it.
        Unloaded = "unloaded",
        /// Our peer left the fabric.
        Left = "left",
    }
}

named! {
    /// Why a connection that somebody opened was not let in.
    pub enum Refusal {
        /// There are too many connections.
        Full = "full",
        /// Too many others prove who they are at the moment.
        HalfOpen = "half_open",
        /// Too many connections come from there.
        Source = "source",
        /// The peer has too many connections with ours.
        Peer = "peer",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_variant() {
        assert!(CloseReason::ALL.iter().all(|&r| CloseReason::from_name(r.name()) == Some(r)));
        assert!(Refusal::ALL.iter().all(|&r| Refusal::from_name(r.name()) == Some(r)));
        assert!(Direction::ALL.iter().all(|&d| Direction::from_name(d.name()) == Some(d)));
    }
}
