//! Which keys of identities are accepted, and what one is that is not.
//!
//! Ed25519 and secp256k1, ECDSA on P-256, RSA of 2,048 to 8,192 bits: those that the crates verify, and nearly all that
//! peers have. Source of the encoding: libp2p specification, `peer-ids/peer-ids.md`, section "Keys".

use std::ops::RangeInclusive;

use kad::protobuf::Fields;

use crate::tls::der::{INTEGER, OBJECT_ID, SEQUENCE, bits, expect};

/// The types of keys by their numbers.
const RSA: u64 = 0;
const ED25519: u64 = 1;
const SECP256K1: u64 = 2;
const ECDSA: u64 = 3;

/// The lengths of RSA keys that are accepted, in bits.
const RSA_BITS: RangeInclusive<usize> = 2048..=8192;

/// The identifiers of curves (SEC 2, section A.2), each with its name.
const CURVES: [(&[u8], &str); 4] = [
    (&[0x2b, 0x81, 0x04, 0x00, 0x21], "P-224"),
    (&[0x2b, 0x81, 0x04, 0x00, 0x22], "P-384"),
    (&[0x2b, 0x81, 0x04, 0x00, 0x23], "P-521"),
    (&[0x2b, 0x81, 0x04, 0x00, 0x0a], "secp256k1"),
];

/// The identifier of P-256, the one curve of ECDSA that is accepted.
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// A key of an identity that is of a kind or size that is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnsupportedKey {
    /// RSA, with so many bits.
    #[error("RSA of {0} bits; 2048 to 8192 are accepted")]
    Rsa(usize),
    /// ECDSA on a curve of this name.
    #[error("ECDSA on {0}; P-256 is accepted")]
    Curve(&'static str),
    /// A type of this number, which no specification knows.
    #[error("a key of the unknown type {0}")]
    Type(u64),
}

impl UnsupportedKey {
    /// What is wrong with the kind or size of a key in libp2p's protobuf encoding; `None` if nothing is, or if it does
    /// not decode as far as that.
    pub(crate) fn of(key: &[u8]) -> Option<Self> {
        // The number of RSA is the default of the field.
        let (mut kind, mut data): (_, &[u8]) = (RSA, &[]);
        for field in Fields::new(key) {
            match field.ok()? {
                (1, value) => kind = value.varint().ok()?,
                (2, value) => data = value.bytes().ok()?,
                _ => {}
            }
        }
        match kind {
            RSA => rsa_bits(data).filter(|bits| !RSA_BITS.contains(bits)).map(Self::Rsa),
            ECDSA => foreign_curve(data).map(Self::Curve),
            ED25519 | SECP256K1 => None,
            other => Some(Self::Type(other)),
        }
    }
}

/// The length of the modulus of an RSA key (DER, `SubjectPublicKeyInfo`), in bits.
fn rsa_bits(mut der: &[u8]) -> Option<usize> {
    let mut info = expect(&mut der, SEQUENCE)?;
    let _algorithm = expect(&mut info, SEQUENCE)?;
    let mut numbers = expect(&mut bits(&mut info)?, SEQUENCE)?;
    let modulus = expect(&mut numbers, INTEGER)?;
    let zeros = modulus.iter().take_while(|&&byte| byte == 0).count();
    let modulus = modulus.get(zeros..)?;
    let unused = modulus.first()?.leading_zeros() as usize;
    Some(modulus.len() * 8 - unused)
}

/// The name of the curve of an ECDSA key (DER, `SubjectPublicKeyInfo`), if it is another one than P-256.
fn foreign_curve(mut der: &[u8]) -> Option<&'static str> {
    let mut info = expect(&mut der, SEQUENCE)?;
    let mut algorithm = expect(&mut info, SEQUENCE)?;
    let _kind = expect(&mut algorithm, OBJECT_ID)?;
    match expect(&mut algorithm, OBJECT_ID) {
        Some(P256) => None,
        Some(id) => Some(CURVES.iter().find(|(of, _)| *of == id).map_or("another curve", |(_, name)| name)),
        // The curve's parameters stand there instead of its name.
        None => Some("a curve without a name"),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use kad::protobuf::{write_bytes, write_varint};
    use libp2p_identity::Keypair;

    use super::*;

    /// Public keys made with openssl (DER, `SubjectPublicKeyInfo`), the type of each, and what is said of it.
    pub(crate) const KEYS: [(&[u8], u64, &str); 4] = [
        (include_bytes!("../tests/data/rsa_1024.spki"), RSA, "RSA of 1024 bits; 2048 to 8192 are accepted"),
        (include_bytes!("../tests/data/rsa_9000.spki"), RSA, "RSA of 9000 bits; 2048 to 8192 are accepted"),
        (include_bytes!("../tests/data/p384.spki"), ECDSA, "ECDSA on P-384; P-256 is accepted"),
        (include_bytes!("../tests/data/p521.spki"), ECDSA, "ECDSA on P-521; P-256 is accepted"),
    ];

    /// A key in libp2p's encoding.
    pub(crate) fn encoded(kind: u64, data: &[u8]) -> Vec<u8> {
        let mut out = vec![0x08];
        write_varint(&mut out, kind);
        write_bytes(&mut out, 2, data);
        out
    }

    #[test]
    fn what_is_not_accepted_is_named() {
        for (data, kind, text) in KEYS {
            let key = UnsupportedKey::of(&encoded(kind, data));
            assert_eq!(key.map(|key| key.to_string()).as_deref(), Some(text));
        }
        let unknown = UnsupportedKey::of(&encoded(4, &[1; 32]));
        assert_eq!(unknown, Some(UnsupportedKey::Type(4)));
    }

    #[test]
    fn nothing_is_said_of_accepted_keys_and_of_what_is_no_key() {
        let rsa =
            Keypair::rsa_from_pkcs8(&mut include_bytes!("../tests/data/rsa_2048.pk8").to_vec()).unwrap();
        for keypair in
            [rsa, Keypair::generate_ed25519(), Keypair::generate_secp256k1(), Keypair::generate_ecdsa()]
        {
            assert_eq!(UnsupportedKey::of(&keypair.public().encode_protobuf()), None);
        }
        for key in [&b""[..], b"\x08", b"\x08\x00\x12\x02\x30\x00", b"\x08\x03\x12\x01\x30", b"\xff\xff"] {
            assert_eq!(UnsupportedKey::of(key), None, "{key:?}");
        }
    }
}
