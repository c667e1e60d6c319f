//! Blocks of DAG-JSON by their CIDs: byte for byte as Go's `go-ipld-prime` writes them, and read from whoever wrote them.
//!
//! Sources: DAG-JSON, <https://ipld.io/specs/codecs/dag-json/spec/>; CIDs, <https://github.com/multiformats/cid>.

use std::{collections::BTreeMap, fmt, str::FromStr};

use kad::protobuf::{read_varint, write_varint};
use multibase::Base;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The codec of a block of DAG-JSON. Source: the table of multicodecs.
const DAG_JSON: u64 = 0x0129;

/// The codec of bytes that are nothing else.
const RAW: u64 = 0x55;

/// SHA-256 among the multihashes.
const SHA2_256: u64 = 0x12;

/// The longest CID that is read, in bytes: nothing that an indexer takes is longer than half of it.
const MAX_CID_BYTES: usize = 128;

/// The longest block that is read, in bytes. Source: IPNI's advice to publishers, below 4 MB.
pub const MAX_BLOCK_BYTES: usize = 4 << 20;

/// Why bytes are not what they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadBlock {
    /// They are longer than what is read.
    #[error("it is longer than what is read")]
    TooLong,
    /// They are no DAG-JSON, no CBOR, or no message.
    #[error("it is malformed")]
    Malformed,
    /// A field is missing, is there twice, or is of another kind.
    #[error("the field `{0}` is missing or of another kind")]
    Field(&'static str),
    /// A text or bytes are longer than an indexer takes.
    #[error("the field `{0}` is longer than an indexer takes")]
    Limit(&'static str),
    /// The CID is another one than that of the bytes.
    #[error("its bytes are not those of its CID")]
    Hash,
    /// What was signed is something else, or the signature is not of that key.
    #[error("the signature is not of this")]
    Signature,
}

/// The CID, version 1, of a block.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockCid(Vec<u8>);

impl BlockCid {
    /// That of a block of DAG-JSON.
    pub fn of_block(bytes: &[u8]) -> Self {
        Self::new(DAG_JSON, &Sha256::digest(bytes))
    }

    /// What stands for no entries at all: of nothing, its hash cut to 16 bytes. Source: go-libipni, `ingest/schema`.
    pub fn no_entries() -> Self {
        Self::new(RAW, &Sha256::digest(b"")[..16])
    }

    fn new(codec: u64, digest: &[u8]) -> Self {
        let mut bytes = vec![1];
        for number in [codec, SHA2_256, digest.len() as u64] {
            write_varint(&mut bytes, number);
        }
        bytes.extend_from_slice(digest);
        Self(bytes)
    }

    /// From its bytes; `None` if they are no CID of version 1 with one multihash and nothing behind it.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (_, _, digest) = parts(bytes)?;
        (bytes.len() <= MAX_CID_BYTES && !digest.is_empty()).then(|| Self(bytes.to_vec()))
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether these bytes are what it names: of SHA-256, all of it or its beginning.
    pub fn is_of(&self, bytes: &[u8]) -> bool {
        let Some((_, SHA2_256, digest)) = parts(&self.0) else { return false };
        digest.len() >= 16 && Sha256::digest(bytes).starts_with(digest)
    }
}

/// The codec, the hash function and the digest of a CID.
fn parts(bytes: &[u8]) -> Option<(u64, u64, &[u8])> {
    let mut rest = bytes;
    let mut number = || read_varint(&mut rest).ok();
    let (1, codec, function, length) = (number()?, number()?, number()?, number()?) else { return None };
    (rest.len() as u64 == length).then_some((codec, function, rest))
}

impl FromStr for BlockCid {
    type Err = BadBlock;

    fn from_str(text: &str) -> Result<Self, BadBlock> {
        if text.len() > 2 * MAX_CID_BYTES {
            return Err(BadBlock::TooLong);
        }
        let (_, bytes) = multibase::decode(text).map_err(|_| BadBlock::Malformed)?;
        Self::from_bytes(&bytes).ok_or(BadBlock::Malformed)
    }
}

/// In base 32 with its prefix, as Go writes CIDs of version 1.
impl fmt::Display for BlockCid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&multibase::encode(Base::Base32Lower, &self.0))
    }
}

impl fmt::Debug for BlockCid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlockCid({self})")
    }
}

/// What stands in a block.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Flag(bool),
    Text(String),
    Bytes(Vec<u8>),
    Link(BlockCid),
    List(Vec<Self>),
}

/// Writes a block. The keys are sorted by their bytes, as DAG-JSON wants them.
pub(super) fn encode(fields: &BTreeMap<&'static str, Node>) -> Vec<u8> {
    let mut out = String::from("{");
    for (at, (name, node)) in fields.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_text(&mut out, name);
        out.push(':');
        write_node(&mut out, node);
    }
    out.push('}');
    out.into_bytes()
}

fn write_node(out: &mut String, node: &Node) {
    match node {
        Node::Flag(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Node::Text(text) => write_text(out, text),
        Node::Bytes(bytes) => {
            // Unpadded, which a general writer of JSON would not do either.
            out.push_str(r#"{"/":{"bytes":""#);
            out.push_str(&Base::Base64.encode(bytes));
            out.push_str(r#""}}"#);
        }
        Node::Link(cid) => {
            out.push_str(r#"{"/":""#);
            out.push_str(&cid.to_string());
            out.push_str(r#""}"#);
        }
        Node::List(nodes) => {
            out.push('[');
            for (at, node) in nodes.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_node(out, node);
            }
            out.push(']');
        }
    }
}

fn write_text(out: &mut String, text: &str) {
    out.push_str(&Value::from(text).to_string());
}

/// Reads the fields of a block, each once and no others.
pub(super) struct FieldsRead(serde_json::Map<String, Value>);

impl FieldsRead {
    pub(super) fn of(bytes: &[u8]) -> Result<Self, BadBlock> {
        if bytes.len() > MAX_BLOCK_BYTES {
            return Err(BadBlock::TooLong);
        }
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            _ => Err(BadBlock::Malformed),
        }
    }

    pub(super) fn flag(&mut self, name: &'static str) -> Result<bool, BadBlock> {
        self.take(name, Value::as_bool)
    }

    pub(super) fn text(&mut self, name: &'static str) -> Result<String, BadBlock> {
        self.take(name, |value| value.as_str().map(str::to_owned))
    }

    pub(super) fn bytes(&mut self, name: &'static str) -> Result<Vec<u8>, BadBlock> {
        self.take(name, bytes_of)
    }

    pub(super) fn link(&mut self, name: &'static str) -> Result<BlockCid, BadBlock> {
        self.take(name, link_of)
    }

    pub(super) fn texts(&mut self, name: &'static str) -> Result<Vec<String>, BadBlock> {
        self.take(name, |value| {
            value.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
        })
    }

    pub(super) fn all_bytes(&mut self, name: &'static str) -> Result<Vec<Vec<u8>>, BadBlock> {
        self.take(name, |value| value.as_array()?.iter().map(bytes_of).collect())
    }

    /// A field that may be missing.
    pub(super) fn maybe<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Self, &'static str) -> Result<T, BadBlock>,
    ) -> Result<Option<T>, BadBlock> {
        if self.0.contains_key(name) { read(self, name).map(Some) } else { Ok(None) }
    }

    /// Nothing else stands in the block.
    pub(super) fn end(self) -> Result<(), BadBlock> {
        if self.0.is_empty() { Ok(()) } else { Err(BadBlock::Malformed) }
    }

    fn take<T>(&mut self, name: &'static str, read: impl FnOnce(&Value) -> Option<T>) -> Result<T, BadBlock> {
        self.0.remove(name).as_ref().and_then(read).ok_or(BadBlock::Field(name))
    }
}

/// The one value below a key that stands alone.
fn alone<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    let object = value.as_object()?;
    object.get(key).filter(|_| object.len() == 1)
}

fn bytes_of(value: &Value) -> Option<Vec<u8>> {
    let text = alone(alone(value, "/")?, "bytes")?.as_str()?;
    Base::Base64.decode(text.trim_end_matches('=')).ok()
}

fn link_of(value: &Value) -> Option<BlockCid> {
    alone(value, "/")?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_entries_have_the_cid_that_everybody_knows() {
        assert_eq!(BlockCid::no_entries().to_string(), "bafkreehdwdcefgh4dqkjv67uzcmw7oje");
        assert!(BlockCid::no_entries().is_of(b"") && !BlockCid::no_entries().is_of(b"x"));
    }

    #[test]
    fn cids_are_of_their_bytes_alone() {
        let cid = BlockCid::of_block(b"{}");
        assert!(cid.to_string().starts_with("baguqeera"), "{cid}");
        assert_eq!(cid.to_string().parse(), Ok(cid.clone()));
        assert!(cid.is_of(b"{}") && !cid.is_of(b"{ }"));
        for wrong in ["", "Qm", "bafk", "b", "zz", "baguqeera"] {
            wrong.parse::<BlockCid>().unwrap_err();
        }
        assert_eq!(
            BlockCid::from_bytes(&[cid.as_bytes(), &[0]].concat()),
            None,
            "something stands behind it"
        );
    }

    #[test]
    fn blocks_are_written_sorted_and_unpadded() {
        let fields = BTreeMap::from([
            ("b", Node::Bytes(vec![1])),
            ("B", Node::List(vec![Node::Text("a\"b".to_owned()), Node::Flag(true)])),
            ("a", Node::Link(BlockCid::no_entries())),
        ]);
        let text = String::from_utf8(encode(&fields)).unwrap();
        let expected =
            r#"{"B":["a\"b",true],"a":{"/":"bafkreehdwdcefgh4dqkjv67uzcmw7oje"},"b":{"/":{"bytes":"AQ"}}}"#;
        assert_eq!(text, expected);
        let mut read = FieldsRead::of(text.as_bytes()).unwrap();
        assert_eq!(read.bytes("b"), Ok(vec![1]));
        assert_eq!(read.link("a"), Ok(BlockCid::no_entries()));
        assert_eq!(read.text("c"), Err(BadBlock::Field("c")));
        assert_eq!(read.end(), Err(BadBlock::Malformed), "there is a field that nobody knows");
    }
}
