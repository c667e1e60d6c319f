//! Peers that come and go, as who dials them meets them, and what becomes of their connections.

use std::time::Duration;

use kad::{
    failure::{Failure, FailureClass, Phase},
    network::{AddressOutcome, Attempt, Transport},
    policy::Target,
};
use libp2p_identity::PeerId;
use tokio::time::Instant;

use super::{
    Caller, Shared,
    fate::{Fate, Reached, Who, handshake, reached, refused, timeout},
};
use crate::{
    life::{Life, Moment},
    scenario::life::Absence,
    state::State,
};

impl Shared {
    /// When the session of a peer ends, and how; `None` for one that is always there.
    pub(super) fn end_of_session(&self, peer: u32) -> Option<(Instant, Absence)> {
        let living = self.living.as_ref()?;
        let absence = self.world.cast.absence(peer)?;
        // Who went since it was asked whether it was there has gone now.
        let end = living.look(|life, now| life.end_of_session(peer).unwrap_or(now));
        Some((living.clock().instant(end), absence))
    }

    /// Whether a peer that was reached in a dial that began at `begun` has gone before it ended, and how.
    pub(super) fn lost(&self, reached: &Reached, begun: Instant) -> Option<(Phase, Absence)> {
        let phase =
            if reached.target.transport() == Transport::Quic { Phase::Connect } else { Phase::Secure };
        let peer = match reached.who {
            Who::Virtual(peer) => peer,
            Who::Ours(number) => {
                return self.members.get(number).is_none().then_some((phase, Absence::Refused));
            }
        };
        let living = self.living.as_ref()?;
        let absence = self.world.cast.absence(peer)?;
        let begun = living.clock().at(begun);
        let stays = |life: &Life, _: Moment| {
            life.presence(peer).is_none_or(|presence| presence.last.holds(begun) && presence.is_up())
        };
        (!living.look(stays)).then_some((phase, absence))
    }
}

/// An attempt that had reached its peer fails after all: at once, or when time is up.
pub(super) async fn lose(attempt: Option<&mut Attempt>, (phase, absence): (Phase, Absence), limit: Duration) {
    let Some(attempt) = attempt else { return };
    let class = if absence == Absence::Refused {
        FailureClass::ConnectionReset
    } else {
        let took = attempt.took.replace(limit).unwrap_or_default();
        tokio::time::sleep(limit.saturating_sub(took)).await;
        FailureClass::Timeout
    };
    attempt.outcome = AddressOutcome::Failed(Failure::new(phase, class));
}

/// What comes of dialling `expected` at a socket where somebody comes and goes; `None` for other sockets.
pub(super) fn fate(caller: &Caller, expected: &PeerId, position: usize, target: Target) -> Option<Fate> {
    let shared = &caller.shared;
    let living = shared.living.as_ref()?;
    let (host, place) = shared.world.host_at(target.addr(), target.transport())?;
    let first = shared.world.cast.ids()[shared.world.cast.hosts()[host].first_id as usize];
    let rtt = caller.rtt(Who::Virtual(first));
    let absence = shared.world.cast.absence(first)?;
    let Some(peer) = living.look(|life, _| life.occupant(host, place)) else {
        return Some(match absence {
            Absence::Refused => refused(caller, rtt),
            Absence::Dropped => timeout(caller, Phase::Connect),
            Absence::Unreachable => {
                Fate::Failed(rtt, Failure::new(Phase::Connect, FailureClass::HostUnreachable))
            }
        });
    };
    let transport = target.transport();
    let is_port = target.addr().port() == shared.world.port(peer, place, transport);
    if !is_port || !shared.world.carrier(peer).speaks(transport) {
        return Some(refused(caller, rtt));
    }
    let at_it = reached(caller, Who::Virtual(peer), position, target);
    Some(handshake(caller, (expected, &shared.world.peer_id(peer)), State::Online, at_it))
}

#[cfg(test)]
mod tests;
