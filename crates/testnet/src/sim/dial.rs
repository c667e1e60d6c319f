//! The course of one dial over several addresses, computed before it is waited for.

use std::time::Duration;

use kad::{
    failure::SkipReason,
    network::{AddressOutcome, Attempt, Transport},
    policy::Target,
};
use libp2p_identity::PeerId;
use multiaddr::Multiaddr;

use super::{
    Caller,
    fate::{Fate, Reached, fate},
};

/// What comes of each address, who was reached, and how long it takes.
///
/// As many addresses as a dial tries are taken, the first ones. Of these QUIC goes first, then TCP, then what runs on it, each
/// first over IPv4; otherwise the order is the given one. An address is tried when the one before it has failed, or
/// after the stagger beside it. The first one to reach the peer wins: those under way are abandoned, the others not
/// tried.
pub(super) fn dial(
    caller: &Caller,
    peer: PeerId,
    (addrs, at_most): (&[Multiaddr], Option<Duration>),
) -> (Vec<Attempt>, Option<Reached>, Duration) {
    let (mut attempts, turns) = plan(caller, &peer, addrs);
    let mut winner: Option<(Duration, Reached)> = None;
    let mut start = Duration::ZERO;
    for (position, target) in turns {
        if winner.is_some_and(|(won, _)| won <= start) || at_most.is_some_and(|limit| limit <= start) {
            break;
        }
        let left = at_most.map_or(Duration::MAX, |limit| limit.saturating_sub(start));
        let (outcome, took) = match fate(caller, &peer, position, target).within(left) {
            Fate::Failed(took, failure) => (AddressOutcome::Failed(failure), took),
            Fate::Reached(took, reached) => {
                if winner.is_none_or(|(won, _)| start + took < won) {
                    winner = Some((start + took, reached));
                }
                (AddressOutcome::Connected, took)
            }
        };
        let failed = matches!(outcome, AddressOutcome::Failed(_));
        let started_after = Some(start);
        attempts[position] = Attempt { started_after, took: Some(took), ..Attempt::untried(outcome) };
        start += if failed { took.min(caller.shared.limits.stagger) } else { caller.shared.limits.stagger };
    }
    let took = winner.map_or_else(|| end_of_last(&attempts), |(won, _)| won);
    if let Some((won, reached)) = winner {
        cut_short(&mut attempts, won, reached.address);
    }
    lead_on(caller, addrs, &mut attempts);
    (attempts, winner.map(|(_, reached)| reached), took)
}

/// What is dialled in which order, by position, and the fate so far of every address.
fn plan(caller: &Caller, peer: &PeerId, addrs: &[Multiaddr]) -> (Vec<Attempt>, Vec<(usize, Target)>) {
    let mut turns: Vec<(usize, Target)> =
        Vec::with_capacity(addrs.len().min(caller.shared.limits.max_addresses));
    let mut attempts = Vec::with_capacity(addrs.len());
    for (position, address) in addrs.iter().enumerate() {
        let resolved = caller.shared.world.resolve(address);
        let outcome = match caller.shared.world.admitted().target(resolved.as_ref().unwrap_or(address), peer)
        {
            Err(reason) => AddressOutcome::Skipped(reason),
            Ok(target) => {
                turns.push((position, target));
                AddressOutcome::NotTried
            }
        };
        attempts.push(Attempt::untried(outcome));
    }
    for (position, _) in turns.split_off(caller.shared.limits.max_addresses.min(turns.len())) {
        attempts[position] = Attempt::untried(AddressOutcome::Skipped(SkipReason::OverLimit));
    }
    turns.sort_by_key(|(_, target)| (place(target.transport()), target.addr().is_ipv6()));
    (attempts, turns)
}

const fn place(transport: Transport) -> u8 {
    match transport {
        Transport::Quic => 0,
        Transport::Tcp => 1,
        Transport::Ws => 2,
        Transport::Wss => 3,
    }
}

/// What was still under way when a connection stood at `won` was abandoned then.
fn cut_short(attempts: &mut [Attempt], won: Duration, winner: usize) {
    for (position, attempt) in attempts.iter_mut().enumerate() {
        let (Some(start), Some(took)) = (attempt.started_after, attempt.took) else { continue };
        if position != winner && (start + took > won || attempt.outcome == AddressOutcome::Connected) {
            attempt.outcome = AddressOutcome::Abandoned;
            attempt.took = Some(won.saturating_sub(start));
        }
    }
}

/// Notes where the names led to.
fn lead_on(caller: &Caller, addrs: &[Multiaddr], attempts: &mut [Attempt]) {
    for (address, attempt) in addrs.iter().zip(attempts) {
        let is_over = attempt.started_after.is_some() && attempt.outcome != AddressOutcome::Abandoned;
        if let Some(to) = caller.shared.world.resolve(address).filter(|_| is_over) {
            attempt.resolved = vec![(to, attempt.clone())];
        }
    }
}

fn end_of_last(attempts: &[Attempt]) -> Duration {
    attempts
        .iter()
        .filter_map(|attempt| Some(attempt.started_after? + attempt.took?))
        .max()
        .unwrap_or_default()
}
