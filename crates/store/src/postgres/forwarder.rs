//! Sees to it that what one run, or whoever else, wrote comes into the database, however often the connection is lost.
//!
//! While the database is away batches wait in the backlog, and another connection is tried again and again: at once, then after
//! a time that doubles, with some jitter, so that many programs do not come back in the same moment.

use std::{
    path::PathBuf,
    pin::{Pin, pin},
    time::Duration,
};

use schema::{RunId, RunStart};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{self, Instant},
};

use super::{
    backlog::Backlog,
    batch::Load,
    carrier::{Brought, Carrier},
    client::PgClient,
    courier::Courier,
    desk::Clerk,
    error, fault, left,
    login::Login,
    runs,
    values::Key,
};
use crate::{Error, Totals, writer::tell};

/// The first time between two tries to connect, and the longest.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(15));

/// Batches that are brought while whoever wrote another one waits: what waits becomes less than it was.
const ROUNDS: usize = 8;

/// Why rows of a run cannot be brought, now or ever.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The run was deleted.
    NoRun,
    /// The database does not take them.
    Sql(tokio_postgres::Error),
    /// The file in which they wait cannot be read.
    Io(std::io::Error),
    /// The database was away until the end of all patience. What is not in it waits in this file; `None`: it is lost.
    Away { reason: String, left: Option<PathBuf> },
}

/// Brings what one run wrote, or whoever else sends rows of one kind.
#[derive(Debug)]
pub(crate) struct Forwarder<C: Carrier = Courier> {
    login: Login,
    store: String,
    run: (i32, RunId),
    spills: Option<PathBuf>,
    carrier: Option<C>,
    connecting: Option<JoinHandle<Result<C, String>>>,
    backlog: Backlog<C::Load>,
    last_batch: i64,
    totals: Totals,
    /// Who is told of them when they change between two batches.
    progress: Option<watch::Sender<Totals>>,
    tries: u32,
    next_try: Instant,
    reason: String,
}

impl<C: Carrier> Forwarder<C> {
    /// Of somebody with this number in the database, and this id; files of what waits go to the directory `spills`.
    pub(crate) fn new(login: Login, run: (i32, RunId), spills: Option<PathBuf>) -> Self {
        Self {
            store: login.to_string(),
            login,
            carrier: None,
            connecting: None,
            backlog: Backlog::new(run.1, spills.clone()),
            run,
            spills,
            last_batch: 0,
            totals: Totals::default(),
            progress: None,
            tries: 0,
            next_try: Instant::now(),
            reason: String::new(),
        }
    }

    /// Tells `progress` what is in the database, also while nobody writes.
    pub(crate) fn report_to(&mut self, progress: watch::Sender<Totals>) {
        self.progress = Some(progress);
    }

    /// Takes a batch, and brings it if the database is there. Waits for the database while there is no room for what waits, but
    /// no longer than until all patience is `gone`; returns what its sender has in the database by now.
    pub(crate) async fn push(
        &mut self,
        load: C::Load,
        gone: impl Future<Output = ()>,
    ) -> Result<Totals, Refused> {
        let mut gone = pin!(gone);
        self.last_batch += 1;
        let mut waiting = load.numbered(self.last_batch);
        while let Err(back) = self.backlog.push(waiting) {
            waiting = back;
            self.try_until(gone.as_mut()).await?;
        }
        self.bring(ROUNDS).await?;
        Ok(self.totals)
    }

    /// Takes a batch without bringing it: it waits behind all others. One for which there is no room is lost.
    pub(crate) fn hold(&mut self, load: C::Load) {
        self.last_batch += 1;
        if self.backlog.push(load.numbered(self.last_batch)).is_err() {
            tracing::error!(
                database = self.store,
                "rows are lost: there is no room for them while the database is away"
            );
        }
    }

    /// Brings all that waits and then the end of the run, if there is one. Waits for the database until all patience is `gone`.
    pub(crate) async fn finish(
        &mut self,
        end: Option<C::Load>,
        gone: impl Future<Output = ()>,
    ) -> Result<Totals, Refused> {
        let mut gone = pin!(gone);
        if let Some(mut end) = end {
            while let Err(back) = self.backlog.push(end) {
                end = back;
                self.try_until(gone.as_mut()).await?;
            }
        }
        while !self.backlog.is_empty() {
            self.try_until(gone.as_mut()).await?;
        }
        Ok(self.totals)
    }

    async fn try_until(&mut self, gone: Pin<&mut impl Future<Output = ()>>) -> Result<(), Refused> {
        let is_gone = tokio::select! {
            biased;
            () = self.connected() => false,
            () = gone => true,
        };
        if is_gone {
            return Err(self.give_up());
        }
        self.bring(ROUNDS).await
    }

    /// Puts what waits into a file.
    pub(crate) fn give_up(&mut self) -> Refused {
        let backlog = std::mem::replace(&mut self.backlog, Backlog::new(self.run.1, None));
        let reason = std::mem::take(&mut self.reason);
        let left = backlog.leave().unwrap_or_else(|error| {
            tracing::error!(%error, "rows that wait for the database cannot be put into a file");
            None
        });
        Refused::Away { reason, left }
    }

    /// Brings up to `most` of what waits, as long as the database is there.
    async fn bring(&mut self, most: usize) -> Result<(), Refused> {
        for _ in 0..most {
            self.look_for_connection().await;
            let Some(carrier) = &mut self.carrier else { return Ok(()) };
            let Some(load) = self.backlog.first().map_err(Refused::Io)? else { return Ok(()) };
            match carrier.bring(load).await {
                Ok(Brought::There(totals)) => {
                    self.totals = totals;
                    if let Some(progress) = &self.progress {
                        tell(progress, totals);
                    }
                    self.tries = 0;
                    self.backlog.done();
                }
                Ok(Brought::NoRun) => return Err(Refused::NoRun),
                Err(error) if fault::passes(&error) => self.lost(&fault::text(&error)),
                Err(error) => return Err(Refused::Sql(error)),
            }
        }
        Ok(())
    }

    /// The connection is of no use any more, or the server is not.
    fn lost(&mut self, reason: &str) {
        if self.tries == 0 {
            tracing::warn!(
                database = self.store,
                reason,
                "rows cannot be brought into the database: they wait"
            );
        }
        self.carrier = None;
        reason.clone_into(&mut self.reason);
        self.next_try = Instant::now() + self.delay();
        self.tries = self.tries.saturating_add(1);
    }

    /// Doubles from try to try; of each time some part between a half and all, that differs between runs and tries.
    fn delay(&self) -> Duration {
        let (first, longest) = RETRY;
        if self.tries == 0 {
            return Duration::ZERO;
        }
        let full = first.saturating_mul(1 << (self.tries - 1).min(16)).min(longest);
        let hash = Key::hash(&[&self.run.1.0[..], &self.tries.to_be_bytes()].concat());
        let part = hash.0.first().copied().unwrap_or_default();
        full.mul_f64(f64::from(part).mul_add(1.0 / 512.0, 0.5))
    }

    /// Begins to connect when it is time, and notes what came of it; does not wait.
    async fn look_for_connection(&mut self) {
        if self.carrier.as_ref().is_some_and(C::is_lost) {
            self.lost("the connection was closed");
        }
        if self.carrier.is_some() {
            return;
        }
        if self.connecting.is_none() && Instant::now() >= self.next_try {
            self.begin_connecting();
        }
        if self.connecting.as_ref().is_some_and(JoinHandle::is_finished) {
            self.end_connecting().await;
        }
    }

    fn begin_connecting(&mut self) {
        let (login, run) = (self.login.clone(), self.run.0);
        self.connecting = Some(tokio::spawn(async move { C::connect(&login, run).await }));
    }

    /// Waits for what came of it. May be dropped at any point.
    async fn end_connecting(&mut self) {
        let Some(connecting) = &mut self.connecting else { return };
        let connected = connecting.await;
        self.connecting = None;
        match connected {
            Ok(Ok(carrier)) => {
                tracing::info!(database = self.store, "the database is there again");
                self.carrier = Some(carrier);
            }
            Ok(Err(reason)) => self.lost(&reason),
            Err(error) => self.lost(&error.to_string()),
        }
    }

    /// Waits until there is a connection. May be dropped at any point.
    async fn connected(&mut self) {
        while self.carrier.is_none() {
            if self.connecting.is_none() {
                time::sleep_until(self.next_try).await;
                self.begin_connecting();
            }
            self.end_connecting().await;
        }
    }
}

impl Forwarder {
    /// Begins the run, of which so many visits were pruned elsewhere, and brings what killed programs left in files before that.
    pub(crate) async fn begin(&mut self, start: &RunStart, pruned: u64) -> Result<(), Error> {
        const OPERATION: &str = "begin a run";
        let fail = |error: tokio_postgres::Error| error::named(&self.store, OPERATION, &error);
        let unreachable = |reason| Error::Unreachable { store: self.store.clone(), reason };
        let mut client = PgClient::connect(&self.login).await.map_err(unreachable)?;
        let Some(run) = runs::insert(&mut client.sql, start, pruned).await.map_err(fail)? else {
            return Err(Error::RunExists { store: self.store.clone(), id: start.id });
        };
        if let Some(directory) = &self.spills {
            left::bring(&self.login, &client, directory).await;
        }
        self.carrier = Some(Courier::of(client, run).await.map_err(fail)?);
        self.run.0 = run;
        Ok(())
    }
}

impl<C: Carrier> Clerk for Forwarder<C> {
    /// Until something that waits can be brought.
    async fn wait(&mut self) {
        if self.backlog.is_empty() {
            return std::future::pending().await;
        }
        self.connected().await;
    }

    async fn work(&mut self) {
        if let Err(refused) = self.bring(ROUNDS).await {
            tracing::error!(?refused, "rows that waited cannot be brought into the database");
            // Whoever writes next meets the same, and hears of it. Until then it is not tried again.
            self.carrier = None;
            self.next_try = Instant::now() + RETRY.1;
        }
    }

    async fn leave(&mut self) {
        if !self.backlog.is_empty()
            && let Refused::Away { left: Some(left), .. } = self.give_up()
        {
            tracing::warn!(path = %left.display(), "rows are left in a file: the next run into the database brings them");
        }
        if let Some(carrier) = self.carrier.take() {
            carrier.leave().await;
        }
    }
}
