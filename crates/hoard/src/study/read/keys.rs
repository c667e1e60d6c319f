//! Keys with their holders, and when their publishers left.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use kad::PeerId;
use schema::{HoardHolder, HoardKey, HoardPublisher, Timestamp};

use super::Reading;
use crate::study::{StudyHolder, StudyKey};

/// Who published what.
#[derive(Debug, Default)]
pub(super) struct Publications {
    /// The run that published each key, by the place of the key.
    by_run: Vec<usize>,
    /// Publications without an end: the run, the arm and the key.
    cut: HashSet<(usize, u16, Vec<u8>)>,
    /// When the publishers of each arm left.
    left: HashMap<(u16, PeerId), Vec<Timestamp>>,
}

impl Publications {
    pub(super) fn cut(&self) -> u64 {
        self.cut.len() as u64
    }
}

pub(super) fn take_key(reading: &mut Reading<'_>, row: HoardKey) {
    if reading.places.get(&row.key, row.arm).is_some() {
        reading.passed_over().repeated_keys += 1;
        return;
    }
    let Some(provider) = reading.numbers.peer(reading.run, row.peer) else { return };
    let Some(&provider) = reading.study.peer(provider) else { return };
    reading.arm(&row);
    let key = StudyKey {
        position: row.position,
        took: row.took,
        failure: row.failure.as_deref().map(Arc::from),
        holders: Vec::with_capacity(usize::try_from(row.holders).unwrap_or(0).min(usize::from(row.k) * 2)),
        ..StudyKey::published(row.key, row.arm, provider, row.published_at)
    };
    reading.places.put(&key, reading.study.keys.len());
    reading.publications.by_run.push(reading.run);
    reading.study.keys.push(key);
}

pub(super) fn take_holder(reading: &mut Reading<'_>, row: HoardHolder) {
    let run = reading.run;
    let place = reading.places.get(&row.key, row.arm);
    let Some(place) = place.filter(|&place| reading.publications.by_run.get(place) == Some(&run)) else {
        reading.publications.cut.insert((run, row.arm, row.key));
        return;
    };
    let Some(peer) = reading.numbers.peer(run, row.peer) else { return };
    let key = &mut reading.study.keys[place];
    if key.holders.iter().any(|known| known.peer == peer) {
        return;
    }
    key.holders.push(StudyHolder {
        common_prefix_len: row.common_prefix_len,
        agent: row.agent.as_deref().map(|agent| reading.numbers.agent_name(agent)),
        first_addresses: reading.numbers.addresses(peer, row.first_addresses),
        chosen_after: row.chosen_after,
        send_failure: row.send_error.map(|error| error.class),
        ..StudyHolder::given(peer, row.rank, row.sent_after)
    });
}

pub(super) fn take_publisher(reading: &mut Reading<'_>, row: &HoardPublisher) {
    let peer = reading.numbers.peer(reading.run, row.peer);
    let peer = peer.and_then(|peer| reading.study.peer(peer).copied());
    if let Some(peer) = peer {
        reading.publications.left.entry((row.arm, peer)).or_default().push(row.closed_at);
    }
}

/// Says of each key when its publisher left: the first time after it was published.
pub(super) fn close(keys: &mut [StudyKey], publications: &Publications) {
    for key in keys {
        let left = publications.left.get(&(key.arm, key.provider)).into_iter().flatten();
        let after = left.filter(|&&at| at >= key.published_at).min();
        key.closed_after = after.map(|at| at.since(key.published_at));
    }
}
