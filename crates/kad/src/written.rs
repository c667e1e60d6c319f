//! Keys as people write them, and the bytes that each stands for in the DHT.
//!
//! What is looked up is bytes: the multihash of content, however its CID is written; the bytes of a peer id; or a name with
//! its namespace before the id. Which of them a text means shows in its form; what it can be used for, in what it means.
//! Where nothing but a peer is meant, [`crate::parse`] reads it.

use std::str::FromStr;

use libp2p_identity::PeerId;
use multibase::Base;
use thiserror::Error;

use crate::{
    answer::MAX_KEY_BYTES,
    parse::{self, BadPeerId, LIBP2P_KEY},
    protobuf::{read_varint, write_varint},
};

/// The longest text that is read as a key, in bytes: twice what any key takes in hexadecimal.
pub const MAX_TEXT_BYTES: usize = 1024;

/// What a path can begin with.
const NAMESPACES: [&str; 4] = ["ipfs", "ipns", "p2p", "pk"];

/// A key that somebody has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrittenKey {
    /// A multihash: of content, or of a peer's public key.
    Multihash {
        /// The whole multihash: code, length and digest.
        bytes: Vec<u8>,
        /// The codec of the CID that it was in: what kind of content it is; `None` for a CID of version 0 and for a
        /// multihash alone, which say nothing.
        codec: Option<u64>,
    },
    /// The IPNS name of a peer.
    Name(PeerId),
    /// The public key of a peer.
    PublicKey(PeerId),
    /// Bytes that are none of these.
    Raw(Vec<u8>),
}

/// Why a text is no key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadKey {
    /// It is empty, or nothing comes behind its namespace.
    #[error("there is no key")]
    Empty,
    /// It is longer than [`MAX_TEXT_BYTES`].
    #[error("it is longer than any key ({MAX_TEXT_BYTES} bytes)")]
    TooLong,
    /// It decodes as nothing.
    #[error("it is neither a CID, a multihash in base58 or hexadecimal, a peer id, nor hexadecimal bytes")]
    Encoding,
    /// It is a CID of a version that does not exist.
    #[error("it is a CID of version {0}, and there are 0 and 1")]
    Version(u64),
    /// It is a CID without a whole multihash in it.
    #[error("its multihash is cut short or too long")]
    Multihash,
    /// It begins like a path, and not of a namespace that has keys.
    #[error("`/{0}/` is no namespace of keys: there are /ipfs/, /ipns/, /p2p/ and /pk/")]
    Namespace(String),
    /// Something comes behind the key.
    #[error("a path within content is not looked up: leave out what comes behind `{0}`")]
    Path(String),
    /// The name is one of DNS.
    #[error("`{0}` is a name of DNS, which is resolved there (its TXT record `_dnslink`) and not in the DHT")]
    DnsName(String),
    /// What should be a peer id is none.
    #[error("there is no peer id: {0}")]
    PeerId(#[from] BadPeerId),
}

/// Why a key is not one of the kind that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WrongUse {
    /// A peer was asked for.
    #[error("it names no peer")]
    NoPeer,
    /// Providers were asked for, and names have none.
    #[error("a name has a value, and no providers")]
    NoProviders,
    /// Providers were asked for by a key that no server takes.
    #[error("servers take keys of providers of at most {MAX_KEY_BYTES} bytes")]
    TooLong,
    /// A value was asked for, and only names have them.
    #[error("only /ipns/NAME and /pk/ID have values; whoever has content is among its providers")]
    NoValue,
}

impl WrittenKey {
    /// The key whose closest peers are looked up: every key has them.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Multihash { bytes, .. } | Self::Raw(bytes) => bytes.clone(),
            Self::Name(id) => [b"/ipns/", &id.to_bytes()[..]].concat(),
            Self::PublicKey(id) => [b"/pk/", &id.to_bytes()[..]].concat(),
        }
    }

    /// The peer that it names.
    pub fn peer(&self) -> Result<PeerId, WrongUse> {
        match self {
            Self::Multihash { bytes, codec: None | Some(LIBP2P_KEY) } => {
                PeerId::from_bytes(bytes).map_err(|_| WrongUse::NoPeer)
            }
            Self::Name(id) | Self::PublicKey(id) => Ok(*id),
            Self::Multihash { .. } | Self::Raw(_) => Err(WrongUse::NoPeer),
        }
    }

    /// The key whose providers are looked up: a multihash, whatever the CID said beside it.
    pub fn provided(&self) -> Result<Vec<u8>, WrongUse> {
        match self {
            Self::Name(_) | Self::PublicKey(_) => Err(WrongUse::NoProviders),
            Self::Multihash { bytes, .. } | Self::Raw(bytes) if bytes.len() <= MAX_KEY_BYTES => {
                Ok(bytes.clone())
            }
            Self::Multihash { .. } | Self::Raw(_) => Err(WrongUse::TooLong),
        }
    }

    /// The bytes of the CID of the content: of version 0 where the codec is not known. `None` for what is no content.
    pub fn cid(&self) -> Option<Vec<u8>> {
        let Self::Multihash { bytes, codec } = self else { return None };
        let Some(codec) = codec else { return Some(bytes.clone()) };
        let mut cid = vec![1];
        write_varint(&mut cid, *codec);
        cid.extend_from_slice(bytes);
        Some(cid)
    }

    /// The key whose value is looked up.
    pub fn valued(&self) -> Result<Vec<u8>, WrongUse> {
        match self {
            Self::Name(_) | Self::PublicKey(_) => Ok(self.bytes()),
            Self::Multihash { .. } | Self::Raw(_) => Err(WrongUse::NoValue),
        }
    }

    /// What these bytes are.
    fn of_bytes(bytes: Vec<u8>) -> Self {
        let id = |namespace: &[u8]| PeerId::from_bytes(bytes.strip_prefix(namespace)?).ok();
        if let Some(id) = id(b"/ipns/") {
            Self::Name(id)
        } else if let Some(id) = id(b"/pk/") {
            Self::PublicKey(id)
        } else if is_multihash(&bytes) {
            Self::Multihash { bytes, codec: None }
        } else {
            Self::Raw(bytes)
        }
    }
}

impl FromStr for WrittenKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let text = text.trim();
        if text.len() > MAX_TEXT_BYTES {
            return Err(BadKey::TooLong);
        }
        let uri = text.split_once("://").filter(|(scheme, _)| matches!(*scheme, "ipfs" | "ipns"));
        let path =
            uri.or_else(|| text.strip_prefix('/').map(|path| path.split_once('/').unwrap_or((path, ""))));
        let Some((namespace, rest)) = path else { return bare(text) };
        if !NAMESPACES.contains(&namespace) {
            return Err(BadKey::Namespace(namespace.to_owned()));
        }
        let name = match rest.split_once('/') {
            // Base64 has a slash of its own, so that all that stands there comes first.
            Some(_) if bare(rest).is_ok() => rest,
            Some((name, path)) if path.chars().any(|sign| sign != '/') => {
                return Err(BadKey::Path(name.to_owned()));
            }
            Some((name, _)) => name,
            None => rest,
        };
        match namespace {
            _ if name.is_empty() => Err(BadKey::Empty),
            "ipns" if name.contains('.') => Err(BadKey::DnsName(name.to_owned())),
            "ipns" => Ok(Self::Name(parse::peer_id(name)?)),
            "pk" => Ok(Self::PublicKey(parse::peer_id(name)?)),
            "p2p" => Ok(Self::Multihash { bytes: parse::peer_id(name)?.to_bytes(), codec: Some(LIBP2P_KEY) }),
            _ => bare(name),
        }
    }
}

/// A key without a namespace. Base58 and multibase overlap: by the rule of CIDs and peer ids, what begins with `Qm` or `1`
/// is base58 and all else multibase, and only what is neither is taken for hexadecimal.
fn bare(text: &str) -> Result<WrittenKey, BadKey> {
    if text.is_empty() {
        return Err(BadKey::Empty);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return hexadecimal(digits).map(WrittenKey::of_bytes).ok_or(BadKey::Encoding);
    }
    let is_base58 = text.starts_with("Qm") || text.starts_with('1');
    let read = if is_base58 { Ok(base58(text)) } else { multibase(text) };
    match (read, hexadecimal(text)) {
        (Ok(Some(key)), _) => Ok(key),
        (_, Some(bytes)) => Ok(WrittenKey::of_bytes(bytes)),
        (Err(bad), None) => Err(bad),
        // Base58 without multibase's `z` before it: a hash that is neither SHA-256 nor a key itself.
        (Ok(None), None) => base58(text).ok_or(BadKey::Encoding),
    }
}

/// A multihash in base58; `None` if it is none.
fn base58(text: &str) -> Option<WrittenKey> {
    let bytes = Base::Base58Btc.decode(text).ok().filter(|bytes| is_multihash(bytes))?;
    Some(WrittenKey::Multihash { bytes, codec: None })
}

/// A CID or a multihash in multibase; `None` if it is neither.
fn multibase(text: &str) -> Result<Option<WrittenKey>, BadKey> {
    multibase::decode(text).map_or(Ok(None), |(_, bytes)| cid(&bytes))
}

/// What the bytes of a CID or a multihash mean; `None` if they are neither.
fn cid(bytes: &[u8]) -> Result<Option<WrittenKey>, BadKey> {
    if is_multihash(bytes) {
        return Ok(Some(WrittenKey::Multihash { bytes: bytes.to_vec(), codec: None }));
    }
    let mut rest = bytes;
    let Ok(version) = read_varint(&mut rest) else { return Ok(None) };
    let Ok(codec) = read_varint(&mut rest) else { return Ok(None) };
    match (version, is_multihash(rest)) {
        (1, true) => Ok(Some(WrittenKey::Multihash { bytes: rest.to_vec(), codec: Some(codec) })),
        (1, false) => Err(BadKey::Multihash),
        (version, true) => Err(BadKey::Version(version)),
        (_, false) => Ok(None),
    }
}

/// Whether these bytes are one whole multihash: a code, a length, and so many bytes.
pub(crate) fn is_multihash(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    let length = read_varint(&mut rest).and_then(|_| read_varint(&mut rest));
    length.is_ok_and(|length| length == rest.len() as u64)
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let is_even = !text.is_empty() && text.len().is_multiple_of(2);
    let bytes = is_even.then(|| Base::Base16Lower.decode(text.to_ascii_lowercase()).ok())?;
    bytes.filter(|bytes| !bytes.is_empty())
}

#[cfg(test)]
mod tests;
