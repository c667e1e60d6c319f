//! What can go wrong with a belly, by name.

use std::path::PathBuf;

use super::{ReadFailure, url::SUPPORTED};
use crate::Error;

/// What can go wrong with a belly.
#[derive(Debug, thiserror::Error)]
pub enum BellyError {
    /// The name of a belly could not be understood.
    #[error("`{url}` names no belly: {reason} (supported: {SUPPORTED})")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Another process has the file open.
    #[error(
        "{path}: another process has this belly open; several processes have one belly in a database (`postgres://...`)"
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// It is the directory that hydra-booster kept its records in by default.
    #[error(
        "{path}: is a LevelDB directory of hydra-booster, which is not read; its records are announced anew within two \
         days: name a file instead, `sqlite:{path}.sqlite`"
    )]
    LevelDb {
        /// The directory.
        path: PathBuf,
    },
    /// What is needed for such a belly was not built in.
    #[error(
        "`{url}`: this kadscope was built without what keeps it; `cargo build --release --features full` builds it with"
    )]
    NotBuilt {
        /// What was given, without its password.
        url: String,
    },
    /// The database has no tables of a belly, and none are to be made.
    #[error(
        "{store}: has no tables of a belly, and making them was switched off; run once without that, or make them by {by}"
    )]
    NoTables {
        /// The database.
        store: String,
        /// What makes them.
        by: &'static str,
    },
    /// The backend did not take everything before the belly was closed.
    #[error("{store}: is away, and {lost} records that it was not told of are lost")]
    Unwritten {
        /// The backend.
        store: String,
        /// How many.
        lost: usize,
    },
    /// What keeps the records cannot be asked now.
    #[error("the belly's backend could not be asked: {0}")]
    Away(ReadFailure),
    /// What keeps the records refuses, or has failed.
    #[error(transparent)]
    Store(#[from] Error),
}
