//! A record on its way to any number of peers at once, and what is known of each of these gifts.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use kad::{
    Contact,
    failure::{Failure, FailureClass, Phase},
    fullrt::{FanOut, RECALL},
    message::{Message, MessageType, Peer},
    network::Network,
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use crate::{
    conversation::{Ask, Awaits},
    finder::Finder,
    pool::{Exchange, Pool},
    provide::ProviderRecord,
    publication::{Gift, Publication, PublishFailure},
};

/// How many notices that a record is on its way may wait. One whose notice has no room is known to have been sent when it ends.
const MAX_SENT: usize = 256;

/// What has happened to one gift.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Told {
    /// It is on its way.
    Sent,
    /// It has ended.
    Ended {
        /// Whether it was ever sent.
        was_sent: bool,
        /// Whether it was sent and not refused.
        took: bool,
        /// When.
        at: Duration,
    },
}

/// The gift at this position is on its way.
#[derive(Debug)]
struct OnItsWay {
    position: usize,
    at: Duration,
}

/// Gifts of one record.
#[derive(Debug)]
pub(crate) struct Giving<N> {
    pool: Pool<N>,
    ask: Ask,
    begun: Instant,
    gifts: Vec<Gift>,
    under_way: JoinSet<(usize, Exchange)>,
    sent: (mpsc::Sender<OnItsWay>, mpsc::Receiver<OnItsWay>),
    give_up: CancellationToken,
    /// Says who is still sent the record; everybody is, where there is none.
    fan: Option<Arc<Mutex<FanOut>>>,
}

/// What asks a peer to keep the records of a provider under a key.
pub(crate) fn gift_of<N: Network>(finder: &Finder<N>, record: &ProviderRecord, patience: Duration) -> Ask {
    let ProviderRecord { key, provider } = record;
    let mut message = Message::new(MessageType::AddProvider, key.clone());
    message.provider_peers = vec![Peer::new(&provider.peer, &provider.addrs)];
    Ask {
        protocols: Arc::clone(&finder.terms().protocols),
        message: Some(message.encode().into()),
        awaits: Awaits::End,
        patience,
    }
}

impl<N: Network> Giving<N> {
    /// Begins; nobody is given anything yet.
    pub(crate) fn new(finder: &Finder<N>, record: &ProviderRecord, patience: Duration) -> Self {
        Self {
            pool: finder.pool().clone(),
            ask: gift_of(finder, record, patience),
            begun: Instant::now(),
            gifts: Vec::new(),
            under_way: JoinSet::new(),
            sent: mpsc::channel(MAX_SENT),
            give_up: CancellationToken::new(),
            fan: None,
        }
    }

    /// The same, where the fan-out is asked of each gift that is about to be sent.
    pub(super) fn asking(self, fan: Arc<Mutex<FanOut>>) -> Self {
        Self { fan: Some(fan), ..self }
    }

    /// When it began: the times of gifts count from there.
    pub(super) const fn begun(&self) -> Instant {
        self.begun
    }

    /// Begins to give the record to a peer.
    pub(crate) fn give(&mut self, to: Contact) {
        let (pool, ask, give_up) = (self.pool.clone(), self.ask.clone(), self.give_up.clone());
        let (position, begun, contact, fan) = (self.gifts.len(), self.begun, to.clone(), self.fan.clone());
        let notify = self.sent.0.clone();
        self.under_way.spawn(async move {
            // Whoever is asked a second time, on a new connection, was sent it the first time.
            let mut said = None;
            let leaves = || {
                *said.get_or_insert_with(|| {
                    let at = begun.elapsed();
                    let is_sent = fan.as_ref().is_none_or(|fan| locked(fan).is_sent(at));
                    // One whose notice has no room is known to have been sent when it ends.
                    let _full = is_sent && notify.try_send(OnItsWay { position, at }).is_err();
                    is_sent
                })
            };
            (position, pool.request_if(&contact, ask, &give_up, leaves).await)
        });
        self.gifts.push(Gift {
            to,
            begun_after: self.begun.elapsed(),
            dialled: None,
            sent_after: None,
            ended_after: None,
            sent: None,
        });
    }

    /// What happens next; `None` when nothing is under way. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Option<Told> {
        loop {
            tokio::select! {
                // What is sent is sent before it ends.
                biased;
                Some(OnItsWay { position, at }) = self.sent.1.recv() => {
                    if let Some(gift) = self.gifts.get_mut(position).filter(|gift| gift.sent_after.is_none()) {
                        gift.sent_after = Some(at);
                        return Some(Told::Sent);
                    }
                }
                done = self.under_way.join_next() => match done? {
                    Ok((position, exchange)) => return Some(self.end(position, exchange)),
                    // A request is made of total functions; one that panics after all is a gift that never ends.
                    Err(error) => tracing::error!(%error, "a gift did not come to its end"),
                },
            }
        }
    }

    fn end(&mut self, position: usize, exchange: Exchange) -> Told {
        let at = self.begun.elapsed();
        let Exchange { dialled, sent_after, took, outcome, .. } = exchange;
        let (was_sent, is_taken) = (sent_after.is_some(), outcome.is_ok());
        if let Some(gift) = self.gifts.get_mut(position) {
            let sent_at = sent_after.map(|after| at.saturating_sub(took.saturating_sub(after)));
            gift.sent_after = gift.sent_after.or(sent_at);
            (gift.dialled, gift.ended_after, gift.sent) = (dialled, Some(at), Some(outcome.map(drop)));
        }
        Told::Ended { was_sent, took: is_taken, at }
    }

    /// It is over for its caller: what is not sent within a moment is given up, and the rest goes on to its end.
    pub(crate) fn leave(mut self, outcome: Result<(), PublishFailure>) -> Publication {
        let took = self.begun.elapsed();
        // Some may be on their way of whom nobody has read it yet.
        while let Ok(OnItsWay { position, at }) = self.sent.1.try_recv() {
            if let Some(gift) = self.gifts.get_mut(position) {
                gift.sent_after.get_or_insert(at);
            }
        }
        let gifts = self.gifts.clone();
        let (rest, settled) = oneshot::channel();
        tokio::spawn(async move {
            // Dials end a moment later, when nobody can be a straggler any more.
            let give_up = self.give_up.clone();
            let dials = async {
                sleep(RECALL).await;
                give_up.cancel();
                std::future::pending::<()>().await;
            };
            let end = async { while self.next().await.is_some() {} };
            tokio::select! {
                () = end => {}
                () = dials => {}
            }
            drop(rest.send(self.gifts));
        });
        Publication::whole(took, Vec::new(), gifts, outcome).with_rest(settled)
    }

    /// It is given up by its caller, with all that is under way.
    pub(crate) fn given_up(mut self) -> Publication {
        let took = self.begun.elapsed();
        for gift in self.gifts.iter_mut().filter(|gift| gift.sent.is_none()) {
            (gift.ended_after, gift.sent) = (Some(took), Some(Err(cancelled())));
        }
        self.whole(Err(PublishFailure::Cancelled))
    }

    /// Nothing of it is under way.
    pub(crate) fn whole(self, outcome: Result<(), PublishFailure>) -> Publication {
        Publication::whole(self.begun.elapsed(), Vec::new(), self.gifts, outcome)
    }
}

/// The fan-out, for a moment.
pub(super) fn locked(fan: &Mutex<FanOut>) -> MutexGuard<'_, FanOut> {
    fan.lock().unwrap_or_else(PoisonError::into_inner)
}

const fn cancelled() -> Failure {
    Failure::new(Phase::Request, FailureClass::Cancelled)
}
