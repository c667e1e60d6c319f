//! Records in an SQLite file of their own, which one process has open at a time.
//!
//! Two threads have a connection each: one reads, the other writes and deletes. Neither waits for the other: readers read the file
//! as it was when they began.

mod statements;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rusqlite::Connection;

use super::{
    BellyError, RecordCounts, RecordPage,
    backend::{Fault, Nature, ReadBatch, ReadReply, WriteBatch},
    page::RecordCursor,
};
use crate::{
    Error, Limits,
    sqlite::{Absent, Alone, FileKind, SqliteDesk, connect_file, named_error, open_file},
};

/// Says in the file's header that it is a belly: `kadb`.
const BELLY: FileKind = FileKind {
    application_id: 0x6b61_6462,
    migrations: &[&[include_str!("../../migrations/belly_0001.sql")]],
};

/// A file with records.
#[derive(Debug)]
pub(super) struct SqliteBelly {
    path: PathBuf,
    reader: SqliteDesk,
    writer: SqliteDesk,
    /// No other process writes the file.
    alone: Mutex<Option<Alone>>,
}

impl SqliteBelly {
    pub(super) const NATURE: Nature =
        Nature { is_shared: false, keys_a_read: 256, rows_a_write: 4096, readers: 1 };

    /// Opens the file, made if there is none; [`BellyError::InUse`] if another process has it.
    pub(super) fn open(path: &Path, makes_tables: bool) -> Result<Self, BellyError> {
        if is_level_db(path) {
            return Err(BellyError::LevelDb { path: path.to_owned() });
        }
        let io = |operation| move |source| Error::Io { path: path.to_owned(), operation, source };
        let absent = if makes_tables { Absent::Create } else { Absent::Refuse };
        let mut lock = path.as_os_str().to_owned();
        lock.push(".lock");
        if absent == Absent::Refuse && !path.exists() {
            return Err(Error::Missing { path: path.to_owned() }.into());
        }
        let limits = Limits::default();
        // First, since a path that is none is refused by name there.
        let writer = open_file(path, absent, &limits, &BELLY)?;
        let alone = Alone::take(Path::new(&lock)).map_err(io("lock it"))?;
        let alone = alone.ok_or_else(|| BellyError::InUse { path: path.to_owned() })?;
        let reader = connect_file(path, Absent::Refuse, &limits)?;
        let desk = |connection| SqliteDesk::new("belly", connection).map_err(io("start a thread"));
        Ok(Self {
            path: path.to_owned(),
            reader: desk(reader)?,
            writer: desk(writer)?,
            alone: Mutex::new(Some(alone)),
        })
    }

    async fn ask<T: Send + 'static>(
        &self,
        desk: &SqliteDesk,
        operation: &'static str,
        job: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Fault> {
        match desk.ask(job).await {
            Some(Ok(done)) => Ok(done),
            Some(Err(error)) => {
                match named_error(&self.path, operation, Limits::default().busy_timeout, error) {
                    // Both pass.
                    error @ (Error::Full { .. } | Error::Locked { .. }) => {
                        Err(Fault::Away(error.to_string()))
                    }
                    error => Err(Fault::Failed(error)),
                }
            }
            None => Err(Error::WriterDied { store: self.path.display().to_string() }.into()),
        }
    }

    pub(super) async fn write(&self, batch: Arc<WriteBatch>) -> Result<(), Fault> {
        self.ask(&self.writer, "write records", move |sql| statements::write(sql, &batch)).await
    }

    pub(super) async fn read(&self, _reader: usize, batch: Arc<ReadBatch>) -> Result<ReadReply, Fault> {
        self.ask(&self.reader, Error::READ, move |sql| statements::read(sql, &batch)).await
    }

    #[expect(clippy::unused_async, reason = "a file is always there")]
    pub(super) async fn ping(&self) -> Result<(), Fault> {
        Ok(())
    }

    /// Nobody else has the file.
    #[expect(clippy::unused_async, reason = "a file has one process")]
    pub(super) async fn lease(&self, _length: Duration) -> Result<bool, Fault> {
        Ok(true)
    }

    pub(super) async fn collect(&self, now_us: u64) -> Result<bool, Fault> {
        self.ask(&self.writer, "delete records", move |sql| statements::collect(sql, now_us)).await
    }

    pub(super) async fn trim(&self, keys: Arc<Vec<Arc<[u8]>>>, per_key: usize) -> Result<(), Fault> {
        self.ask(&self.writer, "delete records", move |sql| statements::trim(sql, &keys, per_key)).await
    }

    /// Closes the file, and lets others have it.
    pub(super) async fn close(&self) {
        self.reader.close().await;
        // The last connection folds the log into the file.
        self.writer.close().await;
        drop(self.alone.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    pub(super) async fn counts(&self) -> Result<RecordCounts, Fault> {
        self.ask(&self.reader, Error::READ, |sql| statements::counts(sql)).await
    }

    pub(super) async fn page(
        &self,
        after: Option<RecordCursor>,
        limit: usize,
        now_us: u64,
    ) -> Result<RecordPage, Fault> {
        self.ask(&self.reader, Error::READ, move |sql| statements::page(sql, after, limit, now_us)).await
    }
}

/// Whether it is a directory of the store that hydra-booster had by default.
fn is_level_db(path: &Path) -> bool {
    let begins = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(b"MANIFEST-");
    let mut entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    path.join("CURRENT").is_file() && entries.any(|entry| begins(&entry.file_name()))
}
