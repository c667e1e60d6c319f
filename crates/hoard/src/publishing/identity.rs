//! Who publishes and who looks: keys that follow from the seed, so that whoever resumes a study is who it was.

use kad::Keypair;
use sha2::{Digest as _, Sha256};

/// The key of an arm's publisher; of one that publishes a single key, by the place of that key. `None` for none that could be made.
pub(crate) fn publisher_keypair(seed: u64, arm: u16, position: Option<u32>) -> Option<Keypair> {
    let number = position.map_or(u64::MAX, u64::from);
    keypair(b"kadscope hoard: a publisher", seed, (arm, number))
}

/// The key of an observer, by its number.
pub(crate) fn observer_keypair(seed: u64, number: usize) -> Option<Keypair> {
    keypair(b"kadscope hoard: an observer", seed, (0, number as u64))
}

/// The key of who dials providers for an observer, by the number of that.
pub(crate) fn dialler_keypair(seed: u64, number: usize) -> Option<Keypair> {
    keypair(b"kadscope hoard: who dials providers", seed, (0, number as u64))
}

fn keypair(what: &[u8], seed: u64, (arm, number): (u16, u64)) -> Option<Keypair> {
    let sha = Sha256::new().chain_update(what).chain_update(seed.to_be_bytes());
    let drawn: [u8; 32] =
        sha.chain_update(arm.to_be_bytes()).chain_update(number.to_be_bytes()).finalize().into();
    Keypair::ed25519_from_bytes(drawn).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn nobody_is_two_of_them_and_each_is_the_same_again() {
        let all = || {
            let publishers = (0..3)
                .flat_map(|arm| [None, Some(0), Some(1)].map(|position| publisher_keypair(7, arm, position)));
            let observers = (0..9).map(|number| observer_keypair(7, number));
            let observers = observers.chain((0..9).map(|number| dialler_keypair(7, number)));
            let other = [publisher_keypair(8, 0, None), observer_keypair(8, 0)];
            publishers.chain(observers).chain(other).map(|key| key.expect("a key").public().to_peer_id())
        };
        assert_eq!(all().collect::<BTreeSet<_>>().len(), 3 * 3 + 2 * 9 + 2);
        assert_eq!(all().collect::<Vec<_>>(), all().collect::<Vec<_>>());
    }
}
