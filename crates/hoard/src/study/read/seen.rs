//! Rounds that came to their end, with their lookups and what they saw of holders.

use std::{collections::HashSet, sync::Arc};

use kad::key::Key;
use schema::{HoardDial, HoardRound, HoardSight, HoardWalk, PeerNumber, RoundEnd};

use super::{Reading, StudyDetail};
use crate::study::{
    AgentThen, ShortSpan, StudyDial, StudyKey, StudyLookup, StudyPeer, StudyRound, StudySight,
};

/// Which run closed what.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    /// Of each key, in the order of its rounds: the run that closed it.
    closed_by: Vec<Vec<u16>>,
    /// Rounds without an end of which something stands: the run, the place of the key and the round.
    cut: HashSet<(usize, usize, u32)>,
    pub(super) lookups: usize,
    pub(super) sights: usize,
    pub(super) dials: usize,
}

impl Rounds {
    pub(super) fn cut(&self) -> u64 {
        self.cut.len() as u64
    }

    fn of(&mut self, key: usize) -> &mut Vec<u16> {
        if self.closed_by.len() <= key {
            self.closed_by.resize(key + 1, Vec::new());
        }
        &mut self.closed_by[key]
    }
}

pub(super) fn take_round(reading: &mut Reading<'_>, row: &HoardRound) {
    let Some(place) = reading.places.get(&row.key, row.arm) else {
        reading.passed_over().unknown_keys += 1;
        return;
    };
    let published_at = reading.study.keys[place].published_at;
    if row.began_at < published_at || row.planned_at < published_at {
        reading.passed_over().before_publication += 1;
        return;
    }
    let round = StudyRound {
        round: row.round,
        planned_after: row.planned_at.since(published_at),
        began_after: row.began_at.since(published_at),
        ended_after: row.ended_at.since(published_at),
        end: row.end,
        rounds_in_flight: row.rounds_in_flight,
        requests_in_flight: row.requests_in_flight,
        lookups: Vec::new(),
        dials: Vec::new(),
    };
    let run = u16::try_from(reading.run).unwrap_or(u16::MAX);
    let (rounds, closed_by) = (&mut reading.study.keys[place].rounds, reading.rounds.of(place));
    match rounds.binary_search_by_key(&round.round, |known| known.round) {
        Err(at) => {
            rounds.insert(at, round);
            closed_by.insert(at, run);
        }
        Ok(at) => {
            // One that was given up is done again by who resumes.
            if rounds[at].end == RoundEnd::Stopped {
                rounds[at] = round;
                closed_by[at] = run;
            }
            reading.passed_over().repeated_rounds += 1;
        }
    }
}

/// The place of a key, and that of one of its rounds, if the run whose rows are read closed it.
fn closed(reading: &mut Reading<'_>, (key, arm): (&[u8], u16), round: u32) -> Option<(usize, usize)> {
    let Some(place) = reading.places.get(key, arm) else {
        reading.passed_over().unknown_keys += 1;
        return None;
    };
    let rounds = &reading.study.keys[place].rounds;
    let at = rounds.binary_search_by_key(&round, |known| known.round).ok();
    let by = at.and_then(|at| reading.rounds.closed_by.get(place)?.get(at)).copied();
    if at.is_none() {
        reading.rounds.cut.insert((reading.run, place, round));
    }
    // What this run left undone another one did: it is not cut.
    at.filter(|_| by.map(usize::from) == Some(reading.run)).map(|at| (place, at))
}

pub(super) fn take_walk(reading: &mut Reading<'_>, row: &HoardWalk) {
    let Some((place, at)) = closed(reading, (&row.key, row.arm), row.round) else { return };
    reading.rounds.lookups += 1;
    let closest = match reading.detail {
        StudyDetail::Lookups => Vec::new(),
        StudyDetail::Sights | StudyDetail::Responses => closest(reading, &row.key, &row.closest),
    };
    let key = &mut reading.study.keys[place];
    let closest = shared(key, at, closest);
    let short = |count: u32| u16::try_from(count).unwrap_or(u16::MAX);
    let lookups = &mut key.rounds[at].lookups;
    // A list that grows by doubling would have room for four.
    lookups.reserve_exact(1);
    lookups.push(StudyLookup {
        took: row.took,
        ending: row.ending,
        asked: row.asked,
        answered: row.answered,
        failed: row.failed,
        contacted: row.contacted,
        tree_depth: short(row.tree_depth),
        hops_to_closest: row.hops_to_closest.map(short),
        providers: row.providers,
        first_combo: row.first_combo,
        upgraded_combo: row.upgraded_combo,
        closest,
        ..StudyLookup::begun(row.lookup, row.began_at)
    });
}

/// The peers of a set, the nearest to a key first.
fn closest(reading: &Reading<'_>, key: &[u8], set: &[PeerNumber]) -> Vec<StudyPeer> {
    let target = Key::of(key);
    let distance =
        |peer: &StudyPeer| reading.study.peer(*peer).map(|peer| Key::of_peer(peer).distance(&target));
    let mut peers: Vec<_> =
        set.iter().filter_map(|&number| reading.numbers.peer(reading.run, number)).collect();
    peers.sort_by_cached_key(distance);
    peers
}

/// The same list as that of the lookup before, of this round or of the last, if it is the same.
fn shared(key: &StudyKey, round: usize, closest: Vec<StudyPeer>) -> Arc<[StudyPeer]> {
    let before = key.rounds[..=round].iter().rev().take(2).find_map(|round| round.lookups.last());
    match before {
        Some(before) if *before.closest == *closest => Arc::clone(&before.closest),
        _ if closest.is_empty() => Arc::default(),
        _ => closest.into(),
    }
}

pub(super) fn take_sight(reading: &mut Reading<'_>, row: &HoardSight) {
    let Some((place, _)) = closed(reading, (&row.key, row.arm), row.round) else { return };
    let peer = reading.numbers.peer(reading.run, row.peer);
    let agent = row.agent.as_deref().map(|agent| reading.numbers.agent(agent).and_then(AgentThen::new));
    if agent == Some(None) {
        reading.passed_over().agents_beyond += 1;
    }
    let key = &mut reading.study.keys[place];
    let rounds = key.rounds.len();
    let Some(holder) = key.holders.iter_mut().find(|holder| Some(holder.peer) == peer) else {
        reading.passed_over().unknown_holders += 1;
        return;
    };
    reading.rounds.sights += 1;
    if holder.sights.capacity() == 0 {
        // One for each round, and the second reading back: a list that grows by doubling would take twice the room.
        holder.sights.reserve_exact(rounds + 1);
    }
    holder.sights.push(StudySight {
        dial_took: row.first_dial_took.map(ShortSpan::from),
        answer_took: row.answer_took.map(ShortSpan::from),
        agent: agent.flatten(),
        other_providers: row.other_providers,
        provider_addresses: u8::try_from(row.provider_addresses).unwrap_or(u8::MAX),
        whereabouts: row.whereabouts,
        first_failure: row.first_dial_error.as_ref().map(|error| error.class),
        current_failure: row.current_dial_error.as_ref().map(|error| error.class),
        answer_failure: row.answer_error.as_ref().map(|error| error.class),
        transport: row.transport,
        attempts: row.attempts,
        ..StudySight::seen(row.round, row.after, row.answer)
    });
}

pub(super) fn take_dial(reading: &mut Reading<'_>, row: &HoardDial) {
    let Some((place, at)) = closed(reading, (&row.key, row.arm), row.round) else { return };
    let Some(provider) = reading.numbers.peer(reading.run, row.peer) else { return };
    reading.rounds.dials += 1;
    reading.study.keys[place].rounds[at].dials.push(StudyDial { provider, verdict: row.verdict });
}
