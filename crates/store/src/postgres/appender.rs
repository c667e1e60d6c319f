//! Appends the rows of one run.

use std::{path::PathBuf, time::Duration};

use schema::{Row, RunEnd, RunId, RunStart, Timestamp};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use super::{
    batch::{Batch, Waiting},
    desk::Desk,
    error,
    forwarder::{Forwarder, Refused},
    login::Login,
};
use crate::{Error, Limits, Totals, writer::Hurry};

/// The rows of one run on their way. Dropped without an end, it waits for what it can bring, and leaves the rest in a file.
#[derive(Debug)]
pub(crate) struct Appender {
    store: String,
    limits: Limits,
    desk: Desk<Forwarder>,
    run: RunId,
}

impl Appender {
    /// Begins a run of which so many visits were pruned elsewhere, over a connection of its own; files of what waits go to the directory `spills`.
    pub(super) fn begin(
        login: &Login,
        spills: Option<PathBuf>,
        (start, pruned): (&RunStart, u64),
        limits: Limits,
    ) -> Result<Self, Error> {
        let store = login.to_string();
        let desk = Desk::new("postgres", Forwarder::new(login.clone(), (0, start.id), spills));
        let desk = desk.map_err(|source| Error::Backend {
            store: store.clone(),
            operation: "start a thread that writes",
            source: source.into(),
        })?;
        let wanted = start.clone();
        let begun = desk.ask(async move |forwarder: &mut Forwarder| forwarder.begin(&wanted, pruned).await);
        begun.unwrap_or_else(|| Err(Error::WriterDied { store: store.clone() }))?;
        Ok(Self { store, limits, desk, run: start.id })
    }

    /// Tells `progress` what is in the database, also while nothing is appended.
    pub(crate) fn report_to(&self, progress: watch::Sender<Totals>) {
        // One that has died is met by whoever appends.
        self.desk.ask(async move |forwarder: &mut Forwarder| forwarder.report_to(progress));
    }

    /// Appends rows; returns what of the run is in the database by now.
    pub(crate) async fn append(&mut self, rows: Vec<Row>, now: Timestamp) -> Result<Totals, Error> {
        let batch = Batch { number: 0, created_at: now, rows };
        let patience = self.limits.outage;
        let push = async move |forwarder: &mut Forwarder| {
            forwarder.push(Waiting::Batch(batch), sleep(patience)).await
        };
        let began = Instant::now();
        let pushed = self.desk.ask_async(push).await;
        self.named(pushed, "append rows", began)
    }

    /// Writes the end of the run; waits for a database that is away until `hurry` is ready, and not longer than for a batch.
    pub(crate) async fn end(&mut self, end: &RunEnd, hurry: Hurry) -> Result<Totals, Error> {
        let (end, patience) = (end.clone(), self.limits.outage);
        let ended = async move |forwarder: &mut Forwarder| {
            let gone = async { drop(timeout(patience, hurry).await) };
            forwarder.finish(Some(Waiting::End(end)), gone).await
        };
        let began = Instant::now();
        let ended = self.desk.ask_async(ended).await;
        self.named(ended, "end the run", began)
    }

    fn named(
        &self,
        done: Option<Result<Totals, Refused>>,
        operation: &'static str,
        began: Instant,
    ) -> Result<Totals, Error> {
        let store = self.store.clone();
        let Some(done) = done else { return Err(Error::WriterDied { store }) };
        done.map_err(|refused| match refused {
            Refused::NoRun => Error::UnknownRun { store, id: self.run },
            Refused::Sql(refused) => error::named(&store, operation, &refused),
            Refused::Io(source) => Error::Backend { store, operation, source: source.into() },
            Refused::Away { reason, left } => {
                // Nobody wants to read nanoseconds.
                let waited =
                    Duration::from_millis(began.elapsed().as_millis().try_into().unwrap_or(u64::MAX));
                Error::Away { store, waited, reason, left }
            }
        })
    }
}
