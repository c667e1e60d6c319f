//! Counts visits as they come. What a peer's last visit met decides what the peer counts as.

use std::collections::HashMap;

use kad::{
    failure::{FailureClass, SkipReason},
    network::AddressOutcome,
};
use schema::{AddressVisit, NatClass, PeerNumber, PrefixOutcome, Visit, VisitKind};

use crate::summary::{ByteCounts, Counts, PeerCounts, RequestCounts, VisitCounts};

/// Running counts.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// What the last visit of each peer met that has not been reached.
    unreached: HashMap<PeerNumber, (Unreached, Option<NatClass>)>,
    pub(crate) reachable: u64,
    pub(crate) crawled: u64,
    pub(crate) visits: VisitCounts,
    pub(crate) edges: u64,
    pub(crate) requests: RequestCounts,
    pub(crate) request_errors: Counts,
    pub(crate) identify_errors: Counts,
    pub(crate) addresses: Counts,
    pub(crate) agents: Counts,
    pub(crate) protocols: Counts,
    pub(crate) transports: Counts,
    pub(crate) security: Counts,
    pub(crate) certificates: Counts,
    pub(crate) ip_versions: Counts,
    pub(crate) rtts_us: Vec<u32>,
    pub(crate) bytes: ByteCounts,
}

/// Why a peer is not reachable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Unreached {
    /// Dials failed; the class of the one that came furthest.
    Failed(FailureClass),
    /// No address of it is known.
    NoAddress,
    /// All its addresses were left out for the same reason.
    Only(SkipReason),
    /// No address of it could be dialled, for several reasons.
    NoDialableAddress,
}

impl Unreached {
    fn of(visit: &Visit) -> Self {
        match &visit.connect_error {
            Some(failure) => Self::Failed(failure.class),
            None => Self::without_dial(&visit.addresses),
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

    fn name(self) -> String {
        match self {
            Self::Failed(class) => class.name().to_owned(),
            Self::NoAddress => "no_address".to_owned(),
            Self::Only(reason) => format!("only_{reason}"),
            Self::NoDialableAddress => "no_dialable_address".to_owned(),
        }
    }
}

impl Tally {
    /// Counts one visit.
    pub(crate) fn add(&mut self, visit: &Visit) {
        match visit.kind {
            VisitKind::First => self.visits.first += 1,
            VisitKind::NewAddresses => self.visits.new_addresses += 1,
            VisitKind::SecondPass => self.visits.second_pass += 1,
        }
        for address in &visit.addresses {
            count(&mut self.addresses, outcome_name(&address.outcome));
        }
        self.bytes.sent += visit.sent_bytes;
        self.bytes.received += visit.received_bytes;
        if visit.is_reachable() {
            self.unreached.remove(&visit.peer);
            self.visits.recovered += u64::from(visit.kind != VisitKind::First);
            self.add_reached(visit);
        } else {
            self.unreached.insert(visit.peer, (Unreached::of(visit), NatClass::of(visit)));
        }
    }

    fn add_reached(&mut self, visit: &Visit) {
        self.reachable += 1;
        let answered = |p: &&PrefixOutcome| matches!(p, PrefixOutcome::Answered { .. });
        self.crawled += u64::from(visit.prefixes.iter().any(|p| answered(&p)));
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
        match &visit.identify_error {
            Some(failure) => count(&mut self.identify_errors, failure.class.name()),
            None => count(&mut self.agents, visit.agent_version.as_deref().unwrap_or_default()),
        }
        for protocol in &visit.protocols {
            count(&mut self.protocols, protocol);
        }
        if let Some(connection) = &visit.connection {
            count(&mut self.transports, connection.transport.name());
            count(&mut self.security, connection.security.name());
            if let Some(certificate) = connection.certificate {
                count(&mut self.certificates, certificate.name());
            }
            count(&mut self.ip_versions, if connection.ip_version == 6 { "ip6" } else { "ip4" });
            let rtt = connection.rtt.and_then(|rtt| u32::try_from(rtt.as_micros()).ok());
            self.rtts_us.extend(rtt);
        }
    }

    /// Peers whose last visit failed.
    pub(crate) fn unreachable(&self) -> u64 {
        self.unreached.len() as u64
    }

    /// Peers, of which `discovered` were heard of.
    pub(crate) fn peers(&self, discovered: u64) -> PeerCounts {
        PeerCounts {
            discovered,
            reachable: self.reachable,
            crawled: self.crawled,
            unreachable: self.unreachable(),
            unvisited: discovered.saturating_sub(self.reachable + self.unreachable()),
        }
    }

    /// Unreachable peers behind address translation or a firewall, by class.
    pub(crate) fn nat(&self) -> Counts {
        let mut nat: Counts = NatClass::ALL.iter().map(|class| (class.name().to_owned(), 0)).collect();
        for class in self.unreached.values().filter_map(|(_, class)| *class) {
            count(&mut nat, class.name());
        }
        nat
    }

    /// Unreachable peers by reason.
    pub(crate) fn errors(&self) -> Counts {
        let mut errors = Counts::new();
        for (unreached, _) in self.unreached.values() {
            count(&mut errors, &unreached.name());
        }
        errors
    }
}

fn outcome_name(outcome: &AddressOutcome) -> &'static str {
    match outcome {
        AddressOutcome::Connected => "connected",
        AddressOutcome::NotTried => "not_tried",
        AddressOutcome::Abandoned => "abandoned",
        AddressOutcome::Skipped(reason) => match reason {
            SkipReason::Private => "skipped_private",
            SkipReason::Loopback => "skipped_loopback",
            SkipReason::SpecialPurpose => "skipped_special_purpose",
            SkipReason::Public => "skipped_public",
            SkipReason::Relayed => "skipped_relayed",
            SkipReason::TransportNotSupported => "skipped_transport_not_supported",
            SkipReason::TransportUnknown => "skipped_transport_unknown",
            SkipReason::Malformed => "skipped_malformed",
            SkipReason::OtherPeer => "skipped_other_peer",
            SkipReason::OverLimit => "skipped_over_limit",
            SkipReason::OptedOut => "skipped_opted_out",
            SkipReason::Name => "skipped_name",
        },
        AddressOutcome::Failed(failure) => failure.class.name(),
    }
}

/// Counts a name; allocates only for a new one.
fn count(counts: &mut Counts, name: &str) {
    match counts.get_mut(name) {
        Some(n) => *n += 1,
        None => drop(counts.insert(name.to_owned(), 1)),
    }
}
