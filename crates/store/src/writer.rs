//! Receives the rows of one run and appends them in batches, on a thread of its own, whatever keeps them.

use std::{
    fmt,
    future::{pending, ready},
    io,
    pin::Pin,
    thread::{self, JoinHandle},
};

use schema::{Row, RunEnd, Timestamp};
use tokio::{
    runtime,
    sync::{
        mpsc::{self, error::TryRecvError},
        oneshot, watch,
    },
    time::{self, Instant},
};

use crate::{
    Error, Limits, Totals,
    limits::{GATHER_INTERVAL, QUEUE_ROWS},
    sqlite,
};

#[cfg(feature = "postgres")]
use crate::postgres;

/// Ready when nobody has time any more to wait for a store that is away.
pub(crate) type Hurry = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a writer ends with.
struct Finish {
    end: RunEnd,
    hurry: Hurry,
}

impl fmt::Debug for Finish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finish").field("end", &self.end).finish_non_exhaustive()
    }
}

/// Appends the rows of one run to what keeps them. Dropped, the run counts as ended or interrupted. After an error it must
/// not be used again.
#[derive(Debug)]
pub(crate) enum Appender {
    Sqlite(Box<sqlite::Appender>),
    #[cfg(feature = "postgres")]
    Postgres(Box<postgres::Appender>),
}

impl Appender {
    /// Appends rows whole or not at all; returns what the run has by now. `now` is when the rows are created.
    pub(crate) async fn append(&mut self, rows: Vec<Row>, now: Timestamp) -> Result<Totals, Error> {
        match self {
            Self::Sqlite(appender) => ready(appender.append(&rows, now)).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(appender) => appender.append(rows, now).await,
        }
    }

    /// Has `progress` told of what comes into the store between two batches.
    fn report_to(&self, progress: watch::Sender<Totals>) {
        match self {
            // Nothing does.
            Self::Sqlite(_) => drop(progress),
            #[cfg(feature = "postgres")]
            Self::Postgres(appender) => appender.report_to(progress),
        }
    }

    /// Writes the end of the run. What the store is away for is waited for until `hurry` is ready, and within the limits.
    pub(crate) async fn end(&mut self, end: &RunEnd, hurry: Hurry) -> Result<Totals, Error> {
        match self {
            // A file is not away.
            Self::Sqlite(appender) => ready((appender.end(end), drop(hurry)).0).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(appender) => appender.end(end, hurry).await,
        }
    }
}

/// Appends the rows of one run as they come.
///
/// A batch is written when [`Limits::batch_rows`] are in hand or [`Limits::batch_time`] has passed, in one transaction;
/// a kill loses at most the batch in hand. When a batch cannot be written the channel closes, and
/// [`finish`](Self::finish) says why. Dropped without `finish`, it waits until what was sent is written, and leaves the
/// crawl without an end: it counts as interrupted.
#[derive(Debug)]
pub struct Writer {
    store: String,
    rows: mpsc::Sender<Row>,
    progress: watch::Receiver<Totals>,
    end: Option<oneshot::Sender<Finish>>,
    done: Option<oneshot::Receiver<Result<Totals, Error>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread that appends the rows of a run which `began` then. Errors call the store `store`.
    pub(crate) fn begin(
        appender: Appender,
        store: String,
        began: (Timestamp, Instant),
        limits: Limits,
    ) -> Result<Self, Error> {
        let failed = |source: io::Error| Error::Backend {
            store: store.clone(),
            operation: "start a thread that writes",
            source: source.into(),
        };
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (rows, receiver) = mpsc::channel(QUEUE_ROWS);
        let (end, end_receiver) = oneshot::channel();
        let (done_sender, done) = oneshot::channel();
        let (progress_sender, progress) = watch::channel(Totals::default());
        appender.report_to(progress_sender.clone());
        let task =
            Task { appender, began, rows: receiver, end: end_receiver, progress: progress_sender, limits };
        let run = move || {
            let done = runtime.block_on(task.run());
            if let Err(Err(error)) = done_sender.send(done) {
                tracing::error!(%error, "rows were lost");
            }
        };
        let thread = thread::Builder::new().name("store".to_owned()).spawn(run).map_err(failed)?;
        Ok(Self { store, rows, progress, end: Some(end), done: Some(done), thread: Some(thread) })
    }

    /// Where rows are sent to. Bounded: a sender waits while the store is slower than the tool. Closed once a batch
    /// could not be written.
    pub fn sender(&self) -> mpsc::Sender<Row> {
        self.rows.clone()
    }

    /// What is committed, updated with every batch. It closes when the writer ends.
    pub fn progress(&self) -> watch::Receiver<Totals> {
        self.progress.clone()
    }

    /// Writes what was sent and then the end of the run. Senders that still exist find the channel closed.
    ///
    /// Fails with the first error that a batch or the end met; what was committed before is kept.
    pub async fn finish(self, end: RunEnd) -> Result<Totals, Error> {
        self.finish_before(end, pending()).await
    }

    /// The same for who may not have the time that [`Limits::outage`] gives a store that is away: once `hurry` is ready, what
    /// such a store does not have is left where the next run finds it, and [`Error::Away`] says where.
    pub async fn finish_before(
        mut self,
        end: RunEnd,
        hurry: impl Future<Output = ()> + Send + 'static,
    ) -> Result<Totals, Error> {
        let died = || Error::WriterDied { store: self.store.clone() };
        // A writer that has failed does not take it, and says why below.
        let finish = Finish { end, hurry: Box::pin(hurry) };
        drop(self.end.take().map(|sender| sender.send(finish)));
        let done = self.done.take().ok_or_else(died)?;
        done.await.map_err(|_| died())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!(store = self.store, "the thread that writes has panicked");
        }
    }
}

/// What the thread does.
struct Task {
    appender: Appender,
    /// When the run began, by its clock and by that of the system, which does not step.
    began: (Timestamp, Instant),
    rows: mpsc::Receiver<Row>,
    end: oneshot::Receiver<Finish>,
    progress: watch::Sender<Totals>,
    limits: Limits,
}

/// Whether the run goes on.
enum Ending {
    NotYet,
    /// All was sent.
    Finished(Finish),
    /// The writer was dropped.
    Dropped,
}

impl Task {
    async fn run(mut self) -> Result<Totals, Error> {
        let mut batch = Vec::with_capacity(self.limits.batch_rows);
        let mut ending = Ending::NotYet;
        loop {
            self.gather(&mut batch, &mut ending).await;
            if !batch.is_empty() {
                let now = self.began.0.after(self.began.1.elapsed());
                let rows = std::mem::replace(&mut batch, Vec::with_capacity(self.limits.batch_rows));
                let totals = self.appender.append(rows, now).await?;
                tell(&self.progress, totals);
                continue;
            }
            match ending {
                Ending::NotYet => {}
                Ending::Finished(Finish { end, hurry }) => return self.appender.end(&end, hurry).await,
                Ending::Dropped => return Ok(*self.progress.borrow()),
            }
        }
    }

    /// Fills a batch. After the end was asked for, what is in the queue comes at once and nothing more gets into it;
    /// an empty batch then says that the queue is empty.
    async fn gather(&mut self, batch: &mut Vec<Row>, ending: &mut Ending) {
        if matches!(ending, Ending::NotYet) {
            tokio::select! {
                biased;
                end = &mut self.end => *ending = self.close(end),
                Some(row) = self.rows.recv() => batch.push(row),
            }
        }
        let deadline = Instant::now() + self.limits.batch_time;
        loop {
            while batch.len() < self.limits.batch_rows {
                match self.rows.try_recv() {
                    Ok(row) => batch.push(row),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return,
                }
            }
            if batch.len() >= self.limits.batch_rows || Instant::now() >= deadline {
                return;
            }
            if matches!(ending, Ending::NotYet) {
                tokio::select! {
                    biased;
                    end = &mut self.end => *ending = self.close(end),
                    () = time::sleep(GATHER_INTERVAL) => {}
                }
                continue;
            }
            // A sender that was given room before the end may not have used it yet.
            match time::timeout_at(deadline, self.rows.recv()).await {
                Ok(Some(row)) => batch.push(row),
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// Lets nothing more into the queue.
    fn close(&mut self, end: Result<Finish, oneshot::error::RecvError>) -> Ending {
        self.rows.close();
        end.map_or(Ending::Dropped, Ending::Finished)
    }
}

/// Tells what is committed, if it is something new.
pub(crate) fn tell(progress: &watch::Sender<Totals>, totals: Totals) {
    progress.send_if_modified(|told| {
        let is_new = *told != totals;
        *told = totals;
        is_new
    });
}
