//! The head of a chain of advertisements, signed: what an indexer asks for first.
//!
//! Source: go-libipni 0.7.8, `dagsync/ipnisync/head`.

use std::collections::BTreeMap;

use kad::{Keypair, PeerId};
use libp2p_identity::PublicKey;

use super::block::{self, BadBlock, BlockCid, FieldsRead, Node};

/// What advertisements of the public network are about.
pub const MAINNET_TOPIC: &str = "/indexer/ingest/mainnet";

/// A head with who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHead {
    /// The newest advertisement.
    pub head: BlockCid,
    /// What the chain is about; `None` where that is not said.
    pub topic: Option<String>,
    /// The key of who signed, as libp2p writes keys.
    pub public_key: Vec<u8>,
    /// Of the bytes of the CID and the topic.
    pub signature: Vec<u8>,
}

impl SignedHead {
    /// Signs a head; an error if the key cannot sign.
    pub fn new(head: BlockCid, topic: &str, key: &Keypair) -> Result<Self, BadBlock> {
        let topic = (!topic.is_empty()).then(|| topic.to_owned());
        let public_key = key.public().encode_protobuf();
        let mut signed = Self { head, topic, public_key, signature: Vec::new() };
        signed.signature = key.sign(&signed.signed_bytes()).map_err(|_| BadBlock::Signature)?;
        Ok(signed)
    }

    /// As a block.
    pub fn encode(&self) -> Vec<u8> {
        let mut fields = BTreeMap::from([
            ("head", Node::Link(self.head.clone())),
            ("pubkey", Node::Bytes(self.public_key.clone())),
            ("sig", Node::Bytes(self.signature.clone())),
        ]);
        if let Some(topic) = &self.topic {
            fields.insert("topic", Node::Text(topic.clone()));
        }
        block::encode(&fields)
    }

    /// From a block, whose signature is not looked at yet.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadBlock> {
        let mut fields = FieldsRead::of(bytes)?;
        let read = Self {
            head: fields.link("head")?,
            topic: fields.maybe("topic", FieldsRead::text)?,
            public_key: fields.bytes("pubkey")?,
            signature: fields.bytes("sig")?,
        };
        fields.end()?;
        Ok(read)
    }

    /// Who signed it; an error if that is not what is in it.
    pub fn signer(&self) -> Result<PeerId, BadBlock> {
        let key = PublicKey::try_decode_protobuf(&self.public_key).map_err(|_| BadBlock::Field("pubkey"))?;
        if key.verify(&self.signed_bytes(), &self.signature) {
            Ok(key.to_peer_id())
        } else {
            Err(BadBlock::Signature)
        }
    }

    fn signed_bytes(&self) -> Vec<u8> {
        [self.head.as_bytes(), self.topic.as_deref().unwrap_or_default().as_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a publisher of Go answered. Source: `testdata/parsec/ipni/2-get-head.txt` of the recordings of Parsec 0.4.0.
    const OF_GO: &str = concat!(
        r#"{"head":{"/":"baguqeeransalgzmkuyfncipzrjzsocvery5ngbic7najrxkwwjd5u62rz2gq"},"#,
        r#""pubkey":{"/":{"bytes":"CAESIBWq6GBaOaEu/ewZ5/t58U7gGIO71jRXvcbMd7FptWoW"}},"#,
        r#""sig":{"/":{"bytes":"1upF2G0rI91WXcFyDkvKS9zjdk3c8gbs/PHbfHuB2vKKuDGTl74MDlo4m40ppwX+J4oen/lkZbJBpcveUyvRBQ"}},"#,
        r#""topic":"/indexer/ingest/mainnet"}"#
    );

    #[test]
    fn a_head_of_go_is_verified_and_written_the_same() {
        let head = SignedHead::decode(OF_GO.as_bytes()).unwrap();
        assert_eq!(head.topic.as_deref(), Some(MAINNET_TOPIC));
        let key = PublicKey::try_decode_protobuf(&head.public_key).unwrap();
        assert_eq!(head.signer(), Ok(key.to_peer_id()));
        assert_eq!(String::from_utf8(head.encode()).unwrap(), OF_GO);
        let elsewhere = SignedHead { topic: None, ..head };
        assert_eq!(elsewhere.signer(), Err(BadBlock::Signature));
    }

    #[test]
    fn what_is_signed_here_is_verified() {
        let key = Keypair::generate_ed25519();
        for topic in ["", MAINNET_TOPIC] {
            let head = SignedHead::new(BlockCid::no_entries(), topic, &key).unwrap();
            let read = SignedHead::decode(&head.encode()).unwrap();
            assert_eq!((read.signer(), &read), (Ok(key.public().to_peer_id()), &head));
        }
    }
}
