//! Who holds the record of a key that somebody else provides.

use std::{collections::BTreeMap, sync::Arc};

use kad::{Key, PeerId, fabric::Member};
use schema::HoardLookup;
use tokio_util::sync::CancellationToken;

use super::Observer;
use crate::{HolderSaid, KnownHolder, RoundLookup, sight::looking::RecordAsk};

/// Who holds records of a key, and whose.
#[derive(Debug)]
pub struct FoundHolders {
    /// The lookup for its providers that went to its end.
    pub lookup: RoundLookup,
    /// Those who say that they have a record, the closest to the key first.
    pub holders: Vec<FoundHolder>,
}

/// Somebody who holds records of a key.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundHolder {
    /// Who it is, and where.
    pub known: KnownHolder,
    /// What it said when it was asked alone: whose records it has among the rest.
    pub said: HolderSaid,
}

impl<M: Member> Observer<M> {
    /// Finds out who holds records of a key, whoever provides it: whoever named a provider in a lookup that went to its end, and the
    /// closest peers, are each asked alone. Ends by itself, and soon once it is cancelled, with what it has.
    pub async fn find_holders(&self, key: &[u8], cancel: &CancellationToken) -> FoundHolders {
        let own = self.node().contact().peer;
        let lookup = self.walk((key, own), HoardLookup::Exhaustive, cancel).await;
        let named = lookup.named.iter().map(|mention| mention.responder);
        let target = Key::of(key);
        let asked: BTreeMap<_, PeerId> = lookup
            .closest
            .iter()
            .copied()
            .chain(named)
            .map(|peer| (Key::of(&peer.to_bytes()).distance(&target), peer))
            .collect();
        let contacts: Vec<_> = asked.into_values().map(|peer| lookup.found.contact(peer)).collect();
        let ask = RecordAsk::new(key, own);
        let looks = self.looks_at(contacts.iter().cloned().map(Some), (&ask, 1), cancel).await;
        let agents = &self.config().agents;
        let holders = contacts.into_iter().zip(looks).filter_map(|(contact, look)| {
            let said = look.filter(|look| !look.said.providers.is_empty())?.said;
            let known = KnownHolder {
                peer: contact.peer,
                addresses: Arc::from(contact.addrs),
                agent: agents.of(&contact.peer),
            };
            Some(FoundHolder { known, said })
        });
        FoundHolders { holders: holders.collect(), lookup }
    }
}
