//! Publishing to an indexer, and asking one: what `cid.contact` does for Parsec's fourth fleet, with any indexer of IPNI.
//!
//! Advertisements and their chain are pure (`block`, `advertisement`, `entries`, `head`, `announcement`, `chain`); `publisher` serves them,
//! `client` tells the indexer and waits for it, step by step.

mod advertisement;
mod announcement;
mod availability;
mod block;
mod chain;
mod client;
mod config;
mod entries;
mod envelope;
mod head;
mod outcome;
mod publisher;
mod step;

pub use self::{
    advertisement::{Advertisement, BITSWAP_METADATA, MAX_CONTEXT_BYTES, MAX_METADATA_BYTES},
    announcement::{Announcement, MAX_ANNOUNCEMENT_BYTES},
    block::{BadBlock, BlockCid, MAX_BLOCK_BYTES},
    chain::{AdvertisementChain, PublishedAd},
    client::IndexerClient,
    config::{IndexerConfig, IndexerError},
    entries::{CHUNK_HASHES, EntryChunk, MAX_CHUNKS, chunked, probes},
    head::{MAINNET_TOPIC, SignedHead},
    outcome::{IndexerFarewell, IndexerLookup, IndexerPublication},
    step::{IndexerStage, IndexerStep, StepFailure, StepFailureClass},
};
