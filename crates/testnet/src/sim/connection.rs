//! A connection of a peer of ours in virtual time: with a peer of the world, or with another one of ours.

use std::sync::Arc;

use kad::{
    fabric::{Accepted, CloseReason, Direction},
    failure::{Failure, FailureClass, Phase},
    network::{Connection, Endpoint, Event, RoundTrip, RttSource, StreamId, Traffic, Transport},
};
use libp2p_identity::PeerId;
use multiaddr::Multiaddr;

use super::{
    Caller,
    between::{Between, Places},
    fate::{Reached, Who},
    line::{End, Passage},
    ours::{Ours, place},
    ticket::{Other, Ticket},
    toward::Toward,
};

/// Bytes of a handshake, each way, as an estimate: Noise XX with Ed25519 and the negotiations around it.
pub(super) const HANDSHAKE_BYTES: u64 = 380;

/// Bytes around each message, as an estimate: its length, a frame of yamux and one of Noise.
pub(super) const FRAME_BYTES: u64 = 2 + 12 + 18;

/// A connection in virtual time.
#[derive(Debug)]
pub struct SimConnection {
    endpoint: Endpoint,
    round_trip: RoundTrip,
    ours: Arc<Ours>,
    way: Way,
    /// `None` for a peer of ours that did not join.
    ticket: Option<Ticket>,
}

/// With whom.
enum Way {
    Virtual(Box<Toward>),
    Ours(Box<Between>),
}

impl std::fmt::Debug for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Virtual(_) => "Virtual",
            Self::Ours(_) => "Ours",
        })
    }
}

impl SimConnection {
    /// With whom a dial of this address reached; `None` if it was one of ours that has left.
    pub(super) fn dialled(caller: &Caller, reached: Reached, address: Multiaddr) -> Option<Self> {
        match reached.who {
            Who::Virtual(peer) => {
                let way = Way::Virtual(Box::new(Toward::new(caller, peer, reached.target, reached.rtt)));
                let ours = &caller.ours;
                let ticket = ours.is_member().then(|| {
                    let id = caller.shared.members.next_connection();
                    let with = (caller.shared.world.peer_id(peer), address);
                    let other = Other::Virtual(peer, reached.target);
                    Ticket::new((ours, id), Direction::Outbound, with, other)
                });
                Some(Self::new(reached, Arc::clone(ours), way, ticket))
            }
            Who::Ours(number) => {
                let other = caller.shared.members.get(number)?;
                let between = [caller.ours.region(), other.region()];
                let outages = Arc::clone(&caller.shared.outages);
                let [here, there] = End::pair(Passage { one_way: reached.rtt / 2, between, outages });
                let local = caller.ours.seen(reached.target);
                let at = place(reached.target, reached.target.addr());
                let outward = Places { remote: address, local: local.clone() };
                let with = (other.id(), outward);
                let dialled = Self::between(caller, &caller.ours, (here, Direction::Outbound), with, reached);
                let inward = Places { remote: local, local: at };
                let back = Reached { address: 0, target: caller.ours.seen_at(reached.target), ..reached };
                let with = (caller.ours.id(), inward);
                let accepted = Self::between(caller, &other, (there, Direction::Inbound), with, back);
                other.hold(accepted);
                Some(dialled)
            }
        }
    }

    /// One end of a connection between two of ours.
    fn between(
        caller: &Caller,
        ours: &Arc<Ours>,
        (end, direction): (Arc<End>, Direction),
        (peer, places): (PeerId, Places),
        reached: Reached,
    ) -> Self {
        let id = caller.shared.members.next_connection();
        let with = (peer, places.remote.clone());
        let ticket = Ticket::new((ours, id), direction, with, Other::Ours(Arc::clone(&end)));
        let way = Way::Ours(Box::new(Between::new((ours, end), direction, peer, places)));
        Self::new(reached, Arc::clone(ours), way, Some(ticket))
    }

    fn new(reached: Reached, ours: Arc<Ours>, way: Way, ticket: Option<Ticket>) -> Self {
        let Reached { rtt, target, security, address, certificate, .. } = reached;
        let (transport, socket) = (target.transport(), target.addr());
        let ip_version = if socket.is_ipv4() { 4 } else { 6 };
        let source = if transport == Transport::Quic { RttSource::Quic } else { RttSource::Handshake };
        Self {
            endpoint: Endpoint { address, transport, security, certificate, ip_version, socket },
            round_trip: RoundTrip { time: rtt, source },
            ours,
            way,
            ticket,
        }
    }

    /// The same, as it is handed out; `None` for a peer that did not join.
    pub(super) fn into_accepted(self) -> Option<Accepted<Self>> {
        let (id, peer, remote) = self.ticket.as_ref()?.ends();
        Some(Accepted { id, peer, remote, connection: self })
    }

    /// Tells the place of the connection what it has come to.
    fn note(&mut self, end: Option<&(CloseReason, Failure)>) {
        let traffic = self.traffic();
        let Some(ticket) = &mut self.ticket else { return };
        ticket.note(traffic);
        if let Way::Virtual(toward) = &self.way
            && toward.is_interested()
        {
            ticket.is_asked();
        }
        if let Some((reason, failure)) = end {
            ticket.end(*reason, failure);
        }
    }
}

/// What the end of a connection with a virtual peer means.
fn reason(failure: &Failure) -> CloseReason {
    match failure.class {
        FailureClass::ConnectionClosed => CloseReason::PeerHungUp,
        _ => CloseReason::Failed,
    }
}

impl Connection for SimConnection {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn open(&mut self, protocol: &str, max_message_bytes: usize) -> StreamId {
        match &mut self.way {
            Way::Virtual(toward) => toward.open(protocol, max_message_bytes),
            Way::Ours(between) => between.open(protocol, max_message_bytes),
        }
    }

    fn send(&mut self, stream: StreamId, message: &[u8]) {
        match &mut self.way {
            Way::Virtual(toward) => toward.send(stream, message),
            Way::Ours(between) => between.send(stream, message),
        }
    }

    fn finish(&mut self, stream: StreamId) {
        match &mut self.way {
            Way::Virtual(toward) => toward.finish(stream),
            Way::Ours(between) => between.finish(stream),
        }
    }

    fn reset(&mut self, stream: StreamId) {
        match &mut self.way {
            Way::Virtual(toward) => toward.reset(stream),
            Way::Ours(between) => between.reset(stream),
        }
    }

    async fn next(&mut self) -> Result<Event, Failure> {
        let leaving = self.ticket.as_ref().map(|_| self.ours.leaving().clone());
        let happening = async {
            match &mut self.way {
                Way::Virtual(toward) => toward.next().await.map_err(|failure| (reason(&failure), failure)),
                Way::Ours(between) => between.next().await,
            }
        };
        let happened = match leaving {
            Some(leaving) => leaving.run_until_cancelled(happening).await.unwrap_or_else(|| {
                let failure = Failure::new(Phase::Request, FailureClass::Cancelled);
                Err((CloseReason::Left, failure))
            }),
            None => happening.await,
        };
        self.note(happened.as_ref().err());
        happened.map_err(|(_, failure)| failure)
    }

    fn round_trip(&self) -> Option<RoundTrip> {
        Some(self.round_trip)
    }

    fn traffic(&self) -> Traffic {
        match &self.way {
            Way::Virtual(toward) => toward.traffic(),
            Way::Ours(between) => between.traffic(),
        }
    }

    async fn close(mut self) {
        if let Way::Ours(between) = &mut self.way {
            between.close();
        }
        self.note(None);
    }
}
