//! A thread with a connection to the file, which does one job after the other.

use std::{io, ops::ControlFlow, thread};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

/// Jobs that may wait.
const QUEUE_JOBS: usize = 8;

type Job = Box<dyn FnOnce(&mut Connection) -> ControlFlow<()> + Send>;

/// The thread. It ends, and closes the connection, when the desk is closed or dropped.
#[derive(Debug)]
pub(crate) struct SqliteDesk {
    jobs: mpsc::Sender<Job>,
    /// Nothing comes by it; it ends with the thread.
    ended: watch::Receiver<()>,
}

impl SqliteDesk {
    /// Starts a thread of this name.
    pub(crate) fn new(name: &str, mut connection: Connection) -> io::Result<Self> {
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE_JOBS);
        let (end, ended) = watch::channel(());
        let day = move || {
            while let Some(job) = queue.blocking_recv() {
                if job(&mut connection).is_break() {
                    break;
                }
            }
            drop(connection);
            drop(end);
        };
        thread::Builder::new().name(name.to_owned()).spawn(day)?;
        Ok(Self { jobs, ended })
    }

    /// Has a job done; `None` if the thread has ended.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Whoever asked may have gone.
            drop(answer.send(job(connection)));
            ControlFlow::Continue(())
        });
        self.jobs.send(job).await.ok()?;
        answered.await.ok()
    }

    /// Ends the thread when what was asked before is done, and waits until the connection is closed.
    pub(crate) async fn close(&self) {
        if self.jobs.send(Box::new(|_| ControlFlow::Break(()))).await.is_ok() {
            // An error is the end of the thread.
            drop(self.ended.clone().changed().await);
        }
    }
}
