//! What of a hydra survives a restart: who its heads are, where they listen, whom they know, and what it has handed out.
//!
//! A [`StateDirectory`] belongs to one process at a time. Its files are JSON, readable by their owner alone, and each is replaced as
//! a whole: after a crash at any moment it is the old one or the new one. A file that is damaged is refused and named, never
//! replaced: it may hold the only copy of a key.

mod directory;
mod heads;
mod peers;

use std::{io, path::PathBuf};

use thiserror::Error;

pub(crate) use self::directory::StateFile;
pub use self::{
    directory::StateDirectory,
    heads::{KeptHead, KeptHeads},
};

/// What is wrong with a state directory.
#[derive(Debug, Error)]
pub enum StateError {
    /// Another process has it.
    #[error("another hydra uses the state directory {}; give this one a directory of its own", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was to be done.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file does not say what it should. The text shows nothing of it.
    #[error("{} is damaged ({why}): {remedy}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// Others than its owner may read keys.
    #[error("{} holds private keys, and others can read it: chmod 600 {}", path.display(), path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
}
