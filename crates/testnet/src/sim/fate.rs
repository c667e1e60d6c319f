//! What comes of one address, without waiting for it.

use std::{net::SocketAddr, sync::atomic::Ordering, time::Duration};

use kad::{
    failure::{Failure, FailureClass, Phase},
    network::{Security, Transport},
};
use libp2p_identity::PeerId;
use net::{address::Target, session::Securities};

use super::{Shared, presence};
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

/// The other end of an attempt that succeeds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reached {
    /// The peer's number.
    pub(super) peer: u32,
    /// The way there and back.
    pub(super) rtt: Duration,
    pub(super) transport: Transport,
    pub(super) security: Security,
    pub(super) ip_version: u8,
    pub(super) socket: SocketAddr,
    /// The position of the address in the dial.
    pub(super) address: usize,
}

/// What comes of dialling `peer` at a socket.
pub(super) fn fate(shared: &Shared, peer: &PeerId, position: usize, target: Target) -> Fate {
    let world = &shared.world;
    let ports = world.ports();
    let port = target.addr().port();
    let transport = target.transport();
    if port == ports.dropping {
        return timeout(shared, Phase::Connect);
    }
    if let Some(fate) = presence::fate(shared, peer, position, target) {
        return fate;
    }
    let ip = target.addr().ip();
    if world.ground.is_unrouted(ip) {
        let failure = Failure::new(Phase::Connect, FailureClass::NetworkUnreachable);
        return Fate::Failed(Duration::ZERO, failure);
    }
    let Some(number) = world.resident(target.addr(), transport) else {
        return refused(shared, Duration::ZERO);
    };
    let rtt = world.rtt(number);
    let state = world.state(number);
    if !world.carrier(number).speaks(transport) || !state.listens() {
        return refused(shared, rtt);
    }
    handshake(shared, peer, state, reached(shared, number, position, target))
}

/// A peer that is reached at a socket.
pub(super) fn reached(shared: &Shared, peer: u32, address: usize, target: Target) -> Reached {
    let transport = target.transport();
    let security = match (transport, shared.world.securities(peer)) {
        (Transport::Quic, _) | (_, Securities::Tls) => Security::Tls,
        _ => Security::Noise,
    };
    let ip_version = if target.addr().is_ipv4() { 4 } else { 6 };
    let (rtt, socket) = (shared.world.rtt(peer), target.addr());
    Reached { peer, rtt, transport, security, ip_version, socket, address }
}

/// The fate of an attempt whose peer listens.
pub(super) fn handshake(shared: &Shared, expected: &PeerId, state: State, reached: Reached) -> Fate {
    let delay = misfortune(shared, reached.peer);
    let (connected, authenticated, phase) = match reached.transport {
        // QUIC opens and authenticates in one round trip.
        Transport::Quic => (reached.rtt + delay, reached.rtt + delay, Phase::Connect),
        _ => (reached.rtt, 2 * reached.rtt + delay, Phase::Secure),
    };
    let fail = |after, phase, class| {
        if after > shared.config.address_timeout {
            timeout(shared, phase)
        } else {
            Fate::Failed(after, Failure::new(phase, class))
        }
    };
    match state {
        State::Silent(Stage::Accept | Stage::Secure) => timeout(shared, phase),
        State::Reset(Stage::Accept) => fail(connected, phase, FailureClass::ConnectionReset),
        State::Reset(Stage::Secure) => fail(authenticated, phase, FailureClass::ConnectionReset),
        State::Garbage(Stage::Secure) => fail(authenticated, phase, FailureClass::Malformed),
        State::WrongPeerId => fail(authenticated, Phase::Secure, FailureClass::PeerIdMismatch),
        _ if shared.world.peer_id(reached.peer) != *expected => {
            fail(authenticated, Phase::Secure, FailureClass::PeerIdMismatch)
        }
        _ if authenticated > shared.config.address_timeout => timeout(shared, phase),
        _ => Fate::Reached(authenticated, reached),
    }
}

/// What bad luck adds to the next attempt at a peer: see [`Attempts`](crate::scenario::Attempts).
fn misfortune(shared: &Shared, peer: u32) -> Duration {
    let attempts = shared.world.scenario().attempts;
    let attempt = shared.attempts[peer as usize].fetch_add(1, Ordering::Relaxed);
    let mut luck = Luck::new(shared.world.scenario().seed, peer, attempt);
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
pub(super) fn refused(shared: &Shared, rtt: Duration) -> Fate {
    if rtt > shared.config.address_timeout {
        return timeout(shared, Phase::Connect);
    }
    Fate::Failed(rtt, Failure::new(Phase::Connect, FailureClass::ConnectionRefused))
}

pub(super) fn timeout(shared: &Shared, phase: Phase) -> Fate {
    Fate::Failed(shared.config.address_timeout, Failure::new(phase, FailureClass::Timeout))
}
