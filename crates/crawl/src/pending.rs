//! Dials that wait. A host that does not answer keeps a socket for seconds and costs nothing else, so it must not hold
//! a place that a conversation could use.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;

/// A dial that took this long is counted as waiting. Most peers of the public network that answer at all have done so
/// by then.
pub(crate) const PATIENCE: Duration = Duration::from_millis(500);

/// Counts the dials that wait.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pending {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: AtomicUsize,
    more: Notify,
}

impl Pending {
    /// How many dials have been under way for longer than [`PATIENCE`].
    pub(crate) fn waiting(&self) -> usize {
        self.shared.waiting.load(Ordering::Relaxed)
    }

    /// Resolves when another dial has begun to wait since the last call.
    pub(crate) async fn more(&self) {
        self.shared.more.notified().await;
    }

    /// Drives a dial and counts it while it waits.
    pub(crate) async fn watch<T>(&self, dial: impl Future<Output = T>) -> T {
        let mut dial = pin!(dial);
        if let Ok(done) = tokio::time::timeout(PATIENCE, dial.as_mut()).await {
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
