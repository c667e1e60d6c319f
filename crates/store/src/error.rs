//! Everything that can go wrong with a store, by name: each error says what was tried, and on which store or file.

use std::{error, io, path::PathBuf, time::Duration};

use schema::{RunId, Table, cell::BadCell};

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
    #[error("{store}: is damaged: could not {operation}: {detail}")]
    Damaged {
        /// The store.
        store: String,
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
    #[error("{store}: could not {operation}: its layout is not the one of this version ({detail})")]
    Layout {
        /// The store.
        store: String,
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
    /// The run is under way, and what was asked for has to wait for its end.
    #[error("{store}: could not {operation}: the run {id} is under way")]
    Running {
        /// The store.
        store: String,
        /// What was tried.
        operation: &'static str,
        /// The run.
        id: RunId,
    },
    /// The file or its directory cannot be written.
    #[error("{store}: could not {operation}: the file or its directory is read-only")]
    ReadOnly {
        /// The store.
        store: String,
        /// What was tried.
        operation: &'static str,
    },
    /// Another process holds the file, and did not let go in time.
    #[error("{store}: could not {operation}: another process holds the file locked (waited {waited:?})")]
    Locked {
        /// The store.
        store: String,
        /// What was tried.
        operation: &'static str,
        /// How long it was waited for.
        waited: Duration,
    },
    /// Somebody else takes rows out of the store at this time.
    #[error("{store}: could not {operation}: somebody else is deleting from it; try again when that is done")]
    Deleting {
        /// The store.
        store: String,
        /// What was tried.
        operation: &'static str,
    },
    /// The disk is full. What was committed before stays.
    #[error("{store}: could not {operation}: the disk is full; what was written before is kept")]
    Full {
        /// The store.
        store: String,
        /// What was tried.
        operation: &'static str,
    },
    /// The store holds no such run.
    #[error("{store}: there is no run {id} in it")]
    UnknownRun {
        /// The store.
        store: String,
        /// The run that was asked for.
        id: RunId,
    },
    /// A run of this id is in the store already.
    #[error("{store}: there is a run {id} in it already")]
    RunExists {
        /// The store.
        store: String,
        /// The run that was to begin.
        id: RunId,
    },
    /// A kind of rows has no such column.
    #[error("`{table}` has no column `{column}` that could be read alone")]
    UnknownColumn {
        /// The table.
        table: &'static str,
        /// The column that was asked for.
        column: String,
    },
    /// The file holds a name that this version does not know: it was added by a newer one.
    #[error("{store}: holds the {vocabulary} `{name}`, which this version does not know")]
    UnknownName {
        /// The store.
        store: String,
        /// What kind of name it is.
        vocabulary: &'static str,
        /// The name.
        name: String,
    },
    /// Any other error of what keeps the rows.
    #[error("{store}: could not {operation}: {source}")]
    Backend {
        /// The store.
        store: String,
        /// What was tried.
        operation: &'static str,
        /// What it says.
        source: Box<dyn error::Error + Send + Sync>,
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
    /// The database cannot be reached, or does not let anybody in now.
    #[error("{store}: cannot be reached: {reason}")]
    Unreachable {
        /// The store.
        store: String,
        /// Why.
        reason: String,
    },
    /// The database can be read and not written.
    #[error("{store}: could not {operation}: {reason}")]
    Refused {
        /// The store.
        store: String,
        /// What was tried.
        operation: &'static str,
        /// What the server says.
        reason: String,
    },
    /// The database has no tables of ours.
    #[error("{store}: no run was ever kept in it")]
    Empty {
        /// The store.
        store: String,
    },
    /// The tables of the database were made by a newer version of this program.
    #[error(
        "{store}: was made by a newer kadscope (layout {version}; this one knows up to {supported}); \
         it was left as it is"
    )]
    NewerDatabase {
        /// The store.
        store: String,
        /// The version of its layout.
        version: u32,
        /// The newest version that is understood here.
        supported: u32,
    },
    /// The database was away when the run had ended, and for longer than it is waited for.
    #[error("{store}: was away ({reason}) and did not come back within {waited:?}; {}", .left.as_ref().map_or_else(
        || "what was not written yet is lost".to_owned(),
        |path| format!("the rows that it does not have are in {}, and the next run into it brings them", path.display())
    ))]
    Away {
        /// The store.
        store: String,
        /// How long it was waited for.
        waited: Duration,
        /// Why it could not be reached.
        reason: String,
        /// The file with what was not written; `None` if there is no place for one.
        left: Option<PathBuf>,
    },
    /// A database is copied by programs of its own.
    #[error("{store}: is a database: pg_dump copies it as it is at one moment")]
    NoBackup {
        /// The store.
        store: String,
    },
    /// A run is not the same in two stores.
    #[error("the run {id} in {other} is not the one in {store}: {what}")]
    Different {
        /// The store.
        store: String,
        /// The other one.
        other: String,
        /// The run.
        id: RunId,
        /// What differs first.
        what: String,
    },
    /// The register has no such server.
    #[error("{store}: there is no server {id} in its register")]
    UnknownServer {
        /// The store.
        store: String,
        /// The server.
        id: u32,
    },
    /// The database has no register, and none is to be made.
    #[error("{store}: no server was ever entered in it")]
    NoRegister {
        /// The store.
        store: String,
    },
    /// Parsec's tables are not there and cannot be made, or are none that Parsec's programs would use.
    #[error("{store}: the tables of Parsec cannot be used: {detail}; nothing was changed")]
    ParsecTables {
        /// The store.
        store: String,
        /// What is wrong with them.
        detail: String,
    },
    /// Something that Parsec's tables cannot hold, or that its programs would break on.
    #[error("{what} cannot stand in the tables of Parsec: {reason}")]
    ParsecValue {
        /// What it is.
        what: String,
        /// Why not.
        reason: &'static str,
    },
    /// This program was built without what the store needs.
    #[error(
        "`{url}`: this kadscope was built without PostgreSQL; `cargo build --release --features full` builds it with"
    )]
    NotBuilt {
        /// What was given, without its password.
        url: String,
    },
    /// The thread that writes has panicked.
    #[error("{store}: the thread that writes it has died; what was committed before is kept")]
    WriterDied {
        /// The store.
        store: String,
    },
}

impl Error {
    /// What is tried wherever rows are read.
    pub(crate) const READ: &str = "read rows";

    /// A row that cannot be put together again.
    pub(crate) fn bad_cell(store: &str, table: &Table, bad: BadCell) -> Self {
        let store = store.to_owned();
        match bad {
            BadCell::Name(column, name) => {
                let vocabulary = table.columns.get(column).map_or(table.name, |column| column.name);
                Self::UnknownName { store, vocabulary, name }
            }
            BadCell::Kind(_) => {
                let detail = format!("a row of {}: {bad}", table.name);
                Self::Damaged { store, operation: Self::READ, detail }
            }
        }
    }
}
