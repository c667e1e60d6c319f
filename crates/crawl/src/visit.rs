//! One visit: dial, identify beside the requests for every prefix, hang up. What the peer did is in the row; nothing
//! that it does is an error of ours.

use std::sync::Arc;

use kad::{
    Address, PeerId,
    failure::SkipReason,
    network::{AddressOutcome, Connection, Dial, Network},
};
use schema::{AddressVisit, ConnectionInfo, Visit};
use tokio::time::Instant;

use crate::{
    found::HeardPeers,
    frontier::{BRIEF, Job},
    introduction::introduce,
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
    visit.met.dialled(addrs, attempts, dialled - begun);
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
    visit.met.end(manner.clock.at(Instant::now()));
    Some(Visited { visit: Box::new(visit), found, left_out })
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
    said.identify.map(|identify| introduce(&mut visit.met, identify, peer)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
