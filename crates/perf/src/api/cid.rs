//! CIDs as Go's `go-cid` reads and writes them: what names content in the API, and the key that it has in the DHT. Pure.

use std::{fmt, str::FromStr};

use kad::protobuf::{read_varint, write_varint};
use multibase::Base;

/// What a CID of version 0 begins with, and how long it is (go-cid, `Decode`).
const VERSION_0: (&str, usize) = ("Qm", 46);

/// A CID: of version 0 without a codec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cid {
    codec: Option<u64>,
    multihash: Vec<u8>,
}

/// What is no CID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCid {
    /// It is shorter than any.
    #[error("cid too short")]
    TooShort,
    /// It is no text of a base that is known.
    #[error("selected encoding not supported")]
    Encoding,
    /// It is of a version that does not exist.
    #[error("expected 1 as the cid version number")]
    Version,
    /// Its multihash is cut short, or something comes behind it.
    #[error("its multihash is none")]
    Multihash,
}

impl Cid {
    /// Of version 0, of what has this multihash.
    pub(crate) const fn of_multihash(multihash: Vec<u8>) -> Self {
        Self { codec: None, multihash }
    }

    /// The key that its content has in the DHT: the multihash, whatever the codec.
    pub(crate) fn key(&self) -> &[u8] {
        &self.multihash
    }

    fn of_bytes(bytes: &[u8]) -> Result<Self, BadCid> {
        if let [0x12, 0x20, digest @ ..] = bytes
            && digest.len() == 32
        {
            return Ok(Self::of_multihash(bytes.to_vec()));
        }
        let mut rest = bytes;
        match read_varint(&mut rest) {
            Ok(1) => {}
            _ => return Err(BadCid::Version),
        }
        let codec = read_varint(&mut rest).map_err(|_| BadCid::Multihash)?;
        let multihash = rest;
        let _code = read_varint(&mut rest).map_err(|_| BadCid::Multihash)?;
        let length = read_varint(&mut rest).map_err(|_| BadCid::Multihash)?;
        if rest.len() as u64 != length {
            return Err(BadCid::Multihash);
        }
        Ok(Self { codec: Some(codec), multihash: multihash.to_vec() })
    }
}

impl FromStr for Cid {
    type Err = BadCid;

    fn from_str(text: &str) -> Result<Self, BadCid> {
        if text.len() < 2 {
            return Err(BadCid::TooShort);
        }
        let bytes = if text.len() == VERSION_0.1 && text.starts_with(VERSION_0.0) {
            Base::Base58Btc.decode(text).map_err(|_| BadCid::Encoding)?
        } else {
            multibase::decode(text).map_err(|_| BadCid::Encoding)?.1
        };
        Self::of_bytes(&bytes)
    }
}

impl fmt::Display for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(codec) = self.codec else { return f.write_str(&Base::Base58Btc.encode(&self.multihash)) };
        let mut bytes = vec![1];
        write_varint(&mut bytes, codec);
        bytes.extend_from_slice(&self.multihash);
        f.write_str(&multibase::encode(Base::Base32Lower, bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cids_are_read_and_written_as_go_does() {
        let v0 = "QmcKQvvP6dNPsjLTPdv6AJXAFPwuroRGfVaoHWwNhjuG6n";
        let v1 = "bafkreigpwj2mjq6tdyrdx4jdxqnodm6au33e3p5xnwwj65ngualsvjrtnm";
        for (text, echoed) in [
            (v0, v0),
            (v1, v1),
            (&*v1.to_uppercase(), v1),
            ("bafkqaaa", "bafkqaaa"),
            ("f01551200", "bafkreaa"),
        ] {
            let cid = text.parse::<Cid>();
            assert_eq!(cid.map(|cid| cid.to_string()).as_deref(), Ok(echoed), "{text}");
        }
        let same = [v0, v1].map(|text| text.parse::<Cid>().unwrap().key().to_vec());
        assert_eq!(same[0], same[1], "one content");
        assert_eq!("bafkqaaa".parse::<Cid>().unwrap().key(), [0, 0]);
    }

    #[test]
    fn what_is_none_is_refused() {
        let long = "b".repeat(10_000);
        for wrong in [
            "",
            "Q",
            "Qm",
            "Qm0OIl",
            "bafy",
            "b",
            "zzzz",
            "/ipfs/bafkqaaa",
            "bafkqaab",
            "bafkqaaaaa",
            "x!",
            "ä",
            &long,
            "QmcKQvvP6dNPsjLTPdv6AJXAFPwuroRGfVaoHWwNhjuG6O",
            "12D3KooWBcfKctt29AayTY2tf1gBJm6Y6byQurYhx6QZwv4p3GQS",
        ] {
            assert!(wrong.parse::<Cid>().is_err(), "{wrong}");
        }
    }
}
