//! Who the heads are, and where they listen.

use std::collections::BTreeMap;

use kad::{Keypair, Multiaddr, PeerId};
use multibase::Base;
use serde::{Deserialize, Serialize};

use super::{StateDirectory, StateError, directory::StateFile};

const FILE: StateFile = StateFile {
    name: "heads.json",
    remedy: "put a copy of it back; without one move it away, and heads that no seed determines become other peers",
};

/// The form of the file.
const VERSION: u32 = 1;

/// What is kept of a head.
#[derive(Debug, Clone)]
pub struct KeptHead {
    /// Its index.
    pub index: u64,
    /// Who it is.
    pub peer: PeerId,
    /// Its key; `None` where a seed determines it.
    pub keypair: Option<Keypair>,
    /// Where it listened last, with the ports that the system chose.
    pub listens: Vec<Multiaddr>,
}

/// What is kept of all heads.
#[derive(Debug, Clone, Default)]
pub struct KeptHeads(BTreeMap<PeerId, KeptHead>);

impl KeptHeads {
    /// What is known of a head.
    pub fn of(&self, peer: &PeerId) -> Option<&KeptHead> {
        self.0.get(peer)
    }

    /// The key of the head with this index that no seed determines.
    pub fn keypair(&self, index: u64) -> Option<&Keypair> {
        self.0.values().filter(|head| head.index == index).find_map(|head| head.keypair.as_ref())
    }

    /// Puts a head in, in the place of what was known of it.
    pub fn put(&mut self, head: KeptHead) {
        self.0.insert(head.peer, head);
    }

    /// Forgets those that a seed determines and that are not among these: whoever has the seed has them.
    pub fn forget_derived_beside(&mut self, heads: &[PeerId]) {
        self.0.retain(|peer, head| head.keypair.is_some() || heads.contains(peer));
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    heads: Vec<WrittenHead>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenHead {
    index: u64,
    peer: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    listens: Vec<Multiaddr>,
}

impl WrittenHead {
    /// `None` for a key that cannot be written down.
    fn of(head: &KeptHead) -> Option<Self> {
        let key = match &head.keypair {
            Some(keypair) => Some(Base::Base64Pad.encode(keypair.to_protobuf_encoding().ok()?)),
            None => None,
        };
        Some(Self { index: head.index, peer: head.peer.to_string(), key, listens: head.listens.clone() })
    }

    /// What is wrong otherwise.
    fn read(self) -> Result<KeptHead, String> {
        let wrong = |what: &str| format!("the head with index {}: {what}", self.index);
        let peer: PeerId = self.peer.parse().map_err(|_| wrong("its peer id is none"))?;
        let key = self.key.as_ref().map(|text| {
            let bytes = Base::Base64Pad.decode(text).ok()?;
            Keypair::from_protobuf_encoding(&bytes).ok()
        });
        let keypair = match key {
            None => None,
            Some(Some(keypair)) if keypair.public().to_peer_id() == peer => Some(keypair),
            Some(Some(_)) => return Err(wrong("its key is that of another peer")),
            Some(None) => return Err(wrong("its key is none")),
        };
        Ok(KeptHead { index: self.index, peer, keypair, listens: self.listens })
    }
}

impl StateDirectory {
    /// What is kept of the heads; of none, if nothing is.
    pub fn heads(&self) -> Result<KeptHeads, StateError> {
        let Some(Written { version, heads }) = self.read(FILE)? else { return Ok(KeptHeads::default()) };
        if version != VERSION {
            let why = format!("its form has the version {version}, and this program knows {VERSION}");
            return Err(self.damaged(FILE, why));
        }
        let mut kept = KeptHeads::default();
        for head in heads {
            kept.put(head.read().map_err(|why| self.damaged(FILE, why))?);
        }
        Ok(kept)
    }

    /// Keeps them from now on.
    pub fn keep_heads(&self, heads: &KeptHeads) -> Result<(), StateError> {
        let mut written: Vec<_> = heads.0.values().filter_map(WrittenHead::of).collect();
        written.sort_by_key(|head| head.index);
        self.write(FILE, &Written { version: VERSION, heads: written })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(index: u64, is_kept: bool) -> KeptHead {
        let keypair = Keypair::generate_ed25519();
        let peer = keypair.public().to_peer_id();
        let listens = vec![format!("/ip4/127.0.0.1/tcp/{}", 4000 + index).parse().unwrap()];
        KeptHead { index, peer, keypair: is_kept.then_some(keypair), listens }
    }

    #[test]
    fn heads_come_back_as_they_were() {
        let place = tempfile::tempdir().unwrap();
        let state = StateDirectory::open(place.path()).unwrap();
        let heads = [head(0, true), head(1, true), head(7, false)];
        let mut kept = KeptHeads::default();
        for head in &heads {
            kept.put(head.clone());
        }
        state.keep_heads(&kept).unwrap();
        let mut back = state.heads().unwrap();
        for head in &heads {
            let its = back.of(&head.peer).unwrap();
            assert_eq!((its.index, &its.listens), (head.index, &head.listens));
            assert_eq!(its.keypair.as_ref().map(Keypair::public), head.keypair.as_ref().map(Keypair::public));
        }
        assert_eq!(back.keypair(1).map(Keypair::public), heads[1].keypair.as_ref().map(Keypair::public));
        assert!(back.keypair(7).is_none() && back.keypair(2).is_none());
        back.forget_derived_beside(&[heads[0].peer]);
        assert_eq!(back.len(), 2, "keys that nothing else determines stay");
    }

    #[test]
    fn a_key_that_is_not_the_peers_is_damage() {
        let place = tempfile::tempdir().unwrap();
        let state = StateDirectory::open(place.path()).unwrap();
        let (one, other) = (head(0, true), head(1, true));
        let mut kept = KeptHeads::default();
        kept.put(KeptHead { keypair: other.keypair, ..one });
        state.keep_heads(&kept).unwrap();
        let error = state.heads().unwrap_err().to_string();
        assert!(
            error.contains("heads.json is damaged (the head with index 0: its key is that of"),
            "{error}"
        );
        assert!(error.contains("put a copy of it back"), "{error}");
    }
}
