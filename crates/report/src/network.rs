//! Numbers of a network over a period, each with its interval and what it stands on, and a page of them.
//!
//! What each number means, and what it assumes, is in `docs/methodology/presence.md`.

mod agents;
mod arrivals;
mod churn;
mod classes;
mod crawls;
mod numbers;
mod page;
mod rotating;
mod tables;

pub use self::numbers::{
    AgentShare, ArrivalNumbers, ChurnCurve, ChurnNumbers, ClassNumbers, ClassShare, CrawlPoint, DrawnPoint,
    GroupClasses, HeadlineNumbers, NetworkSection, RotatingIp, UpdatingNumbers, VersionAlert,
};
use schema::Veil;

use crate::gathered::Gathered;

/// How many groups, programs and versions are told apart; what is rarer is together.
const MAX_GROUPS: usize = 10;

impl NetworkSection {
    /// The numbers of what was gathered; addresses are shown as a veil lets them be.
    pub fn of(gathered: &Gathered, veil: &Veil) -> Self {
        Self {
            network: gathered.network.clone(),
            period: gathered.period,
            watched: gathered.watched,
            headline: HeadlineNumbers::of(gathered),
            crawls: gathered.crawls.iter().map(CrawlPoint::of).collect(),
            classes: gathered.watched.map(|watched| ClassNumbers::of(gathered, watched)),
            churn: gathered.watched.and_then(|watched| ChurnNumbers::of(gathered, watched)),
            arrivals: gathered.watched.and_then(|watched| ArrivalNumbers::of(gathered, watched)),
            agents: agents::shares(gathered),
            protocols: agents::protocols(gathered),
            transports: agents::transports(gathered),
            ip_versions: agents::ip_versions(gathered),
            rtt_ms: agents::rtt_ms(gathered),
            rotating: rotating::rotating(gathered, veil),
            updating: UpdatingNumbers::of(gathered),
        }
    }
}
