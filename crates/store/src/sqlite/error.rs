//! Names the errors of SQLite.

use std::{path::Path, time::Duration};

use rusqlite::ErrorCode;

use crate::Error;

/// Names an error that came while rows were read. A reader waits for nobody: the log keeps what it reads.
pub(super) fn reading(path: &Path, source: rusqlite::Error) -> Error {
    named(path, Error::READ, Duration::ZERO, source)
}

/// Whether reading alone may still be possible: the file, or a file beside it, could not be opened for writing.
pub(super) fn is_for_want_of_rights(error: &Error) -> bool {
    match error {
        Error::ReadOnly { .. } => true,
        Error::Backend { source, .. } => source
            .downcast_ref::<rusqlite::Error>()
            .is_some_and(|error| error.sqlite_error_code() == Some(ErrorCode::CannotOpen)),
        _ => false,
    }
}

/// Names an error. `waited` is the busy timeout of the connection.
pub(crate) fn named(
    path: &Path,
    operation: &'static str,
    waited: Duration,
    source: rusqlite::Error,
) -> Error {
    let store = path.display().to_string();
    match &source {
        rusqlite::Error::SqliteFailure(error, text) => match error.code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Error::Locked { store, operation, waited },
            ErrorCode::DiskFull => Error::Full { store, operation },
            ErrorCode::ReadOnly => Error::ReadOnly { store, operation },
            ErrorCode::NotADatabase => Error::NotADatabase { path: path.to_owned() },
            ErrorCode::DatabaseCorrupt => {
                let detail = text.clone().unwrap_or_else(|| error.to_string());
                Error::Damaged { store, operation, detail }
            }
            _ => Error::Backend { store, operation, source: source.into() },
        },
        // Its own text would be the whole statement.
        rusqlite::Error::SqlInputError { msg, .. } => {
            let detail = msg.lines().next().unwrap_or_default().to_owned();
            Error::Layout { store, operation, detail }
        }
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::Utf8Error(..)
        | rusqlite::Error::QueryReturnedNoRows => {
            Error::Damaged { store, operation, detail: source.to_string() }
        }
        _ => Error::Backend { store, operation, source: source.into() },
    }
}

/// What was read was never written.
pub(super) fn damaged(path: &Path, detail: String) -> Error {
    Error::Damaged { store: path.display().to_string(), operation: Error::READ, detail }
}

/// A name that this version does not know.
pub(super) fn unknown(path: &Path, vocabulary: &'static str, name: &str) -> Error {
    Error::UnknownName { store: path.display().to_string(), vocabulary, name: name.to_owned() }
}
