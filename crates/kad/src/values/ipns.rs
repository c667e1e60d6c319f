//! Records of IPNS names: <https://specs.ipfs.tech/ipns/ipns-record/>, checked as boxo checks them.

use std::{str, time::Duration};

use libp2p_identity::{PeerId, PublicKey};

use super::{BadValue, MAX_VALUE_BYTES, Version, cbor};
use crate::{
    date::parse_rfc3339,
    protobuf::{DecodeError, Fields},
};

/// What the signature is over, before the data ("Record verification").
const SIGNED: &[u8] = b"ipns-signature:";

/// The only type of validity that there is: the end of life.
const END_OF_LIFE: i64 = 0;

/// A record, read where it lies. Nothing says yet that anybody signed it ([`verify`](Self::verify)).
#[derive(Debug, Clone)]
pub struct IpnsRecord<'a> {
    fields: Outside<'a>,
    document: Vec<(&'a [u8], cbor::Item<'a>)>,
    valid_until: Duration,
}

/// The fields of the message. Those of version 1 repeat what is signed.
#[derive(Debug, Clone, Copy, Default)]
struct Outside<'a> {
    value: &'a [u8],
    signature_v1: &'a [u8],
    validity_type: u64,
    validity: &'a [u8],
    sequence: u64,
    ttl: u64,
    public_key: &'a [u8],
    signature: &'a [u8],
    data: &'a [u8],
}

impl<'a> Outside<'a> {
    fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut fields = Self::default();
        for field in Fields::new(bytes) {
            match field? {
                (1, value) => fields.value = value.bytes()?,
                (2, value) => fields.signature_v1 = value.bytes()?,
                (3, value) => fields.validity_type = value.varint()?,
                (4, value) => fields.validity = value.bytes()?,
                (5, value) => fields.sequence = value.varint()?,
                (6, value) => fields.ttl = value.varint()?,
                (7, value) => fields.public_key = value.bytes()?,
                (8, value) => fields.signature = value.bytes()?,
                (9, value) => fields.data = value.bytes()?,
                _ => {}
            }
        }
        Ok(fields)
    }
}

impl<'a> IpnsRecord<'a> {
    /// Reads a record, and refuses one that does not say until when it is valid, or whose fields of version 1 contradict
    /// the signed ones.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, BadValue> {
        if bytes.len() > MAX_VALUE_BYTES {
            return Err(BadValue::TooLong);
        }
        let fields = Outside::decode(bytes)?;
        if fields.data.is_empty() {
            return Err(BadValue::NoData);
        }
        let document = cbor::map(fields.data).ok_or(BadValue::BadData)?;
        let mut record = Self { fields, document, valid_until: Duration::ZERO };
        let has_version_1 = !fields.signature_v1.is_empty() || !fields.value.is_empty();
        if has_version_1 && !record.agrees() {
            return Err(BadValue::Differs);
        }
        record.valid_until = record.end_of_life().ok_or(BadValue::NoValidity)?;
        if record.number(b"TTL").is_some_and(|ttl| ttl < 0) {
            return Err(BadValue::NegativeTtl);
        }
        Ok(record)
    }

    /// Checks that the owner of this name signed it. The public key is in the record, or in the name itself, whose
    /// multihash is then the key and no hash.
    pub fn verify(&self, name: &PeerId) -> Result<(), BadValue> {
        let inlined = || (name.as_ref().code() == 0).then(|| name.as_ref().digest());
        let carried = Some(self.fields.public_key).filter(|key| !key.is_empty());
        let key = carried.or_else(inlined).ok_or(BadValue::NoPublicKey)?;
        let key = PublicKey::try_decode_protobuf(key).map_err(|_| BadValue::NoPublicKey)?;
        if key.to_peer_id() != *name {
            return Err(BadValue::OtherPublicKey);
        }
        let is_signed = key.verify(&[SIGNED, self.fields.data].concat(), self.fields.signature);
        if is_signed { Ok(()) } else { Err(BadValue::BadSignature) }
    }

    /// What the name stands for: a path, or the bytes of a CID; empty if that is not said.
    pub fn value(&self) -> &'a [u8] {
        self.bytes(b"Value").unwrap_or_default()
    }

    /// For how long whoever has the record need not ask for a newer one; zero if that is not said.
    pub fn ttl(&self) -> Duration {
        Duration::from_nanos(self.number(b"TTL").and_then(|ttl| u64::try_from(ttl).ok()).unwrap_or(0))
    }

    /// Which of the records of its name it is.
    pub fn version(&self) -> Version {
        let sequence = self.number(b"Sequence").map(i64::cast_unsigned);
        Version { sequence, valid_until: self.valid_until }
    }

    /// Whether what is outside of the signed part repeats it.
    fn agrees(&self) -> bool {
        let Outside { value, validity, validity_type, sequence, ttl, .. } = self.fields;
        self.bytes(b"Value") == Some(value)
            && self.bytes(b"Validity") == Some(validity)
            && self.number(b"ValidityType") == Some(validity_type.cast_signed())
            && self.number(b"Sequence") == Some(sequence.cast_signed())
            && self.number(b"TTL") == Some(ttl.cast_signed())
    }

    fn end_of_life(&self) -> Option<Duration> {
        if self.number(b"ValidityType") != Some(END_OF_LIFE) {
            return None;
        }
        parse_rfc3339(str::from_utf8(self.bytes(b"Validity")?).ok()?)
    }

    fn item(&self, key: &[u8]) -> Option<cbor::Item<'a>> {
        self.document.iter().find(|(known, _)| *known == key).map(|&(_, item)| item)
    }

    fn bytes(&self, key: &[u8]) -> Option<&'a [u8]> {
        match self.item(key)? {
            cbor::Item::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    fn number(&self, key: &[u8]) -> Option<i64> {
        match self.item(key)? {
            cbor::Item::Number(number) => Some(number),
            _ => None,
        }
    }
}
