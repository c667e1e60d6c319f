//! The rows of a round: its sights, then those of each lookup, then its dials of providers, then that of the round.

use std::collections::{BTreeSet, HashMap};

use kad::{
    Address, Multiaddr, PeerId,
    lookup::{Rpc, RpcFate, Trace},
};
use schema::{HoardDial, HoardProvider, HoardRound, HoardSight, HoardWalk, LookupRequest, PeerNumber, Row};

use super::count;
use crate::{HolderSight, KeyRound, ProviderDial, RoundLookup};

pub(super) fn peers(round: &KeyRound) -> Vec<PeerId> {
    let mut peers: Vec<PeerId> = round.sights.iter().map(|sight| sight.peer).collect();
    for walk in &round.lookups {
        let asked =
            walk.found.trace.rpcs.iter().flat_map(|rpc| std::iter::once(rpc.peer).chain(rpc.heard_by));
        peers.extend(asked.filter_map(|number| walk.found.trace.peer(number)));
        peers.extend(&walk.closest);
        peers.extend(walk.named.iter().flat_map(|mention| [mention.provider, mention.responder]));
    }
    peers.extend(round.dials.iter().map(|dial| dial.provider));
    peers
}

pub(super) fn rows(round: &KeyRound, number_of: &impl Fn(&PeerId) -> Option<PeerNumber>) -> Vec<Row> {
    let sights =
        round.sights.iter().filter_map(|sight| Some(sight_row(round, sight, number_of(&sight.peer)?)));
    let mut rows: Vec<Row> = sights.map(Row::from).collect();
    for walk in &round.lookups {
        rows.extend(request_rows(walk, number_of).map(Row::from));
        rows.extend(provider_rows(round, walk, number_of).into_iter().map(Row::from));
        rows.push(walk_row(round, walk, number_of).into());
    }
    let dials = round.dials.iter().filter_map(|dial| Some(dial_row(round, dial, number_of(&dial.provider)?)));
    rows.extend(dials.map(Row::from));
    rows.push(Row::from(HoardRound {
        key: round.key.to_vec(),
        arm: round.arm,
        round: round.round,
        planned_at: round.planned_at,
        began_at: round.began_at,
        ended_at: round.ended_at,
        rounds_in_flight: round.in_flight.rounds,
        requests_in_flight: round.in_flight.requests,
        end: round.end,
        holders: count(round.holders, u16::MAX),
        reached: count(round.reached(), u16::MAX),
        keeping: count(round.keeping(), u16::MAX),
        with_addresses: count(round.with_addresses(), u16::MAX),
    }));
    rows
}

fn sight_row(round: &KeyRound, sight: &HolderSight, peer: PeerNumber) -> HoardSight {
    let (first, current) = (sight.first.as_ref(), sight.current.as_ref());
    HoardSight {
        peer,
        key: round.key.to_vec(),
        arm: round.arm,
        round: round.round,
        planned_after: sight.planned_after,
        after: sight.after,
        whereabouts: sight.whereabouts,
        first_dial_error: first.and_then(|dial| dial.failure.clone()),
        first_dial_took: first.map(|dial| dial.took),
        current_dial_error: current.and_then(|dial| dial.failure.clone()),
        current_dial_took: current.map(|dial| dial.took),
        current_addresses: sight.current_addresses.iter().cloned().map(Address::from).collect(),
        transport: sight.transport,
        round_trip: sight.round_trip,
        agent: sight.agent.as_deref().map(str::to_owned),
        answer: sight.said.answer,
        answer_error: sight.said.error.clone(),
        answer_took: sight.said.took,
        provider_addresses: sight.said.provider_addresses,
        other_providers: sight.said.other_providers,
        closer: sight.said.closer,
        attempts: sight.attempts,
    }
}

fn dial_row(round: &KeyRound, dial: &ProviderDial, peer: PeerNumber) -> HoardDial {
    HoardDial {
        peer,
        key: round.key.to_vec(),
        arm: round.arm,
        round: round.round,
        after: dial.after,
        origin: dial.origin,
        addresses: dial.addresses.iter().cloned().map(Address::from).collect(),
        verdict: dial.verdict,
        error: dial.error.map(str::to_owned),
    }
}

fn request_rows(
    walk: &RoundLookup,
    number_of: &impl Fn(&PeerId) -> Option<PeerNumber>,
) -> impl Iterator<Item = LookupRequest> {
    let trace = &walk.found.trace;
    trace.rpcs.iter().filter_map(move |rpc| {
        let peer = number_of(&trace.peer(rpc.peer)?)?;
        let heard_by = rpc.heard_by.and_then(|by| number_of(&trace.peer(by)?));
        Some(LookupRequest::of(trace, rpc, (peer, heard_by), walk.began_at))
    })
}

/// Of each provider the addresses are listed with the first answer that gives some, and then with each that gives others than the one
/// before it.
fn provider_rows(
    round: &KeyRound,
    walk: &RoundLookup,
    number_of: &impl Fn(&PeerId) -> Option<PeerNumber>,
) -> Vec<HoardProvider> {
    let mut last: HashMap<PeerId, &[Multiaddr]> = HashMap::new();
    let mut rows = Vec::with_capacity(walk.named.len());
    for mention in &walk.named {
        let (Some(peer), Some(responder)) = (number_of(&mention.provider), number_of(&mention.responder))
        else {
            continue;
        };
        let given = mention.addresses.as_slice();
        let is_news = !given.is_empty() && last.insert(mention.provider, given) != Some(given);
        let listed = if is_news { given } else { &[] };
        rows.push(HoardProvider {
            peer,
            key: round.key.to_vec(),
            arm: round.arm,
            round: round.round,
            lookup: walk.lookup,
            responder,
            answered_after: mention.answered_after,
            addresses: count(given.len(), u32::MAX),
            listed: listed.iter().cloned().map(Address::from).collect(),
        });
    }
    rows
}

fn walk_row(
    round: &KeyRound,
    walk: &RoundLookup,
    number_of: &impl Fn(&PeerId) -> Option<PeerNumber>,
) -> HoardWalk {
    let trace = &walk.found.trace;
    let answered = by_fate(trace, RpcFate::Answered);
    let failed = by_fate(trace, RpcFate::Failed);
    HoardWalk {
        key: round.key.to_vec(),
        arm: round.arm,
        round: round.round,
        lookup: walk.lookup,
        began_at: walk.began_at,
        took: walk.took,
        ending: walk.ending,
        asked: walk.hops.contacted,
        answered: count(answered.len(), u32::MAX),
        failed: count(failed.difference(&answered).count(), u32::MAX),
        contacted: walk.hops.total_hops,
        tree_depth: walk.hops.tree_depth,
        hops_to_closest: walk.hops.hops_to_closest,
        providers: count(walk.found.providers.len(), u32::MAX),
        first_combo: walk.first_combo,
        upgraded_combo: walk.upgraded_combo,
        closest: walk.closest.iter().filter_map(number_of).collect(),
    }
}

/// The peers with a request that came to this.
fn by_fate(trace: &Trace, fate: RpcFate) -> BTreeSet<u32> {
    let such = |rpc: &&Rpc| rpc.fate == fate;
    trace.rpcs.iter().filter(such).map(|rpc| rpc.peer).collect()
}
