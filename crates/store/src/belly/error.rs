//! What can go wrong with a belly, by name.

use super::url::SUPPORTED;
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
    /// What keeps the records refuses, or has failed.
    #[error(transparent)]
    Store(#[from] Error),
}
