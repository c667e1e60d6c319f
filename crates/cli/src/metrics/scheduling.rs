//! What of a scheduler has a bound; the rest is described beside it.

use http::Holding;
use perf::CallAttempt;
use tokio::sync::mpsc;

/// The attempts that wait to be kept. Who looks on does not keep the queue open.
pub(crate) fn attempts_waiting(queue: &mpsc::Sender<CallAttempt>) -> Holding {
    let bound = queue.max_capacity() as u64;
    let queue = queue.downgrade();
    let waiting = move || queue.upgrade().map_or(0, |queue| (queue.max_capacity() - queue.capacity()) as u64);
    Holding::new("attempts_waiting", bound, waiting)
}
