//! Reads a study from a store: each table once, run by run, in batches. What does not fit together is passed over and counted.

mod chain;
mod keys;
mod numbers;
mod seen;
mod walks;

use std::{collections::HashMap, sync::Arc};

use schema::{HoardKey, RowType, RunId, Tool};
use store::{RunInfo, Store};
use thiserror::Error;

pub use self::walks::{StudyWalk, StudyWalks};
use self::{chain::chain, keys::Publications, numbers::Numbers, seen::Rounds};
use super::{PassedOver, Study, StudyArm, StudyKey};

/// The most keys of a study that is read, by all arms.
pub const MAX_STUDY_KEYS: usize = 1_000_000;

/// The most sights: of 32 bytes each, 3 GB of them. The study of RFM 17 by four arms of K of 15, 20, 25 and 40 has 72 million.
pub const MAX_STUDY_SIGHTS: usize = 96_000_000;

/// The most lookups. The study of RFM 17 by four arms has 5.8 million.
pub const MAX_STUDY_LOOKUPS: usize = 8_000_000;

/// The most responses that are in memory at once: of those of more lookups one is read at a time ([`Study::walks`]).
pub const MAX_STUDY_RESPONSES: usize = 8_000_000;

/// How much of a study is in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StudyDetail {
    /// Keys, rounds and lookups, without holders, what was seen of them and who was closest: what is needed beside [`Study::walks`].
    Lookups,
    /// All but what came of each request of a lookup.
    Sights,
    /// All.
    Responses,
}

/// Why a study cannot be read.
#[derive(Debug, Error)]
pub enum StudyError {
    /// The store cannot be read, or holds what was never written there.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The run is one of another tool.
    #[error("the run {run} is one of `{tool}`: studies are made by `{}`", Tool::Hoard)]
    NotAStudy {
        /// Which run.
        run: RunId,
        /// Who made it.
        tool: Tool,
    },
    /// It is larger than what is read.
    #[error("the study has more than {most} {what}: that is more than is taken into memory")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// The bound.
        most: usize,
    },
}

impl Study {
    /// Reads a study: the run, those that it continues, and those that continue it.
    pub fn read(store: &Store, run: RunId, detail: StudyDetail) -> Result<Self, StudyError> {
        let (runs, missing_runs) = chain(store, run)?;
        let mut reading = Reading::begun(store, runs)?;
        reading.study.passed_over.missing_runs = missing_runs;
        reading.detail = detail;
        let has_holders = detail != StudyDetail::Lookups;
        reading.each(keys::take_key)?;
        if has_holders {
            reading.each(keys::take_holder)?;
        }
        reading.each(|reading, row| keys::take_publisher(reading, &row))?;
        reading.each(|reading, row| seen::take_round(reading, &row))?;
        reading.each(|reading, row| seen::take_walk(reading, &row))?;
        if has_holders {
            reading.each(|reading, row| seen::take_sight(reading, &row))?;
        }
        reading.each(|reading, row| seen::take_dial(reading, &row))?;
        let mut study = reading.finish();
        if detail == StudyDetail::Responses {
            study.take_responses(store)?;
        }
        Ok(study)
    }

    fn take_responses(&mut self, store: &Store) -> Result<(), StudyError> {
        let mut taken = Vec::new();
        let mut count = 0;
        for walk in self.walks(store)? {
            let walk = walk?;
            count += walk.responses.len();
            within(count, MAX_STUDY_RESPONSES, "responses")?;
            taken.push(walk);
        }
        for StudyWalk { key, round, lookup, responses } in taken {
            let round = self.keys.get_mut(key).and_then(|key| key.rounds.get_mut(round));
            if let Some(lookup) = round.and_then(|round| round.lookups.get_mut(lookup)) {
                lookup.responses = responses;
            }
        }
        Ok(())
    }
}

fn within(count: usize, most: usize, what: &'static str) -> Result<(), StudyError> {
    if count > most { Err(StudyError::TooLarge { what, most }) } else { Ok(()) }
}

/// A study that is being read.
struct Reading<'s> {
    store: &'s Store,
    study: Study,
    detail: StudyDetail,
    numbers: Numbers,
    places: KeyPlaces,
    publications: Publications,
    rounds: Rounds,
    /// The place of the run whose rows are read.
    run: usize,
}

impl<'s> Reading<'s> {
    fn begun(store: &'s Store, runs: Vec<RunInfo>) -> Result<Self, StudyError> {
        let (numbers, peers) = Numbers::of(store, &runs)?;
        Ok(Self {
            store,
            study: Study { runs, peers, ..Study::default() },
            detail: StudyDetail::Sights,
            numbers,
            places: KeyPlaces::default(),
            publications: Publications::default(),
            rounds: Rounds::default(),
            run: 0,
        })
    }

    /// Takes the rows of one kind of all runs.
    fn each<T: RowType>(&mut self, take: impl Fn(&mut Self, T)) -> Result<(), StudyError> {
        for run in 0..self.study.runs.len() {
            self.run = run;
            for row in self.store.rows(self.study.runs[run].start.id)? {
                take(self, row?);
                within(self.study.keys.len(), MAX_STUDY_KEYS, "keys")?;
                within(self.rounds.lookups, MAX_STUDY_LOOKUPS, "lookups")?;
                within(self.rounds.sights, MAX_STUDY_SIGHTS, "sights")?;
                within(self.rounds.dials, MAX_STUDY_SIGHTS, "dials of providers")?;
            }
        }
        Ok(())
    }

    /// The study, in order.
    fn finish(self) -> Study {
        let Self { mut study, numbers, publications, rounds, .. } = self;
        study.agents = numbers.into_agents();
        study.arms.sort_by_key(|arm| arm.number);
        keys::close(&mut study.keys, &publications);
        study.passed_over.cut_publications = publications.cut();
        study.passed_over.cut_rounds = rounds.cut();
        for key in &mut study.keys {
            key.holders.sort_by_key(|holder| holder.rank);
            for holder in &mut key.holders {
                holder.sights.sort_by_key(|sight| (sight.after_us, sight.round));
            }
        }
        study
    }
}

/// Where keys stand in a study.
#[derive(Debug, Default)]
struct KeyPlaces {
    /// By the bytes of each: the arms that publish it, with the place.
    places: HashMap<Vec<u8>, Vec<(u16, usize)>>,
}

impl KeyPlaces {
    fn of(keys: &[StudyKey]) -> Self {
        let mut places = Self::default();
        for (place, key) in keys.iter().enumerate() {
            places.put(key, place);
        }
        places
    }

    fn put(&mut self, key: &StudyKey, place: usize) {
        self.places.entry(key.key.clone()).or_default().push((key.arm, place));
    }

    /// The place of a key of an arm; `None` if the arm did not publish it.
    fn get(&self, key: &[u8], arm: u16) -> Option<usize> {
        self.all(key).find(|(known, _)| *known == arm).map(|(_, place)| place)
    }

    /// The places of a key of any arm.
    fn all(&self, key: &[u8]) -> impl Iterator<Item = (u16, usize)> + use<'_> {
        self.places.get(key).into_iter().flatten().copied()
    }
}

impl Reading<'_> {
    /// Takes in an arm as its first key describes it.
    fn arm(&mut self, row: &HoardKey) {
        if self.study.arm(row.arm).is_none() {
            let &HoardKey { arm: number, strategy, persistence, k, publisher_end, .. } = row;
            let name = Arc::from(row.arm_name.as_str());
            self.study.arms.push(StudyArm { number, name, strategy, persistence, k, publisher_end });
        }
    }

    fn passed_over(&mut self) -> &mut PassedOver {
        &mut self.study.passed_over
    }
}
