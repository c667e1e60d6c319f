//! The payload of the handshake: an identity, and its proof that the static key is its own.
//!
//! Protobuf `NoiseHandshakePayload`: 1 `identity_key`, 2 `identity_sig`, 4 `extensions` (ignored: it only offers
//! muxers early, and we speak one).

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use kad::protobuf::{Fields, Value, write_bytes};
use libp2p_identity::{PeerId, PublicKey};

use super::NoiseError;
use crate::key::UnsupportedKey;

/// What the signature of a static key is made over, before the key itself.
const SIGNATURE_PREFIX: &[u8; 24] = b"noise-libp2p-static-key:";

/// The protobuf encoding of an Ed25519 key up to the key itself: type 1, then 32 bytes of data.
const ED25519_PREFIX: [u8; 4] = [0x08, 0x01, 0x12, 0x20];

/// A multihash of the identity function over 36 bytes, which is the peer id of every Ed25519 key.
const IDENTITY_MULTIHASH_PREFIX: [u8; 2] = [0x00, 0x24];

/// The text that an identity signs to own a static key.
pub(crate) fn signed_text(static_key: &[u8; 32]) -> [u8; 56] {
    let mut text = [0; 56];
    text[..24].copy_from_slice(SIGNATURE_PREFIX);
    text[24..].copy_from_slice(static_key);
    text
}

/// Writes the payload.
pub(crate) fn encode_payload(public_key: &[u8], signature: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(public_key.len() + signature.len() + 8);
    write_bytes(&mut out, 1, public_key);
    write_bytes(&mut out, 2, signature);
    out
}

/// Reads the payload, verifies its proof over the static key and says who it is.
pub(crate) fn authenticate(payload: &[u8], static_key: &[u8; 32]) -> Result<PeerId, NoiseError> {
    let (mut key, mut signature): (&[u8], &[u8]) = (&[], &[]);
    for field in Fields::new(payload) {
        match field.map_err(|_| NoiseError::Malformed)? {
            (1, Value::Bytes(value)) => key = value,
            (2, Value::Bytes(value)) => signature = value,
            _ => {}
        }
    }
    verify(key, &signed_text(static_key), signature)
}

/// Verifies with aws-lc-rs where the key is of Ed25519, as nearly all are, else with the general crate.
pub(crate) fn verify(key: &[u8], text: &[u8], signature: &[u8]) -> Result<PeerId, NoiseError> {
    match key.strip_prefix(&ED25519_PREFIX) {
        Some(raw) if raw.len() == 32 => {
            UnparsedPublicKey::new(&ED25519, raw)
                .verify(text, signature)
                .map_err(|_| NoiseError::BadSignature)?;
            let mut multihash = [0; 38];
            multihash[..2].copy_from_slice(&IDENTITY_MULTIHASH_PREFIX);
            multihash[2..].copy_from_slice(key);
            PeerId::from_bytes(&multihash).map_err(|_| NoiseError::Malformed)
        }
        _ => {
            // The crate says of a key that it does not know no more than that it is none.
            let refused = |error| UnsupportedKey::of(key).map_or(error, NoiseError::KeyNotSupported);
            let public = PublicKey::try_decode_protobuf(key).map_err(|_| refused(NoiseError::Malformed))?;
            if public.verify(text, signature) {
                Ok(public.to_peer_id())
            } else {
                Err(refused(NoiseError::BadSignature))
            }
        }
    }
}
