//! One visit: dial, identify beside the requests for every prefix, hang up. What the peer did is in the row; nothing
//! that it does is an error of ours.

use kad::{
    Multiaddr, PeerId,
    failure::{Failure, FailureClass, Phase},
    network::{AddressOutcome, Attempt, Connection, Dial, Network},
};
use schema::{AddressVisit, ConnectionInfo, PrefixOutcome, Visit, visit::PREFIXES};
use tokio::time::Instant;

use crate::{
    bare::bare,
    found::Found,
    frontier::{BRIEF, Job},
    manner::Manner,
    talk::{Said, Talk},
};

/// What a visit brought.
#[derive(Debug)]
pub(crate) struct Visited {
    /// The row, without neighbors: their numbers are the frontier's.
    pub(crate) visit: Box<Visit>,
    /// The peers in the answers.
    pub(crate) found: Found,
}

/// Visits one peer. `None` if the run was cancelled before the dial came to an end.
pub(crate) async fn visit<N: Network>(network: N, job: Job, manner: &Manner) -> Option<Visited> {
    let begun = Instant::now();
    let addrs = job.addrs.clone();
    let at_most = job.is_brief.then(|| manner.pending.brief(BRIEF));
    let dial = tokio::select! {
        dial = manner.pending.watch(network.connect_within(job.id, job.addrs, at_most)) => dial,
        () = manner.cancel.cancelled() => return None,
    };
    let dialled = Instant::now();
    let Dial { attempts, connection } = dial;
    let mut visit = blank(job.peer, job.kind, manner.clock.at(begun));
    visit.dial_duration = attempts.iter().any(|a| a.started_after.is_some()).then(|| dialled - begun);
    visit.addresses = addrs.into_iter().zip(attempts).map(|(addr, attempt)| address(addr, attempt)).collect();
    let mut found = Found::default();
    if let Some(mut connection) = connection {
        manner.pending.succeeded(dialled - begun);
        visit.connection = Some(connection_info(&connection));
        let said = Talk::new(&mut connection, job.id, job.wave, manner).run(&mut found).await;
        if let Some(info) = &mut visit.connection {
            info.rtt = connection.round_trip();
        }
        let traffic = connection.traffic();
        visit.sent_bytes = traffic.sent_bytes;
        visit.received_bytes = traffic.received_bytes;
        connection.close().await;
        take(&mut visit, said, &job.id);
    }
    if visit.connection.is_none() {
        visit.connect_error = furthest(&visit.addresses);
    }
    visit.connect_duration =
        visit.connection.as_ref().and_then(|c| visit.addresses.get(c.address)).and_then(|a| a.took);
    visit.ended_at = manner.clock.at(Instant::now());
    Some(Visited { visit: Box::new(visit), found })
}

/// A visit about which nothing is known yet.
pub(crate) fn blank(
    peer: schema::PeerNumber,
    kind: schema::VisitKind,
    started_at: schema::Timestamp,
) -> Visit {
    Visit {
        peer,
        kind,
        started_at,
        ended_at: started_at,
        dial_duration: None,
        connect_duration: None,
        crawl_duration: None,
        addresses: Vec::new(),
        connection: None,
        connect_error: None,
        agent_version: None,
        protocols: Vec::new(),
        listen_addrs: Vec::new(),
        identify_error: None,
        prefixes: [PrefixOutcome::NotAsked; PREFIXES],
        crawl_error: None,
        request_rtt: None,
        neighbors: None,
        connected_claims: 0,
        sent_bytes: 0,
        received_bytes: 0,
    }
}

fn address(address: Multiaddr, attempt: Attempt) -> AddressVisit {
    let Attempt { started_after, took, outcome, resolved } = attempt;
    let resolved = resolved.into_iter().map(|(to, attempt)| self::address(to, attempt)).collect();
    AddressVisit { address, started_after, took, outcome, resolved }
}

fn connection_info(connection: &impl Connection) -> ConnectionInfo {
    let endpoint = connection.endpoint();
    ConnectionInfo {
        address: endpoint.address,
        transport: endpoint.transport,
        security: endpoint.security,
        certificate: endpoint.certificate,
        ip_version: endpoint.ip_version,
        socket: endpoint.socket,
        rtt: None,
    }
}

/// Puts what the peer said into its row. A connection that ended before its handshakes did was none: the address
/// then failed after all.
fn take(visit: &mut Visit, said: Said, peer: &PeerId) {
    if let Some(failure) = said.no_connection {
        let address =
            visit.connection.take().and_then(|connection| visit.addresses.get_mut(connection.address));
        if let Some(address) = address {
            let connected = |visited: &&mut AddressVisit| visited.outcome == AddressOutcome::Connected;
            if let Some(resolved) = address.resolved.iter_mut().find(connected) {
                resolved.outcome = AddressOutcome::Failed(failure.clone());
            }
            address.outcome = AddressOutcome::Failed(failure);
        }
        return;
    }
    visit.crawl_duration = Some(said.duration);
    visit.prefixes = said.prefixes;
    visit.crawl_error = said.crawl_error;
    visit.request_rtt = said.request_rtt;
    match said.identify {
        Ok(mut identify) => {
            identify.protocols.sort_unstable();
            identify.protocols.dedup();
            visit.agent_version = Some(identify.agent_version.unwrap_or_default());
            visit.protocols = identify.protocols;
            for address in identify.listen_addrs {
                let address = bare(address, peer);
                if !visit.listen_addrs.contains(&address) {
                    visit.listen_addrs.push(address);
                }
            }
        }
        Err(failure) => visit.identify_error = Some(failure),
    }
}

/// The failure of the address that came furthest: a peer that was heard of but refused us says more than one of which
/// nothing came. A phase that came later counts for more; in the same phase an answer counts for more than silence.
pub(crate) fn furthest(addresses: &[AddressVisit]) -> Option<Failure> {
    addresses
        .iter()
        .filter_map(|address| match &address.outcome {
            AddressOutcome::Failed(failure) => Some(failure),
            _ => None,
        })
        .max_by_key(|failure| (failure.phase != Phase::Dns, failure.phase, rank(failure.class)))
        .cloned()
}

const fn rank(class: FailureClass) -> u8 {
    match class {
        FailureClass::LocalResources | FailureClass::AddressNotAvailable => 0,
        FailureClass::Timeout => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use kad::identify::Identify;

    use super::*;

    fn failed(phase: Phase, class: FailureClass) -> AddressVisit {
        AddressVisit {
            address: Multiaddr::empty(),
            started_after: None,
            took: None,
            outcome: AddressOutcome::Failed(Failure::new(phase, class)),
            resolved: Vec::new(),
        }
    }

    #[test]
    fn listen_addresses_are_kept_in_one_form_each_once() {
        let peer = PeerId::random();
        let (short, full) = ("/ip4/1.2.3.4/tcp/1", format!("/ip4/1.2.3.4/tcp/1/p2p/{peer}"));
        let listen_addrs = [full.as_str(), short, &full].map(|text| text.parse().expect("an address"));
        let identify = Identify { listen_addrs: listen_addrs.to_vec(), ..Identify::default() };
        let said = Said {
            no_connection: None,
            identify: Ok(identify),
            prefixes: [PrefixOutcome::NotAsked; PREFIXES],
            crawl_error: None,
            request_rtt: None,
            duration: std::time::Duration::ZERO,
        };
        let mut visit = blank(schema::PeerNumber(0), schema::VisitKind::First, schema::Timestamp(0));
        take(&mut visit, said, &peer);
        assert_eq!(visit.listen_addrs, [short.parse().expect("an address")]);
    }

    #[test]
    fn the_address_that_came_furthest_speaks_for_the_peer() {
        let addresses = [
            failed(Phase::Connect, FailureClass::Timeout),
            failed(Phase::Secure, FailureClass::Timeout),
            failed(Phase::Connect, FailureClass::ConnectionRefused),
        ];
        assert_eq!(furthest(&addresses), Some(Failure::new(Phase::Secure, FailureClass::Timeout)));
        assert_eq!(
            furthest(&[addresses[0].clone(), addresses[2].clone()]),
            Some(Failure::new(Phase::Connect, FailureClass::ConnectionRefused))
        );
        assert_eq!(furthest(&[]), None);
    }
}
