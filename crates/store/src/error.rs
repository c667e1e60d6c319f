//! Everything that can go wrong with a store, by name: each error says what was tried and on which file.

use std::{io, path::Path, path::PathBuf, time::Duration};

use rusqlite::ErrorCode;
use schema::CrawlId;

use crate::url::SUPPORTED;

/// What can go wrong with a store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name of a store could not be understood.
    #[error("`{url}` names no store: {reason} (supported: {SUPPORTED})")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Something was to be read from `none`.
    #[error("`none` keeps nothing that could be read (supported: {SUPPORTED})")]
    NothingKept,
    /// The file to be read does not exist.
    #[error("{path}: there is no such file")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be where its path says: a directory on the way is missing or is none.
    #[error("{path}: cannot be opened: {reason}")]
    Directory {
        /// The file.
        path: PathBuf,
        /// What is wrong with its directory.
        reason: &'static str,
    },
    /// The file exists and is no SQLite database.
    #[error("{path}: is no SQLite database; it was left as it is")]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file is an SQLite database of another program.
    #[error(
        "{path}: is a database of another program (application id {application_id}); it was left as it is"
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The id that SQLite keeps for the program; 0 if it set none.
        application_id: u32,
    },
    /// The file was written by a newer version of this program.
    #[error(
        "{path}: was written by a newer kadscope (layout {version}; this one knows up to {supported}); \
         it was left as it is"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of its layout.
        version: u32,
        /// The newest version that is understood here.
        supported: u32,
    },
    /// The file is damaged, or holds what this program never writes.
    #[error("{path}: is damaged: could not {operation}: {detail}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was tried.
        operation: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// The file was begun by this program, and does not say in which layout: it was made by none of its versions.
    #[error(
        "{path}: is a store without a version of its layout, which no kadscope can read; it was left as it is"
    )]
    Unversioned {
        /// The file.
        path: PathBuf,
    },
    /// The file's tables are not those that its version has.
    #[error("{path}: could not {operation}: its layout is not the one of this version ({detail})")]
    Layout {
        /// The file.
        path: PathBuf,
        /// What was tried.
        operation: &'static str,
        /// What is missing, or too much.
        detail: String,
    },
    /// The file was removed or replaced while it was open.
    #[error(
        "{path}: could not {operation}: the file was removed or replaced meanwhile, and what was written is not in it"
    )]
    Gone {
        /// The file.
        path: PathBuf,
        /// What was tried.
        operation: &'static str,
    },
    /// The file can only be read, and its last rows stand in a log beside it, which cannot be read without writing.
    #[error(
        "{path}: its last rows stand in {path}-wal, which cannot be read where nothing can be written; copy both files"
    )]
    UnreadableLog {
        /// The file.
        path: PathBuf,
    },
    /// A crawl is under way, and what was asked for has to wait for its end.
    #[error("{path}: could not {operation}: the crawl {id} is under way in it")]
    Running {
        /// The file.
        path: PathBuf,
        /// What was tried.
        operation: &'static str,
        /// The crawl that is under way.
        id: CrawlId,
    },
    /// The file or its directory cannot be written.
    #[error("{path}: could not {operation}: the file or its directory is read-only")]
    ReadOnly {
        /// The file.
        path: PathBuf,
        /// What was tried.
        operation: &'static str,
    },
    /// Another process holds the file, and did not let go in time.
    #[error("{path}: could not {operation}: another process holds the file locked (waited {waited:?})")]
    Locked {
        /// The file.
        path: PathBuf,
        /// What was tried.
        operation: &'static str,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The disk is full. What was committed before stays.
    #[error("{path}: could not {operation}: the disk is full; what was written before is kept")]
    Full {
        /// The file.
        path: PathBuf,
        /// What was tried.
        operation: &'static str,
    },
    /// The store holds no such crawl.
    #[error("{path}: there is no crawl {id} in it")]
    UnknownCrawl {
        /// The file.
        path: PathBuf,
        /// The crawl that was asked for.
        id: CrawlId,
    },
    /// A crawl of this id is in the store already.
    #[error("{path}: there is a crawl {id} in it already")]
    CrawlExists {
        /// The file.
        path: PathBuf,
        /// The crawl that was to begin.
        id: CrawlId,
    },
    /// The file holds a name that this version does not know: it was added by a newer one.
    #[error("{path}: holds the {vocabulary} `{name}`, which this version does not know")]
    UnknownName {
        /// The file.
        path: PathBuf,
        /// What kind of name it is.
        vocabulary: &'static str,
        /// The name.
        name: String,
    },
    /// Any other error of SQLite.
    #[error("{path}: could not {operation}: {source}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What was tried.
        operation: &'static str,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// An error of the operating system, on a file beside the database or at starting a thread.
    #[error("{path}: could not {operation}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        operation: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// The thread that writes has panicked.
    #[error("{path}: the thread that writes it has died; what was committed before is kept")]
    WriterDied {
        /// The file.
        path: PathBuf,
    },
}

impl Error {
    /// Whether reading alone may still be possible: the file, or a file beside it, could not be opened for writing.
    pub(crate) fn is_for_want_of_rights(&self) -> bool {
        match self {
            Self::ReadOnly { .. } => true,
            Self::Sqlite { source, .. } => source.sqlite_error_code() == Some(ErrorCode::CannotOpen),
            _ => false,
        }
    }

    /// What is tried wherever rows are read.
    pub(crate) const READ: &str = "read rows";

    /// Names an error of SQLite that came while rows were read. A reader waits for nobody: the log keeps what it reads.
    pub(crate) fn reading(path: &Path, source: rusqlite::Error) -> Self {
        Self::sqlite(path, Self::READ, Duration::ZERO, source)
    }

    /// Names an error of SQLite. `waited` is the busy timeout of the connection.
    pub(crate) fn sqlite(
        path: &Path,
        operation: &'static str,
        waited: Duration,
        source: rusqlite::Error,
    ) -> Self {
        let path = path.to_owned();
        match &source {
            rusqlite::Error::SqliteFailure(error, text) => match error.code {
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
                    Self::Locked { path, operation, waited }
                }
                ErrorCode::DiskFull => Self::Full { path, operation },
                ErrorCode::ReadOnly => Self::ReadOnly { path, operation },
                ErrorCode::NotADatabase => Self::NotADatabase { path },
                ErrorCode::DatabaseCorrupt => {
                    let detail = text.clone().unwrap_or_else(|| error.to_string());
                    Self::Damaged { path, operation, detail }
                }
                _ => Self::Sqlite { path, operation, source },
            },
            // Its own text would be the whole statement.
            rusqlite::Error::SqlInputError { msg, .. } => {
                let detail = msg.lines().next().unwrap_or_default().to_owned();
                Self::Layout { path, operation, detail }
            }
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::Utf8Error(..)
            | rusqlite::Error::QueryReturnedNoRows => {
                Self::Damaged { path, operation, detail: source.to_string() }
            }
            _ => Self::Sqlite { path, operation, source },
        }
    }
}
