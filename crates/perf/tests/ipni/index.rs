//! What an indexer knows: multihashes, the contexts of providers that have them, and what is kept in front of it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    time::Duration,
};

use kadscope_perf::indexer::{Advertisement, BlockCid};
use tokio::time::Instant;

/// A provider and one of its contexts.
type Context = (String, Vec<u8>);

#[derive(Default)]
pub(crate) struct Index {
    by_hash: HashMap<Vec<u8>, BTreeSet<Context>>,
    metadata: BTreeMap<Context, Vec<u8>>,
    addresses: HashMap<String, Vec<String>>,
    pub(crate) processed: HashSet<BlockCid>,
    pub(crate) complaints: Vec<String>,
    /// Paths of which it is known that there is nobody, and since when.
    negative: HashMap<String, Instant>,
}

/// What is found of one multihash.
pub(crate) struct Result {
    pub(crate) provider: String,
    pub(crate) addresses: Vec<String>,
    pub(crate) context_id: Vec<u8>,
    pub(crate) metadata: Vec<u8>,
}

impl Index {
    /// Takes what an advertisement says, with its multihashes; in the order in which they were published.
    pub(crate) fn take(&mut self, ad: &Advertisement, hashes: Vec<Vec<u8>>) {
        let context = (ad.provider.clone(), ad.context_id.clone());
        self.addresses.insert(ad.provider.clone(), ad.addresses.clone());
        if ad.is_removal {
            self.metadata.remove(&context);
            for contexts in self.by_hash.values_mut() {
                contexts.remove(&context);
            }
            self.by_hash.retain(|_, contexts| !contexts.is_empty());
            return;
        }
        if !ad.metadata.is_empty() {
            self.metadata.insert(context.clone(), ad.metadata.clone());
        }
        for hash in hashes {
            self.by_hash.entry(hash).or_default().insert(context.clone());
        }
    }

    pub(crate) fn hashes(&self) -> usize {
        self.by_hash.len()
    }

    pub(crate) fn find(&self, hash: &[u8]) -> Vec<Result> {
        let contexts = self.by_hash.get(hash).into_iter().flatten();
        let result = |context: &Context| Result {
            provider: context.0.clone(),
            addresses: self.addresses.get(&context.0).cloned().unwrap_or_default(),
            context_id: context.1.clone(),
            metadata: self.metadata.get(context).cloned().unwrap_or_default(),
        };
        contexts.map(result).collect()
    }

    /// For how long it has been known that nobody is there; `None` if that is not known.
    pub(crate) fn known_negative(&self, path: &str, time: Duration) -> Option<Duration> {
        self.negative.get(path).map(Instant::elapsed).filter(|since| *since < time)
    }

    pub(crate) fn note_negative(&mut self, path: &str) {
        self.negative.insert(path.to_owned(), Instant::now());
    }
}
