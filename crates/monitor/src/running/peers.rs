//! Everything that a monitor knows of peers: who they are, where they are looked for, how they stand, when they are due.

use std::time::Duration;

use kad::{Contact, Multiaddr, PeerId, opt_out::OptOut};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schema::{ObserverGap, PeerDay, PeerNumber, PeerSession, SeenSession, Timestamp, Visit};

use super::MonitorConfig;
use crate::{
    days::DayBook,
    due::{DuePeer, DueQueue, LookLane},
    evidence::PeerLook,
    known::{PeerTable, places},
    schedule::{ScheduleRules, next_look},
    session::{PeerUptime, SessionChange, SessionRules},
};

/// What is known of a peer when monitoring goes on.
#[derive(Debug, Clone)]
pub struct RememberedPeer {
    /// Who.
    pub id: PeerId,
    /// Where it is looked for, the most promising first.
    pub addresses: Vec<Multiaddr>,
    /// What looks have said of it.
    pub uptime: PeerUptime,
}

/// What a monitor knows when it begins, and when it ends.
#[derive(Debug, Clone, Default)]
pub struct MonitorState {
    /// The peers.
    pub peers: Vec<RememberedPeer>,
    /// Times in which nobody looked, before this run began; they are told with it.
    pub gaps: Vec<ObserverGap>,
    /// What is known from before and was not told; it is told with it as well.
    pub untold: UntoldRows,
}

/// What follows from what was seen before, and was not told then: whoever saw it was killed, or was somebody else.
#[derive(Debug, Clone, Default)]
pub struct UntoldRows {
    /// Sessions that began or ended.
    pub sessions: Vec<(PeerId, SeenSession)>,
    /// Days, or parts of days.
    pub days: Vec<(PeerId, PeerDay)>,
}

/// Stands for a peer that this run has not named yet.
const UNNAMED: u32 = u32::MAX;

/// The peers of a monitor.
pub(super) struct MonitoredPeers {
    book: PeerTable,
    uptimes: Vec<PeerUptime>,
    /// The number of each peer in this run.
    named: Vec<u32>,
    next_name: u32,
    queue: DueQueue,
    schedule: ScheduleRules,
    sessions: SessionRules,
    random: ChaCha8Rng,
    up: usize,
    doubtful: usize,
    days: DayBook,
}

impl MonitoredPeers {
    pub(super) fn new(config: &MonitorConfig) -> Self {
        Self {
            book: PeerTable::new(config.due.peers as usize),
            uptimes: Vec::new(),
            named: Vec::new(),
            next_name: 0,
            queue: DueQueue::new(config.due),
            schedule: config.schedule,
            sessions: config.sessions,
            random: ChaCha8Rng::seed_from_u64(config.seed),
            up: 0,
            doubtful: 0,
            days: DayBook::default(),
        }
    }

    /// Takes in whom a run before knew; whoever asked not to be measured since is left out.
    pub(super) fn resume(&mut self, peers: Vec<RememberedPeer>, opt_out: &OptOut, now: Timestamp) {
        for RememberedPeer { id, addresses, uptime } in peers {
            if opt_out.has_peer(&id) {
                continue;
            }
            let Some(peer) = self.take_in(&id) else { continue };
            self.book.set_addresses(peer, &addresses);
            self.change(peer, |place| *place = uptime);
            self.plan(peer, now);
        }
    }

    /// How many are known.
    pub(super) const fn len(&self) -> usize {
        self.book.len()
    }

    /// How many are believed up, those in doubt included.
    pub(super) const fn up(&self) -> usize {
        self.up
    }

    /// How many are in doubt.
    pub(super) const fn doubtful(&self) -> usize {
        self.doubtful
    }

    pub(super) const fn queue(&self) -> &DueQueue {
        &self.queue
    }

    /// The peer of this id, which is known from now on; `None` if there is no room.
    pub(super) fn take_in(&mut self, id: &PeerId) -> Option<PeerNumber> {
        let (peer, is_new) = self.book.take_in(id)?;
        if is_new {
            self.uptimes.push(PeerUptime::new());
            self.named.push(UNNAMED);
        }
        Some(peer)
    }

    /// The number of a peer in this run, and its id if it was not named before.
    pub(super) fn name(&mut self, peer: PeerNumber) -> (PeerNumber, Option<PeerId>) {
        let Some(place) = self.named.get_mut(peer.0 as usize) else { return (peer, None) };
        if *place != UNNAMED {
            return (PeerNumber(*place), None);
        }
        *place = self.next_name;
        self.next_name += 1;
        (PeerNumber(*place), self.book.id(peer))
    }

    /// Who is dialled, and where; `None` if nothing is known of where.
    pub(super) fn contact(&self, peer: PeerNumber) -> Option<Contact> {
        let addrs = self.book.addresses(peer);
        let peer = self.book.id(peer).filter(|_| !addrs.is_empty())?;
        Some(Contact { peer, addrs })
    }

    /// Where a peer was found is where it is looked for first from now on; then where it says it listens, then where else it was known.
    pub(super) fn learn(&mut self, peer: PeerNumber, visit: &Visit) {
        let known = self.book.addresses(peer);
        let all = places(visit).chain(&known);
        self.book.set_addresses(peer, all);
    }

    /// Takes a look into account, and plans the next one: says what changed, and when that is.
    pub(super) fn looked(&mut self, peer: PeerNumber, look: &PeerLook) -> (SessionChange, Option<Timestamp>) {
        let rules = self.sessions;
        let changed = self.change(peer, |uptime| (*uptime, uptime.looked(look, &rules)));
        let next = self.plan(peer, look.ended_at);
        let Some((before, change)) = changed else { return (SessionChange::Nothing, next) };
        self.days.looked(peer, &before, look, &change);
        (change, next)
    }

    /// The session of a peer that is open; `None` if none is.
    pub(super) fn session(&self, peer: PeerNumber) -> Option<SeenSession> {
        self.uptimes.get(peer.0 as usize)?.session(&self.sessions)
    }

    /// The days that were counted so far.
    pub(super) fn take_days(&mut self) -> Vec<PeerDay> {
        self.days.take().collect()
    }

    /// What was known before and not told, by the numbers in this book: sessions, each to be told, and days, which are counted in.
    pub(super) fn untold(&mut self, untold: UntoldRows) -> Vec<PeerSession> {
        for (id, day) in untold.days {
            if let Some(peer) = self.book.find(&id) {
                self.days.add_day(&PeerDay { peer, ..day });
            }
        }
        let told = |(id, seen)| Some(PeerSession { peer: self.book.find(&id)?, seen, next_dial: None });
        untold.sessions.into_iter().filter_map(told).collect()
    }

    /// A gap of the observer's: everybody's.
    pub(super) fn gap(&mut self, gap: &ObserverGap) {
        self.days.gap(*gap);
        for uptime in &mut self.uptimes {
            uptime.gap(gap);
        }
    }

    /// Plans the next look at a peer, or its first one, and says when it is to be; `None` for a peer that is not known.
    pub(super) fn plan(&mut self, peer: PeerNumber, now: Timestamp) -> Option<Timestamp> {
        let uptime = self.uptimes.get(peer.0 as usize)?;
        let rules = self.schedule.stretched(self.queue.stretch());
        let (at, every, lane) = match uptime.facts() {
            Some(facts) => {
                (next_look(&facts, &rules, self.random.random()), rules.interval(&facts), facts.lane())
            }
            None => (now, rules.never_up, LookLane::Down),
        };
        // The book is bounded as the queue is: there is a place.
        self.queue.plan(peer.0, at, every, lane).is_ok().then_some(at)
    }

    /// With which probability a look at a peer is met by silence though our network stands; 1 for one that is not known.
    pub(super) fn expected_silence(&self, peer: PeerNumber) -> f64 {
        self.uptimes.get(peer.0 as usize).map_or(1.0, PeerUptime::expected_silence)
    }

    /// What a look at a peer says is not known yet: it is looked at again as if it were in doubt.
    pub(super) fn plan_anew(&mut self, peer: PeerNumber, now: Timestamp) {
        let soon = self.schedule.confirming;
        // The book is bounded as the queue is: there is a place.
        let _ = self.queue.plan(peer.0, now.after(soon), soon, LookLane::Doubtful);
    }

    /// The next peer that is due, and where it waited.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<DuePeer> {
        self.queue.take(now)
    }

    /// A look is over.
    pub(super) fn look_ended(&mut self, lane: LookLane) {
        self.queue.ended(lane);
    }

    /// Nobody looked for a while: those whose time has passed meanwhile are not all looked at at once.
    pub(super) fn spread(&mut self, now: Timestamp, over: Duration) {
        self.queue.spread(now, over);
    }

    /// Some peers that are believed up, or where nobody is some of those known, to begin a crawl with: at most so many, drawn at random.
    pub(super) fn some_up(&mut self, at_most: usize) -> Vec<Contact> {
        let all = u32::try_from(self.uptimes.len()).unwrap_or(u32::MAX);
        let from = if all == 0 { 0 } else { self.random.random_range(0..all) };
        let is_up = |number: &u32| self.uptimes.get(*number as usize).is_some_and(PeerUptime::is_up);
        let is_taken = |number: &u32| self.up == 0 || is_up(number);
        let numbers = (from..all).chain(0..from).filter(is_taken).map(PeerNumber);
        numbers.filter_map(|peer| self.contact(peer)).take(at_most).collect()
    }

    /// What is known, to go on with.
    pub(super) fn into_state(self) -> MonitorState {
        let known = |number: usize| {
            let peer = PeerNumber(u32::try_from(number).ok()?);
            let (id, uptime) = (self.book.id(peer)?, *self.uptimes.get(number)?);
            Some(RememberedPeer { id, addresses: self.book.addresses(peer), uptime })
        };
        let peers = (0..self.uptimes.len()).filter_map(known).collect();
        MonitorState { peers, ..MonitorState::default() }
    }

    /// Changes how a peer stands, and counts it.
    fn change<T>(&mut self, peer: PeerNumber, change: impl FnOnce(&mut PeerUptime) -> T) -> Option<T> {
        let uptime = self.uptimes.get_mut(peer.0 as usize)?;
        let before = (usize::from(uptime.is_up()), usize::from(uptime.is_doubtful()));
        let changed = change(uptime);
        self.up = self.up + usize::from(uptime.is_up()) - before.0;
        self.doubtful = self.doubtful + usize::from(uptime.is_doubtful()) - before.1;
        Some(changed)
    }
}
