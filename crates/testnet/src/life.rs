//! Peers that come, go and return: the course of a world's life, from its seed alone.
//!
//! [`Life`] is the state at one moment, and knows what comes next. It does no IO and reads no clock: who has one
//! [advances](Life::advance) it. Each host draws from a random stream of its own, and each of its turns from a place of
//! its own there, so that what one does changes nothing for another.
//!
//! Life begins in the middle of things: who is up, for how long by then and for how long still, is drawn from the
//! stationary state of the laws (see [`law`]), and so are the sessions before, as far as routing tables remember them.

mod calendar;
mod cast;
mod event;
mod history;
mod lag;
mod law;
mod moment;
mod outages;
mod past;
mod presence;

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc, time::Duration};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use self::calendar::Calendar;
pub(crate) use self::{
    cast::{Cast, HostRole},
    lag::Lag,
};
pub use self::{
    event::{EventKind, LifeEvent},
    history::{History, Naming},
    moment::Moment,
    outages::Away,
    presence::{HostPlace, Presence, Stay},
};
use crate::{
    World,
    random::{Stream, stream},
};

/// Words of random numbers that each turn of a host has to itself. A draw takes a few.
const WORDS_PER_TURN: u128 = 4096;

/// All peers that come and go, at one moment.
#[derive(Debug, Clone)]
pub struct Life {
    world: Arc<World>,
    hosts: Vec<HostState>,
    /// By part: see [`Cast::part`].
    presences: Vec<Presence>,
    /// When each host changes next. At most one entry for each host; none for those that left.
    queue: BinaryHeap<Reverse<(Moment, u32)>>,
    now: Moment,
}

/// What changes of a host.
#[derive(Debug, Clone, Copy)]
struct HostState {
    /// When it changes next; [`Moment::ENDLESS`] if it left.
    due: Moment,
    /// How often it changed.
    turn: u32,
    is_up: bool,
    /// Whether it was ever there.
    has_been: bool,
    /// Which of its ids it shows, or showed last.
    id: u8,
    /// Where it is, or was last.
    place: HostPlace,
}

impl Life {
    /// The life of a world at its start; `None` if nobody comes or goes in it, and the observer is never away.
    pub fn of(world: &Arc<World>) -> Option<Self> {
        if world.cast.is_empty() && world.outages().next().is_none() {
            return None;
        }
        let mut life = Self {
            world: Arc::clone(world),
            hosts: Vec::with_capacity(world.cast.hosts().len()),
            presences: vec![Presence::NEVER; world.cast.ids().len()],
            queue: BinaryHeap::with_capacity(world.cast.hosts().len()),
            now: Moment::START,
        };
        for (number, host) in (0..).zip(world.cast.hosts()) {
            let parts = host.first_id as usize..host.first_id as usize + usize::from(host.ids);
            let state = past::begin(world, host, &mut life.presences[parts]);
            if state.due != Moment::ENDLESS {
                life.queue.push(Reverse((state.due, number)));
            }
            life.hosts.push(state);
        }
        Some(life)
    }

    /// The world that lives.
    pub const fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// The moment that it was advanced to.
    pub const fn now(&self) -> Moment {
        self.now
    }

    /// Goes on to a moment after the start, and returns what happened until then, the earliest first. Nothing happens
    /// for a moment that was passed already.
    pub fn advance(&mut self, to: Duration) -> Vec<LifeEvent> {
        let to = Moment::at(to);
        std::iter::from_fn(|| self.next(to)).collect()
    }

    /// Goes on to the next event, if it is not later than `until`, else to `until`.
    pub fn next(&mut self, until: Moment) -> Option<LifeEvent> {
        let is_due = |next: &Reverse<(Moment, u32)>| next.0.0 <= until;
        let Some(Reverse((at, host))) = self.queue.peek().copied().filter(is_due) else {
            self.now = self.now.max(until);
            return None;
        };
        self.queue.pop();
        self.now = at;
        Some(self.turn(host as usize, at))
    }

    /// When the next event is due; `None` if everyone left.
    pub fn next_due(&self) -> Option<Moment> {
        self.queue.peek().map(|Reverse((due, _))| *due)
    }

    /// Where a peer is and was; `None` if it does not come and go, but is always there.
    pub fn presence(&self, peer: u32) -> Option<&Presence> {
        Some(&self.presences[self.world.cast.part(peer)?])
    }

    /// When the session of a peer that is up will end; `None` if it is down, or always there.
    pub fn end_of_session(&self, peer: u32) -> Option<Moment> {
        let host = &self.hosts[self.world.cast.host_of(peer)?];
        self.presence(peer)?.is_up().then_some(host.due)
    }

    /// Who is at one of the sites of a host; `None` if nobody is.
    pub(crate) fn occupant(&self, host: usize, place: HostPlace) -> Option<u32> {
        let state = &self.hosts[host];
        let first = self.world.cast.hosts()[host].first_id as usize;
        let peer = self.world.cast.ids()[first + usize::from(state.id)];
        (state.is_up && state.place == place).then_some(peer)
    }

    /// The routing table of a peer: whom it names, and where. Empty for a peer that answers no requests.
    pub fn neighbors(&self, peer: u32) -> Vec<(u32, HostPlace)> {
        self.world.neighbors_by(peer, |other| self.listed(peer, other, self.now))
    }

    /// Where the table of `owner` says that `peer` is, if it stands there at all.
    pub(crate) fn listed(&self, owner: u32, peer: u32, now: Moment) -> Option<HostPlace> {
        match self.presence(peer) {
            Some(presence) => self.world.cast.lag().listed(owner, peer, presence, now),
            None => Some(HostPlace(0)),
        }
    }

    /// A host changes: it goes, or it comes.
    fn turn(&mut self, number: usize, at: Moment) -> LifeEvent {
        let world = Arc::clone(&self.world);
        let host = &world.cast.hosts()[number];
        let class = world.cast.class(host);
        let state = &mut self.hosts[number];
        let rng = &mut turn_of(&world, world.cast.ids()[host.first_id as usize], state.turn);
        state.turn += 1;
        state.is_up = !state.is_up;
        let calendar = Calendar::of(&world, host);
        let part = |id: u8| host.first_id as usize + usize::from(id);
        let kind = if state.is_up {
            let rotates = state.has_been && host.ids > 1 && rng.random_bool(class.rotates.share.get());
            let moves = state.has_been && host.places > 1 && rng.random_bool(class.moves.share.get());
            state.id = if rotates { (state.id + 1) % host.ids } else { state.id };
            state.place = if moves { HostPlace((state.place.0 + 1) % host.places) } else { state.place };
            self.presences[part(state.id)].come(at, state.place);
            state.due = calendar.end_of_session(at, at.shifted(class.up.draw_us(rng)));
            match (std::mem::replace(&mut state.has_been, true), rotates, moves) {
                (false, ..) => EventKind::Entered,
                (_, true, _) => EventKind::Rotated,
                (_, _, true) => EventKind::Moved,
                _ => EventKind::Up,
            }
        } else {
            self.presences[part(state.id)].go(at);
            state.due = if rng.random_bool(class.leaves.get()) {
                Moment::ENDLESS
            } else {
                calendar.end_of_absence(at, at.shifted(class.down.draw_us(rng)))
            };
            if state.due == Moment::ENDLESS { EventKind::Left } else { EventKind::Down }
        };
        let Self { hosts, queue, .. } = self;
        let HostState { due, id, place, .. } = hosts[number];
        if kind != EventKind::Left {
            queue.push(Reverse((due, u32::try_from(number).unwrap_or(u32::MAX))));
        }
        LifeEvent { at, peer: world.cast.ids()[part(id)], kind, place }
    }
}

/// The random numbers of one turn of the host whose first id is this peer.
fn turn_of(world: &World, first: u32, turn: u32) -> ChaCha8Rng {
    let mut rng = stream(world.scenario().seed, Stream::Life, first);
    rng.set_word_pos(u128::from(turn) * WORDS_PER_TURN);
    rng
}

#[cfg(test)]
mod tests;
