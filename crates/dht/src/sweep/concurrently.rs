//! Several futures at once in one task, where they borrow what a task of their own could not.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
};

/// Waits until all of them are done. Each is polled whenever one of them may go on, so they should be few.
pub(super) async fn concurrently<F: Future<Output = ()>>(all: impl Iterator<Item = F>) {
    let mut open: Vec<Pin<Box<F>>> = all.map(Box::pin).collect();
    poll_fn(|cx| {
        open.retain_mut(|future| future.as_mut().poll(cx).is_pending());
        if open.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
