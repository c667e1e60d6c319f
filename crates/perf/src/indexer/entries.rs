//! Multihashes in chunks: each links to the one that was written before it, and the last is where an advertisement leads.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::block::{self, BadBlock, BlockCid, FieldsRead, Node};

/// Multihashes of a chunk. Source: index-provider's engine.
pub const CHUNK_HASHES: usize = 16_384;

/// Chunks of one advertisement. Source: IPNI's advice to publishers.
pub const MAX_CHUNKS: usize = 400;

/// The longest multihash that is published, in bytes.
const MAX_HASH_BYTES: usize = 128;

/// A chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryChunk {
    /// Multihashes.
    pub entries: Vec<Vec<u8>>,
    /// The chunk that was written before; `None` of the first.
    pub next: Option<BlockCid>,
}

impl EntryChunk {
    /// As a block.
    pub fn encode(&self) -> Vec<u8> {
        let entries = self.entries.iter().cloned().map(Node::Bytes).collect();
        let mut fields = BTreeMap::from([("Entries", Node::List(entries))]);
        if let Some(next) = &self.next {
            fields.insert("Next", Node::Link(next.clone()));
        }
        block::encode(&fields)
    }

    /// From a block.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadBlock> {
        let mut fields = FieldsRead::of(bytes)?;
        let read =
            Self { entries: fields.all_bytes("Entries")?, next: fields.maybe("Next", FieldsRead::link)? };
        fields.end()?;
        Ok(read)
    }
}

/// Multihashes as a chain of chunks with so many of them each: the blocks in the order in which they are written, the head last. An error
/// if one is none, or there are more than an advertisement has.
pub fn chunked(hashes: &[Vec<u8>], per_chunk: usize) -> Result<Vec<(BlockCid, Vec<u8>)>, BadBlock> {
    if hashes.iter().any(|hash| hash.is_empty() || hash.len() > MAX_HASH_BYTES) {
        return Err(BadBlock::Field("Entries"));
    }
    let per_chunk = per_chunk.clamp(1, CHUNK_HASHES);
    if hashes.len().div_ceil(per_chunk) > MAX_CHUNKS {
        return Err(BadBlock::Limit("Entries"));
    }
    let mut blocks: Vec<(BlockCid, Vec<u8>)> = Vec::new();
    for entries in hashes.chunks(per_chunk) {
        let next = blocks.last().map(|(cid, _)| cid.clone());
        let block = EntryChunk { entries: entries.to_vec(), next }.encode();
        blocks.push((BlockCid::of_block(&block), block));
    }
    Ok(blocks)
}

/// What stands for a key where an indexer is asked whether it has it yet: that it has nobody is kept on the way, so that each time
/// something else is to be asked for. Each is the multihash of the one before, the first that of the key. Source: Parsec 0.4.0.
pub fn probes(key: &[u8], count: usize) -> Vec<Vec<u8>> {
    let next = |hash: &[u8]| [&[0x12, 32][..], &Sha256::digest(hash)].concat();
    std::iter::successors(Some(next(key)), |probe| Some(next(probe))).take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_are_those_of_parsec() {
        let content = [&[0x12, 32][..], &Sha256::digest(b"")].concat();
        let hex: Vec<_> =
            probes(&content, 121).iter().map(|probe| multibase::Base::Base16Lower.encode(probe)).collect();
        assert_eq!(hex.len(), 121);
        assert_eq!(hex[0], "12206e4ab70ca6e24956137e4aacfa0ecf95feadddb6335f10d7a841eb8cc8daadfe");
        assert_eq!(hex[1], "1220c00464a6eafe57d59eff83e2d9e27116827cf4b4095b4a1693a16f6cfe10311f");
    }

    #[test]
    fn the_last_chunk_leads_to_all() {
        let hashes = probes(b"x", 7);
        let blocks = chunked(&hashes, 3).unwrap();
        let mut found = Vec::new();
        let mut at = blocks.last().map(|(cid, _)| cid.clone());
        while let Some(cid) = at {
            let (_, block) = blocks.iter().find(|(known, _)| *known == cid).unwrap();
            assert!(cid.is_of(block));
            let chunk = EntryChunk::decode(block).unwrap();
            assert_eq!(chunk.encode(), *block);
            found.splice(0..0, chunk.entries);
            at = chunk.next;
        }
        assert_eq!((found, blocks.len()), (hashes, 3));
    }

    #[test]
    fn what_no_indexer_takes_is_not_written() {
        assert_eq!(chunked(&[], 3), Ok(Vec::new()));
        assert_eq!(chunked(&[vec![]], 3), Err(BadBlock::Field("Entries")));
        assert_eq!(chunked(&vec![vec![0x12]; 401], 1), Err(BadBlock::Limit("Entries")));
    }
}
