//! To whom Go's sweeping provider gives the keys of a region, which is not always to the closest.
//!
//! go-libp2p-kad-dht v0.42.1 walks two tries at once, one of the keys and one of the region's peers (`AllocateToKClosest`). That of the
//! peers begins below the region's prefix, that of the keys at the first bit: so the first bits of a key, which all keys of the region
//! share, are compared with those of the peers behind the prefix. All keys of a region go to the same peers, or nearly so. Only where the
//! region is the whole key space is each given to those closest to it.

use crate::key::Key;

/// What each of some peers is given, by their positions: keys, by theirs.
pub type Allocation = Vec<Vec<usize>>;

/// Gives each key to `count` of the peers of a region as Go does. `prefix_len` is how many bits the region's prefix has, all of which the
/// keys of the peers begin with; those are ascending.
pub fn allocate_as_go(keys: &[Key], peers: &[Key], prefix_len: u32, count: usize) -> Allocation {
    let mut all = Allocating { keys, peers, prefix_len, given: vec![Vec::new(); peers.len()] };
    all.allocate((0..keys.len()).collect(), (0, peers.len()), count, 0);
    all.given
}

struct Allocating<'a> {
    keys: &'a [Key],
    peers: &'a [Key],
    prefix_len: u32,
    given: Allocation,
}

impl Allocating<'_> {
    /// Gives these keys to `count` of a range of peers, all of which begin with the same bits down to `depth`, as Go counts it.
    fn allocate(&mut self, keys: Vec<usize>, (from, to): (usize, usize), count: usize, depth: u32) {
        if count == 0 || from == to || keys.is_empty() {
            return;
        }
        if to - from == 1 {
            return self.give(&keys, (from, to));
        }
        let at = self.prefix_len + depth;
        let middle = from + self.peers[from..to].partition_point(|peer| !peer.bit(at));
        let (ones, zeros): (Vec<_>, Vec<_>) = keys.into_iter().partition(|&key| self.keys[key].bit(depth));
        for (keys, same, other) in
            [(zeros, (from, middle), (middle, to)), (ones, (middle, to), (from, middle))]
        {
            let (near, far) = (same.1 - same.0, other.1 - other.0);
            if near > count {
                self.allocate(keys, same, count, depth + 1);
                continue;
            }
            self.give(&keys, same);
            let missing = count - near;
            if far <= missing {
                self.give(&keys, other);
            } else {
                self.allocate(keys, other, missing, depth + 1);
            }
        }
    }

    fn give(&mut self, keys: &[usize], (from, to): (usize, usize)) {
        for given in &mut self.given[from..to] {
            given.extend(keys);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fullrt::SortedKeys, message::K, sweep::KeyPrefix};

    fn places(what: &str, count: usize, prefix: &KeyPrefix) -> Vec<Key> {
        let all = (0_u32..).map(|n| Key::of(format!("{what} {n}").as_bytes()));
        let mut places: Vec<Key> = all.filter(|key| prefix.covers(key)).take(count).collect();
        places.sort_unstable();
        places
    }

    /// How many of the closest peers each key was given to, on average.
    fn right(keys: &[Key], peers: &[Key], given: &Allocation) -> f64 {
        let table = SortedKeys::new(peers.to_vec());
        let hits = keys.iter().zip(0..).map(|(key, number)| {
            table.nearest(key).take(K).filter(|&peer| given[peer].contains(&number)).count()
        });
        hits.sum::<usize>() as f64 / keys.len() as f64
    }

    #[test]
    fn in_the_whole_key_space_every_key_comes_to_the_closest() {
        let (keys, peers) = (places("key", 300, &KeyPrefix::WHOLE), places("peer", 200, &KeyPrefix::WHOLE));
        let given = allocate_as_go(&keys, &peers, 0, K);
        assert_eq!(given.iter().map(Vec::len).sum::<usize>(), 300 * K);
        assert!((right(&keys, &peers, &given) - 20.0).abs() < 1e-9);
    }

    #[test]
    fn in_a_region_all_keys_come_to_the_same_peers_which_are_not_the_closest() {
        let prefix = KeyPrefix::of(&Key::of(b"region"), 7);
        let (keys, peers) = (places("key", 100, &prefix), places("peer", 38, &prefix));
        let given = allocate_as_go(&keys, &peers, 7, K);
        assert_eq!(given.iter().map(Vec::len).sum::<usize>(), 100 * K, "each is given to twenty");
        let with_keys = given.iter().filter(|keys| !keys.is_empty()).count();
        assert!(with_keys < 30, "{with_keys} of 38");
        let right = right(&keys, &peers, &given);
        assert!((7.0..16.0).contains(&right), "{right} of 20");
    }

    #[test]
    fn of_few_peers_all_are_given_everything() {
        let (keys, peers) = (places("key", 9, &KeyPrefix::WHOLE), places("peer", 7, &KeyPrefix::WHOLE));
        let given = allocate_as_go(&keys, &peers, 0, K);
        assert!(given.iter().all(|keys| keys.len() == 9));
        assert_eq!(allocate_as_go(&keys, &[], 0, K), Allocation::new());
        assert_eq!(allocate_as_go(&keys, &peers[..1], 0, K), [(0..9).collect::<Vec<_>>()]);
        assert!(allocate_as_go(&keys, &peers, 0, 0).iter().all(Vec::is_empty));
    }
}
