//! Counts visits as they come. What a peer's last visit met decides what the peer counts as.

use std::collections::HashMap;

use kad::{
    failure::{FailureClass, SkipReason},
    network::AddressOutcome,
};
use schema::{AddressVisit, FurtherRequests, NatClass, PeerNumber, PrefixOutcome, Visit, VisitKind};
use serde::Serialize;

use crate::{
    fates::FateCounts,
    miss::turns_away,
    summary::{ByteCounts, Counts, PeerCounts, Quantiles, RequestCounts, VisitCounts},
};

/// Running counts.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// What the last visit of each peer met that has not been reached.
    unreached: HashMap<PeerNumber, (Unreached, Option<NatClass>)>,
    /// How many of these turned us away.
    turned_away: u64,
    pub(crate) reachable: u64,
    pub(crate) crawled: u64,
    pub(crate) visits: VisitCounts,
    pub(crate) edges: u64,
    pub(crate) requests: RequestCounts,
    pub(crate) request_errors: Counts,
    pub(crate) crawl_errors: Counts,
    pub(crate) longer_tables: u64,
    pub(crate) identify_errors: Counts,
    pub(crate) addresses: FateCounts,
    pub(crate) agents: Counts,
    pub(crate) protocols: Counts,
    pub(crate) transports: Counts,
    pub(crate) security: Counts,
    pub(crate) certificates: Counts,
    pub(crate) ip_versions: Counts,
    pub(crate) rtts_us: Vec<u32>,
    pub(crate) bytes: ByteCounts,
}

/// What was counted, under the names that the fields of a [`Summary`](crate::Summary) have.
#[derive(Debug, Serialize)]
pub(crate) struct Counted {
    pub(crate) peers: PeerCounts,
    pub(crate) visits: VisitCounts,
    pub(crate) edges: u64,
    pub(crate) requests: RequestCounts,
    pub(crate) errors: Counts,
    pub(crate) turned_away: Counts,
    pub(crate) nat: Counts,
    pub(crate) request_errors: Counts,
    pub(crate) crawl_errors: Counts,
    pub(crate) longer_tables: u64,
    pub(crate) identify_errors: Counts,
    pub(crate) addresses: Counts,
    pub(crate) agents: Counts,
    pub(crate) protocols: Counts,
    pub(crate) transports: Counts,
    pub(crate) security: Counts,
    pub(crate) certificates: Counts,
    pub(crate) ip_versions: Counts,
    pub(crate) rtt_ms: Option<Quantiles>,
}

/// Why a peer is not reachable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Unreached {
    /// Dials failed; the class of the one that came furthest.
    Failed(FailureClass),
    /// Somebody is there, and turned us away.
    TurnedAway(FailureClass),
    /// No address of it is known.
    NoAddress,
    /// All its addresses were left out for the same reason.
    Only(SkipReason),
    /// No address of it could be dialled, for several reasons.
    NoDialableAddress,
}

impl Unreached {
    fn of(visit: &Visit) -> Self {
        match &visit.met.connect_error {
            Some(failure) if turns_away(failure) => Self::TurnedAway(failure.class),
            Some(failure) => Self::Failed(failure.class),
            None => Self::without_dial(&visit.met.addresses),
        }
    }

    fn without_dial(addresses: &[AddressVisit]) -> Self {
        let mut reasons = addresses.iter().map(|address| match address.outcome {
            AddressOutcome::Skipped(reason) => Some(reason),
            _ => None,
        });
        match reasons.next() {
            None => Self::NoAddress,
            Some(Some(first)) if reasons.all(|reason| reason == Some(first)) => Self::Only(first),
            Some(_) => Self::NoDialableAddress,
        }
    }

    const fn is_turned_away(self) -> bool {
        matches!(self, Self::TurnedAway(_))
    }

    fn name(self) -> String {
        match self {
            Self::Failed(class) | Self::TurnedAway(class) => class.name().to_owned(),
            Self::NoAddress => "no_address".to_owned(),
            Self::Only(reason) => format!("only_{reason}"),
            Self::NoDialableAddress => "no_dialable_address".to_owned(),
        }
    }
}

impl Tally {
    /// Counts what comes of addresses there.
    pub(crate) fn counting(addresses: FateCounts) -> Self {
        Self { addresses, ..Self::default() }
    }

    /// Counts one visit.
    pub(crate) fn add(&mut self, visit: &Visit) {
        match visit.kind {
            VisitKind::First => self.visits.first += 1,
            VisitKind::NewAddresses => self.visits.new_addresses += 1,
            VisitKind::SecondPass => self.visits.second_pass += 1,
            VisitKind::TurnedAway => self.visits.turned_away += 1,
            // Of a monitor, never of a crawl.
            VisitKind::Scheduled => {}
        }
        for address in &visit.met.addresses {
            self.addresses.add(&address.outcome);
        }
        self.bytes.sent += visit.met.sent_bytes;
        self.bytes.received += visit.met.received_bytes;
        let before = if visit.is_reachable() {
            self.unreached.remove(&visit.peer)
        } else {
            let now = Unreached::of(visit);
            self.turned_away += u64::from(now.is_turned_away());
            self.unreached.insert(visit.peer, (now, NatClass::of(visit)))
        };
        self.turned_away -= u64::from(before.is_some_and(|(before, _)| before.is_turned_away()));
        if visit.is_reachable() {
            self.visits.recovered += u64::from(visit.kind != VisitKind::First);
            self.add_reached(visit);
        }
    }

    fn add_reached(&mut self, visit: &Visit) {
        self.reachable += 1;
        let answered = |p: &&PrefixOutcome| matches!(p, PrefixOutcome::Answered { .. });
        self.crawled += u64::from(visit.prefixes.iter().any(|p| answered(&p)));
        self.add_requests(visit);
        if let Some(failure) = &visit.met.identify_error {
            count(&mut self.identify_errors, failure.class.name());
        }
        if let Some(agent) = &visit.met.agent_version {
            count(&mut self.agents, agent);
        }
        for protocol in &visit.met.protocols {
            count(&mut self.protocols, protocol);
        }
        if let Some(connection) = &visit.met.connection {
            count(&mut self.transports, connection.transport.name());
            count(&mut self.security, connection.security.name());
            if let Some(certificate) = connection.certificate {
                count(&mut self.certificates, certificate.name());
            }
            count(&mut self.ip_versions, if connection.ip_version == 6 { "ip6" } else { "ip4" });
            let rtt = connection.rtt.and_then(|rtt| u32::try_from(rtt.time.as_micros()).ok());
            self.rtts_us.extend(rtt);
        }
    }

    fn add_requests(&mut self, visit: &Visit) {
        for prefix in visit.prefixes {
            match prefix {
                PrefixOutcome::NotAsked => {}
                PrefixOutcome::Saved => self.requests.saved += 1,
                PrefixOutcome::Answered { .. } => self.requests.sent += 1,
                PrefixOutcome::Failed(class) => {
                    self.requests.sent += 1;
                    self.requests.failed += 1;
                    count(&mut self.request_errors, class.name());
                }
            }
        }
        let FurtherRequests { answered, failed } = visit.further;
        let further = u64::from(answered) + u64::from(failed);
        self.requests.sent += further;
        self.requests.further += further;
        self.requests.failed += u64::from(failed);
        if let Some(failure) = &visit.crawl_error {
            count(&mut self.crawl_errors, failure.class.name());
            // All of them failed for the same reason: the first failure ends the visit.
            (0..failed).for_each(|_| count(&mut self.request_errors, failure.class.name()));
        }
        self.longer_tables += u64::from(visit.may_be_longer());
    }

    /// What a peer counts as that has not been reached: `Some(false)` if it was visited, `None` if it was not.
    pub(crate) fn stands(&self, peer: PeerNumber) -> Option<bool> {
        self.unreached.contains_key(&peer).then_some(false)
    }

    /// All of it, `discovered` peers having been heard of.
    pub(crate) fn counted(self, discovered: u64) -> Counted {
        Counted {
            peers: self.peers(discovered),
            errors: self.errors(),
            turned_away: self.evidence(),
            nat: self.nat(),
            visits: self.visits,
            edges: self.edges,
            requests: self.requests,
            request_errors: self.request_errors,
            crawl_errors: self.crawl_errors,
            longer_tables: self.longer_tables,
            identify_errors: self.identify_errors,
            addresses: self.addresses.by_name(),
            agents: self.agents,
            protocols: self.protocols,
            transports: self.transports,
            security: self.security,
            certificates: self.certificates,
            ip_versions: self.ip_versions,
            rtt_ms: Quantiles::of_micros(self.rtts_us),
        }
    }

    /// Peers whose last visit failed, those left out that turned us away.
    pub(crate) fn unreachable(&self) -> u64 {
        self.unreached.len() as u64 - self.turned_away
    }

    /// Peers whose last visit turned us away.
    pub(crate) const fn turned_away(&self) -> u64 {
        self.turned_away
    }

    /// Peers, of which `discovered` were heard of.
    pub(crate) fn peers(&self, discovered: u64) -> PeerCounts {
        PeerCounts {
            discovered,
            reachable: self.reachable,
            crawled: self.crawled,
            turned_away: self.turned_away,
            unreachable: self.unreachable(),
            unvisited: discovered.saturating_sub(self.reachable + self.unreached.len() as u64),
        }
    }

    /// Unreachable peers behind address translation or a firewall, by class.
    pub(crate) fn nat(&self) -> Counts {
        let mut nat: Counts = NatClass::ALL.iter().map(|class| (class.name().to_owned(), 0)).collect();
        let unreachable = self.unreached.values().filter(|(unreached, _)| !unreached.is_turned_away());
        for class in unreachable.filter_map(|(_, class)| *class) {
            count(&mut nat, class.name());
        }
        nat
    }

    /// Unreachable peers by reason.
    pub(crate) fn errors(&self) -> Counts {
        self.by_name(|unreached| !unreached.is_turned_away())
    }

    /// Peers that turned us away, by what their last visit met.
    pub(crate) fn evidence(&self) -> Counts {
        self.by_name(Unreached::is_turned_away)
    }

    fn by_name(&self, is_counted: impl Fn(Unreached) -> bool) -> Counts {
        let mut counts = Counts::new();
        for &(unreached, _) in self.unreached.values().filter(|(unreached, _)| is_counted(*unreached)) {
            count(&mut counts, &unreached.name());
        }
        counts
    }
}

/// Counts a name; allocates only for a new one.
fn count(counts: &mut Counts, name: &str) {
    match counts.get_mut(name) {
        Some(n) => *n += 1,
        None => drop(counts.insert(name.to_owned(), 1)),
    }
}

#[cfg(test)]
mod tests {
    use kad::failure::{Failure, Phase};
    use schema::Timestamp;

    use super::*;

    fn visit(peer: u32, kind: VisitKind, (phase, class): (Phase, FailureClass)) -> Visit {
        let mut visit = Visit::begun(PeerNumber(peer), kind, Timestamp(0));
        visit.met.connect_error = Some(Failure::new(phase, class));
        visit
    }

    #[test]
    fn who_turned_us_away_is_neither_reached_nor_down_by_its_last_visit() {
        let mut tally = Tally::default();
        let full = (Phase::Connect, FailureClass::ResourceLimit);
        let closed = (Phase::Secure, FailureClass::ConnectionClosed);
        let refused = (Phase::Connect, FailureClass::ConnectionRefused);
        for (peer, kind, what) in [
            (1, VisitKind::First, full),
            (2, VisitKind::First, refused),
            (3, VisitKind::First, full),
            (1, VisitKind::SecondPass, closed),
            (2, VisitKind::NewAddresses, full),
            (3, VisitKind::SecondPass, refused),
            (1, VisitKind::TurnedAway, closed),
        ] {
            tally.add(&visit(peer, kind, what));
        }
        let peers = tally.peers(4);
        assert_eq!((peers.reachable, peers.turned_away, peers.unreachable, peers.unvisited), (0, 2, 1, 1));
        let counts = |names: &[&str]| names.iter().map(|&name| (name.to_owned(), 1)).collect::<Counts>();
        assert_eq!(tally.evidence(), counts(&["connection_closed", "resource_limit"]));
        assert_eq!(tally.errors(), counts(&["connection_refused"]));
        let visits = VisitCounts { first: 3, new_addresses: 1, second_pass: 2, turned_away: 1, recovered: 0 };
        assert_eq!(tally.visits, visits);
    }
}
