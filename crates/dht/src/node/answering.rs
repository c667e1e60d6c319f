//! What a node answers, by the rules of a server: from its table, and from what it keeps for others.

use std::time::Duration;

use kad::{
    PeerId,
    answer::{Answer, Asked, Findings, Query},
    fabric::{Attending, Notice, OtherProtocol, PeerStream, Request, Service},
    message::MessageType,
    records::Provided,
};

use super::{
    seen::RequestSeen,
    state::{Knowledge, Neighbour, NodeState},
};
use crate::autonat::NumberDesk;

/// Stores of records tell servers apart by a number. A node has stores of its own.
const SERVER: u32 = 0;

impl Service for NodeState {
    async fn answer(&self, request: Request) -> Answer {
        self.serve(&request)
    }

    fn others(&self) -> Vec<OtherProtocol> {
        vec![NumberDesk::protocol()]
    }

    fn attend(&self, stream: PeerStream) -> Option<Attending> {
        self.numbers.attend(stream)
    }

    fn asks(&self, from: PeerId) -> bool {
        !self.lists(&from)
    }

    fn notice(&self, notice: Notice) {
        if let Notice::Introduced(introduced) = notice {
            // Where there is no room, the peer is looked at when it is met again.
            drop(self.introduced.try_send(introduced));
        }
    }
}

impl NodeState {
    fn serve(&self, request: &Request) -> Answer {
        let (now, from) = (self.now(), &request.from.to_bytes()[..]);
        let Ok(asked) = Asked::read(&request.message, from) else { return Answer::Reset };
        self.tell(request, &asked);
        let mut knowledge = self.knowledge();
        match asked {
            Asked::Answered(answer) => answer,
            Asked::Lookup(lookup) => Answer::Message(knowledge.look_up(from, &lookup, now)),
            Asked::Provide(provide) => {
                knowledge.providers.add(SERVER, provide.key(), (from, provide.addrs()), now);
                Answer::Nothing
            }
            Asked::Put(put) if knowledge.values.put(SERVER, put.key(), &put.value(), now) => {
                Answer::Message(put.answer())
            }
            Asked::Put(_) => Answer::Reset,
        }
    }

    fn tell(&self, request: &Request, asked: &Asked<'_>) {
        let (Some(watch), (kind, key)) = (
            &self.watch,
            match asked {
                Asked::Lookup(lookup) => (lookup.kind(), lookup.key()),
                Asked::Provide(provide) => (MessageType::AddProvider, provide.key()),
                Asked::Answered(_) | Asked::Put(_) => return,
            },
        ) else {
            return;
        };
        watch.tell(RequestSeen { from: request.from, remote: &request.remote, kind, key });
    }

    /// Who provides a key, by what is kept.
    pub(super) fn kept_providers(&self, key: &[u8]) -> Vec<PeerId> {
        let now = self.now();
        let knowledge = self.knowledge();
        let kept = knowledge.providers.get(SERVER, key, now);
        kept.filter_map(|provided| PeerId::from_bytes(provided.known().id).ok()).collect()
    }

    /// Keeps that the node itself provides a key, where such is kept.
    pub(super) fn keep_own(&self, key: &[u8]) {
        if !self.keeps_own {
            return;
        }
        let now = self.now();
        let Knowledge { own, providers, .. } = &mut *self.knowledge();
        providers.add(SERVER, key, (&own.id, &own.contact.addrs), now);
    }
}

impl Knowledge {
    fn look_up(&mut self, asker: &[u8], lookup: &Query<'_>, now: Duration) -> Vec<u8> {
        let Self { own, table, providers, values, acquaintances, .. } = self;
        let key = lookup.key();
        let provided: Vec<Provided<'_>> = match lookup.kind() {
            MessageType::GetProviders => providers.get(SERVER, key, now).collect(),
            _ => Vec::new(),
        };
        let record = match lookup.kind() {
            MessageType::GetValue => values.get(SERVER, key, now),
            _ => None,
        };
        let mut found = Findings::in_table(table, key, Neighbour::known);
        let itself = (*own.id == *key).then(|| own.known());
        let unlisted = || itself.or_else(|| acquaintances.get(key, now).map(Neighbour::known));
        found.target = found.target.or_else(unlisted);
        found.providers = provided.iter().map(Provided::known).collect();
        found.record = record;
        lookup.answer(&own.id, asker, &found)
    }
}
