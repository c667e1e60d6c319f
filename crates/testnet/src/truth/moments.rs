//! What a dial during an interval may come to, when peers come and go within it.

use kad::{failure::FailureClass, network::Transport, policy::Addresses};
use multiaddr::Multiaddr;

use super::{Truth, expected::expected};
use crate::{
    World,
    life::{History, HostPlace, Moment, Stay},
    scenario::life::Absence,
    state::State,
};

const REFUSED: &[&str] = &[FailureClass::ConnectionRefused.name()];
const TIMEOUT: &[&str] = &[FailureClass::Timeout.name()];
const UNREACHABLE: &[&str] = &[FailureClass::HostUnreachable.name(), FailureClass::NetworkUnreachable.name()];

/// A program that ends closes connections of which it had read everything, and resets the others.
const ENDED: &[&str] = &[FailureClass::ConnectionReset.name(), FailureClass::ConnectionClosed.name()];

/// Who still sends may hear of a missing route before time is up.
const SILENT: &[&str] = &[FailureClass::Timeout.name(), FailureClass::HostUnreachable.name()];

/// What may come of a dial, and of the requests after it.
#[derive(Debug, Clone, Default)]
pub(super) struct Outcomes {
    /// At some moment the peer was where it was dialled.
    pub(super) may_connect: bool,
    /// It was so at every moment.
    pub(super) must_connect: bool,
    /// Classes of dials that fail.
    pub(super) refusals: Vec<&'static str>,
    /// Classes of requests that fail.
    pub(super) breaks: Vec<&'static str>,
    /// Whether requests may all be answered.
    pub(super) may_answer: bool,
}

impl Outcomes {
    /// Whether an observer may say this.
    pub(super) fn allow(&self, reachable: bool, class: Option<&str>) -> bool {
        match (reachable, class) {
            (true, None) => self.may_connect && self.may_answer,
            (true, Some(class)) => self.may_connect && self.breaks.contains(&class),
            (false, None) => false,
            (false, Some(class)) => !self.must_connect && self.refusals.contains(&class),
        }
    }

    /// The observer's network was away: for a while, or throughout.
    fn away(&mut self, throughout: bool) {
        self.must_connect = false;
        if throughout {
            self.may_connect = false;
        }
        self.refusals.extend([FailureClass::NetworkUnreachable.name(), FailureClass::Timeout.name()]);
        self.breaks.push(FailureClass::Timeout.name());
    }

    fn refuse(&mut self, absence: Absence, transport: Transport) {
        self.refusals.extend(match absence {
            Absence::Refused => REFUSED,
            Absence::Dropped => TIMEOUT,
            Absence::Unreachable => UNREACHABLE,
        });
        // What an ICMP message says of UDP, not every socket hears.
        if transport == Transport::Quic {
            self.refusals.push(FailureClass::Timeout.name());
        }
    }
}

/// What the end of a session makes of a connection.
const fn broken(absence: Absence) -> &'static [&'static str] {
    match absence {
        Absence::Refused => ENDED,
        Absence::Dropped => TIMEOUT,
        Absence::Unreachable => SILENT,
    }
}

/// What may come of dialling a peer at addresses, within an interval. Without addresses: at all that it ever has.
pub(super) fn outcomes(
    truth: &Truth,
    history: &History,
    peer: u32,
    dialled: &[Multiaddr],
    (from, to): (Moment, Moment),
) -> Outcomes {
    let mut outcomes = of_peer(truth, history, peer, dialled, (from, to));
    for away in truth.world().outages().filter(|away| away.touches(from, to)) {
        outcomes.away(away.covers(from, to));
    }
    outcomes
}

/// The same, if the observer's network is there throughout.
fn of_peer(
    truth: &Truth,
    history: &History,
    peer: u32,
    dialled: &[Multiaddr],
    (from, to): (Moment, Moment),
) -> Outcomes {
    let world = truth.world();
    let Some(absence) = world.cast.absence(peer) else { return still(truth, peer, dialled) };
    let everywhere: Vec<Multiaddr>;
    let dialled = if dialled.is_empty() {
        everywhere = (0..world.places(peer)).flat_map(|n| world.addresses_at(peer, HostPlace(n))).collect();
        &everywhere
    } else {
        dialled
    };
    let mut outcomes = Outcomes { may_answer: true, ..Outcomes::default() };
    for address in dialled {
        let Some((place, transport)) = place_of(world, peer, address) else { continue };
        at_place(history, peer, (place, transport), (from, to), &mut outcomes);
    }
    outcomes.refusals.sort_unstable();
    outcomes.refusals.dedup();
    if history.sessions(peer, from, to).is_some_and(|all| all.iter().any(|session| session.to <= to)) {
        outcomes.breaks.extend(broken(absence));
        // Over QUIC a farewell is a datagram, which the end of a program may overtake.
        if world.carrier(peer).speaks(Transport::Quic) {
            outcomes.breaks.push(FailureClass::Timeout.name());
        }
    }
    outcomes
}

/// Of a peer that is always there.
fn still(truth: &Truth, peer: u32, dialled: &[Multiaddr]) -> Outcomes {
    let world = truth.world();
    let is_lost = world.state(peer) == State::StaleAddress && !dialled.is_empty() && {
        let addresses = world.addresses(peer);
        !dialled.iter().any(|address| addresses.contains(address))
    };
    let expected =
        if is_lost { expected(State::Departed, world.carrier(peer)) } else { truth.expected(peer) };
    let classes = expected.classes.to_vec();
    let (refusals, breaks) = if expected.reachable { (Vec::new(), classes) } else { (classes, Vec::new()) };
    let may_answer = breaks.is_empty();
    let is_up = expected.reachable;
    Outcomes { may_connect: is_up, must_connect: is_up, refusals, breaks, may_answer }
}

/// Which place of a peer's host an address is, and how it is dialled; `None` for addresses of others.
fn place_of(world: &World, peer: u32, address: &Multiaddr) -> Option<(HostPlace, Transport)> {
    let target = Addresses::Any.socket(address).ok()?;
    let (host, place) = world.host_at(target.addr(), target.transport())?;
    (world.cast.host_of(peer) == Some(host)).then_some((place, target.transport()))
}

/// Adds what may come of dialling a peer at a place.
fn at_place(
    history: &History,
    peer: u32,
    (place, transport): (HostPlace, Transport),
    (from, to): (Moment, Moment),
    outcomes: &mut Outcomes,
) {
    let world = history.world();
    let absence = world.cast.absence(peer).unwrap_or_default();
    let speaks = |id: u32| world.carrier(id).speaks(transport);
    let mut there: Vec<Stay> = Vec::new();
    for &id in world.siblings(peer).unwrap_or_default() {
        let sessions = history.sessions(id, from, to).unwrap_or_default();
        let here = sessions.iter().filter(|session| session.place == place);
        for session in here.copied() {
            there.push(session);
            if !speaks(id) {
                outcomes.refuse(Absence::Refused, transport);
            } else if id == peer {
                outcomes.may_connect = true;
                outcomes.must_connect |= session.from <= from && to < session.to;
            } else {
                outcomes.refusals.push(FailureClass::PeerIdMismatch.name());
            }
            if session.to <= to {
                // It went while it was dialled.
                outcomes.refusals.extend(broken(absence));
                // A listener of QUIC that is about to close refuses by name.
                if transport == Transport::Quic {
                    outcomes.refusals.push(FailureClass::ResourceLimit.name());
                }
            }
        }
    }
    there.sort_unstable_by_key(|session| session.from);
    // Nobody was there until the first came, between two of them, or after the last.
    let end = there.iter().try_fold(from, |covered, session| (session.from <= covered).then_some(session.to));
    if end.is_none_or(|end| end <= to) {
        outcomes.refuse(absence, transport);
    }
}
