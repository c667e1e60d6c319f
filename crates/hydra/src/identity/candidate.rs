//! One candidate of a sequence: a key that the seed and a number determine.

use aws_lc_rs::{
    hkdf::{HKDF_SHA256, KeyType, Salt},
    signature::{Ed25519KeyPair, KeyPair as _},
};
use kad::{Key, Keypair};
use sha2::{Digest as _, Sha256};

use super::{HeadSeed, sequence::IdentityError};

/// What the keys are for. Source: hydra-booster, `idgen/idgen.go`.
const INFO: &[u8] = b"hydra keys";

/// What stands before an Ed25519 public key in a peer id: an identity multihash of 36 bytes, and the protobuf of libp2p's keys
/// in it. Source: libp2p specs, peer-ids.
const PEER_ID_PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

/// A candidate: its secret, and where its peer lies.
pub(super) struct Candidate {
    secret: [u8; 32],
    pub(super) place: Key,
}

struct Bytes32;

impl KeyType for Bytes32 {
    fn len(&self) -> usize {
        32
    }
}

impl Candidate {
    /// The candidate with this number, counted from 1.
    pub(super) fn of(seed: &HeadSeed, number: u32) -> Result<Self, IdentityError> {
        let extracted = Salt::new(HKDF_SHA256, &number.to_le_bytes()).extract(seed.secret());
        let mut secret = [0; 32];
        let expanded = extracted.expand(&[INFO], Bytes32).map_err(|_| IdentityError::Crypto)?;
        expanded.fill(&mut secret).map_err(|_| IdentityError::Crypto)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&secret).map_err(|_| IdentityError::Crypto)?;
        let place = Sha256::new().chain_update(PEER_ID_PREFIX).chain_update(pair.public_key()).finalize();
        Ok(Self { secret, place: Key::from_bytes(place.into()) })
    }

    /// The key pair of its peer.
    pub(super) fn keypair(mut self) -> Result<Keypair, IdentityError> {
        Keypair::ed25519_from_bytes(&mut self.secret).map_err(|_| IdentityError::Crypto)
    }
}
