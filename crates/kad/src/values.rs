//! What counts as a value under a key, and which of two is the better one, by the rules of go-libp2p-kad-dht's public
//! network: public keys under `/pk/`, signed records of names under `/ipns/`, and nothing else.
//!
//! A value vouches for itself, whoever gave it: it is checked by who keeps it and again by who asked for it. Where values
//! are kept, and when they are dropped, is left to [`records`](crate::records).

mod cbor;
mod ipns;

use std::time::Duration;

use libp2p_identity::{PeerId, PublicKey};
use thiserror::Error;

pub use self::ipns::IpnsRecord;
use crate::{message::Record, protobuf::DecodeError};

/// The longest value, in bytes: that of an IPNS record (specs.ipfs.tech, "Record size limit"; public keys are shorter).
pub const MAX_VALUE_BYTES: usize = 10 * 1024;

/// Why bytes are no value for a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadValue {
    /// It came as the value of another key.
    #[error("the record is of another key than was asked for")]
    OtherKey,
    /// It is longer than [`MAX_VALUE_BYTES`].
    #[error("the value is longer than 10 KiB")]
    TooLong,
    /// The key begins neither with `/pk/` nor with `/ipns/`.
    #[error("the key is neither in /pk/ nor in /ipns/")]
    Namespace,
    /// What follows the namespace in the key is no peer id.
    #[error("the key names no peer id")]
    Name,
    /// It is no public key.
    #[error("there is no public key that could be checked, neither in the name nor in the value")]
    NoPublicKey,
    /// It holds the public key of another peer.
    #[error("the public key is another peer's")]
    OtherPublicKey,
    /// It is no protobuf message.
    #[error("the record is no message: {0}")]
    Malformed(#[from] DecodeError),
    /// The part that is signed (`data`) is missing: a record of version 1 alone.
    #[error("the record has no signed data")]
    NoData,
    /// The part that is signed is no DAG-CBOR map.
    #[error("the signed data is no DAG-CBOR map")]
    BadData,
    /// It is not signed by the peer that the key names (`signatureV2`).
    #[error("the signature is not that of the name's owner")]
    BadSignature,
    /// What stands outside of the signed part differs from what stands in it.
    #[error("the fields of version 1 differ from the signed ones")]
    Differs,
    /// It does not say until when it is valid: the time is missing or none, or of an unknown type.
    #[error("the record does not say until when it is valid")]
    NoValidity,
    /// It may be kept for a negative time.
    #[error("the time to live is negative")]
    NegativeTtl,
}

/// A value that is one for its key. Whether it has expired depends on when that is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckedValue<'a> {
    /// The bytes.
    pub value: &'a [u8],
    /// What is said of its age; `None` for a public key, of which there is but one.
    pub version: Option<Version>,
}

/// Which of the records of one name a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// Grows with each change; `None` if the record lacks it, or has one that is no 64-bit number.
    pub sequence: Option<u64>,
    /// Until when it is valid, since the Unix epoch.
    pub valid_until: Duration,
}

impl<'a> CheckedValue<'a> {
    /// Checks a value: that it is the public key of the peer in the key, or a record that this peer has signed.
    ///
    /// Go takes more in one case: a record without the public key of a name that does not hold it either, if it has met
    /// that peer.
    pub fn of(key: &[u8], value: &'a [u8]) -> Result<Self, BadValue> {
        if value.len() > MAX_VALUE_BYTES {
            return Err(BadValue::TooLong);
        }
        if let Some(id) = key.strip_prefix(b"/pk/") {
            let public = PublicKey::try_decode_protobuf(value).map_err(|_| BadValue::NoPublicKey)?;
            let is_own = public.to_peer_id().to_bytes() == id;
            return if is_own { Ok(Self { value, version: None }) } else { Err(BadValue::OtherPublicKey) };
        }
        let name = key.strip_prefix(b"/ipns/").ok_or(BadValue::Namespace)?;
        let name = PeerId::from_bytes(name).map_err(|_| BadValue::Name)?;
        let record = IpnsRecord::decode(value)?;
        record.verify(&name)?;
        Ok(Self { value, version: Some(record.version()) })
    }

    /// Checks what came for a key, in an answer or to be kept: the record's own key as well.
    pub fn of_record(key: &[u8], record: &'a Record) -> Result<Self, BadValue> {
        if record.key == key { Self::of(key, &record.value) } else { Err(BadValue::OtherKey) }
    }

    /// Whether it is not valid any more. Public keys always are.
    pub fn is_expired(&self, now: Duration) -> bool {
        self.version.is_some_and(|version| version.valid_until < now)
    }

    /// Whether it is chosen over another value of the same key: the record with the higher sequence number, then the one
    /// that is valid for longer, then the one whose bytes are greater. Of two that are alike, it is this one; it is not,
    /// if one of them has no sequence number.
    pub fn beats(&self, other: &CheckedValue<'_>) -> bool {
        let (Some(own), Some(others)) = (self.version, other.version) else { return true };
        let (Some(sequence), Some(other_sequence)) = (own.sequence, others.sequence) else { return false };
        (sequence, own.valid_until, self.value) >= (other_sequence, others.valid_until, other.value)
    }
}

#[cfg(test)]
mod tests;
