//! Publishing to an indexer, and asking one: what `cid.contact` does for Parsec's fourth fleet, with any indexer of IPNI.
//!
//! Advertisements and their chain are pure (`block`, `advertisement`, `entries`, `head`, `announcement`).

mod advertisement;
mod announcement;
mod block;
mod entries;
mod envelope;
mod head;

pub use self::{
    advertisement::{Advertisement, BITSWAP_METADATA, MAX_CONTEXT_BYTES, MAX_METADATA_BYTES},
    announcement::{Announcement, MAX_ANNOUNCEMENT_BYTES},
    block::{BadBlock, BlockCid, MAX_BLOCK_BYTES},
    entries::{CHUNK_HASHES, EntryChunk, MAX_CHUNKS, chunked, probes},
    head::{MAINNET_TOPIC, SignedHead},
};
