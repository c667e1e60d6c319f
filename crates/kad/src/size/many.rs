//! The likeliest size by any number of lookups for keys at random, also by so many that they cover the network more than once.
//!
//! A few lookups see places far from each other, and each tells something of its own: the estimate and its interval are those of
//! [`LikelySize`]. Many lookups see the same peers again. What they say all together is how densely these peers lie, and chance has laid
//! them once only: the number that lookups without end would come to is not quite the number of peers. Two things follow, both
//! measured in the test below. The mean distance to the k-th of N peers is k / (N + 1), so 1 is taken off. And what is left of the
//! variance, however many lookups are made, is [`LAID_ONCE`] / N of the square of the size: lookups count as if they saw fewer peers.

use super::LikelySize;
use crate::key::Key;

/// What remains of the relative variance of the size when lookups are without end, times the number of peers. In 60 to 600 networks of 50
/// to 4,000 peers, with 3,000 lookups in each, 0.05 to 0.14 were seen of the 20th closest, and 0.09 to 0.19 of the 10th.
const LAID_ONCE: f64 = 0.2;

/// The distances that lookups for keys at random have found.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ManyLookups {
    lookups: u64,
    ranks: f64,
    distances: f64,
}

impl ManyLookups {
    /// Takes in a lookup for `target`: how far it was looked at, by the key of the peer of a certain rank, and how many of the peers up to
    /// there are counted. That is the rank itself where all are, and less where only those count that answer, say: of points that lie
    /// at random, those that something holds of do so as well.
    pub fn add(&mut self, target: &Key, farthest: &Key, counted: usize) {
        self.lookups += 1;
        self.ranks += counted as f64;
        self.distances += farthest.distance(target).normed();
    }

    /// How many there are.
    pub const fn lookups(&self) -> u64 {
        self.lookups
    }

    /// How many peers there likely are; `None` if no lookup found two peers.
    pub fn likely(&self) -> Option<LikelySize> {
        let plain = LikelySize::by(self.ranks, self.ranks, self.distances)?;
        let seen = 1.0 / (1.0 / self.ranks + LAID_ONCE / plain.peers.max(1.0));
        let LikelySize { peers, low, high } = LikelySize::by(self.ranks, seen, self.distances)?;
        let without_one = |size: f64| (size - 1.0).max(0.0);
        Some(LikelySize { peers: without_one(peers), low: without_one(low), high: without_one(high) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::K;

    /// Keys that follow from a number, spread as hashes are.
    fn key(of: (&str, u64, u64)) -> Key {
        Key::of(format!("{of:?}").as_bytes())
    }

    /// What so many lookups in the network of this number say that find the closest of so many peers, up to a rank.
    fn estimated(network: u64, peers: u64, (lookups, rank): (u64, usize)) -> LikelySize {
        let ids: Vec<Key> = (0..peers).map(|peer| key(("peer", network, peer))).collect();
        let mut many = ManyLookups::default();
        for lookup in 0..lookups {
            let target = key(("target", network, lookup));
            let mut near = ids.clone();
            near.select_nth_unstable_by_key(rank - 1, |id| id.distance(&target));
            many.add(&target, &near[rank - 1], rank);
        }
        assert_eq!(many.lookups(), lookups);
        many.likely().expect("lookups enough")
    }

    #[test]
    fn the_interval_holds_the_number_as_often_as_it_says_also_where_lookups_cover_the_network() {
        for (peers, lookups, rank) in
            [(50, 200, K), (50, 200, K / 2), (200, 5, K / 2), (200, 100, K), (1_000, 20, K / 2)]
        {
            let networks = 200;
            let (mut inside, mut sum) = (0, 0.0);
            for network in 0..networks {
                let likely = estimated(network, peers, (lookups, rank));
                inside += u32::from((likely.low..=likely.high).contains(&(peers as f64)));
                sum += likely.peers;
            }
            let (share, bias) = (f64::from(inside) / 200.0, sum / networks as f64 / peers as f64 - 1.0);
            // By chance alone 95 % of 200 come out between 91 and 98 %; an interval that is a little wide is no lie.
            assert!(share >= 0.91, "{peers} peers, {lookups} lookups to the {rank}th: {share}");
            assert!(bias.abs() < 0.02, "{peers} peers, {lookups} lookups to the {rank}th: {bias}");
        }
    }

    #[test]
    fn without_the_correction_many_lookups_would_be_too_sure() {
        let misses = (0..100).filter(|&network| {
            let likely = estimated(network, 50, (400, K));
            let plain = LikelySize::by(8_000.0, 8_000.0, 7_999.0 / (likely.peers + 1.0)).expect("peers");
            !(plain.low..=plain.high).contains(&50.0)
        });
        assert!(misses.count() > 30);
    }

    #[test]
    fn without_lookups_there_is_no_number() {
        assert_eq!(ManyLookups::default().likely(), None);
    }
}
