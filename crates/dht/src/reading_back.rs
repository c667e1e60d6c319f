//! Asks those who were given a record for it, at several times: who keeps it, and since when.
//!
//! Each reading is one request, and whoever has no record is not asked again before the next time: what a peer said at a time stays what it
//! said then. When a record was given is the publisher's to say.

#[cfg(test)]
mod tests;

use std::time::Duration;

use kad::{
    Contact, PeerId,
    failure::{Failure, FailureClass, Phase},
    message::{Message, MessageType, MessageView},
    network::{Network, Traffic},
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{
    conversation::{Ask, Awaits},
    finder::Finder,
    identifying::{Identified, identify},
    pool::{Dialling, Exchange},
    provide::ProviderRecord,
};

/// When records are read back.
#[derive(Debug, Clone, Copy)]
pub struct ReadingTimes<'a> {
    /// When the publication began: the times of readings count from there.
    pub begun: Instant,
    /// When it ended.
    pub ended: Instant,
    /// How long after its end everybody is asked; not more often than this.
    pub after: &'a [Duration],
}

/// One time that a peer was asked for a record that it was given. Times count from the beginning of the publication.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordReading {
    /// Who was asked.
    pub peer: PeerId,
    /// How long after the publication's end it was to be asked.
    pub due_after: Duration,
    /// When it was.
    pub asked_after: Duration,
    /// How it was dialled; `None` if a connection stood.
    pub dialled: Option<Dialling>,
    /// When the question left; `None` if it never did.
    pub sent_after: Option<Duration>,
    /// When it was over.
    pub ended_after: Duration,
    /// The bytes of it.
    pub traffic: Traffic,
    /// Whether it has the record, and then whether with addresses; an error if it did not answer.
    pub has: Result<Option<bool>, Failure>,
}

impl<N: Network> Finder<N> {
    /// Asks each of these peers for a record at each of these times. Cancelled, it gives what was heard until then. In the order in which
    /// they ended.
    pub async fn read_back_at(
        &self,
        record: &ProviderRecord,
        holders: &[Contact],
        times: ReadingTimes<'_>,
        cancel: &CancellationToken,
    ) -> Vec<RecordReading> {
        let message = Message::new(MessageType::GetProviders, record.key.clone());
        let terms = self.terms();
        let ask = Ask {
            protocols: terms.protocols.clone(),
            message: Some(message.encode().into()),
            awaits: Awaits::Message,
            patience: terms.patience,
        };
        let (provider, begun) = (record.provider.peer, times.begun);
        let mut under_way = JoinSet::new();
        for &due_after in times.after {
            for holder in holders {
                let (finder, to, ask) = (self.clone(), holder.clone(), ask.clone());
                let due = times.ended + due_after;
                under_way.spawn(async move {
                    sleep_until(due).await;
                    let asked_after = begun.elapsed();
                    let exchange = finder.once(&to, ask).await;
                    reading((to.peer, due_after, asked_after), exchange, provider)
                });
            }
        }
        all(under_way, cancel).await
    }

    /// One request, that nobody gives up.
    async fn once(&self, to: &Contact, ask: Ask) -> Exchange {
        self.pool().request(to, ask, &CancellationToken::new(), || {}).await
    }

    /// Asks each of these peers what its program is; of whom there is no answer nothing is said.
    pub async fn agents(&self, peers: &[Contact], cancel: &CancellationToken) -> Vec<(PeerId, String)> {
        let mut under_way = JoinSet::new();
        for contact in peers {
            let (finder, to, ask) = (self.clone(), contact.clone(), identify(self.terms().patience));
            under_way.spawn(async move {
                let exchange = finder.once(&to, ask).await;
                let said = Identified::of(exchange.outcome, to.peer).said;
                Some((to.peer, said?.agent_version?))
            });
        }
        all(under_way, cancel).await.into_iter().flatten().collect()
    }
}

fn reading(
    (peer, due_after, asked_after): (PeerId, Duration, Duration),
    exchange: Exchange,
    provider: PeerId,
) -> RecordReading {
    let Exchange { dialled, sent_after, took, traffic, outcome } = exchange;
    RecordReading {
        peer,
        due_after,
        asked_after,
        dialled,
        sent_after: sent_after.map(|sent| asked_after + sent),
        ended_after: asked_after + took,
        traffic,
        has: outcome.and_then(|messages| record_in(messages.first().map(Vec::as_slice), provider)),
    }
}

/// Whether an answer has the record of a provider, and then whether with addresses.
fn record_in(answer: Option<&[u8]>, provider: PeerId) -> Result<Option<bool>, Failure> {
    let closed = || Failure::new(Phase::Request, FailureClass::StreamClosed);
    let malformed = |_| Failure::new(Phase::Request, FailureClass::Malformed);
    let view = MessageView::decode(answer.ok_or_else(closed)?).map_err(malformed)?;
    let record = view.provider_peers().find(|entry| entry.id == provider.to_bytes());
    Ok(record.map(|entry| entry.addrs().next().is_some()))
}

/// What all of them came to, or those that ended before it was cancelled.
async fn all<T: 'static>(mut under_way: JoinSet<T>, cancel: &CancellationToken) -> Vec<T> {
    let mut done = Vec::with_capacity(under_way.len());
    let joined = async {
        while let Some(ended) = under_way.join_next().await {
            done.extend(ended);
        }
    };
    cancel.run_until_cancelled(joined).await;
    done
}
