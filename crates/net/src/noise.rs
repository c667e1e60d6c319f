//! Noise XX as libp2p uses it (`/noise`): the handshake in both roles and the cipher that follows it.
//!
//! The protocol is `Noise_XX_25519_ChaChaPoly_SHA256` with an empty prologue, written directly over aws-lc-rs, because
//! X25519 is what a visit to a peer mostly pays for. Sources: The Noise Protocol Framework, revision 34; libp2p
//! specification, `noise/README.md`. Nothing here does IO; the two-byte lengths around messages are `session`'s.

mod cipher;
mod handshake;
mod payload;
mod symmetric;

use std::borrow::Cow;

pub(crate) use cipher::Cipher;
pub(crate) use handshake::{Channel, Initiator, Responder, StaticKey};
pub(crate) use payload::{authenticate, encode_payload, signed_text, verify};

use crate::key::UnsupportedKey;

/// The longest Noise message, in bytes (Noise, section 3: the length is a 16-bit number).
pub(crate) const MAX_MESSAGE_BYTES: usize = 65_535;

/// The authentication tag at the end of every ciphertext, in bytes.
pub(crate) const TAG_BYTES: usize = 16;

/// The most plaintext in one message, in bytes.
pub(crate) const MAX_PLAINTEXT_BYTES: usize = MAX_MESSAGE_BYTES - TAG_BYTES;

/// Why a handshake or a message was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoiseError {
    /// A message is shorter than its parts, or its payload is no protobuf.
    Malformed,
    /// An authentication tag does not fit.
    Decrypt,
    /// A key from which no secret can be agreed on: of low order, or not of 32 bytes.
    BadKey,
    /// The proof that the static key belongs to the peer's identity does not hold.
    BadSignature,
    /// The identity's key is of a kind or size that is not accepted, whether its proof holds or not.
    KeyNotSupported(UnsupportedKey),
    /// The message counter would overflow, or the local library failed.
    Exhausted,
}

impl NoiseError {
    /// What a failure says of it.
    pub(crate) fn text(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Malformed => "noise: a malformed message",
            Self::Decrypt => "noise: a tag that does not fit",
            Self::BadKey => "noise: an unusable key",
            Self::BadSignature => "noise: a proof of identity that does not hold",
            Self::KeyNotSupported(key) => return Cow::Owned(key.to_string()),
            Self::Exhausted => "noise: no more messages can be encrypted",
        })
    }
}

#[cfg(test)]
mod tests;
