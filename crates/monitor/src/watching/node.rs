//! How one peer stands, in 48 bytes: there are many.

use std::time::Duration;

use kad::{failure::FailureClass, network::Transport};
use schema::{NatClass, Timestamp};

use super::{PeerSeen, WatchFact, WatchNews, day_of};

kad::named! {
    /// How a peer stands.
    #[derive(Default)]
    pub enum NodeStanding: serde {
        /// It is up, as far as is known.
        Up = "up",
        /// It was up, and is gone.
        Gone = "gone",
        /// It is not reached from here, and is behind address translation or a firewall rather than down.
        BehindNat = "behind_nat",
        /// It was heard of and not reached yet, or sight of it was lost.
        #[default]
        Unreached = "unreached",
    }
}

/// Stands for a moment that never was.
const NEVER: Timestamp = Timestamp(i64::MIN);

/// What is known of a peer.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownNode {
    /// When the present or last stay was first seen.
    up_since: Timestamp,
    /// When it was last seen up.
    last_seen: Timestamp,
    /// The newest that was told of it.
    last_told: Timestamp,
    /// The round trip at the last look that measured one; 0 for none.
    rtt_us: u32,
    /// The newest day on which it was seen up.
    seen_day: i32,
    /// What it calls itself, by number.
    agent: Option<u16>,
    transport: Option<Transport>,
    nat: Option<NatClass>,
    failure: Option<FailureClass>,
    /// Whether sight of it was lost: then it may never have left.
    is_lost: bool,
    standing: NodeStanding,
}

impl Default for KnownNode {
    fn default() -> Self {
        Self {
            up_since: NEVER,
            last_seen: NEVER,
            last_told: NEVER,
            rtt_us: 0,
            seen_day: i32::MIN,
            agent: None,
            transport: None,
            nat: None,
            failure: None,
            is_lost: false,
            standing: NodeStanding::default(),
        }
    }
}

/// What a fact changed in who is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NodeTurn {
    /// Nothing.
    None,
    /// The peer is there, and was not before.
    Came,
    /// A stay is watched no longer, of which nobody knows whether it ended; so long it was. The peer may be up all the same.
    Unwatched { watched_us: u64 },
    /// It is gone, and stayed so long: until half-way between when it was last seen and when it was first found gone.
    Left { stay: Duration },
}

impl KnownNode {
    /// Takes a fact into account, in a run that began at a moment. `agent` is the number of what the peer calls itself.
    pub(super) fn turn(&mut self, fact: &WatchFact, agent: Option<u16>, began: Timestamp) -> NodeTurn {
        match &fact.news {
            WatchNews::Up(seen) => self.seen(fact.at, seen, agent, began),
            WatchNews::Failed(class) => {
                if self.is_news(fact.at) {
                    self.failure = Some(*class);
                }
                NodeTurn::None
            }
            WatchNews::BehindNat(class) => {
                if self.is_news(fact.at) {
                    self.nat = Some(*class);
                    // Whether who was up is so no longer, looks decide that find it down.
                    if self.standing != NodeStanding::Up {
                        self.standing = NodeStanding::BehindNat;
                    }
                }
                NodeTurn::None
            }
            WatchNews::Gone => self.left(fact.at),
            WatchNews::Lost => self.lost(fact.at),
        }
    }

    /// Whether what is told is not older than what is known. From then on it is what is known.
    fn is_news(&mut self, at: Timestamp) -> bool {
        let is_news = at >= self.last_told;
        self.last_told = self.last_told.max(at);
        is_news
    }

    fn seen(&mut self, at: Timestamp, seen: &PeerSeen, agent: Option<u16>, began: Timestamp) -> NodeTurn {
        self.seen_day = self.seen_day.max(day_of(at));
        if !self.is_news(at) {
            return NodeTurn::None;
        }
        let turn = match self.standing {
            NodeStanding::Up if self.last_seen < began && at >= began => {
                NodeTurn::Unwatched { watched_us: micros(self.watched()) }
            }
            NodeStanding::Up => NodeTurn::None,
            NodeStanding::Unreached | NodeStanding::BehindNat if self.is_lost => {
                NodeTurn::Unwatched { watched_us: 0 }
            }
            NodeStanding::Gone | NodeStanding::BehindNat | NodeStanding::Unreached => NodeTurn::Came,
        };
        if turn != NodeTurn::None {
            self.up_since = at;
        }
        (self.standing, self.last_seen) = (NodeStanding::Up, at);
        (self.nat, self.failure, self.is_lost) = (None, None, false);
        self.agent = agent.or(self.agent);
        self.transport = seen.transport.or(self.transport);
        if let Some(rtt) = seen.rtt {
            self.rtt_us = u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX);
        }
        turn
    }

    /// That it is gone is known after the looks that say so, so what was told meanwhile is no reason not to believe it.
    fn left(&mut self, at: Timestamp) -> NodeTurn {
        if self.standing != NodeStanding::Up || at < self.last_seen {
            return NodeTurn::None;
        }
        self.last_told = self.last_told.max(at);
        self.standing = self.nat.map_or(NodeStanding::Gone, |_| NodeStanding::BehindNat);
        NodeTurn::Left { stay: self.watched() + at.since(self.last_seen) / 2 }
    }

    fn lost(&mut self, at: Timestamp) -> NodeTurn {
        if self.standing != NodeStanding::Up || at < self.last_seen {
            return NodeTurn::None;
        }
        self.last_told = self.last_told.max(at);
        self.is_lost = true;
        self.standing = self.nat.map_or(NodeStanding::Unreached, |_| NodeStanding::BehindNat);
        NodeTurn::Unwatched { watched_us: micros(self.watched()) }
    }

    /// How long its stay was seen: from the first look that saw it until the last one.
    pub(super) fn watched(&self) -> Duration {
        self.last_seen.since(self.up_since)
    }

    /// Whether it is there as far as this run, which began at that moment, has seen itself.
    pub(super) fn is_active(&self, began: Timestamp) -> bool {
        self.standing == NodeStanding::Up && self.last_seen >= began
    }

    /// Whether nothing that is counted changes if it is forgotten: it is not there and was not seen on this day.
    pub(super) fn can_be_forgotten(&self, today: i32) -> bool {
        self.standing != NodeStanding::Up && self.seen_day < today
    }

    /// When something was last told of it.
    pub(super) const fn last_told(&self) -> Timestamp {
        self.last_told
    }

    pub(super) const fn standing(&self) -> NodeStanding {
        self.standing
    }

    pub(super) const fn is_seen_on(&self, day: i32) -> bool {
        self.seen_day == day
    }

    pub(super) fn last_seen(&self) -> Option<Timestamp> {
        (self.last_seen != NEVER).then_some(self.last_seen)
    }

    pub(super) const fn rtt(&self) -> Option<Duration> {
        if self.rtt_us == 0 { None } else { Some(Duration::from_micros(self.rtt_us as u64)) }
    }

    pub(super) const fn agent(&self) -> Option<u16> {
        self.agent
    }

    pub(super) const fn transport(&self) -> Option<Transport> {
        self.transport
    }

    pub(super) const fn nat(&self) -> Option<NatClass> {
        self.nat
    }

    pub(super) const fn failure(&self) -> Option<FailureClass> {
        self.failure
    }
}

/// A time in microseconds, as sums are kept; saturates after half a million years.
pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
