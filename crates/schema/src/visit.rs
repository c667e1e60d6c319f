//! What one visit to one peer showed.
//!
//! The fields are those of RFM 2 (crawl, created, start, end, dial, connect and crawl durations, type, agent version,
//! peer, protocols, addresses, error), and the outcome of each address and prefix beside them. When a row was created is
//! said by the store.

use std::time::Duration;

use kad::{
    Multiaddr,
    failure::{Failure, FailureClass},
    network::AddressOutcome,
};

use crate::{
    Encounter, PeerNumber, RowType, Timestamp,
    cell::{BadCell, Cell, Cells},
    names_of,
    table::{Column, Holds, List, Table},
};

kad::named! {
    /// Who visits, as RFM 2 tells it apart.
    pub enum VisitType {
        /// A crawl.
        Crawl = "crawl",
        /// A monitor.
        Monitor = "monitor",
    }
}

kad::named! {
    /// Why a peer was visited.
    pub enum VisitKind {
        /// The first visit of a crawl.
        First = "first",
        /// A peer that failed was tried again, at addresses that no visit had tried.
        NewAddresses = "new_addresses",
        /// Its second chance: a peer that failed was tried once more, with all addresses known by then.
        SecondPass = "second_pass",
        /// A peer that turned us away, also at its second chance, was asked once more.
        TurnedAway = "turned_away",
        /// A monitor visited a peer that it knew, since it was time to.
        Scheduled = "scheduled",
    }
}

impl VisitKind {
    /// Who makes visits of this kind.
    pub const fn visit_type(self) -> VisitType {
        match self {
            Self::First | Self::NewAddresses | Self::SecondPass | Self::TurnedAway => VisitType::Crawl,
            Self::Scheduled => VisitType::Monitor,
        }
    }
}

/// The number of prefixes that a crawler asks for: common prefix lengths 0 to 15.
pub const PREFIXES: usize = 16;

/// One visit to one peer.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// Who was visited.
    pub peer: PeerNumber,
    /// Why.
    pub kind: VisitKind,
    /// What the contact with the peer showed.
    pub met: Encounter,
    /// From the first request sent until the last answer, failure or timeout; `None` without a connection.
    pub crawl_duration: Option<Duration>,
    /// For each prefix what came of its request.
    pub prefixes: [PrefixOutcome; PREFIXES],
    /// Requests beyond one for each prefix: for parts of buckets that may hold more than an answer does.
    pub further: FurtherRequests,
    /// The buckets that may hold more than was read: bit `c` for that of prefix length `c`. All peers in a full answer
    /// were of that bucket, and nothing else shows that there are no more.
    pub open_buckets: u16,
    /// Why not everything was answered, the first failure; `None` if everything was, or if there was no connection.
    pub crawl_error: Option<Failure>,
    /// From sending the first request until its answer; `None` without an answer.
    pub request_rtt: Option<Duration>,
    /// The distinct peers in the answers, ascending; `None` if neighbors are not kept.
    pub neighbors: Option<Vec<PeerNumber>>,
    /// How many peers had said in their answers, when the visit ended, that they are connected to this one; at most
    /// 255.
    pub connected_claims: u8,
}

impl Visit {
    /// A visit that begins, and of which nothing is known yet.
    pub const fn begun(peer: PeerNumber, kind: VisitKind, started_at: Timestamp) -> Self {
        Self {
            peer,
            kind,
            met: Encounter::begun(started_at),
            crawl_duration: None,
            prefixes: [PrefixOutcome::NotAsked; PREFIXES],
            further: FurtherRequests { answered: 0, failed: 0 },
            open_buckets: 0,
            crawl_error: None,
            request_rtt: None,
            neighbors: None,
            connected_claims: 0,
        }
    }

    /// Whether the peer could be connected to: it proved its identity over one of its addresses.
    pub const fn is_reachable(&self) -> bool {
        self.met.is_reachable()
    }

    /// The addresses that were known when the visit began, but for bytes that are none.
    pub fn multiaddrs(&self) -> impl Iterator<Item = &Multiaddr> {
        self.met.multiaddrs()
    }

    /// Whether the routing table may be longer than what was read of it.
    pub const fn may_be_longer(&self) -> bool {
        self.open_buckets != 0
    }

    /// The stable name of what went wrong: why there was no connection, else why requests failed, else, where nothing was
    /// dialled, why the first address was left out. `None` if nothing did, or if no address was known.
    pub fn fault(&self) -> Option<&'static str> {
        if let Some(failure) = self.met.connect_error.as_ref().or(self.crawl_error.as_ref()) {
            return Some(failure.class.name());
        }
        let skipped = self.met.addresses.iter().find_map(|visited| match visited.outcome {
            AddressOutcome::Skipped(reason) => Some(reason.name()),
            _ => None,
        });
        skipped.filter(|_| !self.is_reachable())
    }
}

/// What came of the request for one prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrefixOutcome {
    /// Not sent on a stream that the peer had agreed to: no connection, no such stream, or an earlier failure ended the
    /// visit.
    NotAsked,
    /// Not sent, since the answers before it proved that it would bring nothing new.
    Saved,
    /// Answered.
    Answered {
        /// How many peers were in the answer.
        peers: u16,
    },
    /// Sent, and not answered.
    Failed(FailureClass),
}

impl PrefixOutcome {
    /// The stable names of all outcomes.
    pub const NAMES: [&'static str; 4] = ["not_asked", "saved", "answered", "failed"];

    /// The stable name that is printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotAsked => "not_asked",
            Self::Saved => "saved",
            Self::Answered { .. } => "answered",
            Self::Failed(_) => "failed",
        }
    }
}

/// Requests for parts of buckets, by what came of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FurtherRequests {
    /// Answered.
    pub answered: u16,
    /// Sent, and not answered.
    pub failed: u16,
}

impl RowType for Visit {
    const TABLE: Table = Table {
        name: "visit",
        doc: "One visit to one peer, of a crawl or of a monitor.",
        has_encounter: true,
        columns: &[
            Column::new("peer", Holds::Subject, "who was visited"),
            Column::new("type", names_of!(VisitType), "who visited"),
            Column::new("kind", names_of!(VisitKind), "why"),
            Column::or_none("crawl_us", Holds::Duration, "from the first request until the last answer"),
            Column::new("prefixes", Holds::List(List::Prefixes), "what came of the request for each prefix"),
            Column::new("further_answered", Holds::Count("requests"), "requests beyond these, answered"),
            Column::new("further_failed", Holds::Count("requests"), "requests beyond these, not answered"),
            Column::new(
                "open_buckets",
                Holds::Count("bits"),
                "buckets that may hold more: bit c for prefix length c",
            ),
            Column::or_none("crawl_error", Holds::Failure, "why not everything was answered"),
            Column::or_none("request_rtt_us", Holds::Duration, "from the first request until its answer"),
            Column::or_none("neighbors", Holds::List(List::Peers), "the distinct peers in the answers"),
            Column::new("connected_claims", Holds::Count("peers"), "who said to be connected to this peer"),
        ],
    };

    fn encounter(&self) -> Option<&Encounter> {
        Some(&self.met)
    }

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![
            self.peer.into(),
            self.kind.visit_type().name().into(),
            self.kind.name().into(),
            self.crawl_duration.into(),
            self.prefixes.into(),
            self.further.answered.into(),
            self.further.failed.into(),
            self.open_buckets.into(),
            self.crawl_error.as_ref().into(),
            self.request_rtt.into(),
            self.neighbors.as_deref().into(),
            self.connected_claims.into(),
        ]
    }

    fn read(cells: &mut Cells<'_>, encounter: Option<Encounter>) -> Result<Self, BadCell> {
        let peer = cells.take()?;
        cells.name(VisitType::from_name)?;
        Ok(Self {
            peer,
            kind: cells.name(VisitKind::from_name)?,
            met: encounter.unwrap_or(Encounter::begun(Timestamp(0))),
            crawl_duration: cells.take()?,
            prefixes: cells.take()?,
            further: FurtherRequests { answered: cells.take()?, failed: cells.take()? },
            open_buckets: cells.take()?,
            crawl_error: cells.take()?,
            request_rtt: cells.take()?,
            neighbors: cells.take()?,
            connected_claims: cells.take()?,
        })
    }
}
