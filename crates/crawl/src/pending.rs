//! Dials that wait. A host that does not answer keeps a socket for seconds and costs nothing else, so it must not hold
//! a place that a conversation could use.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;

/// A dial that took this many times as long as dials that succeeded did on average is counted as waiting.
const PATIENCE_FACTOR: u32 = 4;

/// The least and the most time after which a dial is counted as waiting. Most peers of the public network that answer
/// at all have done so within the latter.
const MIN_PATIENCE: Duration = Duration::from_millis(50);
const MAX_PATIENCE: Duration = Duration::from_millis(500);

/// How much one dial counts in the moving average: one part in this many.
const MEMORY: u64 = 16;

/// Counts the dials that wait.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pending {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: AtomicUsize,
    more: Notify,
    /// A moving average of dials that succeeded, in microseconds; 0 before the first.
    usual_us: AtomicU64,
}

impl Pending {
    /// How many dials have been under way for longer than dials usually take.
    pub(crate) fn waiting(&self) -> usize {
        self.shared.waiting.load(Ordering::Relaxed)
    }

    /// Resolves when another dial has begun to wait since the last call.
    pub(crate) async fn more(&self) {
        self.shared.more.notified().await;
    }

    /// Notes how long a dial took that succeeded.
    pub(crate) fn succeeded(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).clamp(1, 60_000_000);
        // Two threads at once may lose one of the two: an average does not mind.
        let usual = self.shared.usual_us.load(Ordering::Relaxed);
        let next = if usual == 0 { took } else { (usual * (MEMORY - 1) + took).div_ceil(MEMORY) };
        self.shared.usual_us.store(next, Ordering::Relaxed);
    }

    fn patience(&self) -> Duration {
        match self.shared.usual_us.load(Ordering::Relaxed) {
            0 => MAX_PATIENCE,
            usual => (Duration::from_micros(usual) * PATIENCE_FACTOR).clamp(MIN_PATIENCE, MAX_PATIENCE),
        }
    }

    /// How long a dial may take that is known to wait in vain, if nothing has changed: as long as several of those that
    /// succeed, and at least `floor`.
    pub(crate) fn brief(&self, floor: Duration) -> Duration {
        let usual = Duration::from_micros(self.shared.usual_us.load(Ordering::Relaxed));
        floor.max(usual * PATIENCE_FACTOR)
    }

    /// Drives a dial and counts it while it waits.
    pub(crate) async fn watch<T>(&self, dial: impl Future<Output = T>) -> T {
        let mut dial = pin!(dial);
        if let Ok(done) = tokio::time::timeout(self.patience(), dial.as_mut()).await {
            return done;
        }
        let _waiting = Waiting::new(&self.shared);
        dial.await
    }
}

/// One dial that waits; counted until it is dropped, however its dial ends.
struct Waiting<'a> {
    shared: &'a Shared,
}

impl<'a> Waiting<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.waiting.fetch_add(1, Ordering::Relaxed);
        shared.more.notify_one();
        Self { shared }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_dial_waits_once_it_takes_longer_than_usual() {
        let pending = Pending::default();
        let dial = tokio::spawn({
            let pending = pending.clone();
            async move { pending.watch(tokio::time::sleep(Duration::from_secs(5))).await }
        });
        let begun = Instant::now();
        pending.more().await;
        assert_eq!((begun.elapsed(), pending.waiting()), (MAX_PATIENCE, 1));
        dial.await.expect("no panic");
        assert_eq!(pending.waiting(), 0);
        for _ in 0..100 {
            pending.succeeded(Duration::from_millis(25));
        }
        assert_eq!(pending.patience(), Duration::from_millis(100));
        let floor = Duration::from_secs(2);
        assert_eq!(pending.brief(floor), floor);
        pending.succeeded(Duration::from_secs(30));
        assert_eq!(pending.patience(), MAX_PATIENCE);
        assert!(pending.brief(floor) > Duration::from_secs(6), "what connects late is given the time");
    }

    #[tokio::test(start_paused = true)]
    async fn a_dial_that_is_given_up_waits_no_longer() {
        let pending = Pending::default();
        let watched = pending.watch(std::future::pending::<()>());
        assert!(tokio::time::timeout(Duration::from_secs(2), watched).await.is_err());
        assert_eq!(pending.waiting(), 0);
    }
}
