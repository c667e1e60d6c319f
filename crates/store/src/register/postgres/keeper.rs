//! Keeps measurements in Parsec's tables: a thread of its own gathers what is handed in, and the forwarder, which rows of runs have, too,
//! sees to it that it comes into the database, in order, each once, however long that is away.

use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use schema::RunId;
use tokio::{
    runtime,
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep_until},
};
use tokio_postgres::types::Type;

use super::{
    measured::{Measured, MeasuredRow},
    parsec_courier::ParsecCourier,
};
use crate::{
    Error, Totals,
    postgres::{Clerk as _, Forwarder, Login, PgClient, Refused, Spill, bring_one, named_error},
};

/// Rows that are handed in and not looked at yet.
const QUEUE_ROWS: usize = 1000;

/// Rows that are written together.
const BATCH_ROWS: usize = 200;

/// How long a database may take to answer after all patience with it is gone.
const GRACE: Duration = Duration::from_secs(1);

/// Who keeps the measurements of one process.
#[derive(Debug)]
pub(super) struct Keeper {
    store: String,
    /// Its number in the database.
    pub(super) number: i32,
    rows: Mutex<Option<mpsc::Sender<MeasuredRow>>>,
    /// Until when the database is waited for once nothing more will come.
    closing: watch::Sender<Option<Instant>>,
    done: Mutex<Option<oneshot::Receiver<Result<(), Refused>>>>,
}

impl Keeper {
    /// Begins, over a connection that is there; what programs that have ended left in files for this database is brought first.
    pub(super) async fn begin(
        login: Login,
        client: &PgClient,
        spills: Option<PathBuf>,
    ) -> Result<Self, Error> {
        const OPERATION: &str = "begin to keep measurements";
        let store = login.to_string();
        let failed = |error: tokio_postgres::Error| named_error(&store, OPERATION, &error);
        if let Some(directory) = &spills {
            bring_left(&login, client, directory).await;
        }
        let insert = "INSERT INTO kadscope_register.keeper (keeper_id) VALUES (gen_random_uuid())
            RETURNING id, uuid_send(keeper_id)";
        let row = client.sql.query_typed_one(insert, &[]).await.map_err(failed)?;
        let number: i32 = row.try_get(0).map_err(failed)?;
        let id: Vec<u8> = row.try_get(1).map_err(failed)?;
        let id = RunId(id.try_into().unwrap_or_default());
        let (rows, queue) = mpsc::channel(QUEUE_ROWS);
        let (closing, patience) = watch::channel(None);
        let (tell, done) = oneshot::channel();
        let broken = |source: std::io::Error| Error::Backend {
            store: store.clone(),
            operation: "start a thread that writes",
            source: source.into(),
        };
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(broken)?;
        let work = move || {
            runtime.block_on(async {
                let forwarder = Forwarder::new(login, (number, id), spills);
                let ended = Task { forwarder, queue, patience }.run().await;
                if let Err(Err(refused)) = tell.send(ended) {
                    tracing::error!(?refused, "measurements are not in Parsec's tables");
                }
            });
        };
        thread::Builder::new().name("parsec".to_owned()).spawn(work).map_err(broken)?;
        let (rows, done) = (Mutex::new(Some(rows)), Mutex::new(Some(done)));
        Ok(Self { store, number, rows, closing, done })
    }

    /// Takes a row. Waits while there is no room, in memory and in a file.
    pub(super) async fn keep(&self, row: MeasuredRow) -> Result<(), Error> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let died = || Error::WriterDied { store: self.store.clone() };
        rows.ok_or_else(died)?.send(row).await.map_err(|_| died())
    }

    /// Writes what was handed in, and ends. A database that is away is waited for as long as `patience`.
    pub(super) async fn close(&self, patience: Duration) -> Result<(), Error> {
        drop(self.rows.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.closing.send_replace(Some(Instant::now() + patience));
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(done) = done else { return Ok(()) };
        let died = || Error::WriterDied { store: self.store.clone() };
        let ended = done.await.map_err(|_| died())?;
        ended.map_err(|refused| self.named(refused, patience))
    }

    fn named(&self, refused: Refused, waited: Duration) -> Error {
        const OPERATION: &str = "keep measurements";
        let store = self.store.clone();
        match refused {
            Refused::NoRun => Error::Layout {
                store,
                operation: OPERATION,
                detail: "somebody took the keeper away".to_owned(),
            },
            Refused::Sql(refused) => named_error(&store, OPERATION, &refused),
            Refused::Io(source) => Error::Backend { store, operation: OPERATION, source: source.into() },
            Refused::Away { reason, left } => Error::Away { store, waited, reason, left },
        }
    }
}

/// What the thread does.
struct Task {
    forwarder: Forwarder<ParsecCourier>,
    queue: mpsc::Receiver<MeasuredRow>,
    patience: watch::Receiver<Option<Instant>>,
}

impl Task {
    /// What cannot be brought into the database is left in a file.
    async fn run(mut self) -> Result<(), Refused> {
        let ended = self.serve().await;
        if ended.is_ok() {
            self.forwarder.leave().await;
            return Ok(());
        }
        self.queue.close();
        while let Ok(row) = self.queue.try_recv() {
            let load = self.gather(row);
            self.forwarder.hold(load);
        }
        match (ended, self.forwarder.give_up()) {
            (Err(Refused::Away { reason, left }), Refused::Away { left: later, .. }) => {
                Err(Refused::Away { reason, left: left.or(later) })
            }
            (ended, Refused::Away { left: Some(left), .. }) => {
                tracing::warn!(path = %left.display(), "measurements are left in a file");
                ended
            }
            (ended, _) => ended,
        }
    }

    async fn serve(&mut self) -> Result<(), Refused> {
        loop {
            let row = tokio::select! {
                biased;
                row = self.queue.recv() => row,
                () = self.forwarder.wait() => {
                    self.work().await;
                    continue;
                }
            };
            let Some(row) = row else { break };
            let load = self.gather(row);
            let push = self.forwarder.push(load, gone(self.patience.clone(), Duration::ZERO));
            in_time(push, &self.patience).await?;
        }
        let finish = self.forwarder.finish(None, gone(self.patience.clone(), Duration::ZERO));
        in_time(finish, &self.patience).await
    }

    /// Brings what waits, unless all patience is gone meanwhile.
    async fn work(&mut self) {
        tokio::select! {
            biased;
            () = self.forwarder.work() => {}
            () = gone(self.patience.clone(), GRACE) => {}
        }
    }

    /// What else is there by now.
    fn gather(&mut self, first: MeasuredRow) -> Measured {
        let mut rows = vec![first];
        while rows.len() < BATCH_ROWS {
            match self.queue.try_recv() {
                Ok(row) => rows.push(row),
                Err(_) => break,
            }
        }
        Measured { number: 0, rows }
    }
}

/// Ends what the database takes too long for when all patience is gone: what it was given waits still.
async fn in_time(
    done: impl Future<Output = Result<Totals, Refused>>,
    patience: &watch::Receiver<Option<Instant>>,
) -> Result<(), Refused> {
    tokio::select! {
        biased;
        done = done => done.map(drop),
        () = gone(patience.clone(), GRACE) => Err(Refused::Away { reason: "it did not answer".to_owned(), left: None }),
    }
}

/// Ready so long after all patience is gone.
async fn gone(mut patience: watch::Receiver<Option<Instant>>, grace: Duration) {
    // Whoever could say it has gone itself: so has its patience.
    let until = patience.wait_for(Option::is_some).await.ok().and_then(|until| *until);
    sleep_until(until.unwrap_or_else(Instant::now) + grace).await;
}

/// Brings what keepers that have ended left in files, as far as it belongs to this database.
async fn bring_left(login: &Login, client: &PgClient, directory: &std::path::Path) {
    for spill in Spill::left_behind(directory) {
        let (path, id) = (spill.path().display().to_string(), spill.run().to_string());
        let find = "SELECT id FROM kadscope_register.keeper WHERE keeper_id = $1::text::uuid";
        let found = client.sql.query_typed(find, &[(&id, Type::TEXT)]).await;
        let number: Option<i32> = found.ok().and_then(|rows| rows.first()?.try_get(0).ok());
        let Some(number) = number else { continue };
        match bring_one::<ParsecCourier>(login, number, spill).await {
            Ok(rows) => {
                tracing::info!(path, rows, "measurements that were left in a file are in the database now");
            }
            Err(reason) => {
                tracing::warn!(path, reason, "measurements that were left in a file cannot be brought yet");
            }
        }
    }
}
