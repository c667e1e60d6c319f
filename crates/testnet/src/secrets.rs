//! The peers' key pairs. They are derived from the seed again whenever they are needed, so that none is kept.

use libp2p_identity::{Keypair, ecdsa, secp256k1};
use rand::Rng;

use crate::{
    id::Id,
    random::{Stream, stream},
};

/// RSA keys of 2,048 bits in PKCS#8, one after the other: they cannot be derived from a seed within reasonable time.
/// They secure nothing but testnets.
const RSA_KEYS: &[u8] = include_bytes!("../data/rsa.pk8");

/// How many RSA keys there are: the most peers of a world that have one.
pub(crate) const MAX_RSA_KEYS: u32 = 64;

/// The tag and length before each RSA key, in bytes: a sequence whose length takes two bytes.
const RSA_HEAD_BYTES: usize = 4;

kad::named! {
    /// The types of keys that peers have (libp2p specification, `peer-ids/peer-ids.md`).
    pub enum KeyType {
        /// Ed25519, the default everywhere.
        Ed25519 = "ed25519",
        /// RSA with 2,048 bits, as go-ipfs made them by default until 0.7.
        Rsa = "rsa",
        /// secp256k1, as Ethereum's nodes have.
        Secp256k1 = "secp256k1",
        /// ECDSA on P-256.
        Ecdsa = "ecdsa",
    }
}

/// Which of the derived secrets is a peer's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Secret {
    pub(crate) key: KeyType,
    /// Its number before sorting; of RSA keys, which of them it is.
    pub(crate) ordinal: u32,
}

/// Where the peers' key pairs come from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Secrets {
    seed: u64,
}

impl Secrets {
    /// The secrets of the world with this seed.
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// A peer's key pair.
    pub(crate) fn keypair(self, secret: Secret) -> Keypair {
        let bytes = self.bytes(Stream::Secret, secret.ordinal);
        // Of 2^128 such numbers about one is no secret of secp256k1 or P-256.
        let derived: Option<Keypair> = match secret.key {
            KeyType::Ed25519 => return ed25519(bytes),
            KeyType::Rsa => {
                rsa_key(secret.ordinal).and_then(|key| Keypair::rsa_from_pkcs8(&mut key.to_vec()).ok())
            }
            KeyType::Secp256k1 => {
                let secret = secp256k1::SecretKey::try_from_bytes(bytes);
                secret.ok().map(|secret| secp256k1::Keypair::from(secret).into())
            }
            KeyType::Ecdsa => {
                let secret = ecdsa::SecretKey::try_from_bytes(bytes);
                secret.ok().map(|secret| ecdsa::Keypair::from(secret).into())
            }
        };
        derived.unwrap_or_else(|| ed25519(bytes))
    }

    /// The key pair that a peer uses to pretend.
    pub(crate) fn impostor(self, secret: Secret) -> Keypair {
        ed25519(self.bytes(Stream::Impostor, secret.ordinal))
    }

    /// A peer's id.
    pub(crate) fn id(self, secret: Secret) -> Id {
        let public = self.keypair(secret).public();
        match public.clone().try_into_ed25519() {
            Ok(key) => Id::of_ed25519(&key.to_bytes()),
            Err(_) => Id::of(&public),
        }
    }

    fn bytes(self, purpose: Stream, ordinal: u32) -> [u8; 32] {
        let mut secret = [0; 32];
        stream(self.seed, purpose, ordinal).fill_bytes(&mut secret);
        secret
    }
}

fn ed25519(bytes: [u8; 32]) -> Keypair {
    // Any 32 bytes are an Ed25519 secret.
    Keypair::ed25519_from_bytes(bytes).unwrap_or_else(|_| Keypair::generate_ed25519())
}

/// One of the RSA keys, by its number.
fn rsa_key(number: u32) -> Option<&'static [u8]> {
    let mut rest = RSA_KEYS;
    for _ in 0..number {
        rest = rest.get(rsa_bytes(rest)?..)?;
    }
    rest.get(..rsa_bytes(rest)?)
}

/// How long the first of these keys is.
fn rsa_bytes(keys: &[u8]) -> Option<usize> {
    match keys {
        [0x30, 0x82, high, low, ..] => Some(RSA_HEAD_BYTES + usize::from(u16::from_be_bytes([*high, *low]))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_type_of_key_is_had_and_had_again() {
        let secrets = Secrets::new(3);
        for &key in KeyType::ALL {
            let secret = Secret { key, ordinal: 5 };
            let keypair = secrets.keypair(secret);
            assert_eq!(keypair.key_type().to_string().to_lowercase(), key.name());
            assert_eq!(keypair.public().to_peer_id(), secrets.id(secret).to_peer_id());
            assert_ne!(secrets.impostor(secret).public(), keypair.public());
        }
    }

    #[test]
    fn there_are_as_many_rsa_keys_as_are_promised() {
        let keys: HashSet<_> = (0..MAX_RSA_KEYS).map(|number| rsa_key(number).expect("a key")).collect();
        assert_eq!(keys.len(), MAX_RSA_KEYS as usize);
        assert_eq!(rsa_key(MAX_RSA_KEYS), None);
    }
}
