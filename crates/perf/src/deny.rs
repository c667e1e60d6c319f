//! Lists of content that is denied: what they do is to mark requests for it that others make (Parsec, `pkg/denylist`). Pure.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
};

use kad::protobuf::write_varint;
use multibase::Base;
use sha2::{Digest as _, Sha256};

use crate::{api::Cid, events::DeniedMatch};

/// The codecs that content of a multihash is looked for under: raw, dag-pb, dag-cbor and dag-jose, as Parsec does.
const CODECS: [u64; 4] = [0x55, 0x70, 0x71, 0x85];

/// What content on the list of bad bits is called.
const BADBITS: &str = "badbits";

/// The most entries of a list.
const MAX_ENTRIES: usize = 10_000_000;

/// Content that is denied.
#[derive(Debug, Default)]
pub struct DenyList {
    /// SHA-256 of `CIDv1/`.
    hashed: HashSet<[u8; 32]>,
    /// Multihashes, each with the list that it is on.
    named: HashMap<Vec<u8>, String>,
}

/// A line that is no entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {wrong}")]
pub struct BadDenyLine {
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub wrong: &'static str,
}

impl DenyList {
    /// Adds a list of bad bits: lines of `//` and the SHA-256 of `CIDv1/` in hexadecimal. Lines of other forms say nothing here, as in
    /// Parsec; a line that begins so and goes on otherwise is an error.
    pub fn add_badbits(&mut self, text: &str) -> Result<(), BadDenyLine> {
        for (number, line) in text.lines().enumerate() {
            let Some(hash) = line.trim().strip_prefix("//") else { continue };
            let bad = |wrong| BadDenyLine { line: number + 1, wrong };
            let digits = hash.split_whitespace().next().unwrap_or_default();
            let bytes = Base::Base16Lower.decode(digits.to_lowercase()).ok();
            let hash = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
            let hash = hash.ok_or(bad("behind // stand 64 hexadecimal digits"))?;
            if self.hashed.len() >= MAX_ENTRIES {
                return Err(bad("the list is too long"));
            }
            self.hashed.insert(hash);
        }
        Ok(())
    }

    /// Adds a list of CIDs: `cid,source` a line; a first line of names is passed over.
    pub fn add_cids(&mut self, text: &str) -> Result<(), BadDenyLine> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        for (number, line) in lines {
            let bad = |wrong| BadDenyLine { line: number + 1, wrong };
            let (cid, source) = line.split_once(',').ok_or(bad("it is not `cid,source`"))?;
            match cid.trim().parse::<Cid>() {
                Ok(_) if self.named.len() >= MAX_ENTRIES => return Err(bad("the list is too long")),
                Ok(cid) => drop(self.named.insert(cid.key().to_vec(), source.trim().to_owned())),
                Err(_) if number == 0 => {}
                Err(_) => return Err(bad("it does not begin with a CID")),
            }
        }
        Ok(())
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.hashed.len() + self.named.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether content of a multihash is denied, whatever its codec, and by which list.
    pub fn find(&self, multihash: &[u8]) -> DeniedMatch {
        let is_hashed = || CODECS.iter().any(|codec| self.hashed.contains(&hashed(*codec, multihash)));
        match self.named.get(multihash) {
            Some(source) => DeniedMatch { is_denied: true, source: source.clone() },
            None if !self.hashed.is_empty() && is_hashed() => {
                DeniedMatch { is_denied: true, source: BADBITS.to_owned() }
            }
            None => DeniedMatch { is_denied: false, source: String::new() },
        }
    }
}

/// The SHA-256 of a CID of version 1, as it is written in base32, and a slash.
fn hashed(codec: u64, multihash: &[u8]) -> [u8; 32] {
    let mut bytes = vec![1];
    write_varint(&mut bytes, codec);
    bytes.extend_from_slice(multihash);
    let mut text = multibase::encode(Base::Base32Lower, bytes);
    // Writing to a text does not fail.
    text.write_char('/').ok();
    Sha256::digest(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CID: &str = "bafkreigpwj2mjq6tdyrdx4jdxqnodm6au33e3p5xnwwj65ngualsvjrtnm";

    fn key() -> Vec<u8> {
        CID.parse::<Cid>().unwrap().key().to_vec()
    }

    #[test]
    fn what_is_on_a_list_is_found_whatever_its_codec() {
        let hash = Base::Base16Lower.encode(Sha256::digest(format!("{CID}/")));
        let mut list = DenyList::default();
        list.add_badbits(&format!("version: 1\n---\n//{hash}\n# more\n/ipfs/x\n")).unwrap();
        assert_eq!(list.find(&key()), DeniedMatch { is_denied: true, source: "badbits".to_owned() });
        assert!(!list.find(&[0x12, 0x20]).is_denied);
        let mut list = DenyList::default();
        list.add_cids(&format!("cid,source\n{CID},court\n\n")).unwrap();
        assert_eq!((list.find(&key()).source.as_str(), list.len()), ("court", 1));
        assert!(DenyList::default().is_empty() && !DenyList::default().find(&key()).is_denied);
    }

    #[test]
    fn a_broken_line_is_named() {
        let line = |bad: BadDenyLine| bad.line;
        assert_eq!(DenyList::default().add_badbits("\n//12").map_err(line), Err(2));
        assert_eq!(DenyList::default().add_badbits("//zz").map_err(line), Err(1));
        assert_eq!(DenyList::default().add_cids(&format!("{CID},a\nx,b")).map_err(line), Err(2));
        assert_eq!(DenyList::default().add_cids("x").map_err(line), Err(1));
    }
}
