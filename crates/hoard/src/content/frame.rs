//! Of what the keys of a study are a sample: whoever asks for a share has to say it, and it stands beside every share.

use rand::{SeedableRng as _, seq::index};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::StudyKeyBytes;

kad::named! {
    /// How keys came to be in a frame: it says of what a share is.
    pub enum SamplingFrame: serde {
        /// Somebody listed them: the share is that of the list, and of what the list was drawn from by chance, if it was.
        Listed = "listed",
        /// Heads of ours were asked for them: what is asked for, each key as often as it is, and popular keys more likely.
        Requested = "requested",
    }
}

/// Of what the keys of a study are a sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentFrame {
    /// What it is, in the words of whoever made the study.
    pub words: String,
    /// How keys came to be in it.
    pub kind: SamplingFrame,
    /// How many keys there are in it: of fewer that are looked at, these were drawn at random, each as likely as any other.
    pub keys: u64,
}

impl ContentFrame {
    /// That of a list of which nobody said what it is.
    pub fn unsaid(keys: u64) -> Self {
        Self { words: "a list of which nobody said what it is".to_owned(), kind: SamplingFrame::Listed, keys }
    }
}

/// So many of these keys, drawn at random without replacement, in their order; all of them if there are no more. The same seed draws the
/// same keys.
pub fn sampled(keys: Vec<StudyKeyBytes>, count: usize, seed: u64) -> Vec<StudyKeyBytes> {
    if keys.len() <= count {
        return keys;
    }
    let mut drawn = index::sample(&mut ChaCha8Rng::seed_from_u64(seed), keys.len(), count).into_vec();
    drawn.sort_unstable();
    drawn.into_iter().map(|place| keys[place].clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_of_the_list_each_key_once_and_each_as_likely() {
        let keys: Vec<StudyKeyBytes> = (0..20_u8).map(|key| StudyKeyBytes(vec![0x12, 0x20, key])).collect();
        let draw = |seed| sampled(keys.clone(), 5, seed);
        assert_eq!(draw(1), draw(1));
        let mut times = [0_u32; 20];
        for seed in 0..4_000 {
            let drawn = draw(seed);
            assert!(drawn.len() == 5 && drawn.windows(2).all(|pair| pair[0].0 < pair[1].0));
            for key in &drawn {
                times[usize::from(key.0[2])] += 1;
            }
        }
        // Of 4,000 draws 1,000 on average, with a deviation of 27.
        assert!(times.iter().all(|times| (880..1_120).contains(times)), "{times:?}");
        assert_eq!(sampled(keys.clone(), 20, 1), keys);
    }
}
