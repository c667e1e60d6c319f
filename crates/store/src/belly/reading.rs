//! What becomes of a question: an answer at once, one that is waited for, or none.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    sync::oneshot,
    time::{Instant, Sleep, sleep_until},
};

use super::ReadFailure;

/// The answer to a question, as far as there is one at once.
#[derive(Debug)]
pub enum Reading<T> {
    /// All there is.
    Known(T),
    /// The backend has to be asked.
    Unread(Unread<T>),
    /// The backend is not asked: too much waits for it already, or it is away.
    Shed(ReadFailure),
}

/// An answer that is waited for, until a deadline.
#[derive(Debug)]
pub struct Unread<T> {
    answer: oneshot::Receiver<Result<T, ReadFailure>>,
    deadline: Pin<Box<Sleep>>,
}

impl<T> Unread<T> {
    /// What comes by a channel until a deadline.
    pub fn new(answer: oneshot::Receiver<Result<T, ReadFailure>>, deadline: Instant) -> Self {
        Self { answer, deadline: Box::pin(sleep_until(deadline)) }
    }
}

impl<T> Future for Unread<T> {
    type Output = Result<T, ReadFailure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match Pin::new(&mut self.answer).poll(context) {
            Poll::Ready(Ok(answer)) => return Poll::Ready(answer),
            Poll::Ready(Err(_)) => return Poll::Ready(Err(ReadFailure::Closed)),
            Poll::Pending => {}
        }
        self.deadline.as_mut().poll(context).map(|()| Err(ReadFailure::Deadline))
    }
}

impl<T> Reading<T> {
    /// Waits for the answer.
    pub async fn wait(self) -> Result<T, ReadFailure> {
        match self {
            Self::Known(known) => Ok(known),
            Self::Unread(unread) => unread.await,
            Self::Shed(failure) => Err(failure),
        }
    }
}
