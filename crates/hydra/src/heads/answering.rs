//! What a head answers, by the rules of a server: from the peers that all heads know, and from the belly.

use std::{
    hash::{BuildHasher, Hasher},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use foldhash::fast::FixedState;
use kad::{
    Key, PeerId,
    answer::{Answer, Asked, Provide, Put, Query, entry},
    fabric::{Notice, Request, Service},
    message::{ConnectionType, K, MessageType, MessageView},
};
use store::{Kept, NewProvider, ProvidersHeld, Reading};
use tokio::time::Instant;

use super::{beside, head::HydraHead, state::HydraState};
use crate::load::{Allowed, AskedType};

/// Answers for one head.
#[derive(Debug)]
pub(super) struct HeadService {
    pub(super) head: Arc<HydraHead>,
    pub(super) state: Arc<HydraState>,
}

/// What the belly says of a key.
#[derive(Debug, Default)]
struct Held {
    providers: Option<Arc<ProvidersHeld>>,
    record: Option<Arc<[u8]>>,
}

impl Service for HeadService {
    async fn answer(&self, request: Request) -> Answer {
        let begun = Instant::now();
        let from = request.from.to_bytes();
        let asked = Asked::read(&request.message, &from).ok();
        let kind = asked.as_ref().map_or(MessageType::Unknown(-1), |asked| kind_of(asked, &request.message));
        self.head.asked(kind);
        let answer = match self.state.load.admit(kind, &request.from, &request.remote) {
            Ok(allowed) => self.serve(&request, asked, allowed).await,
            Err(_) => Answer::Reset,
        };
        let counts = self.state.counters.answered(AskedType::from(kind));
        counts.received.observe(request.message.len() as u64);
        match &answer {
            Answer::Message(message) => counts.sent.observe(message.len() as u64),
            Answer::Nothing => {}
            Answer::Reset | Answer::Close | Answer::HangUp => {
                counts.failed.fetch_add(1, Relaxed);
            }
        }
        counts.latency.observe_time(request.waited + begun.elapsed());
        answer
    }

    fn asks(&self, from: PeerId) -> bool {
        !self.state.commons().knows(&Key::of_peer(&from), self.state.now())
    }

    fn notice(&self, notice: Notice) {
        match notice {
            Notice::Connected(connected) => {
                self.head.connected();
                self.state.counters.connected(&connected.peer);
                self.state.swarm.connected(self.head.peer(), &connected);
            }
            // Where there is no room, the peer is looked at when it is met again.
            Notice::Introduced(introduced) => {
                self.state.swarm.introduced(&introduced);
                drop(self.state.introduced.try_send(introduced));
            }
            Notice::Closed(closed) => {
                self.head.disconnected();
                self.state.counters.closed(&closed);
                self.state.swarm.closed(&closed);
            }
        }
    }
}

impl HeadService {
    async fn serve(&self, request: &Request, asked: Option<Asked<'_>>, allowed: Allowed) -> Answer {
        let now = self.state.now();
        match asked {
            None => Answer::Reset,
            Some(Asked::Answered(answer)) => answer,
            Some(Asked::Provide(provide)) => {
                self.keep_provider(&request.from.to_bytes(), &provide, now);
                Answer::Nothing
            }
            Some(Asked::Put(put)) => self.keep_value(&put, now),
            Some(Asked::Lookup(query)) => self.look_up(request, &query, allowed).await,
        }
    }

    fn keep_provider(&self, from: &[u8], provide: &Provide<'_>, now: Duration) {
        let addrs = provide.addrs().iter().map(AsRef::as_ref);
        let entry = entry(from, addrs, ConnectionType::NotConnected);
        if let Some(provider) = NewProvider::new(from, &entry) {
            // What is shed the belly counts; the sender would not hear of it.
            self.state.belly.add_provider(provide.key(), provider, now);
        }
    }

    fn keep_value(&self, put: &Put<'_>, now: Duration) -> Answer {
        match self.state.belly.put_value(put.key(), &put.value(), now) {
            Kept::Yes => Answer::Message(put.answer()),
            Kept::Worse | Kept::Shed(_) => Answer::Reset,
        }
    }

    async fn look_up(&self, request: &Request, query: &Query<'_>, allowed: Allowed) -> Answer {
        let place = Key::of(query.key());
        let held = if allowed.has_records() {
            self.held(request, query, allowed).await.unwrap_or_else(|| {
                self.state.load.fell(query.kind(), allowed.rung());
                Held::default()
            })
        } else {
            Held::default()
        };
        let now = self.state.now();
        self.prefetch(query, &place, &held, now);
        let commons = self.state.commons();
        let mut found = commons.findings(query.key(), &place, now);
        let own = self.head.id();
        let is_near = || allowed.names_far() || found.closest.iter().take(K).any(|peer| peer.id == own);
        if let Some(held) = held.providers.as_ref().filter(|_| is_near()) {
            found.providers = held.known(now).collect();
        }
        found.record = held.record.as_deref();
        Answer::Message(query.answer(own, &request.from.to_bytes(), &found))
    }

    /// Has a key looked up whose providers the belly was asked for, and has none.
    fn prefetch(&self, query: &Query<'_>, place: &Key, held: &Held, now: Duration) {
        let Some(providers) = &held.providers else { return };
        let is_held = !providers.is_empty(now);
        self.state.counters.asked_belly(query.key(), is_held);
        if let Some(prefetch) = self.state.prefetch.as_ref().filter(|_| !is_held) {
            prefetch.want(place, query.key(), now);
        }
    }

    /// What the belly says, as far as it may be asked; `None` if it did not answer.
    async fn held(&self, request: &Request, query: &Query<'_>, allowed: Allowed) -> Option<Held> {
        let (belly, key, now) = (&self.state.belly, query.key(), self.state.now());
        match query.kind() {
            MessageType::GetProviders => {
                let providers = match (allowed.reads(), &self.state.delegated) {
                    (false, _) => belly.cached_providers(key, now),
                    (true, None) => Some(read(belly.providers(key, number_of(&request.from), now)).await?),
                    (true, Some(delegated)) => {
                        let reading = belly.providers(key, number_of(&request.from), now);
                        Some(Box::pin(beside::providers(&self.state, delegated, (key, reading))).await?)
                    }
                };
                Some(Held { providers, record: None })
            }
            MessageType::GetValue => {
                let record = if allowed.reads() {
                    read(belly.value(key, number_of(&request.from), now)).await?
                } else {
                    belly.cached_value(key, now)
                };
                Some(Held { providers: None, record })
            }
            _ => Some(Held::default()),
        }
    }
}

/// What is read, once it is; `None` if it could not be, which the belly counts.
async fn read<T>(reading: Reading<T>) -> Option<T> {
    match reading {
        Reading::Known(known) => Some(known),
        Reading::Unread(unread) => unread.await.ok(),
        Reading::Shed(_) => None,
    }
}

/// What is asked for.
fn kind_of(asked: &Asked<'_>, message: &[u8]) -> MessageType {
    match asked {
        Asked::Lookup(query) => query.kind(),
        Asked::Provide(_) => MessageType::AddProvider,
        Asked::Put(_) => MessageType::PutValue,
        Asked::Answered(_) => {
            MessageView::decode(message).map_or(MessageType::Unknown(-1), |message| message.kind)
        }
    }
}

/// A number for a remote, by which the belly is fair to all of them.
fn number_of(peer: &PeerId) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    hasher.write(peer.as_ref().digest());
    hasher.finish()
}
