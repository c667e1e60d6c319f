//! A network while one looks on: who is there, who came, who left, counted as it becomes known. Pure: what became known is told, and what
//! time it is.
//!
//! [`NetworkView`] remembers of each peer how it stands, and counts from that alone: how many are there is never a number that is moved up
//! and down beside the list. When a peer counts as gone is the sessions' rule; who looks, and when, is left to others; the program draws.
//!
//! Days are those of UTC. What was seen before a run began ([`NetworkView::begin`]) counts for its day and not for the run, so a view that
//! is told again what was kept of today goes on counting.

mod agents;
mod counts;
mod fact;
mod feed;
mod list;
mod looked;
mod node;
mod passing;
mod size;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, time::Duration};

use kad::{PeerId, failure::FailureClass};
use schema::Timestamp;

use self::{
    agents::AgentNames,
    node::{KnownNode, NodeTurn},
    passing::Newest,
    size::SizeCourse,
};
pub use self::{
    counts::{NetworkCounts, RttSummary},
    fact::{PeerSeen, WatchFact, WatchNews},
    feed::WatchFeed,
    list::{NodeLine, NodeList, NodeOrder, NodeQuery},
    looked::{VisitSeen, watch_facts},
    node::NodeStanding,
    passing::Passing,
    size::{NetworkPace, SizeSample},
};
use crate::schedule::ScheduleRules;

/// How many peers are remembered if nobody says otherwise: five times as many as the IPFS network had servers in 2024. At 169 bytes each
/// they take 17 MB.
pub const DEFAULT_WATCHED_PEERS: usize = 100_000;

/// Of those that are forgotten at once where the bound is reached, one in so many of all.
const FORGOTTEN_SHARE: usize = 16;

/// When peers are looked at by whoever looks on, who wants to know soon rather than at little cost: those that are up each `every` as long
/// as they are new, and no more than four times as rarely; those that are gone up to ten times as rarely. Where looks a second do not
/// suffice all are looked at more rarely.
pub fn watch_schedule(every: Duration) -> ScheduleRules {
    ScheduleRules {
        newest: every,
        longest_up: every * 4,
        confirming: every / 4,
        longest_confirming: every,
        just_down: every * 2,
        longest_down: every * 10,
        never_up: every * 10,
        longest_never_up: every * 60,
        ..ScheduleRules::default()
    }
}

/// The day of a moment, counted from 1970-01-01, in UTC.
fn day_of(at: Timestamp) -> i32 {
    const DAY_US: i64 = 86_400_000_000;
    i32::try_from(at.0.div_euclid(DAY_US)).unwrap_or(i32::MAX)
}

/// What happened on a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct DayEvents {
    day: i32,
    arrivals: u64,
    departures: u64,
}

/// What happened since the run began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct RunEvents {
    arrivals: u64,
    departures: u64,
    looks: u64,
    /// Those that saw their peer up, and those that found it behind address translation; all others failed.
    answered_looks: u64,
    nat_looks: u64,
    /// Looks of which nothing was counted, since their peer had no place.
    uncounted_looks: u64,
}

/// Stays that were watched, from which follows how long a mean one is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct WatchedStays {
    /// Of the stays that are watched no longer, how long they were seen.
    closed_us: u64,
    /// How many of them ended by a departure.
    departures: u64,
}

/// A network as it is known.
#[derive(Debug)]
pub struct NetworkView {
    nodes: HashMap<PeerId, KnownNode>,
    max_peers: usize,
    /// Whether it may be worth while to look for somebody who can be forgotten.
    may_forget: bool,
    began: Timestamp,
    /// Whether everybody who was there has been seen: who is new from then on has arrived.
    is_swept: bool,
    today: DayEvents,
    run: RunEvents,
    failures: [u64; FailureClass::ALL.len()],
    stays: WatchedStays,
    agents: AgentNames,
    arrivals: Newest,
    departures: Newest,
    course: SizeCourse,
}

impl NetworkView {
    /// A view of nothing yet, at a moment, that remembers so many peers at most.
    pub fn new(at: Timestamp, max_peers: usize) -> Self {
        Self {
            nodes: HashMap::new(),
            max_peers,
            may_forget: true,
            began: at,
            is_swept: false,
            today: DayEvents { day: day_of(at), ..DayEvents::default() },
            run: RunEvents::default(),
            failures: [0; FailureClass::ALL.len()],
            stays: WatchedStays::default(),
            agents: AgentNames::default(),
            arrivals: Newest::default(),
            departures: Newest::default(),
            course: SizeCourse::default(),
        }
    }

    /// A run begins: what was told before was seen by others, or by a run before this one. Whoever was up by then is so once it is seen
    /// again.
    pub fn begin(&mut self, at: Timestamp) {
        self.turn_day(at);
        (self.began, self.is_swept) = (at, false);
        (self.run, self.failures) = (RunEvents::default(), [0; FailureClass::ALL.len()]);
        self.course.restart();
    }

    /// The network has been looked through once. A peer that is seen for the first time after that has arrived; one that was seen before
    /// had been there.
    pub const fn swept(&mut self) {
        self.is_swept = true;
    }

    /// Takes into account what became known. Facts of one peer come in the order of their times; what is older than what is known of the
    /// peer moves it nowhere.
    pub fn note(&mut self, fact: &WatchFact) {
        self.turn_day(fact.at);
        self.count_look(&fact.news);
        let is_new = !self.nodes.contains_key(&fact.peer);
        // Who was never met cannot leave, and takes no place.
        if is_new && !fact.news.is_look() {
            return;
        }
        if is_new && !self.has_room() {
            self.run.uncounted_looks += 1;
            return;
        }
        let agent = fact.agent().and_then(|agent| self.agents.number(agent));
        let node = self.nodes.entry(fact.peer).or_default();
        let turn = node.turn(fact, agent, self.began);
        let agent = node.agent();
        self.count(fact, turn, is_new, agent);
    }

    fn count_look(&mut self, news: &WatchNews) {
        self.run.looks += u64::from(news.is_look());
        match news {
            WatchNews::Up(_) => self.run.answered_looks += 1,
            WatchNews::BehindNat(_) => self.run.nat_looks += 1,
            WatchNews::Failed(class) => self.failures[*class as usize] += 1,
            WatchNews::Gone | WatchNews::Lost => {}
        }
    }

    fn count(&mut self, fact: &WatchFact, turn: NodeTurn, is_new: bool, agent: Option<u16>) {
        let is_today = day_of(fact.at) == self.today.day;
        match turn {
            NodeTurn::None => {}
            NodeTurn::Unwatched { watched_us } => self.stays.closed_us += watched_us,
            NodeTurn::Came if is_new && !self.is_swept => {}
            NodeTurn::Came => {
                self.run.arrivals += 1;
                self.today.arrivals += u64::from(is_today);
                self.arrivals.push(Passing {
                    peer: fact.peer,
                    at: fact.at,
                    stay: None,
                    agent: self.agents.name(agent),
                });
            }
            NodeTurn::Left { stay } => {
                self.run.departures += 1;
                self.today.departures += u64::from(is_today);
                self.stays.departures += 1;
                self.stays.closed_us += node::micros(stay);
                let agent = self.agents.name(agent);
                self.departures.push(Passing { peer: fact.peer, at: fact.at, stay: Some(stay), agent });
            }
        }
    }

    /// Time passes: a day may be over, and how large the network is becomes part of its course.
    pub fn tick(&mut self, now: Timestamp) {
        self.turn_day(now);
        self.may_forget = true;
        let active = self.nodes.values().filter(|node| node.is_active(self.began)).count() as u64;
        self.course.note(SizeSample { at: now, active }, &self.run);
    }

    /// The peers that came last, the newest first: no more than are remembered (50).
    pub fn arrivals(&self) -> impl ExactSizeIterator<Item = &Passing> {
        self.arrivals.iter()
    }

    /// The peers that were found gone last, likewise.
    pub fn departures(&self) -> impl ExactSizeIterator<Item = &Passing> {
        self.departures.iter()
    }

    /// How large the network was, from the beginning of the run until the last tick, in samples that are equally far apart.
    pub fn course(&self) -> &[SizeSample] {
        self.course.samples()
    }

    /// How fast things happen, over the last minute; `None` before the second tick.
    pub fn pace(&self) -> Option<NetworkPace> {
        self.course.pace()
    }

    /// Days go forward only: what is told late of a day that is over is counted for the run alone.
    fn turn_day(&mut self, at: Timestamp) {
        if day_of(at) > self.today.day {
            self.today = DayEvents { day: day_of(at), ..DayEvents::default() };
        }
    }

    /// Whether there is room for one more; where there is none, those that are gone for longest and were not seen today make room.
    fn has_room(&mut self) -> bool {
        if self.nodes.len() < self.max_peers {
            return true;
        }
        if !std::mem::take(&mut self.may_forget) {
            return false;
        }
        let today = self.today.day;
        let mut away: Vec<_> = self.nodes.iter().filter(|(_, node)| node.can_be_forgotten(today)).collect();
        away.sort_by_key(|(peer, node)| (node.last_told(), **peer));
        let forgotten: Vec<PeerId> =
            away.iter().take(self.max_peers.div_ceil(FORGOTTEN_SHARE)).map(|(peer, _)| **peer).collect();
        for peer in &forgotten {
            self.nodes.remove(peer);
        }
        self.may_forget = !forgotten.is_empty();
        self.nodes.len() < self.max_peers
    }
}
