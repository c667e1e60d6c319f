//! Receives the rows of one crawl and appends them in batches, on a thread of its own.

use std::{
    io,
    path::PathBuf,
    thread::{self, JoinHandle},
};

use schema::{CrawlEnd, CrawlStart, Row};
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
    alive::Alive,
    append::Appender,
    limits::{GATHER_INTERVAL, QUEUE_ROWS},
    open::{self, Absent},
};

/// Appends the rows of one crawl as they come.
///
/// A batch is written when [`Limits::batch_rows`] are in hand or [`Limits::batch_time`] has passed, in one transaction;
/// a kill loses at most the batch in hand. When a batch cannot be written the channel closes, and
/// [`finish`](Self::finish) says why. Dropped without `finish`, it waits until what was sent is written, and leaves the
/// crawl without an end: it counts as interrupted.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    rows: mpsc::Sender<Row>,
    progress: watch::Receiver<Totals>,
    end: Option<oneshot::Sender<CrawlEnd>>,
    done: Option<oneshot::Receiver<Result<Totals, Error>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Begins a crawl in the file at `path`.
    pub(crate) fn begin(path: PathBuf, start: &CrawlStart, limits: Limits) -> Result<Self, Error> {
        let io_error = |operation, source: io::Error| Error::Io { path: path.clone(), operation, source };
        let connection = open::connect(&path, Absent::Refuse, &limits)?;
        let alive = Alive::new(&path, start.id).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => Error::CrawlExists { path: path.clone(), id: start.id },
            _ => io_error("lock the crawl", error),
        })?;
        let appender = Appender::begin(connection, path.clone(), start, &limits)?;
        let runtime = runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|e| io_error("start a thread that writes", e))?;

        let (rows, receiver) = mpsc::channel(QUEUE_ROWS);
        let (end, end_receiver) = oneshot::channel();
        let (done_sender, done) = oneshot::channel();
        let (progress_sender, progress) = watch::channel(Totals::default());
        let task = Task { appender, rows: receiver, end: end_receiver, progress: progress_sender, limits };
        let run = move || {
            let done = runtime.block_on(task.run());
            drop(alive);
            if let Err(Err(error)) = done_sender.send(done) {
                tracing::error!(%error, "rows were lost");
            }
        };
        let thread = thread::Builder::new().name("store".to_owned()).spawn(run);
        let thread = Some(thread.map_err(|e| io_error("start a thread that writes", e))?);
        Ok(Self { path, rows, progress, end: Some(end), done: Some(done), thread })
    }

    /// Where rows are sent to. Bounded: a sender waits while the disk is slower than the crawl. Closed once a batch
    /// could not be written.
    pub fn sender(&self) -> mpsc::Sender<Row> {
        self.rows.clone()
    }

    /// What is committed, updated with every batch. It closes when the writer ends.
    pub fn progress(&self) -> watch::Receiver<Totals> {
        self.progress.clone()
    }

    /// Writes what was sent and then the end of the crawl. Senders that still exist find the channel closed.
    ///
    /// Fails with the first error that a batch or the end met; what was committed before is kept.
    pub async fn finish(mut self, end: CrawlEnd) -> Result<Totals, Error> {
        let died = || Error::WriterDied { path: self.path.clone() };
        // A writer that has failed does not take it, and says why below.
        drop(self.end.take().map(|sender| sender.send(end)));
        let done = self.done.take().ok_or_else(died)?;
        done.await.map_err(|_| died())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!(path = %self.path.display(), "the thread that writes has panicked");
        }
    }
}

/// What the thread does.
struct Task {
    appender: Appender,
    rows: mpsc::Receiver<Row>,
    end: oneshot::Receiver<CrawlEnd>,
    progress: watch::Sender<Totals>,
    limits: Limits,
}

/// Whether the crawl goes on.
enum Ending {
    NotYet,
    /// All was sent.
    Finished(CrawlEnd),
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
                let totals = self.appender.append(&batch)?;
                batch.clear();
                self.progress.send_replace(totals);
                continue;
            }
            match &ending {
                Ending::NotYet => {}
                Ending::Finished(end) => return self.appender.end(end),
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
    fn close(&mut self, end: Result<CrawlEnd, oneshot::error::RecvError>) -> Ending {
        self.rows.close();
        end.map_or(Ending::Dropped, Ending::Finished)
    }
}
