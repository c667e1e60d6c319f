//! What comes of one address, without waiting for it.

use std::{sync::atomic::Ordering, time::Duration};

use kad::{
    failure::{Failure, FailureClass, Phase},
    network::{Security, Transport, WssCertificate},
    policy::Target,
};
use libp2p_identity::PeerId;
use net::session::Securities;

use super::{Caller, Shared, presence};
use crate::{
    luck::Luck,
    state::{Stage, State},
};

/// What a lost packet costs while a connection is opened: the first retransmission of a SYN (RFC 6298, 2.1).
const CONNECT_RETRANSMISSION: Duration = Duration::from_secs(1);

/// What it costs later: Linux's least retransmission timeout.
const RETRANSMISSION: Duration = Duration::from_millis(200);

/// What comes of an address.
#[derive(Debug)]
pub(super) enum Fate {
    /// It fails, this long after the attempt began.
    Failed(Duration, Failure),
    /// It leads to a peer.
    Reached(Duration, Reached),
}

impl Fate {
    /// What comes of it where an attempt may take this long.
    pub(super) fn within(self, limit: Duration) -> Self {
        match self {
            Self::Failed(took, _) | Self::Reached(took, _) if took > limit => {
                Self::Failed(limit, Failure::new(Phase::Connect, FailureClass::Timeout))
            }
            fate => fate,
        }
    }
}

/// Who is at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// A peer of the world, by its number.
    Virtual(u32),
    /// A peer of ours, by its number among those that joined.
    Ours(u64),
}

/// The other end of an attempt that succeeds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reached {
    /// Who it is.
    pub(super) who: Who,
    /// The way there and back.
    pub(super) rtt: Duration,
    /// Where, and over what.
    pub(super) target: Target,
    pub(super) security: Security,
    /// What it shows below a secure WebSocket, to who trusts the root of its world.
    pub(super) certificate: Option<WssCertificate>,
    /// The position of the address in the dial.
    pub(super) address: usize,
}

/// What comes of dialling `peer` at a socket.
pub(super) fn fate(caller: &Caller, peer: &PeerId, position: usize, target: Target) -> Fate {
    let world = &caller.shared.world;
    let ports = world.ports();
    let port = target.addr().port();
    let transport = target.transport();
    if let Some(other) = caller.shared.members.at(target) {
        let reached = reached(caller, Who::Ours(other.number()), position, target);
        if other.is_full() {
            return Fate::Failed(reached.rtt, Failure::new(Phase::Connect, FailureClass::ConnectionReset));
        }
        return handshake(caller, (peer, &other.id()), State::Online, reached);
    }
    if port == ports.dropping {
        return timeout(caller, Phase::Connect);
    }
    if let Some(fate) = presence::fate(caller, peer, position, target) {
        return fate;
    }
    let ip = target.addr().ip();
    if world.ground.is_unrouted(ip) {
        let failure = Failure::new(Phase::Connect, FailureClass::NetworkUnreachable);
        return Fate::Failed(Duration::ZERO, failure);
    }
    let Some(number) = world.resident(target.addr(), transport) else {
        return refused(caller, Duration::ZERO);
    };
    let who = Who::Virtual(number);
    let rtt = caller.rtt(who);
    let state = world.state(number);
    if !world.carrier(number).speaks(transport) || !state.listens() {
        return refused(caller, rtt);
    }
    handshake(caller, (peer, &world.peer_id(number)), state, reached(caller, who, position, target))
}

/// A peer that is reached at a socket.
pub(super) fn reached(caller: &Caller, who: Who, address: usize, target: Target) -> Reached {
    let securities = match who {
        Who::Virtual(peer) => caller.shared.world.securities(peer),
        Who::Ours(_) => Securities::Any,
    };
    let security = match (target.transport(), securities) {
        (Transport::Quic, _) | (_, Securities::Tls) => Security::Tls,
        _ => Security::Noise,
    };
    let shown = if caller.shared.world.is_public() { WssCertificate::Root } else { WssCertificate::Libp2p };
    let certificate = (target.transport() == Transport::Wss).then_some(shown);
    Reached { who, rtt: caller.rtt(who), target, security, certificate, address }
}

/// The fate of an attempt whose peer listens. It is the second of these; the first was expected.
pub(super) fn handshake(
    caller: &Caller,
    (expected, proved): (&PeerId, &PeerId),
    state: State,
    reached: Reached,
) -> Fate {
    let delay = misfortune(caller, reached.who);
    let (connected, authenticated, phase) = match reached.target.transport() {
        // QUIC opens and authenticates in one round trip.
        Transport::Quic => (reached.rtt + delay, reached.rtt + delay, Phase::Connect),
        _ => (reached.rtt, 2 * reached.rtt + delay, Phase::Secure),
    };
    let fail = |after, phase, class| {
        if after > caller.shared.limits.address_timeout {
            timeout(caller, phase)
        } else {
            Fate::Failed(after, Failure::new(phase, class))
        }
    };
    match state {
        State::Silent(Stage::Accept | Stage::Secure) => timeout(caller, phase),
        State::Reset(Stage::Accept) => fail(connected, phase, FailureClass::ConnectionReset),
        State::Reset(Stage::Secure) => fail(authenticated, phase, FailureClass::ConnectionReset),
        State::Garbage(Stage::Secure) => fail(authenticated, phase, FailureClass::Malformed),
        State::WrongPeerId => fail(authenticated, Phase::Secure, FailureClass::PeerIdMismatch),
        _ if proved != expected => fail(authenticated, Phase::Secure, FailureClass::PeerIdMismatch),
        _ if authenticated > caller.shared.limits.address_timeout => timeout(caller, phase),
        _ => Fate::Reached(authenticated, reached),
    }
}

/// What bad luck adds to the next attempt at a peer: see [`Attempts`](crate::scenario::Attempts).
fn misfortune(caller: &Caller, who: Who) -> Duration {
    // On the wire nothing befalls peers of ours: their sockets are no part of the testnet.
    let Who::Virtual(peer) = who else { return Duration::ZERO };
    let Shared { world, attempts, .. } = &*caller.shared;
    let attempt = attempts[peer as usize].fetch_add(1, Ordering::Relaxed);
    let mut luck = Luck::new(world.scenario().seed, peer, attempt);
    let attempts = world.scenario().attempts;
    let late = if luck.strikes(attempts.late_share.get()) { attempts.late_ms.into() } else { 0 };
    let mut delay = Duration::from_millis(late);
    if luck.strikes(attempts.loss.get()) {
        delay += CONNECT_RETRANSMISSION;
    }
    if luck.strikes(attempts.loss.get()) {
        delay += RETRANSMISSION;
    }
    delay
}

/// Nobody listens: the host says so, to TCP by a reset, to QUIC by ICMP.
pub(super) fn refused(caller: &Caller, rtt: Duration) -> Fate {
    if rtt > caller.shared.limits.address_timeout {
        return timeout(caller, Phase::Connect);
    }
    Fate::Failed(rtt, Failure::new(Phase::Connect, FailureClass::ConnectionRefused))
}

pub(super) fn timeout(caller: &Caller, phase: Phase) -> Fate {
    Fate::Failed(caller.shared.limits.address_timeout, Failure::new(phase, FailureClass::Timeout))
}
