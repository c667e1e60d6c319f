//! The secret that identities are made from.

use std::fmt;

use multibase::Base;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// The length of a seed, in bytes.
const SEED_BYTES: usize = 32;

/// What stands before a seed when its fingerprint is made: no other digest of the same seed is alike.
const FINGERPRINT_CONTEXT: &[u8] = b"kadscope head seed\0";

/// How much of the digest is shown, in bytes: enough to tell seeds of one fleet apart.
const FINGERPRINT_BYTES: usize = 8;

/// The secret that identities are made from. It is never shown: [`HeadSeed::fingerprint`] is, in its place.
#[derive(Clone, PartialEq, Eq)]
pub struct HeadSeed([u8; SEED_BYTES]);

/// Why a text is no seed. No error shows any of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SeedError {
    /// There is nothing but blanks.
    #[error(
        "the seed is empty; write 32 bytes in base64 (44 characters), as `openssl rand -base64 32` prints them"
    )]
    Empty,
    /// It is no base64 with its padding.
    #[error(
        "the seed is not base64 of the standard alphabet with its padding (`openssl rand -base64 32` prints one)"
    )]
    NotBase64,
    /// It says other than 32 bytes.
    #[error("the seed has {bytes} bytes; it should have 32 (44 characters of base64)")]
    Length {
        /// How many it has.
        bytes: usize,
    },
}

impl HeadSeed {
    /// The seed of these bytes.
    pub const fn from_bytes(bytes: [u8; SEED_BYTES]) -> Self {
        Self(bytes)
    }

    /// Reads a seed as it stands in a file, a variable or a secret of an orchestrator: base64, with line ends, blanks and NULs that
    /// such places add.
    pub fn parse(text: &str) -> Result<Self, SeedError> {
        let is_added = |c: char| c.is_ascii_whitespace() || c == '\0';
        let text: String =
            text.trim_matches(is_added).chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
        if text.is_empty() {
            return Err(SeedError::Empty);
        }
        let bytes = Base::Base64Pad.decode(&text).map_err(|_| SeedError::NotBase64)?;
        let length = bytes.len();
        bytes.try_into().map(Self).map_err(|_| SeedError::Length { bytes: length })
    }

    /// By what seeds are told apart without showing them: 16 hexadecimal digits of a digest, from which the seed does not follow.
    pub fn fingerprint(&self) -> String {
        let digest = Sha256::new().chain_update(FINGERPRINT_CONTEXT).chain_update(self.0).finalize();
        Base::Base16Lower.encode(&digest[..FINGERPRINT_BYTES])
    }

    /// The secret itself.
    pub(super) const fn secret(&self) -> &[u8; SEED_BYTES] {
        &self.0
    }
}

impl fmt::Debug for HeadSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeadSeed({}..)", self.fingerprint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    #[test]
    fn what_files_and_variables_add_says_nothing() {
        let seed = HeadSeed::from_bytes(std::array::from_fn(|i| u8::try_from(i).unwrap()));
        let (left, right) = TEXT.split_at(20);
        let broken_line = format!("{left}\r\n{right}\n");
        for text in [TEXT, &format!("{TEXT}\n"), &format!(" {TEXT}\r\n\0\0"), &broken_line] {
            assert_eq!(HeadSeed::parse(text).as_ref(), Ok(&seed), "{text:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_never_shown() {
        for (text, error) in [
            ("", SeedError::Empty),
            ("\0\n ", SeedError::Empty),
            ("hunter2hunter2", SeedError::NotBase64),
            (TEXT.trim_end_matches('='), SeedError::NotBase64),
            ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh-_", SeedError::NotBase64),
            ("aHVudGVyMg==", SeedError::Length { bytes: 7 }),
            ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g", SeedError::Length { bytes: 33 }),
        ] {
            assert_eq!(HeadSeed::parse(text), Err(error), "{text:?}");
            assert!(text.trim_matches(['\0', '\n', ' ']).is_empty() || !error.to_string().contains(text));
        }
    }

    #[test]
    fn a_seed_is_not_printed_and_its_fingerprint_tells_it_apart() {
        let seed = HeadSeed::parse(TEXT).unwrap();
        let shown = format!("{seed:?}");
        assert!(
            !shown.contains("AAEC") && !shown.contains("00010203") && !shown.contains("0, 1, 2"),
            "{shown}"
        );
        assert_eq!(seed.fingerprint().len(), 16);
        assert_ne!(seed.fingerprint(), HeadSeed::from_bytes([0; 32]).fingerprint());
    }
}
