//! Advertisements: who has the content of which multihashes, how it is fetched, and that it is no longer there; each links to the one
//! before, so that a head leads to all of them.
//!
//! Sources: <https://github.com/ipni/specs/blob/main/IPNI.md>; go-libipni 0.7.8, `ingest/schema`. Advertisements that extend to several
//! providers are not read.

use std::collections::BTreeMap;

use kad::{Keypair, PeerId};
use sha2::{Digest as _, Sha256};

use super::{
    block::{self, BadBlock, BlockCid, FieldsRead, Node},
    envelope::{self, Purpose},
};

/// The longest id of a context, in bytes.
pub const MAX_CONTEXT_BYTES: usize = 64;

/// The longest metadata, in bytes.
pub const MAX_METADATA_BYTES: usize = 1024;

/// Bitswap, as metadata: the number of the protocol, and nothing more about it. `gBI=` in base 64.
pub const BITSWAP_METADATA: [u8; 2] = [0x80, 0x12];

/// What an advertisement is signed for.
const PURPOSE: Purpose = Purpose { domain: "indexer", payload_type: "/indexer/ingest/adSignature" };

/// One advertisement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advertisement {
    /// The one before; `None` of the first.
    pub previous: Option<BlockCid>,
    /// Who has the content: a peer id.
    pub provider: String,
    /// Where the content is fetched, as multiaddresses.
    pub addresses: Vec<String>,
    /// The head of the chunks of multihashes, or [`BlockCid::no_entries`].
    pub entries: BlockCid,
    /// What an update or a removal is of; [`MAX_CONTEXT_BYTES`] at most.
    pub context_id: Vec<u8>,
    /// How the content is fetched; [`MAX_METADATA_BYTES`] at most.
    pub metadata: Vec<u8>,
    /// Everything of the context is gone.
    pub is_removal: bool,
    /// A signed envelope; empty before it is signed.
    pub signature: Vec<u8>,
}

impl Advertisement {
    /// The same, signed.
    pub fn signed(mut self, key: &Keypair) -> Result<Self, BadBlock> {
        self.check_limits()?;
        self.signature = envelope::seal(key, PURPOSE, &self.digest()).ok_or(BadBlock::Signature)?;
        Ok(self)
    }

    /// As a block.
    pub fn encode(&self) -> Vec<u8> {
        let addresses = self.addresses.iter().cloned().map(Node::Text).collect();
        let mut fields = BTreeMap::from([
            ("Addresses", Node::List(addresses)),
            ("ContextID", Node::Bytes(self.context_id.clone())),
            ("Entries", Node::Link(self.entries.clone())),
            ("IsRm", Node::Flag(self.is_removal)),
            ("Metadata", Node::Bytes(self.metadata.clone())),
            ("Provider", Node::Text(self.provider.clone())),
            ("Signature", Node::Bytes(self.signature.clone())),
        ]);
        if let Some(previous) = &self.previous {
            fields.insert("PreviousID", Node::Link(previous.clone()));
        }
        block::encode(&fields)
    }

    /// From a block, whose signature is not looked at yet.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadBlock> {
        let mut fields = FieldsRead::of(bytes)?;
        let read = Self {
            previous: fields.maybe("PreviousID", FieldsRead::link)?,
            provider: fields.text("Provider")?,
            addresses: fields.texts("Addresses")?,
            entries: fields.link("Entries")?,
            context_id: fields.bytes("ContextID")?,
            metadata: fields.bytes("Metadata")?,
            is_removal: fields.flag("IsRm")?,
            signature: fields.bytes("Signature")?,
        };
        fields.end()?;
        read.check_limits()?;
        Ok(read)
    }

    /// Who signed it; an error if that is not what is in it. Whether that one may speak for the provider is left to whoever asks.
    pub fn signer(&self) -> Result<PeerId, BadBlock> {
        let (payload, key) = envelope::opened(&self.signature, PURPOSE)?;
        if payload == self.digest() { Ok(key.to_peer_id()) } else { Err(BadBlock::Signature) }
    }

    /// What is signed: a multihash. The context is not among it. Source: go-libipni, `ingest/schema/envelope.go`.
    fn digest(&self) -> Vec<u8> {
        let mut hash = Sha256::new();
        hash.update(self.previous.as_ref().map_or(&[][..], BlockCid::as_bytes));
        hash.update(self.entries.as_bytes());
        hash.update(&self.provider);
        for address in &self.addresses {
            hash.update(address);
        }
        hash.update(&self.metadata);
        hash.update([u8::from(self.is_removal)]);
        [&[0x12, 32][..], &hash.finalize()].concat()
    }

    fn check_limits(&self) -> Result<(), BadBlock> {
        if self.context_id.len() > MAX_CONTEXT_BYTES {
            return Err(BadBlock::Limit("ContextID"));
        }
        if self.metadata.len() > MAX_METADATA_BYTES {
            return Err(BadBlock::Limit("Metadata"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unsigned(key: &Keypair) -> Advertisement {
        Advertisement {
            previous: None,
            provider: key.public().to_peer_id().to_string(),
            addresses: vec!["/ip4/127.0.0.1/tcp/4001".to_owned()],
            entries: BlockCid::no_entries(),
            context_id: b"parsec-17".to_vec(),
            metadata: BITSWAP_METADATA.to_vec(),
            is_removal: false,
            signature: Vec::new(),
        }
    }

    #[test]
    fn a_block_says_what_was_put_into_it() {
        let key = Keypair::generate_ed25519();
        let first = unsigned(&key).signed(&key).unwrap();
        let second = Advertisement { previous: Some(BlockCid::of_block(&first.encode())), ..first.clone() };
        for ad in [first, second.signed(&key).unwrap()] {
            let block = ad.encode();
            assert_eq!(Advertisement::decode(&block), Ok(ad.clone()));
            assert_eq!(Advertisement::decode(&block).unwrap().encode(), block);
            assert_eq!(ad.signer(), Ok(key.public().to_peer_id()));
        }
    }

    #[test]
    fn keys_stand_in_the_order_of_their_bytes() {
        let text = String::from_utf8(unsigned(&Keypair::generate_ed25519()).encode()).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["Metadata"]["/"]["bytes"], "gBI", "without padding");
        let places: Vec<_> =
            ["Addresses", "ContextID", "Entries", "IsRm", "Metadata", "Provider", "Signature"]
                .map(|name| text.find(&format!("\"{name}\":")).unwrap())
                .into();
        assert!(places.is_sorted(), "{text}");
    }

    #[test]
    fn what_is_signed_cannot_be_changed_but_for_the_context() {
        let key = Keypair::generate_ed25519();
        let ad = unsigned(&key).signed(&key).unwrap();
        let changes: [fn(&mut Advertisement); 6] = [
            |ad| ad.previous = Some(BlockCid::no_entries()),
            |ad| ad.provider.push('x'),
            |ad| ad.addresses.push("/ip4/1.2.3.4".to_owned()),
            |ad| ad.entries = BlockCid::of_block(b"{}"),
            |ad| ad.metadata.push(0),
            |ad| ad.is_removal = true,
        ];
        for change in changes {
            let mut forged = ad.clone();
            change(&mut forged);
            assert_eq!(forged.signer(), Err(BadBlock::Signature));
        }
        let elsewhere = Advertisement { context_id: b"other".to_vec(), ..ad };
        assert!(elsewhere.signer().is_ok(), "as the specification has it");
    }

    #[test]
    fn what_an_indexer_would_not_take_is_not_signed() {
        let key = Keypair::generate_ed25519();
        let with = |context: usize, metadata: usize| Advertisement {
            context_id: vec![0; context],
            metadata: vec![0; metadata],
            ..unsigned(&key)
        };
        assert!(with(64, 1024).signed(&key).is_ok());
        assert_eq!(with(65, 0).signed(&key), Err(BadBlock::Limit("ContextID")));
        assert_eq!(with(0, 1025).signed(&key), Err(BadBlock::Limit("Metadata")));
        assert_eq!(Advertisement::decode(&with(65, 0).encode()), Err(BadBlock::Limit("ContextID")));
    }
}
