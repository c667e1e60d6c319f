//! What a look at a peer tells whoever looks on.

use kad::{PeerId, failure::FailureClass};
use schema::{NatClass, SessionEnd, Visit};

use super::{PeerSeen, WatchFact, WatchNews};
use crate::{
    evidence::{PeerLook, UptimeEvidence},
    session::SessionChange,
};

/// What a visit saw beside whether its peer was up: that is known later, at times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VisitSeen {
    seen: PeerSeen,
    nat: Option<NatClass>,
    failure: Option<FailureClass>,
}

impl VisitSeen {
    /// What that visit saw.
    pub fn of(visit: &Visit) -> Self {
        let connection = visit.met.connection.as_ref();
        Self {
            seen: PeerSeen {
                rtt: connection.and_then(|connection| connection.rtt).map(|rtt| rtt.time),
                transport: connection.map(|connection| connection.transport),
                agent: visit.met.agent_version.as_deref().map(Into::into),
            },
            nat: NatClass::of(visit),
            failure: visit.met.connect_error.as_ref().map(|failure| failure.class),
        }
    }

    /// As what it was seen, by what the look says. Of a look that dialled nobody and names no reason that is nothing.
    fn news(self, look: &PeerLook) -> Option<WatchNews> {
        if look.evidence == UptimeEvidence::Up {
            return Some(WatchNews::Up(self.seen));
        }
        let failure = look.failure.as_ref().map(|failure| failure.class).or(self.failure);
        self.nat.map(WatchNews::BehindNat).or(failure.map(WatchNews::Failed))
    }
}

/// What became known of a peer by a visit that saw this: what the look says, and what follows for its stay from what that `changed`.
pub fn watch_facts(
    peer: PeerId,
    seen: VisitSeen,
    look: &PeerLook,
    changed: &SessionChange,
) -> Vec<WatchFact> {
    let seen = seen.news(look).map(|news| WatchFact { peer, at: look.ended_at, news });
    let ended = match changed {
        SessionChange::Ended(session) => match session.end {
            Some(SessionEnd::LostSight) => Some((look.ended_at, WatchNews::Lost)),
            _ => Some((session.ended_by.unwrap_or(look.ended_at), WatchNews::Gone)),
        },
        _ => None,
    };
    seen.into_iter().chain(ended.map(|(at, news)| WatchFact { peer, at, news })).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kad::{
        failure::{Failure, Phase, SkipReason},
        network::AddressOutcome,
    };
    use schema::{AddressVisit, PeerNumber, Timestamp, VisitKind};

    use super::*;
    use crate::{PeerUptime, SessionRules, evidence};

    fn at(seconds: u64) -> Timestamp {
        Timestamp(0).after(Duration::from_secs(seconds))
    }

    /// A look at one address, of which that came.
    fn looked(seconds: u64, outcome: AddressOutcome) -> Visit {
        let mut visit = Visit::begun(PeerNumber(0), VisitKind::Scheduled, at(seconds));
        visit.met.ended_at = at(seconds + 1);
        if let AddressOutcome::Failed(failure) = &outcome {
            visit.met.connect_error = Some(failure.clone());
        }
        let started_after = outcome.failure().map(|_| Duration::ZERO);
        let address = "/ip4/127.0.0.1/tcp/1".parse::<kad::Multiaddr>().unwrap().into();
        visit.met.addresses =
            vec![AddressVisit { address, started_after, took: None, outcome, resolved: Vec::new() }];
        visit
    }

    #[test]
    fn looks_that_fail_are_told_each_and_a_departure_once_from_the_first() {
        let peer = PeerId::random();
        let (rules, mut uptime) =
            (SessionRules { tolerated: 1, ..SessionRules::default() }, PeerUptime::new());
        uptime.looked(
            &PeerLook {
                started_at: at(0),
                ended_at: at(1),
                evidence: UptimeEvidence::Up,
                failure: None,
                is_answered: true,
                is_sure: false,
            },
            &rules,
        );
        let mut told = Vec::new();
        for seconds in [10, 20, 30] {
            let failure = Failure::new(Phase::Connect, FailureClass::Timeout);
            let visit = looked(seconds, AddressOutcome::Failed(failure));
            let look = evidence(&visit, rules.criterion);
            let changed = uptime.looked(&look, &rules);
            told.extend(watch_facts(peer, VisitSeen::of(&visit), &look, &changed));
        }
        let failed =
            |seconds| WatchFact { peer, at: at(seconds), news: WatchNews::Failed(FailureClass::Timeout) };
        let gone = WatchFact { peer, at: at(11), news: WatchNews::Gone };
        assert_eq!(told, [failed(11), failed(21), gone, failed(31)]);
    }

    #[test]
    fn a_peer_with_relayed_addresses_alone_is_behind_address_translation() {
        let peer = PeerId::random();
        let visit = looked(0, AddressOutcome::Skipped(SkipReason::Relayed));
        let look = evidence(&visit, SessionRules::default().criterion);
        let told = watch_facts(peer, VisitSeen::of(&visit), &look, &SessionChange::Nothing);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].news, WatchNews::BehindNat(NatClass::RelayedOnly));
    }
}
