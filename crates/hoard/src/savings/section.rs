//! From what every change comes to, walk by walk, to numbers with their intervals.

use std::time::Duration;

use estimate::{ClusterSum, ClusteredValue, Proportion, clustered_mean, clustered_quantile};

use super::{
    gathered::{KeptWalk, SavingsRows},
    numbers::{
        AddressInteraction, AgeSavings, ChangeNumbers, SavingsDifference, SavingsNumbers, SavingsSection,
        WayNumbers,
    },
    replay::{AddressSource, Change, LookAgain, Outcome, Retrieved},
    terms::SavingsTerms,
    walk::ProviderPlace,
};
use crate::PolicyRule;

/// Ages from one end to below another.
type Ages = Option<(Duration, Option<Duration>)>;

/// Yes or no of retrievals, by key.
struct Shares(Vec<(u64, u64)>);

impl Shares {
    fn add(&mut self, key: u32, is_so: bool) {
        let (hits, n) = &mut self.0[key as usize];
        *hits += u64::from(is_so);
        *n += 1;
    }

    fn share(&self) -> Option<Proportion> {
        Proportion::of_clusters(&self.0)
    }
}

/// Values of retrievals, by key.
struct Sums(Vec<ClusterSum>);

impl Sums {
    fn add(&mut self, key: u32, value: f64) {
        self.0[key as usize].add(value);
    }

    fn mean(&self, seed: u64) -> Option<ClusteredValue> {
        clustered_mean(&self.0, seed)
    }
}

pub(super) fn of(rows: &SavingsRows) -> SavingsSection {
    let gathering = Gathering { rows, keys: rows.keys() };
    let count = |is_so: fn(&KeptWalk) -> bool| rows.walks.iter().filter(|walk| is_so(walk)).count() as u64;
    let mut seen = vec![false; gathering.keys];
    let (mut requests, mut seconds) = (gathering.sums(), gathering.sums());
    for walk in &rows.walks {
        seen[walk.key as usize] = true;
        if let Some(second) = walk.second() {
            requests.add(walk.key, f64::from(second.requests));
            seconds.add(walk.key, second.took.as_secs_f64());
        }
    }
    SavingsSection {
        retrievals: rows.walks.len() as u64,
        keys: seen.iter().filter(|seen| **seen).count() as u64,
        cut_short: rows.cut_short,
        without_requests: rows.without_requests,
        assumed_there: count(|walk| walk.place == ProviderPlace::Assumed),
        unknown_second_walks: count(|walk| walk.second().is_none()),
        second_walk_requests: requests.mean(rows.terms.seed),
        second_walk_s: seconds.mean(rows.terms.seed),
        assumptions: assumptions(&rows.terms),
        changes: (0..rows.changes.len()).filter_map(|change| gathering.change(change)).collect(),
        differences: (1..rows.changes.len()).flat_map(|change| gathering.differences(change)).collect(),
        interactions: gathering.interactions(),
    }
}

struct Gathering<'a> {
    rows: &'a SavingsRows,
    keys: usize,
}

impl Gathering<'_> {
    fn shares(&self) -> Shares {
        Shares(vec![(0, 0); self.keys])
    }

    fn sums(&self) -> Sums {
        Sums(vec![ClusterSum::default(); self.keys])
    }

    fn change(&self, change: usize) -> Option<ChangeNumbers> {
        let (policy, address_lifetime_s) = names(self.rows.changes[change]);
        let all = self.numbers(change, None)?;
        let edges = &self.rows.terms.ages;
        let begins = std::iter::once(Duration::ZERO).chain(edges.iter().copied());
        let ends = edges.iter().copied().map(Some).chain([None]);
        let ages = begins.zip(ends).filter_map(|(from, to)| {
            let numbers = self.numbers(change, Some((from, to)))?;
            Some(AgeSavings { from_s: from.as_secs(), to_s: to.map(|to| to.as_secs()), numbers })
        });
        Some(ChangeNumbers { policy, address_lifetime_s, all, ages: ages.collect() })
    }

    /// Of retrievals of one age, or of all; `None` without any.
    fn numbers(&self, change: usize, ages: Ages) -> Option<SavingsNumbers> {
        let seed = self.rows.terms.seed;
        let mut combos = [0, 1, 2].map(|_| self.shares());
        let (mut requests, mut settled, mut n) = (self.sums(), self.sums(), 0);
        for (walk, outcome) in self.rows.chosen(change, ages) {
            n += 1;
            for (combo, shares) in (0..).zip(&mut combos) {
                shares.add(walk.key, outcome.combo == combo);
            }
            requests.add(walk.key, f64::from(outcome.requests));
            settled.add(walk.key, outcome.settled.as_secs_f64());
        }
        let [nothing, id_only, with_addresses] = combos;
        Some(SavingsNumbers {
            n,
            nothing: nothing.share()?,
            id_only: id_only.share()?,
            with_addresses: with_addresses.share()?,
            requests: requests.mean(seed)?,
            settled_s: settled.mean(seed)?,
            ways: self
                .rows
                .terms
                .look_again
                .iter()
                .filter_map(|&again| self.way(change, ages, again))
                .collect(),
        })
    }

    fn way(&self, change: usize, ages: Ages, look_again: LookAgain) -> Option<WayNumbers> {
        let (mut twice, mut reached) = (self.shares(), self.shares());
        let (mut requests, mut seconds) = (self.sums(), self.sums());
        let (mut times, mut are_known) = (Vec::new(), true);
        for (walk, outcome) in self.rows.chosen(change, ages) {
            let retrieved = self.then(walk, outcome, look_again);
            twice.add(walk.key, retrieved.walked_twice);
            let (Some(made), Ok(after)) = (retrieved.requests, retrieved.reached) else {
                are_known = false;
                continue;
            };
            let after = after.map(|after| after.as_secs_f64());
            requests.add(walk.key, f64::from(made));
            reached.add(walk.key, after.is_some());
            if let Some(after) = after {
                seconds.add(walk.key, after);
            }
            if ages.is_none() {
                times.push((walk.key, after));
            }
        }
        let seed = self.rows.terms.seed;
        let known = |value: Option<ClusteredValue>| value.filter(|_| are_known);
        Some(WayNumbers {
            look_again,
            second_walk: twice.share()?,
            reached: reached.share().filter(|_| are_known),
            requests: known(requests.mean(seed)),
            mean_s: known(seconds.mean(seed)),
            median_s: known(clustered_quantile(&times, self.keys, 0.5, seed)),
        })
    }

    fn then(&self, walk: KeptWalk, outcome: Outcome, look_again: LookAgain) -> Retrieved {
        outcome.then(look_again, (walk.place, walk.second()), self.rows.terms.failed_dial)
    }

    /// A change against none, whenever the caller walks again.
    fn differences(&self, change: usize) -> Vec<SavingsDifference> {
        let (policy, address_lifetime_s) = names(self.rows.changes[change]);
        let of = |look_again| {
            let (mut twice, mut requests, mut seconds) = (self.sums(), self.sums(), self.sums());
            for (walk, [without, with]) in self.beside(change) {
                let [before, after] = [without, with].map(|one| self.then(walk, one, look_again));
                let walks = |one: Retrieved| f64::from(u8::from(one.walked_twice));
                twice.add(walk.key, walks(after) - walks(before));
                if let (Some(before), Some(after)) = (before.requests, after.requests) {
                    requests.add(walk.key, f64::from(after) - f64::from(before));
                }
                if let (Ok(Some(before)), Ok(Some(after))) = (before.reached, after.reached) {
                    seconds.add(walk.key, after.as_secs_f64() - before.as_secs_f64());
                }
            }
            let seed = self.rows.terms.seed;
            Some(SavingsDifference {
                policy,
                address_lifetime_s,
                look_again,
                second_walks: twice.mean(seed)?,
                requests: requests.mean(seed),
                seconds: seconds.mean(seed),
            })
        };
        self.rows.terms.look_again.iter().filter_map(|&again| of(again)).collect()
    }

    /// The walks on which a change can be tried, with what they come to without any change and with it.
    fn beside(&self, change: usize) -> impl Iterator<Item = (KeptWalk, [Outcome; 2])> {
        let rows = self.rows;
        let is_of_any_age = rows.changes[change].addresses == AddressSource::AsSeen;
        let walks = rows.walks.iter().copied().enumerate();
        let walks = walks.filter(move |(_, walk)| is_of_any_age || walk.age().is_some());
        walks.filter_map(move |(number, walk)| {
            Some((walk, [rows.outcomes.get(number, 0)?, rows.outcomes.get(number, change)?]))
        })
    }

    fn interactions(&self) -> Vec<AddressInteraction> {
        let of = |lifetime: &Duration| {
            let kept = AddressSource::KeptFor(*lifetime);
            let position = |rule: PolicyRule, addresses: AddressSource| {
                let policy = self.rows.terms.policy(rule);
                self.rows.changes.iter().position(|change| *change == Change { policy, addresses })
            };
            self.interaction(
                *lifetime,
                [
                    position(PolicyRule::PeerSetBefore, AddressSource::AsSeen)?,
                    position(PolicyRule::PeerSetAfter, AddressSource::AsSeen)?,
                    position(PolicyRule::PeerSetBefore, kept)?,
                    position(PolicyRule::PeerSetAfter, kept)?,
                ],
            )
        };
        self.rows.terms.address_lifetimes.iter().filter_map(of).collect()
    }

    /// Of neither, told again, kept longer and both.
    fn interaction(&self, lifetime: Duration, changes: [usize; 4]) -> Option<AddressInteraction> {
        let mut shares = changes.map(|_| self.shares());
        let mut overlap = self.sums();
        for (number, walk) in self.rows.walks.iter().enumerate().filter(|(_, walk)| walk.age().is_some()) {
            let is_bare = |outcome: Outcome| outcome.combo == 1;
            let twice = changes.map(|change| self.rows.outcomes.get(number, change).is_some_and(is_bare));
            for (shares, twice) in shares.iter_mut().zip(twice) {
                shares.add(walk.key, twice);
            }
            let [neither, told, kept, both] = twice.map(|twice| f64::from(u8::from(twice)));
            overlap.add(walk.key, neither - told - kept + both);
        }
        let [neither, told_again, kept_longer, both] = shares;
        Some(AddressInteraction {
            address_lifetime_s: lifetime.as_secs(),
            neither: neither.share()?,
            told_again: told_again.share()?,
            kept_longer: kept_longer.share()?,
            both: both.share()?,
            overlap: overlap.mean(self.rows.terms.seed)?,
        })
    }
}

fn names(change: Change) -> (&'static str, Option<u64>) {
    let lifetime = match change.addresses {
        AddressSource::AsSeen => None,
        AddressSource::KeptFor(lifetime) => Some(lifetime.as_secs()),
    };
    (change.policy.name(), lifetime)
}

/// What the numbers stand on.
fn assumptions(terms: &SavingsTerms) -> Vec<String> {
    let wanted = match terms.count {
        0 => "all providers that there are".to_owned(),
        count => format!("{count} providers"),
    };
    vec![
        "Whom a walk asks does not hang on who is named as a provider until it is stopped: every rule's walk is the beginning of the one that was seen.".to_owned(),
        format!("A caller of go-libp2p-kad-dht wants {wanted}, and stops the walk when it has addresses or can be brought none."),
        format!("Who waits for addresses waits {} s once the provider was named.", terms.wait.as_secs_f64()),
        "Addresses that are kept longer are those of the provider as it gave them, given by everybody who names it, as long as the record is no older, counted from the beginning of its publication.".to_owned(),
        "A second walk costs what a walk for the closest peers to the key cost in the same round; it finds whoever can be dialled, and often earlier than at its end.".to_owned(),
        format!("A dial of addresses at which nobody is takes {} s. Where nobody dialled the provider it is taken to have stayed where it published.", terms.failed_dial.as_secs_f64()),
    ]
}
