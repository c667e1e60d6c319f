//! The task that gathers events and takes them to their place, a batch at a time.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep, sleep_until, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{EventCounters, EventDrop, EventsConfig, place::OpenPlace};

/// Takes events to a place.
pub(super) struct Writing {
    place: OpenPlace,
    config: EventsConfig,
    counters: Arc<EventCounters>,
    batch: Vec<u8>,
    /// How many events are in it.
    count: u64,
    /// When it is one, however small.
    due: Option<Instant>,
}

impl Writing {
    pub(super) const fn new(place: OpenPlace, config: EventsConfig, counters: Arc<EventCounters>) -> Self {
        Self { place, config, counters, batch: Vec::new(), count: 0, due: None }
    }

    /// Until it is to end, and then what waits.
    pub(super) async fn run(mut self, mut waiting: mpsc::Receiver<Vec<u8>>, ending: CancellationToken) {
        loop {
            let until = self.due.unwrap_or_else(|| Instant::now() + self.config.every);
            tokio::select! {
                biased;
                () = ending.cancelled() => break,
                line = waiting.recv() => match line {
                    Some(line) => self.add(&line),
                    None => break,
                },
                () = sleep_until(until), if self.due.is_some() => self.due = Some(Instant::now()),
            }
            if self.is_due() && ending.run_until_cancelled(self.deliver()).await.is_none() {
                break;
            }
        }
        waiting.close();
        let until = Instant::now() + self.config.drain;
        let rest = async {
            loop {
                while !self.is_full()
                    && let Ok(line) = waiting.try_recv()
                {
                    self.add(&line);
                }
                if self.count == 0 {
                    return;
                }
                self.deliver().await;
            }
        };
        if timeout_at(until, rest).await.is_err() {
            self.drop_batch(EventDrop::Late);
            while let Ok(line) = waiting.try_recv() {
                self.add(&line);
                self.drop_batch(EventDrop::Late);
            }
        }
    }

    fn add(&mut self, line: &[u8]) {
        self.due.get_or_insert_with(|| Instant::now() + self.config.every);
        self.batch.extend_from_slice(line);
        self.count += 1;
    }

    const fn is_full(&self) -> bool {
        self.count >= self.config.batch as u64
    }

    fn is_due(&self) -> bool {
        self.is_full() || self.due.is_some_and(|due| due <= Instant::now())
    }

    /// Takes the batch to its place. Dropped, it still has the batch.
    async fn deliver(&mut self) {
        let mut pause = self.config.pause;
        for attempt in 1.. {
            match self.place.take(self.batch.clone()).await {
                Ok(()) => {
                    self.counters.delivered.fetch_add(self.count, Ordering::Relaxed);
                    self.counters.batches.fetch_add(1, Ordering::Relaxed);
                    return self.forget();
                }
                Err(lost) if lost.is_final || attempt >= self.config.attempts => {
                    return self.drop_batch(lost.why);
                }
                Err(_) => {
                    self.counters.retries.fetch_add(1, Ordering::Relaxed);
                    sleep(pause).await;
                    pause = pause.saturating_mul(2).min(Duration::from_secs(60));
                }
            }
        }
    }

    fn drop_batch(&mut self, why: EventDrop) {
        self.counters.drop_some(why, self.count);
        self.forget();
    }

    fn forget(&mut self) {
        self.counters.release(self.batch.len());
        self.batch.clear();
        (self.count, self.due) = (0, None);
    }
}
