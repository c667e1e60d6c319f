//! A chain of advertisements in memory: what is published and what is taken back, each a link to the one before.
//!
//! It decides from what is handed in, and reads no clock. It does not survive a restart, as Parsec's does not: the next chain begins anew,
//! with a head that does not lead to this one, so that whoever ends takes back first what it has published.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use kad::Keypair;

use super::{
    advertisement::{Advertisement, BITSWAP_METADATA},
    block::{BadBlock, BlockCid},
    entries::{CHUNK_HASHES, chunked},
    head::SignedHead,
};

/// Contexts that are published at once; of more the oldest is taken back. An hour of one every second.
const MAX_CONTEXTS: usize = 4096;

/// Advertisements that can be asked for; of more the oldest is forgotten, which whoever follows the chain has by then. About 46 MB, and three
/// weeks of one a minute, each of which is taken back by another.
const MAX_ADS: usize = 1 << 16;

/// A block that can be asked for.
pub(super) type Block = Arc<[u8]>;

/// What was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedAd {
    /// The advertisement.
    pub ad: BlockCid,
    /// The head of its chunks.
    pub entries: BlockCid,
}

/// What is published and was not taken back.
#[derive(Debug)]
struct Context {
    id: Vec<u8>,
    chunks: Vec<BlockCid>,
    since: Duration,
}

/// The chain of one publisher, who is the provider, too.
#[derive(Debug)]
pub struct AdvertisementChain {
    key: Keypair,
    addresses: Vec<String>,
    topic: String,
    head: Option<(BlockCid, Block)>,
    blocks: HashMap<BlockCid, Block>,
    /// The oldest first.
    ads: VecDeque<BlockCid>,
    /// The oldest first.
    contexts: VecDeque<Context>,
}

impl AdvertisementChain {
    /// Nothing is published yet. Content is fetched at these addresses, which are multiaddresses.
    pub fn new(key: Keypair, addresses: Vec<String>, topic: &str) -> Self {
        Self {
            key,
            addresses,
            topic: topic.to_owned(),
            head: None,
            blocks: HashMap::new(),
            ads: VecDeque::new(),
            contexts: VecDeque::new(),
        }
    }

    /// Publishes multihashes, which are fetched by Bitswap, as one context. Nothing has changed after an error.
    pub fn publish(
        &mut self,
        context_id: Vec<u8>,
        hashes: &[Vec<u8>],
        now: Duration,
    ) -> Result<PublishedAd, BadBlock> {
        let chunks = chunked(hashes, CHUNK_HASHES)?;
        let entries = chunks.last().map_or_else(BlockCid::no_entries, |(cid, _)| cid.clone());
        if self.contexts.len() >= MAX_CONTEXTS {
            self.remove_first()?;
        }
        let ad = self.add(Advertisement {
            metadata: BITSWAP_METADATA.to_vec(),
            ..self.next(context_id.clone(), entries.clone())
        })?;
        let chunk_cids = chunks.iter().map(|(cid, _)| cid.clone()).collect();
        self.contexts.push_back(Context { id: context_id, chunks: chunk_cids, since: now });
        self.blocks.extend(chunks.into_iter().map(|(cid, block)| (cid, Block::from(block))));
        Ok(PublishedAd { ad, entries })
    }

    /// Takes back what was published until then. Returns the advertisements that say so, the oldest first.
    pub fn remove_until(&mut self, then: Duration) -> Result<Vec<BlockCid>, BadBlock> {
        let mut removals = Vec::new();
        while self.contexts.front().is_some_and(|context| context.since <= then) {
            removals.extend(self.remove_first()?);
        }
        Ok(removals)
    }

    fn remove_first(&mut self) -> Result<Option<BlockCid>, BadBlock> {
        let Some(context) = self.contexts.front() else { return Ok(None) };
        let removal = self.next(context.id.clone(), BlockCid::no_entries());
        let removal = self.add(Advertisement { is_removal: true, ..removal })?;
        // Two contexts of the same multihashes have the same chunks.
        for chunk in self.contexts.pop_front().into_iter().flat_map(|context| context.chunks) {
            if !self.contexts.iter().any(|context| context.chunks.contains(&chunk)) {
                self.blocks.remove(&chunk);
            }
        }
        Ok(Some(removal))
    }

    /// What all advertisements have.
    fn next(&self, context_id: Vec<u8>, entries: BlockCid) -> Advertisement {
        Advertisement {
            previous: self.head.as_ref().map(|(cid, _)| cid.clone()),
            provider: self.key.public().to_peer_id().to_string(),
            addresses: self.addresses.clone(),
            entries,
            context_id,
            metadata: Vec::new(),
            is_removal: false,
            signature: Vec::new(),
        }
    }

    fn add(&mut self, ad: Advertisement) -> Result<BlockCid, BadBlock> {
        let block = ad.signed(&self.key)?.encode();
        let cid = BlockCid::of_block(&block);
        let head = SignedHead::new(cid.clone(), &self.topic, &self.key)?.encode();
        self.blocks.insert(cid.clone(), block.into());
        self.ads.push_back(cid.clone());
        if self.ads.len() > MAX_ADS
            && let Some(oldest) = self.ads.pop_front()
        {
            self.blocks.remove(&oldest);
        }
        self.head = Some((cid.clone(), head.into()));
        Ok(cid)
    }

    /// The newest advertisement, and the signed head that says so, as it is served; `None` if nothing was published.
    pub fn head(&self) -> Option<(&BlockCid, Arc<[u8]>)> {
        self.head.as_ref().map(|(cid, block)| (cid, Arc::clone(block)))
    }

    /// A block; `None` if there is none of this CID, or not any more.
    pub fn block(&self, cid: &BlockCid) -> Option<Arc<[u8]>> {
        self.blocks.get(cid).cloned()
    }

    /// How many contexts are published and were not taken back.
    pub fn published(&self) -> usize {
        self.contexts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::entries::probes, *};

    const HOUR: Duration = Duration::from_secs(3600);

    fn chain() -> AdvertisementChain {
        let addresses = vec!["/ip4/127.0.0.1/tcp/4001".to_owned()];
        AdvertisementChain::new(Keypair::generate_ed25519(), addresses, "topic")
    }

    /// All advertisements that the head leads to, the newest first.
    fn walked(chain: &AdvertisementChain) -> Vec<Advertisement> {
        let (mut at, mut walked) = (chain.head().map(|(cid, _)| cid.clone()), Vec::new());
        while let Some(block) = at.and_then(|cid| chain.block(&cid)) {
            let ad = Advertisement::decode(&block).unwrap();
            assert_eq!(ad.signer().unwrap().to_string(), ad.provider);
            at = ad.previous.clone();
            walked.push(ad);
        }
        walked
    }

    #[test]
    fn a_head_leads_to_all_and_its_signature_is_of_it() {
        let mut chain = chain();
        assert!(chain.head().is_none());
        for number in 0_u8..3 {
            let published = chain.publish(vec![number], &probes(&[number], 5), HOUR).unwrap();
            let (head, signed) = chain.head().unwrap();
            assert_eq!(*head, published.ad);
            assert_eq!(SignedHead::decode(&signed).unwrap().head, published.ad);
            assert!(published.entries.is_of(&chain.block(&published.entries).unwrap()));
        }
        let contexts: Vec<_> = walked(&chain).into_iter().map(|ad| ad.context_id).collect();
        assert_eq!(contexts, [[2], [1], [0]]);
    }

    #[test]
    fn what_is_old_is_taken_back_and_its_multihashes_are_forgotten() {
        let mut chain = chain();
        let old = chain.publish(vec![1], &probes(b"a", 2), HOUR).unwrap();
        let same = chain.publish(vec![2], &probes(b"a", 2), 2 * HOUR).unwrap();
        assert_eq!(old.entries, same.entries);
        assert_eq!(chain.remove_until(HOUR).unwrap().len(), 1);
        assert!(chain.block(&old.entries).is_some(), "the other context has them, too");
        assert_eq!(chain.remove_until(2 * HOUR).unwrap().len(), 1);
        assert!(chain.block(&old.entries).is_none() && chain.published() == 0);
        let removals: Vec<_> = walked(&chain).into_iter().filter(|ad| ad.is_removal).collect();
        assert_eq!(removals.iter().map(|ad| ad.context_id[0]).collect::<Vec<_>>(), [2, 1]);
        assert!(removals.iter().all(|ad| ad.entries == BlockCid::no_entries() && ad.metadata.is_empty()));
    }

    #[test]
    fn no_more_contexts_are_published_than_may_be() {
        let mut chain = chain();
        for number in 0..=MAX_CONTEXTS {
            chain.publish(number.to_be_bytes().into(), &probes(&number.to_be_bytes(), 1), HOUR).unwrap();
        }
        assert_eq!(chain.published(), MAX_CONTEXTS);
        assert_eq!(walked(&chain).iter().filter(|ad| ad.is_removal).count(), 1);
    }

    #[test]
    fn an_error_changes_nothing() {
        let mut chain = chain();
        chain.publish(vec![1], &probes(b"a", 2), HOUR).unwrap();
        let head = chain.head().map(|(cid, _)| cid.clone());
        chain.publish(vec![0; 65], &probes(b"b", 2), HOUR).unwrap_err();
        chain.publish(vec![2], &[vec![]], HOUR).unwrap_err();
        assert_eq!((chain.head().map(|(cid, _)| cid.clone()), chain.published()), (head, 1));
    }
}
