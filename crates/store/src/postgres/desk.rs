//! A thread on which a connection lives: whoever has something to ask gives it a job, and waits for the answer in a thread of
//! its own or within a runtime.

use std::{
    io,
    pin::Pin,
    thread::{self, JoinHandle},
};

use tokio::{
    runtime,
    sync::{mpsc, oneshot},
};

/// Jobs that may wait.
const QUEUE_JOBS: usize = 16;

/// What sits at the desk.
pub(crate) trait Clerk: Send + 'static {
    /// Waits until there is something to do without being asked. It may be dropped at any point.
    async fn wait(&mut self);
    /// Does it.
    async fn work(&mut self);
    /// Nobody will ask again.
    async fn leave(&mut self);
}

type Job<S> = Box<dyn for<'a> FnOnce(&'a mut S) -> Pin<Box<dyn Future<Output = ()> + 'a>> + Send>;

/// The thread. Dropping it waits until the clerk has left.
#[derive(Debug)]
pub(crate) struct Desk<S> {
    jobs: Option<mpsc::Sender<Job<S>>>,
    thread: Option<JoinHandle<()>>,
}

/// What a job will come to.
#[derive(Debug)]
pub(crate) struct Ordered<T>(std::sync::mpsc::Receiver<T>);

impl<T> Ordered<T> {
    /// Waits for it in this thread; `None` if the clerk has died.
    pub(crate) fn wait(self) -> Option<T> {
        self.0.recv().ok()
    }
}

impl<S: Clerk> Desk<S> {
    /// Sits a clerk down on a thread of this name.
    pub(crate) fn new(name: &str, mut clerk: S) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (jobs, mut queue) = mpsc::channel::<Job<S>>(QUEUE_JOBS);
        let day = move || {
            runtime.block_on(async {
                loop {
                    tokio::select! {
                        biased;
                        job = queue.recv() => match job {
                            Some(job) => job(&mut clerk).await,
                            None => break,
                        },
                        () = clerk.wait() => clerk.work().await,
                    }
                }
                clerk.leave().await;
            });
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(day)?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Has a job done, and waits for it in this thread; `None` if the clerk has died.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        job: impl for<'a> AsyncFnOnce(&'a mut S) -> T + Send + 'static,
    ) -> Option<T> {
        self.order(job)?.wait()
    }

    /// Has a job done, and goes on meanwhile.
    pub(crate) fn order<T: Send + 'static>(
        &self,
        job: impl for<'a> AsyncFnOnce(&'a mut S) -> T + Send + 'static,
    ) -> Option<Ordered<T>> {
        let (answer, answered) = std::sync::mpsc::sync_channel(1);
        let mut job: Job<S> = Box::new(move |clerk| {
            Box::pin(async move {
                // Whoever asked may have gone.
                drop(answer.send(job(clerk).await));
            })
        });
        let jobs = self.jobs.as_ref()?;
        // Not `blocking_send`: this thread may be one of a runtime.
        while let Err(error) = jobs.try_send(job) {
            match error {
                mpsc::error::TrySendError::Full(back) => job = back,
                mpsc::error::TrySendError::Closed(_) => return None,
            }
            thread::yield_now();
        }
        Some(Ordered(answered))
    }

    /// The same, within a runtime.
    pub(crate) async fn ask_async<T: Send + 'static>(
        &self,
        job: impl for<'a> AsyncFnOnce(&'a mut S) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let job: Job<S> = Box::new(move |clerk| {
            Box::pin(async move {
                drop(answer.send(job(clerk).await));
            })
        });
        self.jobs.as_ref()?.send(job).await.ok()?;
        answered.await.ok()
    }
}

impl<S> Drop for Desk<S> {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("a thread of the store has panicked");
        }
    }
}
