//! What happens while a network is monitored: what whoever runs it is told, and keeps.

use kad::PeerId;
use schema::{ObserverGap, PeerDay, PeerNumber, PeerSession, Row, Visit, VisitType};

use crate::{evidence::PeerLook, session::SessionChange};

/// Something that happened.
#[derive(Debug)]
pub enum MonitorFact {
    /// A peer is named for the first time in this run; from now on its number stands for it.
    Peer(PeerNumber, PeerId),
    /// A peer was visited, by a crawl or by the monitor. The number of the peer is that of the monitor's run.
    Visited(Box<Visit>),
    /// What a visit says of its peer is known, and what follows from it: soon after the visit, or once it is known whether the observer's
    /// network stood.
    Looked(Box<PeerLooked>),
    /// A session that began or ended, as it stands a little later, when whatever it follows from is kept; or before this run, if nobody
    /// told it then.
    Session(Box<PeerSession>),
    /// What is known of a day of a peer, beside what was told of it before.
    Day(PeerDay),
    /// The observer did not see for a while.
    Gap(ObserverGap),
    /// A crawl is over: whether it came to its end, and how many peers it reached.
    Crawled {
        /// Whether it was not stopped and anybody answered.
        is_whole: bool,
        /// How many peers it reached.
        reached: u64,
    },
}

/// What a look at a peer says, and what follows from it.
#[derive(Debug)]
pub struct PeerLooked {
    /// At whom, by the number in this run.
    pub peer: PeerNumber,
    /// What it says of the peer, the observer's gaps taken into account.
    pub look: PeerLook,
    /// What that changed.
    pub change: SessionChange,
}

/// The row that is kept of what happened in the run of the monitor; `None` for what follows from others: visits of crawls are rows of theirs.
pub fn monitor_row(fact: MonitorFact) -> Option<Row> {
    match fact {
        MonitorFact::Peer(number, id) => Some(Row::Peer(number, id)),
        MonitorFact::Visited(visit) if visit.kind.visit_type() == VisitType::Monitor => {
            Some(Row::Visit(visit))
        }
        MonitorFact::Session(session) => Some(Row::PeerSession(session)),
        MonitorFact::Day(day) => Some(day.into()),
        MonitorFact::Gap(gap) => Some(gap.into()),
        MonitorFact::Visited(_) | MonitorFact::Looked(_) | MonitorFact::Crawled { .. } => None,
    }
}
