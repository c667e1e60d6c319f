//! What a server tells of while it lives: its operations, and what others ask of it, marked where that is denied.

use std::sync::Arc;

use dht::{RequestSeen, RequestWatch};
use kad::message::MessageType;
use schema::Timestamp;

use crate::{
    DenyList, Operation,
    events::{EventSource, Events, PeerEvent, ServerEvent},
};

/// Where it is told, and what is marked.
#[derive(Debug, Clone)]
pub struct ServerEvents {
    /// Where.
    pub events: Events,
    /// Whose events they are.
    pub source: EventSource,
    /// What is denied.
    pub denied: Arc<DenyList>,
    /// What time it is.
    pub now: fn() -> Timestamp,
}

impl ServerEvents {
    /// An operation has ended.
    pub(super) fn ended(&self, operation: &Operation) {
        self.events.tell(&ServerEvent {
            source: &self.source,
            at: (self.now)(),
            remote: None,
            addresses: &[],
            agent: "",
            what: PeerEvent::Operation(operation),
        });
    }

    /// Tells of each request of others that is about a record of a provider.
    pub fn watch(self) -> RequestWatch {
        RequestWatch::new(move |RequestSeen { from, remote, kind, key }| {
            let message_type = match kind {
                MessageType::AddProvider => "ADD_PROVIDER",
                MessageType::GetProviders => "GET_PROVIDERS",
                _ => return,
            };
            let denied = self.denied.find(key);
            self.events.tell(&ServerEvent {
                source: &self.source,
                at: (self.now)(),
                remote: Some(from),
                addresses: std::slice::from_ref(remote),
                agent: "",
                what: PeerEvent::DhtRpc { message_type, multihash: key, denied },
            });
        })
    }
}
