//! Errors of the server by the names that the store has for them.

use tokio_postgres::error::SqlState;

use super::fault;
use crate::Error;

/// Names an error that `operation` met.
pub(crate) fn named(store: &str, operation: &'static str, error: &tokio_postgres::Error) -> Error {
    let (store, detail) = (store.to_owned(), fault::text(error));
    match error.code() {
        Some(&SqlState::DISK_FULL) => Error::Full { store, operation },
        Some(&SqlState::READ_ONLY_SQL_TRANSACTION | &SqlState::INSUFFICIENT_PRIVILEGE) => {
            Error::Refused { store, operation, reason: detail }
        }
        Some(&SqlState::DATA_CORRUPTED | &SqlState::INDEX_CORRUPTED) => {
            Error::Damaged { store, operation, detail }
        }
        Some(&SqlState::UNDEFINED_TABLE | &SqlState::UNDEFINED_COLUMN | &SqlState::UNDEFINED_OBJECT) => {
            Error::Layout { store, operation, detail }
        }
        _ if fault::passes(error) => Error::Unreachable { store, reason: detail },
        _ => Error::Backend { store, operation, source: detail.into() },
    }
}

/// Something that is never written.
pub(super) fn damaged(store: &str, detail: &str) -> Error {
    Error::Damaged { store: store.to_owned(), operation: Error::READ, detail: detail.to_owned() }
}

/// A name that this version does not know.
pub(super) fn unknown(store: &str, vocabulary: &'static str, name: &str) -> Error {
    Error::UnknownName { store: store.to_owned(), vocabulary, name: name.to_owned() }
}
