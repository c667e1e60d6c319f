//! Publishes provider records, and asks for them again.
//!
//! The record goes to each of the peers that a lookup found closest to the key, to all at once, as go-libp2p-kad-dht does.
//! `ADD_PROVIDER` has no answer: that a record was sent says nothing of whether it is kept. Who really has it is known when it
//! is asked for again ([`read_back`](Finder::read_back)). What a whole publication is, with its lookup and its deadline, is
//! in `classic`; `gifts` are the records on their way.

mod classic;
pub(crate) mod gifts;
#[cfg(test)]
mod tests;

pub use self::classic::PublishTerms;

use std::{sync::Arc, time::Duration};

use kad::{
    Contact, PeerId,
    failure::{Failure, FailureClass, Phase},
    message::{Message, MessageType, MessageView, Peer},
    network::Network,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{
    conversation::{Ask, Awaits},
    finder::{Finder, Found},
};

/// How long go-libp2p-kad-dht takes for giving a record to one peer (`putOperationTimeout`).
pub const PUT_PATIENCE: Duration = Duration::from_secs(30);

/// How long whoever says that it has no record yet is left alone before it is asked again.
const PAUSE: Duration = Duration::from_millis(250);

/// That somebody provides something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderRecord {
    /// What: a multihash.
    pub key: Vec<u8>,
    /// Who, and where: servers drop a record without an address.
    pub provider: Contact,
}

/// One of those who were given a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Who it is, and where.
    pub contact: Contact,
    /// Whether it was sent the record, and did not refuse it. It says nothing of whether it keeps it.
    pub sent: Result<(), Failure>,
}

/// What one of those says who were given a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadBack {
    /// Who it is.
    pub peer: PeerId,
    /// Whether it has the record, and then whether with addresses; an error if it did not answer.
    pub has: Result<Option<bool>, Failure>,
}

impl<N: Network> Finder<N> {
    /// Gives a record to the peers that a lookup found closest to its key. Cancelled, it gives up what is under way.
    pub async fn give(
        &self,
        record: &ProviderRecord,
        found: &Found,
        cancel: &CancellationToken,
    ) -> Vec<Holder> {
        let contacts = found.outcome.closest.iter().map(|closest| found.contact(closest.peer));
        self.give_to(record, contacts, cancel).await
    }

    /// Gives a record to these peers, whoever is closest.
    pub async fn give_to(
        &self,
        record: &ProviderRecord,
        contacts: impl IntoIterator<Item = Contact>,
        cancel: &CancellationToken,
    ) -> Vec<Holder> {
        let ask = self.gift(record);
        let unsent = |contact| Holder { contact, sent: Err(given_up()) };
        let mut given: Vec<Holder> = contacts.into_iter().map(unsent).collect();
        let mut under_way = JoinSet::new();
        for (position, holder) in given.iter().enumerate() {
            let (pool, to, ask) = (self.pool().clone(), holder.contact.clone(), ask.clone());
            under_way.spawn(async move {
                let exchange = pool.request(&to, ask, &CancellationToken::new(), || {}).await;
                (position, exchange.outcome.map(drop))
            });
        }
        while let Some(done) = next(&mut under_way, cancel).await {
            let (position, sent) = done;
            given[position].sent = sent;
        }
        given
    }

    /// Asks those who were given a record for it. Who has none is asked again until `until`: a server may keep what it is
    /// given a little later than it takes it. Who was sent nothing is not asked.
    pub async fn read_back(
        &self,
        record: &ProviderRecord,
        holders: &[Holder],
        until: Instant,
        cancel: &CancellationToken,
    ) -> Vec<ReadBack> {
        let ask = self.ask(
            &Message::new(MessageType::GetProviders, record.key.clone()),
            Awaits::Message,
            self.terms().patience,
        );
        let provider = record.provider.peer;
        let mut all: Vec<ReadBack> = holders
            .iter()
            .map(|holder| ReadBack { peer: holder.contact.peer, has: holder.sent.clone().map(|()| None) })
            .collect();
        let mut under_way = JoinSet::new();
        for (position, holder) in holders.iter().enumerate().filter(|(_, holder)| holder.sent.is_ok()) {
            let (finder, to, ask) = (self.clone(), holder.contact.clone(), ask.clone());
            under_way.spawn(async move { (position, finder.read(&to, ask, provider, until).await) });
        }
        while let Some((position, has)) = next(&mut under_way, cancel).await {
            all[position].has = has;
        }
        all
    }

    async fn read(
        &self,
        to: &Contact,
        ask: Ask,
        provider: PeerId,
        until: Instant,
    ) -> Result<Option<bool>, Failure> {
        loop {
            let exchange = self.pool().request(to, ask.clone(), &CancellationToken::new(), || {}).await;
            let malformed = || Failure::new(Phase::Request, FailureClass::Malformed);
            let messages = exchange.outcome?;
            let view =
                MessageView::decode(messages.first().ok_or_else(malformed)?).map_err(|_| malformed())?;
            let record = view.provider_peers().find(|entry| entry.id == provider.to_bytes());
            let next = Instant::now() + PAUSE;
            match record.map(|entry| entry.addrs().next().is_some()) {
                None if next < until => sleep_until(next).await,
                has => return Ok(has),
            }
        }
    }

    /// How a record is given.
    pub(crate) fn gift(&self, record: &ProviderRecord) -> Ask {
        let ProviderRecord { key, provider } = record;
        let mut message = Message::new(MessageType::AddProvider, key.clone());
        message.provider_peers = vec![Peer::new(&provider.peer, &provider.addrs)];
        self.ask(&message, Awaits::End, PUT_PATIENCE)
    }

    fn ask(&self, message: &Message, awaits: Awaits, patience: Duration) -> Ask {
        let protocols = Arc::clone(&self.terms().protocols);
        Ask { protocols, message: Some(message.encode().into()), awaits, patience }
    }
}

impl Found {
    /// A peer that was heard of, and where it is.
    pub fn contact(&self, peer: PeerId) -> Contact {
        Contact { peer, addrs: self.addresses.of(&peer.to_bytes()).to_vec() }
    }
}

/// The next that is done; `None` when all are, or when it is cancelled.
async fn next<T: 'static>(under_way: &mut JoinSet<T>, cancel: &CancellationToken) -> Option<T> {
    loop {
        let done = tokio::select! {
            biased;
            done = under_way.join_next() => done?,
            () = cancel.cancelled() => return None,
        };
        if let Ok(done) = done {
            return Some(done);
        }
    }
}

const fn given_up() -> Failure {
    Failure::new(Phase::Request, FailureClass::Cancelled)
}
