//! The order in which the addresses of a peer are tried, and when: the one plan that every network dials by, live or
//! simulated. How an attempt is made, and what comes of it, is left to the network.

use std::{collections::HashMap, sync::Arc, time::Duration};

use libp2p_identity::PeerId;
use multiaddr::{Multiaddr, Protocol};

use crate::{
    failure::{Failure, FailureClass, Phase, SkipReason, furthest},
    network::{AddressOutcome, Attempt, Transport},
    opt_out::OptOut,
    policy::{Addresses, Target, is_relayed, names_other},
    scope::{Scope, scope},
};

/// The stagger between attempts over the internet (RFC 8305, section 5, recommends 250 ms).
const STEP: Duration = Duration::from_millis(250);

/// The stagger where a round trip takes next to nothing: loopback and private networks.
const NEAR_STEP: Duration = Duration::from_millis(30);

/// What may be dialled.
#[derive(Debug, Clone)]
pub struct DialRules {
    /// Which addresses.
    pub addresses: Addresses,
    /// Whom not.
    pub opt_out: Arc<OptOut>,
    /// How many addresses of a peer one dial tries.
    pub max_addresses: usize,
    /// Whether QUIC is dialled.
    pub quic: bool,
    /// Whether names may be resolved.
    pub names: bool,
}

/// How an address is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approach {
    /// By dialling a socket.
    Socket(Target),
    /// By resolving its name first.
    Name,
}

impl Approach {
    /// The place in the order: QUIC has the fewest round trips, then TCP and what runs on it; a name is asked for first.
    fn order(self) -> (u8, bool) {
        let Self::Socket(target) = self else { return (4, false) };
        let place = match target {
            Target::Quic(_) => 0,
            Target::Tcp(_) => 1,
            Target::Ws(_) => 2,
            Target::Wss(_) => 3,
        };
        (place, target.addr().is_ipv6())
    }

    /// `None` for a name, of which only what it resolves to can tell.
    const fn transport(self) -> Option<Transport> {
        match self {
            Self::Socket(target) => Some(target.transport()),
            Self::Name => None,
        }
    }

    fn step(self) -> Duration {
        match self {
            Self::Socket(target) if scope(target.addr().ip()) != Scope::Public => NEAR_STEP,
            Self::Socket(_) | Self::Name => STEP,
        }
    }
}

/// One address and its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DialTurn {
    /// The position in the list of addresses.
    pub index: usize,
    /// How it is tried.
    pub way: Approach,
    /// How long the attempt has for itself before the next one begins.
    pub step: Duration,
}

/// What will be tried, when, and the fate so far of every address. Times count from the start of the dial.
///
/// A turn begins when an attempt has failed, or when the one before it has had its step for itself. The first attempt that
/// succeeds ends the dial: what is under way then is [abandoned](AddressOutcome::Abandoned), the rest was not tried.
#[derive(Debug)]
pub struct Plan {
    /// One for each address; `NotTried` where a turn is to come.
    attempts: Vec<Attempt>,
    /// Turns, the first one last.
    turns: Vec<DialTurn>,
    /// When the next turn begins.
    next: Duration,
    /// Addresses that name the same socket as one before them: (position, position of that one).
    same: Vec<(usize, usize)>,
}

impl Plan {
    /// Of the addresses that may be dialled the first ones, as many as a dial tries: who gives more has put those first
    /// that matter. Among them QUIC before TCP before WebSocket before names, IPv4 before IPv6 (more hosts have it),
    /// otherwise as given.
    pub fn new(addrs: &[Multiaddr], peer: &PeerId, rules: &DialRules) -> Self {
        let mut plan = Self::uncut(addrs, peer, rules);
        plan.cut(rules.max_addresses);
        plan
    }

    /// The same of addresses that nobody has chosen from, such as those that a name resolves to: no transport takes
    /// all places.
    pub fn of_resolved(addrs: &[Multiaddr], peer: &PeerId, rules: &DialRules) -> Self {
        let mut plan = Self::uncut(addrs, peer, rules);
        let mut seen: HashMap<Option<Transport>, usize> = HashMap::new();
        let mut ranked: Vec<(usize, DialTurn)> = Vec::with_capacity(plan.turns.len());
        for turn in std::mem::take(&mut plan.turns) {
            let before = seen.entry(turn.way.transport()).or_default();
            ranked.push((*before, turn));
            *before += 1;
        }
        ranked.sort_by_key(|(rank, _)| *rank);
        plan.turns.extend(ranked.into_iter().map(|(_, turn)| turn));
        plan.cut(rules.max_addresses);
        plan
    }

    fn uncut(addrs: &[Multiaddr], peer: &PeerId, rules: &DialRules) -> Self {
        let mut plan = Self {
            attempts: Vec::with_capacity(addrs.len()),
            turns: Vec::new(),
            next: Duration::ZERO,
            same: Vec::new(),
        };
        for (index, addr) in addrs.iter().enumerate() {
            let outcome = match rules.way(addr, peer) {
                Err(reason) => AddressOutcome::Skipped(reason),
                Ok(way) => {
                    plan.add(index, way, addrs);
                    AddressOutcome::NotTried
                }
            };
            plan.attempts.push(Attempt::untried(outcome));
        }
        plan
    }

    /// Leaves out what exceeds the limit, and puts the rest into the order in which it is tried.
    fn cut(&mut self, max_addresses: usize) {
        for turn in self.turns.split_off(max_addresses.min(self.turns.len())) {
            self.settle(turn.index, Attempt::untried(AddressOutcome::Skipped(SkipReason::OverLimit)));
        }
        self.turns.sort_by_key(|turn| turn.way.order());
        self.turns.reverse();
    }

    fn add(&mut self, index: usize, way: Approach, addrs: &[Multiaddr]) {
        let place = |index: usize| addrs.get(index).map(without_peer);
        let is_same = |turn: &&DialTurn| {
            turn.way == way && (way != Approach::Name || place(turn.index) == place(index))
        };
        if let Some(first) = self.turns.iter().find(is_same) {
            self.same.push((index, first.index));
            return;
        }
        self.turns.push(DialTurn { index, way, step: way.step() });
    }

    /// The turn that is to come; `None` if there is none.
    pub fn upcoming(&self) -> Option<&DialTurn> {
        self.turns.last()
    }

    /// When the next turn begins by itself; `None` if there is none.
    pub fn next(&self) -> Option<Duration> {
        self.upcoming().map(|_| self.next)
    }

    /// The turn that begins now; `None` if its time has not come, or if there is none.
    pub fn begin(&mut self, now: Duration) -> Option<DialTurn> {
        let turn = self.turns.pop_if(|_| self.next <= now)?;
        self.next = now + turn.step;
        Some(turn)
    }

    /// Notes that an attempt has failed: the next turn begins at once.
    pub fn fail(&mut self, index: usize, attempt: Attempt) {
        self.settle(index, attempt);
        self.next = Duration::ZERO;
    }

    /// No further turn begins: the time of the dial is up.
    pub fn close(&mut self) {
        self.turns.clear();
    }

    /// Notes the fate of one address.
    pub fn settle(&mut self, index: usize, attempt: Attempt) {
        if let Some(place) = self.attempts.get_mut(index) {
            *place = attempt;
        }
    }

    /// The fates of all addresses. One that names the same socket as another shares its fate, but only one of them is
    /// the one that connected.
    pub fn into_attempts(mut self) -> Vec<Attempt> {
        for (index, first) in std::mem::take(&mut self.same) {
            let Some(attempt) = self.attempts.get(first).cloned() else { continue };
            if attempt.outcome != AddressOutcome::Connected {
                self.settle(index, attempt);
            }
        }
        self.attempts
    }
}

impl DialRules {
    /// How an address of this peer is tried, or why it is not.
    pub fn way(&self, addr: &Multiaddr, peer: &PeerId) -> Result<Approach, SkipReason> {
        if self.opt_out.has_peer(peer) {
            return Err(SkipReason::OptedOut);
        }
        if names_other(addr, peer) && !is_relayed(addr) {
            return Err(SkipReason::OtherPeer);
        }
        self.allow(addr)
    }

    /// Over which transport an address would be dialled, whoever is there, or why it would not be; `None` for a name.
    pub fn admits(&self, addr: &Multiaddr) -> Result<Option<Transport>, SkipReason> {
        self.allow(addr).map(Approach::transport)
    }

    fn allow(&self, addr: &Multiaddr) -> Result<Approach, SkipReason> {
        let way = match self.addresses.socket(addr) {
            Ok(target) => Approach::Socket(target),
            Err(SkipReason::Name) if self.names => Approach::Name,
            Err(reason) => return Err(reason),
        };
        match way {
            _ if self.opt_out.has_address(addr) => Err(SkipReason::OptedOut),
            Approach::Socket(Target::Quic(_)) if !self.quic => Err(SkipReason::TransportNotSupported),
            way => Ok(way),
        }
    }
}

/// What came of an address with a name, by what came of the addresses that it led to: of what failed the failure that says
/// the most ([`furthest`]); where nothing did, that an attempt was under way says more than that none was made. A name that
/// led to nothing is one that was not found.
pub fn outcome_of_name(attempts: &[Attempt]) -> AddressOutcome {
    let outcomes = || attempts.iter().map(|attempt| &attempt.outcome);
    if let Some(failure) = furthest(outcomes().filter_map(AddressOutcome::failure)) {
        return AddressOutcome::Failed(failure.clone());
    }
    let first = [AddressOutcome::Abandoned, AddressOutcome::NotTried];
    let untried = first.into_iter().find(|known| outcomes().any(|outcome| outcome == known));
    let nothing = || AddressOutcome::Failed(Failure::new(Phase::Dns, FailureClass::NameNotFound));
    untried.or_else(|| outcomes().next().cloned()).unwrap_or_else(nothing)
}

/// An address but for the peer at its end.
fn without_peer(addr: &Multiaddr) -> Multiaddr {
    addr.iter().filter(|part| !matches!(part, Protocol::P2p(_))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(addrs: &[&str], max_addresses: usize) -> Plan {
        let addrs: Vec<Multiaddr> = addrs.iter().map(|addr| addr.parse().unwrap()).collect();
        Plan::new(&addrs, &PeerId::random(), &rules(max_addresses))
    }

    fn rules(max_addresses: usize) -> DialRules {
        DialRules {
            addresses: Addresses::Any,
            opt_out: Arc::default(),
            max_addresses,
            quic: true,
            names: false,
        }
    }

    #[test]
    fn who_opted_out_is_not_dialled() {
        let (peer, other) = (PeerId::random(), PeerId::random());
        let opt_out = Arc::new(OptOut::parse(&format!("{peer}\n5.5.0.0/16")).unwrap());
        let rules = DialRules { opt_out, ..rules(8) };
        let addr = |text: &str| text.parse::<Multiaddr>().unwrap();
        let reason = |addr, peer| rules.way(&addr, &peer).err();
        assert_eq!(reason(addr("/ip4/1.1.1.1/tcp/1"), peer), Some(SkipReason::OptedOut));
        assert_eq!(reason(addr("/ip4/5.5.9.9/tcp/1"), other), Some(SkipReason::OptedOut));
        assert_eq!(reason(addr("/ip4/1.1.1.1/tcp/1"), other), None);
        assert_eq!(rules.admits(&addr("/ip4/5.5.9.9/tcp/1")), Err(SkipReason::OptedOut));
        assert_eq!(rules.admits(&addr("/ip4/5.6.9.9/tcp/1")), Ok(Some(Transport::Tcp)));
    }

    fn order(plan: &Plan) -> Vec<usize> {
        plan.turns.iter().rev().map(|turn| turn.index).collect()
    }

    #[test]
    fn quic_goes_first_and_the_given_order_is_kept() {
        let plan = plan(
            &[
                "/ip6/2a00::1/tcp/1",
                "/ip4/1.1.1.1/tcp/1",
                "/ip4/10.0.0.1/tcp/2",
                "/ip4/1.1.1.1/udp/1/quic-v1",
            ],
            8,
        );
        assert_eq!(order(&plan), [3, 1, 2, 0]);
        assert_eq!(plan.turns[1].step, NEAR_STEP);
        assert_eq!(plan.turns[2].step, STEP);
    }

    #[test]
    fn names_go_last_and_each_is_tried_once() {
        let peer = PeerId::random();
        let own = format!("/dns4/a.b/tcp/1/p2p/{peer}");
        let addrs = ["/dns4/a.b/tcp/1", &own, "/dns6/a.b/tcp/1", "/ip6/2a00::1/tcp/443/wss", "/dnsaddr/a.b"]
            .map(|text| text.parse().unwrap());
        let plan = Plan::new(&addrs, &peer, &DialRules { names: true, ..rules(8) });
        assert_eq!(order(&plan), [3, 0, 2, 4]);
        assert_eq!(plan.turns[0].step, STEP);
    }

    #[test]
    fn what_exceeds_the_limit_is_named() {
        let plan =
            plan(&["/ip4/1.1.1.1/tcp/1", "/ip4/1.1.1.1/tcp/2", "/dns4/a.b/tcp/1", "/ip4/1.1.1.1/tcp/3"], 2);
        assert_eq!(order(&plan), [0, 1]);
        let outcomes: Vec<_> = plan.into_attempts().into_iter().map(|attempt| attempt.outcome).collect();
        let skipped = |reason| AddressOutcome::Skipped(reason);
        assert_eq!(outcomes[2..], [skipped(SkipReason::Name), skipped(SkipReason::OverLimit)]);
    }

    #[test]
    fn what_is_cut_is_what_was_put_last_whatever_its_transport() {
        let quic = |n| format!("/ip4/1.1.1.1/udp/{n}/quic-v1");
        let addrs: Vec<String> =
            [quic(1), "/ip4/1.1.1.1/tcp/1".to_owned()].into_iter().chain((2..10).map(quic)).collect();
        let addrs: Vec<&str> = addrs.iter().map(String::as_str).collect();
        assert_eq!(order(&plan(&addrs, 8)), [0, 2, 3, 4, 5, 6, 7, 1]);
    }

    #[test]
    fn of_what_a_name_resolves_to_no_transport_takes_all_places() {
        let addrs: Vec<Multiaddr> = (1..9)
            .map(|n| format!("/ip4/1.1.1.1/udp/{n}/quic-v1").parse().unwrap())
            .chain(["/ip4/1.1.1.1/tcp/1".parse().unwrap()])
            .collect();
        let plan = Plan::of_resolved(&addrs, &PeerId::random(), &rules(8));
        assert_eq!(order(&plan), [0, 1, 2, 3, 4, 5, 6, 8]);
    }

    #[test]
    fn the_same_socket_is_tried_once_and_connects_once() {
        let peer = PeerId::random();
        let addr: Multiaddr = "/ip4/127.0.0.1/tcp/1".parse().unwrap();
        let full = addr.clone().with(Protocol::P2p(peer));
        let mut plan = Plan::new(&[addr, full], &peer, &rules(8));
        assert_eq!(order(&plan), [0]);
        let connected = Attempt::untried(AddressOutcome::Connected);
        plan.settle(0, connected.clone());
        assert_eq!(plan.into_attempts(), [connected, Attempt::untried(AddressOutcome::NotTried)]);
    }

    #[test]
    fn the_outcome_of_a_name_is_the_one_that_came_furthest() {
        let failed = |phase| AddressOutcome::Failed(Failure::new(phase, FailureClass::ConnectionReset));
        let timeout = AddressOutcome::Failed(Failure::new(Phase::Connect, FailureClass::Timeout));
        let skipped = AddressOutcome::Skipped;
        for (outcomes, expected) in [
            (vec![failed(Phase::Connect), failed(Phase::Secure)], failed(Phase::Secure)),
            (vec![failed(Phase::Secure), failed(Phase::Connect)], failed(Phase::Secure)),
            (vec![timeout.clone(), failed(Phase::Connect)], failed(Phase::Connect)),
            (vec![skipped(SkipReason::Private), AddressOutcome::NotTried], AddressOutcome::NotTried),
            (vec![skipped(SkipReason::Private), failed(Phase::Connect)], failed(Phase::Connect)),
            (vec![skipped(SkipReason::Private), skipped(SkipReason::Loopback)], skipped(SkipReason::Private)),
            (vec![], AddressOutcome::Failed(Failure::new(Phase::Dns, FailureClass::NameNotFound))),
        ] {
            let attempts: Vec<_> = outcomes.into_iter().map(Attempt::untried).collect();
            assert_eq!(outcome_of_name(&attempts), expected);
        }
    }

    #[test]
    fn a_turn_begins_after_a_failure_or_when_the_one_before_has_had_its_time() {
        let ms = Duration::from_millis;
        let mut plan = plan(&["/ip4/1.1.1.1/tcp/1", "/ip4/1.1.1.1/tcp/2", "/ip4/1.1.1.1/tcp/3"], 8);
        let failed = AddressOutcome::Failed(Failure::new(Phase::Connect, FailureClass::Timeout));
        let index = |turn: Option<DialTurn>| turn.map(|turn| turn.index);
        assert_eq!((plan.next(), index(plan.begin(ms(0)))), (Some(ms(0)), Some(0)));
        assert_eq!((plan.next(), index(plan.begin(ms(249)))), (Some(ms(250)), None));
        assert_eq!((index(plan.begin(ms(250))), plan.next()), (Some(1), Some(ms(500))));
        plan.fail(0, Attempt::untried(failed));
        assert_eq!((index(plan.begin(ms(300))), plan.next()), (Some(2), None), "whichever has failed");
        plan.close();
        assert_eq!(index(plan.begin(ms(900))), None);
    }
}
