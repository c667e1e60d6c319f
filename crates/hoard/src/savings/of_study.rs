//! The walks of a study that nothing cut short, as retrievals.

use std::time::Duration;

use kad::lookup::{RpcFate, Termination};
use schema::{HoardLookup, PublisherEnd};
use store::Store;

use super::{ProviderPlace, RetrievalWalk, SavingsRows, SavingsTerms, SecondWalk, WalkAnswer};
use crate::{Study, StudyError, StudyKey, StudyLookup, StudyResponse, StudyRound, StudyWalk};

/// The retrievals of a study, as its lookups are read one after another with their requests.
#[derive(Debug)]
pub struct StudySavings<'a> {
    study: &'a Study,
    rows: SavingsRows,
    /// What walks for the closest peers usually cost, for rounds without one.
    usual: Option<SecondWalk>,
    /// Lookups for all providers of which no request came yet.
    awaited: u64,
}

impl<'a> StudySavings<'a> {
    /// None yet. Where a round has no walk for the closest peers, a second walk costs what such walks of the study cost in the middle.
    pub fn new(study: &'a Study, terms: SavingsTerms) -> Self {
        let is_meant = |key: &&StudyKey| terms.arm.is_none_or(|arm| key.arm == arm);
        let rounds = || study.keys.iter().filter(is_meant).flat_map(|key| &key.rounds);
        let (mut spans, mut requests): (Vec<_>, Vec<_>) =
            rounds().filter_map(second_walk).map(|second| (second.took, second.requests)).unzip();
        spans.sort_unstable();
        requests.sort_unstable();
        let middle = spans.len() / 2;
        let usual = spans.get(middle).zip(requests.get(middle));
        let usual = usual.map(|(&took, &requests)| SecondWalk { took, requests });
        let of_round =
            |round: &StudyRound| round.lookups.iter().filter(|looked| looks_for_all(round, looked)).count();
        let awaited = rounds().map(|round| of_round(round) as u64).sum();
        Self { study, rows: SavingsRows::new(terms), usual, awaited }
    }

    /// Takes in a lookup with its requests, by its place: the key among those of the study, the round among those of the key, the lookup
    /// among those of the round. Lookups for anything but all providers are passed over, and so are numbers of another study. Without any
    /// request it says nothing.
    pub fn add(&mut self, (key, round, lookup): (usize, usize, usize), responses: &[StudyResponse]) {
        let Some(of_key) = self.study.keys.get(key) else { return };
        let Some(of_round) = of_key.rounds.get(round) else { return };
        let Some(looked) = of_round.lookups.get(lookup).filter(|looked| looks_for_all(of_round, looked))
        else {
            return;
        };
        if responses.is_empty() || self.rows.terms.arm.is_some_and(|arm| of_key.arm != arm) {
            return;
        }
        self.awaited = self.awaited.saturating_sub(1);
        if matches!(looked.ending, Termination::Stopped | Termination::Cancelled) {
            return self.rows.add_cut_short();
        }
        let number = u32::try_from(key).unwrap_or(u32::MAX);
        self.rows.add(&self.walk((number, of_key), of_round, looked, responses));
    }

    /// All of a study whose responses are in memory.
    pub fn of(study: &'a Study, terms: SavingsTerms) -> SavingsRows {
        let mut savings = Self::new(study, terms);
        for (key, of_key) in study.keys.iter().enumerate() {
            for (round, of_round) in of_key.rounds.iter().enumerate() {
                for (lookup, looked) in of_round.lookups.iter().enumerate() {
                    savings.add((key, round, lookup), &looked.responses);
                }
            }
        }
        savings.finish()
    }

    /// All of a study whose responses are in the store that it was read from: one lookup after another is in memory.
    pub fn read(study: &'a Study, store: &Store, terms: SavingsTerms) -> Result<SavingsRows, StudyError> {
        let mut savings = Self::new(study, terms);
        for walk in study.walks(store)? {
            let StudyWalk { key, round, lookup, responses } = walk?;
            savings.add((key, round, lookup), &responses);
        }
        Ok(savings.finish())
    }

    /// What was taken in.
    pub fn finish(mut self) -> SavingsRows {
        self.rows.add_without_requests(self.awaited);
        self.rows
    }

    fn walk(
        &self,
        (number, key): (u32, &StudyKey),
        round: &StudyRound,
        looked: &StudyLookup,
        responses: &[StudyResponse],
    ) -> RetrievalWalk {
        let end = self.study.arm(key.arm).map(|arm| arm.publisher_end);
        let mut answers: Vec<WalkAnswer> =
            responses.iter().filter_map(|response| self.answer(response)).collect();
        answers.sort_by_key(|answer| answer.after);
        RetrievalWalk {
            key: number,
            provider: key.provider,
            age: (end != Some(PublisherEnd::Foreign)).then(|| looked.began_at.since(key.published_at)),
            took: looked.took,
            asked: responses.iter().map(|response| response.asked_after).collect(),
            answers,
            second: second_walk(round).or(self.usual),
            // A publisher of ours that stays is where it said; nobody dials one that has left.
            place: match end {
                Some(PublisherEnd::Connected) => ProviderPlace::AsShared,
                _ => ProviderPlace::Assumed,
            },
        }
    }

    fn answer(&self, response: &StudyResponse) -> Option<WalkAnswer> {
        let after: Duration = response.answered_after.filter(|_| response.fate == RpcFate::Answered)?;
        let named = response.providers.iter();
        let providers = named.filter_map(|named| Some((*self.study.peer(named.peer)?, named.addresses > 0)));
        Some(WalkAnswer { after, providers: providers.collect() })
    }
}

/// Whether a lookup is the one of its round that asks everybody: one until so many are found, where there is no other.
fn looks_for_all(round: &StudyRound, looked: &StudyLookup) -> bool {
    match looked.lookup {
        HoardLookup::Exhaustive => true,
        HoardLookup::Count => round.lookup(HoardLookup::Exhaustive).is_none(),
        HoardLookup::Closest | HoardLookup::First => false,
    }
}

/// What the walk for the closest peers of a round cost; `None` without one that went to its end.
fn second_walk(round: &StudyRound) -> Option<SecondWalk> {
    let closest = round.lookup(HoardLookup::Closest)?;
    let is_whole = matches!(closest.ending, Termination::Completed | Termination::Starvation);
    is_whole.then_some(SecondWalk { took: closest.took, requests: closest.asked })
}

#[cfg(test)]
mod tests {
    use kad::PeerId;
    use schema::Timestamp;

    use super::*;
    use crate::{StudyArm, StudyPeer, StudyProvider};

    const PUBLISHED: Timestamp = Timestamp(1_000_000_000);

    fn response(asked_ms: u64, answered_ms: Option<u64>, addresses: Option<u32>) -> StudyResponse {
        StudyResponse {
            from: StudyPeer(1),
            asked_after: Duration::from_millis(asked_ms),
            answered_after: answered_ms.map(Duration::from_millis),
            hop: 0,
            fate: if answered_ms.is_some() { RpcFate::Answered } else { RpcFate::Failed },
            failure: None,
            closer: 0,
            providers: addresses
                .into_iter()
                .map(|addresses| StudyProvider { peer: StudyPeer(0), addresses })
                .collect(),
        }
    }

    /// A key of one round 20 minutes old, whose lookups are of this kind and end so.
    fn study(end: PublisherEnd, lookups: &[(HoardLookup, Termination)]) -> Study {
        let mut study = Study::default();
        let provider = PeerId::from_bytes(&[&[0x12, 0x20][..], &[1; 32]].concat()).unwrap();
        study.number(provider);
        study.arms.push(StudyArm {
            number: 3,
            name: "one".into(),
            strategy: None,
            persistence: None,
            k: 20,
            publisher_end: end,
        });
        let began = PUBLISHED.after(Duration::from_secs(1200));
        let mut round = StudyRound::made(1, Duration::from_secs(1200));
        round.lookups = lookups
            .iter()
            .map(|&(lookup, ending)| StudyLookup {
                took: Duration::from_secs(2),
                ending,
                asked: 40,
                responses: vec![
                    response(0, Some(600), Some(2)),
                    response(0, Some(300), Some(0)),
                    response(200, None, None),
                ],
                ..StudyLookup::begun(lookup, began)
            })
            .collect();
        let mut key = StudyKey::published(vec![0x12, 0x20], 3, provider, PUBLISHED);
        key.rounds.push(round);
        study.keys.push(key);
        study
    }

    #[test]
    fn the_walks_of_a_study_are_retrievals_in_the_order_of_their_answers() {
        let lookups = [
            (HoardLookup::Closest, Termination::Completed),
            (HoardLookup::First, Termination::Stopped),
            (HoardLookup::Exhaustive, Termination::Completed),
        ];
        let section =
            StudySavings::of(&study(PublisherEnd::Connected, &lookups), SavingsTerms::default()).section();
        assert_eq!((section.retrievals, section.cut_short, section.assumed_there), (1, 0, 0));
        let first = &section.changes[0].all;
        assert_eq!((first.id_only.hits, first.requests.value), (1, Some(3.0)), "the id came first");
        let again = &first.ways[1];
        assert_eq!(again.requests.unwrap().value, Some(43.0), "with the walk for the closest peers");
        let ages: Vec<_> = section.changes[0].ages.iter().map(|age| age.from_s).collect();
        assert_eq!(ages, [900]);
        let kept = section.changes.iter().find(|change| change.address_lifetime_s == Some(1800)).unwrap();
        assert_eq!(kept.all.with_addresses.hits, 1);
    }

    #[test]
    fn lookups_that_ended_early_are_counted_and_say_nothing() {
        let of = |lookups: &[(HoardLookup, Termination)]| {
            let section =
                StudySavings::of(&study(PublisherEnd::Closed, lookups), SavingsTerms::default()).section();
            (section.retrievals, section.cut_short, section.assumed_there, section.unknown_second_walks)
        };
        assert_eq!(of(&[(HoardLookup::Count, Termination::Completed)]), (1, 0, 1, 1));
        assert_eq!(of(&[(HoardLookup::Count, Termination::Stopped)]), (0, 1, 0, 0));
        assert_eq!(of(&[(HoardLookup::Exhaustive, Termination::Cancelled)]), (0, 1, 0, 0));
        let both = [
            (HoardLookup::Count, Termination::Completed),
            (HoardLookup::Exhaustive, Termination::Starvation),
        ];
        assert_eq!(of(&both), (1, 0, 1, 1), "one retrieval a round");
        assert_eq!(of(&[(HoardLookup::First, Termination::Completed)]), (0, 0, 0, 0));
    }

    #[test]
    fn of_somebody_elses_key_nobody_knows_how_old_the_record_is() {
        let study = study(PublisherEnd::Foreign, &[(HoardLookup::Exhaustive, Termination::Completed)]);
        let section = StudySavings::of(&study, SavingsTerms::default()).section();
        assert_eq!(section.retrievals, 1);
        assert!(section.changes.iter().all(|change| change.address_lifetime_s.is_none()));
    }
}
