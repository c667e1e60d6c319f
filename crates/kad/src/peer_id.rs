//! Which bytes can be the id of a peer: not every multihash is one.
//!
//! <https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md>: the id of a public key is its encoding as it is
//! (an identity multihash) where that has at most 42 bytes, which Ed25519 and secp256k1 keys have, and its SHA-256 else.
//! Whatever else is a multihash no key stands behind, so nobody can ever prove to be that peer.

use libp2p_identity::PeerId;
use sha2::{Digest, Sha256};

/// The code and length of a SHA-256 multihash.
const SHA_256: [u8; 2] = [0x12, 32];

/// The longest encoded key that is an id as it is, in bytes.
const MAX_INLINED_BYTES: usize = 42;

/// The longest canonical id in bytes: the code and the length of its multihash, and a public key that is not hashed
/// (<https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md#peer-ids>).
pub const MAX_ID_BYTES: usize = 2 + MAX_INLINED_BYTES;

/// What comes before an Ed25519 key of 32 bytes in its encoding: the type and the length of the key.
const ED25519: [u8; 4] = [0x08, 1, 0x12, 32];

/// Likewise before a secp256k1 key of 33 bytes, which begins with the sign of its second coordinate.
const SECP256K1: [u8; 4] = [0x08, 2, 0x12, 33];

/// The id that these bytes are; `None` if they are no multihash, or one that no key can have. The code and length of a
/// multihash can be written in longer ways: those are the same id.
pub fn from_bytes(bytes: &[u8]) -> Option<PeerId> {
    PeerId::from_bytes(bytes).ok().filter(is_possible)
}

/// Whether these bytes are the id of a peer, in the one form in which ids are compared: with the code and length of the
/// multihash written in the shortest way.
pub fn is_canonical(bytes: &[u8]) -> bool {
    // Both are below 128 in every possible id.
    from_bytes(bytes).is_some_and(|id| id.as_ref().digest().len() + 2 == bytes.len())
}

/// Whether a key can have this id: it is a SHA-256 of full length, or the encoding of an Ed25519 or secp256k1 key.
pub fn is_possible(id: &PeerId) -> bool {
    let multihash = id.as_ref();
    let digest = multihash.digest();
    match multihash.code() {
        0x12 => digest.len() == 32,
        0x00 => is_inlined_key(digest),
        _ => false,
    }
}

fn is_inlined_key(encoded: &[u8]) -> bool {
    let ed25519 = encoded.strip_prefix(&ED25519).is_some_and(|key| key.len() == 32);
    let secp256k1 = encoded.strip_prefix(&SECP256K1);
    ed25519 || secp256k1.is_some_and(|key| key.len() == 33 && matches!(key, [2 | 3, ..]))
}

/// The id of a public key in libp2p's encoding, whatever kind of key it is; the bytes are not looked into.
pub fn of_public_key(encoded: &[u8]) -> Option<PeerId> {
    let multihash = match u8::try_from(encoded.len()) {
        Ok(length) if encoded.len() <= MAX_INLINED_BYTES => [&[0x00, length], encoded].concat(),
        _ => [&SHA_256[..], &Sha256::digest(encoded)].concat(),
    };
    PeerId::from_bytes(&multihash).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519_ID: &str = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
    const SECP256K1_ID: &str = "16Uiu2HAmPLe7Mzm8TsYUubgCAW1aJoeFScxrLj8ppHFivPo97bUZ";
    const SHA_256_ID: &str = "QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN";

    fn multihash(code: u8, digest: &[u8]) -> Vec<u8> {
        let length = u8::try_from(digest.len()).expect("short");
        [&[code, length], digest].concat()
    }

    #[test]
    fn ids_of_keys_are_ids() {
        for text in [ED25519_ID, SECP256K1_ID, SHA_256_ID] {
            let id: PeerId = text.parse().expect("an id");
            assert_eq!(from_bytes(&id.to_bytes()), Some(id), "{text}");
            assert!(is_canonical(&id.to_bytes()), "{text}");
        }
    }

    #[test]
    fn multihashes_that_no_key_has_are_none() {
        let sha_256 = [0, 5, 31, 33, 64].map(|length| multihash(0x12, &vec![7; length]));
        let identity = [0, 5, 32, 42].map(|length| multihash(0x00, &vec![7; length]));
        let key = |head: [u8; 4], length| multihash(0x00, &[&head[..], &vec![2; length]].concat());
        let cut = [key(ED25519, 31), key(ED25519, 33), key(SECP256K1, 32)];
        let others = [
            multihash(0x00, &[&SECP256K1[..], &[4; 33]].concat()),
            // RSA, ECDSA and a type of key that there is not: their encodings would be longer.
            key([0x08, 0, 0x12, 32], 32),
            key([0x08, 3, 0x12, 32], 32),
            key([0x08, 4, 0x12, 32], 32),
            // SHA-512.
            multihash(0x13, &[7; 64]),
            b"no id".to_vec(),
            Vec::new(),
        ];
        for bytes in sha_256.into_iter().chain(identity).chain(cut).chain(others) {
            assert_eq!(from_bytes(&bytes), None, "{bytes:?}");
            assert!(!is_canonical(&bytes), "{bytes:?}");
        }
    }

    #[test]
    fn a_longer_way_to_write_an_id_is_the_same_id_and_not_the_form_to_compare() {
        let id: PeerId = SHA_256_ID.parse().expect("an id");
        // The code, and then the length, as a varint of two bytes.
        for at in [0, 1] {
            let mut long = id.to_bytes();
            long[at] |= 0x80;
            long.insert(at + 1, 0);
            assert!(from_bytes(&long).is_none_or(|read| read == id), "{long:?}");
            assert!(!is_canonical(&long), "{long:?}");
        }
    }

    #[test]
    fn the_id_of_a_key_is_its_encoding_or_its_hash() {
        let ed25519 = [&ED25519[..], &[7; 32]].concat();
        assert_eq!(of_public_key(&ed25519).map(PeerId::to_bytes), Some(multihash(0x00, &ed25519)));
        let rsa = vec![8; 300];
        let hashed = multihash(0x12, &Sha256::digest(&rsa));
        assert_eq!(of_public_key(&rsa).map(PeerId::to_bytes), Some(hashed));
        assert_eq!(of_public_key(&[]).filter(is_possible), None);
    }
}
