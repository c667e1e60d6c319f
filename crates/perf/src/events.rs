//! Events of a server on their way to somebody else: a file of lines, or a service that takes them by HTTP.
//!
//! Whoever tells of an event never waits: what finds no room is dropped and counted. One task takes events in batches to where they go; a
//! place that stalls holds up nothing but them. What the events are is in `event`, where they go in `place`.

mod event;
mod place;
#[cfg(test)]
mod tests;
mod writing;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;

pub use self::{
    event::{DeniedMatch, EventSource, PeerEvent, ServerEvent, ServerEventKind},
    place::{BadEventsPlace, EventsPlace},
};
use self::{place::OpenPlace, writing::Writing};

/// What an events sink takes of the machine, and how it goes about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventsConfig {
    /// So many events are a batch: as many as AWS takes at a time (`PutRecordBatch`).
    pub batch: usize,
    /// After so long a batch is one, however small.
    pub every: Duration,
    /// The most events that wait.
    pub queue: usize,
    /// The most bytes of events that wait, a batch on its way included.
    pub queue_bytes: usize,
    /// How often a batch is tried before it is given up.
    pub attempts: u32,
    /// How long after the first failure it is tried again; twice as long after each further one.
    pub pause: Duration,
    /// How long the rest may take at the end.
    pub drain: Duration,
}

impl Default for EventsConfig {
    fn default() -> Self {
        Self {
            batch: 500,
            every: Duration::from_secs(30),
            queue: 10_000,
            queue_bytes: 16 << 20,
            attempts: 3,
            pause: Duration::from_secs(1),
            drain: Duration::from_secs(10),
        }
    }
}

kad::named! {
    /// Why an event went nowhere.
    pub enum EventDrop {
        /// There was no room where events wait.
        Full = "full",
        /// The place could not be reached or written, however often it was tried.
        Unreachable = "unreachable",
        /// The place said no.
        Refused = "refused",
        /// It waited still when the time at the end was over.
        Late = "late",
    }
}

/// What became of events.
#[derive(Debug, Default)]
pub struct EventCounters {
    told: AtomicU64,
    delivered: AtomicU64,
    batches: AtomicU64,
    retries: AtomicU64,
    dropped: [AtomicU64; EventDrop::ALL.len()],
    waiting_bytes: AtomicUsize,
}

impl EventCounters {
    /// Told of: delivered, dropped or waiting.
    pub fn told(&self) -> u64 {
        self.told.load(Ordering::Relaxed)
    }

    /// Taken to their place.
    pub fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    /// Batches that were taken to their place.
    pub fn batches(&self) -> u64 {
        self.batches.load(Ordering::Relaxed)
    }

    /// How often a batch was tried again.
    pub fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Dropped for this reason.
    pub fn dropped(&self, why: EventDrop) -> u64 {
        self.dropped.get(why as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// The bytes that wait, a batch on its way included.
    pub fn waiting_bytes(&self) -> usize {
        self.waiting_bytes.load(Ordering::Relaxed)
    }

    fn drop_some(&self, why: EventDrop, count: u64) {
        if let Some(counter) = self.dropped.get(why as usize) {
            counter.fetch_add(count, Ordering::Relaxed);
        }
    }

    fn release(&self, bytes: usize) {
        self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Tells of events. Cheap to clone; all clones lead to the same place.
#[derive(Debug, Clone)]
pub struct Events {
    waiting: mpsc::Sender<Vec<u8>>,
    queue_bytes: usize,
    counters: Arc<EventCounters>,
}

/// The task that takes events to their place.
#[derive(Debug)]
pub struct EventsTask {
    ending: CancellationToken,
    task: JoinHandle<()>,
}

impl Events {
    /// Opens the place and begins to take events there. An error says why it cannot be opened.
    pub fn begin(place: &EventsPlace, config: EventsConfig) -> Result<(Self, EventsTask), String> {
        Ok(Self::begin_at(OpenPlace::open(place)?, config))
    }

    fn begin_at(place: OpenPlace, config: EventsConfig) -> (Self, EventsTask) {
        let (waiting, taken) = mpsc::channel(config.queue.max(1));
        let (counters, ending) = (Arc::<EventCounters>::default(), CancellationToken::new());
        let job = Writing::new(place, config, Arc::clone(&counters));
        let task = tokio::spawn(job.run(taken, ending.clone()));
        (Self { waiting, queue_bytes: config.queue_bytes, counters }, EventsTask { ending, task })
    }

    /// Tells of an event, and never waits.
    pub fn tell(&self, event: &ServerEvent<'_>) {
        let counters = &*self.counters;
        counters.told.fetch_add(1, Ordering::Relaxed);
        // A structure of texts and numbers is always JSON.
        let Ok(mut line) = serde_json::to_vec(event) else {
            return counters.drop_some(EventDrop::Refused, 1);
        };
        line.push(b'\n');
        let bytes = line.len();
        let before = counters.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes > self.queue_bytes || self.waiting.try_send(line).is_err() {
            counters.release(bytes);
            counters.drop_some(EventDrop::Full, 1);
        }
    }

    /// What became of them.
    pub const fn counters(&self) -> &Arc<EventCounters> {
        &self.counters
    }
}

impl EventsTask {
    /// Takes what waits to its place, within the time for that; what is told of afterwards is dropped.
    pub async fn end(self) {
        self.ending.cancel();
        // It ends by itself, and what it could not take is counted.
        self.task.await.ok();
    }
}
