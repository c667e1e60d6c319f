//! Where the keys of a study come from.

use kad::written::WrittenKey;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest as _, Sha256};

/// The code and length of a multihash of SHA-256.
const SHA_256: [u8; 2] = [0x12, 0x20];

/// Where the keys of a study come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "snake_case")]
pub enum KeySource {
    /// Drawn from the seed: of content that nobody has.
    Random {
        /// So many for each arm; `None`: on and on, until the study is stopped.
        count: Option<u32>,
    },
    /// These, which we publish.
    Listed {
        /// In the order in which they are published.
        keys: Vec<StudyKeyBytes>,
    },
    /// These, which others have published; nothing is published by us.
    Foreign {
        /// In the order in which they are taken in.
        keys: Vec<StudyKeyBytes>,
    },
}

/// A multihash: in JSON as hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudyKeyBytes(pub Vec<u8>);

impl KeySource {
    /// How many keys each arm has; `None` where that has no end.
    pub fn count(&self) -> Option<u32> {
        match self {
            Self::Random { count } => *count,
            Self::Listed { keys } | Self::Foreign { keys } => {
                Some(u32::try_from(keys.len()).unwrap_or(u32::MAX))
            }
        }
    }

    /// Whether others publish them.
    pub const fn is_foreign(&self) -> bool {
        matches!(self, Self::Foreign { .. })
    }
}

/// The key at a place of a stream of keys of a seed: the same again, and that of no other place, stream or seed.
pub(super) fn random_key(seed: u64, stream: u16, position: u32) -> Vec<u8> {
    let sha = Sha256::new().chain_update(b"kadscope hoard: a key").chain_update(seed.to_be_bytes());
    let drawn = sha.chain_update(stream.to_be_bytes()).chain_update(position.to_be_bytes()).finalize();
    let mut content = [0; 32];
    ChaCha8Rng::from_seed(drawn.into()).fill_bytes(&mut content);
    [&SHA_256[..], &content].concat()
}

impl Serialize for StudyKeyBytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let digits = |byte: &u8| [byte >> 4, byte & 15].map(|half| char::from_digit(half.into(), 16));
        to.serialize_str(&self.0.iter().flat_map(digits).flatten().collect::<String>())
    }
}

impl<'de> Deserialize<'de> for StudyKeyBytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        match text.parse::<WrittenKey>().map_err(D::Error::custom)? {
            WrittenKey::Multihash { bytes, .. } => Ok(Self(bytes)),
            _ => Err(D::Error::custom(format!("{text} is no multihash"))),
        }
    }
}
