//! One visit: dial, identify beside the requests for every prefix, hang up. What the peer did is in the row; nothing
//! that it does is an error of ours.

use std::sync::Arc;

use kad::{
    Address, Multiaddr, PeerId,
    failure::{self, Failure, SkipReason},
    identify::Identify,
    network::{AddressOutcome, Attempt, Connection, Dial, Network},
};
use schema::{AddressVisit, ConnectionInfo, Visit};
use tokio::time::Instant;

use crate::{
    bare::bare,
    found::HeardPeers,
    frontier::{BRIEF, Job},
    manner::Manner,
    summary::LeftOut,
    talk::{Talk, TalkOutcome},
};

/// What a visit brought.
#[derive(Debug)]
pub(crate) struct Visited {
    /// The row, without neighbors: their numbers are the frontier's.
    pub(crate) visit: Box<Visit>,
    /// The peers in the answers.
    pub(crate) found: HeardPeers,
    /// What the peer said beyond the bounds.
    pub(crate) left_out: LeftOut,
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
    let mut visit = Visit::begun(job.peer, job.kind, manner.clock.at(begun));
    visit.met.dial_duration = attempts.iter().any(|a| a.started_after.is_some()).then(|| dialled - begun);
    visit.met.addresses =
        addrs.into_iter().zip(attempts).map(|(addr, attempt)| address(addr, attempt)).collect();
    visit.met.addresses.extend(job.malformed.into_iter().map(malformed));
    let mut found = HeardPeers::new(&job.id.to_bytes(), Arc::clone(&manner.prefixes));
    let mut left_out = LeftOut::default();
    if let Some(mut connection) = connection {
        manner.pending.succeeded(dialled - begun);
        visit.met.connection = Some(ConnectionInfo::of(connection.endpoint(), None));
        let said = Talk::new(&mut connection, job.id, job.wave, manner).run(&mut found).await;
        if let Some(info) = &mut visit.met.connection {
            info.rtt = connection.round_trip();
        }
        let traffic = connection.traffic();
        visit.met.sent_bytes = traffic.sent_bytes;
        visit.met.received_bytes = traffic.received_bytes;
        connection.close().await;
        left_out = take(&mut visit, said, &job.id);
        left_out += found.left_out();
    }
    if visit.met.connection.is_none() {
        visit.met.connect_error = furthest(&visit.met.addresses);
    }
    visit.met.connect_duration =
        visit.met.connection.as_ref().and_then(|c| visit.met.addresses.get(c.address)).and_then(|a| a.took);
    visit.met.ended_at = manner.clock.at(Instant::now());
    Some(Visited { visit: Box::new(visit), found, left_out })
}

fn address(address: Multiaddr, attempt: Attempt) -> AddressVisit {
    let Attempt { started_after, took, outcome, resolved } = attempt;
    let resolved = resolved.into_iter().map(|(to, attempt)| self::address(to, attempt)).collect();
    AddressVisit { address: address.into(), started_after, took, outcome, resolved }
}

/// What was given as an address and is none.
pub(crate) const fn malformed(bytes: Box<[u8]>) -> AddressVisit {
    skipped(Address::Malformed(bytes), SkipReason::Malformed)
}

/// An address that is not dialled.
pub(crate) const fn skipped(address: Address, reason: SkipReason) -> AddressVisit {
    let outcome = AddressOutcome::Skipped(reason);
    AddressVisit { address, started_after: None, took: None, outcome, resolved: Vec::new() }
}

/// Puts what the peer said into its row, and says what was left out of identify.
fn take(visit: &mut Visit, said: TalkOutcome, peer: &PeerId) -> LeftOut {
    visit.crawl_duration = Some(said.duration);
    visit.prefixes = said.prefixes;
    visit.further = said.further;
    visit.open_buckets = said.open_buckets;
    visit.crawl_error = said.crawl_error;
    visit.request_rtt = said.request_rtt;
    visit.met.identify_error = said.identify_error;
    said.identify.map(|identify| take_identify(visit, identify, peer)).unwrap_or_default()
}

fn take_identify(visit: &mut Visit, mut identify: Identify, peer: &PeerId) -> LeftOut {
    identify.protocols.sort_unstable();
    identify.protocols.dedup();
    visit.met.agent_version = Some(identify.agent_version.unwrap_or_default());
    visit.met.protocols = identify.protocols;
    let listed = identify.listen_addrs.into_iter().map(|address| bare(address, peer).into());
    for address in listed.chain(identify.malformed_addrs.into_iter().map(Address::Malformed)) {
        if !visit.met.listen_addrs.contains(&address) {
            visit.met.listen_addrs.push(address);
        }
    }
    LeftOut {
        protocols: identify.excess.protocols.into(),
        listen_addrs: identify.excess.listen_addrs.into(),
        long_addresses: identify.excess.long_addrs.into(),
        long_texts: identify.excess.texts.into(),
        ..LeftOut::default()
    }
}

/// The failure of the address that says the most of the peer, by the [one ranking](failure::furthest). `None` if none failed.
pub(crate) fn furthest(addresses: &[AddressVisit]) -> Option<Failure> {
    failure::furthest(addresses.iter().filter_map(|address| address.outcome.failure())).cloned()
}

#[cfg(test)]
mod tests;
