//! libp2p's certificates: self-signed, with the peer's identity and its proof in an extension.
//!
//! A signature costs more to verify than all the rest of a dial but the key exchange, so each one is verified once.
//! Certificates of the two common kinds (P-256 and Ed25519) are read here, all others by the general crate.
//! Source: libp2p specification, `tls/tls.md`.

use std::time::Duration;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ED25519, UnparsedPublicKey, VerificationAlgorithm};
use kad::failure::FailureClass;
use libp2p_identity::{PeerId, PublicKey};
use rustls::{
    SignatureScheme,
    pki_types::{CertificateDer, UnixTime},
};

use super::der::{BOOLEAN, INTEGER, OBJECT_ID, OCTET_STRING, SEQUENCE, bits, expect, take, time};
use crate::{
    key::UnsupportedKey,
    noise::{self, NoiseError},
};

/// What an identity signs of a certificate, before the key of the certificate.
const SIGNATURE_PREFIX: &[u8] = b"libp2p-tls-handshake:";

/// 1.3.6.1.4.1.53594.1.1, the extension with the identity.
const EXTENSION_ID: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xa2, 0x5a, 0x01, 0x01];

/// The algorithm of a P-256 key: `id-ecPublicKey` with `prime256v1`.
const P256_KEY: &[u8] = &[
    0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
    0x01, 0x07,
];

/// The algorithm of a signature: `ecdsa-with-SHA256`.
const P256_SIGNATURE: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];

/// The algorithm of Ed25519, of a key and of a signature.
const ED25519_ID: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];

/// The tags of the optional parts of a certificate.
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;

/// Why a certificate was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateRefusal {
    /// It is no certificate of libp2p.
    #[error("tls: not a certificate of libp2p")]
    Malformed,
    /// It is not valid yet, or no more.
    #[error("tls: a certificate that is not valid now")]
    Expired,
    /// A signature does not hold.
    #[error("tls: a certificate with a signature that does not hold")]
    BadSignature,
    /// The identity's key is of a kind or size that is not accepted.
    #[error(transparent)]
    KeyNotSupported(UnsupportedKey),
}

impl CertificateRefusal {
    /// The class of the failure that it is.
    pub(crate) const fn class(self) -> FailureClass {
        match self {
            Self::KeyNotSupported(_) => FailureClass::KeyNotSupported,
            Self::Malformed | Self::Expired | Self::BadSignature => FailureClass::HandshakeFailed,
        }
    }
}

/// A certificate, read but not verified.
#[derive(Debug)]
struct Certificate<'a> {
    /// How it signs; `None` for a certificate of another than the two common kinds.
    scheme: Option<SignatureScheme>,
    /// What it signs of itself.
    signed: &'a [u8],
    signature: &'a [u8],
    not_before: i64,
    not_after: i64,
    /// Its key with the key's algorithm, as it stands there.
    key_info: &'a [u8],
    key: &'a [u8],
    /// The identity in libp2p's protobuf encoding.
    identity: &'a [u8],
    /// The identity's signature over the certificate's key.
    proof: &'a [u8],
}

/// Verifies a certificate (DER) as of a time since 1970, and says whose it is.
pub fn peer_of_certificate(der: &[u8], now: Duration) -> Result<PeerId, CertificateRefusal> {
    verify(&CertificateDer::from(der), UnixTime::since_unix_epoch(now))
}

/// Verifies a certificate, and says whose it is.
pub(super) fn verify(der: &CertificateDer<'_>, now: UnixTime) -> Result<PeerId, CertificateRefusal> {
    let Some(certificate) = Certificate::read(der) else {
        return libp2p_tls::certificate::parse(der).map(|parsed| parsed.peer_id()).map_err(|_| why_not(der));
    };
    certificate.verify_time(now)?;
    certificate.verify_by_key(certificate.signed, certificate.signature)?;
    certificate.owner()
}

/// Why the general crate takes a certificate for none.
fn why_not(der: &[u8]) -> CertificateRefusal {
    let key = Certificate::outline(der).and_then(|certificate| UnsupportedKey::of(certificate.identity));
    key.map_or(CertificateRefusal::Malformed, CertificateRefusal::KeyNotSupported)
}

/// Verifies a certificate whose signatures were verified before, and says whose it is.
pub(super) fn verify_again(der: &CertificateDer<'_>, now: UnixTime) -> Result<PeerId, CertificateRefusal> {
    let Some(certificate) = Certificate::read(der) else { return verify(der, now) };
    certificate.verify_time(now)?;
    owner_of(der).ok_or(CertificateRefusal::Malformed)
}

/// Whose a certificate is that was verified before.
pub(crate) fn owner_of(der: &CertificateDer<'_>) -> Option<PeerId> {
    match Certificate::read(der) {
        Some(certificate) => {
            PublicKey::try_decode_protobuf(certificate.identity).ok().map(|key| key.to_peer_id())
        }
        None => libp2p_tls::certificate::parse(der).ok().map(|parsed| parsed.peer_id()),
    }
}

/// Verifies the signature of a handshake by the key of a certificate that was verified before.
pub(super) fn verify_handshake(
    der: &CertificateDer<'_>,
    scheme: SignatureScheme,
    message: &[u8],
    signature: &[u8],
) -> Result<(), CertificateRefusal> {
    match Certificate::read(der) {
        Some(certificate) if certificate.scheme == Some(scheme) => {
            certificate.verify_by_key(message, signature)
        }
        Some(_) => Err(CertificateRefusal::BadSignature),
        None => libp2p_tls::certificate::parse(der)
            .map_err(|_| CertificateRefusal::Malformed)?
            .verify_signature(scheme, message, signature)
            .map_err(|_| CertificateRefusal::BadSignature),
    }
}

impl<'a> Certificate<'a> {
    /// Reads a certificate of one of the two common kinds; `None` for one of another kind, which may still be valid.
    fn read(der: &'a [u8]) -> Option<Self> {
        Self::outline(der).filter(|certificate| certificate.scheme.is_some())
    }

    /// Reads a certificate of any kind.
    fn outline(der: &'a [u8]) -> Option<Self> {
        let mut rest = der;
        let mut outer = expect(&mut rest, SEQUENCE).filter(|_| rest.is_empty())?;
        let signed = take(&mut outer).filter(|element| element.tag == SEQUENCE)?;
        let algorithm = expect(&mut outer, SEQUENCE)?;
        let signature = bits(&mut outer).filter(|_| outer.is_empty())?;

        let mut rest = signed.content;
        // Only version 3 has extensions.
        expect(&mut rest, VERSION).filter(|version| *version == [INTEGER, 1, 2])?;
        expect(&mut rest, INTEGER)?;
        expect(&mut rest, SEQUENCE).filter(|inner| *inner == algorithm)?;
        let _issuer = expect(&mut rest, SEQUENCE)?;
        let mut validity = expect(&mut rest, SEQUENCE)?;
        let (not_before, not_after) = (time(&mut validity)?, time(&mut validity)?);
        let _subject = expect(&mut rest, SEQUENCE)?;
        let info = take(&mut rest).filter(|element| element.tag == SEQUENCE)?;
        let mut key_info = info.content;
        let scheme = match (expect(&mut key_info, SEQUENCE)?, algorithm) {
            (P256_KEY, P256_SIGNATURE) => Some(SignatureScheme::ECDSA_NISTP256_SHA256),
            (ED25519_ID, ED25519_ID) => Some(SignatureScheme::ED25519),
            _ => None,
        };
        let key = bits(&mut key_info)?;
        let (identity, proof) = extension(expect(&mut rest, EXTENSIONS).filter(|_| rest.is_empty())?)?;
        let (signed, key_info) = (signed.whole, info.whole);
        Some(Self { scheme, signed, signature, not_before, not_after, key_info, key, identity, proof })
    }

    fn verify_time(&self, now: UnixTime) -> Result<(), CertificateRefusal> {
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        if (self.not_before..=self.not_after).contains(&now) {
            Ok(())
        } else {
            Err(CertificateRefusal::Expired)
        }
    }

    fn verify_by_key(&self, message: &[u8], signature: &[u8]) -> Result<(), CertificateRefusal> {
        let algorithm: &dyn VerificationAlgorithm = match self.scheme {
            Some(SignatureScheme::ED25519) => &ED25519,
            _ => &ECDSA_P256_SHA256_ASN1,
        };
        UnparsedPublicKey::new(algorithm, self.key)
            .verify(message, signature)
            .map_err(|_| CertificateRefusal::BadSignature)
    }

    /// Verifies the proof of the identity.
    fn owner(&self) -> Result<PeerId, CertificateRefusal> {
        let text = [SIGNATURE_PREFIX, self.key_info].concat();
        noise::verify(self.identity, &text, self.proof).map_err(|error| match error {
            NoiseError::KeyNotSupported(key) => CertificateRefusal::KeyNotSupported(key),
            _ => CertificateRefusal::BadSignature,
        })
    }
}

/// The identity and its proof among the extensions. `None` where there is none, more than one, or another one that
/// must be understood.
fn extension(mut rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut list = expect(&mut rest, SEQUENCE)?;
    let mut found = None;
    while !list.is_empty() {
        let mut extension = expect(&mut list, SEQUENCE)?;
        let id = expect(&mut extension, OBJECT_ID)?;
        let mut value = take(&mut extension)?;
        let critical = value.tag == BOOLEAN && value.content != [0];
        if value.tag == BOOLEAN {
            value = take(&mut extension)?;
        }
        if id == EXTENSION_ID && found.is_none() && value.tag == OCTET_STRING {
            let mut signed_key = value.content;
            let mut parts = expect(&mut signed_key, SEQUENCE)?;
            found = Some((expect(&mut parts, OCTET_STRING)?, expect(&mut parts, OCTET_STRING)?));
        } else if id == EXTENSION_ID || critical {
            return None;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use libp2p_identity::Keypair;

    use super::*;

    fn now() -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000))
    }

    #[test]
    fn a_certificate_of_the_general_crate_is_read_and_names_its_peer() {
        for keypair in [Keypair::generate_ed25519(), Keypair::generate_secp256k1(), Keypair::generate_ecdsa()]
        {
            let (der, _) = libp2p_tls::certificate::generate(&keypair).unwrap();
            assert!(Certificate::read(&der).is_some());
            assert_eq!(verify(&der, now()), Ok(keypair.public().to_peer_id()));
            assert_eq!(owner_of(&der), Some(keypair.public().to_peer_id()));
        }
    }

    /// A certificate as go-libp2p v0.49.0 makes it, of an ECDSA identity.
    const OF_GO: &[u8] = include_bytes!("../../tests/data/certificate_go.der");

    /// A certificate with a P-384 key, made with openssl, of an Ed25519 identity.
    const OF_P384: &[u8] = include_bytes!("../../tests/data/certificate_p384.der");

    #[test]
    fn a_certificate_of_go_is_read_here_and_one_of_p384_by_the_general_crate() {
        let date = UnixTime::since_unix_epoch(Duration::from_secs(1_900_000_000));
        for (bytes, here) in [(OF_GO, true), (OF_P384, false)] {
            let der = CertificateDer::from(bytes);
            assert_eq!(Certificate::read(&der).is_some(), here);
            let general = libp2p_tls::certificate::parse(&der).unwrap().peer_id();
            assert_eq!(verify(&der, date), Ok(general));
            assert_eq!(owner_of(&der), Some(general));
        }
    }

    /// Certificates made with Python's cryptography, whose identities have keys that are not accepted: the first with a
    /// P-256 key of its own, the second with one of P-384, which the general crate reads.
    const OF_OTHERS: [(&[u8], &str); 2] = [
        (
            include_bytes!("../../tests/data/certificate_of_rsa_1024.der"),
            "RSA of 1024 bits; 2048 to 8192 are accepted",
        ),
        (
            include_bytes!("../../tests/data/certificate_p384_of_p521.der"),
            "ECDSA on P-521; P-256 is accepted",
        ),
    ];

    #[test]
    fn a_key_that_is_not_accepted_is_named() {
        for (bytes, text) in OF_OTHERS {
            let refusal = verify(&CertificateDer::from(bytes), now()).unwrap_err();
            assert_eq!((refusal.class(), &*refusal.to_string()), (FailureClass::KeyNotSupported, text));
        }
    }

    #[test]
    fn a_certificate_out_of_its_time_is_expired() {
        let (der, _) = libp2p_tls::certificate::generate(&Keypair::generate_ed25519()).unwrap();
        let past = UnixTime::since_unix_epoch(Duration::ZERO);
        assert_eq!(verify(&der, past), Err(CertificateRefusal::Expired));
    }

    #[test]
    fn no_changed_byte_makes_another_certificate() {
        let keypair = Keypair::generate_ed25519();
        let (der, _) = libp2p_tls::certificate::generate(&keypair).unwrap();
        // All before the last fields, which are not signed, and where the general crate is lenient.
        let signed = Certificate::read(&der).unwrap().signed.len();
        for position in 0..der.len() {
            let mut changed = der.to_vec();
            changed[position] ^= 1;
            match verify(&changed.into(), now()) {
                Err(_) => {}
                Ok(peer) => {
                    assert_eq!(peer, keypair.public().to_peer_id());
                    assert!(position >= signed, "byte {position}");
                }
            }
            let cut = CertificateDer::from(der[..position].to_vec());
            assert!(verify(&cut, now()).is_err(), "cut at {position}");
        }
    }

    #[test]
    fn the_proof_of_another_identity_is_refused() {
        let (own, other) = (Keypair::generate_ed25519(), Keypair::generate_ed25519());
        let (der, _) = libp2p_tls::certificate::generate(&own).unwrap();
        let read = Certificate::read(&der).unwrap();
        let identity = other.public().encode_protobuf();
        let forged = Certificate { identity: &identity, ..read };
        assert_eq!(forged.owner(), Err(CertificateRefusal::BadSignature));
    }
}
