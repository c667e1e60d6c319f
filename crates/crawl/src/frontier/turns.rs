//! The turns of a peer: its first visit, those because of new addresses, its second chance, and patience with who is
//! there but turns us away. Each peer has its own, whenever it was heard of; there is no pass over all of them.
//!
//! | after a visit in vain | the next turn | once nothing else is to be done, the crawl |
//! |---|---|---|
//! | an address is left that no visit has tried | at once; from the fifth visit on after a pause, in which more addresses gather | takes it at once |
//! | somebody turned us away | its second chance after a second, then after longer and longer pauses | waits for it, within bounds |
//! | silence, though somebody says that it is connected to the peer | its second chance at once, with a brief dial | takes it while it is young |
//! | silence of a peer that the user named | likewise | waits for it |
//! | silence otherwise | none: a dial repeats itself for as long as it lasts | |
//! | a refusal | its second chance after a second | does without |
//! | a cause on our side | its second chance after a second | waits for it |

use std::time::Duration;

use kad::Multiaddr;
use schema::{PeerNumber, Visit, VisitKind};

use super::{
    Frontier, Job, PeerStage,
    queue::{Later, WhenIdle},
};
use crate::{miss::Miss, talk::asking::first_wave};

/// How many visits of a peer follow each other without a pause.
const PROMPT_VISITS: u8 = 4;

/// The most visits of a peer because of new addresses, the first one among them. Who lies about addresses cannot keep
/// us busy with one peer.
const MAX_VISITS: u8 = 64;

/// The pause before a second chance.
const PAUSE: Duration = Duration::from_secs(1);

/// The pauses before further visits of a peer that turns us away. The sum of the first two is more than go-libp2p's
/// limits ask for, one connection in 5 s for an address that has used up its first ones by default; js-libp2p's are by
/// the second. Within the others a long crawl comes back some minutes later.
const PATIENCE: [Duration; 4] =
    [Duration::from_secs(3), Duration::from_secs(9), Duration::from_secs(27), Duration::from_secs(81)];

/// For how long a crawl waits for second thoughts if nothing else is to be done. A crawl of some thousand peers of which
/// some are silent takes as long by itself: until they are found, 5 s of silence, and what is tried beside it.
const LINGER: Duration = Duration::from_millis(9_100);

/// How long a crawl that is older waits for who turned us away, from the first time on: longer than go-libp2p's limits
/// ask for.
const LINGER_FOR_ONE: Duration = Duration::from_secs(6);

/// How long the second chance of a silent peer takes at least, if nothing comes: a packet that was lost is repeated
/// after one second (RFC 6298, 2.1), and then has the time of the longest round trips on earth.
pub(crate) const BRIEF: Duration = Duration::from_secs(2);

/// Until which age a crawl gives second chances to silent peers, if nothing else is to be done: [`BRIEF`] before it ends.
const LINGER_FOR_SILENCE: Duration = Duration::from_millis(7_100);

/// Since when and how often a peer is asked that turns us away.
#[derive(Debug, Clone, Copy)]
pub(super) struct AskedAgain {
    /// The crawl's age when it first did.
    since: Duration,
    /// How many visits [`PATIENCE`] has given.
    further: usize,
}

impl Frontier {
    /// The next visit; `None` while nobody's turn has come.
    pub(crate) fn pop(&mut self, now: Duration) -> Option<Job> {
        while let Some(later) = self.queue.pop_due(now) {
            match later.when_idle {
                _ if self.is_over(&later) => {}
                WhenIdle::Until(last) if last < now && self.awaited == 0 => self.give_up(later.peer),
                _ => self.make_ready(later.peer),
            }
        }
        loop {
            let turn = self.queue.pop()?;
            // A peer that rose in rank has an older place too.
            if self.peers.stage(turn.peer) == PeerStage::Ready {
                return Some(self.start(turn.peer));
            }
        }
    }

    /// The crawl's age at which another turn comes; `None` if none is to come by itself.
    pub(crate) fn next_at(&self) -> Option<Duration> {
        self.queue.next_at()
    }

    /// No visit is under way and nobody's turn has come: the crawl's age at which the next one does, or `None` if there
    /// is none for which it is worth to wait.
    pub(crate) fn idle(&mut self, now: Duration) -> Option<Duration> {
        for later in self.queue.hurry(now) {
            if !self.is_over(&later) {
                self.give_up(later.peer);
            }
        }
        self.queue.next_at().filter(|_| self.later > 0)
    }

    /// Whether nobody waits for anything but a second chance, and no other visit is under way.
    pub(crate) const fn has_only_second_chances(&self) -> bool {
        self.awaited == 0
    }

    fn start(&mut self, peer: PeerNumber) -> Job {
        self.set_stage(peer, PeerStage::Visiting);
        let wave = first_wave(self.peers.len());
        let known = self.peers.get_mut(peer);
        let kind = known.next;
        let is_brief = kind == VisitKind::SecondPass && known.miss == Some(Miss::Silence);
        known.turns = known.turns.saturating_add(1);
        known.had_second |= kind == VisitKind::SecondPass;
        let addrs = self.peers.addrs_mut(peer).choose();
        Job { peer, id: self.peers.id(peer), kind, wave, is_brief, addrs, malformed: self.malformed.of(peer) }
    }

    /// A visit came to its end.
    pub(crate) fn finish(&mut self, visit: &Visit, now: Duration) {
        let peer = visit.peer;
        self.set_awaited(peer, false);
        if visit.is_reachable() {
            self.set_stage(peer, PeerStage::Reached);
            self.peers.forget_addrs(peer);
            self.malformed.forget(peer);
            self.turned_away.remove(&peer);
            return;
        }
        self.set_stage(peer, PeerStage::Failed);
        self.peers.get_mut(peer).miss = Miss::of(visit);
        self.peers.addrs_mut(peer).note(&visit.met.addresses);
        if self.has_untried(peer) {
            self.visit_new_addresses(peer, now);
        } else {
            self.give_another_chance(peer, now);
        }
    }

    /// An address was learned that would be dialled.
    pub(super) fn consider(&mut self, peer: PeerNumber, address: &Multiaddr, now: Duration) {
        match self.peers.stage(peer) {
            PeerStage::Parked => {
                self.set_awaited(peer, true);
                self.make_ready(peer);
            }
            PeerStage::Visiting => self.peers.addrs_mut(peer).set_cause(address.as_ref()),
            PeerStage::Failed | PeerStage::Later if self.has_untried(peer) => {
                self.peers.addrs_mut(peer).set_cause(address.as_ref());
                self.visit_new_addresses(peer, now);
            }
            _ => {}
        }
    }

    /// A visited peer says that it is connected to this one.
    pub(super) fn claim_connected(&mut self, peer: PeerNumber, now: Duration) {
        let known = self.peers.get_mut(peer);
        known.connected_claims = known.connected_claims.saturating_add(1);
        if known.connected_claims == 1 && known.stage == PeerStage::Failed {
            self.give_another_chance(peer, now);
        }
    }

    fn has_untried(&self, peer: PeerNumber) -> bool {
        self.peers.get(peer).turns < MAX_VISITS && self.peers.addrs(peer).is_due()
    }

    fn visit_new_addresses(&mut self, peer: PeerNumber, now: Duration) {
        self.set_awaited(peer, true);
        let known = self.peers.get_mut(peer);
        let is_planned = known.stage == PeerStage::Later && known.next == VisitKind::NewAddresses;
        known.next = VisitKind::NewAddresses;
        if known.turns < PROMPT_VISITS {
            self.make_ready(peer);
        } else if !is_planned {
            self.make_later(peer, now + PAUSE, WhenIdle::AtOnce);
        }
    }

    /// Gives a peer that failed its second chance, or one more after that, if it is to have one.
    fn give_another_chance(&mut self, peer: PeerNumber, now: Duration) {
        let known = self.peers.get(peer);
        let is_second = !known.had_second;
        let (at, when_idle) = match known.miss {
            Some(Miss::TurnedAway) => match self.be_patient(peer, is_second, now) {
                Some(turn) => turn,
                None => return,
            },
            Some(Miss::Silence) if is_second && known.is_given => (now, WhenIdle::Wait),
            Some(Miss::Silence) if is_second && known.connected_claims > 0 => {
                (now, WhenIdle::Until(LINGER_FOR_SILENCE))
            }
            Some(Miss::Refusal) if is_second => (now + PAUSE, WhenIdle::Drop),
            Some(Miss::Ours) if is_second => (now + PAUSE, WhenIdle::Wait),
            _ => return,
        };
        self.peers.get_mut(peer).next = if is_second { VisitKind::SecondPass } else { VisitKind::TurnedAway };
        self.set_awaited(peer, when_idle == WhenIdle::Wait);
        self.make_later(peer, at, when_idle);
    }

    /// When a peer is asked again that has turned us away; `None` if that was often enough.
    fn be_patient(
        &mut self,
        peer: PeerNumber,
        is_second: bool,
        now: Duration,
    ) -> Option<(Duration, WhenIdle)> {
        let turned_away = self.turned_away.entry(peer).or_insert(AskedAgain { since: now, further: 0 });
        let pause = if is_second { PAUSE } else { *PATIENCE.get(turned_away.further)? };
        turned_away.further += usize::from(!is_second);
        let last = LINGER.max(turned_away.since + LINGER_FOR_ONE);
        let when_idle = if last < now + PAUSE { WhenIdle::Drop } else { WhenIdle::Until(last) };
        Some((now + pause, when_idle))
    }

    fn make_ready(&mut self, peer: PeerNumber) {
        self.set_stage(peer, PeerStage::Ready);
        let turn = self.turn(peer);
        self.queue.push(turn);
    }

    fn make_later(&mut self, peer: PeerNumber, at: Duration, when_idle: WhenIdle) {
        self.set_stage(peer, PeerStage::Later);
        self.queue.push_later(Later { at, peer, turns: self.peers.get(peer).turns, when_idle });
    }

    fn give_up(&mut self, peer: PeerNumber) {
        self.set_stage(peer, PeerStage::Failed);
        self.set_awaited(peer, false);
    }

    /// Whether another turn took the place of this one.
    fn is_over(&self, later: &Later) -> bool {
        let known = self.peers.get(later.peer);
        known.stage != PeerStage::Later || known.turns != later.turns
    }

    fn set_stage(&mut self, peer: PeerNumber, stage: PeerStage) {
        let before = std::mem::replace(&mut self.peers.get_mut(peer).stage, stage);
        self.ready += usize::from(stage == PeerStage::Ready);
        self.ready -= usize::from(before == PeerStage::Ready);
        self.later += usize::from(stage == PeerStage::Later);
        self.later -= usize::from(before == PeerStage::Later);
    }

    fn set_awaited(&mut self, peer: PeerNumber, is_awaited: bool) {
        let before = std::mem::replace(&mut self.peers.get_mut(peer).is_awaited, is_awaited);
        self.awaited += usize::from(is_awaited);
        self.awaited -= usize::from(before);
    }
}
