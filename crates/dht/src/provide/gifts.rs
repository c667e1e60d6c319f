//! Records on their way to the peers that are given them, all at once.
//!
//! That a gift was sent is known before it ends: go-libp2p-kad-dht regards it as done then, since it awaits no answer. Gifts
//! dropped leave nothing behind.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use kad::{
    Contact,
    failure::{Failure, FailureClass, Phase},
    network::Network,
};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{
    conversation::Ask,
    finder::Finder,
    pool::{Dialling, Exchange},
    publication::Gift,
};

/// How many notices that a gift was sent may wait. One whose notice has no room is known to have been sent when it ends.
const MAX_NOTICES: usize = 256;

/// Something became of a gift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GiftTurn {
    /// Its position.
    pub(crate) gift: usize,
    /// Whether it ended in good order; `None` if it was sent, and is still under way.
    pub(crate) ended: Option<bool>,
}

/// Gifts of one record.
#[derive(Debug)]
pub(crate) struct Gifts<N> {
    finder: Finder<N>,
    ask: Ask,
    begun: Instant,
    all: Vec<Gift>,
    /// When each was sent, by its own clock.
    sent: Vec<Arc<OnceLock<Duration>>>,
    under_way: JoinSet<GiftEnd>,
    notices: (mpsc::Sender<usize>, mpsc::Receiver<usize>),
}

#[derive(Debug)]
struct GiftEnd {
    gift: usize,
    dialled: Option<Dialling>,
    outcome: Result<(), Failure>,
}

impl<N: Network> Gifts<N> {
    /// None yet. Times count from `begun`.
    pub(crate) fn new(finder: Finder<N>, ask: Ask, begun: Instant) -> Self {
        let (under_way, notices) = (JoinSet::new(), mpsc::channel(MAX_NOTICES));
        Self { finder, ask, begun, all: Vec::new(), sent: Vec::new(), under_way, notices }
    }

    /// Gives the record to a peer, until then at the latest. Gives the position of the gift.
    pub(crate) fn give(&mut self, to: Contact, until: Instant) -> usize {
        let gift = self.all.len();
        let left = Arc::new(OnceLock::new());
        self.all.push(Gift {
            to: to.clone(),
            begun_after: self.begun.elapsed(),
            dialled: None,
            sent_after: None,
            ended_after: None,
            sent: None,
        });
        self.sent.push(Arc::clone(&left));
        let (pool, ask) = (self.finder.pool().clone(), self.ask.clone());
        let (begun, notices) = (self.begun, self.notices.0.clone());
        self.under_way.spawn(async move {
            let note = || {
                // It is set once, and a full queue loses nothing but time.
                left.set(begun.elapsed()).ok();
                notices.try_send(gift).ok();
            };
            let no_dial = CancellationToken::new();
            let exchange = timeout_at(until, pool.request(&to, ask, &no_dial, note)).await;
            let timeout = || Failure::new(Phase::Request, FailureClass::Timeout);
            let (dialled, outcome) = exchange.map_or_else(
                |_| (None, Err(timeout())),
                |Exchange { dialled, outcome, .. }| (dialled, outcome.map(drop)),
            );
            GiftEnd { gift, dialled, outcome }
        });
        gift
    }

    /// Waits until something becomes of a gift; `None` when nothing is under way. Each is told of once when it was sent, unless
    /// it ends before, and once when it ended.
    pub(crate) async fn next(&mut self) -> Option<GiftTurn> {
        loop {
            let turn = match self.notices.1.try_recv() {
                Ok(gift) => GiftTurn { gift, ended: None },
                Err(_) if self.under_way.is_empty() => return None,
                Err(_) => tokio::select! {
                    biased;
                    Some(gift) = self.notices.1.recv() => GiftTurn { gift, ended: None },
                    Some(Ok(ended)) = self.under_way.join_next() => self.end(ended),
                    // A task did not come to its end.
                    else => continue,
                },
            };
            let Some(gift) = self.all.get_mut(turn.gift) else { continue };
            gift.sent_after = self.sent.get(turn.gift).and_then(|left| left.get().copied());
            if turn.ended.is_some() || gift.ended_after.is_none() {
                return Some(turn);
            }
        }
    }

    fn end(&mut self, ended: GiftEnd) -> GiftTurn {
        let GiftEnd { gift, dialled, outcome } = ended;
        let turn = GiftTurn { gift, ended: Some(outcome.is_ok()) };
        if let Some(entry) = self.all.get_mut(gift) {
            (entry.dialled, entry.ended_after) = (dialled, Some(self.begun.elapsed()));
            entry.sent = Some(outcome);
        }
        turn
    }

    /// All gifts, as they stand.
    pub(crate) fn as_they_stand(&self) -> Vec<Gift> {
        self.all.clone()
    }

    /// Whether nothing is under way.
    pub(crate) fn are_over(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Gives up what is under way, for this reason. Gives all gifts as they ended.
    pub(crate) fn give_up(mut self, class: FailureClass) -> Vec<Gift> {
        let now = self.begun.elapsed();
        for (gift, left) in self.all.iter_mut().zip(&self.sent) {
            if gift.ended_after.is_none() {
                gift.sent_after = left.get().copied();
                (gift.ended_after, gift.sent) = (Some(now), Some(Err(Failure::new(Phase::Request, class))));
            }
        }
        self.all
    }
}
