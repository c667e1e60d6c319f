//! What happened in a life: every session of every peer, and what the routing tables named at which time.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{HostPlace, Life, LifeEvent, Moment, Presence, Stay};
use crate::World;

/// The most events that are remembered: about 100 MB. What comes later is not known.
const MAX_EVENTS: usize = 4_000_000;

/// A life from its start until a moment.
#[derive(Debug, Clone)]
pub struct History {
    world: Arc<World>,
    /// The sessions of each part, the earliest first; those before the start as far as tables remember them.
    sessions: Vec<Vec<Stay>>,
    until: Moment,
    events: usize,
    late: Duration,
}

/// How a table named a peer during an interval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Naming {
    /// Whether it did so throughout.
    pub always: bool,
    /// At which places, as a set of bits.
    places: u16,
}

impl Naming {
    /// Whether the table named the peer at a place at some moment.
    pub const fn is_at(&self, place: HostPlace) -> bool {
        self.places & (1 << (place.0 & 15)) != 0
    }

    /// Whether it named it at this place and at no other.
    pub const fn is_only_at(&self, place: HostPlace) -> bool {
        self.places == 1 << (place.0 & 15)
    }
}

impl History {
    /// The history of a life that begins.
    pub fn starting(life: &Life) -> Self {
        let world = Arc::clone(life.world());
        let past = |presence: &Presence| {
            let sessions = [presence.before, presence.last].into_iter();
            sessions.filter(|session| *session != Stay::NEVER).collect()
        };
        let sessions = life.presences.iter().map(past).collect();
        Self { world, sessions, until: life.now(), events: 0, late: Duration::ZERO }
    }

    /// Whether an event can have happened next. An error says why not.
    pub(crate) fn check_next(&self, event: &LifeEvent) -> Result<(), &'static str> {
        let Some(part) = self.world.cast.part(event.peer) else {
            return Err("this peer never comes or goes");
        };
        let was_up = self.sessions[part].last().filter(|session| session.to == Moment::ENDLESS);
        match (event.kind.comes(), was_up) {
            _ if self.events >= MAX_EVENTS => Ok(()),
            _ if event.at < self.until || event.at == Moment::ENDLESS => {
                Err("it is earlier than the one before")
            }
            _ if event.place.0 >= self.world.cast.places(event.peer) => Err("its host has no such place"),
            (true, Some(_)) => Err("the peer was up already"),
            (false, None) => Err("the peer was down already"),
            (false, Some(session)) if session.place != event.place => Err("the peer was at another place"),
            _ => Ok(()),
        }
    }

    /// Adds what happened next.
    pub fn record(&mut self, event: &LifeEvent) {
        let Some(part) = self.world.cast.part(event.peer).filter(|_| self.events < MAX_EVENTS) else {
            return;
        };
        self.events += 1;
        self.until = event.at;
        let sessions = &mut self.sessions[part];
        if event.kind.comes() {
            sessions.push(Stay { from: event.at, to: Moment::ENDLESS, place: event.place });
        } else if let Some(last) = sessions.last_mut() {
            last.to = event.at;
        }
    }

    /// Nothing more happened until a moment.
    pub fn extend_to(&mut self, moment: Moment) {
        if self.events < MAX_EVENTS {
            self.until = self.until.max(moment);
        }
    }

    /// An event was made so this much later than it happened, as life has it. Virtual time is never late.
    pub fn note_late(&mut self, late: Duration) {
        self.late = self.late.max(late);
    }

    /// The most that an event was late by.
    pub const fn late(&self) -> Duration {
        self.late
    }

    /// Nothing is known of what is later.
    pub const fn until(&self) -> Moment {
        self.until
    }

    /// How many events there were.
    pub const fn len(&self) -> usize {
        self.events
    }

    /// Whether nothing happened.
    pub const fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// The world whose history it is.
    pub const fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// The sessions of a peer that touch an interval, its ends included; `None` if the peer is always there.
    pub fn sessions(&self, peer: u32, from: Moment, to: Moment) -> Option<&[Stay]> {
        let sessions = &self.sessions[self.world.cast.part(peer)?];
        let first = sessions.partition_point(|session| session.to <= from);
        let end = sessions.partition_point(|session| session.from <= to);
        Some(&sessions[first.min(end)..end])
    }

    /// Whether a peer was up at some moment of an interval, its ends included.
    pub fn was_up(&self, peer: u32, from: Moment, to: Moment) -> bool {
        self.sessions(peer, from, to).is_none_or(|sessions| !sessions.is_empty())
    }

    /// Whether a peer was up at every moment of an interval, its ends included.
    pub fn was_up_throughout(&self, peer: u32, from: Moment, to: Moment) -> bool {
        let covers = |session: &Stay| session.from <= from && to < session.to;
        self.sessions(peer, from, to).is_none_or(|sessions| sessions.iter().any(covers))
    }

    /// Where a peer was at a moment, and before; `None` if it is always there.
    pub fn presence(&self, peer: u32, at: Moment) -> Option<Presence> {
        Some(presence(&self.sessions[self.world.cast.part(peer)?], at))
    }

    /// The routing table of a peer at a moment: whom it named, and where.
    pub fn neighbors(&self, owner: u32, at: Moment) -> Vec<(u32, HostPlace)> {
        self.world.neighbors_by(owner, |peer| self.listed(owner, peer, at))
    }

    /// Whom the table of a peer named at some moment of an interval, its ends included, and how.
    pub fn named(&self, owner: u32, from: Moment, to: Moment) -> BTreeMap<u32, Naming> {
        let mut named = BTreeMap::new();
        for (candidates, places) in self.world.tables.buckets(owner) {
            let mut moments = vec![from];
            for &peer in candidates {
                moments.extend(self.changes(owner, peer, from, to));
            }
            moments.sort_unstable();
            moments.dedup();
            let mut counts: BTreeMap<u32, (usize, u16)> = BTreeMap::new();
            for &at in &moments {
                let listed = |&peer: &u32| Some((peer, self.listed(owner, peer, at)?));
                for (peer, place) in candidates.iter().filter_map(listed).take(places) {
                    let (count, places) = counts.entry(peer).or_default();
                    *count += 1;
                    *places |= 1 << (place.0 & 15);
                }
            }
            let naming = |(peer, (count, places))| (peer, Naming { always: count == moments.len(), places });
            named.extend(counts.into_iter().map(naming));
        }
        named
    }

    fn listed(&self, owner: u32, peer: u32, at: Moment) -> Option<HostPlace> {
        match self.presence(peer, at) {
            Some(presence) => self.world.cast.lag().listed(owner, peer, &presence, at),
            None => Some(HostPlace(0)),
        }
    }

    /// The moments after `from` and until `to` at which the entry of `peer` in the table of `owner` may change.
    fn changes(&self, owner: u32, peer: u32, from: Moment, to: Moment) -> impl Iterator<Item = Moment> {
        let lag = self.world.cast.lag();
        let since = from.shifted(-lag.longest_us());
        let sessions = self.sessions(peer, since, to).unwrap_or_default().iter();
        let moments = sessions.flat_map(move |session| {
            let learned = session.from.shifted(lag.learn_us(owner, peer));
            let forgotten = session.to.shifted(lag.forget_us(owner, peer));
            [session.from, learned, session.to, forgotten]
        });
        moments.filter(move |moment| *moment > from && *moment <= to)
    }
}

/// The last two of these sessions that had begun at a moment.
fn presence(sessions: &[Stay], at: Moment) -> Presence {
    let begun = sessions.partition_point(|session| session.from <= at);
    let nth_last = |n: usize| begun.checked_sub(n).map_or(Stay::NEVER, |index| sessions[index]);
    let mut last = nth_last(1);
    if last.to > at {
        last.to = Moment::ENDLESS;
    }
    Presence { last, before: nth_last(2) }
}

#[cfg(test)]
mod tests;
