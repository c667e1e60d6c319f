//! What stands between the memory and a backend: what waits for either, and how often the backend is asked.

pub(super) mod keeper;
pub(super) mod reader;
pub(super) mod writer;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, oneshot, watch},
    time::Instant,
};

use super::{
    BellyConfig, LatencyMeter, ProvidersHeld, ReadFailure, Reading, Unread,
    backend::{Backend, Fault},
    held::micros,
    inquiries::{Inquiries, InquiryKey, Waiter},
    pace::StatementPace,
};

/// Keys that are remembered to have too many providers: more are found when they are read again.
const CROWDED: usize = 64;

/// Whom an answer goes to.
#[derive(Debug)]
pub(super) enum Outlet {
    Providers(oneshot::Sender<Result<Arc<ProvidersHeld>, ReadFailure>>),
    Value(oneshot::Sender<Result<Option<Arc<[u8]>>, ReadFailure>>),
}

impl Outlet {
    fn has_gone(&self) -> bool {
        match self {
            Self::Providers(outlet) => outlet.is_closed(),
            Self::Value(outlet) => outlet.is_closed(),
        }
    }

    fn fail(self, failure: ReadFailure) {
        // Whoever asked may have gone.
        match self {
            Self::Providers(outlet) => drop(outlet.send(Err(failure))),
            Self::Value(outlet) => drop(outlet.send(Err(failure))),
        }
    }
}

/// The way to a backend.
#[derive(Debug)]
pub(super) struct Front {
    pub(super) backend: Backend,
    pub(super) config: BellyConfig,
    inquiries: Mutex<Inquiries<Outlet>>,
    /// Somebody asks.
    asked: Notify,
    /// What waits to be written is much, or has to be written now.
    pressed: Notify,
    /// How many times all that waited was written.
    written: watch::Sender<u64>,
    pace: StatementPace,
    is_away: AtomicBool,
    is_closed: AtomicBool,
    /// The latest time that anybody named, in microseconds since the Unix epoch.
    now_us: AtomicU64,
    statements: AtomicU64,
    failed_statements: AtomicU64,
    shed_reads: [AtomicU64; ReadFailure::ALL.len()],
    /// Keys with as many providers as anybody is given, or more.
    crowded: Mutex<Vec<Arc<[u8]>>>,
    reads: LatencyMeter,
    writes: LatencyMeter,
}

impl Front {
    pub(super) fn new(backend: Backend, config: BellyConfig) -> Self {
        Self {
            backend,
            config,
            inquiries: Mutex::new(Inquiries::new(config.waiting_reads)),
            asked: Notify::new(),
            pressed: Notify::new(),
            written: watch::Sender::new(0),
            pace: StatementPace::new(config.statements_per_s),
            is_away: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            now_us: AtomicU64::new(0),
            statements: AtomicU64::new(0),
            failed_statements: AtomicU64::new(0),
            shed_reads: Default::default(),
            crowded: Mutex::default(),
            reads: LatencyMeter::default(),
            writes: LatencyMeter::default(),
        }
    }

    fn inquiries(&self) -> MutexGuard<'_, Inquiries<Outlet>> {
        self.inquiries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Learns what time it is from whoever says so.
    pub(super) fn note_time(&self, now: Duration) {
        let now_us = micros(now);
        if now_us > self.now_us.load(Relaxed) {
            self.now_us.fetch_max(now_us, Relaxed);
        }
    }

    fn now_us(&self) -> u64 {
        self.now_us.load(Relaxed)
    }

    /// Whether what the backend said at a time is all there is.
    pub(super) fn is_fresh(&self, asked_us: Option<u64>, now: Duration) -> bool {
        let freshness = micros(self.config.freshness);
        asked_us.is_some_and(|asked| {
            !self.backend.nature().is_shared || micros(now).saturating_sub(asked) <= freshness
        })
    }

    /// Has the backend asked who provides a key.
    pub(super) fn ask_providers(&self, key: &[u8], asker: u64) -> Reading<Arc<ProvidersHeld>> {
        let (outlet, answer) = oneshot::channel();
        self.ask((false, key), asker, Outlet::Providers(outlet), answer)
    }

    /// Has the backend asked for a value.
    pub(super) fn ask_value(&self, key: &[u8], asker: u64) -> Reading<Option<Arc<[u8]>>> {
        let (outlet, answer) = oneshot::channel();
        self.ask((true, key), asker, Outlet::Value(outlet), answer)
    }

    fn ask<T>(
        &self,
        (is_value, key): (bool, &[u8]),
        asker: u64,
        outlet: Outlet,
        answer: oneshot::Receiver<Result<T, ReadFailure>>,
    ) -> Reading<T> {
        if self.is_closed.load(Relaxed) {
            return self.shed(ReadFailure::Closed);
        }
        if self.is_away() {
            return self.shed(ReadFailure::Away);
        }
        let now = Instant::now();
        let key = InquiryKey { is_value, key: key.into() };
        let given_up = self.inquiries().ask(key, asker, now, outlet);
        if let Some(given_up) = given_up {
            self.fail_one(given_up, ReadFailure::Full);
        }
        self.asked.notify_one();
        Reading::Unread(Unread::new(answer, now + self.config.read_deadline))
    }

    fn shed<T>(&self, failure: ReadFailure) -> Reading<T> {
        self.count_shed(failure, 1);
        Reading::Shed(failure)
    }

    fn count_shed(&self, failure: ReadFailure, count: usize) {
        if let Some(shed) = self.shed_reads.get(failure as usize) {
            shed.fetch_add(count as u64, Relaxed);
        }
    }

    fn fail_one(&self, outlet: Outlet, failure: ReadFailure) {
        self.count_shed(failure, 1);
        outlet.fail(failure);
    }

    fn fail(&self, waiters: Vec<Waiter<Outlet>>, failure: ReadFailure) {
        for waiter in waiters {
            self.reads.note(waiter.since.elapsed());
            self.fail_one(waiter.outlet, failure);
        }
    }

    pub(super) fn is_away(&self) -> bool {
        self.is_away.load(Relaxed)
    }

    /// Waits until the backend may be asked once more.
    pub(super) async fn turn(&self) {
        self.pace.wait().await;
    }

    /// What a statement came to, with what that says of the backend; `None` if it did not answer in time. All who wait for one that is
    /// away are told so.
    pub(super) fn came<T>(
        &self,
        answer: Option<Result<T, Fault>>,
        doing: &'static str,
    ) -> Result<T, ReadFailure> {
        self.statements.fetch_add(1, Relaxed);
        let reason = match answer {
            Some(Ok(answer)) => {
                if self.is_away.swap(false, Relaxed) {
                    tracing::info!("the belly's backend is back");
                }
                return Ok(answer);
            }
            Some(Err(Fault::Failed(error))) => {
                self.failed_statements.fetch_add(1, Relaxed);
                tracing::warn!(%error, doing, "the belly's backend has refused");
                return Err(ReadFailure::Backend);
            }
            Some(Err(Fault::Away(reason))) => reason,
            None => "it does not answer".to_owned(),
        };
        self.failed_statements.fetch_add(1, Relaxed);
        if !self.is_away.swap(true, Relaxed) {
            tracing::warn!(reason, doing, "the belly's backend is away");
        }
        let waiters = self.inquiries().clear();
        self.fail(waiters, ReadFailure::Away);
        self.pressed.notify_one();
        Err(ReadFailure::Away)
    }

    /// Remembers a key that may have more providers than anybody is given.
    fn note_crowded(&self, key: &Arc<[u8]>) {
        let mut crowded = self.crowded.lock().unwrap_or_else(PoisonError::into_inner);
        if crowded.len() < CROWDED && !crowded.contains(key) {
            crowded.push(Arc::clone(key));
        }
    }

    fn take_crowded(&self) -> Vec<Arc<[u8]>> {
        std::mem::take(&mut *self.crowded.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Refuses what comes from now on.
    pub(super) fn shut(&self) {
        self.is_closed.store(true, Relaxed);
    }

    pub(super) fn is_shut(&self) -> bool {
        self.is_closed.load(Relaxed)
    }

    /// Has what waits written soon.
    pub(super) fn press(&self) {
        self.pressed.notify_one();
    }

    /// Waits until all that waits now is written.
    pub(super) async fn flushed(&self) {
        let mut written = self.written.subscribe();
        // A batch may be on its way that does not have what came last: the one behind it has.
        let enough = *written.borrow_and_update() + 2;
        self.press();
        let is_over = written.wait_for(|&rounds| {
            if rounds < enough {
                self.press();
            }
            rounds >= enough
        });
        // The sender is our own.
        drop(is_over.await);
    }

    /// Fills in what is known here.
    pub(super) fn report(&self, backlog: &mut super::BellyBacklog) {
        let inquiries = self.inquiries();
        backlog.reads_waiting = inquiries.len();
        backlog.oldest_read = inquiries.oldest().map_or(Duration::ZERO, |since| since.elapsed());
        drop(inquiries);
        backlog.is_away = self.is_away();
        backlog.statements = self.statements.load(Relaxed);
        backlog.failed_statements = self.failed_statements.load(Relaxed);
        backlog.shed_reads =
            std::array::from_fn(|name| self.shed_reads.get(name).map_or(0, |count| count.load(Relaxed)));
        let notes = self.backend.notes();
        if let Some(requests) = notes.requests {
            backlog.statements = requests;
        }
        (backlog.collisions, backlog.throttled) = (notes.collisions, notes.throttled);
        backlog.unplaced = notes.unplaced;
        (backlog.reads, backlog.writes) = (self.reads.read(), self.writes.read());
    }
}
