//! Peer ids as the bytes that messages carry, kept without a heap.

use libp2p_identity::{PeerId, PublicKey};

/// The longest id of a peer of a world, in bytes: an identity multihash of a secp256k1 public key. Those of RSA and ECDSA
/// keys are SHA-256 multihashes of 34 bytes (libp2p specification, `peer-ids/peer-ids.md`).
const MAX_BYTES: usize = 39;

/// What comes before an Ed25519 key in its id: multihash code and length, then protobuf's key type and key length.
const ED25519_HEAD: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

/// Where the public key begins in an id that contains it: after the code and length of the multihash.
const KEY_START: usize = 2;

/// The bytes of a peer id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Id {
    bytes: [u8; MAX_BYTES],
    len: u8,
}

impl Id {
    /// The id of an Ed25519 public key.
    pub(crate) fn of_ed25519(public: &[u8; 32]) -> Self {
        let mut bytes = [0; MAX_BYTES];
        let (head, key) = bytes.split_at_mut(ED25519_HEAD.len());
        head.copy_from_slice(&ED25519_HEAD);
        key[..public.len()].copy_from_slice(public);
        Self { bytes, len: 38 }
    }

    /// The id of a public key of any type.
    pub(crate) fn of(public: &PublicKey) -> Self {
        let id = public.to_peer_id().to_bytes();
        let mut bytes = [0; MAX_BYTES];
        let len = id.len().min(MAX_BYTES);
        bytes[..len].copy_from_slice(&id[..len]);
        Self { bytes, len: u8::try_from(len).unwrap_or(u8::MAX) }
    }

    /// The id as messages carry it.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// The public key in libp2p's protobuf encoding, where the id contains it.
    pub(crate) fn public_key(&self) -> Option<&[u8]> {
        self.as_bytes().strip_prefix(&[0x00]).map(|_| &self.as_bytes()[KEY_START..])
    }

    /// The id as libp2p's crates know it.
    pub(crate) fn to_peer_id(self) -> PeerId {
        // What is made here is well-formed; a random id would be noticed as found by nobody.
        PeerId::from_bytes(self.as_bytes()).unwrap_or_else(|_| PeerId::random())
    }
}

/// The Ed25519 public key inside these bytes of an id, if there is one.
pub(crate) fn ed25519_key(id: &[u8]) -> Option<&[u8]> {
    id.strip_prefix(&ED25519_HEAD)
}

#[cfg(test)]
mod tests {
    use libp2p_identity::Keypair;

    use super::*;

    #[test]
    fn ids_of_all_key_types_are_those_of_libp2p() {
        let ed25519 = Keypair::generate_ed25519();
        for keypair in [ed25519.clone(), Keypair::generate_secp256k1(), Keypair::generate_ecdsa()] {
            let public = keypair.public();
            let id = Id::of(&public);
            assert_eq!(id.to_peer_id(), public.to_peer_id());
            assert_eq!(id.as_bytes(), public.to_peer_id().to_bytes());
            if let Some(key) = id.public_key() {
                assert_eq!(key, public.encode_protobuf());
            }
        }
        let raw = ed25519.public().try_into_ed25519().expect("ed25519").to_bytes();
        assert_eq!(Id::of_ed25519(&raw), Id::of(&ed25519.public()));
        assert_eq!(ed25519_key(Id::of_ed25519(&raw).as_bytes()), Some(&raw[..]));
    }
}
