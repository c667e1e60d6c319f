//! Many records on their way to many peers: each peer is given its keys one after the other over one connection, and no more than so
//! many peers at a time.
//!
//! Who is given which keys is decided by others ([`fullrt`](crate::FullTable), sweeps); what became of each is theirs, too.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use kad::{
    Contact, PeerId, Persistence,
    failure::{Failure, FailureClass, Phase},
    fullrt::KeyProgress,
    network::Network,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use crate::{
    conversation::{Ask, Awaits},
    finder::{Finder, Found},
    fullrt::gift_of,
    many_published::{LookupTotals, ManyPublished, Placement, PlacementFate, Recipient},
    pool::Exchange,
    provide::ProviderRecord,
    publication::PublishFailure,
};

/// By which rules records are delivered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeliveryRules {
    /// How many peers are given records at a time; at least 1.
    pub(crate) connections: usize,
    /// How long a dial may take.
    pub(crate) dial: Duration,
    /// How long one record may take.
    pub(crate) patience: Duration,
    /// After how many failures in a row a peer is given nothing more.
    pub(crate) failures: usize,
    /// Whether who could not be dialled is not dialled again for its next key.
    pub(crate) dials_once: bool,
    /// Whether keys that enough have are left out ([`KeyProgress`]).
    pub(crate) leaves_out: bool,
    /// By Go's rules what is sent counts, whatever the peer makes of it.
    pub(crate) persistence: Persistence,
}

/// A peer and the keys that it is to be given, by their positions.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) to: Contact,
    pub(crate) keys: Vec<u32>,
    pub(crate) stands_in: bool,
}

/// What became of a delivery.
#[derive(Debug)]
pub(crate) struct Delivered {
    to: Contact,
    stands_in: bool,
    fates: Vec<(u32, PlacementFate)>,
    failure: Option<Failure>,
    /// Whether the peer was not given up: neither did every key of it fail, nor too many in a row.
    pub(crate) is_reached: bool,
}

/// Deliveries of the records of one provider. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Deliveries<N> {
    finder: Finder<N>,
    rules: DeliveryRules,
    begun: Instant,
    keys: Arc<[Vec<u8>]>,
    provider: Contact,
    progress: Arc<Mutex<Vec<KeyProgress>>>,
    cancel: CancellationToken,
}

impl<N: Network> Deliveries<N> {
    /// Of these keys.
    pub(crate) fn new(
        finder: &Finder<N>,
        (provider, keys): (&Contact, &Arc<[Vec<u8>]>),
        rules: DeliveryRules,
        cancel: &CancellationToken,
    ) -> Self {
        let progress = if rules.leaves_out { vec![KeyProgress::default(); keys.len()] } else { Vec::new() };
        Self {
            finder: finder.clone(),
            rules,
            begun: Instant::now(),
            keys: Arc::clone(keys),
            provider: provider.clone(),
            progress: Arc::new(Mutex::new(progress)),
            cancel: cancel.clone(),
        }
    }

    /// Makes deliveries, in their order. `done` is told of each as it ends. Cancelled, it ends at once, and every delivery says so.
    pub(crate) async fn run(
        &self,
        deliveries: impl IntoIterator<Item = Delivery>,
        mut done: impl FnMut(Delivered),
    ) {
        let (mut deliveries, mut under_way) = (deliveries.into_iter(), JoinSet::new());
        loop {
            while under_way.len() < self.rules.connections.max(1) {
                let Some(delivery) = deliveries.next() else { break };
                let all = self.clone();
                under_way.spawn(async move { all.deliver(delivery).await });
            }
            match under_way.join_next().await {
                Some(Ok(delivered)) => done(delivered),
                // Made of total functions; if one panics after all, it is not lost silently.
                Some(Err(error)) => tracing::error!(%error, "a delivery did not come to its end"),
                None => break,
            }
        }
    }

    async fn deliver(self, Delivery { to, keys, stands_in }: Delivery) -> Delivered {
        let (mut fates, mut failure, mut streak) = (Vec::with_capacity(keys.len()), None, 0);
        let mut is_dropped = false;
        for (count, &key) in keys.iter().enumerate() {
            if self.cancel.is_cancelled() {
                fates.push((key, PlacementFate::Cancelled));
                continue;
            }
            let patience = if is_dropped { None } else { self.patience(key) };
            let Some(patience) = patience else {
                fates.push((key, PlacementFate::LeftOut));
                continue;
            };
            let (was_sent, outcome) = self.give(&to, key, patience).await;
            let took = outcome.is_ok() || was_sent && self.rules.persistence == Persistence::Go;
            failure = outcome.err().or(failure);
            let fate = match took {
                true => PlacementFate::Sent,
                false if self.cancel.is_cancelled() => PlacementFate::Cancelled,
                false => PlacementFate::Failed,
            };
            fates.push((key, fate));
            if took {
                self.note(key);
                streak = 0;
            } else {
                streak += 1;
                is_dropped = streak >= self.rules.failures
                    || streak == count + 1 && count + 1 == keys.len()
                    || !was_sent && self.rules.dials_once;
            }
        }
        Delivered { to, stands_in, fates, failure, is_reached: !is_dropped }
    }

    /// Gives one key to a peer. Says whether it was sent, and what came of it.
    async fn give(&self, to: &Contact, key: u32, patience: Duration) -> (bool, Result<(), Failure>) {
        let record = ProviderRecord {
            key: self.key(key).unwrap_or_default().to_vec(),
            provider: self.provider.clone(),
        };
        let ask = Ask { awaits: Awaits::End, ..gift_of(&self.finder, &record, patience) };
        let (give_up, pool) = (CancellationToken::new(), self.finder.pool());
        let request = pool.request(to, ask, &give_up, || {});
        let mut request = std::pin::pin!(request);
        tokio::select! {
            exchange = &mut request => return end_of(exchange),
            () = self.cancel.cancelled() => {}
            // It gives up the dial alone: what was sent is awaited.
            () = sleep(self.rules.dial) => give_up.cancel(),
        }
        tokio::select! {
            exchange = &mut request => end_of(exchange),
            () = self.cancel.cancelled() => {
                (false, Err(Failure::new(Phase::Request, FailureClass::Cancelled)))
            }
        }
    }

    /// A key by its position; `None` beyond the last.
    pub(crate) fn key(&self, key: u32) -> Option<&[u8]> {
        self.keys.get(key as usize).map(Vec::as_slice)
    }

    /// Whether it was given up.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// How long a key may take now; `None` if it is left out.
    fn patience(&self, key: u32) -> Option<Duration> {
        let progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let of_key = progress.get(key as usize).map(|progress| progress.patience(self.begun.elapsed()));
        of_key.unwrap_or(Some(self.rules.patience))
    }

    fn note(&self, key: u32) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(progress) = progress.get_mut(key as usize) {
            progress.took(self.begun.elapsed());
        }
    }
}

fn end_of(exchange: Exchange) -> (bool, Result<(), Failure>) {
    (exchange.sent_after.is_some(), exchange.outcome.map(drop))
}

/// What became of all deliveries so far.
#[derive(Debug)]
pub(crate) struct DeliveryLog {
    begun: Instant,
    keys: Arc<[Vec<u8>]>,
    recipients: Vec<Recipient>,
    numbers: HashMap<PeerId, u32>,
    placements: Vec<Placement>,
    /// How many peers were sent each key.
    sent: Vec<usize>,
    pub(crate) lookups: LookupTotals,
    pub(crate) regions: usize,
    pub(crate) failed_regions: usize,
}

impl DeliveryLog {
    /// Of nothing yet.
    pub(crate) fn new(keys: Arc<[Vec<u8>]>) -> Self {
        Self {
            begun: Instant::now(),
            sent: vec![0; keys.len()],
            keys,
            recipients: Vec::new(),
            numbers: HashMap::new(),
            placements: Vec::new(),
            lookups: LookupTotals::default(),
            regions: 0,
            failed_regions: 0,
        }
    }

    /// Takes a delivery in.
    pub(crate) fn add(&mut self, delivered: Delivered) {
        let Delivered { to, stands_in, fates, failure, .. } = delivered;
        // Of so many peers nobody keeps more than there are in memory: a number of them has 32 bits.
        let next = u32::try_from(self.recipients.len()).unwrap_or(u32::MAX);
        let recipient = *self.numbers.entry(to.peer).or_insert(next);
        if recipient == next {
            self.recipients.push(Recipient { contact: to, failure: None });
        }
        if let Some(known) = self.recipients.get_mut(recipient as usize) {
            known.failure = failure.or_else(|| known.failure.take());
        }
        for (key, fate) in fates {
            self.placements.push(Placement { key, recipient, fate, stands_in });
            if let Some(sent) = self.sent.get_mut(key as usize).filter(|_| fate == PlacementFate::Sent) {
                *sent += 1;
            }
        }
    }

    /// Counts a lookup that was made for it.
    pub(crate) fn count(&mut self, found: &Found) {
        let counts = found.trace.counts();
        self.lookups.lookups += 1;
        self.lookups.requests += counts.asked as u64;
        self.lookups.unanswered += counts.asked.saturating_sub(counts.answered) as u64;
    }

    /// How many peers were sent a key.
    pub(crate) fn sent(&self, key: u32) -> usize {
        self.sent.get(key as usize).copied().unwrap_or(0)
    }

    /// Whether there was nobody to give anything to.
    pub(crate) const fn has_nobody(&self) -> bool {
        self.recipients.is_empty()
    }

    /// All of it, and whether anybody was sent anything. `otherwise` is why nobody was.
    pub(crate) fn into_published(self, otherwise: PublishFailure) -> ManyPublished {
        let is_sent = self.keys.is_empty() || self.sent.iter().any(|&count| count > 0);
        ManyPublished {
            took: self.begun.elapsed(),
            outcome: if is_sent { Ok(()) } else { Err(otherwise) },
            keys: self.keys.to_vec(),
            recipients: self.recipients,
            placements: self.placements,
            lookups: self.lookups,
            regions: self.regions,
            failed_regions: self.failed_regions,
        }
    }
}

/// The log, for a moment.
pub(crate) fn locked(log: &Mutex<DeliveryLog>) -> MutexGuard<'_, DeliveryLog> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All of a log that nobody adds to any more; see [`DeliveryLog::into_published`].
pub(crate) fn published(log: Mutex<DeliveryLog>, otherwise: PublishFailure) -> ManyPublished {
    log.into_inner().unwrap_or_else(PoisonError::into_inner).into_published(otherwise)
}

/// The keys in the order in which they came, each once.
pub(crate) fn distinct(keys: &[Vec<u8>]) -> Arc<[Vec<u8>]> {
    let mut seen = std::collections::HashSet::with_capacity(keys.len());
    keys.iter().filter(|key| seen.insert(key.as_slice())).cloned().collect()
}
