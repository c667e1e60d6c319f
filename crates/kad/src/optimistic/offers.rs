//! To whom a record was given or is to be given, and what came of it.

use std::collections::{BTreeMap, VecDeque};

use super::OptimisticRules;
use crate::{Persistence, lookup::Candidate};

/// How it stands with one gift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Offered,
    Taken,
    Failed,
}

/// The gifts of one lookup.
#[derive(Debug, Clone)]
pub(crate) struct Offers {
    rules: OptimisticRules,
    fates: BTreeMap<Candidate, Fate>,
    /// Those who were not given it yet, the first to be given first.
    queue: VecDeque<Candidate>,
    /// Once the closest were close enough.
    is_close: bool,
    /// That the publication may return was said.
    has_returned: bool,
}

impl Offers {
    pub(crate) const fn new(rules: OptimisticRules) -> Self {
        Self { rules, fates: BTreeMap::new(), queue: VecDeque::new(), is_close: false, has_returned: false }
    }

    /// Looks at those who may be closest, the closest first, each time that the lookup was told something (`stopFn`). Whether it
    /// has come close enough to end.
    pub(crate) fn regard(&mut self, reachable: impl Iterator<Item = (Candidate, f64)>) -> bool {
        match self.rules.persistence {
            Persistence::Go => self.regard_as_go(reachable),
            Persistence::Thorough => {
                self.regard_thoroughly(reachable);
                false
            }
        }
    }

    fn regard_as_go(&mut self, reachable: impl Iterator<Item = (Candidate, f64)>) -> bool {
        let mut sum = 0.0;
        for (candidate, distance) in reachable.take(self.rules.k) {
            sum += distance;
            if distance <= self.rules.individual {
                self.offer(candidate);
            }
        }
        // Whoever is missing counts as if it were there where the key is: so does Go.
        self.count(&[Fate::Offered, Fate::Taken]) >= self.rules.k
            || sum / (self.rules.k as f64) < self.rules.set
    }

    /// Nobody stands for a place of which it is known that it could not be given the record.
    fn regard_thoroughly(&mut self, reachable: impl Iterator<Item = (Candidate, f64)>) {
        let can_take = |&(candidate, _): &(Candidate, f64)| self.fates.get(&candidate) != Some(&Fate::Failed);
        let closest: Vec<_> = reachable.filter(can_take).take(self.rules.k).collect();
        let sum: f64 = closest.iter().map(|&(_, distance)| distance).sum();
        self.is_close |= closest.len() == self.rules.k && sum / (self.rules.k as f64) < self.rules.set;
        for (candidate, distance) in closest {
            if self.is_close || distance <= self.rules.individual {
                self.offer(candidate);
            }
        }
    }

    /// The lookup is over with these closest peers: who was not given the record is to be given it now.
    pub(crate) fn finish(&mut self, closest: &[Candidate]) {
        self.is_close = true;
        for &candidate in closest {
            self.offer(candidate);
        }
    }

    /// Who is to be given the record next.
    pub(crate) fn next(&mut self) -> Option<Candidate> {
        self.queue.pop_front()
    }

    /// What came of a gift. Ignored if it was none, or is done. Whether somebody is to take the peer's place.
    pub(crate) fn done(&mut self, candidate: Candidate, is_taken: bool) -> bool {
        let Some(fate) = self.fates.get_mut(&candidate).filter(|fate| **fate == Fate::Offered) else {
            return false;
        };
        *fate = if is_taken { Fate::Taken } else { Fate::Failed };
        !is_taken && self.rules.persistence == Persistence::Thorough
    }

    /// Whether whoever publishes may go on from now on: said once.
    pub(crate) fn may_return(&mut self, is_over: bool) -> bool {
        let enough = self.rules.return_after.min(self.fates.len());
        let may = match self.rules.persistence {
            Persistence::Go => is_over && self.count(&[Fate::Taken, Fate::Failed]) >= enough,
            Persistence::Thorough => {
                (self.is_close && self.count(&[Fate::Taken]) >= self.rules.return_after)
                    || (is_over && !self.are_open())
            }
        };
        may && !std::mem::replace(&mut self.has_returned, true)
    }

    /// Whether somebody was given the record and nothing came of it yet.
    pub(crate) fn are_open(&self) -> bool {
        self.count(&[Fate::Offered]) > 0
    }

    fn offer(&mut self, candidate: Candidate) {
        self.fates.entry(candidate).or_insert_with(|| {
            self.queue.push_back(candidate);
            Fate::Offered
        });
    }

    fn count(&self, wanted: &[Fate]) -> usize {
        self.fates.values().filter(|fate| wanted.contains(fate)).count()
    }
}
