//! What the rows of a period say of each peer of a network: read once, in the order in which they were written.
//!
//! Memory is bounded by the peers, their stays and the crawls that are under way, not by visits. What is estimated from it is in
//! [`network`](crate::network).

mod columns;
mod crawls;
mod interned;
mod looks;
mod reading;
mod stays;

#[cfg(test)]
pub(crate) mod tests;

use std::{net::IpAddr, sync::Arc};

use schema::{RunId, RunState, Timestamp};
use store::StorePeer;

pub use self::reading::GatherOrder;
use crate::{
    period::{Period, Watched},
    stay::SeenStay,
};

/// The most peers of one period: a hundred times as many as the largest network known has in a week.
pub const MAX_PEERS: usize = 1 << 23;

/// Why rows could not be taken in.
#[derive(Debug)]
pub enum GatherError {
    /// They could not be read.
    Store(store::Error),
    /// There are more peers than [`MAX_PEERS`].
    TooManyPeers,
    /// A column did not have the values that its description says.
    Column(&'static str),
}

impl std::fmt::Display for GatherError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::TooManyPeers => {
                write!(f, "more than {MAX_PEERS} peers were seen in the period: report on a shorter one")
            }
            Self::Column(name) => write!(f, "the column {name} does not hold what it should"),
        }
    }
}

impl std::error::Error for GatherError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            Self::TooManyPeers | Self::Column(_) => None,
        }
    }
}

impl From<store::Error> for GatherError {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

/// What was read of one network over one period.
#[derive(Debug)]
pub struct Gathered {
    /// Of which network.
    pub network: String,
    /// Over which period.
    pub period: Period,
    /// The part of it in which anybody looked; `None` if nobody did.
    pub watched: Option<Watched>,
    /// The crawls that began in it, from the first on.
    pub crawls: Vec<SeenCrawl>,
    /// Everybody who was visited in it.
    pub peers: Vec<SeenPeer>,
    /// What peers call their programs, by the numbers that peers have for them.
    pub agents: Vec<Arc<str>>,
    /// Sets of protocols, likewise.
    pub protocols: Vec<Vec<String>>,
    /// IP addresses that were connected to, with the positions of the peers that were met there, ascending.
    pub ips: Vec<(IpAddr, Vec<u32>)>,
    /// How many visits crawls and monitors made.
    pub visits: [u64; 2],
    /// How many runs of monitors were under way in it.
    pub monitors: u64,
}

/// One crawl.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenCrawl {
    /// Its run.
    pub run: RunId,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; `None` of one that is under way or was cut.
    pub finished_at: Option<Timestamp>,
    /// How it ended.
    pub state: RunState,
    /// How many peers it visited.
    pub visited: u64,
    /// How many of them it reached.
    pub reached: u64,
    /// Why it did not reach the others, by the names of failures.
    pub failures: Vec<(&'static str, u64)>,
    /// How many it reached that did not answer what they were asked.
    pub unresponsive: u64,
}

/// One peer.
#[derive(Debug, Clone)]
pub struct SeenPeer {
    /// Who, in its store.
    pub peer: StorePeer,
    /// What it last called its program, as a position in [`Gathered::agents`]; `None` if it never said.
    pub agent: Option<u32>,
    /// How often it called its program otherwise than before.
    pub agent_changes: u32,
    /// What it last said to speak, as a position in [`Gathered::protocols`].
    pub protocols: Option<u32>,
    /// Whether a crawl visited it: it was named in the network.
    pub is_found: bool,
    /// When it was last seen up; `None` if it never was.
    pub last_up: Option<Timestamp>,
    /// The transports by which it was connected to, a bit for each by its position among all of them.
    pub transports: u16,
    /// Whether by IP version 4, and by 6.
    pub ip_versions: [bool; 2],
    /// The shortest round trip to it, in microseconds.
    pub rtt_us: Option<i64>,
    /// Its stays, in their order.
    pub stays: Vec<SeenStay>,
}

impl Gathered {
    /// The program of a peer; `None` if it never said.
    pub fn agent(&self, peer: &SeenPeer) -> Option<&str> {
        self.agents.get(peer.agent? as usize).map(|agent| &**agent)
    }
}
