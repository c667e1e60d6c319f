//! Whose turn it is to publish, and who is asked afterwards. Pure.
//!
//! Turns are counted by seat, and every draw among those whose turn it is comes from the seed. What becomes of a turn, whether the
//! server was ready or answered, is nothing that the rota hears of: it changes nobody else's turn.

use std::collections::{BTreeMap, BTreeSet};

use rand::{RngExt as _, SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::seat::Seat;

/// Seats whose turns are remembered at most, those of servers that are away included.
const MAX_SEATS: usize = 4096;

kad::named! {
    /// Who retrieves what somebody published.
    pub enum Pairing: serde {
        /// All others, of whatever fleet, as Parsec does.
        Mixed = "mixed",
        /// One fleet a round: every fleet publishes for every fleet equally often.
        Matrix = "matrix",
    }
}

/// Which fleets meet in a round; `None` where all do.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct FleetPair {
    /// The fleet that publishes.
    pub publishers: Option<String>,
    /// The fleet that retrieves.
    pub retrievers: Option<String>,
}

/// Who does what in a round: numbers into the seats that the rota was asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundTurn {
    /// Which fleets meet.
    pub pair: FleetPair,
    /// Who publishes.
    pub publisher: usize,
    /// Who retrieves, in the order in which they are asked.
    pub retrievers: Vec<usize>,
}

/// Counts turns.
#[derive(Debug)]
pub struct Rota {
    pairing: Pairing,
    rng: ChaCha8Rng,
    rounds: Turns<FleetPair>,
    publications: BTreeMap<FleetPair, Turns<Seat>>,
}

/// How often each has had its turn. Who comes anew has had as many as those who waited longest: nobody catches up.
#[derive(Debug)]
struct Turns<K> {
    counts: BTreeMap<K, u64>,
    present: BTreeSet<K>,
}

impl Rota {
    /// One that nobody had a turn of yet.
    pub fn new(pairing: Pairing, seed: u64) -> Self {
        Self {
            pairing,
            rng: ChaCha8Rng::seed_from_u64(seed),
            rounds: Turns::new(),
            publications: BTreeMap::new(),
        }
    }

    /// The next round among these seats, which are sorted; `None` if no two of them can meet.
    pub fn next(&mut self, seats: &[Seat]) -> Option<RoundTurn> {
        let pairs = self.pairs(seats);
        let pair = self.rounds.next(&pairs, &mut self.rng)?;
        let publishing: Vec<_> = candidates(seats, &pair).map(|at| seats[at].clone()).collect();
        let turns = self.publications.entry(pair.clone()).or_insert_with(Turns::new);
        let chosen = turns.next(&publishing, &mut self.rng)?;
        let publisher = seats.iter().position(|seat| *seat == chosen)?;
        let mut retrievers: Vec<_> = others(seats, &pair, publisher).collect();
        retrievers.shuffle(&mut self.rng);
        Some(RoundTurn { pair, publisher, retrievers })
    }

    /// The pairs of fleets that can meet, sorted.
    fn pairs(&self, seats: &[Seat]) -> Vec<FleetPair> {
        let fleets: BTreeSet<_> = seats.iter().map(|seat| &seat.fleet).collect();
        let all = match self.pairing {
            Pairing::Mixed => vec![FleetPair { publishers: None, retrievers: None }],
            Pairing::Matrix => {
                let pair = |publishers: &String, retrievers: &String| FleetPair {
                    publishers: Some(publishers.clone()),
                    retrievers: Some(retrievers.clone()),
                };
                let with_all = |publishers| fleets.iter().map(move |retrievers| pair(publishers, retrievers));
                fleets.iter().flat_map(|publishers| with_all(publishers)).collect()
            }
        };
        all.into_iter().filter(|pair| candidates(seats, pair).next().is_some()).collect()
    }
}

/// Who may publish for a pair of fleets: its first fleet, as far as somebody else is there to retrieve.
fn candidates<'a>(seats: &'a [Seat], pair: &'a FleetPair) -> impl Iterator<Item = usize> + 'a {
    let is_of = |at: &usize| pair.publishers.as_ref().is_none_or(|fleet| *fleet == seats[*at].fleet);
    (0..seats.len()).filter(is_of).filter(|&at| others(seats, pair, at).next().is_some())
}

/// Who retrieves what one has published.
fn others<'a>(seats: &'a [Seat], pair: &'a FleetPair, publisher: usize) -> impl Iterator<Item = usize> + 'a {
    let is_of = |at: &usize| pair.retrievers.as_ref().is_none_or(|fleet| *fleet == seats[*at].fleet);
    (0..seats.len()).filter(is_of).filter(move |&at| at != publisher)
}

impl<K: Ord + Clone> Turns<K> {
    fn new() -> Self {
        Self { counts: BTreeMap::new(), present: BTreeSet::new() }
    }

    /// Gives one of those who had the fewest turns another; `None` without any.
    fn next(&mut self, present: &[K], rng: &mut ChaCha8Rng) -> Option<K> {
        self.admit(present);
        let count = |one: &&K| self.counts.get(*one).copied().unwrap_or(0);
        let fewest = present.iter().map(|one| count(&one)).min()?;
        let due: Vec<_> = present.iter().filter(|one| count(one) == fewest).collect();
        let chosen = due.get(rng.random_range(0..due.len()))?;
        *self.counts.entry((*chosen).clone()).or_default() += 1;
        Some((*chosen).clone())
    }

    /// Lets those in who were not there at the last turn.
    fn admit(&mut self, present: &[K]) {
        let stayed = present.iter().filter(|one| self.present.contains(*one));
        let floor = stayed.filter_map(|one| self.counts.get(one)).min().copied().unwrap_or(0);
        for new in present.iter().filter(|one| !self.present.contains(*one)) {
            let count = self.counts.entry(new.clone()).or_default();
            *count = floor.max(*count);
        }
        self.present = present.iter().cloned().collect();
        if self.counts.len() > MAX_SEATS {
            self.counts.retain(|one, _| self.present.contains(one));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seats(fleets: &[(&str, u16)]) -> Vec<Seat> {
        let seat = |fleet: &str, at: u16| Seat {
            fleet: fleet.to_owned(),
            region: format!("region-{at}"),
            http: ([127, 0, 0, 1], 7000 + at).into(),
        };
        let mut seats: Vec<_> =
            fleets.iter().flat_map(|&(fleet, count)| (0..count).map(move |at| seat(fleet, at))).collect();
        seats.sort();
        seats
    }

    fn rota(pairing: Pairing) -> Rota {
        Rota::new(pairing, 7)
    }

    #[test]
    fn every_server_has_its_turn_equally_often_and_not_always_after_the_same() {
        let (seats, mut rota) = (seats(&[("a", 5)]), rota(Pairing::Mixed));
        let turns: Vec<_> = (0..100).map(|_| rota.next(&seats).unwrap().publisher).collect();
        for cycle in turns.chunks(5) {
            assert_eq!(cycle.iter().collect::<BTreeSet<_>>().len(), 5, "{turns:?}");
        }
        assert!(turns.chunks(5).any(|cycle| cycle != &turns[..5]), "{turns:?}");
    }

    #[test]
    fn the_seed_says_it_all() {
        let seats = seats(&[("a", 3), ("b", 2)]);
        let run = |seed| {
            let mut rota = Rota::new(Pairing::Matrix, seed);
            (0..50).map(|_| rota.next(&seats).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }

    #[test]
    fn the_matrix_covers_all_pairs_of_fleets_and_of_servers_equally() {
        let (seats, mut rota) = (seats(&[("a", 2), ("b", 3), ("c", 1)]), rota(Pairing::Matrix));
        let (mut rounds, mut pairs) = (BTreeMap::new(), BTreeMap::new());
        // Of nine pairs of fleets eight can meet: c's only server has nobody of its own. Lcm(2, 3, 1) rounds each, ten times.
        for _ in 0..8 * 6 * 10 {
            let turn = rota.next(&seats).unwrap();
            *rounds.entry(turn.pair).or_insert(0) += 1;
            for retriever in turn.retrievers {
                assert_ne!(retriever, turn.publisher);
                *pairs.entry((turn.publisher, retriever)).or_insert(0) += 1;
            }
        }
        assert_eq!(rounds.len(), 8);
        assert!(rounds.values().all(|&count| count == 60), "{rounds:?}");
        // Who publishes for a fleet does so as often as its fleet mates: 30 of 60 in a, 20 in b, 60 in c.
        for ((publisher, _), count) in &pairs {
            let expected = match seats[*publisher].fleet.as_str() {
                "a" => 30,
                "b" => 20,
                _ => 60,
            };
            assert_eq!(*count, expected, "{pairs:?}");
        }
        assert_eq!(pairs.len(), 6 * 5, "every server for every other one");
    }

    #[test]
    fn who_comes_anew_or_back_does_not_catch_up() {
        let (all, mut rota) = (seats(&[("a", 4)]), rota(Pairing::Mixed));
        for _ in 0..30 {
            rota.next(&all[..3]).unwrap();
        }
        let turns: Vec<_> = (0..40).map(|_| rota.next(&all).unwrap().publisher).collect();
        assert_eq!(turns.iter().filter(|&&publisher| publisher == 3).count(), 10, "{turns:?}");
        for _ in 0..9 {
            rota.next(&all[1..]).unwrap();
        }
        let turns: Vec<_> = (0..8).map(|_| rota.next(&all).unwrap().publisher).collect();
        assert_eq!(turns.iter().filter(|&&publisher| publisher == 0).count(), 2, "{turns:?}");
    }

    #[test]
    fn nobody_meets_nobody() {
        assert_eq!(rota(Pairing::Mixed).next(&[]), None);
        assert_eq!(rota(Pairing::Mixed).next(&seats(&[("a", 1)])), None);
        assert_eq!(rota(Pairing::Matrix).next(&seats(&[("a", 1)])), None);
        let two = seats(&[("a", 1), ("b", 1)]);
        assert_eq!(rota(Pairing::Matrix).next(&two).unwrap().retrievers.len(), 1);
    }
}
